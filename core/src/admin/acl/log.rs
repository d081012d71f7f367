//! ACL LOG.

use crate::base::number::parse_i64;
use crate::engine::call::Context;
use plinth_abi::status::{STATUS_OK, Status};

/// Entries that are shown if nothing is said.
const SHOWN: usize = 10;

pub(super) fn log(context: &mut Context) -> Status {
    if context.argc() > 3 {
        return super::misused(context);
    }
    if context.arg_is(2, "RESET") {
        context.server().acl.log.trim(0);
        return context.ok();
    }
    let count = if context.argc() == 2 { Some(SHOWN as i64) } else { parse_i64(context.arg(2)) };
    let Some(count) = count else { return context.error("ERR value is not an integer or out of range") };
    let count = usize::try_from(count).unwrap_or(0);
    let now_ms = context.server().clock.now_ms;
    let acl = std::mem::take(&mut context.server().acl.log);
    let entries = acl.latest(count);
    let mut reply = context.reply();
    reply.array(entries.len());
    for entry in entries {
        let refused = &entry.refused;
        reply.map(10);
        reply.bulk("count");
        reply.integer(entry.count as i64);
        reply.bulk("reason");
        reply.bulk(refused.reason);
        reply.bulk("context");
        reply.bulk(refused.place.name());
        reply.bulk("object");
        reply.bulk(&refused.object);
        reply.bulk("username");
        reply.bulk(&refused.user);
        reply.bulk("age-seconds");
        reply.double((now_ms - entry.created_ms) as f64 / 1000.0);
        reply.bulk("client-info");
        reply.bulk(&refused.client);
        reply.bulk("entry-id");
        reply.integer(entry.id as i64);
        reply.bulk("timestamp-created");
        reply.integer(entry.created_ms);
        reply.bulk("timestamp-last-updated");
        reply.integer(entry.updated_ms);
    }
    context.server().acl.log = acl;
    STATUS_OK
}
