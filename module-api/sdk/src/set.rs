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
use crate::error::Result;
use crate::keys::Keys;
use crate::service::{Service, answer_found, answer_value, asking, face};
use crate::visit::{turn, visiting};

pub use crate::abi::set::{SET_SERVICE, SetService};

// SAFETY: the ABI defines this table for this id.
unsafe impl Service for SetService {
    const ID: &'static str = SET_SERVICE;
}

face! {
    /// Sets, for a module that requires [`SET_SERVICE`].
    Sets, SetService,
    /// How many members a set has, or `None` when there is no such key. Fails with `WrongType`.
    len
}

impl Sets {
    /// Whether a set has a member; false when there is no such key. Fails with `WrongType`.
    pub fn contains(&self, keys: &mut Keys<'_>, key: &[u8], member: &[u8]) -> Result<bool> {
        let (table, key, member) = (self.handle.table()?, Bytes::of(key), Bytes::of(member));
        // SAFETY: the call is valid; both are borrowed for the call.
        let contains = asking(|contains| unsafe {
            (table.function(|table| table.contains))(keys.as_raw(), key, member, contains)
        })?;
        Ok(contains.is_some_and(|contains| contains != 0))
    }

    /// Visits each member once, in no particular order, until `visit` returns false. Returns
    /// whether there is such a key. Fails with `WrongType`, and with `Panic` when `visit` panicked.
    pub fn visit<F: FnMut(&[u8]) -> bool>(&self, keys: &mut Keys<'_>, key: &[u8], visit: F) -> Result<bool> {
        unsafe extern "C" fn run<F: FnMut(&[u8]) -> bool>(data: Opaque, member: Bytes) -> u32 {
            // SAFETY: the data is that of the visit below; the member is lent for this call.
            let goes_on = unsafe { turn(data, |visit: &mut F| visit(member.as_slice())) };
            u32::from(goes_on == Some(true))
        }
        let (visitor, table) = (VisitMember { run: run::<F> }, self.handle.table()?);
        let (call, key) = (keys.as_raw(), Bytes::of(key));
        // SAFETY: the call is valid, the key is borrowed for the call, and the data fits the function.
        visiting(visit, |data| unsafe { (table.function(|table| table.visit))(call, key, visitor, data) })
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
    unsafe { answer_value(call, len_out, |call| P::len(call, key.as_slice())) }
}

unsafe extern "C" fn contains<P: SetProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    member: Bytes,
    contains_out: *mut u32,
) -> Status {
    // SAFETY: as in `len`.
    unsafe {
        answer_value(
            call,
            contains_out,
            |call| Ok(P::contains(call, key.as_slice(), member.as_slice())?.map(u32::from)),
        )
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
        answer_found(call, |call| {
            P::visit(call, key.as_slice(), &mut |member| (visit.run)(data, Bytes::of(member)) != 0)
        })
    }
}
