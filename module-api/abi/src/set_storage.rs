//! Service `plinth.set-storage/1`: where large sets are kept, as a table of C functions; provided
//! by a module that has a structure of its own.
//!
//! The module `set` over such a storage (`libset_foreign.so`, in place of `libplinth_set.so`)
//! brings type, commands, small forms, saving and loading; the provider brings the structure, and
//! sees members as bytes. examples/set-c is one.
//!
//! No function may do work that grows with the number of members, but for `drop`: growth and
//! shrinking are done a little at a time beside inserts and removals.

use crate::bytes::{Bytes, Opaque};
use crate::set::VisitMember;
use crate::status::Status;
use abi_stable::StableAbi;

/// Id of the service below.
pub const SET_STORAGE_SERVICE: &str = "plinth.set-storage/1";

/// The hash of a member, for a storage that grows. It is keyed, good in all bits, the same
/// for all calls in one process, and may be called from any thread.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct HashMember {
    /// The function.
    pub run: unsafe extern "C" fn(member: Bytes) -> u64,
}

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct SetStorageService {
    /// Size of this table in bytes.
    pub size: u32,
    /// [`SERVICE_PINNED`](crate::entry::SERVICE_PINNED), because sets outlive calls.
    pub flags: u32,
    /// An empty set. `hash` remains valid as long as the set.
    ///
    /// Thread: main. Borrow: nothing. Fails: null.
    pub create: unsafe extern "C" fn(hash: HashMember) -> Opaque,
    /// Free a set.
    ///
    /// Thread: any. Borrow: nothing. Fails: never.
    pub drop: unsafe extern "C" fn(set: Opaque),
    /// How many members there are.
    ///
    /// Thread: main, or the only thread of a forked child. Borrow: nothing. Fails: never.
    pub len: unsafe extern "C" fn(set: Opaque) -> usize,
    /// Whether a member is there, 1 or 0. `hash` is its hash.
    ///
    /// Thread: main. Borrow: `member` for the call. Fails: never.
    pub contains: unsafe extern "C" fn(set: Opaque, member: Bytes, hash: u64) -> u32,
    /// Add a member.
    ///
    /// Thread: main. Borrow: `member` for the call. Fails: `EXISTS` when it is there,
    /// `OUT_OF_MEMORY`; nothing changed.
    pub insert: unsafe extern "C" fn(set: Opaque, member: Bytes, hash: u64) -> Status,
    /// Remove a member.
    ///
    /// Thread: main. Borrow: `member` for the call. Fails: `NONE` when it is not there.
    pub remove: unsafe extern "C" fn(set: Opaque, member: Bytes, hash: u64) -> Status,
    /// Visit a few members, and return the cursor to go on with; 0 begins, and is returned
    /// at the end. A member that is there from begin to end is visited at least once,
    /// whatever changes between steps; when nothing does, each exactly once. Any
    /// number is a cursor: clients send them. What `visit` returns does not matter.
    ///
    /// Thread: main, or the only thread of a forked child. Borrow: what `visit` gets, for that
    /// call. Fails: never.
    pub scan: unsafe extern "C" fn(set: Opaque, cursor: u64, visit: VisitMember, data: Opaque) -> u64,
    /// The member that a random number picks. Each is picked by about as many numbers
    /// as any other; a number that picks none is answered with `NONE`, and the caller
    /// tries the next. At least one number in a hundred picks one, on average.
    ///
    /// Thread: main. Borrow: `member_out` until the set changes. Fails: `NONE`.
    pub random: unsafe extern "C" fn(set: Opaque, number: u64, member_out: *mut Bytes) -> Status,
    /// Bytes that the set has allocated.
    ///
    /// Thread: main. Borrow: nothing. Fails: never.
    pub memory: unsafe extern "C" fn(set: Opaque) -> usize,
}
