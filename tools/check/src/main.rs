//! `plinth-check`: checks, sums up, mends and compares RDB and AOF files.
//!
//! ```text
//!  main.rs      arguments, and the names under which others look for it
//!  rdb.rs       one RDB file, item by item: what is printed on the way, what is counted
//!  aof.rs       an AOF or the files that a manifest names; cutting off what cannot be read
//!  summary.rs   what is in a file, as a table and as JSON
//!  diff.rs      the keys in which two RDB files differ
//!  value.rs     a value's elements, whatever its encoding
//!  progress.rs  how far a long file is read
//! ```
//!
//! The readers are the server's own (`plinth::durable`). Nothing of a file is believed: no size that is
//! read makes this program take more memory than the file has given it, times a small number.

mod aof;
mod diff;
mod progress;
mod rdb;
mod summary;
mod value;

use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Checks, sums up, mends and compares RDB and AOF files.
#[derive(Parser)]
#[command(name = "plinth-check", version)]
struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Reads RDB files to their ends, and says what is in them.
    Rdb {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Print the summary as JSON, a line for each file, and nothing else.
        #[arg(long)]
        json: bool,
    },
    /// Reads AOF files, or all that a manifest names.
    Aof {
        /// The files: manifests or single AOF files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Cut off what cannot be read at the end.
        #[arg(long)]
        fix: bool,
        /// Do so without asking.
        #[arg(long, requires = "fix")]
        yes: bool,
        /// Cut off what was written later than at this time (`aof-timestamp-enabled` has it noted).
        #[arg(long, value_name = "UNIX_SECONDS", conflicts_with = "fix")]
        truncate_to_timestamp: Option<i64>,
    },
    /// Says which keys differ between two RDB files.
    Diff {
        /// One file.
        left: PathBuf,
        /// The other.
        right: PathBuf,
    },
}

fn main() -> ExitCode {
    let mut words = std::env::args_os();
    let name = words.next().map(PathBuf::from).unwrap_or_default();
    let rest: Vec<_> = words.collect();
    let is_whole = match name.file_name().and_then(|name| name.to_str()) {
        Some("redis-check-rdb" | "valkey-check-rdb") => as_check_rdb(&rest),
        Some("redis-check-aof" | "valkey-check-aof") => as_check_aof(&rest),
        _ => match Args::parse().what {
            What::Rdb { files, json } => all(&files, |file| rdb::run(file, json)),
            What::Aof { files, fix, yes, truncate_to_timestamp } => {
                let fix = truncate_to_timestamp.map_or(aof::Fix::of(fix, yes), aof::Fix::Until);
                all(&files, |file| aof::run(file, fix))
            }
            What::Diff { left, right } => diff::run(&left, &right),
        },
    };
    if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Looks at every file, also behind one that is at fault.
fn all(files: &[PathBuf], mut look: impl FnMut(&Path) -> bool) -> bool {
    files.iter().filter(|file| !look(file)).count() == 0
}

/// As Redis's program of this name.
fn as_check_rdb(words: &[std::ffi::OsString]) -> bool {
    match words {
        [word] if word == "-v" || word == "--version" => {
            println!("redis-check-rdb {}", env!("CARGO_PKG_VERSION"));
            true
        }
        [file] => rdb::check(Path::new(file), &mut summary::Summary::default()),
        _ => {
            eprintln!("Usage: redis-check-rdb <rdb-file-name>");
            false
        }
    }
}

/// As Redis's program of this name.
fn as_check_aof(words: &[std::ffi::OsString]) -> bool {
    match words {
        [file] if file != "--fix" => aof::run(Path::new(file), aof::Fix::No),
        [word, file] if word == "--fix" => aof::run(Path::new(file), aof::Fix::Ask),
        [word, time, file] if word == "--truncate-to-timestamp" => {
            match time.to_str().and_then(|time| time.parse().ok()) {
                Some(time) => aof::run(Path::new(file), aof::Fix::Until(time)),
                None => {
                    println!("Invalid timestamp, aborting...");
                    false
                }
            }
        }
        _ => {
            println!("Usage: redis-check-aof [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>");
            false
        }
    }
}
