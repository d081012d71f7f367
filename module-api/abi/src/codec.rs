//! Service `plinth.codec/1`: how a type's `save` writes and its `load` reads.
//!
//! A type with RDB tags of its own writes one with `put_tag`, then the
//! standard payload of that tag with `put_u64`, `put_bytes` and `put_raw`. Any other type just puts
//! values: the host keeps them in a self-describing container (RDB value type 7),
//! so that they can be carried along when the module is not loaded.

use crate::bytes::{Bytes, Opaque};
use crate::status::Status;
use abi_stable::StableAbi;

/// Id of the service below.
pub const CODEC_SERVICE: &str = "plinth.codec/1";

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct CodecService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Say which RDB value type follows. First call, and only for a type that
    /// declares the tag.
    ///
    /// Thread: as `save`. Borrow: nothing. Fails: a later error of the save.
    pub put_tag: unsafe extern "C" fn(saver: Opaque, tag: u8),
    /// An unsigned integer; after a tag in RDB's length encoding.
    ///
    /// Thread: as `save`. Borrow: nothing. Fails: never.
    pub put_u64: unsafe extern "C" fn(saver: Opaque, value: u64),
    /// A signed integer; after a tag eight bytes little-endian.
    ///
    /// Thread: as `save`. Borrow: nothing. Fails: never.
    pub put_i64: unsafe extern "C" fn(saver: Opaque, value: i64),
    /// A double; after a tag eight bytes little-endian.
    ///
    /// Thread: as `save`. Borrow: nothing. Fails: never.
    pub put_f64: unsafe extern "C" fn(saver: Opaque, value: f64),
    /// Bytes, as an RDB string: integers and compressible texts take less room.
    ///
    /// Thread: as `save`. Borrow: `bytes` for the call. Fails: never.
    pub put_bytes: unsafe extern "C" fn(saver: Opaque, bytes: Bytes),
    /// Bytes as they are, without a length. Only after a tag.
    ///
    /// Thread: as `save`. Borrow: `bytes` for the call. Fails: a later error of the save.
    pub put_raw: unsafe extern "C" fn(saver: Opaque, bytes: Bytes),
    /// The inverse of `put_u64`.
    ///
    /// Thread: as `load`. Borrow: nothing. Fails: `BAD_DATA`.
    pub get_u64: unsafe extern "C" fn(loader: Opaque, value_out: *mut u64) -> Status,
    /// The inverse of `put_i64`.
    ///
    /// Thread: as `load`. Borrow: nothing. Fails: `BAD_DATA`.
    pub get_i64: unsafe extern "C" fn(loader: Opaque, value_out: *mut i64) -> Status,
    /// The inverse of `put_f64`.
    ///
    /// Thread: as `load`. Borrow: nothing. Fails: `BAD_DATA`.
    pub get_f64: unsafe extern "C" fn(loader: Opaque, value_out: *mut f64) -> Status,
    /// The inverse of `put_bytes`.
    ///
    /// Thread: as `load`. Borrow: `bytes_out` until the next get. Fails: `BAD_DATA`.
    pub get_bytes: unsafe extern "C" fn(loader: Opaque, bytes_out: *mut Bytes) -> Status,
    /// The inverse of `put_raw`.
    ///
    /// Thread: as `load`. Borrow: `bytes_out` until the next get. Fails: `BAD_DATA`.
    pub get_raw: unsafe extern "C" fn(loader: Opaque, len: usize, bytes_out: *mut Bytes) -> Status,
    /// The loaded value is inline: these bytes under this tag.
    ///
    /// Thread: as `load`. Borrow: `bytes` for the call. Fails: `NOT_ALLOWED` when
    /// there is a value already.
    pub finish_inline: unsafe extern "C" fn(loader: Opaque, tag: u32, bytes: Bytes) -> Status,
    /// The loaded value is boxed.
    ///
    /// Thread: as `load`. Borrow: the host owns `boxed` on success. Fails:
    /// `NOT_ALLOWED` when there is a value already.
    pub finish_boxed: unsafe extern "C" fn(loader: Opaque, tag: u32, boxed: Opaque) -> Status,
    /// For whom a value is saved, for a type that has several tags to choose from: whether that
    /// reader knows RDB value type `tag`, 0 or 1. Of those that it knows a type takes the one
    /// that suits the value; when none of them can hold the value, it writes the one that can, and the
    /// host does what is to be done about it.
    ///
    /// Thread: as `save`. Borrow: nothing. Fails: never.
    pub knows: unsafe extern "C" fn(saver: Opaque, tag: u8) -> u32,
    /// Whether nobody but that reader is going to read the value, 0 or 1: then what it has no
    /// place for may be left out. Where it is 0, as for DUMP, a value that loses anything under
    /// the tags that `knows` allows is written under a newer one.
    ///
    /// Thread: as `save`. Borrow: nothing. Fails: never.
    pub may_omit: unsafe extern "C" fn(saver: Opaque) -> u32,
}
