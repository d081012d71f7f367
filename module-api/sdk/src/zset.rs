//! Sorted sets of whichever module implements them: the safe side of `plinth.zset/1`, for those who
//! use it and for the one who provides it.
//!
//! A module that needs sorted sets (places on a map, SORT) uses them like this:
//!
//! ```
//! use plinth_module::prelude::*;
//! use plinth_module::zset::{ZSET_SERVICE, Zsets};
//!
//! static ZSETS: Zsets = Zsets::new();
//! const MODULE: Module = Module { requires: &[ZSET_SERVICE], start: Some(start), ..Module::NEW };
//!
//! fn start(call: &mut Call<'_>) -> Result {
//!     ZSETS.resolve(call)
//! }
//!
//! fn sum_of_the_ten_least(call: &mut Call<'_>) -> Result {
//!     let mut sum = 0.0;
//!     ZSETS.visit(&mut call.keys, call.args.bytes(1), 0..10, false, |_member, score| {
//!         sum += score;
//!         true
//!     })?;
//!     call.reply.double(sum);
//!     Ok(())
//! }
//! ```
//!
//! The module that has sorted sets implements [`ZsetProvider`] and lists `provided(&TABLE)`, where
//! `static TABLE: ZsetService = table::<ItsProvider>();`.

use crate::abi;
use crate::abi::bytes::{Bytes, Opaque};
use crate::abi::status::Status;
use crate::abi::zset::VisitScored;
use crate::call::Call;
use crate::error::{Error, Result, check, check_found};
use crate::keys::Keys;
use crate::panic::guard;
use crate::service::{ServiceHandle, answer};
use std::ops::Range;

pub use crate::abi::zset::{ZSET_SERVICE, ZsetService};

/// Sorted sets, for a module that requires [`ZSET_SERVICE`].
pub struct Zsets {
    handle: ServiceHandle<ZsetService>,
}

impl Zsets {
    /// A handle that `start` resolves.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Zsets {
        Zsets { handle: ServiceHandle::new() }
    }

    /// Looks the service up; for `start`. Fails with `Unsupported` when nobody provides it.
    pub fn resolve(&self, call: &Call<'_>) -> Result {
        self.handle.resolve(call)
    }

    /// How many members a sorted set has, or `None` when there is no such key. Fails with
    /// `WrongType`.
    pub fn len(&self, keys: &mut Keys<'_>, key: &[u8]) -> Result<Option<usize>> {
        let mut len = 0;
        // SAFETY: the call is valid; the key is borrowed for the call.
        let status = unsafe { (self.handle.table()?.len)(keys.as_raw(), Bytes::of(key), &mut len) };
        Ok(check_found(status)?.then_some(len))
    }

    /// A member's score, or `None` when there is no such key or member. Fails with `WrongType`.
    pub fn score(&self, keys: &mut Keys<'_>, key: &[u8], member: &[u8]) -> Result<Option<f64>> {
        let mut score = 0.0;
        // SAFETY: the call is valid; both are borrowed for the call.
        let status =
            unsafe { (self.handle.table()?.score)(keys.as_raw(), Bytes::of(key), Bytes::of(member), &mut score) };
        Ok(check_found(status)?.then_some(score))
    }

    /// Visits the members of a range of ranks with their scores, in their order or backwards from
    /// the range's end, until `visit` returns false. Ranks beyond the last are left out. Returns
    /// whether there is such a key. Fails with `WrongType`, and with `Panic` when `visit` panicked.
    pub fn visit(
        &self,
        keys: &mut Keys<'_>,
        key: &[u8],
        ranks: Range<usize>,
        reverse: bool,
        visit: impl FnMut(&[u8], f64) -> bool,
    ) -> Result<bool> {
        struct State<F> {
            visit: F,
            panicked: bool,
        }
        unsafe extern "C" fn run<F: FnMut(&[u8], f64) -> bool>(data: Opaque, member: Bytes, score: f64) -> u32 {
            // SAFETY: `data` is the state of the `visit` on the stack, which nobody else uses now;
            // the member is lent for this call.
            let (state, member) = unsafe { (&mut *data.cast::<State<F>>(), member.as_slice()) };
            let goes_on = guard(|| (state.visit)(member, score));
            state.panicked |= goes_on.is_none();
            u32::from(goes_on.unwrap_or(false))
        }
        fn visitor<F: FnMut(&[u8], f64) -> bool>(_: &State<F>) -> VisitScored {
            VisitScored { run: run::<F> }
        }
        let mut state = State { visit, panicked: false };
        let function = visitor(&state);
        let (table, data) = (self.handle.table()?, (&raw mut state).cast());
        let Range { start, end } = ranks;
        // SAFETY: the call is valid, the key borrowed and the state alive for the call, and the
        // state fits the function.
        let status =
            unsafe { (table.visit)(keys.as_raw(), Bytes::of(key), start, end, u32::from(reverse), function, data) };
        let found = check_found(status)?;
        if state.panicked { Err(Error::Panic) } else { Ok(found) }
    }

    /// Adds a member, or gives it another score; makes the key if missing. The caller then says
    /// [`modified`](Keys::modified). Fails with `WrongType`, `OutOfMemory`, and `NotFloat` for NaN.
    pub fn add(&self, keys: &mut Keys<'_>, key: &[u8], member: &[u8], score: f64) -> Result {
        // SAFETY: the call is valid; both are borrowed for the call.
        check(unsafe { (self.handle.table()?.add)(keys.as_raw(), Bytes::of(key), Bytes::of(member), score) })
    }

    /// Removes a member, and the key with its last; returns whether it was there. The caller then
    /// says [`modified`](Keys::modified). Fails with `WrongType`.
    pub fn remove(&self, keys: &mut Keys<'_>, key: &[u8], member: &[u8]) -> Result<bool> {
        // SAFETY: the call is valid; both are borrowed for the call.
        check_found(unsafe { (self.handle.table()?.remove)(keys.as_raw(), Bytes::of(key), Bytes::of(member)) })
    }
}

/// What the module that has sorted sets does for the others.
pub trait ZsetProvider: 'static {
    /// How many members a sorted set has, or `None` when there is no such key.
    fn len(call: &mut Call<'_>, key: &[u8]) -> Result<Option<usize>>;

    /// A member's score, or `None` when there is no such key or member.
    fn score(call: &mut Call<'_>, key: &[u8], member: &[u8]) -> Result<Option<f64>>;

    /// Visits the members of a range of ranks until `visit` returns false; returns whether there is
    /// such a key.
    fn visit(
        call: &mut Call<'_>,
        key: &[u8],
        ranks: Range<usize>,
        reverse: bool,
        visit: &mut dyn FnMut(&[u8], f64) -> bool,
    ) -> Result<bool>;

    /// Adds a member, or gives it another score, which is not NaN. Announces nothing.
    fn add(call: &mut Call<'_>, key: &[u8], member: &[u8], score: f64) -> Result;

    /// Removes a member, and the key with its last; returns whether it was there. Announces nothing.
    fn remove(call: &mut Call<'_>, key: &[u8], member: &[u8]) -> Result<bool>;
}

/// The table of a provider, for [`provided`](crate::service::provided).
pub const fn table<P: ZsetProvider>() -> ZsetService {
    ZsetService {
        size: size_of::<ZsetService>() as u32,
        reserved: 0,
        len: len::<P>,
        score: score::<P>,
        visit: visit::<P>,
        add: add::<P>,
        remove: remove::<P>,
    }
}

unsafe extern "C" fn len<P: ZsetProvider>(call: *mut abi::call::Call, key: Bytes, len_out: *mut usize) -> Status {
    // SAFETY: the caller keeps to the table's comments: a valid call, a key for the call, room for
    // the result.
    unsafe {
        answer(call, |call| {
            len_out.write(P::len(call, key.as_slice())?.ok_or(Error::None)?);
            Ok(())
        })
    }
}

unsafe extern "C" fn score<P: ZsetProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    member: Bytes,
    score_out: *mut f64,
) -> Status {
    // SAFETY: as in `len`.
    unsafe {
        answer(call, |call| {
            score_out.write(P::score(call, key.as_slice(), member.as_slice())?.ok_or(Error::None)?);
            Ok(())
        })
    }
}

unsafe extern "C" fn visit<P: ZsetProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    start: usize,
    stop: usize,
    reverse: u32,
    visit: VisitScored,
    data: Opaque,
) -> Status {
    // SAFETY: as in `len`; `data` is the one that the function was given with.
    unsafe {
        answer(call, |call| {
            let mut lend = |member: &[u8], score: f64| (visit.run)(data, Bytes::of(member), score) != 0;
            let found = P::visit(call, key.as_slice(), start..stop, reverse != 0, &mut lend)?;
            if found { Ok(()) } else { Err(Error::None) }
        })
    }
}

unsafe extern "C" fn add<P: ZsetProvider>(call: *mut abi::call::Call, key: Bytes, member: Bytes, score: f64) -> Status {
    // SAFETY: as in `len`.
    unsafe {
        answer(call, |call| {
            if score.is_nan() {
                return Err(Error::NotFloat);
            }
            P::add(call, key.as_slice(), member.as_slice(), score)
        })
    }
}

unsafe extern "C" fn remove<P: ZsetProvider>(call: *mut abi::call::Call, key: Bytes, member: Bytes) -> Status {
    // SAFETY: as in `len`.
    unsafe {
        answer(call, |call| if P::remove(call, key.as_slice(), member.as_slice())? { Ok(()) } else { Err(Error::None) })
    }
}
