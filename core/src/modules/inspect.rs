//! `plinth-server --inspect module.so`: what a module's entry says. None of its functions runs, and neither
//! do its constructors; abi_stable asks a Rust module for the descriptions of its layouts.

use crate::modules::export::{Entry, EntryError};
use crate::modules::library::{Constructors, Sharing, open};
use crate::registry::library::Library;
use plinth_abi::bytes::Bytes;
use std::fmt::Write;
use std::path::Path;

/// What a file's entry says, as lines.
pub fn inspect(path: &Path) -> Result<String, EntryError> {
    let (_library, entry) = look(path)?;
    Ok(describe(&entry))
}

/// The services that a module provides; none for what is no module.
pub fn services(path: &Path) -> Vec<String> {
    let Ok((_library, entry)) = look(path) else { return Vec::new() };
    entry.provides.iter().map(|one| text(one.id)).collect()
}

/// A module's entry, and the library, which is to outlive it.
fn look(path: &Path) -> Result<(Library, Entry), EntryError> {
    open(path, Constructors::Removed, Sharing::Forced)
}

fn text(bytes: Bytes) -> String {
    // SAFETY: a constant of the module, which is mapped, checked with its entry.
    unsafe { crate::base::foreign::text(bytes) }.into_owned()
}

fn describe(entry: &Entry) -> String {
    let mut out = String::new();
    let built = if entry.module.layout.is_null() { "C" } else { "Rust, layouts equal" };
    let _ = writeln!(out, "module      {} {}", entry.name, entry.version);
    let _ = writeln!(out, "abi         {}.{} ({built})", entry.module.abi_major, entry.module.abi_minor);
    for id in &entry.requires {
        let _ = writeln!(out, "requires    {id}");
    }
    for provided in &entry.provides {
        let _ = writeln!(out, "provides    {}", text(provided.id));
    }
    for ty in &entry.types {
        // SAFETY: tags are constants of the module.
        let tags: Vec<String> = ty.rdb_tags.iter().map(|tag| unsafe { *tag }.to_string()).collect();
        let form = if tags.is_empty() { "container".into() } else { format!("RDB {}", tags.join(", ")) };
        let _ = writeln!(out, "type        {} (encoding {}, {form})", text(ty.name), ty.encoding);
    }
    for command in &entry.commands {
        let _ = writeln!(out, "command     {} (arity {})", text(command.name), command.arity);
    }
    for config in &entry.configs {
        let alias = text(config.alias);
        let also = if alias.is_empty() { String::new() } else { format!(" (also {alias})") };
        let _ = writeln!(out, "parameter   {}{also} = {}", text(config.name), text(config.default));
    }
    out
}
