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
//! The log of a disk is text and bytes: `write OFFSET LENGTH PATH`, an end of line, and so many bytes; `truncate
//! LENGTH PATH`; `rename FROM`, an end of line, `TO`; `create`, `sync`, `remove`, `folder`, `sync-folder` and a
//! path. A record is in it when what it says has been done; `sync-begin` stands where a sync begins, because it is
//! not certain of what another thread writes while it runs.
//!
//! Invariants:
//! - A disk is used from the main thread, from the thread that syncs, and from a child after a fork; so
//!   it keeps nothing in memory that the others would have to see.
//! - Reading is not a disk's business: it changes nothing.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

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
    fn write_all(&self, file: &DiskFile, bytes: &[u8]) -> io::Result<()> {
        self.write_some(file, bytes).1
    }

    /// Write all bytes, or those that can be; how many were, and why not all.
    fn write_some(&self, file: &DiskFile, bytes: &[u8]) -> (usize, io::Result<()>) {
        let mut written = 0;
        while written < bytes.len() {
            let rest = &bytes[written..];
            match self.write(file, &rest[..rest.len().min(WRITE_BYTES_MAX)]) {
                Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return (written, Err(error)),
            }
        }
        (written, Ok(()))
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

/// The kernel's files, and a log of what is done with them.
pub struct Logged {
    log: File,
}

impl Logged {
    /// A disk with a log of this name, which goes on if it is there.
    ///
    /// # Errors
    /// The log cannot be written.
    pub fn new(log: &Path) -> io::Result<Logged> {
        Ok(Logged { log: OpenOptions::new().append(true).create(true).open(log)? })
    }

    /// One write for one record: another process may write records too.
    fn note(&self, line: &str, bytes: &[u8]) -> io::Result<()> {
        (&self.log).write_all(&[line.as_bytes(), b"\n", bytes].concat())
    }
}

impl Disk for Logged {
    fn create(&self, path: &Path) -> io::Result<DiskFile> {
        let file = Real.create(path)?;
        self.note(&format!("create {}", path.display()), b"")?;
        Ok(file)
    }

    fn append(&self, path: &Path) -> io::Result<DiskFile> {
        let is_new = !path.exists();
        let file = Real.append(path)?;
        if is_new {
            self.note(&format!("create {}", path.display()), b"")?;
        }
        Ok(file)
    }

    fn write(&self, file: &DiskFile, bytes: &[u8]) -> io::Result<usize> {
        let written = Real.write(file, bytes)?;
        let offset = (&file.file).stream_position()?.saturating_sub(written as u64);
        self.note(&format!("write {offset} {written} {}", file.path.display()), &bytes[..written])?;
        Ok(written)
    }

    fn sync(&self, file: &DiskFile) -> io::Result<()> {
        self.note(&format!("sync-begin {}", file.path.display()), b"")?;
        Real.sync(file)?;
        self.note(&format!("sync {}", file.path.display()), b"")
    }

    fn truncate(&self, file: &DiskFile, bytes: u64) -> io::Result<()> {
        Real.truncate(file, bytes)?;
        self.note(&format!("truncate {bytes} {}", file.path.display()), b"")
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Real.rename(from, to)?;
        self.note(&format!("rename {}\n{}", from.display(), to.display()), b"")
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Real.remove(path)?;
        self.note(&format!("remove {}", path.display()), b"")
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        Real.make_folder(path)?;
        self.note(&format!("folder {}", path.display()), b"")
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        Real.sync_folder(path)?;
        self.note(&format!("sync-folder {}", path.display()), b"")
    }
}

/// How a call fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// With this error of the system's.
    Error(i32),
    /// A write writes half of the bytes; another call is as always.
    Short,
}

/// The kernel's files, with a call that fails.
#[derive(Debug)]
pub struct Failing {
    failure: Failure,
    /// Whether those after it fail too.
    lasts: bool,
    /// Calls before it.
    left: AtomicI64,
}

impl Failing {
    /// The call behind so many others fails, and those after it if that lasts.
    pub fn new(failure: Failure, calls_before: i64, lasts: bool) -> Failing {
        Failing { failure, lasts, left: AtomicI64::new(calls_before) }
    }

    /// Whether this call is one that fails.
    fn is_due(&self) -> bool {
        let left = self.left.fetch_sub(1, Ordering::Relaxed);
        left == 0 || self.lasts && left < 0
    }

    fn call(&self) -> io::Result<()> {
        match self.failure {
            Failure::Error(code) if self.is_due() => Err(io::Error::from_raw_os_error(code)),
            _ => Ok(()),
        }
    }
}

impl Disk for Failing {
    fn create(&self, path: &Path) -> io::Result<DiskFile> {
        self.call()?;
        Real.create(path)
    }

    fn append(&self, path: &Path) -> io::Result<DiskFile> {
        self.call()?;
        Real.append(path)
    }

    fn write(&self, file: &DiskFile, bytes: &[u8]) -> io::Result<usize> {
        self.call()?;
        let is_short = self.failure == Failure::Short && self.is_due();
        Real.write(file, if is_short { &bytes[..bytes.len().div_ceil(2)] } else { bytes })
    }

    fn sync(&self, file: &DiskFile) -> io::Result<()> {
        self.call()?;
        Real.sync(file)
    }

    fn truncate(&self, file: &DiskFile, bytes: u64) -> io::Result<()> {
        self.call()?;
        Real.truncate(file, bytes)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call()?;
        Real.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call()?;
        Real.remove(path)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.call()?;
        Real.make_folder(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.call()?;
        Real.sync_folder(path)
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
    #[test]
    fn a_log_says_what_was_done_in_which_order() {
        let folder = folder("log");
        let (log, temp, path) = (folder.join("log"), folder.join("temp"), folder.join("data"));
        let disk = Logged::new(&log).unwrap();
        let file = disk.create(&temp).unwrap();
        disk.write_all(&file, b"ab").unwrap();
        disk.write_all(&file, b"cd").unwrap();
        disk.replace(file, &path).unwrap();
        let (temp, path, folder_name) = (temp.display(), path.display(), folder.display());
        let expected = format!(
            "create {temp}\nwrite 0 2 {temp}\nabwrite 2 2 {temp}\ncdsync-begin {temp}\nsync {temp}\nrename {temp}\n{path}\nsync-folder {folder_name}\n"
        );
        assert_eq!(std::fs::read_to_string(&log).unwrap(), expected);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn each_call_can_be_the_one_that_fails() {
        const NO_SPACE: i32 = 28;
        let folder = folder("failing");
        let path = folder.join("data");
        let run = |disk: &Failing| {
            let file = disk.create(&folder.join("temp"))?;
            disk.write_all(&file, b"content")?;
            disk.replace(file, &path)
        };
        for calls in 0..5 {
            let failed = run(&Failing::new(Failure::Error(NO_SPACE), calls, false)).unwrap_err();
            assert_eq!(failed.raw_os_error(), Some(NO_SPACE), "{calls}");
        }
        run(&Failing::new(Failure::Error(NO_SPACE), 5, true)).unwrap();
        // A short write is gone on with.
        run(&Failing::new(Failure::Short, 0, false)).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"content");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
