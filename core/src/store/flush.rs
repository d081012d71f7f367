//! Rename, move, copy, flush, swap.

use crate::engine::server::Server;
use crate::store::codec::Loaded;
use crate::store::database::Database;
use crate::store::entry::{EntryPtr, Shape};
use plinth_abi::events::{ON_FLUSH, ON_SWAP};
use plinth_abi::status::{
    STATUS_DB_RANGE, STATUS_EXISTS, STATUS_NONE, STATUS_OK, STATUS_OUT_OF_MEMORY, STATUS_UNSUPPORTED, Status,
};

impl Server {
    /// Give a key another name.
    pub fn rename(&mut self, db: u32, from: &[u8], to: &[u8], only_absent: bool) -> Status {
        let (from_hash, to_hash) = (self.keyspace.hash(from), self.keyspace.hash(to));
        let Some(entry) = self.find_to_write(db, from_hash, from) else { return STATUS_NONE };
        let there = self.find_to_write(db, to_hash, to).is_some();
        if there && only_absent {
            return STATUS_EXISTS;
        }
        if from == to {
            return STATUS_OK;
        }
        let Some(renamed) = take_over(entry, to) else { return STATUS_OUT_OF_MEMORY };
        if there {
            self.remove(db, to_hash, to, self.settings.lazyfree_lazy_server_del);
        }
        if self.migration.is_some() && entry.is_boxed() {
            self.boxed_moves(entry.boxed(), db, to);
        }
        self.keyspace.databases[db as usize].remove(from_hash, entry);
        let rehash = crate::store::database::rehash(self.keyspace.hash_keys);
        self.keyspace.databases[db as usize].insert(to_hash, renamed, rehash);
        self.changed(db, from);
        self.changed(db, to);
        // SAFETY: the value has moved to `renamed`, and the table has let go.
        unsafe { entry.free() };
        STATUS_OK
    }

    /// Move a key to another database.
    pub fn move_to(&mut self, db: u32, key: &[u8], to: u32) -> Status {
        if to as usize >= self.keyspace.databases.len() {
            return STATUS_DB_RANGE;
        }
        let hash = self.keyspace.hash(key);
        let Some(entry) = self.find_to_write(db, hash, key) else { return STATUS_NONE };
        if self.find_to_write(to, hash, key).is_some() {
            return STATUS_EXISTS;
        }
        if self.migration.is_some() && entry.is_boxed() {
            self.boxed_moves(entry.boxed(), to, key);
        }
        self.keyspace.databases[db as usize].remove(hash, entry);
        let rehash = crate::store::database::rehash(self.keyspace.hash_keys);
        self.keyspace.databases[to as usize].insert(hash, entry, rehash);
        self.changed(db, key);
        self.changed(to, key);
        STATUS_OK
    }

    /// Copy a key.
    pub fn copy(&mut self, db: u32, from: &[u8], to: &[u8], to_db: u32, replace: bool) -> Status {
        if to_db as usize >= self.keyspace.databases.len() {
            return STATUS_DB_RANGE;
        }
        let (from_hash, to_hash) = (self.keyspace.hash(from), self.keyspace.hash(to));
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
            self.remove(to_db, to_hash, to, self.settings.lazyfree_lazy_server_del);
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
        let table = self.keyspace.types.get(entry.type_id()).ok_or(STATUS_UNSUPPORTED)?.table;
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
        self.spoil_database(db, None);
        self.database_goes(db);
        let numbers = db.map_or(0..self.keyspace.databases.len(), |db| db as usize..db as usize + 1);
        let mut removed = 0;
        for number in numbers {
            let database = std::mem::take(&mut self.keyspace.databases[number]);
            removed += database.table.len() as u64;
            self.empty(database, in_background);
        }
        self.dirty += removed;
        self.note_ready_database(db);
        self.publish(&crate::registry::hooks::event(ON_FLUSH, db.map_or(-1, |db| db as i32), &[]));
        removed
    }

    fn empty(&mut self, mut database: Database, in_background: bool) {
        if in_background {
            let drops = self.keyspace.drops();
            self.keyspace.background.free_table(database.table, drops);
        } else {
            while database.table.take_some(4096, |entry| self.discard(entry, false)) > 0 {}
        }
    }

    /// Take up what the background has freed of each type.
    pub fn settle_accounts(&mut self) {
        for (id, values, bytes) in self.keyspace.background.take_by_type() {
            if let Some(ty) = self.keyspace.types.get_mut(id) {
                ty.values = ty.values.saturating_sub(values);
                ty.boxed_bytes = ty.boxed_bytes.saturating_sub(bytes);
            }
        }
        for (kind, values) in self.keyspace.background.take_ghosts() {
            self.keyspace.ghosts.count(kind, -i64::try_from(values).unwrap_or(i64::MAX));
        }
    }

    /// Exchange two databases.
    pub fn swap(&mut self, first: u32, second: u32) -> Status {
        let count = self.keyspace.databases.len() as u32;
        if first >= count || second >= count {
            return STATUS_DB_RANGE;
        }
        if first != second {
            self.spoil_database(Some(first), Some(second));
            self.spoil_database(Some(second), Some(first));
            self.keyspace.databases.swap(first as usize, second as usize);
            self.databases_swap(first, second);
            self.dirty += 1;
            self.note_ready_database(Some(first));
            self.note_ready_database(Some(second));
        }
        let mut event = crate::registry::hooks::event(ON_SWAP, first as i32, &[]);
        event.other_db = second as i32;
        self.publish(&event);
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
