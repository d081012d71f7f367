//! Converting large values: what a type implements so that a module can be replaced by another
//! while the server serves, without a pause for values of a million elements.
//!
//! A type whose boxed values consist of elements that can be named implements [`Convert`] for what
//! is in the box, and says so: `const CONVERT: Option<Conversion<Self::Boxed>> =
//! Some(Conversion::new());` in its `DataType` or `MixedType`. The old module hands elements out,
//! the new one takes them in, a slice at a time; in between, commands change the old value, and its
//! [`Journal`] notes what:
//!
//! ```
//! use plinth_module::convert::{Convert, Journal, Visit};
//! use plinth_module::prelude::*;
//! use std::collections::BTreeMap;
//!
//! #[derive(Default)]
//! struct Bag { counts: BTreeMap<Vec<u8>, u64>, journal: Journal }
//!
//! impl Bag {
//!     /// All changes go through here.
//!     fn put(&mut self, member: &[u8], count: u64) {
//!         self.journal.note(member);
//!         self.counts.insert(member.to_vec(), count);
//!     }
//! }
//!
//! impl Convert for Bag {
//!     fn journal(&mut self) -> &mut Journal { &mut self.journal }
//!
//!     fn export_some(&self, cursor: u64, budget: usize, visit: &mut Visit<'_>) -> Result<u64> {
//!         // Any order and cursor will do that sees every element that stays.
//! #       let _ = budget;
//!         for (member, count) in &self.counts { visit.put(member, &count.to_le_bytes())?; }
//! #       let _ = cursor;
//!         Ok(0)
//!     }
//!
//!     fn export_one(&self, member: &[u8], visit: &mut Visit<'_>) -> Result {
//!         match self.counts.get(member) {
//!             Some(count) => visit.put(member, &count.to_le_bytes()),
//!             None => visit.remove(member),
//!         }
//!     }
//!
//!     fn import_new() -> Self { Bag::default() }
//!
//!     fn import_put(&mut self, member: &[u8], payload: &[u8]) -> Result {
//!         let count = payload.try_into().map_err(|_| Error::BadData)?;
//!         self.counts.insert(member.to_vec(), u64::from_le_bytes(count));
//!         Ok(())
//!     }
//!
//!     fn import_remove(&mut self, member: &[u8]) -> Result {
//!         self.counts.remove(member);
//!         Ok(())
//!     }
//! }
//! ```
//!
//! Elements of a list have no names but their places, which change: such a type implements
//! [`ConvertSequence`](sequence::ConvertSequence) instead, and says
//! `Some(Conversion::of_sequence())`.
//!
//! What elements and payloads are of the types that the protocol has commands for says
//! [`abi::convert`].

pub mod sequence;

use crate::abi;
use crate::abi::bytes::{Bytes, Opaque};
use crate::abi::convert::Element;
use crate::abi::status::Status;
use crate::error::{Error, Result, check, status_of};
use crate::panic::guard;
use crate::types::into_boxed;
use std::collections::HashSet;
use std::marker::PhantomData;

/// A boxed value that can be handed out and taken in element by element.
pub trait Convert: Sized + Send + 'static {
    /// The journal that every change of an element is noted in.
    fn journal(&mut self) -> &mut Journal;

    /// An export begins, from the first element on, whatever became of one before. For a value that
    /// keeps beside the cursor how far it has come.
    fn export_begin(&mut self) {}

    /// Hands out about `budget` elements from `cursor` on, which begins at 0; returns where to go
    /// on, or 0 when all were handed out. An element that is there from the first slice to the last
    /// is handed out at least once, whatever is inserted and removed between them. Fails as `visit`.
    fn export_some(&self, cursor: u64, budget: usize, visit: &mut Visit<'_>) -> Result<u64>;

    /// Hands out one element as it is now, or says that it is gone. Fails as `visit`.
    fn export_one(&self, element: &[u8], visit: &mut Visit<'_>) -> Result;

    /// A value without elements.
    fn import_new() -> Self;

    /// Gives the value an element, or an element another payload. Fails with `BadData` for a payload
    /// that cannot be one.
    fn import_put(&mut self, element: &[u8], payload: &[u8]) -> Result;

    /// Takes an element away, if it is there.
    fn import_remove(&mut self, element: &[u8]) -> Result;

    /// The value is complete; the tag that goes beside it. Takes no longer than a command.
    fn import_finish(&mut self) -> Result<u32> {
        Ok(0)
    }
}

/// Elements of a value that have changed and were not handed out since. It notes nothing until the
/// host asks for it, and then costs one comparison per change.
#[derive(Debug, Default)]
pub struct Journal {
    changed: Option<Box<Changed>>,
}

/// Each changed element once, in a set that says so and a queue that gives them back in constant
/// time.
#[derive(Debug, Default)]
struct Changed {
    known: HashSet<Rc>,
    queue: Vec<Rc>,
}

/// An element that both hold.
type Rc = std::sync::Arc<[u8]>;

impl Journal {
    /// A journal that notes nothing yet.
    pub const NEW: Journal = Journal { changed: None };

    /// Notes that an element is being inserted, changed or removed.
    #[inline]
    pub fn note(&mut self, element: &[u8]) {
        if let Some(changed) = &mut self.changed
            && !changed.known.contains(element)
        {
            let element: Rc = element.into();
            changed.known.insert(element.clone());
            changed.queue.push(element);
        }
    }

    /// Whether changes are noted.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.changed.is_some()
    }

    /// Bytes that it takes, estimated in constant time.
    pub fn memory(&self) -> usize {
        self.changed.as_ref().map_or(0, |changed| changed.known.capacity() * 64)
    }

    fn begin(&mut self) {
        self.changed = Some(Box::default());
    }

    fn end(&mut self) {
        self.changed = None;
    }

    fn take_one(&mut self) -> Option<Rc> {
        let changed = self.changed.as_mut()?;
        let one = changed.queue.pop()?;
        changed.known.remove(&one);
        Some(one)
    }

    fn len(&self) -> usize {
        self.changed.as_ref().map_or(0, |changed| changed.queue.len())
    }
}

/// Where elements are handed to.
pub struct Visit<'v> {
    element: Element,
    data: Opaque,
    lent: PhantomData<&'v mut ()>,
}

impl Visit<'_> {
    /// Hands out an element with its payload. Fails when the other side does not take it; the export
    /// ends with that.
    pub fn put(&mut self, element: &[u8], payload: &[u8]) -> Result {
        self.give(element, payload, 0)
    }

    /// Says that an element is gone. Fails as [`put`](Visit::put).
    pub fn remove(&mut self, element: &[u8]) -> Result {
        self.give(element, &[], 1)
    }

    fn give(&mut self, element: &[u8], payload: &[u8], removed: u32) -> Result {
        // SAFETY: function and data are the host's, lent for the export that runs.
        check(unsafe { (self.element.run)(self.data, Bytes::of(element), Bytes::of(payload), removed) })
    }
}

/// That a type's boxed values are converted by their [`Convert`].
pub struct Conversion<B> {
    table: &'static abi::convert::Convert,
    of: PhantomData<fn(B)>,
}

impl<B> Clone for Conversion<B> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<B> Copy for Conversion<B> {}

impl<B: Convert> Conversion<B> {
    /// For a type's `CONVERT`.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Conversion<B> {
        Conversion { table: Functions::<Named<B>>::TABLE, of: PhantomData }
    }
}

impl<B> Conversion<B> {
    /// The table for the host; null without one.
    pub(crate) const fn table(of: Option<Conversion<B>>) -> *const abi::convert::Convert {
        match of {
            Some(conversion) => conversion.table,
            None => std::ptr::null(),
        }
    }
}

/// What the host's functions come down to for a kind of elements: those that have names
/// ([`Convert`]), and those that have places ([`sequence`]).
trait Converter {
    type Boxed: Send + 'static;

    fn begin(boxed: &mut Self::Boxed);
    fn some(boxed: &mut Self::Boxed, cursor: u64, budget: usize, visit: &mut Visit<'_>) -> Result<u64>;
    /// Returns how many changes are left.
    fn changes(boxed: &mut Self::Boxed, budget: usize, visit: &mut Visit<'_>) -> Result<usize>;
    fn end(boxed: &mut Self::Boxed);
    fn create() -> Self::Boxed;
    fn put(boxed: &mut Self::Boxed, element: &[u8], payload: &[u8]) -> Result;
    fn remove(boxed: &mut Self::Boxed, element: &[u8]) -> Result;
    fn finish(boxed: &mut Self::Boxed) -> Result<u32>;
}

/// Elements with names.
struct Named<B>(PhantomData<B>);

impl<B: Convert> Converter for Named<B> {
    type Boxed = B;

    fn begin(boxed: &mut B) {
        boxed.export_begin();
        boxed.journal().begin();
    }

    fn some(boxed: &mut B, cursor: u64, budget: usize, visit: &mut Visit<'_>) -> Result<u64> {
        boxed.export_some(cursor, budget, visit)
    }

    fn changes(boxed: &mut B, budget: usize, visit: &mut Visit<'_>) -> Result<usize> {
        for _ in 0..budget {
            let Some(changed) = boxed.journal().take_one() else { break };
            boxed.export_one(&changed, visit)?;
        }
        Ok(boxed.journal().len())
    }

    fn end(boxed: &mut B) {
        boxed.journal().end();
    }

    fn create() -> B {
        B::import_new()
    }

    fn put(boxed: &mut B, element: &[u8], payload: &[u8]) -> Result {
        boxed.import_put(element, payload)
    }

    fn remove(boxed: &mut B, element: &[u8]) -> Result {
        boxed.import_remove(element)
    }

    fn finish(boxed: &mut B) -> Result<u32> {
        boxed.import_finish()
    }
}

/// The functions that the host calls.
struct Functions<C>(PhantomData<C>);

/// # Safety
/// `boxed` is a box of the type, which nobody else uses for `'b`.
unsafe fn value<'b, B>(boxed: Opaque) -> &'b mut B {
    // SAFETY: as the caller vouches.
    unsafe { &mut *boxed.cast::<B>() }
}

fn answer(work: impl FnOnce() -> Result) -> Status {
    status_of(guard(work).unwrap_or(Err(Error::Panic)))
}

// Each function gets boxes of this type, bytes and places for results that are valid for the call,
// as the table's comments ask of the host.
impl<C: Converter> Functions<C> {
    const TABLE: &'static abi::convert::Convert = &abi::convert::Convert {
        size: size_of::<abi::convert::Convert>() as u32,
        reserved: 0,
        export_begin: Self::export_begin,
        export_some: Self::export_some,
        export_changes: Self::export_changes,
        export_end: Self::export_end,
        import_new: Self::import_new,
        import_put: Self::import_put,
        import_remove: Self::import_remove,
        import_finish: Self::import_finish,
    };

    unsafe extern "C" fn export_begin(boxed: Opaque) -> Status {
        // SAFETY: see above.
        answer(|| unsafe {
            C::begin(value(boxed));
            Ok(())
        })
    }

    unsafe extern "C" fn export_some(
        boxed: Opaque,
        cursor: *mut u64,
        budget: usize,
        element: Element,
        data: Opaque,
    ) -> Status {
        // SAFETY: see above.
        answer(|| unsafe {
            let mut visit = Visit { element, data, lent: PhantomData };
            *cursor = C::some(value(boxed), *cursor, budget, &mut visit)?;
            Ok(())
        })
    }

    unsafe extern "C" fn export_changes(
        boxed: Opaque,
        budget: usize,
        left_out: *mut usize,
        element: Element,
        data: Opaque,
    ) -> Status {
        // SAFETY: see above.
        answer(|| unsafe {
            let mut visit = Visit { element, data, lent: PhantomData };
            *left_out = C::changes(value(boxed), budget, &mut visit)?;
            Ok(())
        })
    }

    unsafe extern "C" fn export_end(boxed: Opaque) {
        // SAFETY: see above.
        guard(|| unsafe { C::end(value(boxed)) });
    }

    unsafe extern "C" fn import_new() -> Opaque {
        guard(C::create).map_or(std::ptr::null_mut(), into_boxed)
    }

    unsafe extern "C" fn import_put(boxed: Opaque, element: Bytes, payload: Bytes) -> Status {
        // SAFETY: see above.
        answer(|| unsafe { C::put(value(boxed), element.as_slice(), payload.as_slice()) })
    }

    unsafe extern "C" fn import_remove(boxed: Opaque, element: Bytes) -> Status {
        // SAFETY: see above.
        answer(|| unsafe { C::remove(value(boxed), element.as_slice()) })
    }

    unsafe extern "C" fn import_finish(boxed: Opaque, tag_out: *mut u32) -> Status {
        // SAFETY: see above.
        answer(|| unsafe {
            *tag_out = C::finish(value(boxed))?;
            Ok(())
        })
    }
}
