//! Rename, move, copy, flush, swap.

use crate::store::Store;
use crate::store::codec::Loaded;
use crate::store::database::Database;
use crate::store::effects::Effect;
use crate::store::entry::{EntryPtr, Shape};
use plinth_abi::status::{
    STATUS_DB_RANGE, STATUS_EXISTS, STATUS_NONE, STATUS_OK, STATUS_OUT_OF_MEMORY, STATUS_UNSUPPORTED, Status,
};

impl Store {
    /// Give a key another name.
    pub fn rename(&mut self, db: u32, from: &[u8], to: &[u8], only_absent: bool) -> Status {
        let (from_hash, to_hash) = (self.hash(from), self.hash(to));
        let Some(entry) = self.find_to_write(db, from_hash, from) else { return STATUS_NONE };
        let there = self.find_to_write(db, to_hash, to).is_some();
        if there && only_absent {
            return STATUS_EXISTS;
        }
        if from == to {
            return STATUS_OK;
        }
        let copied = if entry.fits_name(to) {
            None
        } else {
            let Some(copied) = take_over(entry, to) else { return STATUS_OUT_OF_MEMORY };
            Some(copied)
        };
        self.forget_miss();
        if there {
            self.remove(db, to_hash, to, self.lazy.server_del);
        }
        if self.migration.is_some() && entry.is_boxed() {
            self.boxed_moves(entry.boxed(), db, to);
        }
        self.databases[db as usize].remove(from_hash, entry);
        let renamed = copied.unwrap_or_else(|| entry.rename(to));
        let rehash = crate::store::database::rehash(self.hash_keys);
        self.databases[db as usize].insert(to_hash, renamed, rehash);
        self.changed(db, from);
        self.changed(db, to);
        // Two keys, and one change.
        self.dirty -= 1;
        if renamed != entry {
            // SAFETY: the value has moved to `renamed`, and the table has let go.
            unsafe { entry.free() };
        }
        STATUS_OK
    }

    /// Move a key to another database.
    pub fn move_to(&mut self, db: u32, key: &[u8], to: u32) -> Status {
        if to as usize >= self.databases.len() {
            return STATUS_DB_RANGE;
        }
        let hash = self.hash(key);
        let Some(entry) = self.find_to_write(db, hash, key) else { return STATUS_NONE };
        if self.find_to_write(to, hash, key).is_some() {
            return STATUS_EXISTS;
        }
        self.forget_miss();
        if self.migration.is_some() && entry.is_boxed() {
            self.boxed_moves(entry.boxed(), to, key);
        }
        self.databases[db as usize].remove(hash, entry);
        let rehash = crate::store::database::rehash(self.hash_keys);
        self.databases[to as usize].insert(hash, entry, rehash);
        self.changed(db, key);
        self.changed(to, key);
        // Two keys, and one change.
        self.dirty -= 1;
        STATUS_OK
    }

    /// Copy a key.
    pub fn copy(&mut self, db: u32, from: &[u8], to: &[u8], to_db: u32, replace: bool) -> Status {
        if to_db as usize >= self.databases.len() {
            return STATUS_DB_RANGE;
        }
        let (from_hash, to_hash) = (self.hash(from), self.hash(to));
        let Some(entry) = self.find_to_write(db, from_hash, from) else { return STATUS_NONE };
        let there = self.find_to_write(to_db, to_hash, to).is_some();
        if there && !replace {
            return STATUS_EXISTS;
        }
        let copy = match self.copy_entry(entry, to) {
            Ok(copy) => copy,
            Err(status) => return status,
        };
        if there {
            self.remove(to_db, to_hash, to, self.lazy.server_del);
        }
        self.insert(to_db, to_hash, copy);
        self.charge(copy);
        self.changed(to_db, to);
        STATUS_OK
    }

    fn copy_entry(&mut self, entry: EntryPtr, to: &[u8]) -> Result<EntryPtr, Status> {
        let (data, len) = entry.value();
        let shape = Shape { clock: self.access.fresh(), ..shape_of(entry) };
        if !entry.is_boxed() {
            let copy = EntryPtr::new(to, shape).ok_or(STATUS_OUT_OF_MEMORY)?;
            // SAFETY: both values have `len` bytes, and the copy is a new allocation.
            unsafe { std::ptr::copy_nonoverlapping(data, copy.value().0, len) };
            return Ok(copy);
        }
        let table = self.types.get(entry.type_id()).ok_or(STATUS_UNSUPPORTED)?.table;
        if let Some(copy_value) = table.copy {
            // SAFETY: the value is of this type.
            let boxed = unsafe { copy_value(entry.boxed()) };
            if !boxed.is_null() {
                let Some(copy) = EntryPtr::new(to, shape) else {
                    Loaded::Boxed(shape.tag, boxed).give_back(&table);
                    return Err(STATUS_OUT_OF_MEMORY);
                };
                copy.set_boxed(boxed);
                return Ok(copy);
            }
        }
        let body = self.save_value(entry)?;
        self.load_value(&body, to, shape.expire_at_ms)
    }

    /// Remove all keys of one database, or of all; how many there were.
    pub fn flush(&mut self, db: Option<u32>, in_background: bool) -> u64 {
        let databases = self.take_away(db);
        let removed = databases.iter().map(|(_, database)| database.table.len() as u64).sum();
        self.dirty += removed;
        self.effects.push(Effect::Flushed { db, databases, in_background });
        removed
    }

    /// Take away what a database holds, or all do, and tell nobody; by number, for the caller to free.
    pub fn take_away(&mut self, db: Option<u32>) -> Vec<(u32, Database)> {
        self.database_goes(db);
        let numbers = db.map_or(0..self.databases.len(), |db| db as usize..db as usize + 1);
        numbers.map(|number| (number as u32, std::mem::take(&mut self.databases[number]))).collect()
    }

    /// Put other databases, of the same number, in the place of all, and tell nobody; those that were there.
    pub fn exchange(&mut self, others: Vec<Database>) -> Vec<Database> {
        debug_assert_eq!(others.len(), self.databases.len());
        self.forget_miss();
        std::mem::replace(&mut self.databases, others)
    }

    /// Free what a database held that was emptied.
    pub fn free_database(&mut self, mut database: Database, in_background: bool) {
        if in_background {
            let drops = self.drops();
            self.background.free_table(database.table, drops);
            return;
        }
        let free = |entry| {
            self.account(entry, -1);
            self.free(entry, false);
        };
        let mut free = free;
        while database.table.take_some(4096, &mut free) > 0 {}
    }

    /// Take up what the background has freed of each type.
    pub fn settle_accounts(&mut self) {
        for (id, values, bytes) in self.background.take_by_type() {
            if let Some(ty) = self.types.get_mut(id) {
                ty.values = ty.values.saturating_sub(values);
                ty.boxed_bytes = ty.boxed_bytes.saturating_sub(bytes);
            }
        }
        for (kind, values) in self.background.take_ghosts() {
            self.ghosts.count(kind, -i64::try_from(values).unwrap_or(i64::MAX));
        }
    }

    /// Exchange two databases.
    pub fn swap(&mut self, first: u32, second: u32) -> Status {
        let count = self.databases.len() as u32;
        if first >= count || second >= count {
            return STATUS_DB_RANGE;
        }
        if first != second {
            self.forget_miss();
            self.databases.swap(first as usize, second as usize);
            self.databases_swap(first, second);
            self.dirty += 1;
        }
        self.effects.push(Effect::Swapped { first, second });
        STATUS_OK
    }
}

/// What an entry is made of.
fn shape_of(entry: EntryPtr) -> Shape {
    Shape {
        type_id: entry.type_id(),
        tag: entry.tag(),
        expire_at_ms: entry.expire_at_ms(),
        clock: entry.clock(),
        inline_len: (!entry.is_boxed()).then(|| entry.value().1),
    }
}

/// A new entry under another key that takes the value over; the old one is to be
/// freed without its value.
fn take_over(entry: EntryPtr, key: &[u8]) -> Option<EntryPtr> {
    let (data, len) = entry.value();
    let renamed = EntryPtr::new(key, shape_of(entry))?;
    // SAFETY: same form and length, so both values have `len` bytes, boxed ones too.
    unsafe { std::ptr::copy_nonoverlapping(data, renamed.value().0, len) };
    Some(renamed)
}
