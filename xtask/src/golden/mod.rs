//! `cargo xtask golden`: files of other servers that the tests load, written anew.
//!
//! They are in `tests/interop/golden` and stay as they are, so that what was loaded once is loaded for ever; this is
//! for when a server or a type comes to them. The servers are those of `cargo xtask peers`, and Debian's
//! `redis-server`. `tests/interop/golden_files.rs` says what is in the files.

use std::process::ExitCode;

/// There is nothing to choose.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Installs the servers and has each write its files.
///
/// # Errors
/// When a server cannot be installed, or cargo not be started.
pub(crate) fn run(_args: Args) -> Result<ExitCode, String> {
    crate::peers::run(crate::peers::Args {})?;
    let status = crate::cargo::cargo()
        .current_dir(crate::tidy::workspace()?)
        .args(["test", "--package", "plinth-tests", "--test", "interop", "write_golden_files", "--"])
        .args(["--ignored", "--nocapture"])
        .env("CI", "yes")
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
