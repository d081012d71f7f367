//! The reply buffer, whose layout is public so that writing a reply needs no call,
//! and the service `plinth.reply/1`, which writes each kind of reply for those who
//! would rather call.
//!
//! ```text
//!   at            end
//!   v             v
//! ..|.............|     free bytes: write at `at`, then advance it
//! ```
//!
//! When fewer bytes are free than needed, `grow` makes room; the buffer may then
//! point somewhere else entirely, because a long reply is a list of chunks.

use crate::bytes::Bytes;
use crate::call::Call;
use abi_stable::StableAbi;

/// Most bytes that may be asked of [`Reply::grow`] at once.
pub const REPLY_GROW_MAX: usize = 4096;

/// Where a reply is written.
#[repr(C)]
#[derive(StableAbi)]
pub struct Reply {
    /// Size of this struct in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// First free byte.
    pub at: *mut u8,
    /// One past the last free byte.
    pub end: *mut u8,
    /// Make at least `need` (at most [`REPLY_GROW_MAX`]) contiguous bytes free.
    ///
    /// Thread: main. Borrow: `at` and `end` until the next grow or append. Fails: never.
    pub grow: unsafe extern "C" fn(reply: *mut Reply, need: usize),
    /// Append bytes of any length.
    ///
    /// Thread: main. Borrow: `bytes` for the call. Fails: never.
    pub append: unsafe extern "C" fn(reply: *mut Reply, bytes: Bytes),
}

/// Kind of an aggregate: array.
pub const REPLY_ARRAY: u32 = 0;
/// Kind of an aggregate: map; `count` is in pairs. An array of twice the length in RESP2.
pub const REPLY_MAP: u32 = 1;
/// Kind of an aggregate: set. An array in RESP2.
pub const REPLY_SET: u32 = 2;
/// Kind of an aggregate: out-of-band push. An array in RESP2.
pub const REPLY_PUSH: u32 = 3;
/// Kind of an aggregate: attribute of the reply that follows. Left out in RESP2.
pub const REPLY_ATTRIBUTE: u32 = 4;

/// Id of the service below.
pub const REPLY_SERVICE: &str = "plinth.reply/1";

/// Service `plinth.reply/1`: each kind of reply, in the protocol version of the
/// call. Shapes: RESP3 specification, <https://github.com/redis/redis-specifications>.
#[repr(C)]
#[derive(StableAbi)]
pub struct ReplyService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// A status such as `+OK`; `text` holds no line break.
    ///
    /// Thread: main. Borrow: `text` for the call. Fails: never.
    pub simple: unsafe extern "C" fn(call: *mut Call, text: Bytes),
    /// An error; `text` begins with its code (`ERR ...`) and without `-`. Line
    /// breaks become spaces. The handler then returns `STATUS_REPLIED`.
    ///
    /// Thread: main. Borrow: `text` for the call. Fails: never.
    pub error: unsafe extern "C" fn(call: *mut Call, text: Bytes),
    /// An integer.
    ///
    /// Thread: main. Borrow: nothing. Fails: never.
    pub integer: unsafe extern "C" fn(call: *mut Call, value: i64),
    /// A bulk string.
    ///
    /// Thread: main. Borrow: `bytes` for the call. Fails: never.
    pub bulk: unsafe extern "C" fn(call: *mut Call, bytes: Bytes),
    /// Nothing: `_` in RESP3, the null bulk string in RESP2.
    ///
    /// Thread: main. Borrow: nothing. Fails: never.
    pub null: unsafe extern "C" fn(call: *mut Call),
    /// No array: `_` in RESP3, the null array in RESP2.
    ///
    /// Thread: main. Borrow: nothing. Fails: never.
    pub null_array: unsafe extern "C" fn(call: *mut Call),
    /// The head of an aggregate (`REPLY_*` kind) whose `count` elements follow.
    ///
    /// Thread: main. Borrow: nothing. Fails: never.
    pub aggregate: unsafe extern "C" fn(call: *mut Call, kind: u32, count: usize),
    /// A double: `,` in RESP3, a bulk string in RESP2.
    ///
    /// Thread: main. Borrow: nothing. Fails: never.
    pub double: unsafe extern "C" fn(call: *mut Call, value: f64),
    /// A boolean: `#t` in RESP3, the integers 1 and 0 in RESP2.
    ///
    /// Thread: main. Borrow: nothing. Fails: never.
    pub boolean: unsafe extern "C" fn(call: *mut Call, value: u32),
    /// A text with its format, three letters (`txt`, `mkd`); a bulk string in RESP2.
    ///
    /// Thread: main. Borrow: both for the call. Fails: never.
    pub verbatim: unsafe extern "C" fn(call: *mut Call, format: Bytes, text: Bytes),
    /// An integer of any size as decimal digits; a bulk string in RESP2.
    ///
    /// Thread: main. Borrow: `digits` for the call. Fails: never.
    pub big_number: unsafe extern "C" fn(call: *mut Call, digits: Bytes),
    /// Begin an aggregate whose length is not known yet. Nested ones close in
    /// reverse order.
    ///
    /// Thread: main. Borrow: the returned mark until `close`. Fails: never.
    pub open: unsafe extern "C" fn(call: *mut Call) -> u64,
    /// End the aggregate begun at `mark`: writes its head, with `count` elements
    /// (pairs for a map).
    ///
    /// Thread: main. Borrow: nothing. Fails: never.
    pub close: unsafe extern "C" fn(call: *mut Call, mark: u64, kind: u32, count: usize),
}
