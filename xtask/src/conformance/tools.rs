//! The programs of a run: the server under test, and what the suite calls by itself.
//!
//! The suite starts `src/redis-server` of its own folder and calls `src/redis-cli` and
//! `src/redis-benchmark`; all three become links there. A link is enough for Plinth although it
//! looks for its modules beside itself: the kernel resolves the link, so the server still finds
//! the folder it was built into.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What has to be there beside the server.
pub(crate) struct Programs {
    pub(crate) tclsh: PathBuf,
    pub(crate) cli: PathBuf,
    pub(crate) benchmark: PathBuf,
}

/// The Tcl versions that the suite was written for, the usual one first. Tcl 9 changed how bytes
/// are written to sockets, and the suite fails under it.
const TCLSH: [&str; 3] = ["tclsh8.6", "tclsh8.7", "tclsh8.5"];

/// Finds all of them before anything is downloaded or built.
///
/// # Errors
/// Names the package to install.
pub(crate) fn find_programs() -> Result<Programs, String> {
    let tclsh = TCLSH.iter().find_map(|name| on_path(name)).ok_or_else(|| {
        format!("the suite is written in Tcl and none of {} is here: install the package tcl8.6", TCLSH.join(", "))
    })?;
    let tool = |name| on_path(name).ok_or_else(|| format!("there is no {name} here: install the package redis-tools"));
    Ok(Programs { tclsh, cli: tool("redis-cli")?, benchmark: tool("redis-benchmark")? })
}

/// The absolute path of the server to test: the one that was asked for, or a fresh release build.
///
/// # Errors
/// When there is no such file, or the build fails.
pub(crate) fn server(asked: Option<&Path>) -> Result<PathBuf, String> {
    match asked {
        Some(path) if path.is_file() => {
            std::path::absolute(path).map_err(|error| format!("no way to {}: {error}", path.display()))
        }
        Some(path) => path
            .to_str()
            .filter(|name| !name.contains('/'))
            .and_then(on_path)
            .ok_or_else(|| format!("there is no server at {}", path.display())),
        None => build(),
    }
}

/// What checks files: built with the server, which goes by that name too where it is Redis.
pub(crate) fn check_beside(server: &Path) -> Option<PathBuf> {
    let server = server.canonicalize().ok()?;
    let ours = server.with_file_name("plinth-check");
    if ours.is_file() { Some(ours) } else { on_path("redis-check-aof") }
}

/// The release build: the suite has time limits that a debug build of a busy machine would break.
fn build() -> Result<PathBuf, String> {
    eprintln!("conformance: cargo build --release -p plinth -p plinth-check");
    let status = crate::cargo::cargo()
        .args(["build", "--release", "-p", "plinth", "-p", "plinth-check", "--target-dir"])
        .arg(target_folder())
        .current_dir(workspace_folder())
        .status()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    if !status.success() {
        return Err(format!("cargo build of plinth ended with {status}"));
    }
    let server = target_folder().join("release/plinth-server");
    if server.is_file() { Ok(server) } else { Err(format!("cargo built no {}", server.display())) }
}

/// The first line of `--version` and the path.
pub(crate) fn describe(server: &Path) -> String {
    let version = Command::new(server)
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned))
        .unwrap_or_else(|| "a server that does not tell its version".to_owned());
    format!("{version} ({})", server.display())
}

/// The workspace: cargo tells a program it runs where its manifest is, and that is one below.
pub(crate) fn workspace_folder() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .and_then(|folder| Path::new(&folder).parent().map(Path::to_path_buf))
        .unwrap_or_else(|| std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")))
}

/// Cargo's target folder.
pub(crate) fn target_folder() -> PathBuf {
    workspace_folder().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
        .and_then(|found| std::path::absolute(found).ok())
}
