//! CLIENT KILL: by address as it was at first, or by options of which all must fit.

use crate::admin::client::filter::{self, Filter};
use crate::engine::call::Context;
use crate::session::client::Replicates;
use plinth_abi::command::{self as abi, Arg};
use plinth_abi::status::{STATUS_OK, Status};

/// Arguments: either the address, or options.
pub(super) const ARGS: &[Arg] = &[
    Arg::new(abi::ARG_STRING, "ip:port"),
    Arg::group(abi::ARG_ONE_OF, "new-format", filter::ARGS).flags(abi::ARG_MULTIPLE),
];

/// Close all clients that fit, the own one after the reply; how many.
fn close_all(context: &mut Context, filter: &Filter) -> i64 {
    let own = context.client;
    let server = context.server();
    let now_s = server.clock.now_s;
    let mut closed = 0;
    for token in server.sessions.clients.tokens() {
        let is_own = own == Some(token);
        let Some(client) = server.sessions.clients.get(token) else { continue };
        if is_own && filter.keeps_self || client.is_gone() || !filter.fits(client, now_s) {
            continue;
        }
        closed += 1;
        if is_own {
            client.close_after_reply();
        } else {
            if client.replicates == Replicates::Attached {
                // A replica knows it before whoever has killed it is answered.
                client.socket.shut_down();
            }
            server.sessions.clients.close(token);
        }
    }
    closed
}

pub(super) fn kill(context: &mut Context) -> Status {
    if context.argc() == 3 {
        let filter = Filter::at(context.arg(2));
        return match close_all(context, &filter) {
            0 => context.error("ERR No such client"),
            _ => context.ok(),
        };
    }
    match Filter::of_options(context, true) {
        Ok(filter) => {
            let closed = close_all(context, &filter);
            context.reply().integer(closed);
            STATUS_OK
        }
        Err(text) => context.error(text),
    }
}
