//! The folder of the append-only file: where its parts lie, and who may write there.
//!
//! ```text
//!   appendonlydir/appendonly.aof.manifest          which files count
//!                 appendonly.aof.1.base.rdb        as the manifest says
//!                 appendonly.aof.1.incr.aof
//!                 appendonly.aof.lock              held by the one server that writes here
//!                 temp-appendonly.aof.*            not whole yet; nobody's when the server starts
//! ```
//!
//! Servers with another `appendfilename` may share the folder.
//!
//! Invariants:
//! - The manifest is replaced, never written in: at any moment the old or the new one is there whole.
//! - A file is named by the manifest only when it lasts, and is removed only when no manifest that lasts
//!   names it.

use crate::base::log::plain;
use crate::durable::aof_manifest::Manifest;
use crate::durable::disk::Disk;
use crate::settings::parameters::Settings;
use rustix::fs::{FlockOperation, fcntl_lock};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Most bytes of a manifest that is read.
const MANIFEST_BYTES_MAX: u64 = 64 << 20;

/// The folder, as far as one server's files in it go.
pub struct Folder {
    /// Its path, which does not depend on the working directory.
    path: PathBuf,
    /// `appendfilename`.
    file: String,
    /// Its name as `appenddirname` has it.
    name: String,
    /// The lock file, while this server holds the lock.
    lock: Option<File>,
}

impl Folder {
    /// The folder that the settings name.
    pub fn new(settings: &Settings) -> Folder {
        let path = std::env::current_dir().unwrap_or_default().join(&settings.aof.folder);
        Folder { path, file: settings.aof.file.clone(), name: settings.aof.folder.clone(), lock: None }
    }

    /// Whether another is the same folder, with files of the same names.
    pub fn is_same(&self, other: &Folder) -> bool {
        (&self.path, &self.file) == (&other.path, &other.file)
    }

    /// The name from which those of the files are made.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The path of a part.
    pub fn part(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The path of a file that is not whole yet, of some kind.
    pub fn temp(&self, kind: &str) -> PathBuf {
        self.path.join(format!("temp-{}.{kind}", self.file))
    }

    /// Whether there is such a folder.
    pub fn exists(&self) -> bool {
        self.path.is_dir()
    }

    fn manifest(&self) -> PathBuf {
        self.path.join(format!("{}.manifest", self.file))
    }

    /// The file of a server older than 7.0, which had only one.
    pub fn single(&self) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(&self.file)
    }

    /// Make the folder if it is not there, and have it for this server alone. Fails with a reason for
    /// whoever starts it.
    pub fn open(&mut self, disk: &dyn Disk) -> Result<(), String> {
        if self.lock.is_some() {
            return Ok(());
        }
        let why = |error: &io::Error| plain(error);
        let made = if self.exists() { Ok(()) } else { disk.make_folder(&self.path) };
        made.and_then(|()| disk.sync_folder(self.path.parent().unwrap_or(Path::new(""))))
            .map_err(|error| format!("Can't open or create append-only dir {}: {}", self.name, why(&error)))?;
        let path = self.path.join(format!("{}.lock", self.file));
        let lock = File::options().write(true).create(true).truncate(false).open(&path);
        let lock = lock.map_err(|error| format!("Can't open the lock file {}: {}", path.display(), why(&error)))?;
        // A lock of the process: a child that goes on writing after it has died does not hold it.
        fcntl_lock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|error| {
            let error = io::Error::from(error);
            match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::PermissionDenied => format!(
                    "Another server writes the append-only file '{}' in {}: two would destroy each other's data. \
                     Stop it, or give this one another 'dir', 'appenddirname' or 'appendfilename'.",
                    self.file,
                    self.path.display()
                ),
                _ => format!("Can't lock {}: {}", path.display(), why(&error)),
            }
        })?;
        self.lock = Some(lock);
        self.clear_away(disk);
        Ok(())
    }

    /// Remove what earlier runs have left unfinished.
    fn clear_away(&self, disk: &dyn Disk) {
        let begin = format!("temp-{}.", self.file);
        for entry in std::fs::read_dir(&self.path).into_iter().flatten().flatten() {
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(&begin)) {
                let _ = disk.remove(&entry.path());
            }
        }
    }

    /// The manifest; an empty one if there is none.
    pub fn load(&self) -> Result<Manifest, String> {
        let path = self.manifest();
        let failed = |error: io::Error| format!("Can't read the AOF manifest {}: {}", path.display(), plain(&error));
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Manifest::default()),
            Err(error) => return Err(failed(error)),
            Ok(data) if data.len() > MANIFEST_BYTES_MAX => return Err(failed(io::ErrorKind::FileTooLarge.into())),
            Ok(_) => {}
        }
        let text = std::fs::read(&path).map_err(failed)?;
        let fatal =
            |error: &dyn std::fmt::Display| format!("FATAL AOF MANIFEST FILE ERROR in {}: {error}", path.display());
        let manifest = Manifest::parse(&text).map_err(|error| fatal(&error))?;
        // It would be removed with what is no longer needed, or written in.
        let own = ["manifest", "lock"].map(|kind| format!("{}.{kind}", self.file));
        let wrong = manifest.parts().chain(&manifest.history).find(|part| own.contains(&part.name));
        if let Some(part) = wrong {
            return Err(fatal(&format_args!("'{}' is no part of the data", part.name)));
        }
        Ok(manifest)
    }

    /// Have a manifest last in the place of the one that is there.
    pub fn save(&self, disk: &dyn Disk, manifest: &Manifest) -> io::Result<()> {
        let file = disk.create(&self.temp("manifest"))?;
        disk.write_all(&file, &manifest.text())?;
        disk.replace(file, &self.manifest())
    }

    /// Have the names of files last that are not in a manifest yet.
    pub fn sync(&self, disk: &dyn Disk) -> io::Result<()> {
        disk.sync_folder(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durable::disk::Real;

    #[test]
    fn a_manifest_takes_the_place_of_another_and_leftovers_go() {
        let path = std::env::temp_dir().join(format!("plinth-aof-folder-{}", std::process::id()));
        let of = || Folder { path: path.clone(), file: "a.aof".into(), name: "dir".into(), lock: None };
        let mut folder = of();
        folder.open(&Real).unwrap();
        assert!(folder.load().unwrap().is_empty());
        let mut manifest = Manifest::default();
        manifest.begin_increment("a.aof");
        folder.save(&Real, &manifest).unwrap();
        manifest.begin_base("a.aof", true);
        folder.save(&Real, &manifest).unwrap();
        assert_eq!(folder.load().unwrap(), manifest);
        std::fs::write(folder.temp("base-1"), "x").unwrap();
        std::fs::write(path.join("temp-a.aof2.base-1"), "x").unwrap();
        drop(folder);
        let mut again = of();
        again.open(&Real).unwrap();
        assert!(!again.temp("base-1").exists());
        assert!(path.join("temp-a.aof2.base-1").exists());
        std::fs::remove_dir_all(path).unwrap();
    }
}
