//! Compiling the headers as C11 and as C++17, with warnings as errors: each alone, so that none
//! leans on what another happened to include, and all together through `tests/abi/headers.c` and
//! `tests/abi/headers.cpp`, which use them as a module would. The example in C is built as its
//! README says.
//!
//! `CC` and `CXX` name other compilers than `cc` and `c++`.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// A language that the headers are written in.
struct Language {
    name: &'static str,
    compiler: OsString,
    /// What `-x` calls it.
    kind: &'static str,
    standard: &'static str,
    /// The file that uses everything.
    all: &'static str,
}

/// Compiles `headers`, the names of files in `module-api/include/plinth`.
///
/// # Errors
/// Names each piece that does not compile, after the compiler's own words.
pub(super) fn run(workspace: &Path, headers: &[&str]) -> Result<(), String> {
    let languages = [
        Language { name: "C11", compiler: from("CC", "cc"), kind: "c", standard: "-std=c11", all: "headers.c" },
        Language {
            name: "C++17",
            compiler: from("CXX", "c++"),
            kind: "c++",
            standard: "-std=c++17",
            all: "headers.cpp",
        },
    ];
    let mut failed = Vec::new();
    for language in &languages {
        for header in headers {
            // Twice, so that its guard is tried too.
            let source = format!("#include <plinth/{header}>\n").repeat(2);
            if !language.accepts(workspace, "-", &source)? {
                failed.push(format!("{header} as {}", language.name));
            }
        }
        let all = format!("tests/abi/{}", language.all);
        if !language.accepts(workspace, &all, "")? {
            failed.push(all);
        }
    }
    if !example(workspace)? {
        failed.push(EXAMPLE.to_string());
    }
    if failed.is_empty() {
        println!("headers: {} compile as C11 and C++17, alone and together", headers.len());
        return Ok(());
    }
    Err(format!("these do not compile:\n  {}", failed.join("\n  ")))
}

fn from(variable: &str, otherwise: &str) -> OsString {
    std::env::var_os(variable).filter(|value| !value.is_empty()).unwrap_or_else(|| otherwise.into())
}

impl Language {
    /// Whether the compiler takes `file`, or `source` when the file is `-`.
    fn accepts(&self, workspace: &Path, file: &str, source: &str) -> Result<bool, String> {
        let fault = |error: std::io::Error| format!("cannot run {}: {error}", self.compiler.display());
        let mut child = Command::new(&self.compiler)
            .arg(self.standard)
            .args(WARNINGS)
            .args(["-fsyntax-only", "-Imodule-api/include", "-x", self.kind, file])
            .current_dir(workspace)
            .stdin(Stdio::piped())
            .spawn()
            .map_err(fault)?;
        if let Some(mut input) = child.stdin.take() {
            // A compiler that dies without reading breaks the pipe; its exit status says more.
            let _ = input.write_all(source.as_bytes());
        }
        Ok(child.wait().map_err(fault)?.success())
    }
}

const EXAMPLE: &str = "examples/gauge-c/gauge.c";

/// Builds the example, into a folder that goes away.
fn example(workspace: &Path) -> Result<bool, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let compiler = from("CC", "cc");
    Command::new(&compiler)
        .args(["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-Imodule-api/include", EXAMPLE, "-o"])
        .arg(folder.path().join("gauge.so"))
        .current_dir(workspace)
        .status()
        .map(|status| status.success())
        .map_err(|error| format!("cannot run {}: {error}", compiler.display()))
}
