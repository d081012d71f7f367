//! Modules in C: compiled as a stranger compiles them, with `cc` and the public headers.

use crate::TempDir;
use std::path::Path;
use std::process::Command;

/// Compile one C file of the workspace, by its path from the root, to a shared library in
/// `folder`; its path. `flags` are for `-D`.
///
/// # Panics
/// With the compiler's words when it does not compile.
pub fn module(folder: &TempDir, source: &str, flags: &[&str]) -> String {
    let root = crate::workspace();
    let stem = Path::new(source).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let library = folder.file(&format!("{stem}{}.so", flags.len()));
    let include = format!("-I{}", root.join("module-api/include").display());
    let output = Command::new("cc")
        .args(["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", &include])
        .args(flags)
        .arg(root.join(source))
        .args(["-o", &library])
        .output()
        .unwrap_or_else(|error| panic!("a C compiler called cc is needed: {error}"));
    assert!(output.status.success(), "cc {source}:\n{}", String::from_utf8_lossy(&output.stderr));
    library
}
