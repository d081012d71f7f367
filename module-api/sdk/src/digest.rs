//! The digest: what a value is, shown part by part, so that two servers can tell whether they have
//! the same data. It does not depend on how a value is kept, nor on by whom.
//!
//! ```
//! # use plinth_module::digest::Digester;
//! fn of_a_hash(fields: &[(&[u8], &[u8])], out: &mut Digester<'_>) {
//!     for (field, value) in fields {
//!         out.element(&[field, value]);
//!     }
//! }
//! ```

use crate::abi::bytes::{Bytes, Opaque};
use crate::host;
use std::marker::PhantomData;

/// Takes the parts of one value. Lives for the call of `digest`.
pub struct Digester<'d> {
    raw: Opaque,
    marker: PhantomData<&'d mut u8>,
}

impl Digester<'_> {
    /// # Safety
    /// `raw` is the digester that the host handed to the running `digest`.
    pub(crate) unsafe fn new<'d>(raw: Opaque) -> Digester<'d> {
        Digester { raw, marker: PhantomData }
    }

    /// The next part of the present element, as clients see it. Parts count in their order.
    pub fn add(&mut self, part: &[u8]) {
        // SAFETY: the digester is valid while `'d` lasts; the part is borrowed for the call.
        unsafe { (host::digest().add)(self.raw, Bytes::of(part)) }
    }

    /// The present element is complete. The order of elements does not count. The last or only one
    /// need not be ended.
    pub fn end(&mut self) {
        // SAFETY: as in `add`.
        unsafe { (host::digest().end)(self.raw) }
    }

    /// An element of these parts.
    pub fn element(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|part| self.add(part));
        self.end();
    }
}
