//! The host: how a module reaches everything that the server or another module
//! provides.
//!
//! There is one function that matters, [`Host::service`]: it hands out versioned
//! tables of functions by id (`"plinth.keys/1"`). Services that the host provides
//! and services that modules provide are asked for in the same way.

use crate::bytes::{Bytes, Opaque};
use abi_stable::StableAbi;

/// Log level: things that only a developer wants.
pub const LOG_DEBUG: u32 = 0;
/// Log level: more than an operator wants by default.
pub const LOG_VERBOSE: u32 = 1;
/// Log level: what an operator wants to know.
pub const LOG_NOTICE: u32 = 2;
/// Log level: what an operator must know.
pub const LOG_WARNING: u32 = 3;

/// The host as a module sees it. One per loaded module, valid until its `stop`
/// has returned.
#[repr(C)]
#[derive(StableAbi)]
pub struct Host {
    /// Size of this struct in bytes.
    pub size: u32,
    /// The host's [`crate::ABI_MAJOR`].
    pub abi_major: u16,
    /// The host's [`crate::ABI_MINOR`].
    pub abi_minor: u16,
    /// The host's own; not for modules.
    pub context: Opaque,
    /// The table of a service, or null when there is no such service or its table
    /// is smaller than `size_min` bytes. Services named in the module's entry are
    /// there by the time `start` runs. The address stays the same while the module
    /// that asked is loaded.
    ///
    /// Thread: main. Borrow: until `stop` returns. Fails: null.
    pub service: unsafe extern "C" fn(host: *const Host, id: Bytes, size_min: u32) -> Opaque,
    /// Write a line to the server's log, at a `LOG_*` level, marked with the
    /// module's name.
    ///
    /// Thread: any. Borrow: `text` for the call. Fails: never.
    pub log: unsafe extern "C" fn(host: *const Host, level: u32, text: Bytes),
    /// Let the server run, if this is a thread of the host's that may share its core: a
    /// [`crate::value::Type::drop`] that takes long calls it every few dozen steps, on
    /// whatever thread it is. It may sleep a moment on the thread that frees, and is a
    /// comparison elsewhere.
    ///
    /// Thread: any. Borrow: nothing. Fails: never.
    pub give_way: unsafe extern "C" fn(host: *const Host),
    /// Count a panic or exception that a function of the module has caught, for INFO; not one in a command's
    /// handler, which says so by [`crate::status::STATUS_PANIC`].
    ///
    /// Thread: any. Borrow: nothing. Fails: never.
    pub panicked: unsafe extern "C" fn(host: *const Host),
    /// Memory of so many bytes, not initialised and aligned to 8 only: in classes of 8 bytes up to 64, where
    /// C's `malloc` has steps of 16. For many small things of one kind.
    ///
    /// Thread: any. Borrow: until `release`. Fails: null.
    pub allocate: unsafe extern "C" fn(bytes: usize) -> Opaque,
    /// Take back what `allocate` gave; null is nothing.
    ///
    /// Thread: any. Borrow: nothing. Fails: never.
    pub release: unsafe extern "C" fn(memory: Opaque),
    /// Use a service no longer that was asked for, and is not required: its provider may go. Its table is not looked
    /// at again before it was asked for anew. `id` may be of one that is not used.
    ///
    /// Thread: main. Borrow: `id` for the call. Fails: never.
    pub let_go: unsafe extern "C" fn(host: *const Host, id: Bytes),
}

// SAFETY: the host's tables are constants, and its functions say which thread may
// call them.
unsafe impl Sync for Host {}
