//! Modules in C and C++: compiled as a stranger compiles them, with `cc` or `c++` and the public headers.

use crate::TempDir;
use std::path::Path;
use std::process::Command;

/// Compile one file of the workspace in C or C++17, by its path from the root, to a shared library in
/// `folder`; its path. `flags` are for `-D`, and for the linker.
///
/// # Panics
/// With the compiler's words when it does not compile.
pub fn module(folder: &TempDir, source: &str, flags: &[&str]) -> String {
    let root = crate::workspace();
    let stem = Path::new(source).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let library = folder.file(&format!("{stem}{}.so", flags.len()));
    let include = format!("-I{}", root.join("module-api/include").display());
    let (compiler, standard) = if source.ends_with(".cpp") { ("c++", "-std=c++17") } else { ("cc", "-std=gnu17") };
    let output = Command::new(compiler)
        .args(["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", standard, &include])
        .arg(root.join(source))
        .args(flags)
        .args(["-o", &library])
        .output()
        .unwrap_or_else(|error| panic!("a compiler called {compiler} is needed: {error}"));
    assert!(output.status.success(), "{compiler} {source}:\n{}", String::from_utf8_lossy(&output.stderr));
    library
}
