//! The entry: the one symbol that a module exports, `plinth_module_entry`.
//!
//! It is constant data. The host reads and checks it before any of the module's
//! code runs, and `plinth-server --inspect module.so` prints it.
//!
//! ```text
//! const struct plinth_module plinth_module_entry = {
//!     .magic = PLINTH_MAGIC, .abi_major = 1, .abi_minor = 0,
//!     .size = sizeof(plinth_module), .name = PLINTH_TEXT("gauge"), ...
//! };
//! ```

use crate::bytes::{Bytes, Opaque, Slice};
use crate::call::Call;
use crate::command::Command;
use crate::config::Config;
use crate::info::Section;
use crate::status::Status;
use crate::value::Type;
use abi_stable::StableAbi;

/// First field of every entry: "PLNT" in memory.
pub const MAGIC: u32 = u32::from_le_bytes(*b"PLNT");
/// The name of the exported symbol.
pub const ENTRY_SYMBOL: &str = "plinth_module_entry";

/// Flag of a provided table: what is made through it, such as the storage of a value, can
/// be used with this provider's functions only. While others use the service, its module
/// is not replaced.
pub const SERVICE_PINNED: u32 = 1 << 0;

/// A table of functions that this module offers to others.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Provided {
    /// Id with its revision, such as `"plinth.string/1"`.
    pub id: Bytes,
    /// The table; begins with its size and `SERVICE_*` flags (`u32` each).
    pub table: Opaque,
}

/// What a module exports.
#[repr(C)]
#[derive(StableAbi)]
pub struct Module {
    /// [`MAGIC`].
    pub magic: u32,
    /// [`crate::ABI_MAJOR`] of the headers or SDK that the module was built with.
    pub abi_major: u16,
    /// [`crate::ABI_MINOR`] of the same.
    pub abi_minor: u16,
    /// Size of this struct in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Short name, unique among loaded modules: `"gauge"`.
    pub name: Bytes,
    /// The module's own version as text, `"1.2.3"`; MODULE LIST shows it as a number.
    pub version: Bytes,
    /// Service ids without which `start` is not called.
    pub requires: Slice<Bytes>,
    /// Services that this module provides.
    pub provides: Slice<Provided>,
    /// Data types.
    pub types: Slice<Type>,
    /// Commands.
    pub commands: Slice<Command>,
    /// Configuration parameters; shown as `module.parameter`.
    pub configs: Slice<Config>,
    /// Sections that the module adds to INFO.
    pub infos: Slice<Section>,
    /// Called once after everything above is checked, before it is visible. The
    /// call's arguments are those of MODULE LOAD; what is stored in
    /// [`Call::module_data`] comes back in each later call. For any status but
    /// OK the load is undone; an error written to the reply is the reason shown.
    ///
    /// Thread: main. Borrow: the call until it returns. Fails: any status.
    pub start: Option<unsafe extern "C" fn(call: *mut Call) -> Status>,
    /// Called once when the module leaves; no other call follows. Everything that
    /// was registered is removed by the host.
    ///
    /// Thread: main. Borrow: the call until it returns. Fails: never.
    pub stop: Option<unsafe extern "C" fn(call: *mut Call)>,
    /// A Rust module's type layouts ([`crate::layout::Layout`]), null for C.
    pub layout: Opaque,
}

// SAFETY: an entry is constant data.
unsafe impl Sync for Module {}
// SAFETY: as above.
unsafe impl Sync for Provided {}
