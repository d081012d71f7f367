//! The table of data types: what the keyspace knows of a value beyond its bytes.
//!
//! A type's id is one byte in each entry. Ids begin at 1 and are given at load. The id of a
//! type that left is given again to a type of the same name only: some module may have kept it.

use crate::base::id::ModuleId;
use plinth_abi::convert::Convert;
use plinth_abi::status::Status;
use plinth_abi::value::{FORM_BOXED, FORM_INLINE, Type, Value};

use crate::store::entry::EntryPtr;

/// Most types at once, with ids 1 to this; 255 in an entry is a ghost.
pub const TYPES_MAX: usize = 254;

/// One data type.
pub struct DataType {
    /// What TYPE answers.
    pub name: String,
    /// The module's table.
    pub table: Type,
    /// The module that provides it.
    pub module: ModuleId,
    /// Name of that module.
    pub provider: String,
    /// Keys that hold a value of it.
    pub values: u64,
    /// Bytes behind its boxed values, as last said.
    pub boxed_bytes: u64,
    /// Whether it is the one that values of its name are loaded as.
    pub role: Role,
    /// The type of the same name with which it changes places, or 0.
    pub twin: u8,
    /// What has become of its values since its module began to be replaced.
    pub converted: Converted,
    /// Modules that were found to make values of it through a service of its module.
    pub makers: Vec<ModuleId>,
}

/// Most modules that are remembered as makers of a type's values; those that come then are looked up anew.
const MAKERS_MAX: usize = 64;

/// Values of a type that were to become its twin's.
#[derive(Clone, Copy, Default)]
pub struct Converted {
    /// Those that are.
    pub values: u64,
    /// Those among them that were converted in slices.
    pub sliced: u64,
    /// Attempts that failed.
    pub failed: u64,
}

impl DataType {
    /// Remember a module that makes values of it.
    pub fn add_maker(&mut self, module: ModuleId) {
        if self.makers.len() == MAKERS_MAX {
            self.makers.clear();
        }
        self.makers.push(module);
    }

    /// How its boxed values are converted element by element, if they can be.
    pub fn convert(&self) -> Option<Convert> {
        let at = self.table.convert;
        if at.is_null() {
            return None;
        }
        // SAFETY: a constant of the module, which begins with its size; the struct has
        // not grown yet, so a shorter one is none.
        unsafe {
            let size = at.cast::<u32>().read_unaligned() as usize;
            (size >= size_of::<Convert>()).then(|| at.read_unaligned())
        }
    }
}

/// What a type is at present.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Values of its name are of it.
    Active,
    /// Its module is being loaded in another's place, or its values are to become those
    /// of its twin: it is not found by name.
    Inactive,
    /// Its values are to become ghosts.
    Leaving,
}

/// All data types by id.
#[derive(Default)]
pub struct Types {
    slots: Vec<Option<DataType>>,
    /// By id, the name that it was first given to.
    names: Vec<String>,
    /// Whether any type has a twin or is leaving, so that values of it are not simply
    /// what is asked for or not.
    pub is_unsettled: bool,
}

impl Types {
    /// A type by id.
    #[inline]
    pub fn get(&self, id: u8) -> Option<&DataType> {
        self.slots.get((id as usize).wrapping_sub(1))?.as_ref()
    }

    /// A type by id, to count in it.
    #[inline]
    pub fn get_mut(&mut self, id: u8) -> Option<&mut DataType> {
        self.slots.get_mut((id as usize).wrapping_sub(1))?.as_mut()
    }

    /// Id of the active type of a name.
    pub fn find(&self, name: &[u8]) -> Option<u8> {
        self.active().find(|(_, ty)| ty.name.as_bytes() == name).map(|(id, _)| id)
    }

    /// Id of the type that reads an RDB value type byte.
    pub fn find_rdb_tag(&self, tag: u8) -> Option<u8> {
        self.active().find(|(_, ty)| reads_tag(&ty.table, tag)).map(|(id, _)| id)
    }

    /// Types that values are loaded as.
    fn active(&self) -> impl Iterator<Item = (u8, &DataType)> {
        self.iter().filter(|(_, ty)| ty.role == Role::Active)
    }

    /// Twin of a type, or 0.
    pub fn twin(&self, id: u8) -> u8 {
        self.get(id).map_or(0, |ty| ty.twin)
    }

    /// All types with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &DataType)> {
        self.slots.iter().enumerate().filter_map(|(at, slot)| Some((at as u8 + 1, slot.as_ref()?)))
    }

    /// Take a type in; its id, or `None` when there were too many names.
    pub fn insert(&mut self, ty: DataType) -> Option<u8> {
        let is_free = |at: &usize| self.slots[*at].is_none() && self.names[*at] == ty.name;
        let free = (0..self.slots.len()).find(is_free).unwrap_or(self.slots.len());
        if free >= TYPES_MAX {
            return None;
        }
        if free == self.slots.len() {
            self.slots.push(None);
            self.names.push(ty.name.clone());
        }
        self.slots[free] = Some(ty);
        Some(free as u8 + 1)
    }

    /// The type that a value of this one is to be taken for: the active one of its twins.
    pub fn current(&self, id: u8) -> u8 {
        self.get(id).filter(|ty| ty.role == Role::Inactive && ty.twin != 0).map_or(id, |ty| ty.twin)
    }

    /// Note a value that was converted from a type.
    pub fn count_converted(&mut self, from: u8, in_slices: bool) {
        if let Some(ty) = self.get_mut(from) {
            ty.converted.values += 1;
            ty.converted.sliced += u64::from(in_slices);
        }
    }

    /// Note a value of a type that could not be converted.
    pub fn count_failed(&mut self, from: u8, status: Status) {
        let Some(ty) = self.get_mut(from) else { return };
        ty.converted.failed += 1;
        if ty.converted.failed == 1 {
            crate::base::log::warning(&format!("A value could not be converted (status {status})"));
        }
    }

    /// What has become of values of some types.
    pub fn converted(&self, types: impl Iterator<Item = u8>) -> Converted {
        let counts = types.filter_map(|id| self.get(id)).map(|ty| ty.converted);
        counts.fold(Converted::default(), |all, one| Converted {
            values: all.values + one.values,
            sliced: all.sliced + one.sliced,
            failed: all.failed + one.failed,
        })
    }

    /// Make two types each other's twins.
    pub fn pair(&mut self, one: u8, other: u8) {
        for (id, twin) in [(one, other), (other, one)] {
            if let Some(ty) = self.get_mut(id) {
                ty.twin = twin;
            }
        }
    }

    /// Take a type's twin away from it, and it from the twin.
    pub fn unpair(&mut self, id: u8) {
        let twin = self.twin(id);
        for id in [id, twin] {
            if let Some(ty) = self.get_mut(id) {
                ty.twin = 0;
            }
        }
    }

    /// Say what a type is at present.
    pub fn set_role(&mut self, id: u8, role: Role) {
        if let Some(ty) = self.get_mut(id) {
            ty.role = role;
        }
        let unsettled = self.iter().any(|(_, ty)| ty.role != Role::Active);
        self.is_unsettled = unsettled;
    }

    /// Forget a type; no entry of it may exist.
    pub fn remove(&mut self, id: u8) {
        if let Some(slot) = self.slots.get_mut((id as usize).wrapping_sub(1)) {
            *slot = None;
        }
        let unsettled = self.iter().any(|(_, ty)| ty.role != Role::Active);
        self.is_unsettled = unsettled;
    }
}

/// RDB value type bytes that a type's `load` reads.
pub fn tags(table: &Type) -> impl Iterator<Item = u8> {
    // SAFETY: the module's tags are constants that outlive its registration.
    table.rdb_tags.iter().map(|at| unsafe { *at })
}

/// Whether a type's `load` reads this RDB value type byte.
pub fn reads_tag(table: &Type, tag: u8) -> bool {
    tags(table).any(|known| known == tag)
}

/// An entry's value as the type's functions get it.
pub fn value_of(entry: EntryPtr) -> Value {
    let boxed = entry.is_boxed();
    let (data, len) = entry.value();
    Value {
        size: size_of::<Value>() as u32,
        form: if boxed { FORM_BOXED } else { FORM_INLINE },
        tag: u32::from(entry.tag()),
        reserved: 0,
        data: if boxed { std::ptr::null_mut() } else { data },
        len: if boxed { 0 } else { len },
        boxed: if boxed { entry.boxed() } else { std::ptr::null_mut() },
    }
}
