//! The table of data types: what the keyspace knows of a value beyond its bytes.
//!
//! A type's id is one byte in each entry. Ids begin at 1 and are given at load;
//! the id of a type that left is given again to a type of the same name.

use crate::module::ModuleId;
use plinth_abi::value::{FORM_BOXED, FORM_INLINE, Type, Value};

use super::entry::EntryPtr;

/// Most types at once, with ids 1 to this.
pub const TYPES_MAX: usize = 255;

/// One data type.
pub struct DataType {
    /// What TYPE answers.
    pub name: String,
    /// The module's table.
    pub table: Type,
    /// The module that provides it.
    pub module: ModuleId,
    /// Keys that hold a value of it.
    pub values: u64,
    /// Bytes behind its boxed values, as last said.
    pub boxed_bytes: u64,
}

/// All data types by id.
#[derive(Default)]
pub struct Types {
    slots: Vec<Option<DataType>>,
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

    /// Id of a type by name.
    pub fn find(&self, name: &[u8]) -> Option<u8> {
        self.iter().find(|(_, ty)| ty.name.as_bytes() == name).map(|(id, _)| id)
    }

    /// Id of the type that reads an RDB value type byte.
    pub fn find_rdb_tag(&self, tag: u8) -> Option<u8> {
        self.iter().find(|(_, ty)| reads_tag(&ty.table, tag)).map(|(id, _)| id)
    }

    /// All types with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &DataType)> {
        self.slots.iter().enumerate().filter_map(|(at, slot)| Some((at as u8 + 1, slot.as_ref()?)))
    }

    /// Take a type in; its id, or `None` when there are too many.
    pub fn insert(&mut self, ty: DataType) -> Option<u8> {
        let free = self.slots.iter().position(Option::is_none).unwrap_or(self.slots.len());
        if free >= TYPES_MAX {
            return None;
        }
        if free == self.slots.len() {
            self.slots.push(None);
        }
        self.slots[free] = Some(ty);
        Some(free as u8 + 1)
    }

    /// Forget a type; no entry of it may exist.
    pub fn remove(&mut self, id: u8) {
        if let Some(slot) = self.slots.get_mut((id as usize).wrapping_sub(1)) {
            *slot = None;
        }
    }
}

/// Whether a type's `load` reads this RDB value type byte.
pub fn reads_tag(table: &Type, tag: u8) -> bool {
    // SAFETY: the module's tags are constants that outlive its registration.
    table.rdb_tags.iter().any(|at| unsafe { *at } == tag)
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
