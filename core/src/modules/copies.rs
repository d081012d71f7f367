//! Private copies of libraries: what is mapped is never the file that was named.
//!
//! The linker hands out what it has mapped when it is given a path or a file again, whatever the file holds
//! by now; and a file that is written in place while it is mapped changes under the running code. So each
//! load maps a copy, under a name that was never used before:
//!
//! ```text
//! $TMPDIR/plinth-modules-<pid>-<number>/     mode 0700, locked (flock) as long as this process lives
//!     1-libplinth_bitmap.so
//!     2-libplinth_geo.so                     named after its original, for perf and gdb, which read it
//! ```
//!
//! A copy stays as long as it is mapped, and the folder goes when the server ends. After a crash the lock is
//! free, by which the next server knows what to clear away. Nothing is shared with the original: a hard
//! link would be one file with it. Where the file system can share blocks between files, copying does so.
//!
//! The first folder is taken of `$TMPDIR` (or `/tmp`), `/dev/shm` and the working directory that can be
//! written to and is not mounted `noexec`.

use rustix::fs::{FlockOperation, StatVfsMountFlags, flock, statvfs};
use std::ffi::OsStr;
use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// How the folders of all servers begin.
const PREFIX: &str = "plinth-modules-";
/// The largest file that is copied; a debug build of a large module in C++ has a fifth of it.
const FILE_BYTES_MAX: u64 = 1 << 30;
/// How much of a file's name its copy keeps, the end of it.
const NAME_BYTES_MAX: usize = 200;
/// Folders that are made before a server gives up; another one that clears away may take one.
const TRIES_MAX: u32 = 8;

/// The folder of this process: the linker is one per process, and so are the names that it has seen.
static FOLDER: Mutex<Option<Folder>> = Mutex::new(None);

struct Folder {
    path: PathBuf,
    /// Keeps the folder locked.
    _lock: File,
    last: u64,
}

/// A file that is to be mapped.
pub struct Copied {
    /// The copy, to be read.
    pub file: File,
    /// Where it is.
    pub path: PathBuf,
}

/// Copy a file that was named as a module.
///
/// A file that is no file is refused without waiting for it, as opening a pipe would, and so is one that was
/// written to meanwhile.
pub fn copy(original: &Path) -> Result<Copied> {
    let source =
        OpenOptions::new().read(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32).open(original)?;
    let before = source.metadata()?;
    if !before.is_file() {
        return Err(Error::new(ErrorKind::InvalidInput, "it is no regular file"));
    }
    if before.len() > FILE_BYTES_MAX {
        return Err(Error::new(ErrorKind::InvalidInput, format!("it has more than {FILE_BYTES_MAX} bytes")));
    }
    let path = next_name(original.file_name().unwrap_or_default())?;
    let written = write_copy(&source, &before, &path);
    if written.is_err() {
        let _ = std::fs::remove_file(&path);
    }
    written.map(|file| Copied { file, path })
}

fn write_copy(source: &File, before: &Metadata, path: &Path) -> Result<File> {
    let failed = |error: Error| Error::new(error.kind(), format!("no copy of it at {}: {error}", path.display()));
    let mut options = OpenOptions::new();
    let mut copy = options.read(true).write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    std::io::copy(&mut source.take(before.len()), &mut copy).map_err(failed)?;
    let after = source.metadata()?;
    let shown = |one: &Metadata| (one.len(), one.mtime(), one.mtime_nsec());
    if shown(before) != shown(&after) || copy.metadata()?.len() != before.len() {
        return Err(Error::new(ErrorKind::ResourceBusy, "it changed while it was read"));
    }
    Ok(copy)
}

/// A path in our folder that was never given out.
fn next_name(name: &OsStr) -> Result<PathBuf> {
    let mut folder = FOLDER.lock().unwrap_or_else(PoisonError::into_inner);
    // Whoever clears away old files may have taken it; what is mapped from it does not mind.
    let _gone = folder.take_if(|folder| !folder.path.is_dir());
    let folder = match &mut *folder {
        Some(folder) => folder,
        none => none.insert(new_folder()?),
    };
    folder.last += 1;
    let bytes = name.as_bytes();
    let mut file = format!("{}-", folder.last).into_bytes();
    file.extend_from_slice(&bytes[bytes.len().saturating_sub(NAME_BYTES_MAX)..]);
    Ok(folder.path.join(OsStr::from_bytes(&file)))
}

/// Where folders may be, the best first.
fn places() -> [PathBuf; 3] {
    [std::env::temp_dir(), PathBuf::from("/dev/shm"), PathBuf::from(".")]
}

fn new_folder() -> Result<Folder> {
    let mut last = Error::new(ErrorKind::NotFound, "there is no place for private copies");
    for place in places() {
        // As the kernel will name what is mapped from there.
        let Ok(place) = place.canonicalize() else { continue };
        if statvfs(&place).is_ok_and(|info| info.f_flag.contains(StatVfsMountFlags::NOEXEC)) {
            continue;
        }
        match folder_in(&place) {
            Ok(folder) => return Ok(folder),
            Err(error) => last = error,
        }
    }
    Err(Error::new(last.kind(), format!("no folder for private copies of libraries (TMPDIR says where): {last}")))
}

fn folder_in(place: &Path) -> Result<Folder> {
    for _ in 0..TRIES_MAX {
        // Process numbers come again: in each container, and after a crash.
        let number = std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.subsec_nanos());
        let path = place.join(format!("{PREFIX}{}-{number}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&path)?;
        // Before the lock was taken another server may have cleared it away.
        if let Some(lock) = lock_of(&path) {
            return Ok(Folder { path, _lock: lock, last: 0 });
        }
    }
    Err(Error::from(ErrorKind::AlreadyExists))
}

/// Lock a folder that nobody has locked and that is there; none if that is not so.
fn lock_of(path: &Path) -> Option<File> {
    let open = OpenOptions::new()
        .read(true)
        .custom_flags((rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::NOFOLLOW).bits() as i32)
        .open(path);
    let folder = open.ok()?;
    flock(&folder, FlockOperation::NonBlockingLockExclusive).ok()?;
    let (ours, there) = (folder.metadata().ok()?, path.symlink_metadata().ok()?);
    (ours.ino() == there.ino() && ours.dev() == there.dev()).then_some(folder)
}

/// Clear away what servers of this user have left that crashed.
pub fn clear_away() {
    for place in places() {
        let entries = std::fs::read_dir(&place).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_name().as_bytes().starts_with(PREFIX.as_bytes())) {
            let path = entry.path();
            let is_ours = path
                .symlink_metadata()
                .is_ok_and(|info| info.is_dir() && info.uid() == rustix::process::geteuid().as_raw());
            // The lock is held while it is removed, so that it is not taken for a new one.
            if is_ours && let Some(_lock) = lock_of(&path) {
                let _ = std::fs::remove_dir_all(&path);
            }
        }
    }
}

/// Remove this process's folder; nothing is loaded after that.
pub fn end() {
    if let Some(folder) = FOLDER.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let _ = std::fs::remove_dir_all(&folder.path);
    }
}
