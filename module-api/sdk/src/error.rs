//! The error: what a handler or a service's function returns instead of a value.
//!
//! An [`Error`] is a status of the ABI without success. A handler that returns one has nothing more
//! to do: the host drops what the handler wrote and sends the standard error, so that WRONGTYPE
//! reads the same in every module. A handler with a message of its own writes it with
//! [`ReplyBuffer::error`](crate::reply::ReplyBuffer::error), whose result is [`Error::Replied`]:
//!
//! ```
//! # use plinth_module::prelude::*;
//! fn refuse(call: &mut Call<'_>) -> Result {
//!     Err(call.reply.error("ERR not today"))
//! }
//! ```

use crate::abi::status::*;
use std::fmt;

/// A result whose error is a status; without a value it is what handlers return.
pub type Result<T = ()> = core::result::Result<T, Error>;

/// Why something did not happen. Each one is a status of the ABI; as a handler's result it
/// becomes the error reply named beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Error {
    /// The handler has written an error of its own, which is sent as it is.
    Replied = STATUS_REPLIED,
    /// The same, of an error that a command has failed with which the handler ran: it is counted already.
    RepliedAgain = STATUS_REPLIED_AGAIN,
    /// There is no such key, value or item: `ERR no such key`.
    None = STATUS_NONE,
    /// The key holds a value of another type: `WRONGTYPE Operation against a key ...`.
    WrongType = STATUS_WRONG_TYPE,
    /// `maxmemory` is reached, or memory cannot be had: `OOM ...`.
    OutOfMemory = STATUS_OUT_OF_MEMORY,
    /// `ERR syntax error`.
    Syntax = STATUS_SYNTAX,
    /// `ERR value is not an integer or out of range`.
    NotInteger = STATUS_NOT_INTEGER,
    /// `ERR value is not a valid float`.
    NotFloat = STATUS_NOT_FLOAT,
    /// `ERR index out of range`.
    OutOfRange = STATUS_OUT_OF_RANGE,
    /// `ERR wrong number of arguments for '...' command`.
    Arity = STATUS_ARITY,
    /// `ERR string exceeds maximum allowed size (proto-max-bulk-len)`.
    TooLarge = STATUS_TOO_LARGE,
    /// A function of the module panicked.
    Panic = STATUS_PANIC,
    /// Bytes that were to be read are not in the format expected.
    BadData = STATUS_BAD_DATA,
    /// An id, a name or a flag that this host does not know.
    Unsupported = STATUS_UNSUPPORTED,
    /// The thing exists already.
    Exists = STATUS_EXISTS,
    /// Not possible here: no client, not in a command, read-only.
    NotAllowed = STATUS_NOT_ALLOWED,
    /// `ERR invalid expire time in '...' command`.
    InvalidExpire = STATUS_INVALID_EXPIRE,
    /// The value belongs to a type whose module is not loaded.
    Ghost = STATUS_GHOST,
    /// `ERR increment or decrement would overflow`.
    Overflow = STATUS_OVERFLOW,
    /// `ERR DB index is out of range`.
    DbRange = STATUS_DB_RANGE,
    /// `ERR invalid cursor`.
    InvalidCursor = STATUS_INVALID_CURSOR,
}

impl Error {
    /// The status that means this error.
    #[inline(always)]
    pub const fn status(self) -> Status {
        self as Status
    }

    /// The error that a status means. A status of a newer host that has no name here is
    /// [`Error::Unsupported`], and so is [`STATUS_OK`], which is none.
    pub const fn from_status(status: Status) -> Error {
        match status {
            STATUS_REPLIED => Error::Replied,
            STATUS_REPLIED_AGAIN => Error::RepliedAgain,
            STATUS_NONE => Error::None,
            STATUS_WRONG_TYPE => Error::WrongType,
            STATUS_OUT_OF_MEMORY => Error::OutOfMemory,
            STATUS_SYNTAX => Error::Syntax,
            STATUS_NOT_INTEGER => Error::NotInteger,
            STATUS_NOT_FLOAT => Error::NotFloat,
            STATUS_OUT_OF_RANGE => Error::OutOfRange,
            STATUS_ARITY => Error::Arity,
            STATUS_TOO_LARGE => Error::TooLarge,
            STATUS_PANIC => Error::Panic,
            STATUS_BAD_DATA => Error::BadData,
            STATUS_EXISTS => Error::Exists,
            STATUS_NOT_ALLOWED => Error::NotAllowed,
            STATUS_INVALID_EXPIRE => Error::InvalidExpire,
            STATUS_GHOST => Error::Ghost,
            STATUS_OVERFLOW => Error::Overflow,
            STATUS_DB_RANGE => Error::DbRange,
            STATUS_INVALID_CURSOR => Error::InvalidCursor,
            _ => Error::Unsupported,
        }
    }

    /// What went wrong, for a person who reads a log.
    pub const fn message(self) -> &'static str {
        match self {
            Error::Replied | Error::RepliedAgain => "an error was written to the reply",
            Error::None => "there is no such key or item",
            Error::WrongType => "the key holds a value of another type",
            Error::OutOfMemory => "memory cannot be had",
            Error::Syntax => "syntax error",
            Error::NotInteger => "the value is not an integer or out of range",
            Error::NotFloat => "the value is not a valid float",
            Error::OutOfRange => "the index is out of range",
            Error::Arity => "wrong number of arguments",
            Error::TooLarge => "the value exceeds the maximum allowed size",
            Error::Panic => "the module panicked",
            Error::BadData => "the bytes are not in the format expected",
            Error::Unsupported => "this host does not know the id, name or flag",
            Error::Exists => "the thing exists already",
            Error::NotAllowed => "the call is not possible here",
            Error::InvalidExpire => "the expire time is invalid",
            Error::Ghost => "the module of the value's type is not loaded",
            Error::Overflow => "increment or decrement would overflow",
            Error::DbRange => "the database index is out of range",
            Error::InvalidCursor => "the cursor is invalid",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.message())
    }
}

impl std::error::Error for Error {}

impl From<plinth_pack::Malformed> for Error {
    fn from(_: plinth_pack::Malformed) -> Error {
        Error::BadData
    }
}

/// A result as the status that the ABI wants.
#[inline(always)]
pub(crate) fn status_of(result: Result) -> Status {
    match result {
        Ok(()) => STATUS_OK,
        Err(error) => error.status(),
    }
}

/// A status of the ABI as a result.
#[inline(always)]
pub(crate) fn check(status: Status) -> Result {
    if status == STATUS_OK { Ok(()) } else { Err(Error::from_status(status)) }
}

/// A status where [`STATUS_NONE`] is an answer and not an error.
#[inline(always)]
pub(crate) fn check_found(status: Status) -> Result<bool> {
    match status {
        STATUS_OK => Ok(true),
        STATUS_NONE => Ok(false),
        other => Err(Error::from_status(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_survives_the_way_there_and_back() {
        for status in STATUS_REPLIED..=STATUS_INVALID_CURSOR {
            assert_eq!(Error::from_status(status).status(), status);
        }
        assert_eq!(Error::from_status(9999), Error::Unsupported);
        assert_eq!(check(STATUS_OK), Ok(()));
        assert_eq!(check_found(STATUS_NONE), Ok(false));
    }
}
