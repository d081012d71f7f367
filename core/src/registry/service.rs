//! Forwarding tables: the copies of services' tables that modules are given.
//!
//! A module keeps the address of a table for as long as it is loaded, and the provider
//! may be replaced meanwhile. So the host hands out a table of its own for each service
//! of a module, and writes the functions of whoever provides it now into it:
//!
//! ```text
//! user ──> [ size | f | g | h | ... ]  the host's, at one address for ever
//!                   └───┴───┴── copied from the present provider's constant table
//! ```
//!
//! A service's table is constant, so that a copy is as good as the table. Services of
//! the host are handed out as they are.

use crate::base::id::ModuleId;
use plinth_abi::bytes::Opaque;
use plinth_abi::entry::SERVICE_PINNED;

/// A service: who provides it, and its table.
pub struct Service {
    /// Id with revision.
    pub id: String,
    /// Provider; the core for the host's own.
    pub module: ModuleId,
    /// The provider's table.
    pub table: Opaque,
    /// The table that is handed out, of a module's service.
    pub forward: Option<Forward>,
    /// Most bytes of the table that anybody has asked for.
    pub least: u32,
}

/// Least room of a forwarding table in bytes: a later provider's table may have more
/// functions than the first's.
const ROOM_BYTES_MIN: usize = 1024;
/// Largest table of a service in bytes.
pub const TABLE_BYTES_MAX: usize = 64 * 1024;

/// A table in memory of the host's, whose address does not change.
pub struct Forward(Box<[u64]>);

impl Forward {
    /// A copy of a provider's table.
    ///
    /// # Safety
    /// `table` begins with its size, and so many bytes of it can be read.
    pub unsafe fn new(table: Opaque) -> Forward {
        // SAFETY: promised by the caller.
        let size = unsafe { table_size(table) };
        let words = size.max(ROOM_BYTES_MIN).div_ceil(size_of::<u64>());
        let mut forward = Forward(vec![0; words].into());
        // SAFETY: promised by the caller.
        unsafe { forward.point_at(table) };
        forward
    }

    /// Write another provider's functions into it: as many as there is room for.
    ///
    /// # Safety
    /// As for [`Forward::new`].
    pub unsafe fn point_at(&mut self, table: Opaque) {
        let room = self.0.len() * size_of::<u64>();
        // SAFETY: promised by the caller; `size` fits in both, and the host's memory is
        // no module's. The size of less than the whole table is written as such.
        unsafe {
            let size = table_size(table).min(room);
            std::ptr::copy_nonoverlapping(table, self.0.as_mut_ptr().cast::<u8>(), size);
            self.0.as_mut_ptr().cast::<u32>().write(size as u32);
        }
    }

    /// The address to hand out.
    pub fn address(&self) -> Opaque {
        self.0.as_ptr().cast_mut().cast()
    }
}

/// Size of a table, at most what a table may have.
///
/// # Safety
/// `table` begins with its size.
unsafe fn table_size(table: Opaque) -> usize {
    // SAFETY: promised by the caller.
    (unsafe { table.cast::<u32>().read_unaligned() } as usize).min(TABLE_BYTES_MAX)
}

impl Service {
    /// A service of the host, handed out as it is.
    pub fn of_core(id: &str, table: *const u8) -> Service {
        Service { id: id.into(), module: ModuleId::CORE, table: table.cast_mut(), forward: None, least: 0 }
    }

    /// A service of a module.
    ///
    /// # Safety
    /// `table` is one of its entry, and the module is mapped.
    pub unsafe fn of_module(id: String, module: ModuleId, table: Opaque) -> Service {
        // SAFETY: promised by the caller.
        let forward = unsafe { Forward::new(table) };
        Service { id, module, table, forward: Some(forward), least: 0 }
    }

    /// The table that is handed out.
    pub fn handed_out(&self) -> Opaque {
        self.forward.as_ref().map_or(self.table, Forward::address)
    }

    /// Bytes of the present provider's table.
    pub fn size(&self) -> usize {
        // SAFETY: every table begins with its size, and its provider is mapped.
        unsafe { table_size(self.table) }
    }

    /// Whether what its users keep can be used with the present provider's functions only.
    pub fn is_pinned(&self) -> bool {
        // SAFETY: the flags of a provided table follow its size, and its provider is mapped.
        self.forward.is_some()
            && self.size() >= 2 * size_of::<u32>()
            && unsafe { self.table.cast::<u32>().add(1).read_unaligned() } & SERVICE_PINNED != 0
    }

    /// Have others call a provider's functions.
    ///
    /// # Safety
    /// As for [`Service::of_module`].
    pub unsafe fn point_at(&mut self, table: Opaque) {
        if let Some(forward) = &mut self.forward {
            // SAFETY: promised by the caller.
            unsafe { forward.point_at(table) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    struct Table<const N: usize> {
        size: u32,
        reserved: u32,
        functions: [usize; N],
    }

    fn table<const N: usize>(first: usize) -> Table<N> {
        Table { size: size_of::<Table<N>>() as u32, reserved: 0, functions: std::array::from_fn(|at| first + at) }
    }

    fn read<const N: usize>(at: Opaque) -> (u32, Vec<usize>) {
        // SAFETY: the test asks for no more functions than the table was made with.
        let read = unsafe { &*at.cast::<Table<N>>() };
        (read.size, read.functions.to_vec())
    }

    fn opaque<const N: usize>(table: &Table<N>) -> Opaque {
        (&raw const *table).cast_mut().cast()
    }

    #[test]
    fn the_address_stays_and_the_functions_are_the_new_providers() {
        let (small, large) = (table::<2>(10), table::<5>(20));
        // SAFETY: both tables begin with their size.
        let mut service = unsafe { Service::of_module("a/1".into(), ModuleId(1), opaque(&small)) };
        let address = service.handed_out();
        assert_eq!(read::<2>(address), (24, vec![10, 11]));
        // SAFETY: as above.
        unsafe { service.point_at(opaque(&large)) };
        assert_eq!(service.handed_out(), address);
        assert_eq!(read::<5>(address), (48, vec![20, 21, 22, 23, 24]));
        // SAFETY: as above.
        unsafe { service.point_at(opaque(&small)) };
        assert_eq!(read::<2>(address), (24, vec![10, 11]), "a smaller table says so");
    }

    #[test]
    fn what_there_is_no_room_for_is_not_offered() {
        let (small, large) = (table::<2>(10), table::<200>(20));
        // SAFETY: both tables begin with their size.
        let mut forward = unsafe { Forward::new(opaque(&small)) };
        // SAFETY: as above.
        unsafe { forward.point_at(opaque(&large)) };
        assert_eq!(read::<2>(forward.address()).0 as usize, ROOM_BYTES_MIN);
    }
}
