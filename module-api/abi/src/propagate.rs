//! Service `plinth.propagate/1`: what replicas and the append-only file are told of
//! a command.
//!
//! Without a word from the handler a command that changed something is passed on
//! as the client sent it, and what a timer or a hook changes as what the keys are then.
//!
//! What is passed on comes in *units*: the commands of one are run elsewhere all or none. A hook for
//! [`ON_UNIT`](crate::events::ON_UNIT) is given each.

use crate::bytes::{Bytes, Slice};
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// The append-only file is told, and with it hooks for `ON_UNIT`.
pub const PROPAGATE_TO_FILE: u32 = 1 << 0;
/// Replicas are told.
pub const PROPAGATE_TO_REPLICAS: u32 = 1 << 1;

/// The unit was read from the append-only file: it has happened before the server was started.
pub const UNIT_REPLAYED: u32 = 1 << 0;

/// A command of a unit.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct UnitCommand {
    /// Size of this struct in bytes.
    pub size: u32,
    /// The database that it is for.
    pub db: u32,
    /// The command as clients send it: a RESP array of its words.
    pub text: Bytes,
}

/// What belongs together of what was passed on. Valid for the hook's call.
///
/// Units of one history are counted from 1, whether somebody listens or not, and the count is kept in snapshots and in
/// the base of the append-only file: after a start it goes on where the data are. So whoever keeps the number of the
/// last unit beside what it has made of it knows which it has seen. A number that is lower than the last says that
/// the server has lost what came behind it, one that is higher by more than 1 that some were not told, and another
/// history that the data are others: of a full sync, of a file that says none, or changed while nobody counted.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Unit {
    /// Size of this struct in bytes.
    pub size: u32,
    /// `UNIT_*` bits.
    pub flags: u32,
    /// Which one it is.
    pub number: u64,
    /// The history that it is counted in, 40 hex digits.
    pub history: Bytes,
    /// Its commands, in order.
    pub commands: Slice<UnitCommand>,
}

/// Id of the service below.
pub const PROPAGATE_SERVICE: &str = "plinth.propagate/1";

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct PropagateService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Pass on this command instead of the one that runs; may be called repeatedly. In a timer or a hook it
    /// stands for all that is changed there of the keys which it names by its key specs: these are not passed
    /// on as what they are.
    ///
    /// Thread: main. Borrow: `args` for the call. Fails: `NOT_ALLOWED` outside a command, a timer and a hook.
    pub instead: unsafe extern "C" fn(call: *mut Call, args: *const Bytes, argc: u32) -> Status,
    /// Pass on nothing.
    ///
    /// Thread: main. Borrow: nothing. Fails: `NOT_ALLOWED` outside a command.
    pub nothing: unsafe extern "C" fn(call: *mut Call) -> Status,
    /// Pass on this command before the one that runs, whatever is passed on of that; may be called
    /// repeatedly. So it is within a command that another module's command runs, and in a function
    /// of a service: what is found there and removed, because it has expired, has to be removed elsewhere as
    /// well. In a timer or a hook nothing is to be said, since keys are passed on as what they are.
    ///
    /// Thread: main. Borrow: `args` for the call. Fails: `NOT_ALLOWED` outside a command, a timer and a hook.
    pub before: unsafe extern "C" fn(call: *mut Call, args: *const Bytes, argc: u32) -> Status,
    /// Pass on this command too, in some database and to some of those who are told (`PROPAGATE_TO_*`), behind all
    /// else that is passed on of the outermost command, timer or hook, and in one unit with it; may be called
    /// repeatedly. It need not have changed anything here.
    ///
    /// Thread: main. Borrow: `args` for the call. Fails: `UNSUPPORTED` without a target or with an unknown one,
    /// `DB_RANGE`, `NOT_ALLOWED` outside a command, a timer and a hook.
    pub also: unsafe extern "C" fn(call: *mut Call, db: u32, args: *const Bytes, argc: u32, targets: u32) -> Status,
}
