//! `cargo xtask headers`: the C headers of the module API, made from its Rust mirror.
//!
//! The mirror, `module-api/abi/src/<stem>.rs`, is where a struct, a table or a constant is
//! defined; `module-api/include/plinth/<stem>.h` says the same in C. Nobody writes a header by
//! hand, and continuous integration makes them anew and compares (`--check`).
//!
//! ```text
//!   abi/src/*.rs --read.rs--> model.rs --+-- tags.rs    every function has its tag line
//!                                        +-- layout.rs  sizes and offsets on 64 bits
//!                                        +-- emit.rs ---> include/plinth/*.h
//!                                             (comment.rs: prose, names.rs: names)
//!   include/plinth/*.h --compile.rs--> cc and c++, each header alone and all together
//! ```
//!
//! # Why not cbindgen
//!
//! cbindgen 0.29 was tried on the same files and is good at what it is for, one header for a
//! library that exports functions. Here there are no functions to export, only tables of them,
//! and it gave one file of 2,000 lines that no compiler takes: `Slice_Arg` is used inside `Arg`
//! before it is defined, and constants of Rust (`Docs::NEW`) become macros that are not C. Left
//! out were the statuses (constants of an alias type), the ids of services (`&str`) and the magic
//! number. It has no headers per interface that include each other, no layout assertions, and
//! prose that goes on speaking of `Call::key_hash`. What the mirror uses of Rust is little
//! (`repr(C)` structs, function pointers, constants), so it is read with `syn`, and all else is
//! refused. The same reading serves the check of the tag lines and the assertions.
//!
//! Invariant: what is not understood is an error that names the place. Nothing is left out of a
//! header silently.

mod comment;
mod compile;
mod emit;
mod layout;
mod model;
mod names;
mod read;
mod tags;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What to do with the headers.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write nothing; fail when a header is not what the mirror gives.
    #[arg(long)]
    check: bool,
    /// Compile them as C11 and C++17, each alone and all together, and the C example.
    #[arg(long)]
    compile: bool,
}

/// A header: its file name and its text.
struct Header {
    name: String,
    text: String,
}

/// Makes the headers, or compares them with what is there; then compiles them if asked to.
///
/// # Errors
/// When the mirror holds something that has no form in C, when a header cannot be read or
/// written or differs, or when a compiler finds fault.
pub(crate) fn run(args: Args) -> Result<ExitCode, String> {
    let workspace = workspace_folder()?;
    let headers = generate(&workspace.join("module-api/abi/src"))?;
    let folder = workspace.join("module-api/include/plinth");
    if args.check {
        check(&folder, &headers)?;
        println!("headers: {} are what the mirror gives", headers.len());
    } else {
        write(&folder, &headers)?;
        println!("headers: wrote {} to {}", headers.len(), folder.display());
    }
    if args.compile {
        let stems: Vec<&str> = headers.iter().map(|header| header.name.as_str()).collect();
        compile::run(&workspace, &stems)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn workspace_folder() -> Result<PathBuf, String> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().map(Path::to_path_buf).ok_or_else(|| "the xtask package is in no workspace".to_string())
}

/// The headers of the mirror in `sources`.
fn generate(sources: &Path) -> Result<Vec<Header>, String> {
    let abi = read::folder(sources)?;
    tags::check(&abi)?;
    let layouts = layout::of_all(&abi)?;
    emit::headers(&abi, &layouts)
}

fn write(folder: &Path, headers: &[Header]) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for header in headers {
        let path = folder.join(&header.name);
        // A header that stays the same keeps its time stamp, and with it what was built from it.
        if std::fs::read_to_string(&path).is_ok_and(|there| there == header.text) {
            continue;
        }
        std::fs::write(&path, &header.text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    for name in strays(folder, headers)? {
        let path = folder.join(name);
        std::fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

fn check(folder: &Path, headers: &[Header]) -> Result<(), String> {
    let mut faults = Vec::new();
    for header in headers {
        match std::fs::read_to_string(folder.join(&header.name)) {
            Ok(there) => {
                if let Some(line) = first_difference(&there, &header.text) {
                    faults.push(format!("  {}: line {line} differs", header.name));
                }
            }
            Err(error) => faults.push(format!("  {}: {error}", header.name)),
        }
    }
    for name in strays(folder, headers)? {
        faults.push(format!("  {name}: nothing in the mirror makes it"));
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(format!("headers have drifted from module-api/abi; run `cargo xtask headers`\n{}", faults.join("\n")))
}

/// The number of the first line that is not the same.
fn first_difference(left: &str, right: &str) -> Option<usize> {
    if left == right {
        return None;
    }
    let same = left.split('\n').zip(right.split('\n')).take_while(|(a, b)| a == b).count();
    Some(same + 1)
}

/// Headers in the folder that none of `headers` is. Drafts have a folder of their own below it.
fn strays(folder: &Path, headers: &[Header]) -> Result<Vec<String>, String> {
    let fault = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut names = Vec::new();
    for item in std::fs::read_dir(folder).map_err(fault)? {
        let name = item.map_err(fault)?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".h") && headers.iter().all(|header| header.name != name) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
