//! What a disk may hold when the power goes: the log of what was asked of it, taken up to some record.
//!
//! A disk has promised what was synced and nothing else. So a file is what it was at its last sync and *any* of the
//! writes since: all, none, the first few or some of them, each whole, torn off, or as zeros where only its length
//! had been noted. And a folder has the names of its last sync and any of the changes since. What is in a file and
//! what it is called are two things, each with a sync of its own.
//!
//! ```text
//!   record     create  write  write  sync-begin  write  sync   rename  sync-folder
//!   content    └─────────────────────────────┘ certain  ▲ perhaps
//!   name       perhaps ...............................................  certain
//! ```
//!
//! A sync is certain of what was written when it began, not of what came while it ran.

use plinth_fuzz::Random;
use std::collections::BTreeMap;
use std::path::Path;

/// One thing that was asked of the disk. Paths are within the server's folder; of that itself it is empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Record {
    Create(String),
    Write(String, usize, Vec<u8>),
    Truncate(String, usize),
    SyncBegin(String),
    Sync(String),
    Rename(String, String),
    Remove(String),
    Folder(String),
    SyncFolder(String),
}

/// Records in order, each with the length of the log behind it.
pub(crate) struct Log {
    pub(crate) records: Vec<(Record, u64)>,
}

impl Log {
    /// Reads the log of a disk, as far as it is whole: who wrote it was killed.
    pub(crate) fn parse(bytes: &[u8], folder: &Path) -> Log {
        let root = format!("{}/", folder.display());
        let within = |path: &str| path.strip_prefix(&root).unwrap_or(path.trim_start_matches("./")).to_owned();
        let within = |path: &str| if Path::new(path) == folder { String::new() } else { within(path) };
        let (mut records, mut at) = (Vec::new(), 0);
        let line = |at: &mut usize| -> Option<String> {
            let len = bytes[*at..].iter().position(|byte| *byte == b'\n')?;
            let text = String::from_utf8_lossy(&bytes[*at..*at + len]).into_owned();
            *at += len + 1;
            Some(text)
        };
        while let Some(text) = line(&mut at) {
            let (verb, rest) = text.split_once(' ').unwrap_or((&text, ""));
            let record = match verb {
                "write" => {
                    let words: Vec<&str> = rest.splitn(3, ' ').collect();
                    let number = |at: usize| words[at].parse::<usize>().unwrap_or_else(|_| panic!("{text}"));
                    let Some(content) = bytes.get(at..at + number(1)) else { break };
                    at += content.len();
                    Record::Write(within(words[2]), number(0), content.to_vec())
                }
                "truncate" => {
                    let (len, path) = rest.split_once(' ').unwrap_or_else(|| panic!("{text}"));
                    Record::Truncate(within(path), len.parse().unwrap_or_else(|_| panic!("{text}")))
                }
                "rename" => match line(&mut at) {
                    Some(to) => Record::Rename(within(rest), within(&to)),
                    None => break,
                },
                "create" => Record::Create(within(rest)),
                "sync-begin" => Record::SyncBegin(within(rest)),
                "sync" => Record::Sync(within(rest)),
                "remove" => Record::Remove(within(rest)),
                "folder" => Record::Folder(within(rest)),
                "sync-folder" => Record::SyncFolder(within(rest)),
                _ => panic!("a log of a disk says {text}"),
            };
            records.push((record, at as u64));
        }
        Log { records }
    }
}

/// A change to a file that is not certain.
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

/// A file's content, whatever it is called.
#[derive(Default)]
struct Content {
    certain: Vec<u8>,
    since: Vec<Change>,
    /// Changes that the sync which runs is certain of.
    begun: usize,
}

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    File(usize),
    Folder,
}

/// A change to names that is not certain: the name that goes, and the one that comes.
struct Renaming {
    gone: Option<String>,
    come: Option<(String, Node)>,
}

/// A disk as it may be.
#[derive(Default)]
pub(crate) struct Disk {
    contents: Vec<Content>,
    /// Names as the running server sees them.
    seen: BTreeMap<String, Node>,
    certain: BTreeMap<String, Node>,
    since: Vec<Renaming>,
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Change::Write(at, bytes) => {
                to.resize(to.len().max(at + bytes.len()), 0);
                to[*at..at + bytes.len()].copy_from_slice(bytes);
            }
            Change::Truncate(len) => to.resize(*len, 0),
        }
    }

    /// What may be there of it.
    fn damaged(&self, random: &mut Random) -> Change {
        match self {
            Change::Write(at, bytes) if random.once_in(4) => {
                Change::Write(*at, bytes[..random.below(bytes.len() + 1)].to_vec())
            }
            Change::Write(at, bytes) if random.once_in(8) => Change::Write(*at, vec![0; bytes.len()]),
            Change::Write(at, bytes) => Change::Write(*at, bytes.clone()),
            Change::Truncate(len) => Change::Truncate(*len),
        }
    }
}

impl Renaming {
    fn apply(&self, to: &mut BTreeMap<String, Node>) {
        if let Some(gone) = &self.gone {
            to.remove(gone);
        }
        if let Some((name, node)) = &self.come {
            to.insert(name.clone(), *node);
        }
    }

    fn is_in(&self, folder: &str) -> bool {
        let name = self.come.as_ref().map(|(name, _)| name).or(self.gone.as_ref());
        name.is_some_and(|name| parent(name) == folder)
    }
}

/// Which of some changes have come to be: all, none, the first few, or some.
fn chosen(count: usize, random: &mut Random) -> Vec<bool> {
    let (kind, first) = (random.below(4), random.below(count + 1));
    (0..count).map(|at| [true, false, at < first, random.once_in(2)][kind]).collect()
}

impl Disk {
    /// A disk that is certain of these files, by their paths; the folders that they are in are there too.
    pub(crate) fn with(files: &[(String, Vec<u8>)]) -> Disk {
        let mut disk = Disk::default();
        for (path, bytes) in files {
            if !parent(path).is_empty() {
                disk.certain.insert(parent(path).to_owned(), Node::Folder);
            }
            disk.certain.insert(path.clone(), Node::File(disk.contents.len()));
            disk.contents.push(Content { certain: bytes.clone(), ..Content::default() });
        }
        disk.seen = disk.certain.clone();
        disk
    }

    fn content(&mut self, path: &str) -> &mut Content {
        match self.seen.get(path) {
            Some(Node::File(at)) => &mut self.contents[*at],
            _ => panic!("there is no file {path}"),
        }
    }

    fn rename(&mut self, gone: Option<String>, come: Option<(String, Node)>) {
        let renaming = Renaming { gone, come };
        renaming.apply(&mut self.seen);
        self.since.push(renaming);
    }

    /// One more thing was done.
    pub(crate) fn take(&mut self, record: &Record) {
        match record {
            Record::Create(path) => match self.seen.get(path) {
                Some(Node::File(at)) => self.contents[*at].since.push(Change::Truncate(0)),
                _ => {
                    self.contents.push(Content::default());
                    self.rename(None, Some((path.clone(), Node::File(self.contents.len() - 1))));
                }
            },
            Record::Write(path, at, bytes) => self.content(path).since.push(Change::Write(*at, bytes.clone())),
            Record::Truncate(path, len) => self.content(path).since.push(Change::Truncate(*len)),
            Record::SyncBegin(path) => {
                let content = self.content(path);
                content.begun = content.since.len();
            }
            Record::Sync(path) => {
                let content = self.content(path);
                let begun = content.begun.min(content.since.len());
                for change in content.since.drain(..begun) {
                    change.apply(&mut content.certain);
                }
                content.begun = 0;
            }
            Record::Rename(from, to) => {
                let node = self.seen.get(from).copied().unwrap_or_else(|| panic!("there is no {from}"));
                self.rename(Some(from.clone()), Some((to.clone(), node)));
            }
            Record::Remove(path) => self.rename(Some(path.clone()), None),
            Record::Folder(path) => {
                if !self.seen.contains_key(path) {
                    self.rename(None, Some((path.clone(), Node::Folder)));
                }
            }
            Record::SyncFolder(folder) => {
                let (done, since) = std::mem::take(&mut self.since).into_iter().partition(|one| one.is_in(folder));
                self.since = since;
                let done: Vec<Renaming> = done;
                done.iter().for_each(|renaming| renaming.apply(&mut self.certain));
            }
        }
    }

    /// The power goes: what the folder holds at the next start, put into an empty one.
    pub(crate) fn cut(&self, random: &mut Random, into: &Path) {
        let mut names = self.certain.clone();
        for (renaming, _) in self.since.iter().zip(chosen(self.since.len(), random)).filter(|(_, is)| *is) {
            renaming.apply(&mut names);
        }
        for (path, node) in &names {
            let at = into.join(path);
            let written = match node {
                Node::Folder => std::fs::create_dir_all(&at),
                // A file whose folder is not there is not there.
                Node::File(_) if !parent(path).is_empty() && !names.contains_key(parent(path)) => Ok(()),
                Node::File(content) => std::fs::write(&at, self.contents[*content].cut(random)),
            };
            written.unwrap_or_else(|error| panic!("{}: {error}", at.display()));
        }
    }
}

impl Content {
    fn cut(&self, random: &mut Random) -> Vec<u8> {
        let mut bytes = self.certain.clone();
        for (change, _) in self.since.iter().zip(chosen(self.since.len(), random)).filter(|(_, is)| *is) {
            change.damaged(random).apply(&mut bytes);
        }
        bytes
    }
}

#[test]
fn what_was_synced_is_always_there_and_what_was_not_only_sometimes() {
    let path = |name: &str| name.to_owned();
    let log = b"create /d/f\nwrite 0 2 /d/f\nabsync-begin /d/f\nwrite 2 2 /d/f\ncdsync /d/f\nrename /d/f\n/d/g\n";
    let log = Log::parse(log, Path::new("/d"));
    assert_eq!(log.records.len(), 6);
    assert_eq!(log.records[1], (Record::Write(path("f"), 0, b"ab".to_vec()), 29));
    let outcomes = |disk: &Disk| {
        let mut found = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let folder = plinth_testkit::TempDir::new();
            disk.cut(&mut Random::new(seed), folder.path());
            let text = |name: &str| std::fs::read_to_string(folder.file(name)).ok();
            found.insert((text("f"), text("g")));
        }
        found
    };
    let mut disk = Disk::with(&[(path("g"), b"old".to_vec())]);
    log.records.iter().for_each(|(record, _)| disk.take(record));
    let found = outcomes(&disk);
    assert!(found.contains(&(None, Some("old".into()))), "no name was certain: {found:?}");
    assert!(found.contains(&(None, Some("ab".into()))) && found.contains(&(None, Some("abcd".into()))), "{found:?}");
    disk.take(&Record::SyncFolder(String::new()));
    assert!(outcomes(&disk).iter().all(|(old, new)| {
        old.is_none() && new.as_ref().is_some_and(|text| text.starts_with("ab") && text.len() <= 4)
    }));
}
