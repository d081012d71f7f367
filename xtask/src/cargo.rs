//! Cargo as it would be called by hand.

use std::process::Command;

/// The cargo that runs this program, without what it told the program of its package: to a build script that looks
/// at that (ring's does) each caller would be another environment, and much would be compiled anew for each.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|own| name.to_string_lossy().starts_with(own)) {
            command.env_remove(name);
        }
    }
    command
}
