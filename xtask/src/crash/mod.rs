//! `cargo xtask crash`: the server killed at random moments under a checked load, many times; or the power cut.
//!
//! The tests of `tests/wire/crash.rs` (kills) and `tests/persist/power.rs` (cuts of a disk's log) do so a few times
//! whenever they run; this runs the same tests with more rounds, one policy of `appendfsync` after the other.

use std::process::ExitCode;

/// How many.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Rounds for each policy.
    #[arg(long, default_value_t = 300)]
    rounds: u32,
    /// Cut the power instead, so many times for each policy.
    #[arg(long, value_name = "CUTS", conflicts_with = "rounds")]
    power: Option<u32>,
}

/// Runs the tests.
///
/// # Errors
/// When cargo cannot be started.
pub(crate) fn run(args: Args) -> Result<ExitCode, String> {
    let (test, names, variable, count) = match args.power {
        Some(cuts) => ("persist", "plinth_power_", "PLINTH_CUTS", cuts),
        None => ("wire", "plinth_crash_", "PLINTH_ROUNDS", args.rounds),
    };
    let status = crate::cargo::cargo()
        .current_dir(crate::tidy::workspace()?)
        .args(["test", "--package", "plinth-tests", "--test", test, names, "--"])
        .args(["--nocapture", "--test-threads", "1"])
        .env(variable, count.to_string())
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
