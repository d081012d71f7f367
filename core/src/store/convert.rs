//! Values of one type as those of another of the same name: on access, and whole.
//!
//! While a module replaces another, both have a type of one name, its *twins*, and
//! values of either. A command asks for a value of its own module's; when the key
//! holds one of the twin, it is saved and loaded before the command sees it, so that
//! every command works whatever the sweep has come to. What would take too long that
//! way is kept away from here by the engine (`handover.rs`), which has such a
//! command run by the module that the value is of.

use crate::base::id::ModuleId;
use crate::durable::version::Target;
use crate::store::Store;
use crate::store::entry::EntryPtr;
use crate::store::ghost::{GHOST, KIND_IDS, kind};
use crate::store::types::{Role, value_of};
use plinth_abi::status::{STATUS_GHOST, STATUS_NOT_ALLOWED, STATUS_WRONG_TYPE, Status};

/// A boxed value is large above this many allocations ...
const LARGE_EFFORT: usize = 256;
/// ... or bytes. Saving and loading one below both takes well under a millisecond.
const LARGE_BYTES: u64 = 32 * 1024;

impl Store {
    /// The entry as whoever asked for a type can use it: `asked` is an id as modules see
    /// them, 0 for any, and `module` is who asks. Only called when the entry is not
    /// obviously what was asked for.
    #[cold]
    pub fn as_asked(
        &mut self,
        db: u32,
        hash: u64,
        entry: EntryPtr,
        asked: u32,
        module: ModuleId,
    ) -> Result<EntryPtr, Status> {
        if asked == 0 {
            let twin = self.types.twin(entry.type_id());
            let own = self.types.get(twin).is_some_and(|ty| ty.module == module);
            return if own { self.convert_for(db, hash, entry) } else { Ok(entry) };
        }
        let mut entry = entry;
        if entry.type_id() == GHOST {
            if asked == KIND_IDS + kind(entry) {
                return Ok(entry);
            }
            let revived = if self.frozen == 0 { self.revive(db, hash, entry) } else { Err(STATUS_GHOST) };
            match revived {
                Ok(value) => entry = value,
                Err(status) => {
                    self.ghost_note = self.ghost_text(entry);
                    return Err(status);
                }
            }
        }
        let Some(ty) = self.types.get(entry.type_id()) else { return Err(STATUS_WRONG_TYPE) };
        if asked == u32::from(entry.type_id()) {
            return Ok(entry);
        }
        if ty.twin != 0 && u32::from(ty.twin) == asked {
            return self.convert_for(db, hash, entry);
        }
        if ty.role == Role::Leaving {
            self.ghost_note = format!(
                "GHOST the key holds a value of the type '{}', whose module '{}' is leaving",
                ty.name, ty.provider
            );
            return Err(STATUS_GHOST);
        }
        Err(STATUS_WRONG_TYPE)
    }

    /// Make a value its twin's for a command.
    fn convert_for(&mut self, db: u32, hash: u64, entry: EntryPtr) -> Result<EntryPtr, Status> {
        // Under a hook on keys its caller may hold the entry.
        let converted = if self.frozen == 0 { self.convert_whole(db, hash, entry) } else { Err(STATUS_NOT_ALLOWED) };
        converted.map_err(|_| {
            let name = self.types.get(entry.type_id()).map_or("", |ty| &ty.name);
            self.ghost_note = format!("GHOST the key's value of the type '{name}' cannot be converted now");
            STATUS_GHOST
        })
    }

    /// Make a value its twin's by saving and loading it.
    pub fn convert_whole(&mut self, db: u32, hash: u64, entry: EntryPtr) -> Result<EntryPtr, Status> {
        let from = entry.type_id();
        let twin = self.types.twin(from);
        // Texts are not compressed: the bytes do not live longer than this function.
        let body = self.save_value_for(entry, Target::OWN, false)?;
        // SAFETY: the entry is freed at the end only, and `load` has no call by which it
        // could reach keys.
        let key = unsafe { entry.key() };
        let new = self.load_value_as(twin, &body, key, entry.expire_at_ms())?;
        self.take_place(db, hash, entry, new);
        self.types.count_converted(from, false);
        Ok(new)
    }

    /// Whether a value would take too long to be converted at once.
    pub fn is_large(&self, entry: EntryPtr) -> bool {
        if !entry.is_boxed() {
            return false;
        }
        let Some(ty) = self.types.get(entry.type_id()) else { return false };
        if entry.charge() > LARGE_BYTES {
            return true;
        }
        let value = value_of(entry);
        // SAFETY: the value is of this type.
        ty.table.free_effort.is_some_and(|effort| unsafe { effort(&raw const value) } > LARGE_EFFORT)
    }
}
