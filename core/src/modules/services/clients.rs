//! `plinth.clients/1`: who is connected.

use crate::engine::call::Context;
use plinth_abi::bytes::Bytes;
use plinth_abi::call::Call;
use plinth_abi::clients::{Client, ClientsService};
use plinth_abi::status::{STATUS_NONE, STATUS_OK, Status};

/// The table.
pub static TABLE: ClientsService =
    ClientsService { size: size_of::<ClientsService>() as u32, reserved: 0, info, push, disconnect };

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
        user: Bytes::of(client.user.as_bytes()),
        age_s: (now_s - client.created_s).max(0) as u64,
        idle_s: (now_s - client.active_s).max(0) as u64,
    };
    // SAFETY: see above.
    unsafe { crate::modules::services::fill(client_out, seen) };
    STATUS_OK
}

unsafe extern "C" fn push(call: *mut Call, client_id: u64, bytes: Bytes) -> Status {
    // SAFETY: see above.
    let (context, bytes) = unsafe { (Context::of(call), bytes.as_slice()) };
    let server = context.server();
    let Some(token) = server.sessions.clients.token(client_id) else { return STATUS_NONE };
    if bytes.is_empty() || server.push(token, bytes) { STATUS_OK } else { STATUS_NONE }
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
