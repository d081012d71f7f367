//! The value and the type: what a data type's module and the host know of each
//! other.
//!
//! A value has one of two forms. An *inline* value is bytes inside the key's
//! entry: the host owns and moves them, the module interprets them and has them
//! resized through `plinth.keys/1`. A *boxed* value is an address: the module
//! owns what is behind it until the host calls [`Type::drop`]. A `tag` of four
//! bits beside either is the module's own, for its encodings.

use crate::bytes::{Bytes, Opaque, Slice};
use crate::convert::Convert;
use crate::status::Status;
use abi_stable::StableAbi;

/// Form: bytes in the entry.
pub const FORM_INLINE: u32 = 0;
/// Form: an address.
pub const FORM_BOXED: u32 = 1;
/// Largest tag.
pub const TAG_MAX: u32 = 15;

/// A value as it is handed to a type's functions.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Value {
    /// Size of this struct in bytes.
    pub size: u32,
    /// `FORM_*`.
    pub form: u32,
    /// The module's own, 0 to [`TAG_MAX`].
    pub tag: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Inline: the bytes. Boxed: null.
    pub data: *mut u8,
    /// Inline: how many.
    pub len: usize,
    /// Boxed: the address. Inline: null.
    pub boxed: Opaque,
}

/// A data type. Its functions get values of this type only.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Type {
    /// Size of this struct in bytes.
    pub size: u32,
    /// Version of what `save` writes, handed back to `load`; at most 1023.
    pub encoding: u32,
    /// What TYPE answers, unique among loaded types: `"string"`,
    /// `"com.example.gauge"`. It is also what saved values are found by.
    pub name: Bytes,
    /// The host writes the type's id here before `start`; ids begin at 1.
    pub id_out: *mut u32,
    /// Value type bytes of the RDB format that `load` reads, for types that have a
    /// standard form there; `save` then writes one of them with
    /// `plinth.codec/1` `put_tag` first. Without any, values are saved in a container
    /// that carries the type's name and `encoding`.
    pub rdb_tags: Slice<u8>,
    /// Write a value.
    ///
    /// Thread: main, or the only thread of a forked child. Borrow: both for the
    /// call. Fails: any status, and nothing is saved.
    pub save: unsafe extern "C" fn(value: *const Value, saver: Opaque) -> Status,
    /// Read a value, and hand it over with `plinth.codec/1` `finish_inline` or
    /// `finish_boxed`. `encoding` is what [`Type::encoding`] was, or the RDB tag.
    ///
    /// Thread: main. Borrow: the loader for the call. Fails: `BAD_DATA`, having
    /// freed what it made.
    pub load: unsafe extern "C" fn(loader: Opaque, encoding: u32) -> Status,
    /// Free a boxed value. Null when values are inline only.
    ///
    /// Thread: any. Borrow: nothing. Fails: never.
    pub drop: Option<unsafe extern "C" fn(boxed: Opaque)>,
    /// Bytes behind a boxed value, in constant time. Null counts as 0.
    ///
    /// Thread: main. Borrow: the call. Fails: never.
    pub memory: Option<unsafe extern "C" fn(value: *const Value) -> usize>,
    /// How much work freeing is, in allocations; above 64 it is done in the
    /// background. Null: 1.
    ///
    /// Thread: main. Borrow: the call. Fails: never.
    pub free_effort: Option<unsafe extern "C" fn(value: *const Value) -> usize>,
    /// What OBJECT ENCODING answers. Null: `"raw"`.
    ///
    /// Thread: main. Borrow: the text must be constant. Fails: never.
    pub encoding_name: Option<unsafe extern "C" fn(value: *const Value) -> Bytes>,
    /// Copy a boxed value for COPY. Null: it is saved and loaded.
    ///
    /// Thread: main. Borrow: the call. Fails: null.
    pub copy: Option<unsafe extern "C" fn(boxed: Opaque) -> Opaque>,
    /// The module's own: the Rust SDK keeps its type's identity here.
    pub data: Opaque,
    /// How large boxed values become those of another module's type of the same name,
    /// in slices. Null: they are saved and loaded, however long that takes.
    pub convert: *const Convert,
    /// The RDB version that whoever reads the saved value must know; with null in the
    /// place of the value, an upper bound of it for all values that there are, in constant
    /// time. A file begins with its version, so the host asks before it saves: for the bound, and
    /// where that is above what it writes by itself (11), of the values one by one. Null: any
    /// reader will do.
    ///
    /// Thread: main, or the only thread of a forked child. Borrow: the call. Fails: never.
    pub rdb_version: Option<unsafe extern "C" fn(value: *const Value) -> u32>,
    /// Give the commands that make the value anew, through `plinth.rewrite/1`. What
    /// depends on the clock is absolute in them. Null: RESTORE of the saved value.
    ///
    /// Thread: main, or the only thread of a forked child. Borrow: all for the call. Fails:
    /// `UNSUPPORTED` before the first command, as if this were null; any other status, and the
    /// value is not written.
    pub rewrite: Option<unsafe extern "C" fn(value: *const Value, key: Bytes, rewriter: Opaque) -> Status>,
    /// Show what the value is, through `plinth.digest/1`. Null: a digest of the saved bytes.
    ///
    /// Thread: main, or the only thread of a forked child. Borrow: both for the call. Fails:
    /// `UNSUPPORTED`, as if this were null.
    pub digest: Option<unsafe extern "C" fn(value: *const Value, digester: Opaque) -> Status>,
}

// SAFETY: a type is constant data, and `id_out` is written by the host alone,
// before any other thread can know it.
unsafe impl Sync for Type {}
// SAFETY: as above.
unsafe impl Send for Type {}
