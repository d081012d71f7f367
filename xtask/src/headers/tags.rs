//! The tag line: the comment of every function in a table ends with `Thread:`, `Borrow:` and
//! `Fails:`, so that nobody has to guess who may call it, how long what it hands over lives, and
//! how it says no.
//!
//! Callbacks (`Take`, `Visit`, ...) are exempt: they are called within a call of the function that
//! takes them, or their own comment says when, and that function's tags hold for them.

use super::model::{Abi, Field, Kind};

const TAGS: [&str; 3] = ["Thread:", "Borrow:", "Fails:"];

/// Checks every function of every table.
///
/// # Errors
/// Names each function whose tag line lacks something.
pub(super) fn check(abi: &Abi) -> Result<(), String> {
    let mut faults = Vec::new();
    for (file, found) in abi.structs() {
        for field in found.fields.iter().filter(|field| matches!(field.kind, Kind::Function(_))) {
            if let Some(fault) = fault(field) {
                faults.push(format!("{}.rs: {}::{}: {fault}", file.stem, found.name, field.name));
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// What is wrong with a function's last paragraph.
fn fault(field: &Field) -> Option<String> {
    let last = field.docs.rsplit(|line| line.is_empty()).next()?.join(" ");
    let mut from = 0;
    for tag in TAGS {
        let Some(at) = last[from..].find(tag) else {
            return Some(format!("its comment must end with {}, and {tag} is missing", TAGS.join(" ")));
        };
        let text = &last[from + at + tag.len()..];
        let end = TAGS.iter().filter_map(|next| text.find(next)).min().unwrap_or(text.len());
        if text[..end].trim().is_empty() {
            return Some(format!("{tag} says nothing"));
        }
        from += at + tag.len();
    }
    None
}
