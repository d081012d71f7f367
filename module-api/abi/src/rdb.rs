//! Service `plinth.rdb/1`: what a module keeps in RDB files beside the keys.
//!
//! A module *claims* a part of such files: the libraries of functions that Redis and Valkey write, or a
//! section of its own. The host then asks the module for it whenever a file is written, and gives it to
//! the module whenever one is read. What is in a file while nobody claims it is kept, goes into the next
//! file as it came, and is given to the module that claims it, as soon as that is loaded. When the
//! module leaves, what it would have written then is kept for the next.
//!
//! ```text
//!   a file is loaded       clear (if it takes the place of what was there), load, load, ...
//!   a file is written      save, in this process or in a child
//!   as commands            rewrite; without it an append-only file begins with a preamble
//!   the module leaves      save; another that claims the same: load, load, ...
//! ```

use crate::bytes::Opaque;
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// The libraries of functions. `load` gets one as one text, through `plinth.codec/1`, and `save` puts each as
/// one text.
pub const RDB_FUNCTIONS: u32 = 1;
/// A section under the module's name: whatever fields `save` puts, `load` gets in the same order. Servers of
/// another make refuse a file that has one; where `save` puts nothing there is none.
pub const RDB_SECTION: u32 = 2;

/// Flag of a claim: a section is loaded before the keys, and not behind them.
pub const RDB_BEFORE_KEYS: u32 = 1 << 0;
/// Flag of `load`: what is there stays, but for what has the same name.
pub const RDB_MERGES: u32 = 1 << 1;

/// Id of the service below.
pub const RDB_SERVICE: &str = "plinth.rdb/1";

/// What a module claims, and how it is reached.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct RdbClaim {
    /// Size of this struct in bytes.
    pub size: u32,
    /// [`RDB_FUNCTIONS`] or [`RDB_SECTION`].
    pub kind: u32,
    /// [`RDB_BEFORE_KEYS`], or 0.
    pub flags: u32,
    /// The form of what `save` puts, which `load` is given. Files remember that of a section.
    pub encoding: u32,
    /// Passed on to the functions.
    pub data: Opaque,
    /// Forget what there is: a file takes its place.
    ///
    /// Thread: main. Borrow: nothing. Fails: never.
    pub clear: unsafe extern "C" fn(call: *mut Call, data: Opaque),
    /// Take what a file has, with the functions of `plinth.codec/1` that get; nothing is finished. It may be
    /// damaged or made by an enemy.
    ///
    /// Thread: main. Borrow: `loader` for the call. Fails: any status; with `REPLIED`, the error that was
    /// written says why. The file is refused then, or kept what it could not be given.
    pub load: unsafe extern "C" fn(call: *mut Call, loader: Opaque, encoding: u32, flags: u32, data: Opaque) -> Status,
    /// Give what there is, with the functions of `plinth.codec/1` that put, but for `put_tag` and `put_raw`.
    /// In a child nothing else of the host is used, no lock is taken, and no thread is there.
    ///
    /// Thread: main, or the one of a child. Borrow: `saver` for the call. Fails: any status; no file is
    /// written then.
    pub save: unsafe extern "C" fn(call: *mut Call, saver: Opaque, data: Opaque) -> Status,
    /// Give the commands that bring it about where there is nothing, through `plinth.rewrite/1`. Null: there
    /// are none.
    ///
    /// Thread: main, or the one of a child. Borrow: `rewriter` for the call. Fails: any status; no file is
    /// written then.
    pub rewrite: Option<unsafe extern "C" fn(call: *mut Call, rewriter: Opaque, data: Opaque) -> Status>,
}

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct RdbService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Claim a part of RDB files, in `start`. What is kept of it is given to the module when its commands
    /// are there. It ends with the module.
    ///
    /// Thread: main. Borrow: `claim` for the call, its `data` until `stop` returns. Fails: `UNSUPPORTED`
    /// for another kind or flag, `EXISTS` when the module has one of the kind, or another has the
    /// functions, `NOT_ALLOWED` when `start` has returned.
    pub claim: unsafe extern "C" fn(call: *mut Call, claim: *const RdbClaim) -> Status,
}
