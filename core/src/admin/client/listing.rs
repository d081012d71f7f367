//! CLIENT INFO and CLIENT LIST: one line of `name=value` words per connection.
//! Fields: <https://redis.io/docs/latest/commands/client-list/>.

use crate::base::number::parse_i64;
use crate::engine::call::Context;
use crate::session::client::{Client, Replicates};
use crate::session::line::{Running, line};
use plinth_abi::command::{self as abi, Arg};
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

/// Arguments of LIST.
pub(super) const ARGS: &[Arg] = &[
    Arg::group(
        abi::ARG_ONE_OF,
        "client-type",
        &[
            Arg::word("normal", "NORMAL"),
            Arg::word("master", "MASTER"),
            Arg::word("replica", "REPLICA"),
            Arg::word("pubsub", "PUBSUB"),
        ],
    )
    .token("TYPE")
    .since("5.0.0")
    .flags(abi::ARG_OPTIONAL),
    Arg::new(abi::ARG_INTEGER, "client-id").token("ID").since("6.2.0").flags(abi::ARG_OPTIONAL | abi::ARG_MULTIPLE),
];

/// Write the lines of some clients as one text.
fn write(context: &mut Context, tokens: &[usize]) -> Status {
    let own = context.client;
    let args = context.args();
    let running = Running { count: args.len(), bytes: args.iter().map(|arg| arg.len).sum() };
    let server = context.server();
    let now_s = server.clock.now_s;
    let mut all = String::new();
    for &token in tokens {
        if let Some(client) = server.sessions.clients.peek(token) {
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

pub(super) fn list(context: &mut Context) -> Status {
    let argc = context.argc();
    if argc == 4 && context.arg_is(2, "TYPE") {
        let name = context.arg(3);
        let Some(kind) = Kind::named(name) else {
            return context.error([b"ERR Unknown client type '", context.arg_shown(3), b"'"].concat());
        };
        let clients = &context.server().sessions.clients;
        let fits = |token: &usize| clients.peek(*token).is_some_and(|client| Kind::of(client) == kind);
        let tokens: Vec<usize> = clients.tokens().into_iter().filter(fits).collect();
        write(context, &tokens)
    } else if argc > 3 && context.arg_is(2, "ID") {
        let ids: Option<Vec<i64>> = (3..argc).map(|at| parse_i64(context.arg(at))).collect();
        let Some(ids) = ids else { return context.error("ERR Invalid client ID") };
        let clients = &context.server().sessions.clients;
        let tokens: Vec<usize> = ids.iter().filter_map(|id| clients.token(u64::try_from(*id).ok()?)).collect();
        write(context, &tokens)
    } else if argc == 2 {
        let tokens = context.server().sessions.clients.tokens();
        write(context, &tokens)
    } else {
        context.error("ERR syntax error")
    }
}
