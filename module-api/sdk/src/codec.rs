//! The codec: how a type writes its values and reads them back.
//!
//! A type with RDB tags of its own first says which of them follows
//! ([`Saver::tag`]), and then writes the standard payload of that tag. Any other type just puts
//! values one after the other and gets them back in the same order: the host keeps them in a
//! container that carries the type's name and encoding, so that they can be kept while the module
//! is not loaded.

use crate::abi::bytes::{Bytes, Opaque};
use crate::error::{Result, check};
use crate::host;
use std::marker::PhantomData;

/// Writes one value. Lives for the call of `save`.
pub struct Saver<'s> {
    raw: Opaque,
    marker: PhantomData<&'s mut u8>,
}

impl Saver<'_> {
    /// # Safety
    /// `raw` is the saver that the host handed to the running `save`.
    pub(crate) unsafe fn new<'s>(raw: Opaque) -> Saver<'s> {
        Saver { raw, marker: PhantomData }
    }

    /// Writes a value of one of the plain types: integers, floats, booleans, bytes, texts.
    #[inline]
    pub fn put(&mut self, value: impl Put) {
        value.put(self);
    }

    /// Says which RDB value type follows; comes first, and only in types that declare the tag.
    #[inline]
    pub fn tag(&mut self, tag: u8) {
        // SAFETY: the saver is valid while `'s` lasts.
        unsafe { (host::codec().put_tag)(self.raw, tag) }
    }

    /// An unsigned integer; after a tag in RDB's length encoding.
    #[inline]
    pub fn u64(&mut self, value: u64) {
        // SAFETY: as in `tag`.
        unsafe { (host::codec().put_u64)(self.raw, value) }
    }

    /// A signed integer; after a tag eight bytes little-endian.
    #[inline]
    pub fn i64(&mut self, value: i64) {
        // SAFETY: as in `tag`.
        unsafe { (host::codec().put_i64)(self.raw, value) }
    }

    /// A double; after a tag eight bytes little-endian.
    #[inline]
    pub fn f64(&mut self, value: f64) {
        // SAFETY: as in `tag`.
        unsafe { (host::codec().put_f64)(self.raw, value) }
    }

    /// Bytes with their length, as an RDB string.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        // SAFETY: as in `tag`; the bytes are borrowed for the call.
        unsafe { (host::codec().put_bytes)(self.raw, Bytes::of(bytes)) }
    }

    /// Bytes as they are, without a length. Only after a tag.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        // SAFETY: as in `tag`; the bytes are borrowed for the call.
        unsafe { (host::codec().put_raw)(self.raw, Bytes::of(bytes)) }
    }

    /// Whether the reader that the value is saved for knows an RDB value type, for a type that has
    /// several to choose from. When none that it knows can hold the value, the one that can is written, and
    /// the host does what is to be done.
    pub fn knows(&self, tag: u8) -> bool {
        // SAFETY: as in `tag`.
        unsafe { (host::codec().knows)(self.raw, tag) != 0 }
    }

    /// Whether what that reader has no place for may be left out. Otherwise a value that would lose
    /// anything is written under a newer tag.
    pub fn may_omit(&self) -> bool {
        // SAFETY: as in `tag`.
        unsafe { (host::codec().may_omit)(self.raw) != 0 }
    }
}

/// What [`Saver::put`] takes; each type is read back by the [`Loader`] method named beside it.
pub trait Put {
    /// Writes the value.
    fn put(self, out: &mut Saver<'_>);
}

macro_rules! puts {
    ($($type:ty => $method:ident as $wide:ty;)*) => {$(
        #[doc = concat!("Read back with `", stringify!($method), "`.")]
        impl Put for $type {
            #[inline]
            fn put(self, out: &mut Saver<'_>) {
                out.$method(<$wide>::from(self));
            }
        }
    )*};
}

puts! {
    u8 => u64 as u64; u16 => u64 as u64; u32 => u64 as u64; u64 => u64 as u64; bool => u64 as u64;
    i8 => i64 as i64; i16 => i64 as i64; i32 => i64 as i64; i64 => i64 as i64;
    f32 => f64 as f64; f64 => f64 as f64;
}

/// Read back with `u64`.
impl Put for usize {
    #[inline]
    fn put(self, out: &mut Saver<'_>) {
        out.u64(self as u64);
    }
}

/// Read back with `bytes`.
impl Put for &[u8] {
    #[inline]
    fn put(self, out: &mut Saver<'_>) {
        out.bytes(self);
    }
}

/// Read back with `text` or `bytes`.
impl Put for &str {
    #[inline]
    fn put(self, out: &mut Saver<'_>) {
        out.bytes(self.as_bytes());
    }
}

/// Reads one value. Lives for the call of `load`.
///
/// Whatever is read may have been written by anybody: a RESTORE payload is a client's. A `load`
/// checks what it reads, fails with [`Error::BadData`](crate::error::Error::BadData), and allocates
/// no more than it has read so far, whatever a count promises.
pub struct Loader<'l> {
    raw: Opaque,
    marker: PhantomData<&'l mut u8>,
}

impl Loader<'_> {
    /// # Safety
    /// `raw` is the loader that the host handed to the running `load`.
    pub(crate) unsafe fn new<'l>(raw: Opaque) -> Loader<'l> {
        Loader { raw, marker: PhantomData }
    }

    /// Reads an unsigned integer.
    #[inline]
    pub fn u64(&mut self) -> Result<u64> {
        let mut value = 0;
        // SAFETY: the loader is valid while `'l` lasts, and `value` for the call.
        check(unsafe { (host::codec().get_u64)(self.raw, &mut value) })?;
        Ok(value)
    }

    /// Reads a signed integer.
    #[inline]
    pub fn i64(&mut self) -> Result<i64> {
        let mut value = 0;
        // SAFETY: as in `u64`.
        check(unsafe { (host::codec().get_i64)(self.raw, &mut value) })?;
        Ok(value)
    }

    /// Reads a double.
    #[inline]
    pub fn f64(&mut self) -> Result<f64> {
        let mut value = 0.0;
        // SAFETY: as in `u64`.
        check(unsafe { (host::codec().get_f64)(self.raw, &mut value) })?;
        Ok(value)
    }

    /// Reads bytes, which stay until the next read.
    #[inline]
    pub fn bytes(&mut self) -> Result<&[u8]> {
        let mut bytes = Bytes::EMPTY;
        // SAFETY: as in `u64`.
        check(unsafe { (host::codec().get_bytes)(self.raw, &mut bytes) })?;
        // SAFETY: they stay until the next read, which `&mut self` keeps off.
        Ok(unsafe { bytes.as_slice() })
    }

    /// Reads a text. Fails with `BadData` when the bytes are not UTF-8.
    pub fn text(&mut self) -> Result<&str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| crate::error::Error::BadData)
    }

    /// Reads `len` bytes that [`Saver::raw`] wrote; they stay until the next read.
    #[inline]
    pub fn raw(&mut self, len: usize) -> Result<&[u8]> {
        let mut bytes = Bytes::EMPTY;
        // SAFETY: as in `u64`.
        check(unsafe { (host::codec().get_raw)(self.raw, len, &mut bytes) })?;
        // SAFETY: as in `bytes`.
        Ok(unsafe { bytes.as_slice() })
    }
}
