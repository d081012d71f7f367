//! `plinth.clients/1`: who is connected.

use crate::base::foreign::widened;
use crate::engine::call::Context;
use crate::engine::listening::Push;
use crate::session::listening::Listening;
use plinth_abi::bytes::Bytes;
use plinth_abi::call::Call;
use plinth_abi::clients::{self as abi, Client, ClientsService};
use plinth_abi::status::{STATUS_NONE, STATUS_NOT_ALLOWED, STATUS_OK, STATUS_OUT_OF_MEMORY, Status};

/// The table.
pub static TABLE: ClientsService = ClientsService {
    size: size_of::<ClientsService>() as u32,
    reserved: 0,
    info,
    push,
    disconnect,
    listen,
    share,
    push_all,
};

// Every function below is called by a loaded module with the call that runs, and with
// bytes and out-parameters valid for the call.

unsafe extern "C" fn info(call: *mut Call, client_id: u64, client_out: *mut Client) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let server = context.server();
    let now_s = server.clock.now_s;
    let Some(client) = server.sessions.clients.by_id(client_id) else { return STATUS_NONE };
    let seen = Client {
        size: size_of::<Client>() as u32,
        db: client.db,
        id: client.id,
        resp: u32::from(client.resp),
        is_unix: u32::from(client.is_unix),
        address: Bytes::of(client.address.as_bytes()),
        name: Bytes::of(&client.name),
        user: Bytes::of(&client.user_name),
        age_s: (now_s - client.created_s).max(0) as u64,
        idle_s: (now_s - client.active_s).max(0) as u64,
    };
    // SAFETY: see above.
    unsafe { crate::modules::services::fill::fill(client_out, seen) };
    STATUS_OK
}

unsafe extern "C" fn push(call: *mut Call, client_id: u64, bytes: Bytes) -> Status {
    // SAFETY: see above.
    let (context, bytes) = unsafe { (Context::of(call), bytes.as_slice()) };
    let own = context.client;
    let server = context.server();
    let Some(token) = server.sessions.clients.token(client_id) else { return STATUS_NONE };
    let is_sent = bytes.is_empty() || server.push(own, token, &Push { head: bytes, shared: None });
    if is_sent { STATUS_OK } else { STATUS_NONE }
}

unsafe extern "C" fn share(call: *mut Call, bytes: Bytes, shared_out: *mut u64) -> Status {
    // SAFETY: see above.
    let (context, bytes) = unsafe { (Context::of(call), bytes.as_slice()) };
    let mut copy = Vec::new();
    if copy.try_reserve_exact(bytes.len()).is_err() {
        return STATUS_OUT_OF_MEMORY;
    }
    copy.extend_from_slice(bytes);
    let pending = &mut context.server().pending;
    pending.shared.push(copy.into());
    // They are let go of when the outermost command has settled.
    pending.is_due = true;
    // SAFETY: see above.
    unsafe { shared_out.write(pending.shared.len() as u64) };
    STATUS_OK
}

unsafe extern "C" fn push_all(
    call: *mut Call,
    client_ids: *const u64,
    count: usize,
    head: Bytes,
    shared: u64,
    reached_out: *mut usize,
) -> Status {
    // SAFETY: see above.
    let (context, head) = unsafe { (Context::of(call), head.as_slice()) };
    // SAFETY: see above; an empty list may have no address.
    let ids = if count == 0 { &[] } else { unsafe { std::slice::from_raw_parts(client_ids, count) } };
    let own = context.client;
    let server = context.server();
    let shared = match usize::try_from(shared) {
        Ok(0) => None,
        Ok(number) => match server.pending.shared.get(number - 1) {
            Some(shared) => Some(shared.clone()),
            None => return STATUS_NONE,
        },
        Err(_) => return STATUS_NONE,
    };
    let mut head = head.to_vec();
    if let Some(shared) = &shared {
        head.extend_from_slice(format!("${}\r\n", shared.len()).as_bytes());
    }
    let mut as_push = head.clone();
    if let Some(sign) = as_push.first_mut().filter(|sign| **sign == b'*') {
        *sign = b'>';
    }
    let mut reached = 0;
    for &id in ids {
        let Some(token) = server.sessions.clients.token(id) else { continue };
        reached += 1;
        let resp3 = server.sessions.clients.peek(token).is_some_and(|client| client.resp == 3);
        let head = if resp3 { &as_push } else { &head };
        server.push(own, token, &Push { head, shared: shared.as_ref() });
    }
    // SAFETY: see above.
    unsafe { reached_out.write(reached) };
    STATUS_OK
}

unsafe extern "C" fn listen(call: *mut Call, client_id: u64, listening: *const abi::Listening) -> Status {
    let none = abi::Listening { size: 0, channels: 0, patterns: 0, shard_channels: 0, bytes: 0 };
    // SAFETY: see above.
    let (context, asked) = unsafe { (Context::of(call), widened(listening, none)) };
    let module = context.module;
    let server = context.server();
    let Some(token) = server.sessions.clients.token(client_id) else { return STATUS_NONE };
    let listens_to = server.sessions.clients.peek(token).and_then(|client| client.listening.as_ref());
    if listens_to.is_some_and(|listening| listening.module != module) {
        return STATUS_NOT_ALLOWED;
    }
    let abi::Listening { channels, patterns, shard_channels, bytes, .. } = asked;
    let listens = channels > 0 || patterns > 0 || shard_channels > 0;
    let listening = Listening { module, channels, patterns, shard_channels, bytes };
    server.listen(token, listens.then(|| Box::new(listening)));
    STATUS_OK
}

unsafe extern "C" fn disconnect(call: *mut Call, client_id: u64) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let server = context.server();
    let Some(token) = server.sessions.clients.token(client_id) else { return STATUS_NONE };
    if let Some(client) = server.sessions.clients.get(token) {
        client.close_after_reply();
    }
    server.sessions.clients.list_write(token);
    STATUS_OK
}
