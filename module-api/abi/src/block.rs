//! Service `plinth.block/1`: waiting, for keys or for a thread of the module's.
//!
//! A command that finds nothing says what it waits for, writes no reply, and returns
//! OK. The host keeps the arguments and holds the client's later commands back. When
//! one of the keys was changed and holds a value of the wanted type, the handler is
//! run again with [`crate::call::CALL_RETRY`], from its beginning: it replies, or it
//! waits again.
//!
//! ```text
//!   run ── nothing there ──> wait ──> OK     (the client waits)
//!                              ^
//!   key changed ──> run again ─┤ nothing for it: wait again, in the same place
//!                              └ something: reply            (the client goes on)
//!   time is up ──> the host sends the null that was asked for
//! ```
//!
//! Those who wait for a key are run in the order in which they began to wait, at the
//! end of the client's command (or transaction) that changed it. What they change in
//! turn makes others ready within the same turn.
//!
//! A command whose work is another thread's says [`BlockService::suspend`] instead, which
//! gives it a ticket. The thread does the work and then calls [`BlockService::resume`]
//! with the ticket; the main thread runs the handler again, which asks for the ticket with
//! [`BlockService::ticket`], finds what the thread has left for it, and replies.
//!
//! ```text
//!   main thread   run ── suspend: ticket 7 ──> OK     others are served     run again: ticket 7
//!                             |                                                  ^
//!   thread                    └──────> work ──────────────> resume(7) ───────────┘
//! ```
//!
//! In EXEC, in scripts, and wherever there is no client, nothing can wait:
//! [`crate::call::CALL_NO_BLOCK`] or [`crate::call::CALL_NO_CLIENT`] is set, and the
//! handler answers as if the time were up.

use crate::bytes::Bytes;
use crate::call::Call;
use crate::host::Host;
use crate::status::Status;
use abi_stable::StableAbi;

/// [`Wait::reply`]: when the time is up, a null.
pub const WAIT_NULL: u32 = 0;
/// [`Wait::reply`]: when the time is up, a null in place of an array.
pub const WAIT_NULL_ARRAY: u32 = 1;
/// [`Wait::flags`]: run again, too, when a key is gone or holds another type than
/// `type_id` after a change.
pub const WAIT_REMOVAL: u32 = 1 << 0;

/// How to wait.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Wait {
    /// Size of this struct in bytes.
    pub size: u32,
    /// Type of the values that are waited for; 0 takes any.
    pub type_id: u32,
    /// `WAIT_*` flag bits.
    pub flags: u32,
    /// What is sent when the time is up, [`WAIT_NULL`] or [`WAIT_NULL_ARRAY`].
    pub reply: u32,
    /// For how long, in ms; 0 is for ever.
    pub timeout_ms: u64,
    /// Arguments for the next run in place of those of this one, the command's name
    /// first; null to keep them.
    pub args: *const Bytes,
    /// Number of those arguments.
    pub argc: u32,
    /// Must be 0.
    pub reserved: u32,
}

/// Id of the service below.
pub const BLOCK_SERVICE: &str = "plinth.block/1";

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct BlockService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Wait for a change of one of `count` keys of the call's database; the handler
    /// then returns OK without a reply. A status other than OK ends the wait. In a run
    /// with [`crate::call::CALL_RETRY`] the client goes on waiting: keys, type, flags,
    /// reply and the end of the time are those of the first run, and only `args` of
    /// `how` are looked at.
    ///
    /// Thread: main. Borrow: all for the call. Fails: `NOT_ALLOWED` where nothing can
    /// wait, and in a run that `resume` has caused; `EXISTS` the second time in one run;
    /// `UNSUPPORTED` for an unknown flag or reply; `OUT_OF_RANGE` without a key;
    /// `OUT_OF_MEMORY`.
    pub wait: unsafe extern "C" fn(call: *mut Call, keys: *const Bytes, count: u32, how: *const Wait) -> Status,
    /// Wait until somebody calls `resume` with the ticket that is written to `ticket_out`;
    /// the handler then returns OK without a reply. Nothing else runs the handler again.
    /// `type_id` and `flags` of `how` are 0. A status other than OK ends the wait. In a run
    /// with [`crate::call::CALL_RETRY`] the client goes on waiting under a new ticket: reply
    /// and the end of the time are those of the first run, and only `args` of `how` are
    /// looked at. Tickets are never 0, and none is given out twice.
    ///
    /// When the wait ends otherwise (its time is up, CLIENT UNBLOCK, the client is gone)
    /// nobody is told: `resume` then answers `NONE`. While a client waits so, the command's
    /// module is neither unloaded nor replaced.
    ///
    /// Thread: main. Borrow: all for the call. Fails: `NOT_ALLOWED` where nothing can
    /// wait, in the run of one that waited for keys, and in a module whose place another
    /// has taken; `EXISTS` the second time in one run; `UNSUPPORTED` for a type, a flag or
    /// an unknown reply; `OUT_OF_MEMORY`.
    pub suspend: unsafe extern "C" fn(call: *mut Call, how: *const Wait, ticket_out: *mut u64) -> Status,
    /// The ticket for which this run is made.
    ///
    /// Thread: main. Borrow: nothing. Fails: `NONE` in a run that `resume` has not caused.
    pub ticket: unsafe extern "C" fn(call: *mut Call, ticket_out: *mut u64) -> Status,
    /// Have the handler run again that waits under a ticket, soon, on the main thread. It
    /// may be called before the handler that got the ticket has returned, and more than
    /// once. `host` is the module's own.
    ///
    /// Thread: any. Borrow: nothing. Fails: `NONE` when nobody waits under the ticket any
    /// more, or never did.
    pub resume: unsafe extern "C" fn(host: *const Host, ticket: u64) -> Status,
    /// Whether somebody waits under a ticket still, so that the work for it is worth going on
    /// with. `host` is the module's own.
    ///
    /// Thread: any. Borrow: nothing. Fails: `NONE` where `resume` would answer it.
    pub is_waiting: unsafe extern "C" fn(host: *const Host, ticket: u64) -> Status,
}
