//! Values as the commands that make them anew: what an append-only file without a preamble holds.
//!
//! A type gives them in pieces of its own (`plinth.rewrite/1`). A type that does not, and a ghost, is
//! one RESTORE of what DUMP shows. Neither says when the key expires: that is the caller's to add.

use crate::durable::version::Target;
use crate::store::Store;
use crate::store::entry::EntryPtr;
use crate::store::types::value_of;
use plinth_abi::bytes::{Bytes, Opaque};
use plinth_abi::rewrite::REWRITE_WORDS_MAX;
use plinth_abi::status::{STATUS_NOT_ALLOWED, STATUS_OK, STATUS_TOO_LARGE, STATUS_UNSUPPORTED, Status};

/// Takes one command, in words. A status other than OK ends the rewriting, with that status.
pub type Sink<'s> = dyn FnMut(&[&[u8]]) -> Status + 's;

/// What a type's `rewrite` gives its commands to.
pub struct Rewriter<'s> {
    sink: &'s mut Sink<'s>,
    commands: u64,
    /// What the sink or the check has failed with: a type that goes on all the same is not believed.
    failed: Status,
}

impl<'s> Rewriter<'s> {
    /// One that gives to a sink.
    pub fn new(sink: &'s mut Sink<'s>) -> Rewriter<'s> {
        Rewriter { sink, commands: 0, failed: STATUS_OK }
    }

    /// What it has failed with, or OK.
    pub fn failed(&self) -> Status {
        self.failed
    }

    /// Passes a command on.
    pub fn emit(&mut self, words: &[&[u8]]) -> Status {
        if self.failed == STATUS_OK {
            self.failed = match words.len() {
                0 => STATUS_NOT_ALLOWED,
                count if count > REWRITE_WORDS_MAX as usize => STATUS_TOO_LARGE,
                _ => (self.sink)(words),
            };
            self.commands += 1;
        }
        self.failed
    }
}

impl Store {
    /// Gives the commands that make a key with this value where there is none; how many they were. Fails
    /// with what the sink failed with, or the type's `rewrite` or `save`.
    pub fn rewrite_value<'s>(&self, entry: EntryPtr, sink: &'s mut Sink<'s>) -> Result<u64, Status> {
        // SAFETY: the entry is alive, and nothing that is called here can free it.
        let key = unsafe { entry.key() };
        let mut rewriter = Rewriter::new(sink);
        let rewrite = self.types.get(entry.type_id()).and_then(|ty| ty.table.rewrite);
        let status = rewrite.map_or(STATUS_UNSUPPORTED, |rewrite| {
            let value = value_of(entry);
            let to: Opaque = (&raw mut rewriter).cast();
            // SAFETY: the value is of this type, and key and rewriter live for the call.
            unsafe { rewrite(&raw const value, Bytes::of(key), to) }
        });
        if rewriter.failed != STATUS_OK {
            return Err(rewriter.failed);
        }
        match status {
            STATUS_OK => return Ok(rewriter.commands),
            STATUS_UNSUPPORTED if rewriter.commands == 0 => {}
            status => return Err(status),
        }
        let payload = self.seal_value(entry, Target::PAYLOAD)?;
        match rewriter.emit(&[b"RESTORE", key, b"0", &payload]) {
            STATUS_OK => Ok(1),
            status => Err(status),
        }
    }
}
