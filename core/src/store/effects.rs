//! What has happened in the store, for those who are told of it once it is at rest.
//!
//! ```text
//!   store ── push ──> Changed, Event, Flushed, Swapped, Propagate; what was removed ── pop ──> the engine's observers
//! ```
//!
//! The store calls nobody. It notes what happened, but for what nobody wants to know, and the engine
//! passes it on when no borrow of the store lives.
//!
//! Invariants:
//! - A value that is removed belongs to the effects, and is freed when it is taken from them: whoever
//!   has looked at it in the same handler may go on doing so.
//! - Effects are taken in the order in which they happened.

use crate::store::database::Database;
use crate::store::entry::EntryPtr;
use crate::wire::command;
use bytes::{Bytes, BytesMut};
use plinth_abi::propagate::{PROPAGATE_TO_FILE, PROPAGATE_TO_REPLICAS};
use std::collections::VecDeque;

/// Bytes that commands to be passed on are first given.
const COMMANDS_BYTES: usize = 16 * 1024;

/// Something that has happened.
pub enum Effect {
    /// A key's value changed, was made or removed.
    Changed {
        /// Database of the key.
        db: u32,
        /// The key.
        key: Vec<u8>,
        /// Whether there was such a key when it had changed.
        is_there: bool,
        /// Whether it is what those wait for who wait for the key.
        is_awaited: bool,
        /// Whether it is what those mind who watch the key.
        is_watched: bool,
        /// Whether nobody has asked for it: the key has expired or made room for others.
        is_unasked: bool,
    },
    /// An event of a key.
    Event {
        /// Database of the key.
        db: u32,
        /// The key.
        key: Vec<u8>,
        /// Its `EVENT_*` class.
        class: u32,
        /// Its name.
        name: Vec<u8>,
    },
    /// Databases were emptied; what they held.
    Flushed {
        /// The one, or `None` for all.
        db: Option<u32>,
        /// What they held, by number.
        databases: Vec<(u32, Database)>,
        /// Whether it is to be freed by the thread.
        in_background: bool,
    },
    /// Two databases changed places.
    Swapped {
        /// The one.
        first: u32,
        /// The other, which may be the same.
        second: u32,
    },
    /// A command that brings about elsewhere what has happened here.
    Propagate {
        /// The database that it is for.
        db: u32,
        /// The command, as clients send it.
        command: Bytes,
        /// Who is told of it: `PROPAGATE_TO_*`.
        targets: u32,
    },
    /// The commands that were propagated since the last such end belong together: a reader that writes
    /// them down frames them by MULTI and EXEC if they are several.
    UnitEnd,
}

/// Effects that nobody has been told of.
#[derive(Default)]
pub struct Effects {
    list: VecDeque<Effect>,
    /// Where commands that are passed on are written; each is a piece of it, so that none takes memory of
    /// its own.
    commands: BytesMut,
    /// Entries that are in no table any more, and whether the thread is to free their values.
    removed: Vec<(EntryPtr, bool)>,
    /// Whether somebody watches keys, or waits for some.
    pub wants_changes: bool,
    /// Classes of the events of keys that somebody is told of, all bits for those without a class, too.
    pub wanted_events: u32,
    /// Whether somebody passes commands on.
    pub wants_commands: bool,
    /// Whether removals that nobody has asked for belong to no unit with others: the command that runs meets keys by
    /// chance.
    pub keeps_apart: bool,
    /// Whether commands were propagated since the last [`Effect::UnitEnd`].
    pub unit_is_open: bool,
    /// Who is not told of what the command that runs brings about: `PROPAGATE_TO_*`.
    pub untold: u32,
    /// How much of the store's `dirty` is propagated, or is part of what will be.
    pub propagated: u64,
    /// Whether there is any: what is looked at after each command.
    pub is_due: bool,
}

impl Effects {
    /// Note an effect.
    pub fn push(&mut self, effect: Effect) {
        self.list.push_back(effect);
        self.is_due = true;
    }

    /// Note a command that is to be passed on.
    pub fn propagate(&mut self, db: u32, command: Bytes) {
        self.propagate_to(db, command, (PROPAGATE_TO_FILE | PROPAGATE_TO_REPLICAS) & !self.untold);
    }

    /// Note a command that is to be passed on to some.
    pub fn propagate_to(&mut self, db: u32, command: Bytes, targets: u32) {
        self.unit_is_open = true;
        self.push(Effect::Propagate { db, command, targets });
    }

    /// Note a command that is to be passed on, by its words.
    pub fn propagate_words<'w>(&mut self, db: u32, words: impl ExactSizeIterator<Item = &'w [u8]> + Clone) {
        if self.commands.capacity() == 0 {
            self.commands.reserve(COMMANDS_BYTES);
        }
        command::append(&mut self.commands, words);
        let command = self.commands.split().freeze();
        self.propagate(db, command);
    }

    /// Databases and keys that have changed, of which nobody was told yet.
    pub fn changed(&self) -> impl Iterator<Item = (u32, &[u8])> {
        self.list.iter().filter_map(|effect| match effect {
            Effect::Changed { db, key, .. } => Some((*db, key.as_slice())),
            _ => None,
        })
    }

    /// Note the removal of a key that nobody asked for, a change that is the store's own.
    #[cold]
    pub fn propagate_removal(&mut self, db: u32, key: &[u8], lazy: bool) {
        if self.keeps_apart {
            self.end_unit();
        }
        self.propagated += 1;
        let name: &[u8] = if lazy { b"UNLINK" } else { b"DEL" };
        // It is no doing of the command that runs.
        let untold = std::mem::take(&mut self.untold);
        self.propagate_words(db, [name, key].into_iter());
        self.untold = untold;
    }

    /// Note that what was propagated until now belongs together, if there is anything.
    pub fn end_unit(&mut self) {
        if std::mem::take(&mut self.unit_is_open) {
            self.push(Effect::UnitEnd);
        }
    }

    /// Note an entry that was taken out of its table.
    #[inline]
    pub fn remove(&mut self, entry: EntryPtr, lazy: bool) {
        self.removed.push((entry, lazy));
        self.is_due = true;
    }

    /// The next effect, which is forgotten.
    pub fn pop(&mut self) -> Option<Effect> {
        let next = self.list.pop_front();
        self.is_due = !self.list.is_empty() || !self.removed.is_empty();
        next
    }

    /// An entry that was removed, for the caller to free.
    pub fn pop_removed(&mut self) -> Option<(EntryPtr, bool)> {
        let last = self.removed.pop();
        self.is_due = !self.list.is_empty() || !self.removed.is_empty();
        last
    }
}
