//! Status: what every fallible function of the ABI returns.
//!
//! A command handler returns one too. For a status other than
//! [`STATUS_OK`] and [`STATUS_REPLIED`] the host drops what the handler wrote and
//! sends the standard error, so that WRONGTYPE reads the same in every module.

/// What a fallible function returns: 0 is success.
pub type Status = i32;

/// Success.
pub const STATUS_OK: Status = 0;
/// The handler has written an error reply of its own; the host sends it as it is.
pub const STATUS_REPLIED: Status = 1;
/// There is no such key, value, or item. As a handler's result: `ERR no such key`.
pub const STATUS_NONE: Status = 2;
/// The key holds a value of another type.
pub const STATUS_WRONG_TYPE: Status = 3;
/// `maxmemory` is reached, or memory cannot be had.
pub const STATUS_OUT_OF_MEMORY: Status = 4;
/// `ERR syntax error`.
pub const STATUS_SYNTAX: Status = 5;
/// `ERR value is not an integer or out of range`.
pub const STATUS_NOT_INTEGER: Status = 6;
/// `ERR value is not a valid float`.
pub const STATUS_NOT_FLOAT: Status = 7;
/// `ERR index out of range`.
pub const STATUS_OUT_OF_RANGE: Status = 8;
/// `ERR wrong number of arguments for '...' command`.
pub const STATUS_ARITY: Status = 9;
/// `ERR string exceeds maximum allowed size (proto-max-bulk-len)`.
pub const STATUS_TOO_LARGE: Status = 10;
/// The handler panicked; written by the SDK, counted and logged by the host.
pub const STATUS_PANIC: Status = 11;
/// Bytes that were to be read are not in the format expected.
pub const STATUS_BAD_DATA: Status = 12;
/// An id, a name or a flag that this host does not know.
pub const STATUS_UNSUPPORTED: Status = 13;
/// The thing exists already.
pub const STATUS_EXISTS: Status = 14;
/// The call is not possible here (no client, not in a command, read-only).
pub const STATUS_NOT_ALLOWED: Status = 15;
/// `ERR invalid expire time in '...' command`.
pub const STATUS_INVALID_EXPIRE: Status = 16;
/// The value belongs to a type whose module is not loaded.
pub const STATUS_GHOST: Status = 17;
/// `ERR increment or decrement would overflow`.
pub const STATUS_OVERFLOW: Status = 18;
/// `ERR DB index is out of range`.
pub const STATUS_DB_RANGE: Status = 19;
/// `ERR invalid cursor`.
pub const STATUS_INVALID_CURSOR: Status = 20;
/// The handler has written an error reply, which a command that it ran has failed with: that one is counted.
pub const STATUS_REPLIED_AGAIN: Status = 21;
