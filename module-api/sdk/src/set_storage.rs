//! Large sets in a structure that another module brings: the safe side of `plinth.set-storage/1`.
//!
//! For the module that has the commands of sets. [`Storages`] is the service; [`ForeignSet`] is one
//! set in it, which is freed when it is dropped.

use crate::abi::bytes::{Bytes, Opaque};
use crate::abi::set::VisitMember;
use crate::abi::status::{STATUS_EXISTS, STATUS_NONE, STATUS_OK};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::panic::guard;
use crate::service::{ServiceHandle, Table};
use std::ptr::NonNull;

pub use crate::abi::set_storage::{HashMember, SET_STORAGE_SERVICE, SetStorageService};

/// Numbers that [`ForeignSet::random`] tries.
const RANDOM_TRIES: usize = 4096;

/// The service, for a module that requires [`SET_STORAGE_SERVICE`].
pub struct Storages {
    handle: ServiceHandle<SetStorageService>,
}

impl Storages {
    /// A handle that `start` resolves.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Storages {
        Storages { handle: ServiceHandle::new() }
    }

    /// Looks the service up; for `start`. Fails with `Unsupported` when nobody provides it.
    pub fn resolve(&self, call: &Call<'_>) -> Result {
        self.handle.resolve(call)
    }

    /// An empty set, whose members are hashed by `H`. Fails with `OutOfMemory`, and with
    /// `Unsupported` before [`resolve`](Storages::resolve).
    pub fn create<H: MemberHash>(&self) -> Result<ForeignSet> {
        let table = self.handle.table()?;
        // SAFETY: the table keeps to its comments, and the function lives as long as this module.
        let set = unsafe { (table.function(|table| table.create))(HashMember { run: hash_member::<H> }) };
        Ok(ForeignSet { table, set: NonNull::new(set).ok_or(Error::OutOfMemory)? })
    }
}

/// How members are hashed: keyed, good in all 64 bits, and always alike.
pub trait MemberHash: 'static {
    /// The hash of a member. Must not panic.
    fn hash(member: &[u8]) -> u64;
}

unsafe extern "C" fn hash_member<H: MemberHash>(member: Bytes) -> u64 {
    // SAFETY: the storage lends the member for the call.
    guard(|| H::hash(unsafe { member.as_slice() })).unwrap_or(0)
}

/// A large set in another module's structure.
pub struct ForeignSet {
    table: Table<'static, SetStorageService>,
    set: NonNull<u8>,
}

// SAFETY: the storage allows `drop` on any thread; all else is called on the thread that owns it.
unsafe impl Send for ForeignSet {}

impl ForeignSet {
    #[inline(always)]
    fn raw(&self) -> Opaque {
        self.set.as_ptr()
    }

    /// How many members there are.
    #[inline]
    pub fn len(&self) -> usize {
        // SAFETY: the set is alive.
        unsafe { (self.table.function(|table| table.len))(self.raw()) }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a member is there; `hash` is its hash, here and below.
    #[inline]
    pub fn contains(&self, member: &[u8], hash: u64) -> bool {
        // SAFETY: the set is alive; the member is borrowed for the call.
        unsafe { (self.table.function(|table| table.contains))(self.raw(), Bytes::of(member), hash) != 0 }
    }

    /// Adds a member; false when it was there. Fails with `OutOfMemory`, nothing changed.
    #[inline]
    pub fn insert(&mut self, member: &[u8], hash: u64) -> Result<bool> {
        // SAFETY: as in `contains`.
        match unsafe { (self.table.function(|table| table.insert))(self.raw(), Bytes::of(member), hash) } {
            STATUS_OK => Ok(true),
            STATUS_EXISTS => Ok(false),
            status => Err(Error::from_status(status)),
        }
    }

    /// Removes a member; false when it was not there.
    #[inline]
    pub fn remove(&mut self, member: &[u8], hash: u64) -> bool {
        // SAFETY: as in `contains`.
        unsafe { (self.table.function(|table| table.remove))(self.raw(), Bytes::of(member), hash) == STATUS_OK }
    }

    /// Visits a few members from a cursor on, and returns the next, see
    /// [`SetStorageService::scan`]. A panic of `visit` goes on here, when the storage has returned.
    pub fn scan<F: FnMut(&[u8])>(&self, cursor: u64, mut visit: F) -> u64 {
        struct State<'f, F> {
            visit: &'f mut F,
            panicked: bool,
        }
        unsafe extern "C" fn run<F: FnMut(&[u8])>(data: Opaque, member: Bytes) -> u32 {
            // SAFETY: `data` is the state of the `scan` on the stack, which nobody else uses now;
            // the member is lent for this call.
            let (state, member) = unsafe { (&mut *data.cast::<State<'_, F>>(), member.as_slice()) };
            if !state.panicked {
                state.panicked = guard(|| (state.visit)(member)).is_none();
            }
            1
        }
        let mut state = State { visit: &mut visit, panicked: false };
        let function = VisitMember { run: run::<F> };
        // SAFETY: the set is alive, and the state fits the function for the call.
        let next =
            unsafe { (self.table.function(|table| table.scan))(self.raw(), cursor, function, (&raw mut state).cast()) };
        assert!(!state.panicked, "a visit of a foreign set panicked");
        next
    }

    /// A member that is picked by one of the numbers that `random` gives; `None` when there is
    /// none.
    pub fn random(&self, mut random: impl FnMut() -> u64) -> Option<&[u8]> {
        let mut member = Bytes::EMPTY;
        for _ in 0..if self.is_empty() { 0 } else { RANDOM_TRIES } {
            // SAFETY: the set is alive, and `member` writable for the call.
            match unsafe { (self.table.function(|table| table.random))(self.raw(), random(), &mut member) } {
                // SAFETY: the member stays until the set changes, which `&self` keeps off.
                STATUS_OK => return Some(unsafe { member.as_slice() }),
                STATUS_NONE => {}
                _ => return None,
            }
        }
        None
    }

    /// Bytes that the set has allocated.
    pub fn memory(&self) -> usize {
        // SAFETY: the set is alive.
        unsafe { (self.table.function(|table| table.memory))(self.raw()) }
    }
}

impl Drop for ForeignSet {
    fn drop(&mut self) {
        // SAFETY: the set is alive, and this is its last use.
        unsafe { (self.table.function(|table| table.drop))(self.raw()) }
    }
}
