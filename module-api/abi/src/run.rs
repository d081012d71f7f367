//! Service `plinth.run/1`: running commands of any module from inside a module.

use crate::bytes::{Bytes, Opaque, Take};
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// [`RunService::run`]: refuse commands that write.
pub const RUN_READ_ONLY: u32 = 1 << 0;
/// [`RunService::run`]: answer in RESP3 whatever the call speaks.
pub const RUN_RESP3: u32 = 1 << 1;
/// Answer in RESP2 whatever the call speaks.
pub const RUN_RESP2: u32 = 1 << 2;
/// [`RunService::run_as`]: the command is passed on by itself, as EXEC's are, and not as part of the caller's.
pub const RUN_EFFECT: u32 = 1 << 3;
/// [`RunService::run_as`]: nobody is told of what the command changes, nor of that as part of the caller's.
pub const RUN_UNTOLD: u32 = 1 << 4;
/// [`RunService::run_as`], with [`RUN_EFFECT`]: the append-only file is not told of what the command changes.
pub const RUN_UNTOLD_FILE: u32 = 1 << 6;
/// [`RunService::run_as`], with [`RUN_EFFECT`]: replicas are not told of what the command changes.
pub const RUN_UNTOLD_REPLICAS: u32 = 1 << 7;
/// [`RunService::run_as`]: run the command even when `maxmemory` is reached.
pub const RUN_ALLOW_OOM: u32 = 1 << 5;

/// How [`RunService::run_as`] is to run a command, and what it was.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct RunRequest {
    /// Size of this struct in bytes.
    pub size: u32,
    /// `RUN_*` bits.
    pub flags: u32,
    /// The user whose rights count; empty for the call's own.
    pub user: Bytes,
    /// Filled in: `COMMAND_*` bits of the command or subcommand, also of one that was not run for them; 0 when the
    /// reply is an error because the user may not run it, or because memory is short.
    pub command_flags: u64,
}

/// [`ReplyNode::kind`]: nothing.
pub const NODE_NULL: u32 = 0;
/// An error: its text, with the code in front.
pub const NODE_ERROR: u32 = 1;
/// A status: its text.
pub const NODE_SIMPLE: u32 = 2;
/// A string: its bytes.
pub const NODE_BULK: u32 = 3;
/// An integer: `integer`.
pub const NODE_INTEGER: u32 = 4;
/// A number with a fraction: `number`, and its digits.
pub const NODE_DOUBLE: u32 = 5;
/// True or false: `integer` is 1 or 0.
pub const NODE_BOOLEAN: u32 = 6;
/// An integer of any size: its digits.
pub const NODE_BIG_NUMBER: u32 = 7;
/// A text with its format: three characters, a colon, and the text.
pub const NODE_VERBATIM: u32 = 8;
/// An array: `count` nodes follow.
pub const NODE_ARRAY: u32 = 9;
/// A set: `count` nodes follow.
pub const NODE_SET: u32 = 10;
/// A map: `count` nodes follow, of each pair the key and the value.
pub const NODE_MAP: u32 = 11;
/// A message that is no reply: `count` nodes follow.
pub const NODE_PUSH: u32 = 12;

/// A part of a reply. Those of several elements are followed by them, each with what follows it in turn.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct ReplyNode {
    /// Size of this struct in bytes; set by the caller.
    pub size: u32,
    /// A `NODE_*` constant.
    pub kind: u32,
    /// How many nodes follow that are its elements.
    pub count: u64,
    /// Of an integer or boolean, its value.
    pub integer: i64,
    /// Of a double, its value.
    pub number: f64,
    /// Bytes of the reply: the text, or the digits.
    pub text: Bytes,
}

/// Id of the service below.
pub const RUN_SERVICE: &str = "plinth.run/1";

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct RunService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// A handle of the command called `name`, which saves the look-up; null when
    /// there is none. It must be resolved again after a module was loaded or unloaded
    /// (a stale handle is recognised).
    ///
    /// Thread: main. Borrow: `name` for the call. Fails: null.
    pub resolve: unsafe extern "C" fn(call: *mut Call, name: Bytes) -> Opaque,
    /// Run a command in the call's database and hand its reply, as RESP bytes, to
    /// `take`. `command` is a handle or null. An error of the command is a
    /// reply like any other.
    ///
    /// Thread: main. Borrow: `reply` for `take`'s call. Fails: `NONE` for no such command,
    /// `NOT_ALLOWED` for one that may not be run from a module, `OUT_OF_RANGE` when calls nest too deep.
    pub run: unsafe extern "C" fn(
        call: *mut Call,
        command: Opaque,
        args: *const Bytes,
        argc: u32,
        flags: u32,
        take: Take,
        data: Opaque,
    ) -> Status,
    /// The same for a script: the caller says as whom and how, learns what kind of command it was, and by its
    /// status what was wrong with the arguments. Internal commands are not there. What the user may not do is
    /// noted in ACL LOG, and the reply is an error.
    ///
    /// Thread: main. Borrow: `reply` for `take`'s call; `request` and all in it for the call. Fails: `NONE` for no
    /// such command or subcommand, `ARITY`, `NOT_ALLOWED` for one that is not for scripts or, as
    /// `command_flags` tells, writes where that was refused, `OUT_OF_RANGE` when calls nest too deep,
    /// `UNSUPPORTED` for a user that the host does not know.
    pub run_as: unsafe extern "C" fn(
        call: *mut Call,
        command: Opaque,
        args: *const Bytes,
        argc: u32,
        request: *mut RunRequest,
        take: Take,
        data: Opaque,
    ) -> Status,
    /// Read one node of a reply that `take` was given, in RESP2 or RESP3, from `*at` on, which goes behind it: so a
    /// reply is read from 0 on, node by node. An attribute is passed over.
    ///
    /// Thread: any. Borrow: the node's text as long as `reply`. Fails: `BAD_DATA` where no whole node is.
    pub read: unsafe extern "C" fn(reply: Bytes, at: *mut usize, node_out: *mut ReplyNode) -> Status,
    /// Whether a script may begin that says what it does, as a command with these `COMMAND_*` bits (`WRITE`,
    /// `DENY_OOM`, `STALE`) might: memory, the disk and replication can be against it. Why not goes to `take`, as an
    /// error that begins with its code. One that may is shown to clients that watch, before the commands that it runs.
    ///
    /// Thread: main. Borrow: the text for `take`'s call. Fails: `NOT_ALLOWED`, when `take` was called.
    pub may_begin: unsafe extern "C" fn(call: *mut Call, command_flags: u64, take: Take, data: Opaque) -> Status,
}
