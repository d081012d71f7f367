//! `plinth-server`: the executable.

use plinth::settings::file::CommandLine;
use plinth::startup;
use std::path::Path;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const HELP: &str = "\
Usage: plinth-server [/path/to/redis.conf] [options] [-]
       plinth-server - (read the configuration from stdin)
       plinth-server --check-config [/path/to/redis.conf] [options]
       plinth-server --inspect module.so
       plinth-server -v or --version
       plinth-server -h or --help

Options are configuration directives with two dashes in front:

       plinth-server --port 7777
       plinth-server /etc/redis.conf --loglevel verbose
       plinth-server --loadmodule ./gauge.so arg1 arg2
";

fn main() -> ExitCode {
    let args: Vec<std::ffi::OsString> = std::env::args_os().skip(1).collect();
    let word = |at: usize| args.get(at).and_then(|arg| arg.to_str()).unwrap_or("");
    match word(0) {
        "-v" | "--version" => {
            println!(
                "Plinth server v={} redis={} malloc=jemalloc bits=64",
                plinth::admin::server::VERSION,
                plinth::admin::server::REDIS_VERSION
            );
            ExitCode::SUCCESS
        }
        "-h" | "--help" => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        "--inspect" => inspect(word(1)),
        "--check-config" => run(&args[1..], true),
        _ => run(&args, false),
    }
}

fn inspect(path: &str) -> ExitCode {
    if path.is_empty() {
        eprint!("{HELP}");
        return ExitCode::FAILURE;
    }
    match plinth::modules::inspect::inspect(Path::new(path)) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{path}: {error}");
            if let plinth::modules::export::EntryError::Layout(report) = error {
                eprintln!("{report}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[std::ffi::OsString], check_only: bool) -> ExitCode {
    use std::os::unix::ffi::OsStrExt;
    let bytes: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
    let configuration = match startup::configure(&CommandLine::parse(&bytes)) {
        Ok(configuration) => configuration,
        Err(error) => {
            eprintln!("\n{error}");
            return ExitCode::FAILURE;
        }
    };
    let served = if check_only { startup::check(configuration) } else { startup::serve(configuration) };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            plinth::base::log::warning(&text);
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}
