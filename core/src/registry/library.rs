//! A library that is mapped, and what became of those that were to go.
//!
//! `dlclose` gives a library back, and it goes when nobody else holds it. Much does so for good: a thread
//! that had a destructor to run, a variable of which there may be one per process (`STB_GNU_UNIQUE`, nearly
//! every library in C++), `-z nodelete`. So who lets go of one asks afterwards whether it went, and what
//! stayed is kept account of: its code and its data cost memory, and later libraries share its unique
//! variables.

use crate::base::log;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Names of libraries that stayed of which account is kept; others are counted under one name.
const STAYED_MAX: usize = 64;

/// What stays mapped, and unique variables: the linker is one per process, and so is this.
static MAPPED: Mutex<Mapped> = Mutex::new(Mapped { stayed: Vec::new(), unique: BTreeMap::new() });

struct Mapped {
    stayed: Vec<Stayed>,
    /// By name: size, and the file whose variable it is.
    unique: BTreeMap<String, (u64, PathBuf)>,
}

/// Libraries of a module that are mapped although they were let go of.
#[derive(Clone, Default, Debug, PartialEq)]
pub struct Stayed {
    /// Name of the module, or of the file if its name was never read.
    pub name: String,
    /// Version of the last one, as text.
    pub version: String,
    /// Path that the last one was loaded from.
    pub path: PathBuf,
    /// How many of them.
    pub times: u64,
    /// Bytes that they have mapped.
    pub bytes: u64,
}

/// A mapped library; letting go of it unmaps it, if the linker lets it go.
pub struct Library {
    /// Name of the module, when it is known.
    pub name: String,
    /// Its version.
    pub version: String,
    handle: Option<libloading::Library>,
    original: PathBuf,
    file: PathBuf,
    why: &'static str,
}

impl Library {
    /// A library that has just been mapped from `file`, a copy of `original` that is this process's own.
    /// `unique` are its unique variables with their sizes; `stays` says that it was linked so as to stay.
    pub fn new(
        handle: libloading::Library,
        original: &Path,
        file: PathBuf,
        unique: &[(String, u64)],
        stays: bool,
    ) -> Library {
        let why = if stays {
            "it was linked with -z nodelete"
        } else if unique.is_empty() {
            "a thread that has run its code, or something like it, holds it"
        } else {
            "it has variables that are unique in the process, which -fno-gnu-unique avoids"
        };
        let mut mapped = mapped();
        for (name, bytes) in unique {
            mapped.unique.entry(name.clone()).or_insert_with(|| (*bytes, file.clone()));
        }
        let name = original.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Library { name, version: String::new(), handle: Some(handle), original: original.to_owned(), file, why }
    }

    /// Whether it is mapped from the file of a path.
    pub fn is_at(&self, path: &str) -> bool {
        self.file == Path::new(path)
    }

    /// The linker's handle.
    pub fn handle(&self) -> Option<&libloading::Library> {
        self.handle.as_ref()
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        drop(self.handle.take());
        let bytes = mapped_bytes(&self.file);
        if bytes == 0 {
            mapped().unique.retain(|_, (_, file)| *file != self.file);
            let _ = std::fs::remove_file(&self.file);
            return;
        }
        log::warning(&format!(
            "The library of '{}', {}, stays mapped ({bytes} bytes): {}",
            self.name,
            self.original.display(),
            self.why
        ));
        mapped().add(Stayed {
            name: std::mem::take(&mut self.name),
            version: std::mem::take(&mut self.version),
            path: std::mem::take(&mut self.original),
            times: 1,
            bytes,
        });
    }
}

impl Mapped {
    fn add(&mut self, mut one: Stayed) {
        if self.stayed.len() >= STAYED_MAX && !self.stayed.iter().any(|other| other.name == one.name) {
            one.name = "others".into();
        }
        match self.stayed.iter_mut().find(|other| other.name == one.name) {
            Some(other) => {
                *other = Stayed { times: other.times + 1, bytes: other.bytes + one.bytes, ..one };
            }
            None => self.stayed.push(one),
        }
    }
}

/// What stayed, in the order in which names came.
pub fn stayed() -> Vec<Stayed> {
    mapped().stayed.clone()
}

/// The unique variables among those named that a mapped library has already, with their sizes there.
pub fn shared(unique: &[(String, u64)]) -> Vec<(String, u64, u64)> {
    let mapped = mapped();
    let known = |(name, bytes): &(String, u64)| mapped.unique.get(name).map(|(has, _)| (name.clone(), *bytes, *has));
    unique.iter().filter_map(known).collect()
}

fn mapped() -> MutexGuard<'static, Mapped> {
    MAPPED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many bytes of a copy of ours the kernel says are mapped; 0 where it says nothing.
fn mapped_bytes(file: &Path) -> u64 {
    // The number alone tells copies apart, and a name may hold what the kernel writes in another way.
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let number = name.split('-').next().unwrap_or_default();
    let begin = format!("{}/{number}-", file.parent().unwrap_or(Path::new("")).display());
    let Ok(maps) = std::fs::read("/proc/self/maps") else { return 0 };
    let lines = maps.split(|byte| *byte == b'\n').map(String::from_utf8_lossy);
    lines.filter(|line| line.contains(&begin)).filter_map(|line| bytes_of(&line)).sum()
}

/// The length of a line's range, `55d0c8a00000-55d0c8a21000 r-xp ...`.
fn bytes_of(line: &str) -> Option<u64> {
    let (from, to) = line.split(' ').next()?.split_once('-')?;
    Some(u64::from_str_radix(to, 16).ok()? - u64::from_str_radix(from, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_is_kept_by_name_and_ends_somewhere() {
        let mut mapped = Mapped { stayed: Vec::new(), unique: BTreeMap::new() };
        for at in 0..STAYED_MAX + 10 {
            for _ in 0..2 {
                mapped.add(Stayed { name: format!("module{at}"), times: 1, bytes: 8, ..Stayed::default() });
            }
        }
        assert_eq!(mapped.stayed.len(), STAYED_MAX + 1);
        assert_eq!((mapped.stayed[0].times, mapped.stayed[0].bytes), (2, 16));
        assert_eq!((&*mapped.stayed[STAYED_MAX].name, mapped.stayed[STAYED_MAX].times), ("others", 20));
    }

    #[test]
    fn a_line_of_maps_has_a_length() {
        assert_eq!(bytes_of("7f0000000000-7f0000003000 r--p 00000000 00:2d 7 /tmp/a/1-b.so"), Some(0x3000));
        assert_eq!(bytes_of(""), None);
    }
}
