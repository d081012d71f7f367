//! Service `plinth.rewrite/1`: how a type's `rewrite` gives the commands that make a value anew.
//!
//! They are what an append-only file without a preamble holds, and what any server that knows the
//! commands can be told. Together they make a key that is not there, with the value and without an
//! expiry of the key, which the host adds. A value of many elements is given in pieces, so that no
//! command is large: a hundred elements or 64 KiB each is enough.

use crate::bytes::{Bytes, Opaque};
use crate::status::Status;
use abi_stable::StableAbi;

/// Id of the service below.
pub const REWRITE_SERVICE: &str = "plinth.rewrite/1";
/// Most words of one command, as of a client's.
pub const REWRITE_WORDS_MAX: u32 = 1 << 20;

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct RewriteService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Give the next command: its name, and the rest as a client would send it.
    ///
    /// Thread: as `rewrite`. Borrow: `words` and what they lead to for the call. Fails:
    /// `TOO_LARGE` for more than [`REWRITE_WORDS_MAX`] words, `NOT_ALLOWED` for none; any
    /// status when the commands cannot be written, which `rewrite` ends with and returns.
    pub emit: unsafe extern "C" fn(rewriter: Opaque, words: *const Bytes, count: u32) -> Status,
}
