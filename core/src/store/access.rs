//! Finding, making and removing keys, with all that hangs on it: expiry, counters, access clocks,
//! effects, and accounts of types.

use crate::store::Store;
use crate::store::background::{DropFn, free_entry};
use crate::store::database::rehash;
use crate::store::effects::Effect;
use crate::store::entry::{EntryPtr, Shape};
use crate::store::ghost::GHOST;
use crate::store::types::value_of;
use plinth_abi::keys::{
    EVENT_EXPIRED, EVENT_MISS, EVENT_NEW, EVENT_UNAWAITED, EVENT_UNCOUNTED, EVENT_UNWATCHED, EXPIRE_NONE, GET_NO_STATS,
    GET_NO_TOUCH, GET_WRITE,
};
use plinth_abi::status::{STATUS_EXISTS, STATUS_OUT_OF_MEMORY, Status};

/// The table's share of a key: 9.4 bytes on the average.
const SLOT_BYTES: usize = 10;
/// Above this effort a value is freed in the background when that is asked for.
const LAZY_EFFORT: usize = 64;

/// What a new value is made of.
#[derive(Clone, Copy)]
pub struct NewValue {
    /// Type.
    pub type_id: u8,
    /// The module's tag.
    pub tag: u8,
    /// Inline length, `None` for a boxed value.
    pub inline_len: Option<usize>,
    /// Keep the expiry that the key has.
    pub keep_expiry: bool,
    /// There is to be no such key.
    pub absent: bool,
}

impl Store {
    /// The entry of a key that has not expired. An expired one is removed.
    #[inline]
    pub fn find(&mut self, db: u32, hash: u64, key: &[u8]) -> Option<EntryPtr> {
        let Some(entry) = self.databases[db as usize].find(hash, key) else { return self.miss(db, hash) };
        if entry.has_expired(self.now_ms) {
            self.expire(db, hash, entry);
            return None;
        }
        Some(entry)
    }

    /// Find a key that is going to be written: an expired one is removed even while writes pause, so
    /// that it cannot be found beside its successor. Where keys must stay as they are, it stays.
    pub fn find_to_write(&mut self, db: u32, hash: u64, key: &[u8]) -> Option<EntryPtr> {
        let Some(entry) = self.databases[db as usize].find(hash, key) else { return self.miss(db, hash) };
        if entry.has_expired(self.now_ms) {
            if self.frozen == 0 {
                self.remove_expired(db, hash, entry);
            }
            return None;
        }
        Some(entry)
    }

    /// Remember which key is not there, so that who makes it next need not look again.
    #[inline]
    fn miss(&mut self, db: u32, hash: u64) -> Option<EntryPtr> {
        self.missed = Some((db, hash));
        None
    }

    /// Keys are there that were not.
    #[inline]
    pub(super) fn forget_miss(&mut self) {
        self.missed = None;
    }

    /// Find a key for a command: counts hits and misses, and renews the access clock.
    #[inline]
    pub fn lookup(&mut self, db: u32, hash: u64, key: &[u8], flags: u32) -> Option<EntryPtr> {
        let found = if flags & GET_WRITE == 0 { self.find(db, hash, key) } else { self.find_to_write(db, hash, key) };
        if flags & (GET_NO_STATS | GET_WRITE) == 0 {
            if found.is_some() {
                self.counters.hits += 1;
            } else {
                self.counters.misses += 1;
                self.notify(db, key, EVENT_MISS, b"keymiss");
            }
        }
        let entry = found?;
        if flags & GET_NO_TOUCH == 0 {
            entry.set_clock(self.access.touched(entry.clock(), flags & GET_WRITE != 0, || self.random.number()));
        }
        Some(entry)
    }

    /// Remove a key that has expired, unless that must wait.
    #[cold]
    pub fn expire(&mut self, db: u32, hash: u64, entry: EntryPtr) {
        if self.may_expire() {
            self.remove_expired(db, hash, entry);
        }
    }

    fn remove_expired(&mut self, db: u32, hash: u64, entry: EntryPtr) {
        self.counters.expired += 1;
        self.databases[db as usize].remove(hash, entry);
        // SAFETY: the entry is out of the table and freed below.
        let key = unsafe { entry.key() };
        self.changed_unasked(db, key);
        if self.effects.wants_commands {
            self.effects.propagate_removal(db, key, self.lazy.expire);
        }
        self.notify(db, key, EVENT_EXPIRED, b"expired");
        self.discard(entry, self.lazy.expire);
    }

    /// Make a key or replace its value; the entry, whose value is to be filled. Fails with
    /// `OUT_OF_MEMORY`, and with `EXISTS` for a key that was to be absent; nothing changed then.
    pub fn put(&mut self, db: u32, hash: u64, key: &[u8], new: NewValue) -> Result<EntryPtr, Status> {
        let is_absent = new.absent && self.missed == Some((db, hash));
        let old = if is_absent { None } else { self.find_to_write(db, hash, key) };
        if let Some(entry) = old {
            if new.absent {
                return Err(STATUS_EXISTS);
            }
            return self.overwrite(db, hash, entry, new).ok_or(STATUS_OUT_OF_MEMORY);
        }
        let shape = Shape {
            type_id: new.type_id,
            tag: new.tag,
            expire_at_ms: EXPIRE_NONE,
            clock: self.access.fresh(),
            inline_len: new.inline_len,
        };
        let entry = EntryPtr::new(key, shape).ok_or(STATUS_OUT_OF_MEMORY)?;
        self.insert(db, hash, entry);
        self.notify(db, key, EVENT_NEW, b"new");
        Ok(entry)
    }

    /// Take an entry in whose key is not there.
    pub fn insert(&mut self, db: u32, hash: u64, entry: EntryPtr) {
        self.forget_miss();
        let rehash = rehash(self.hash_keys);
        self.databases[db as usize].insert(hash, entry, rehash);
        self.account(entry, 1);
    }

    /// Count an entry in or out of its type.
    pub(super) fn account(&mut self, entry: EntryPtr, by: i64) {
        if let Some(ty) = self.types.get_mut(entry.type_id()) {
            ty.values = ty.values.wrapping_add_signed(by);
            if entry.is_boxed() {
                let bytes = entry.charge() as i64;
                ty.boxed_bytes = ty.boxed_bytes.wrapping_add_signed(by * bytes);
            }
        } else if entry.type_id() == GHOST {
            self.ghosts.count(crate::store::ghost::kind(entry), by);
        }
    }

    fn overwrite(&mut self, db: u32, hash: u64, entry: EntryPtr, new: NewValue) -> Option<EntryPtr> {
        let expire_at_ms = if new.keep_expiry { entry.expire_at_ms() } else { EXPIRE_NONE };
        let plain = !entry.is_boxed() && new.inline_len.is_some() && entry.type_id() == new.type_id;
        if plain {
            let clock = self.access.fresh();
            if new.inline_len == Some(entry.value().1) && expire_at_ms == entry.expire_at_ms() {
                // The new value lies where the old one did.
                entry.set_tag(new.tag);
                entry.set_clock(clock);
                return Some(entry);
            }
            let entry = self.reshape(db, hash, entry, new.inline_len, new.tag, expire_at_ms, false)?;
            entry.set_clock(clock);
            return Some(entry);
        }
        // Another type or form: a new entry takes the old one's place.
        let shape = Shape {
            type_id: new.type_id,
            tag: new.tag,
            expire_at_ms,
            clock: self.access.fresh(),
            inline_len: new.inline_len,
        };
        // SAFETY: the old entry is alive until it is discarded.
        let fresh = EntryPtr::new(unsafe { entry.key() }, shape)?;
        self.databases[db as usize].replaced(hash, entry, fresh, entry.has_expiry());
        self.account(fresh, 1);
        self.discard(entry, self.lazy.server_del);
        Some(fresh)
    }

    /// Give an entry's value another length, form or tag, and its key another expiry.
    #[allow(clippy::too_many_arguments, reason = "one more struct would say the same")]
    pub fn reshape(
        &mut self,
        db: u32,
        hash: u64,
        entry: EntryPtr,
        inline_len: Option<usize>,
        tag: u8,
        expire_at_ms: i64,
        reserve: bool,
    ) -> Option<EntryPtr> {
        let had_expiry = entry.has_expiry();
        if self.migration.is_some() && entry.is_boxed() && inline_len.is_some() {
            self.boxed_goes(entry.boxed());
        }
        let moved = entry.reshape(inline_len, tag, expire_at_ms, reserve)?;
        self.databases[db as usize].replaced(hash, entry, moved, had_expiry);
        Some(moved)
    }

    /// Remove a key; whether it was there.
    pub fn remove(&mut self, db: u32, hash: u64, key: &[u8], lazy: bool) -> bool {
        let Some(entry) = self.find_to_write(db, hash, key) else { return false };
        self.databases[db as usize].remove(hash, entry);
        self.discard(entry, lazy);
        true
    }

    /// Let go of an entry that is in no table, with its value: it is freed when its effect is
    /// taken.
    pub fn discard(&mut self, entry: EntryPtr, lazy: bool) {
        self.account(entry, -1);
        if self.migration.is_some() && entry.is_boxed() {
            self.boxed_goes(entry.boxed());
        }
        self.effects.remove(entry, lazy);
    }

    /// Free the entry of an effect that was taken.
    pub fn free(&mut self, entry: EntryPtr, lazy: bool) {
        if entry.is_boxed()
            && lazy
            && let Some(free) = self.lazy_drop(entry)
        {
            self.background.free_boxed(entry.boxed(), entry.charge() as usize, free);
            // SAFETY: it was taken out of its table, and nobody else has its effect.
            unsafe { entry.free() };
            return;
        }
        if entry.is_boxed() {
            free_entry(entry, &self.drops());
        } else {
            // SAFETY: as above.
            unsafe { entry.free() };
        }
    }

    /// How a value is freed, if that is worth the background.
    fn lazy_drop(&self, entry: EntryPtr) -> Option<DropFn> {
        let table = &self.types.get(entry.type_id())?.table;
        let effort = table.free_effort.map_or(1, |effort| {
            let value = value_of(entry);
            // SAFETY: the value is of this type.
            unsafe { effort(&raw const value) }
        });
        if effort > LAZY_EFFORT { table.drop } else { None }
    }

    /// Bytes that a key takes with its value, and its share of the table.
    pub fn bytes_of(&self, entry: EntryPtr) -> usize {
        let behind = match self.types.get(entry.type_id()).and_then(|ty| ty.table.memory) {
            Some(memory) if entry.is_boxed() => {
                let value = value_of(entry);
                // SAFETY: the value is of this type.
                unsafe { memory(&raw const value) }
            }
            _ => 0,
        };
        entry.allocated() + SLOT_BYTES + behind
    }

    /// Measure a boxed value anew, after it changed.
    pub fn charge(&mut self, entry: EntryPtr) {
        if !entry.is_boxed() {
            return;
        }
        let Some(ty) = self.types.get_mut(entry.type_id()) else { return };
        let value = value_of(entry);
        // SAFETY: the value is of this type.
        let bytes = ty.table.memory.map_or(0, |memory| unsafe { memory(&raw const value) }) as u64;
        ty.boxed_bytes = ty.boxed_bytes.wrapping_add(bytes).wrapping_sub(entry.charge());
        entry.set_charge(bytes);
    }

    /// A key's value changed: count it, spoil the transactions of those who watch it, and
    /// note it for those who wait for it.
    #[inline]
    pub fn changed(&mut self, db: u32, key: &[u8]) {
        self.changed_for(db, key, 0);
    }

    /// As [`changed`](Self::changed); with [`EVENT_UNAWAITED`] in `class` not for those who wait for the
    /// key, with [`EVENT_UNWATCHED`] not for those who watch it, with [`EVENT_UNCOUNTED`] no change of
    /// its own.
    #[inline]
    pub fn changed_for(&mut self, db: u32, key: &[u8], class: u32) {
        self.dirty += u64::from(class & EVENT_UNCOUNTED == 0);
        if self.effects.wants_changes {
            self.note_change(db, key, class, false);
        }
    }

    /// As [`changed`](Self::changed), of a key that has gone of itself, whoever's command has found it.
    pub(super) fn changed_unasked(&mut self, db: u32, key: &[u8]) {
        self.dirty += 1;
        if self.effects.wants_changes {
            self.note_change(db, key, 0, true);
        }
    }

    #[cold]
    fn note_change(&mut self, db: u32, key: &[u8], class: u32, is_unasked: bool) {
        let hash = self.hash(key);
        let is_there = self.databases[db as usize].find(hash, key).is_some();
        let (is_awaited, is_watched) = (class & EVENT_UNAWAITED == 0, class & EVENT_UNWATCHED == 0);
        self.effects.push(Effect::Changed { db, key: key.to_vec(), is_there, is_awaited, is_watched, is_unasked });
    }

    /// Note a key's event. Hooks do not see [`EVENT_UNAWAITED`], [`EVENT_UNWATCHED`] and [`EVENT_UNCOUNTED`],
    /// whoever says them.
    #[inline]
    pub fn notify(&mut self, db: u32, key: &[u8], class: u32, name: &[u8]) {
        if self.effects.wanted_events != 0 {
            self.note_event(db, key, class, name);
        }
    }

    #[cold]
    fn note_event(&mut self, db: u32, key: &[u8], class: u32, name: &[u8]) {
        let class = class & !(EVENT_UNAWAITED | EVENT_UNWATCHED | EVENT_UNCOUNTED);
        let wanted = self.effects.wanted_events;
        if wanted != u32::MAX && class & wanted == 0 {
            return;
        }
        self.effects.push(Effect::Event { db, key: key.to_vec(), class, name: name.to_vec() });
    }
}
