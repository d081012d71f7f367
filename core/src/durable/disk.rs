//! The disk: the one way by which what has to last is written.
//!
//! A file lasts when three things have reached the disk: its bytes (`sync`), its name (the folder's
//! `sync`), and, where it takes the place of another, both of these before the `rename` and the
//! folder's once more behind it. Whatever writes such a file does it through [`Disk`], so that a test
//! can see what was asked for and in which order, and can have any of it fail.
//!
//! ```text
//!   Disk ── Real      the kernel's files
//!        ── Logged    passes on, and appends each operation with its bytes to a log
//!        ── Failing   passes on, but for the call that is to fail
//! ```
//!
//! Invariants:
//! - A disk is used from the main thread, from the thread that syncs, and from a child after a fork; so
//!   it keeps nothing in memory that the others would have to see.
//! - Reading is not a disk's business: it changes nothing.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

/// Bytes that a write passes on at once at the most, so that a sync between is possible.
pub const WRITE_BYTES_MAX: usize = 4 << 20;

/// An open file of a disk, which goes on where the last write ended.
#[derive(Debug)]
pub struct DiskFile {
    /// The kernel's file.
    pub file: File,
    /// What it was opened as.
    pub path: PathBuf,
}

/// Where durable files are written.
///
/// Thread: any. No call is retried by a disk; what failed has or has not happened, as with the kernel.
pub trait Disk: Send + Sync {
    /// An empty file of this name, in the place of any that was there. Its name does not last before
    /// the folder is synced.
    fn create(&self, path: &Path) -> io::Result<DiskFile>;

    /// The file of this name, to be written on at its end; made if it was not there.
    fn append(&self, path: &Path) -> io::Result<DiskFile>;

    /// Write some of the bytes where the last write ended; how many were.
    fn write(&self, file: &DiskFile, bytes: &[u8]) -> io::Result<usize>;

    /// Have all that was written last, and the file's length with it.
    fn sync(&self, file: &DiskFile) -> io::Result<()>;

    /// Cut a file off at so many bytes, and write on from there.
    fn truncate(&self, file: &DiskFile, bytes: u64) -> io::Result<()>;

    /// Give a file another name, in the place of any that has it, at once.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Remove a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Make a folder, unless it is there.
    fn make_folder(&self, path: &Path) -> io::Result<()>;

    /// Have the names in a folder last; an empty path is the working directory.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// Write all bytes, however many calls it takes.
    fn write_all(&self, file: &DiskFile, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write(file, &bytes[..bytes.len().min(WRITE_BYTES_MAX)]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Have a file that is written take the place of another, so that at any moment one of the two is
    /// there whole: the file is synced, renamed, and its folder synced.
    fn replace(&self, file: DiskFile, to: &Path) -> io::Result<()> {
        self.sync(&file)?;
        let from = file.path.clone();
        drop(file);
        self.rename(&from, to)?;
        self.sync_folder(to.parent().unwrap_or(Path::new("")))
    }
}

/// The kernel's files.
#[derive(Clone, Copy, Default, Debug)]
pub struct Real;

impl Disk for Real {
    fn create(&self, path: &Path) -> io::Result<DiskFile> {
        let file = OpenOptions::new().write(true).read(true).create(true).truncate(true).open(path)?;
        Ok(DiskFile { file, path: path.to_owned() })
    }

    fn append(&self, path: &Path) -> io::Result<DiskFile> {
        let file = OpenOptions::new().append(true).read(true).create(true).open(path)?;
        Ok(DiskFile { file, path: path.to_owned() })
    }

    fn write(&self, file: &DiskFile, bytes: &[u8]) -> io::Result<usize> {
        (&file.file).write(bytes)
    }

    fn sync(&self, file: &DiskFile) -> io::Result<()> {
        file.file.sync_data()
    }

    fn truncate(&self, file: &DiskFile, bytes: u64) -> io::Result<()> {
        file.file.set_len(bytes)?;
        (&file.file).seek(io::SeekFrom::Start(bytes)).map(|_| ())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        match std::fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            result => result,
        }
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        match File::open(path)?.sync_all() {
            // Not every file system can; those that cannot have nothing to wait for.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            result => result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("plinth-disk-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn a_file_takes_the_place_of_another_when_it_is_whole() {
        let folder = folder("replace");
        let (temp, path) = (folder.join("temp"), folder.join("data"));
        std::fs::write(&path, "old").unwrap();
        let file = Real.create(&temp).unwrap();
        Real.write_all(&file, b"newer").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        Real.replace(file, &path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"newer");
        assert!(!temp.exists());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_is_written_on_at_its_end_also_after_it_was_cut_off() {
        let folder = folder("append");
        let path = folder.join("log");
        let file = Real.append(&path).unwrap();
        Real.write_all(&file, b"abcdef").unwrap();
        Real.truncate(&file, 2).unwrap();
        Real.write_all(&file, b"x").unwrap();
        Real.sync(&file).unwrap();
        let again = Real.append(&path).unwrap();
        Real.write_all(&again, b"y").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"abxy");
        Real.remove(&path).unwrap();
        assert!(!path.exists());
        Real.make_folder(&folder).unwrap();
        Real.sync_folder(&folder).unwrap();
        std::fs::remove_dir_all(folder).unwrap();
    }
}
