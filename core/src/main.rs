//! `plinth-server`: the executable.

use plinth::base::allocator;
use plinth::command_line::{self, Task};
use plinth::settings::file::CommandLine;
use plinth::startup::{self, Configuration, Kind};
use std::path::Path;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::ALLOCATOR;

fn main() -> ExitCode {
    let mut args: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if !args.is_empty() && args.remove(0).to_string_lossy().contains("redis-sentinel") {
        args.push(command_line::SENTINEL.into());
    }
    let code = follow(&args);
    plinth::modules::copies::end();
    code
}

fn follow(args: &[std::ffi::OsString]) -> ExitCode {
    match command_line::parse(args) {
        Ok(Task::Serve(line)) => run(&line, None, startup::serve),
        Ok(Task::Watch(line)) => run(&line, Some(startup::SENTINEL), startup::serve),
        Ok(Task::Check(line)) => run(&line, None, startup::check),
        Ok(Task::Inspect(path)) => inspect(&path),
        Err(error) if error.is_answer() => {
            print!("{error}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprint!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn inspect(path: &Path) -> ExitCode {
    match plinth::modules::inspect::inspect(path) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            if let plinth::modules::export::EntryError::Layout(report) = error {
                eprintln!("{report}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(line: &CommandLine, kind: Option<Kind>, task: fn(Configuration) -> Result<(), String>) -> ExitCode {
    let configuration = match startup::configure(line, kind) {
        Ok(configuration) => configuration,
        Err(error) => {
            eprintln!("\n{error}");
            return ExitCode::FAILURE;
        }
    };
    match task(configuration) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            plinth::base::log::warning(&text);
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}
