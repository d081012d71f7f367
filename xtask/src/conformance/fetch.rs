//! The suite's archive: Redis's source as Debian ships it, without Debian's own changes.
//!
//! Apt does the download because it checks the archive against Debian's signature. It runs with a
//! configuration of ours, so that it neither reads nor changes this machine's lists, caches and
//! sources, and needs no privileges:
//!
//! ```text
//! conformance/archive/       redis_7.0.*.dsc, redis_7.0.*.orig.tar.gz: kept, checked at each use
//! conformance/.tmp*/         while apt works: apt.conf, sources/, lists/, cache/, download/
//! ```

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::sources::Sources;

/// The archive's path: the kept one if it is whole, else a fresh one.
///
/// # Errors
/// When it cannot be had. The message says how to do without apt.
pub(crate) fn archive(folder: &Path) -> Result<PathBuf, String> {
    let kept = folder.join("archive");
    if let Ok(archive) = whole_archive(&kept) {
        return Ok(archive);
    }
    download(folder, &kept).map_err(|error| {
        format!("{error}\nAn archive of Redis 7.0's source from anywhere else will do: --archive FILE.")
    })?;
    whole_archive(&kept)
}

fn download(folder: &Path, kept: &Path) -> Result<(), String> {
    let work = tempfile::tempdir_in(folder).map_err(|error| format!("no temporary folder: {error}"))?;
    let apt = Apt::prepare(work.path())?;
    eprintln!("conformance: asking Debian for the source of Redis");
    apt.get(&["update"])?;
    apt.get(&["source", "--download-only", "redis"])?;
    let download = work.path().join("download");
    whole_archive(&download)?;
    let replace = || {
        if kept.exists() {
            std::fs::remove_dir_all(kept)?;
        }
        std::fs::rename(&download, kept)
    };
    replace().map_err(|error| format!("cannot keep the archive in {}: {error}", kept.display()))
}

/// Apt, kept off this machine's own state.
struct Apt<'a> {
    work: &'a Path,
}

impl Apt<'_> {
    fn prepare(work: &Path) -> Result<Apt<'_>, String> {
        let sources = Sources::read(Path::new("/etc/apt"))?;
        let write = || {
            for folder in ["sources", "lists/partial", "cache/archives/partial", "download"] {
                std::fs::create_dir_all(work.join(folder))?;
            }
            std::fs::write(work.join("sources/suite.list"), sources.lines)?;
            std::fs::write(work.join("sources/suite.sources"), sources.paragraphs)?;
            std::fs::write(work.join("apt.conf"), configuration(work))
        };
        write().map_err(|error| format!("cannot write to {}: {error}", work.display()))?;
        Ok(Apt { work })
    }

    fn get(&self, arguments: &[&str]) -> Result<(), String> {
        let output = Command::new("apt-get")
            .arg("--quiet")
            .arg("--config-file")
            .arg(self.work.join("apt.conf"))
            .args(arguments)
            .current_dir(self.work.join("download"))
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("cannot start apt-get: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("apt-get {} ended with {}:\n{}", arguments.join(" "), output.status, said.trim_end()))
    }
}

/// The hooks are cleared because those of some images delete the machine's caches after an
/// update. The unprivileged user is cleared because it could not write to our folder.
fn configuration(work: &Path) -> String {
    let work = work.display();
    format!(
        "Dir::Etc::SourceList \"/dev/null\";\n\
         Dir::Etc::SourceParts \"{work}/sources\";\n\
         Dir::State::Lists \"{work}/lists\";\n\
         Dir::Cache \"{work}/cache\";\n\
         APT::Sandbox::User \"\";\n\
         Acquire::Languages \"none\";\n\
         #clear APT::Update::Pre-Invoke;\n\
         #clear APT::Update::Post-Invoke;\n\
         #clear APT::Update::Post-Invoke-Success;\n"
    )
}

/// The archive in this folder, if it has the digest that the description beside it gives. Apt
/// has checked the description; this is for what may happen to a kept file.
fn whole_archive(folder: &Path) -> Result<PathBuf, String> {
    let files: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    let ending = |ending: &str| files.iter().find(|file| file.to_string_lossy().ends_with(ending));
    let (Some(description), Some(archive)) = (ending(".dsc"), ending(".orig.tar.gz")) else {
        return Err(format!("no source package in {}", folder.display()));
    };
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    let text = std::fs::read_to_string(description)
        .map_err(|error| format!("cannot read {}: {error}", description.display()))?;
    let expected = digest_of(&text, &name).ok_or_else(|| format!("{} does not name {name}", description.display()))?;
    if sha256(archive)? == expected {
        Ok(archive.clone())
    } else {
        Err(format!("{} is damaged: remove it", archive.display()))
    }
}

/// The SHA-256 of this file in a source package's description.
fn digest_of<'a>(description: &'a str, name: &str) -> Option<&'a str> {
    description
        .lines()
        .skip_while(|line| *line != "Checksums-Sha256:")
        .skip(1)
        .take_while(|line| line.starts_with(' '))
        .find_map(|line| {
            let mut words = line.split_whitespace();
            let digest = words.next()?;
            (words.nth(1)? == name).then_some(digest)
        })
}

fn sha256(file: &Path) -> Result<String, String> {
    let output =
        Command::new("sha256sum").arg(file).output().map_err(|error| format!("cannot start sha256sum: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace()
        .next()
        .map(str::to_owned)
        .ok_or_else(|| format!("sha256sum of {} ended with {}", file.display(), output.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCRIPTION: &str = "Source: redis\nChecksums-Sha1:\n aa 12 redis_7.0.15.orig.tar.gz\n\
        Checksums-Sha256:\n bb 12 redis_7.0.15.orig.tar.gz\n cc 7 redis_7.0.15-1.debian.tar.xz\n\
        Files:\n dd 12 redis_7.0.15.orig.tar.gz\n";

    #[test]
    fn a_digest_is_taken_from_its_own_section() {
        assert_eq!(digest_of(DESCRIPTION, "redis_7.0.15.orig.tar.gz"), Some("bb"));
        assert_eq!(digest_of(DESCRIPTION, "redis_7.0.15-1.debian.tar.xz"), Some("cc"));
        assert_eq!(digest_of(DESCRIPTION, "redis_7.0.16.orig.tar.gz"), None);
    }

    #[test]
    fn a_damaged_archive_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("redis_7.0.15-1.dsc"), DESCRIPTION).unwrap();
        std::fs::write(folder.path().join("redis_7.0.15.orig.tar.gz"), "half of it").unwrap();
        assert!(whole_archive(folder.path()).unwrap_err().contains("damaged"));
    }
}
