//! What a module's folder holds, so that whoever knows one knows all.
//!
//! ```text
//! modules/<name>/src/lib.rs        what it is, and the exported constant
//!               /src/commands/     one file per family
//!               /src/codec.rs      save and load, when it has types
//!               /tests/wire.rs     RESP bytes in and out
//! modules/<name>/commands/src/     instead of the middle two, where the commands are a crate of
//!                                  their own, over any storage
//! examples/<name>/README.md, and a test or a file in C
//! ```

use super::Fault;
use std::path::Path;

/// Checks the folders of modules and examples.
///
/// # Errors
/// When a folder cannot be listed.
pub(super) fn check(root: &Path) -> Result<Vec<Fault>, String> {
    let mut faults = Vec::new();
    for name in folders(&root.join("modules"))? {
        let folder = format!("modules/{name}");
        if root.join(&folder).join("commands/Cargo.toml").exists() {
            let needed = ["Cargo.toml", "src/lib.rs", "commands/src/lib.rs", "commands/src/codec.rs", "tests/wire.rs"];
            faults.extend(missing(root, &folder, &needed));
            continue;
        }
        let has_types = std::fs::read_to_string(root.join(&folder).join("src/lib.rs"))
            .is_ok_and(|text| text.lines().any(|line| line.trim_start().starts_with("types:")));
        let mut needed = vec!["Cargo.toml", "src/lib.rs", "src/commands", "tests/wire.rs"];
        if has_types {
            needed.push("src/codec.rs");
        }
        faults.extend(missing(root, &folder, &needed));
    }
    for name in folders(&root.join("examples"))? {
        let folder = format!("examples/{name}");
        let is_rust = root.join(&folder).join("Cargo.toml").exists();
        faults.extend(missing(
            root,
            &folder,
            if is_rust { &["README.md", "src/lib.rs", "tests"] } else { &["README.md"] },
        ));
    }
    Ok(faults)
}

fn missing(root: &Path, folder: &str, needed: &[&str]) -> Vec<Fault> {
    let absent = needed.iter().filter(|name| !root.join(folder).join(name).exists());
    let fault = |name: &&str| Fault {
        rule: "shape",
        path: folder.into(),
        line: 0,
        word: (*name).into(),
        advice: "every module and example has one".into(),
    };
    absent.map(fault).collect()
}

fn folders(of: &Path) -> Result<Vec<String>, String> {
    let fault = |error: std::io::Error| format!("{}: {error}", of.display());
    let mut names = Vec::new();
    for item in std::fs::read_dir(of).map_err(fault)? {
        let item = item.map_err(fault)?;
        if item.path().is_dir() {
            names.push(item.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}
