//! Lists of whichever module implements them: the safe side of `plinth.list/1`, for those who
//! use it and for the one who provides it.
//!
//! ```
//! use plinth_module::list::{LIST_SERVICE, Lists};
//! use plinth_module::prelude::*;
//! use std::ops::ControlFlow;
//!
//! static LISTS: Lists = Lists::new();
//! const MODULE: Module = Module { requires: &[LIST_SERVICE], start: Some(start), ..Module::NEW };
//!
//! fn start(call: &mut Call<'_>) -> Result {
//!     LISTS.resolve(call)
//! }
//!
//! fn longest(call: &mut Call<'_>) -> Result {
//!     let mut longest = 0;
//!     LISTS.visit(&mut call.keys, call.args.bytes(1), 0, -1, |element| {
//!         longest = longest.max(element.len());
//!         ControlFlow::Continue(())
//!     })?;
//!     call.reply.count(longest);
//!     Ok(())
//! }
//! ```
//!
//! The module that has lists implements [`ListProvider`] and lists
//! `provided(&TABLE)`, where `static TABLE: ListService = table::<ItsProvider>();`.

use crate::abi;
use crate::abi::bytes::{Bytes, Opaque, Take};
use crate::abi::list::{LIST_BACK, LIST_FRONT};
use crate::abi::status::Status;
use crate::call::Call;
use crate::error::{Error, Result, check};
use crate::keys::Keys;
use crate::service::{Service, answer, answer_found, answer_value, face, set_to_nothing};
use crate::take::taking;
use crate::visit::{next, turn, visiting};
use std::ops::ControlFlow;

pub use crate::abi::list::{LIST_SERVICE, ListService, ListVisit};

// SAFETY: the ABI defines this table for this id.
unsafe impl Service for ListService {
    const ID: &'static str = LIST_SERVICE;
}

/// One end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListEnd {
    /// Where position 0 is.
    Front,
    /// Where position -1 is.
    Back,
}

impl ListEnd {
    fn number(self) -> u32 {
        match self {
            ListEnd::Front => LIST_FRONT,
            ListEnd::Back => LIST_BACK,
        }
    }

    fn of(number: u32) -> Result<ListEnd> {
        match number {
            LIST_FRONT => Ok(ListEnd::Front),
            LIST_BACK => Ok(ListEnd::Back),
            _ => Err(Error::Unsupported),
        }
    }
}

face! {
    /// Lists, for a module that requires [`LIST_SERVICE`].
    Lists, ListService,
    /// Number of a list's elements, or `None` when there is no such key. Fails with `WrongType`.
    len
}

impl Lists {
    /// Hands the elements from `start` to `stop`, both included, to `visit` until it breaks;
    /// negative positions count from the end. Returns whether there is such a key. Fails with
    /// `WrongType`, and with `Panic` when `visit` panicked.
    pub fn visit<F: FnMut(&[u8]) -> ControlFlow<()>>(
        &self,
        keys: &mut Keys<'_>,
        key: &[u8],
        start: i64,
        stop: i64,
        visit: F,
    ) -> Result<bool> {
        unsafe extern "C" fn run<F: FnMut(&[u8]) -> ControlFlow<()>>(data: Opaque, element: Bytes) -> u32 {
            // SAFETY: the data is that of the visit below; the element is lent for this call.
            let next = unsafe { turn(data, |visit: &mut F| visit(element.as_slice())) };
            u32::from(next != Some(ControlFlow::Continue(())))
        }
        let (visitor, table) = (ListVisit { run: run::<F> }, self.handle.table()?);
        let (call, key) = (keys.as_raw(), Bytes::of(key));
        // SAFETY: the call is valid, the key is borrowed for the call, and the data fits the function.
        visiting(visit, |data| unsafe { (table.function(|table| table.visit))(call, key, start, stop, visitor, data) })
    }

    /// Replaces a key, whatever it held, by a list of these elements; its expiry goes. Announces
    /// the change under `event`. Without elements the key is removed. Fails with `OutOfMemory`
    /// and `TooLarge`.
    pub fn set(&self, keys: &mut Keys<'_>, key: &[u8], elements: &[&[u8]], event: &str) -> Result {
        let elements: Vec<Bytes> = elements.iter().map(|element| Bytes::of(element)).collect();
        let event = Bytes::of(event.as_bytes());
        // SAFETY: the call is valid; all are borrowed for the call.
        check(unsafe {
            (self.handle.table()?.function(|table| table.set))(
                keys.as_raw(),
                Bytes::of(key),
                elements.as_ptr(),
                elements.len(),
                event,
            )
        })
    }

    /// Adds an element at one end, making the list if there is none; announced as `lpush` or
    /// `rpush`. Returns how many there are then. Fails with `WrongType`, `OutOfMemory` and
    /// `TooLarge`.
    pub fn push(&self, keys: &mut Keys<'_>, key: &[u8], element: &[u8], end: ListEnd) -> Result<usize> {
        let mut len = 0;
        let (key, element, end) = (Bytes::of(key), Bytes::of(element), end.number());
        // SAFETY: the call is valid; both are borrowed for the call.
        check(unsafe {
            (self.handle.table()?.function(|table| table.push))(keys.as_raw(), key, element, end, &mut len)
        })?;
        Ok(len)
    }

    /// Hands the element at one end to `take` and takes it away, and the key with its last;
    /// announced as `lpop` or `rpop`, and `del`. `None` when there is no such key. Fails with
    /// `WrongType`, and with `Panic` when `take` panicked, after which the element is gone.
    pub fn pop<R>(
        &self,
        keys: &mut Keys<'_>,
        key: &[u8],
        end: ListEnd,
        take: impl FnOnce(&[u8]) -> R,
    ) -> Result<Option<R>> {
        let (table, call, key) = (self.handle.table()?, keys.as_raw(), Bytes::of(key));
        // SAFETY: the call is valid, the key is borrowed for the call, and the data fits the function.
        match taking(take, |take, data| unsafe {
            (table.function(|table| table.pop))(call, key, end.number(), take, data)
        }) {
            Ok(taken) => Ok(Some(taken)),
            Err(Error::None) => Ok(None),
            Err(other) => Err(other),
        }
    }
}

/// What the module that has lists does for the others.
pub trait ListProvider: 'static {
    /// Number of a list's elements, or `None` when there is no such key.
    fn len(call: &mut Call<'_>, key: &[u8]) -> Result<Option<usize>>;

    /// Hands the elements from `start` to `stop`, both included, to `visit` until it breaks;
    /// negative positions count from the end. Returns whether there is such a key.
    fn visit(
        call: &mut Call<'_>,
        key: &[u8],
        start: i64,
        stop: i64,
        visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<bool>;

    /// Replaces a key, whatever it held, by a list of these elements, at least one; takes its
    /// expiry away, and announces the change under `event`.
    fn set(call: &mut Call<'_>, key: &[u8], elements: &mut dyn Iterator<Item = &[u8]>, event: &str) -> Result;

    /// Adds an element at one end, making the list if there is none, and announces it. Returns how
    /// many there are then.
    fn push(call: &mut Call<'_>, key: &[u8], element: &[u8], end: ListEnd) -> Result<usize>;

    /// Hands the element at one end to `take` and takes it away, and the key with its last;
    /// announces that. Returns whether there is such a key.
    fn pop(call: &mut Call<'_>, key: &[u8], end: ListEnd, take: &mut dyn FnMut(&[u8])) -> Result<bool>;
}

/// The table of a provider, for [`provided`](crate::service::provided).
pub const fn table<P: ListProvider>() -> ListService {
    ListService {
        size: size_of::<ListService>() as u32,
        reserved: 0,
        len: len::<P>,
        visit: visit::<P>,
        set: set::<P>,
        push: push::<P>,
        pop: pop::<P>,
    }
}

unsafe extern "C" fn len<P: ListProvider>(call: *mut abi::call::Call, key: Bytes, len_out: *mut usize) -> Status {
    // SAFETY: the caller keeps to the table's comments: a valid call, a key for the call, room for
    // the result.
    unsafe { answer_value(call, len_out, |call| P::len(call, key.as_slice())) }
}

unsafe extern "C" fn visit<P: ListProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    start: i64,
    stop: i64,
    function: ListVisit,
    data: Opaque,
) -> Status {
    // SAFETY: as in `len`; the function fits its data.
    unsafe {
        answer_found(call, |call| {
            P::visit(call, key.as_slice(), start, stop, &mut |element| next((function.run)(data, Bytes::of(element))))
        })
    }
}

unsafe extern "C" fn set<P: ListProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    elements: *const Bytes,
    count: usize,
    event: Bytes,
) -> Status {
    // SAFETY: as in `len`; there are `count` elements, all lent for the call.
    unsafe {
        answer(call, |call| {
            let key = key.as_slice();
            if count == 0 {
                return set_to_nothing(call, key);
            }
            let event = std::str::from_utf8(event.as_slice()).map_err(|_| Error::Unsupported)?;
            let mut elements = std::slice::from_raw_parts(elements, count).iter().map(|element| element.as_slice());
            P::set(call, key, &mut elements, event)
        })
    }
}

unsafe extern "C" fn push<P: ListProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    element: Bytes,
    end: u32,
    len_out: *mut usize,
) -> Status {
    // SAFETY: as in `len`.
    unsafe {
        answer_value(call, len_out, |call| {
            P::push(call, key.as_slice(), element.as_slice(), ListEnd::of(end)?).map(Some)
        })
    }
}

unsafe extern "C" fn pop<P: ListProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    end: u32,
    take: Take,
    data: Opaque,
) -> Status {
    // SAFETY: as in `len`; the function fits its data.
    unsafe {
        answer_found(call, |call| {
            P::pop(call, key.as_slice(), ListEnd::of(end)?, &mut |element| (take.run)(data, Bytes::of(element)))
        })
    }
}
