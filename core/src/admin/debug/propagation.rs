//! DEBUG PROPAGATION: what replicas and the append-only file would be told. DEBUG REPLICATE: what they are told that
//! did not happen here.

use crate::engine::call::Context;
use plinth_abi::status::{STATUS_OK, STATUS_SYNTAX, Status};

pub(super) fn run(context: &mut Context) -> Status {
    if context.argc() == 2 {
        return show(context);
    }
    let recorded = match (context.arg_is(2, "on"), context.arg_is(2, "off")) {
        (true, _) => Some(Box::default()),
        (_, true) => None,
        _ => return STATUS_SYNTAX,
    };
    let server = context.server();
    server.propagation.recorded = recorded;
    server.observe();
    context.ok()
}

fn show(context: &mut Context) -> Status {
    let Some(recorded) = context.server().propagation.recorded.take() else {
        return context.error("ERR nothing is recorded; say DEBUG PROPAGATION ON first");
    };
    let mut reply = context.reply();
    reply.array(4);
    for count in [recorded.units, recorded.commands, recorded.bytes] {
        reply.integer(count as i64);
    }
    reply.array(recorded.last.len());
    for unit in &recorded.last {
        reply.array(unit.len() * 2);
        for (db, command) in unit {
            reply.integer(i64::from(*db));
            reply.shared_bulk(command);
        }
    }
    context.server().propagation.recorded = Some(recorded);
    STATUS_OK
}

/// Put a command into the stream, whatever it is.
pub(super) fn tell_replicas(context: &mut Context) -> Status {
    let words: Vec<&[u8]> = (2..context.argc()).map(|at| context.arg(at)).collect();
    let command = crate::wire::command::encode(&words);
    let server = context.server();
    if !server.registry.replication.is_replica() {
        crate::replication::state::feed(server, &command);
    }
    context.ok()
}
