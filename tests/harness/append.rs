//! What an append-only file holds.

use crate::reply::parse;
use std::path::{Path, PathBuf};

/// Paths of the files that a manifest names, with the type of each, in the order of the lines.
///
/// # Panics
/// When there is no manifest in the folder, or it is not understood.
pub fn parts(folder: &Path) -> Vec<(PathBuf, String)> {
    let path = folder.join("appendonly.aof.manifest");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let part = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        assert!(words.len() >= 6 && words[0] == "file" && words[4] == "type", "{line}");
        (folder.join(words[1]), words[5].to_owned())
    };
    text.lines().map(part).collect()
}

/// The last increment.
///
/// # Panics
/// When there is none.
pub fn last_increment(folder: &Path) -> PathBuf {
    let parts = parts(folder);
    let (path, kind) = parts.last().unwrap_or_else(|| panic!("{} has no parts", folder.display()));
    assert_eq!(kind, "i", "the last part of {}", folder.display());
    path.clone()
}

/// The commands in a file, remarks left out.
///
/// # Panics
/// When the file is not whole commands.
pub fn commands(path: &Path) -> Vec<Vec<String>> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (mut rest, mut found) = (bytes.as_slice(), Vec::new());
    while !rest.is_empty() {
        if rest[0] == b'#' {
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or_else(|| panic!("a remark without end"));
            rest = &rest[end + 1..];
            continue;
        }
        let (command, len) = parse(rest).unwrap_or_else(|| panic!("{} is cut off", path.display()));
        found.push(command.texts());
        rest = &rest[len..];
    }
    found
}
