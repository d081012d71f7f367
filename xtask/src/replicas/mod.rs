//! `cargo xtask replicas`: faults befall a group of three servers under a checked load, many times; or one of two
//! servers of different kinds.
//!
//! The tests of `tests/replicas/faults.rs` and `tests/interop/mixed.rs` do so a few times whenever they run; this runs
//! the same tests with more rounds.

use std::process::{Command, ExitCode};

/// How many.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Rounds.
    #[arg(long, default_value_t = 300)]
    rounds: u32,
    /// The number that the faults are chosen by, as a run has shown it.
    #[arg(long)]
    seed: Option<u64>,
    /// With Redis and Valkey on the other side, so many rounds with each, in either role.
    #[arg(long)]
    mixed: bool,
}

/// Runs the tests.
///
/// # Errors
/// When cargo cannot be started.
pub(crate) fn run(args: Args) -> Result<ExitCode, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let (test, names) = if args.mixed { ("interop", "plinth_mixed_") } else { ("replicas", "plinth_group_") };
    let mut command = Command::new(cargo);
    command
        .current_dir(crate::tidy::workspace()?)
        .args(["test", "--package", "plinth-tests", "--test", test, names, "--"])
        .args(["--nocapture", "--test-threads", "1"])
        .env("PLINTH_ROUNDS", args.rounds.to_string());
    if let Some(seed) = args.seed {
        command.env("PLINTH_FUZZ_SEED", seed.to_string());
    }
    let status = command.status().map_err(|error| format!("cargo: {error}"))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
