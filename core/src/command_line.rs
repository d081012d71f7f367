//! The command line: what is asked of the program before it serves, or directives for it to serve by.
//!
//! ```text
//!   plinth-server  --inspect module.so             one of the program's own options, which comes first
//!   plinth-server  [file] [-] [--directive value ...] ... [-]     all else is configuration
//! ```
//!
//! clap knows the program's own options. The first argument that is none of them begins the
//! configuration, and all behind it belongs to that, whatever it looks like: `--requirepass -v` sets a
//! password. Redis reads its command line so, and [`CommandLine`] the part that is left to it.

use crate::base::version::{REDIS_VERSION, VERSION};
use crate::settings::file::CommandLine;
use clap::builder::OsStringValueParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

/// What the program is to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Task {
    /// Serve.
    Serve(CommandLine),
    /// Watch over other servers.
    Watch(CommandLine),
    /// Say whether the configuration is correct.
    Check(CommandLine),
    /// Show what a module's library exports.
    Inspect(PathBuf),
}

/// Why there is nothing to do; `Display` is the text for the user.
#[derive(Debug, thiserror::Error)]
pub enum CommandLineError {
    /// The version was asked for, help was, or an option is not used as it is meant.
    #[error("{0}")]
    Options(#[from] clap::Error),
    /// Something that Redis does, and this program does not.
    #[error("'{0}' is not there: {1}\n")]
    Absent(&'static str, &'static str),
}

impl CommandLineError {
    /// Whether it is no error, but the version that was asked for. Help is one, as Redis has it: a
    /// script that comes to see it has not got a server.
    pub fn is_answer(&self) -> bool {
        matches!(self, Self::Options(error) if error.kind() == ErrorKind::DisplayVersion)
    }
}

/// Makes the server a Sentinel wherever it stands, and is no directive.
pub const SENTINEL: &str = "--sentinel";

/// Options of Redis that would be taken for directives, and what to do without them.
const ABSENT: &[(&str, &str)] = &[
    ("--test-memory", "test memory with a program made for that, such as memtester."),
    ("--check-system", "this version does not judge the system that it runs on."),
];

const USAGE: &str = "plinth-server [/path/to/redis.conf] [--directive value ...] [-]
       plinth-server /path/to/sentinel.conf --sentinel [--directive value ...]
       plinth-server --check-config [/path/to/redis.conf] [--directive value ...] [-]
       plinth-server --inspect module.so";

const EXAMPLES: &str = "\
Examples:
  plinth-server                          serve by what parameters are without a file
  plinth-server --port 7777
  plinth-server /etc/redis.conf --loglevel verbose
  plinth-server --save 60 1 --save 300 10 --maxmemory 128mb
  plinth-server --loadmodule ./gauge.so arg1 arg2
  echo 'maxmemory 128mb' | plinth-server -";

fn program() -> Command {
    let own = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help);
    Command::new("plinth-server")
        .about("A Redis-compatible server whose data types are modules.")
        .display_name("Plinth server")
        .version(format!("v={VERSION} redis={REDIS_VERSION} malloc=jemalloc bits=64"))
        .override_usage(USAGE)
        .after_help(EXAMPLES)
        .disable_version_flag(true)
        .disable_help_flag(true)
        .arg(own("version", "Print the version").short('v').action(ArgAction::Version))
        .arg(own("help", "Print this").short('h').action(ArgAction::HelpShort))
        .arg(
            own("check-config", "Say whether the configuration is correct, and serve nothing")
                .action(ArgAction::SetTrue),
        )
        .arg(
            own("inspect", "Show what the library of a module exports")
                .value_name("MODULE")
                .value_parser(value_parser!(PathBuf))
                .exclusive(true),
        )
        .arg(
            Arg::new("configuration")
                .help("A file, '-' for standard input, and directives, each with two dashes in front")
                .num_args(0..)
                .value_parser(OsStringValueParser::new())
                .allow_hyphen_values(true)
                .trailing_var_arg(true),
        )
}

/// What the arguments behind the program's name ask for.
pub fn parse(args: &[OsString]) -> Result<Task, CommandLineError> {
    // Redis becomes a Sentinel wherever the word stands; the others count in the first place only.
    let words: Vec<&OsString> = args.iter().filter(|arg| *arg != SENTINEL).collect();
    let watches = words.len() < args.len();
    if let Some((name, instead)) = ABSENT.iter().find(|(name, _)| words.first().is_some_and(|arg| *arg == name)) {
        return Err(CommandLineError::Absent(name, instead));
    }
    let mut matches = program().no_binary_name(true).try_get_matches_from(words)?;
    if let Some(path) = matches.remove_one("inspect") {
        return Ok(Task::Inspect(path));
    }
    let line = configuration(&mut matches);
    Ok(match (matches.get_flag("check-config"), watches) {
        (true, _) => Task::Check(line),
        (false, true) => Task::Watch(line),
        (false, false) => Task::Serve(line),
    })
}

fn configuration(matches: &mut ArgMatches) -> CommandLine {
    let words: Vec<OsString> = matches.remove_many("configuration").into_iter().flatten().collect();
    let bytes: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    CommandLine::parse(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Task, String> {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        parse(&args).map_err(|error| error.to_string())
    }

    fn serve(args: &[&str]) -> Result<Task, String> {
        Ok(Task::Serve(CommandLine::parse(args)))
    }

    #[test]
    fn clap_finds_no_fault_with_the_declaration() {
        program().debug_assert();
    }

    #[test]
    fn what_is_no_option_of_the_program_is_configuration_word_by_word() {
        let lines: &[&[&str]] = &[
            &[],
            &["my.conf"],
            &["-"],
            &["my.conf", "-"],
            &["--port", "-1"],
            &["--save", "60", "1", "--save", "300", "10"],
            &["--save", ""],
            &["--save 60 1", "--port=1"],
            &["--requirepass", "--x"],
            &["--port", "1", "-v"],
            &["--port", "1", "--help", "--check-config"],
            &["my.conf", "--version"],
            &["--port", "1", "--", "--inspect"],
            &["-port", "1"],
            &["-hx"],
            &["---port"],
            &["--loadmodule", "a.so", "--x", "-h"],
            &["--client-output-buffer-limit", "normal", "1", "2", "3"],
        ];
        for line in lines {
            assert_eq!(parsed(line), serve(line), "{line:?}");
        }
    }

    #[test]
    fn the_programs_own_options_come_first() {
        assert_eq!(parsed(&["--inspect", "a.so"]), Ok(Task::Inspect("a.so".into())));
        let checked = &["a.conf", "--port", "1"];
        assert_eq!(parsed(&["--check-config", "a.conf", "--port", "1"]), Ok(Task::Check(CommandLine::parse(checked))));
        assert_eq!(parsed(&["--check-config"]), Ok(Task::Check(CommandLine::default())));
        assert!(parsed(&["--inspect"]).is_err_and(|text| text.contains("--inspect <MODULE>")));
        assert!(parsed(&["--inspect", "a.so", "b"]).is_err_and(|text| text.contains("--inspect")));
    }

    #[test]
    fn sentinel_is_what_it_becomes_wherever_that_stands() {
        let watch = |rest: &[&str]| Ok(Task::Watch(CommandLine::parse(rest)));
        assert_eq!(parsed(&["--sentinel"]), watch(&[]));
        assert_eq!(parsed(&["my.conf", "--sentinel"]), watch(&["my.conf"]));
        assert_eq!(parsed(&["my.conf", "--sentinel", "--port", "1"]), watch(&["my.conf", "--port", "1"]));
    }
}
