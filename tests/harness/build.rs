//! Where the server is, and that it is the one that the sources say.
//!
//! A test runs from `target/<profile>/deps/`; the server belongs into `target/<profile>/`, beside
//! its modules. `cargo test --workspace` does not always build it (cargo builds a package's
//! executables only for that package's own tests), so the first test of each process has cargo
//! look. When all is fresh that takes a fraction of a second, and cargo itself keeps processes
//! apart. What is selected beside the server gives dependencies the features that they have under
//! `cargo test --workspace`: the whole workspace, and one test, without which features that only
//! tests ask for are off. Otherwise cargo would compile the modules once more, under the same file
//! names, each time.
//!
//! `PLINTH_SERVER` names another executable, which is then taken as it is.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The server's executable, built if need be.
///
/// # Panics
/// When it cannot be built.
pub fn server() -> &'static Path {
    // A failure is kept too: one complaint of the compiler's is enough for all tests.
    static SERVER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = SERVER.get_or_init(|| {
        if let Some(path) = std::env::var_os("PLINTH_SERVER") {
            return std::path::absolute(&path).map_err(|error| error.to_string());
        }
        cargo(&["--workspace", "--bin", "plinth-server", "--test", "abi"]).inspect_err(|said| eprintln!("{said}"))?;
        let path = profile_folder().join("plinth-server");
        if path.exists() { Ok(path) } else { Err(format!("cargo did not make {}", path.display())) }
    });
    match found {
        Ok(path) => path,
        Err(_) => panic!("the server does not build"),
    }
}

/// `target/<profile>`, found from where this test runs.
///
/// # Panics
/// When the test does not run from a target folder.
pub fn profile_folder() -> PathBuf {
    let executable = std::env::current_exe().unwrap_or_else(|error| panic!("where am I? {error}"));
    let folder = executable.ancestors().nth(2).unwrap_or_else(|| panic!("{} is nowhere", executable.display()));
    folder.to_path_buf()
}

/// The shared library of a crate of this workspace that the test's package depends on.
///
/// # Panics
/// When it was not built.
pub fn library(name: &str) -> String {
    let file = format!("lib{}.so", name.replace('-', "_"));
    let folder = profile_folder();
    let found = [folder.join("deps").join(&file), folder.join(&file)].into_iter().find(|path| path.exists());
    let path = found.unwrap_or_else(|| {
        cargo(&["--package", name, "--lib"]).unwrap_or_else(|said| panic!("{said}"));
        folder.join(&file)
    });
    assert!(path.exists(), "{} is not there; is it a dev-dependency of plinth-tests?", path.display());
    path.display().to_string()
}

fn cargo(what: &[&str]) -> Result<(), String> {
    let folder = profile_folder();
    let profile = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // What cargo says to this test of its own package would be another environment than that of the build, and
    // build scripts that look at it (ring's does) would run again: a minute for each package that has tests.
    for (name, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|own| name.to_string_lossy().starts_with(own)) {
            command.env_remove(name);
        }
    }
    // From the workspace's root, so that `.cargo/config.toml` counts as it did for the test.
    command.current_dir(crate::workspace()).args(["build", "--quiet"]).args(what);
    command.arg("--target-dir").arg(folder.parent().unwrap_or(&folder));
    if profile != "debug" {
        command.args(["--profile", &profile]);
    }
    let output = command.output().map_err(|error| format!("cargo does not run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("cargo build {} failed:\n{}", what.join(" "), String::from_utf8_lossy(&output.stderr)))
}
