//! Migrations: a large value on its way from one module to another, slice by slice.
//!
//! ```text
//! begin ─> slice: changes, then elements ─> ... ─> no element and no change left ─> take place
//!    \__________ the key is gone, an operator stops it, a function fails: abort ______/
//! ```
//!
//! One value at a time. Each slice begins with the elements that commands have changed
//! since the last one, so that what is left to do at the end fits in a slice.
//!
//! Elements of some types are edits of a sequence, each of which counts on those before it (`convert.h`).
//! So what the old value hands out goes to the new one at once and in that order, each once; and elements
//! are asked for only when no change is left, before any command runs.
//!
//! *Invariant*: whoever frees a boxed value, or gives its key another name or place,
//! says so here first ([`Store::boxed_goes`], [`Store::boxed_moves`]); so the value
//! that a migration remembers is alive, and under the key that it remembers.

use crate::base::id::ModuleId;
use crate::store::Store;
use crate::store::entry::{EntryPtr, Shape};
use plinth_abi::bytes::{Bytes, Opaque};
use plinth_abi::convert::{Convert, Element};
use plinth_abi::status::{STATUS_OK, STATUS_OUT_OF_MEMORY, Status};
use plinth_abi::value::TAG_MAX;
use std::time::{Duration, Instant};

/// Most elements between two looks at the clock ...
const STEP_ELEMENTS: usize = 32;
/// ... and how long they should take at most: where they take longer, fewer are asked for.
const STEP_TIME: Duration = Duration::from_micros(50);

/// A value on its way.
pub struct Migration {
    /// Where the key is.
    db: u32,
    key: Vec<u8>,
    /// Types of the old value and of the new.
    from: u8,
    to: u8,
    old: Opaque,
    new: Opaque,
    cursor: u64,
    /// Whether all elements have been handed out.
    is_complete: bool,
    /// Elements handed over so far.
    elements: u64,
    /// Elements to be asked for next.
    step: usize,
}

impl Migration {
    /// Key, and elements handed over so far.
    pub fn progress(&self) -> (&[u8], u64) {
        (&self.key, self.elements)
    }
}

/// What the visitor of an export works with.
struct Import {
    table: Convert,
    boxed: Opaque,
    elements: u64,
}

unsafe extern "C" fn take(data: Opaque, element: Bytes, payload: Bytes, removed: u32) -> Status {
    // SAFETY: `data` is the import of the slice that runs; the bytes are valid for the call.
    unsafe {
        let import = &mut *data.cast::<Import>();
        import.elements += 1;
        if removed != 0 {
            (import.table.import_remove)(import.boxed, element)
        } else {
            (import.table.import_put)(import.boxed, element, payload)
        }
    }
}

impl Store {
    /// How values of a type are converted in slices, if both it and its twin can.
    fn sliced(&self, from: u8) -> Option<(Convert, Convert)> {
        let of = |id| self.types.get(id).and_then(crate::store::types::DataType::convert);
        Some((of(from)?, of(self.types.twin(from))?))
    }

    /// Key and progress of the value of a module that is on its way.
    pub fn migration_of(&self, id: ModuleId) -> Option<(&[u8], u64)> {
        let migration = self.migration.as_ref()?;
        let is_its = self.types.get(migration.from).is_some_and(|ty| ty.module == id);
        is_its.then(|| migration.progress())
    }

    /// Begin to migrate a boxed value; whether that is possible.
    pub fn begin_migration(&mut self, db: u32, entry: EntryPtr) -> bool {
        let (from, old) = (entry.type_id(), entry.boxed());
        if self.migration.is_some() || self.given_up.contains(&(old as usize)) {
            return false;
        }
        let Some((exporter, importer)) = self.sliced(from) else { return false };
        // SAFETY: functions of loaded modules, with a value of the type.
        unsafe {
            if (exporter.export_begin)(old) != STATUS_OK {
                return false;
            }
            let new = (importer.import_new)();
            if new.is_null() {
                (exporter.export_end)(old);
                return false;
            }
            let key = entry.key().to_vec();
            let to = self.types.twin(from);
            self.migration = Some(Migration {
                db,
                key,
                from,
                to,
                old,
                new,
                cursor: 0,
                is_complete: false,
                elements: 0,
                step: STEP_ELEMENTS,
            });
        }
        true
    }

    /// Go on with the migration until `end`, or until it is over; why it failed.
    pub fn migrate_some(&mut self, end: Instant) -> Result<(), Status> {
        let Some(mut migration) = self.migration.take() else { return Ok(()) };
        let Some((exporter, importer)) = self.sliced(migration.from) else { return Ok(()) };
        let done = match migration.run(&exporter, importer, end) {
            Ok(false) => {
                self.migration = Some(migration);
                return Ok(());
            }
            Ok(true) => self.settle(&migration, &exporter, &importer),
            Err(status) => Err(status),
        };
        done.inspect_err(|status| self.fail(migration, &exporter, *status))
    }

    /// Go on with the migration for one step of so many elements; why it failed. For tests of modules,
    /// which say how much happens between two commands.
    pub fn migrate_step(&mut self, elements: usize) -> Result<(), Status> {
        if let Some(migration) = &mut self.migration {
            migration.step = elements;
        }
        self.migrate_some(Instant::now())
    }

    /// Put the new value in the old one's place.
    fn settle(&mut self, migration: &Migration, exporter: &Convert, importer: &Convert) -> Result<(), Status> {
        let mut tag = 0;
        // SAFETY: the new value is the migration's.
        let status = unsafe { (importer.import_finish)(migration.new, &mut tag) };
        if status != STATUS_OK || tag > TAG_MAX {
            return Err(status);
        }
        let hash = self.hash(&migration.key);
        let found = self.databases[migration.db as usize].find(hash, &migration.key);
        let old = found.filter(|entry| entry.is_boxed() && entry.boxed() == migration.old).ok_or(STATUS_OK)?;
        let shape = Shape {
            type_id: migration.to,
            tag: tag as u8,
            expire_at_ms: old.expire_at_ms(),
            clock: old.clock(),
            inline_len: None,
        };
        let entry = EntryPtr::new(&migration.key, shape).ok_or(STATUS_OUT_OF_MEMORY)?;
        entry.set_boxed(migration.new);
        // SAFETY: the old value is alive: it is in the table.
        unsafe { (exporter.export_end)(migration.old) };
        self.take_place(migration.db, hash, old, entry);
        self.types.count_converted(migration.from, true);
        Ok(())
    }

    /// Give a migration up whose value is alive, and remember that it cannot be done.
    fn fail(&mut self, migration: Migration, exporter: &Convert, status: Status) {
        crate::base::log::warning(&format!(
            "The value of '{}' cannot be converted element by element (status {status})",
            String::from_utf8_lossy(&migration.key)
        ));
        self.given_up.push(migration.old as usize);
        // SAFETY: the old value is alive, see the invariant.
        unsafe { (exporter.export_end)(migration.old) };
        self.drop_import(migration);
    }

    /// Give the migration up; its value stays as it is.
    pub fn abort_migration(&mut self) {
        let Some(migration) = self.migration.take() else { return };
        if let Some((exporter, _)) = self.sliced(migration.from) {
            // SAFETY: the old value is alive, see the invariant.
            unsafe { (exporter.export_end)(migration.old) };
        }
        self.drop_import(migration);
    }

    fn drop_import(&mut self, migration: Migration) {
        if let Some(free) = self.types.get(migration.to).and_then(|ty| ty.table.drop) {
            self.background.free_boxed(migration.new, 0, free);
        }
    }

    /// A boxed value is about to be freed, or replaced under its key.
    #[cold]
    pub fn boxed_goes(&mut self, boxed: Opaque) {
        if let Some(migration) = self.migration.take_if(|migration| migration.old == boxed) {
            self.drop_import(migration);
        }
    }

    /// A boxed value is about to be found under another key.
    #[cold]
    pub fn boxed_moves(&mut self, boxed: Opaque, db: u32, key: &[u8]) {
        if let Some(migration) = self.migration.as_mut().filter(|migration| migration.old == boxed) {
            migration.db = db;
            migration.key = key.to_vec();
        }
    }

    /// A database is about to be emptied, or all are.
    pub fn database_goes(&mut self, db: Option<u32>) {
        if self.migration.as_ref().is_some_and(|migration| db.is_none_or(|db| db == migration.db)) {
            self.abort_migration();
        }
    }

    /// Two databases are about to change places.
    pub fn databases_swap(&mut self, first: u32, second: u32) {
        if let Some(migration) = &mut self.migration {
            migration.db = match migration.db {
                db if db == first => second,
                db if db == second => first,
                db => db,
            };
        }
    }
}

impl Migration {
    /// One slice; whether nothing is left to hand over.
    fn run(&mut self, exporter: &Convert, importer: Convert, end: Instant) -> Result<bool, Status> {
        let mut import = Import { table: importer, boxed: self.new, elements: 0 };
        let data: Opaque = (&raw mut import).cast();
        let visit = Element { run: take };
        let mut began = Instant::now();
        loop {
            let mut left = 0;
            // SAFETY: the old value is alive and of the exporter's type; the new one is
            // the importer's; `import` lives for the call.
            let mut status = unsafe { (exporter.export_changes)(self.old, self.step, &mut left, visit, data) };
            if status == STATUS_OK && left == 0 && !self.is_complete {
                // SAFETY: as above.
                status = unsafe { (exporter.export_some)(self.old, &mut self.cursor, self.step, visit, data) };
                self.is_complete = self.cursor == 0;
            }
            self.elements += std::mem::take(&mut import.elements);
            if status != STATUS_OK {
                return Err(status);
            }
            if left == 0 && self.is_complete {
                return Ok(true);
            }
            let now = Instant::now();
            let is_slow = now - std::mem::replace(&mut began, now) > STEP_TIME;
            self.step = if is_slow { (self.step / 2).max(1) } else { (self.step * 2).min(STEP_ELEMENTS) };
            if now >= end {
                return Ok(false);
            }
        }
    }
}
