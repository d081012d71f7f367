//! INFO: sections that a module adds, and the service `plinth.info/1` that writes
//! them.

use crate::bytes::{Bytes, Opaque};
use crate::call::Call;
use abi_stable::StableAbi;

/// [`Section::flags`]: not a section of the module's own, but fields of the host's section
/// that is called `name` (`stats`), for what stands there in Redis and is known to the
/// module alone. They are shown at that section's end, whenever it is shown, and their
/// names are as they are written. Where the host has no such section they are not shown.
pub const SECTION_OF_HOST: u32 = 1 << 0;

/// A section of INFO. It is shown under `INFO everything`, `INFO modules` and by
/// its own name, `<module>_<name>` (or just `<module>` without a name); see
/// [`SECTION_OF_HOST`] for fields of another one.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Section {
    /// Size of this struct in bytes.
    pub size: u32,
    /// `SECTION_*` flag bits.
    pub flags: u32,
    /// Name without the module's; may be empty.
    pub name: Bytes,
    /// Write the fields.
    ///
    /// Thread: main. Borrow: `sink` for the call. Fails: never.
    pub write: unsafe extern "C" fn(call: *mut Call, sink: Opaque),
}

/// Id of the service below.
pub const INFO_SERVICE: &str = "plinth.info/1";

/// The service's table. Field names get the module's name in front, except those of a
/// section with [`SECTION_OF_HOST`].
#[repr(C)]
#[derive(StableAbi)]
pub struct InfoService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// A field with a text.
    ///
    /// Thread: main. Borrow: both for the call. Fails: never.
    pub text: unsafe extern "C" fn(sink: Opaque, name: Bytes, value: Bytes),
    /// A field with an integer.
    ///
    /// Thread: main. Borrow: `name` for the call. Fails: never.
    pub integer: unsafe extern "C" fn(sink: Opaque, name: Bytes, value: i64),
    /// A field with a double.
    ///
    /// Thread: main. Borrow: `name` for the call. Fails: never.
    pub double: unsafe extern "C" fn(sink: Opaque, name: Bytes, value: f64),
}
