//! Service `plinth.digest/1`: how a type's `digest` shows what a value is.
//!
//! A digest is the same for the same data, whatever the encoding, the order in which a table has
//! its elements, and the implementation of the type. So what is shown is what clients see: a number
//! as its digits, a member as its bytes. Parts count in their order up to `end`, which makes an
//! element of them; the order of elements does not count:
//!
//! ```text
//!   a list   add(one) add(other) ...
//!   a set    add(member) end   add(member) end ...
//!   a hash   add(field) add(value) end ...
//! ```

use crate::bytes::{Bytes, Opaque};
use abi_stable::StableAbi;

/// Id of the service below.
pub const DIGEST_SERVICE: &str = "plinth.digest/1";

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct DigestService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// The next part of the present element. Where a part ends counts.
    ///
    /// Thread: as `digest`. Borrow: `part` for the call. Fails: never.
    pub add: unsafe extern "C" fn(digester: Opaque, part: Bytes),
    /// The present element is complete. The last one, or the only one, need not be ended.
    ///
    /// Thread: as `digest`. Borrow: nothing. Fails: never.
    pub end: unsafe extern "C" fn(digester: Opaque),
}
