//! The scripts that EVAL and SCRIPT LOAD have brought, by the SHA-1 of their sources.
//!
//! Those of EVAL are as many as [`EVALS_MAX`]: of more, the one that was not run for the longest time goes. Those
//! that SCRIPT LOAD brought stay, because their clients call them by their names.

use crate::lua::{Kept, Lua};
use sha1::{Digest, Sha1};
use std::collections::{BTreeMap, HashMap};

/// Most scripts of EVAL that are kept.
pub(crate) const EVALS_MAX: usize = 500;
/// Longest source.
pub(crate) const SOURCE_BYTES_MAX: usize = 64 << 20;

/// 40 lower-case hex digits.
pub(crate) type Sha = [u8; 40];

/// The name of a source.
pub(crate) fn sha_of(source: &[u8]) -> Sha {
    let mut text = [0; 40];
    for (two, byte) in text.chunks_exact_mut(2).zip(Sha1::digest(source)) {
        two[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
        two[1] = b"0123456789abcdef"[usize::from(byte & 15)];
    }
    text
}

/// A script.
pub(crate) struct Script {
    /// The source.
    pub source: Box<[u8]>,
    /// The function that it was compiled to.
    pub function: Kept,
    /// What its first line says, if it has one.
    pub flags: Option<u32>,
    /// When it was last run, for one that may go.
    used: Option<u64>,
}

/// All scripts.
#[derive(Default)]
pub(crate) struct Scripts {
    by_sha: HashMap<Sha, Script>,
    /// Those that may go, by when they were last run.
    by_use: BTreeMap<u64, Sha>,
    uses: u64,
    source_bytes: usize,
    /// How many have gone for others.
    pub evicted: u64,
}

impl Scripts {
    /// A script, of which it is noted that it runs now.
    pub(crate) fn run(&mut self, sha: &Sha) -> Option<&Script> {
        let script = self.by_sha.get_mut(sha)?;
        if let Some(used) = &mut script.used {
            self.by_use.remove(used);
            self.uses += 1;
            *used = self.uses;
            self.by_use.insert(self.uses, *sha);
        }
        Some(script)
    }

    /// A script.
    pub(crate) fn get(&self, sha: &Sha) -> Option<&Script> {
        self.by_sha.get(sha)
    }

    /// Take in a script that is not there; those that go for it are given back to Lua.
    pub(crate) fn put(&mut self, lua: Lua, sha: Sha, source: &[u8], function: Kept, flags: Option<u32>, stays: bool) {
        self.uses += 1;
        let used = (!stays).then_some(self.uses);
        if let Some(used) = used {
            self.by_use.insert(used, sha);
        }
        self.source_bytes += source.len();
        self.by_sha.insert(sha, Script { source: source.into(), function, flags, used });
        while self.by_use.len() > EVALS_MAX
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            if let Some(gone) = self.by_sha.remove(&oldest) {
                self.source_bytes -= gone.source.len();
                lua.forget(gone.function);
            }
            self.evicted += 1;
        }
    }

    /// SCRIPT LOAD has named one that is there. One that EVAL brought may still go, as with Redis.
    pub(crate) fn len(&self) -> usize {
        self.by_sha.len()
    }

    /// Bytes of the scripts beside what Lua made of them.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.source_bytes + self.by_sha.capacity() * (size_of::<Script>() + size_of::<Sha>() + 1)
    }
}
