//! The data type: what a module says of the values that it stores.
//!
//! There are three ways to store a value, and one trait for each:
//!
//! | trait | values are | for |
//! |---|---|---|
//! | [`DataType`] | a Rust value in a box | nearly every type of one's own |
//! | [`InlineType`] | bytes inside the key's entry | strings, counters, anything of a few bytes |
//! | [`MixedType`] | either | collections with a compact form for few elements |
//!
//! Boxes are dropped on whichever thread has time for it, so a boxed value is `Send`. The host
//! reaches values only through the functions of these traits and never while a handler holds one.
//! Any of the functions may panic: the panic is caught, logged, and turned into a failure.

use crate::codec::{Loader, Saver};
use crate::convert::Conversion;
use crate::digest::Digester;
use crate::error::{Error, Result};
use crate::rewrite::Rewriter;
use crate::types::slot_of;
use std::convert::Infallible;
use std::ffi::CStr;
use std::marker::PhantomData;

/// A type whose values are Rust values: `Type::of::<Gauge>()` in the module's list, then
/// `call.keys.get_value::<Gauge>(key)`.
pub trait DataType: Sized + Send + 'static {
    /// What TYPE answers and what saved values are found by; unique among loaded types, so
    /// best begun with a domain of one's own: `c"com.example.gauge"`.
    const NAME: &'static CStr;
    /// Version of what [`save`](DataType::save) writes, handed back to `load`; at most 1023.
    const ENCODING: u32;
    /// Where the SDK keeps the type's id, below [`SLOTS_COUNT`](crate::types::SLOTS_COUNT). To be
    /// set only when `start` reports that two types of the module share a slot.
    const SLOT: usize = slot_of(Self::NAME);
    /// How large values become those of another module's type of this name, element by element.
    /// Without it they are saved and loaded. See [`convert`](crate::convert).
    const CONVERT: Option<Conversion<Self>> = None;

    /// Writes the value. Also called in a forked child, where no other thread exists: it takes no
    /// lock.
    fn save(&self, out: &mut Saver<'_>);

    /// Reads a value that was saved under `encoding`. Fails with `BadData`.
    fn load(from: &mut Loader<'_>, encoding: u32) -> Result<Self>;

    /// Bytes that the value takes, with what it owns; in constant time.
    fn memory(&self) -> usize {
        size_of::<Self>()
    }

    /// How much work dropping is, in allocations; above 64 it is done in the background.
    fn free_effort(&self) -> usize {
        1
    }

    /// What OBJECT ENCODING answers.
    fn encoding_name(&self) -> &'static str {
        "raw"
    }

    /// A copy for COPY; `None` has the value saved and loaded instead.
    fn copy(&self) -> Option<Self> {
        None
    }

    /// Gives the commands that make the value anew; see [`rewrite`](crate::rewrite). Fails with
    /// `Unsupported` before the first command to have RESTORE do it, as it does where this is left out.
    fn rewrite(&self, _out: &mut Rewriter<'_>) -> Result {
        Err(Error::Unsupported)
    }

    /// Shows what the value is; see [`digest`](crate::digest). Fails with `Unsupported` to have
    /// the saved bytes looked at, as they are where this is left out.
    fn digest(&self, _out: &mut Digester<'_>) -> Result {
        Err(Error::Unsupported)
    }
}

/// A type whose values are bytes that live in the key's entry, with a tag of four bits that is the
/// type's own. The host owns and moves them.
pub trait InlineType: 'static {
    /// As [`DataType::NAME`].
    const NAME: &'static CStr;
    /// As [`DataType::ENCODING`].
    const ENCODING: u32 = 1;
    /// Value types of the RDB format that [`load`](InlineType::load) reads; `save` begins with
    /// one of them. Empty for types of one's own.
    const RDB_TAGS: &'static [u8] = &[];

    /// Writes the value.
    fn save(tag: u32, bytes: &[u8], out: &mut Saver<'_>);

    /// Reads a value; `encoding` is the RDB tag when there are any. Fails with `BadData`.
    fn load<'l>(from: &'l mut Loader<'_>, encoding: u32) -> Result<Loaded<'l>>;

    /// What OBJECT ENCODING answers.
    fn encoding_name(_tag: u32, _bytes: &[u8]) -> &'static str {
        "raw"
    }

    /// As [`DataType::rewrite`].
    fn rewrite(_tag: u32, _bytes: &[u8], _out: &mut Rewriter<'_>) -> Result {
        Err(Error::Unsupported)
    }

    /// As [`DataType::digest`].
    fn digest(_tag: u32, _bytes: &[u8], _out: &mut Digester<'_>) -> Result {
        Err(Error::Unsupported)
    }
}

/// A type whose values are bytes in the entry while they are small, and a Rust value in a box
/// when they are not. Either form has a tag of four bits that is the type's own.
pub trait MixedType: 'static {
    /// What is in the box.
    type Boxed: Send + 'static;

    /// As [`DataType::NAME`].
    const NAME: &'static CStr;
    /// As [`DataType::ENCODING`].
    const ENCODING: u32 = 1;
    /// As [`InlineType::RDB_TAGS`].
    const RDB_TAGS: &'static [u8] = &[];
    /// As [`DataType::SLOT`].
    const SLOT: usize = slot_of(Self::NAME);
    /// As [`DataType::CONVERT`], for what is in the box.
    const CONVERT: Option<Conversion<Self::Boxed>> = None;

    /// Writes the value.
    fn save(value: Stored<'_, Self::Boxed>, out: &mut Saver<'_>);

    /// Reads a value; `encoding` is the RDB tag when there are any. Fails with `BadData`.
    fn load<'l>(from: &'l mut Loader<'_>, encoding: u32) -> Result<Loaded<'l, Self::Boxed>>;

    /// As [`DataType::memory`].
    fn memory(value: &Self::Boxed) -> usize;

    /// As [`DataType::free_effort`].
    fn free_effort(_value: &Self::Boxed) -> usize {
        1
    }

    /// As [`DataType::encoding_name`].
    fn encoding_name(_value: Stored<'_, Self::Boxed>) -> &'static str {
        "raw"
    }

    /// As [`DataType::copy`].
    fn copy(_value: &Self::Boxed) -> Option<Self::Boxed> {
        None
    }

    /// As [`DataType::rewrite`].
    fn rewrite(_value: Stored<'_, Self::Boxed>, _out: &mut Rewriter<'_>) -> Result {
        Err(Error::Unsupported)
    }

    /// As [`DataType::digest`].
    fn digest(_value: Stored<'_, Self::Boxed>, _out: &mut Digester<'_>) -> Result {
        Err(Error::Unsupported)
    }

    /// The RDB version that the reader of the saved value must know, where it may choose the lowest; 0
    /// when any will do.
    fn rdb_version(_value: Stored<'_, Self::Boxed>) -> u32 {
        0
    }

    /// An upper bound of [`rdb_version`](MixedType::rdb_version) for all values that there are, in
    /// constant time. The host looks at values one by one only where it is above 11.
    fn rdb_version_max() -> u32 {
        0
    }
}

/// A value in either form, as it lies in the keyspace.
pub enum Stored<'v, B> {
    /// Bytes in the entry.
    Inline {
        /// The type's own.
        tag: u32,
        /// The value.
        bytes: &'v [u8],
    },
    /// A value in a box.
    Boxed {
        /// The type's own.
        tag: u32,
        /// The value.
        value: &'v B,
    },
}

impl<B> Clone for Stored<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<B> Copy for Stored<'_, B> {}

/// A value that `load` has read, in the form in which it is going to be stored.
pub enum Loaded<'l, B = Infallible> {
    /// Bytes for the entry.
    Inline {
        /// The type's own.
        tag: u32,
        /// The value.
        bytes: LoadedBytes<'l>,
    },
    /// A value for a box.
    Boxed {
        /// The type's own.
        tag: u32,
        /// The value.
        value: B,
    },
}

impl<'l, B> Loaded<'l, B> {
    /// Bytes just as the loader read them.
    pub fn bytes(tag: u32, bytes: &'l [u8]) -> Loaded<'l, B> {
        Loaded::Inline { tag, bytes: LoadedBytes::Borrowed(bytes) }
    }

    /// At most [`LOADED_SMALL_BYTES`] bytes, copied without an allocation; more are copied with one.
    pub fn small(tag: u32, bytes: &[u8]) -> Loaded<'l, B> {
        let bytes = if bytes.len() <= LOADED_SMALL_BYTES {
            let mut room = [0; LOADED_SMALL_BYTES];
            room[..bytes.len()].copy_from_slice(bytes);
            LoadedBytes::Small(room, bytes.len())
        } else {
            LoadedBytes::Owned(bytes.to_vec())
        };
        Loaded::Inline { tag, bytes }
    }

    /// Bytes that `load` has built.
    pub fn owned(tag: u32, bytes: Vec<u8>) -> Loaded<'l, B> {
        Loaded::Inline { tag, bytes: LoadedBytes::Owned(bytes) }
    }

    /// A value for a box.
    pub fn boxed(tag: u32, value: B) -> Loaded<'l, B> {
        Loaded::Boxed { tag, value }
    }
}

/// Most bytes that [`Loaded::small`] holds without an allocation.
pub const LOADED_SMALL_BYTES: usize = 32;

/// Bytes of a loaded value, and who owns them.
pub enum LoadedBytes<'l> {
    /// The loader.
    Borrowed(&'l [u8]),
    /// This struct: the first so many bytes.
    Small([u8; LOADED_SMALL_BYTES], usize),
    /// The heap.
    Owned(Vec<u8>),
}

impl LoadedBytes<'_> {
    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        match self {
            LoadedBytes::Borrowed(bytes) => bytes,
            LoadedBytes::Small(room, len) => &room[..*len],
            LoadedBytes::Owned(bytes) => bytes,
        }
    }
}

/// A [`DataType`] as a [`MixedType`] that is never inline. Of use where an entry is looked at in
/// both ways: `entry.boxed::<Boxed<Gauge>>()`.
pub struct Boxed<T>(PhantomData<T>);

impl<T: DataType> MixedType for Boxed<T> {
    type Boxed = T;
    const NAME: &'static CStr = T::NAME;
    const ENCODING: u32 = T::ENCODING;
    const SLOT: usize = T::SLOT;
    const CONVERT: Option<Conversion<T>> = T::CONVERT;

    fn save(value: Stored<'_, T>, out: &mut Saver<'_>) {
        if let Stored::Boxed { value, .. } = value {
            value.save(out);
        }
    }

    fn load<'l>(from: &'l mut Loader<'_>, encoding: u32) -> Result<Loaded<'l, T>> {
        Ok(Loaded::boxed(0, T::load(from, encoding)?))
    }

    fn memory(value: &T) -> usize {
        value.memory()
    }

    fn free_effort(value: &T) -> usize {
        value.free_effort()
    }

    fn encoding_name(value: Stored<'_, T>) -> &'static str {
        match value {
            Stored::Boxed { value, .. } => value.encoding_name(),
            Stored::Inline { .. } => "raw",
        }
    }

    fn copy(value: &T) -> Option<T> {
        value.copy()
    }

    fn rewrite(value: Stored<'_, T>, out: &mut Rewriter<'_>) -> Result {
        match value {
            Stored::Boxed { value, .. } => value.rewrite(out),
            Stored::Inline { .. } => Err(Error::Unsupported),
        }
    }

    fn digest(value: Stored<'_, T>, out: &mut Digester<'_>) -> Result {
        match value {
            Stored::Boxed { value, .. } => value.digest(out),
            Stored::Inline { .. } => Err(Error::Unsupported),
        }
    }
}

/// An [`InlineType`] as a [`MixedType`] that is never boxed.
pub(crate) struct InlineOf<T>(PhantomData<T>);

impl<T: InlineType> MixedType for InlineOf<T> {
    type Boxed = Infallible;
    const NAME: &'static CStr = T::NAME;
    const ENCODING: u32 = T::ENCODING;
    const RDB_TAGS: &'static [u8] = T::RDB_TAGS;

    fn save(value: Stored<'_, Infallible>, out: &mut Saver<'_>) {
        if let Stored::Inline { tag, bytes } = value {
            T::save(tag, bytes, out);
        }
    }

    fn load<'l>(from: &'l mut Loader<'_>, encoding: u32) -> Result<Loaded<'l>> {
        T::load(from, encoding)
    }

    fn memory(_value: &Infallible) -> usize {
        0
    }

    fn encoding_name(value: Stored<'_, Infallible>) -> &'static str {
        match value {
            Stored::Inline { tag, bytes } => T::encoding_name(tag, bytes),
            Stored::Boxed { .. } => "raw",
        }
    }

    fn rewrite(value: Stored<'_, Infallible>, out: &mut Rewriter<'_>) -> Result {
        match value {
            Stored::Inline { tag, bytes } => T::rewrite(tag, bytes, out),
            Stored::Boxed { .. } => Err(Error::Unsupported),
        }
    }

    fn digest(value: Stored<'_, Infallible>, out: &mut Digester<'_>) -> Result {
        match value {
            Stored::Inline { tag, bytes } => T::digest(tag, bytes, out),
            Stored::Boxed { .. } => Err(Error::Unsupported),
        }
    }
}
