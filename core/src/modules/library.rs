//! From a file to a library that is mapped: looked at first, and never itself, but a copy of it.
//!
//! ```text
//! file ─copy─> ours ─read (elf.rs)─> does it hold a module? ─> unique variables ─> needed libraries ─> dlopen
//! ```
//!
//! What is checked is what is mapped: nobody else writes to the copy. Its folder is not the original's, and
//! `$ORIGIN` in a run path would lead there; so what is found by `$ORIGIN` is mapped before, from where the
//! original lies, and the linker takes what a library needs from what is mapped under that soname.
//! Libraries that a module needs are not copied.

use crate::base::log;
use crate::modules::copies::{self, Copied};
use crate::modules::elf::{self, Image};
use crate::modules::export::{self, Entry, EntryError};
use crate::registry::library::{Library, shared};
use libloading::os::unix::{Library as UnixLibrary, RTLD_LOCAL, RTLD_NOW};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Most names that an error lists.
const LISTED_MAX: usize = 5;

/// Whether a library's constructors run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Constructors {
    /// They do: it is to be used.
    Run,
    /// They are taken out of the copy: it is only to be read.
    Removed,
}

/// Whether a library may get variables of another one, which the linker gives it where both define them as
/// unique in the process (`STB_GNU_UNIQUE`), whether it was opened locally or not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// None: it is to take the place of the other.
    Refused,
    /// Those that are as large there.
    OfOneSize,
    /// All.
    Forced,
}

/// Map a file as a module, and read its entry.
pub fn open(path: &Path, constructors: Constructors, sharing: Sharing) -> Result<(Library, Entry), EntryError> {
    // A path without a slash would be searched in the system's folders.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let copied = copies::copy(&path).map_err(|error| EntryError::Open(error.to_string()))?;
    let file = copied.path.clone();
    let mapped = map(&path, copied, constructors, sharing);
    if mapped.is_err() {
        let _ = std::fs::remove_file(&file);
    }
    let mut library = mapped?;
    let entry = library.handle().map_or(Err(EntryError::NoEntry), export::read)?;
    library.name.clone_from(&entry.name);
    library.version.clone_from(&entry.version);
    Ok((library, entry))
}

fn map(path: &Path, copied: Copied, constructors: Constructors, sharing: Sharing) -> Result<Library, EntryError> {
    let failed = |error: std::io::Error| EntryError::Open(error.to_string());
    let image = elf::read(copied.file.try_clone().map_err(failed)?)?;
    check_sharing(path, &image, sharing)?;
    if constructors == Constructors::Removed {
        for at in &image.constructors {
            copied.file.write_all_at(&elf::IGNORED_TAG.to_le_bytes(), *at).map_err(failed)?;
        }
    }
    let _needed = neighbours(path, &image)?;
    let handle = dlopen(&copied.path)?;
    Ok(Library::new(handle.into(), path, copied.path, &image.unique, image.stays))
}

/// Open a library without making its symbols visible to others.
fn dlopen(path: &Path) -> Result<UnixLibrary, EntryError> {
    // SAFETY: opening runs the library's constructors; that is what loading a module means, and the
    // operator has asked for it.
    let library = unsafe { UnixLibrary::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
    library.map_err(|error| {
        use std::error::Error;
        EntryError::Open(error.source().map_or_else(|| error.to_string(), |source| source.to_string()))
    })
}

/// Whether a library may have the unique variables that others have, too.
fn check_sharing(path: &Path, image: &Image, sharing: Sharing) -> Result<(), EntryError> {
    let all = shared(&image.unique);
    let refused = |(_, has, there): &&(String, u64, u64)| match sharing {
        Sharing::Refused => true,
        Sharing::OfOneSize => has != there,
        Sharing::Forced => false,
    };
    let listed: Vec<&(String, u64, u64)> = all.iter().filter(refused).collect();
    if listed.is_empty() {
        if !all.is_empty() {
            log::notice(&format!(
                "{} shares {} unique variables with libraries that are mapped, {} for one; -fno-gnu-unique avoids that",
                path.display(),
                all.len(),
                all[0].0
            ));
        }
        return Ok(());
    }
    let one = |(name, has, there): &&(String, u64, u64)| format!("{name} ({there} bytes there, {has} here)");
    let mut names = listed.iter().take(LISTED_MAX).map(one).collect::<Vec<_>>().join(", ");
    if listed.len() > LISTED_MAX {
        names.push_str(&format!(" and {} more", listed.len() - LISTED_MAX));
    }
    Err(EntryError::Shared(names, if sharing == Sharing::Refused { ", or say FORCE" } else { "" }))
}

/// Map the libraries that one needs and that lie where `$ORIGIN` says, seen from the original.
fn neighbours(path: &Path, image: &Image) -> Result<Vec<UnixLibrary>, EntryError> {
    let origin = path.parent().unwrap_or(Path::new("/")).display().to_string();
    let folders: Vec<(bool, PathBuf)> = image
        .run_path
        .split(':')
        .map(|folder| {
            let whole = folder.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin);
            (whole != folder, PathBuf::from(whole))
        })
        .collect();
    let mut opened = Vec::new();
    for name in &image.needed {
        let found = folders.iter().find(|(_, folder)| folder.join(name).is_file());
        // What another folder of the run path has, the linker finds itself.
        if let Some((true, folder)) = found {
            opened.push(dlopen(&folder.join(name))?);
        }
    }
    Ok(opened)
}
