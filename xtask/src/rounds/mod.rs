//! `cargo xtask rounds`: modules in Rust, C and C++ loaded and unloaded, and replaced, thousands of times.
//!
//! The tests of `tests/modules/rounds.rs` do so a few dozen times whenever they run; this runs the same
//! tests with more, one after the other, and shows what the server held before and after: mappings, memory,
//! keys of threads.

use std::process::ExitCode;

/// How many.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Rounds for each module.
    #[arg(long, default_value_t = 5000)]
    rounds: u32,
}

/// Runs the tests.
///
/// # Errors
/// When cargo cannot be started.
pub(crate) fn run(args: Args) -> Result<ExitCode, String> {
    let status = crate::cargo::cargo()
        .current_dir(crate::tidy::workspace()?)
        .args(["test", "--package", "plinth-tests", "--test", "modules", "rounds_of_", "--"])
        .args(["--nocapture", "--test-threads", "1"])
        .env("PLINTH_ROUNDS", args.rounds.to_string())
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
