//! `cargo xtask scripts`: generated values through what scripts have, compared with Redis 7.0 and 8.2, and generated
//! scripts, after which the server is there and has given its memory back.
//!
//! The tests of `tests/interop/scripts.rs` and `modules/scripting/tests/grammar.rs` do so with few whenever they
//! run; this runs the same with more.

use std::process::ExitCode;

/// How many, and for how long.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Values that are compared.
    #[arg(long, default_value_t = 200_000)]
    values: usize,
    /// Seconds of generated scripts.
    #[arg(long, default_value_t = 1200)]
    seconds: u64,
    /// What scripts are generated from; another makes others.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs the tests.
///
/// # Errors
/// When cargo cannot be started.
pub(crate) fn run(args: Args) -> Result<ExitCode, String> {
    let tests = [
        ("plinth-tests", "interop", "scripts::"),
        ("plinth-scripting", "grammar", "generated_scripts_leave_a_server_as_it_was"),
    ];
    for (package, target, filter) in tests {
        let status = crate::cargo::cargo()
            .current_dir(crate::tidy::workspace()?)
            .args(["test", "--package", package, "--test", target, filter, "--", "--nocapture"])
            .env("PLINTH_VALUES", args.values.to_string())
            .env("PLINTH_SECONDS", args.seconds.to_string())
            .env("PLINTH_SEED", args.seed.to_string())
            .status()
            .map_err(|error| format!("cargo: {error}"))?;
        if !status.success() {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}
