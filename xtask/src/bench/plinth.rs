//! Where the measured binaries come from: builds of Plinth, and peers on the PATH.

use std::path::{Path, PathBuf};

/// Builds `plinth-server` as users run it: its modules are shared libraries beside it.
///
/// # Errors
/// When cargo fails.
pub(crate) fn build() -> Result<PathBuf, String> {
    cargo_build(&target_folder(), &[])
}

/// Builds `plinth-server` with the string module linked in, in a folder of its own so that the
/// two builds do not undo each other.
///
/// # Errors
/// When cargo fails, or this version of Plinth has no such feature.
pub(crate) fn build_linked() -> Result<PathBuf, String> {
    cargo_build(&target_folder().join("linked"), &["--features", "linked-string"])
        .map_err(|error| format!("no build with the feature linked-string ({error})"))
}

fn cargo_build(target: &Path, extra: &[&str]) -> Result<PathBuf, String> {
    eprintln!("bench: cargo build --release -p plinth {}", extra.join(" "));
    let status = crate::cargo::cargo()
        .args(["build", "--release", "-p", "plinth", "--target-dir"])
        .arg(target)
        .args(extra)
        .current_dir(workspace_folder())
        .status()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    if !status.success() {
        return Err(format!("cargo build of plinth ended with {status}"));
    }
    find(&target.join("release").join("plinth-server"))
}

/// The workspace: cargo tells a program it runs where its manifest is, and that is one below.
fn workspace_folder() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .and_then(|folder| Path::new(&folder).parent().map(Path::to_path_buf))
        .unwrap_or_else(|| PathBuf::from("."))
}

fn target_folder() -> PathBuf {
    let chosen = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    workspace_folder().join(chosen)
}

/// The absolute path of a program that was named by its path or by its name on the PATH. Links
/// are not followed: Debian's `redis-server` is a link to a binary that goes by its name.
///
/// # Errors
/// When there is no such file.
pub(crate) fn find(program: &Path) -> Result<PathBuf, String> {
    if program.is_file() {
        return std::path::absolute(program).map_err(|error| format!("no way to {}: {error}", program.display()));
    }
    if program.components().count() == 1
        && let Some(path) = on_path(program)
    {
        return Ok(path);
    }
    Err(format!("there is no server at {}", program.display()))
}

/// The peers asked for and the PATH's `redis-server`, each binary once.
///
/// # Errors
/// When a peer that was asked for is not there.
pub(crate) fn peers(asked: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut peers = Vec::new();
    for peer in asked {
        peers.push(find(peer)?);
    }
    peers.extend(on_path(Path::new("redis-server")));
    let mut seen = std::collections::HashSet::new();
    peers.retain(|peer| seen.insert(peer.canonicalize().ok()));
    if peers.is_empty() {
        eprintln!("bench: no redis-server on the PATH and no --peer: there will be no ratios");
    }
    Ok(peers)
}

fn on_path(name: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
        .and_then(|found| std::path::absolute(found).ok())
}
