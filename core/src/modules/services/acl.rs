//! `plinth.acl/1`: who clients are, and what users may do.

use crate::acl::access::Denial;
use crate::acl::log::Place;
use crate::acl::selector::Selector;
use crate::acl::user::User;
use crate::base::id::UserId;
use crate::engine::call::Context;
use crate::registry::auth::Asked;
use plinth_abi::acl::{self as abi, AclService, AuthHook, Denied};
use plinth_abi::bytes::{Bytes, Opaque};
use plinth_abi::call::Call;
use plinth_abi::command::CHANNEL_PATTERN;
use plinth_abi::status::{
    STATUS_ARITY, STATUS_NONE, STATUS_NOT_ALLOWED, STATUS_OK, STATUS_OUT_OF_RANGE, STATUS_UNSUPPORTED, Status,
};

/// The table.
pub static TABLE: AclService = AclService {
    size: size_of::<AclService>() as u32,
    reserved: 0,
    user_of,
    check_command,
    check_key,
    check_channel,
    authenticate,
    add_auth_hook,
};

// Every function below is called by a loaded module with the call that runs, and with
// bytes and out-parameters valid for the call.

/// Whom a name means.
pub(super) enum Whom {
    /// Nobody, who may do everything.
    Server,
    /// A user.
    User(UserId),
}

/// Whom a name means, an empty one the user of the call's client; `None` for no such user.
pub(super) fn whom(context: &mut Context, name: &[u8]) -> Option<Whom> {
    let client = context.client;
    let server = context.server();
    if !name.is_empty() {
        return server.acl.users.find(name).map(Whom::User);
    }
    let client = client.and_then(|token| server.sessions.clients.peek(token));
    Some(client.map_or(Whom::Server, |client| Whom::User(client.user)))
}

/// Whether one of a user's selectors allows something.
fn allows(context: &mut Context, name: &[u8], is_allowed: impl Fn(&Selector) -> bool) -> Status {
    let may = |user: &User| user.selectors.iter().any(is_allowed);
    match whom(context, name) {
        None => STATUS_NONE,
        Some(Whom::User(id)) if !may(context.server().acl.users.get(id)) => STATUS_NOT_ALLOWED,
        Some(_) => STATUS_OK,
    }
}

unsafe extern "C" fn user_of(call: *mut Call, client_id: u64, user_out: *mut Bytes) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let Some(client) = context.server().sessions.clients.by_id(client_id) else { return STATUS_NONE };
    // SAFETY: see above.
    unsafe { user_out.write(Bytes::of(&client.user_name)) };
    STATUS_OK
}

unsafe extern "C" fn check_command(
    call: *mut Call,
    user: Bytes,
    args: *const Bytes,
    argc: u32,
    flags: u32,
    denied_out: *mut Denied,
) -> Status {
    if argc == 0 {
        return STATUS_UNSUPPORTED;
    }
    // SAFETY: see above.
    let (context, user, args) =
        unsafe { (Context::of(call), user.as_slice(), std::slice::from_raw_parts(args, argc as usize)) };
    let (token, db) = (context.client, context.db);
    let Some(whom) = whom(context, user) else { return STATUS_NONE };
    let server = context.server();
    // SAFETY: see above.
    let Some(command) = server.commands.find_any(unsafe { args[0].as_slice() }) else { return STATUS_UNSUPPORTED };
    // SAFETY: the table has just given the pointer, and nothing below changes the table.
    let mut command = unsafe { &*command };
    if let Some(name) = args.get(1) {
        // SAFETY: see above.
        command = command.subcommand(unsafe { name.as_slice() }).unwrap_or(command);
    }
    let allowed = if command.takes(args.len()) { STATUS_OK } else { STATUS_ARITY };
    let Whom::User(id) = whom else { return allowed };
    let Err(denial) = server.may_run(id, command, args, db, flags & abi::ACL_READ_ANY != 0) else { return allowed };
    if flags & (abi::ACL_NOTE | abi::ACL_NOTE_SCRIPT) != 0
        && let Some(token) = token
    {
        let place = if flags & abi::ACL_NOTE_SCRIPT != 0 { Place::Script } else { Place::Module };
        server.deny(token, command, args, denial, place);
    }
    let (kind, position) = match denial {
        Denial::Command => (abi::DENIED_COMMAND, 0),
        Denial::Database(_) => (abi::DENIED_DATABASE, 0),
        Denial::Key(at) => (abi::DENIED_KEY, at),
        Denial::Channel(at) => (abi::DENIED_CHANNEL, at),
    };
    if !denied_out.is_null() {
        let denied = Denied { size: size_of::<Denied>() as u32, kind, position: position as u32, reserved: 0 };
        // SAFETY: see above.
        unsafe { crate::modules::services::fill::fill(denied_out, denied) };
    }
    STATUS_NOT_ALLOWED
}

unsafe extern "C" fn check_key(call: *mut Call, user: Bytes, key: Bytes, flags: u64) -> Status {
    // SAFETY: see above.
    let (context, user, key) = unsafe { (Context::of(call), user.as_slice(), key.as_slice()) };
    allows(context, user, |selector| selector.allows_key_for(key, flags))
}

unsafe extern "C" fn check_channel(call: *mut Call, user: Bytes, channel: Bytes, flags: u32) -> Status {
    // SAFETY: see above.
    let (context, user, channel) = unsafe { (Context::of(call), user.as_slice(), channel.as_slice()) };
    allows(context, user, |selector| selector.allows_channel(channel, flags & CHANNEL_PATTERN != 0))
}

unsafe extern "C" fn authenticate(call: *mut Call, client_id: u64, user: Bytes) -> Status {
    // SAFETY: see above.
    let (context, user) = unsafe { (Context::of(call), user.as_slice()) };
    let server = context.server();
    let found = server.sessions.clients.token(client_id).zip(server.acl.users.find(user));
    let Some((token, id)) = found else { return STATUS_NONE };
    if !server.acl.users.get(id).is_on {
        return STATUS_NOT_ALLOWED;
    }
    server.become_user(token, id);
    STATUS_OK
}

unsafe extern "C" fn add_auth_hook(call: *mut Call, hook: AuthHook, data: Opaque) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let module = context.module;
    if context.server().registry.auth_hooks.add(Asked { module, hook, data }) { STATUS_OK } else { STATUS_OUT_OF_RANGE }
}
