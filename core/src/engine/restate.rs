//! Restating: commands that make keys elsewhere what they are here, whatever has made them so.
//!
//! That is what is propagated where no command stands for a change: a module's timer or hook has changed
//! keys itself, or a handler has failed half way.
//!
//! ```text
//!   the key is there      RESTORE key expiry payload REPLACE ABSTTL
//!   it is not             DEL key
//! ```
//!
//! A timer or a hook may tell a command instead, which stands for what it has changed of the keys that the
//! command names; and what it does to databases is told as what it is.

use crate::command::keyspec;
use crate::durable::version::Target;
use crate::engine::call::Registered;
use crate::engine::server::{SPECIAL_TOLD, Server};
use crate::registry::propagation::Said;
use plinth_abi::bytes::Bytes;
use plinth_abi::status::{STATUS_NOT_ALLOWED, STATUS_OK, Status};

/// What there was before a module was called outside a command.
pub(super) struct Outside {
    dirty: u64,
    propagated: u64,
    said: Said,
}

impl Server {
    /// A module is called outside a command; `None` if nobody is told, or if it is part of a call that is.
    pub(super) fn enter_outside(&mut self) -> Option<Outside> {
        if self.special & SPECIAL_TOLD == 0 || self.propagation.is_part || self.propagation.touched.is_some() {
            return None;
        }
        self.propagation.touched = Some(Default::default());
        self.store.effects.wants_changes = true;
        let said = self.propagation.take_said();
        Some(Outside { dirty: self.store.dirty, propagated: self.store.effects.propagated, said })
    }

    /// Whether a module may tell of what it changes outside a command, or need not because nobody is told.
    pub fn is_told_outside(&self) -> bool {
        if self.propagation.units.is_telling {
            // What a hook for units told would be a unit, of which it is told.
            return false;
        }
        self.special & SPECIAL_TOLD == 0 || self.propagation.is_part || self.propagation.touched.is_some()
    }

    /// A module tells a command outside one: it stands for the changes of the keys that it names.
    pub fn tell_outside(&mut self, db: u32, words: &[&[u8]]) -> Status {
        if !self.is_told_outside() {
            return STATUS_NOT_ALLOWED;
        }
        if self.propagation.touched.is_none() {
            return STATUS_OK;
        }
        self.store.effects.propagate_words(db, words.iter().copied());
        let args: Vec<Bytes> = words.iter().map(|word| Bytes::of(word)).collect();
        let command = words.first().and_then(|name| self.commands.find(name));
        // SAFETY: the table has just given the pointer.
        let command = command.and_then(|command| self.resolve_subcommand(unsafe { &*command }, &args).ok());
        let keys = command.and_then(|command| keyspec::keys(command, &args).ok()).unwrap_or_default();
        let named = keys.iter().map(|key| (db, words[key.at].to_vec()));
        self.propagation.stood_for.extend(named);
        self.pending.is_due = true;
        STATUS_OK
    }

    /// A module does something to whole databases: told as a command where none stands for it. What has changed
    /// until then is told first.
    pub fn tell_databases(&mut self, words: &[&str], db: u32) {
        if self.propagation.touched.is_none() {
            return;
        }
        // Values that were removed stay: the module goes on, and may look at them.
        self.depth += 1;
        self.record();
        self.depth -= 1;
        self.restate_touched();
        self.store.effects.propagate_words(db, words.iter().map(|word| word.as_bytes()));
        self.pending.is_due = true;
    }

    /// Have keys that a module has changed outside a command made what they are, but for those that it has told of.
    fn restate_touched(&mut self) {
        let mut touched = self.propagation.touched.as_mut().map(std::mem::take).unwrap_or_default();
        touched.extend(self.store.effects.changed().map(|(db, key)| (db, key.to_vec())));
        let stood_for = std::mem::take(&mut self.propagation.stood_for);
        touched.difference(&stood_for).for_each(|(db, key)| self.restate(*db, key));
    }

    /// The call has ended.
    pub(super) fn leave_outside(&mut self, before: Outside) {
        self.propagation.put_said(before.said);
        let changed = self.store.dirty.wrapping_sub(before.dirty);
        let is_told = changed <= self.store.effects.propagated.wrapping_sub(before.propagated);
        if !is_told {
            self.restate_touched();
        }
        self.propagation.touched = None;
        self.propagation.stood_for.clear();
        self.observe();
        if !is_told {
            self.store.effects.propagated = before.propagated.wrapping_add(changed);
            self.pending.is_due = true;
        }
        self.propagate_also();
    }

    /// Have the keys that a command names restated; whether its specs tell them.
    pub(super) fn restate_named(&mut self, command: &Registered, args: &[Bytes], db: u32) -> bool {
        let Ok(keys) = keyspec::keys(command, args) else { return false };
        for key in &keys {
            // SAFETY: arguments live as long as the call, whose caller still has them.
            self.restate(db, unsafe { args[key.at].as_slice() });
        }
        !keys.is_empty()
    }

    /// Have a key elsewhere made what it is here.
    fn restate(&mut self, db: u32, key: &[u8]) {
        let hash = self.store.hash(key);
        let entry = self.store.databases[db as usize].find(hash, key);
        let saved = entry.map(|entry| (entry.expire_at_ms(), self.store.seal_value(entry, Target::PAYLOAD)));
        match saved {
            None => self.store.effects.propagate_words(db, [&b"DEL"[..], key].into_iter()),
            Some((expire_at_ms, Ok(payload))) => {
                let expiry = expire_at_ms.max(0).to_string();
                let words = [b"RESTORE", key, expiry.as_bytes(), &payload, b"REPLACE", b"ABSTTL"];
                self.store.effects.propagate_words(db, words.into_iter());
            }
            Some((_, Err(status))) => crate::base::log::warning(&format!(
                "The value of '{}' cannot be written (status {status}), and others are not told of its change.",
                crate::base::words::shown(key)
            )),
        }
    }
}
