//! Restating: commands that make keys elsewhere what they are here, whatever has made them so.
//!
//! That is what is propagated where no command stands for a change: a module's timer or hook has changed
//! keys itself, or a handler has failed half way.
//!
//! ```text
//!   the key is there      RESTORE key expiry payload REPLACE ABSTTL
//!   it is not             DEL key
//! ```

use crate::command::keyspec;
use crate::durable::version::Target;
use crate::engine::call::Registered;
use crate::engine::server::{SPECIAL_TOLD, Server};
use crate::registry::propagation::Said;
use plinth_abi::bytes::Bytes;

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

    /// The call has ended.
    pub(super) fn leave_outside(&mut self, before: Outside) {
        let mut touched = self.propagation.touched.take().unwrap_or_default();
        self.observe();
        self.propagation.put_said(before.said);
        let changed = self.store.dirty.wrapping_sub(before.dirty);
        if changed <= self.store.effects.propagated.wrapping_sub(before.propagated) {
            return;
        }
        touched.extend(self.store.effects.changed().map(|(db, key)| (db, key.to_vec())));
        touched.into_iter().for_each(|(db, key)| self.restate(db, &key));
        self.store.effects.propagated = before.propagated.wrapping_add(changed);
        self.pending.is_due = true;
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
                String::from_utf8_lossy(key)
            )),
        }
    }
}
