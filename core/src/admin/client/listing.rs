//! CLIENT INFO and CLIENT LIST: one line of `name=value` words per connection.
//! Fields: <https://redis.io/docs/latest/commands/client-list/>.

use crate::admin::client::filter::Filter;
use crate::base::number::parse_i64;
use crate::engine::call::Context;
use crate::session::client::{Client, Replicates};
use crate::session::line::{Running, line};
use plinth_abi::status::{STATUS_OK, Status};

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Normal,
    Master,
    Replica,
    PubSub,
}

impl Kind {
    /// The kind of a name.
    pub(super) fn named(name: &[u8]) -> Option<Kind> {
        match name.to_ascii_lowercase().as_slice() {
            b"normal" => Some(Kind::Normal),
            b"master" => Some(Kind::Master),
            b"replica" | b"slave" => Some(Kind::Replica),
            b"pubsub" => Some(Kind::PubSub),
            _ => None,
        }
    }

    /// The kind of a client.
    pub(super) fn of(client: &Client) -> Kind {
        if client.standing.is_primary() {
            Kind::Master
        } else if client.replicates == Replicates::Attached {
            Kind::Replica
        } else if client.listening.is_some() {
            Kind::PubSub
        } else {
            Kind::Normal
        }
    }
}

/// Write the lines of some clients as one text.
fn write(context: &mut Context, tokens: &[usize]) -> Status {
    let own = context.client;
    let args = context.args();
    let running = Running { count: args.len(), bytes: args.iter().map(|arg| arg.len).sum() };
    let server = context.server();
    let now_s = server.clock.now_s;
    let mut all = String::new();
    for &token in tokens {
        if let Some(client) = server.sessions.clients.peek(token).filter(|client| !client.is_gone()) {
            all.push_str(&line(client, now_s, if own == Some(token) { running } else { Running::default() }));
            all.push('\n');
        }
    }
    context.reply().verbatim(b"txt", all.as_bytes());
    STATUS_OK
}

pub(super) fn info(context: &mut Context) -> Status {
    let own: Vec<usize> = context.client.into_iter().collect();
    write(context, &own)
}

/// The error of Redis for what follows ID and is none.
const NO_ID: &str = "ERR Invalid client ID";

pub(super) fn list(context: &mut Context) -> Status {
    // By ids alone they come in the order in which they were asked for, as in Redis.
    if context.argc() > 3 && context.arg_is(2, "ID") {
        let ids: Option<Vec<i64>> = (3..context.argc()).map(|at| parse_i64(context.arg(at))).collect();
        if let Some(ids) = ids {
            let clients = &context.server().sessions.clients;
            let tokens: Vec<usize> = ids.iter().filter_map(|id| clients.token(u64::try_from(*id).ok()?)).collect();
            return write(context, &tokens);
        }
        if parse_i64(context.arg(3)).is_none() || context.argc() == 5 {
            return context.error(NO_ID);
        }
    }
    let filter = match Filter::of_options(context, false) {
        Ok(filter) => filter,
        Err(text) => return context.error(text),
    };
    let own = context.client.filter(|_| filter.keeps_self);
    let server = context.server();
    let (clients, now_s) = (&server.sessions.clients, server.clock.now_s);
    let fits =
        |token: &usize| own != Some(*token) && clients.peek(*token).is_some_and(|client| filter.fits(client, now_s));
    let tokens: Vec<usize> = clients.tokens().into_iter().filter(fits).collect();
    write(context, &tokens)
}
