//! `cargo xtask tidy`: the invariants of the architecture, as a program.
//!
//! What a linter does not know is looked at here, in the sources as they are:
//!
//! ```text
//!  names.rs   no data type's name in the core
//!  edges.rs   which crate depends on which
//!  rooms.rs   which folder of the core imports from which
//!  unsafety.rs  where unsafe code may be
//!  size.rs    lines of a file, lines of a function
//!  shape.rs   what a module's and an example's folder hold
//!  source.rs  files, and their words without comments
//!  allow.rs   what is let through, with its reason
//! ```
//!
//! The tag lines of the ABI's functions are checked by `cargo xtask headers --check`, and the
//! SAFETY sentences by clippy.
//!
//! `tests/tidy/allow.tsv` holds what is let through: rule, file, word, reason; `tests/tidy/rooms.tsv`
//! what is still against the order of rooms, with what has to happen. A line that lets nothing
//! through any more is a fault itself, so the lists cannot grow old.

mod allow;
mod edges;
mod names;
mod rooms;
mod shape;
mod size;
mod source;
mod unsafety;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// There is nothing to choose.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Something that is against a rule.
pub(crate) struct Fault {
    /// The rule's name, as in the list of what is let through.
    rule: &'static str,
    /// File from the workspace's root.
    path: String,
    /// Line, or 0 for the whole file.
    line: usize,
    /// What was found; what a line of the list names.
    word: String,
    /// What to do about it.
    advice: String,
}

/// Checks everything and prints what is wrong.
///
/// # Errors
/// When sources cannot be read, or cargo does not answer.
pub(crate) fn run(_args: Args) -> Result<ExitCode, String> {
    let root = workspace()?;
    let files = source::all(&root)?;
    let mut faults = Vec::new();
    faults.extend(names::check(&files));
    faults.extend(edges::check(&root, &files)?);
    faults.extend(unsafety::check(&files));
    faults.extend(size::check(&files));
    faults.extend(shape::check(&root)?);
    let (of_rooms, plan) = rooms::check(&files);
    faults.extend(of_rooms);
    let mut allowed = allow::List::read(&root, "tests/tidy/allow.tsv")?;
    let mut exceptions = allow::List::read(&root, "tests/tidy/rooms.tsv")?;
    faults.retain(|fault| !allowed.lets(fault) && !exceptions.lets(fault));
    faults.extend(allowed.unused());
    faults.extend(exceptions.unused());
    faults.extend(exceptions.beyond(rooms::EXCEPTIONS_MAX));
    plan.print();
    for fault in &faults {
        println!("{}:{}: {}: '{}': {}", fault.path, fault.line, fault.rule, fault.word, fault.advice);
    }
    if faults.is_empty() {
        println!("tidy: {} files are in order", files.len());
        return Ok(ExitCode::SUCCESS);
    }
    println!("tidy: {} faults", faults.len());
    Ok(ExitCode::FAILURE)
}

/// The workspace's root.
pub(crate) fn workspace() -> Result<PathBuf, String> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().map(Path::to_path_buf).ok_or_else(|| "the xtask package is in no workspace".to_string())
}
