//! Sets of whichever module implements them: the safe side of `plinth.set/1`, for those who use it
//! and for the one who provides it.
//!
//! A module that reads sets (SORT, a search index) uses them like this:
//!
//! ```
//! use plinth_module::prelude::*;
//! use plinth_module::set::{SET_SERVICE, Sets};
//!
//! static SETS: Sets = Sets::new();
//! const MODULE: Module = Module { requires: &[SET_SERVICE], start: Some(start), ..Module::NEW };
//!
//! fn start(call: &mut Call<'_>) -> Result {
//!     SETS.resolve(call)
//! }
//!
//! fn bytes_of_all_members(call: &mut Call<'_>) -> Result {
//!     let mut sum = 0;
//!     SETS.visit(&mut call.keys, call.args.bytes(1), |member| {
//!         sum += member.len();
//!         true
//!     })?;
//!     call.reply.count(sum);
//!     Ok(())
//! }
//! ```
//!
//! The module that has sets implements [`SetProvider`] and lists `provided(&TABLE)`, where
//! `static TABLE: SetService = table::<ItsProvider>();`.

use crate::abi;
use crate::abi::bytes::{Bytes, Opaque};
use crate::abi::set::VisitMember;
use crate::abi::status::Status;
use crate::call::Call;
use crate::error::{Error, Result, check_found};
use crate::keys::Keys;
use crate::panic::guard;
use crate::service::{ServiceHandle, answer};

pub use crate::abi::set::{SET_SERVICE, SetService};

/// Sets, for a module that requires [`SET_SERVICE`].
pub struct Sets {
    handle: ServiceHandle<SetService>,
}

impl Sets {
    /// A handle that `start` resolves.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Sets {
        Sets { handle: ServiceHandle::new() }
    }

    /// Looks the service up; for `start`. Fails with `Unsupported` when nobody provides it.
    pub fn resolve(&self, call: &Call<'_>) -> Result {
        self.handle.resolve(call)
    }

    /// How many members a set has, or `None` when there is no such key. Fails with `WrongType`.
    pub fn len(&self, keys: &mut Keys<'_>, key: &[u8]) -> Result<Option<usize>> {
        let mut len = 0;
        // SAFETY: the call is valid; the key is borrowed for the call.
        let status = unsafe { (self.handle.table()?.len)(keys.as_raw(), Bytes::of(key), &mut len) };
        Ok(check_found(status)?.then_some(len))
    }

    /// Whether a set has a member; false when there is no such key. Fails with `WrongType`.
    pub fn contains(&self, keys: &mut Keys<'_>, key: &[u8], member: &[u8]) -> Result<bool> {
        let mut contains = 0;
        // SAFETY: the call is valid; both are borrowed for the call.
        let status =
            unsafe { (self.handle.table()?.contains)(keys.as_raw(), Bytes::of(key), Bytes::of(member), &mut contains) };
        Ok(check_found(status)? && contains != 0)
    }

    /// Visits each member once, in no particular order, until `visit` returns false. Returns
    /// whether there is such a key. Fails with `WrongType`, and with `Panic` when `visit` panicked.
    pub fn visit(&self, keys: &mut Keys<'_>, key: &[u8], visit: impl FnMut(&[u8]) -> bool) -> Result<bool> {
        struct State<F> {
            visit: F,
            panicked: bool,
        }
        unsafe extern "C" fn run<F: FnMut(&[u8]) -> bool>(data: Opaque, member: Bytes) -> u32 {
            // SAFETY: `data` is the state of the `visit` on the stack, which nobody else uses now;
            // the member is lent for this call.
            let (state, member) = unsafe { (&mut *data.cast::<State<F>>(), member.as_slice()) };
            let goes_on = guard(|| (state.visit)(member));
            state.panicked |= goes_on.is_none();
            u32::from(goes_on.unwrap_or(false))
        }
        fn visitor<F: FnMut(&[u8]) -> bool>(_: &State<F>) -> VisitMember {
            VisitMember { run: run::<F> }
        }
        let mut state = State { visit, panicked: false };
        let function = visitor(&state);
        // SAFETY: the call is valid, the key borrowed and the state alive for the call, and the
        // state fits the function.
        let status =
            unsafe { (self.handle.table()?.visit)(keys.as_raw(), Bytes::of(key), function, (&raw mut state).cast()) };
        let found = check_found(status)?;
        if state.panicked { Err(Error::Panic) } else { Ok(found) }
    }
}

/// What the module that has sets does for the others.
pub trait SetProvider: 'static {
    /// How many members a set has, or `None` when there is no such key.
    fn len(call: &mut Call<'_>, key: &[u8]) -> Result<Option<usize>>;

    /// Whether a set has a member, or `None` when there is no such key.
    fn contains(call: &mut Call<'_>, key: &[u8], member: &[u8]) -> Result<Option<bool>>;

    /// Visits each member once until `visit` returns false; returns whether there is such a key.
    fn visit(call: &mut Call<'_>, key: &[u8], visit: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool>;
}

/// The table of a provider, for [`provided`](crate::service::provided).
pub const fn table<P: SetProvider>() -> SetService {
    SetService {
        size: size_of::<SetService>() as u32,
        reserved: 0,
        len: len::<P>,
        contains: contains::<P>,
        visit: visit::<P>,
    }
}

unsafe extern "C" fn len<P: SetProvider>(call: *mut abi::call::Call, key: Bytes, len_out: *mut usize) -> Status {
    // SAFETY: the caller keeps to the table's comments: a valid call, a key for the call, room for
    // the result.
    unsafe {
        answer(call, |call| {
            len_out.write(P::len(call, key.as_slice())?.ok_or(Error::None)?);
            Ok(())
        })
    }
}

unsafe extern "C" fn contains<P: SetProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    member: Bytes,
    contains_out: *mut u32,
) -> Status {
    // SAFETY: as in `len`.
    unsafe {
        answer(call, |call| {
            let contains = P::contains(call, key.as_slice(), member.as_slice())?.ok_or(Error::None)?;
            contains_out.write(u32::from(contains));
            Ok(())
        })
    }
}

unsafe extern "C" fn visit<P: SetProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    visit: VisitMember,
    data: Opaque,
) -> Status {
    // SAFETY: as in `len`; `data` is the one that the function was given with.
    unsafe {
        answer(call, |call| {
            let mut lend = |member: &[u8]| (visit.run)(data, Bytes::of(member)) != 0;
            if P::visit(call, key.as_slice(), &mut lend)? { Ok(()) } else { Err(Error::None) }
        })
    }
}
