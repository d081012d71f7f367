//! `plinth.replication/1`: role, link, stream, and who reads it.

use crate::engine::call::Context;
use crate::engine::server::{Roles, Server};
use crate::modules::services::fill::fill;
use crate::registry::replication::{KnownReplica, Link, Role};
use plinth_abi::bytes::{Bytes, Opaque};
use plinth_abi::call::Call;
use plinth_abi::replication::{
    LINK_CONNECT, LINK_CONNECTING, LINK_HANDSHAKE, LINK_NONE, LINK_SYNCING, LINK_UP, REPLICA_ONLINE, REPLICA_SYNCING,
    ROLE_PRIMARY, ROLE_REPLICA, Replica, ReplicationService, ReplicationState, VisitReplica,
};
use plinth_abi::status::{STATUS_BAD_DATA, STATUS_NONE, STATUS_NOT_ALLOWED, STATUS_OK, STATUS_OUT_OF_RANGE, Status};

/// The table.
pub static TABLE: ReplicationService =
    ReplicationService { size: size_of::<ReplicationService>() as u32, reserved: 0, state, visit, follow, promote };

fn link(link: Link) -> u32 {
    match link {
        Link::Off => LINK_NONE,
        Link::Connect => LINK_CONNECT,
        Link::Connecting => LINK_CONNECTING,
        Link::Handshake => LINK_HANDSHAKE,
        Link::Syncing => LINK_SYNCING,
        Link::Up => LINK_UP,
    }
}

// Every function below is called by a loaded module with the call that runs, and with
// out-parameters that begin with their size.

unsafe extern "C" fn state(call: *mut Call, state_out: *mut ReplicationState) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let known = &context.server().registry.replication;
    let (role, host, port) = match &known.role {
        Role::Primary => (ROLE_PRIMARY, "", 0),
        Role::Replica { host, port } => (ROLE_REPLICA, host.as_str(), *port),
    };
    let state = ReplicationState {
        size: 0,
        role,
        link: link(known.link),
        primary_port: u32::from(port),
        primary_host: Bytes::of(host.as_bytes()),
        id: Bytes::of(known.id.as_bytes()),
        second_id: Bytes::of(known.id2.as_bytes()),
        second_offset: known.second_offset,
        offset: known.offset,
    };
    // SAFETY: see above.
    unsafe { fill(state_out, state) };
    STATUS_OK
}

unsafe extern "C" fn visit(call: *mut Call, visit: VisitReplica, data: Opaque) -> Status {
    // SAFETY: see above.
    let server = unsafe { Context::of(call) }.server();
    let all = server.lists.roles.map_or_else(Vec::new, |roles| (roles.replicas)(server));
    for KnownReplica { client, address: (address, port), is_online, acknowledged, synced, lag_s } in &all {
        let replica = Replica {
            size: size_of::<Replica>() as u32,
            stage: if *is_online { REPLICA_ONLINE } else { REPLICA_SYNCING },
            port: u32::from(*port),
            lag_s: u32::try_from(*lag_s).unwrap_or(0),
            address: Bytes::of(address.as_bytes()),
            client_id: *client,
            acknowledged: *acknowledged,
            synced: *synced,
        };
        // SAFETY: the function and its data are the caller's, and the struct lives for its run.
        if unsafe { (visit.run)(&raw const replica, data) } == 0 {
            break;
        }
    }
    STATUS_OK
}

/// What changes the role, where it may be changed: not while data are being loaded, or before they are.
fn changes(context: &mut Context) -> Option<(&mut Server, Roles)> {
    let module = context.module;
    let server = context.server();
    let has_started = server.registry.modules.get(module).is_some_and(|module| module.has_started);
    let roles =
        server.lists.roles.filter(|_| has_started && !server.is_busy() && !server.registry.standing.is_loading)?;
    Some((server, roles))
}

unsafe extern "C" fn follow(call: *mut Call, host: Bytes, port: u32) -> Status {
    // SAFETY: see above; the host is lent for the call.
    let (context, host) = unsafe { (Context::of(call), host.as_slice()) };
    let Some(port) = u16::try_from(port).ok().filter(|port| *port > 0) else { return STATUS_OUT_OF_RANGE };
    let host = std::str::from_utf8(host).ok().filter(|host| !host.is_empty() && !host.contains(is_no_part_of_a_host));
    let Some(host) = host else { return STATUS_BAD_DATA };
    let Some((server, roles)) = changes(context) else { return STATUS_NOT_ALLOWED };
    // It may be lent from what this changes.
    let host = host.to_owned();
    (roles.follow)(server, &host, port);
    STATUS_OK
}

fn is_no_part_of_a_host(one: char) -> bool {
    one.is_whitespace() || one.is_control()
}

unsafe extern "C" fn promote(call: *mut Call) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let Some((server, roles)) = changes(context) else { return STATUS_NOT_ALLOWED };
    if !server.registry.replication.is_replica() {
        return STATUS_NONE;
    }
    (roles.promote)(server);
    STATUS_OK
}
