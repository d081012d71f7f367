//! Services `plinth.language.NAME/1`: languages that functions are written in.
//!
//! Whoever provides `plinth.language.toy/1` is where libraries live whose first line is `#!toy name=lib`. The module
//! that has FUNCTION and FCALL asks for the service when such a library comes, and lets go of it when the last one
//! has gone. It keeps sources and names, and what is in files; a language compiles, calls and frees.
//!
//! ```text
//!   FUNCTION LOAD ──> compile ──> declare, declare, ... ──> functions by name
//!   FCALL ──> call ──> command, command, ... and one reply
//!   FUNCTION DELETE, FLUSH, LOAD REPLACE ──> free, free, ...
//! ```
//!
//! The table's second word should be [`SERVICE_PINNED`](crate::entry::SERVICE_PINNED): what one provider compiled
//! another cannot call. While there is a library of a language its module is neither unloaded nor replaced. One that a
//! file brings before the language is there is kept as a source, and compiled when somebody asks for a function.

use crate::bytes::{Bytes, Opaque, Take};
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// What stands before a language's name in the id of its service. The name has lower case letters, digits and
/// underscores.
pub const LANGUAGE_BEGIN: &str = "plinth.language.";
/// What stands behind it.
pub const LANGUAGE_END: &str = "/1";

/// A function does not write, and FCALL_RO may call it.
pub const FUNCTION_NO_WRITES: u32 = 1 << 0;
/// A function runs when `maxmemory` is reached.
pub const FUNCTION_ALLOW_OOM: u32 = 1 << 1;
/// A function runs on a replica whose data may be old.
pub const FUNCTION_ALLOW_STALE: u32 = 1 << 2;
/// A function does not run in a cluster.
pub const FUNCTION_NO_CLUSTER: u32 = 1 << 3;
/// A function touches keys of several slots.
pub const FUNCTION_ALLOW_CROSS_SLOT: u32 = 1 << 4;

/// A function, as a library declares it.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct DeclaredFunction {
    /// Size of this struct in bytes.
    pub size: u32,
    /// `FUNCTION_*` bits.
    pub flags: u32,
    /// What FCALL calls it: letters, digits and underscores.
    pub name: Bytes,
    /// What it is for; empty when the library does not say.
    pub description: Bytes,
    /// What the language finds it by.
    pub function: Opaque,
}

/// A library that is to be compiled, and who is told what is in it.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct LibrarySource {
    /// Size of this struct in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Its name.
    pub name: Bytes,
    /// Its source, with the line that names language and library.
    pub source: Bytes,
    /// Passed on to the two functions.
    pub data: Opaque,
    /// A function is in the library. From then on `free` is called for it once, whatever becomes of the library.
    ///
    /// Thread: main. Borrow: `function` and its texts for the call. Fails: `BAD_DATA` for a name that can be none,
    /// `EXISTS` for one that the library has declared already; nothing is freed then.
    pub declare: unsafe extern "C" fn(data: Opaque, function: *const DeclaredFunction) -> Status,
    /// Why the library does not compile: the error that FUNCTION LOAD answers, with its code in front.
    ///
    /// Thread: main. Borrow: `text` for the call. Fails: never.
    pub fail: unsafe extern "C" fn(data: Opaque, text: Bytes),
}

/// A function that is called.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct FunctionRun {
    /// Size of this struct in bytes.
    pub size: u32,
    /// `FUNCTION_*` bits; [`FUNCTION_NO_WRITES`] also where FCALL_RO calls.
    pub flags: u32,
    /// Its name.
    pub name: Bytes,
    /// The keys that it was given.
    pub keys: *const Bytes,
    /// The arguments behind them.
    pub args: *const Bytes,
    /// How many keys.
    pub key_count: u32,
    /// How many arguments.
    pub arg_count: u32,
    /// Passed on to `command`.
    pub data: Opaque,
    /// Run a command for the function: with the caller's rights, as its flags allow, as an effect of its own. What is
    /// wrong is an error among the replies, also where there is no such command, or it is not for functions.
    /// `flags` is [`RUN_RESP3`](crate::run::RUN_RESP3), or 0 for a reply in RESP2; `read` of `plinth.run/1` reads it.
    ///
    /// Thread: main, within the call of the function. Borrow: `args` for the call, the reply for `take`'s. Fails:
    /// `NOT_ALLOWED` for other flags or no arguments; `take` is not called then.
    pub command: unsafe extern "C" fn(
        call: *mut Call,
        data: Opaque,
        args: *const Bytes,
        argc: u32,
        flags: u32,
        take: Take,
        take_data: Opaque,
    ) -> Status,
    /// Between two steps of what may take long, every few milliseconds: others are served when it is time, as with
    /// `plinth.busy/1`. Answers [`BUSY_END`](crate::busy::BUSY_END) when the function is to end, with an error, and 0
    /// when it goes on.
    ///
    /// Thread: main, within the call of the function. Borrow: nothing. Fails: never.
    pub give_way: unsafe extern "C" fn(call: *mut Call, data: Opaque) -> u32,
}

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct LanguageService {
    /// Size of this table in bytes.
    pub size: u32,
    /// [`SERVICE_PINNED`](crate::entry::SERVICE_PINNED), because functions outlive calls.
    pub flags: u32,
    /// Compile a library and declare its functions. Commands are not run. The reply of the call is not for it: what is
    /// wrong it says by `fail`.
    ///
    /// Thread: main. Borrow: `library` and all in it for the call. Fails: any status; what was declared is freed then.
    pub compile: unsafe extern "C" fn(call: *mut Call, library: *const LibrarySource) -> Status,
    /// Call a function, which writes one reply.
    ///
    /// Thread: main. Borrow: `run` and all in it for the call. Fails: any status, as a command does.
    pub call: unsafe extern "C" fn(call: *mut Call, function: Opaque, run: *const FunctionRun) -> Status,
    /// A function goes.
    ///
    /// Thread: main. Borrow: nothing. Fails: never.
    pub free: unsafe extern "C" fn(function: Opaque),
    /// Bytes that the language has for all functions together.
    ///
    /// Thread: main. Borrow: nothing. Fails: never.
    pub memory: unsafe extern "C" fn() -> u64,
}
