//! Service `plinth.acl/1`: who clients are, and what users may do.
//!
//! A user is named by its name. An empty one stands for the user of the call's client; where there is no
//! client (timers, events), everything is allowed to it.

use crate::bytes::{Bytes, Opaque};
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// The command itself is not allowed.
pub const DENIED_COMMAND: u32 = 1;
/// The database is not.
pub const DENIED_DATABASE: u32 = 2;
/// The key is not.
pub const DENIED_KEY: u32 = 3;
/// The channel is not.
pub const DENIED_CHANNEL: u32 = 4;

/// [`AclService::check_command`]: a refusal goes into ACL LOG and is counted, as one in a module.
pub const ACL_NOTE: u32 = 1 << 0;
/// The same, as one in a script.
pub const ACL_NOTE_SCRIPT: u32 = 1 << 1;
/// [`AclService::check_command`]: the rules that allow the command must allow reading any key too.
pub const ACL_READ_ANY: u32 = 1 << 2;

/// Why a command is not allowed.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Denied {
    /// Size of this struct in bytes.
    pub size: u32,
    /// `DENIED_*`.
    pub kind: u32,
    /// Position of the key or channel among the arguments, else 0.
    pub position: u32,
    /// Must be 0.
    pub reserved: u32,
}

/// Asked when a client says who it is. It returns `NONE` when it does not know the user, so that the next is
/// asked and in the end the passwords; `OK` when it has let the client in, with `authenticate`; and
/// `NOT_ALLOWED` when nobody shall let it in, after it has written an error for the client or not.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct AuthHook {
    /// The function.
    pub run:
        unsafe extern "C" fn(call: *mut Call, client_id: u64, user: Bytes, password: Bytes, data: Opaque) -> Status,
}

/// Id of the service below.
pub const ACL_SERVICE: &str = "plinth.acl/1";

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct AclService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Name of the user that a client is.
    ///
    /// Thread: main. Borrow: `user_out` until the next call of the service. Fails: `NONE`.
    pub user_of: unsafe extern "C" fn(call: *mut Call, client_id: u64, user_out: *mut Bytes) -> Status,
    /// Whether a user may run a command, with its keys, channels and databases. `flags` are `ACL_*` bits;
    /// `denied_out` says why not, unless it is null.
    ///
    /// Thread: main. Borrow: all for the call. Fails: `NOT_ALLOWED`, `NONE` for no such user, `UNSUPPORTED` for no such
    /// command, `ARITY` for one that is allowed, as far as can be said without its keys.
    pub check_command: unsafe extern "C" fn(
        call: *mut Call,
        user: Bytes,
        args: *const Bytes,
        argc: u32,
        flags: u32,
        denied_out: *mut Denied,
    ) -> Status,
    /// Whether a user may use a key, as `KEY_*` bits of [`crate::command`] say: it needs to read it for
    /// `KEY_ACCESS`, and to write it for `KEY_UPDATE`, `KEY_INSERT` and `KEY_DELETE`.
    ///
    /// Thread: main. Borrow: all for the call. Fails: `NOT_ALLOWED`, `NONE` for no such user.
    pub check_key: unsafe extern "C" fn(call: *mut Call, user: Bytes, key: Bytes, flags: u64) -> Status,
    /// Whether a user may use a channel, or with `CHANNEL_PATTERN` in `flags` (of [`crate::command`]) a pattern of
    /// channels.
    ///
    /// Thread: main. Borrow: all for the call. Fails: `NOT_ALLOWED`, `NONE` for no such user.
    pub check_channel: unsafe extern "C" fn(call: *mut Call, user: Bytes, channel: Bytes, flags: u32) -> Status,
    /// Have a client be a user from now on, without a password.
    ///
    /// Thread: main. Borrow: `user` for the call. Fails: `NONE` for no such client or user, `NOT_ALLOWED` when the
    /// user is off.
    pub authenticate: unsafe extern "C" fn(call: *mut Call, client_id: u64, user: Bytes) -> Status,
    /// Ask `hook` when a client says who it is (AUTH, HELLO). It is removed with the module.
    ///
    /// Thread: main. Borrow: `data` as long as the module is loaded. Fails: `OUT_OF_RANGE` when the module has 16.
    pub add_auth_hook: unsafe extern "C" fn(call: *mut Call, hook: AuthHook, data: Opaque) -> Status,
}
