//! CLIENT INFO and CLIENT LIST: one line of `name=value` words per connection.
//! Fields: <https://redis.io/docs/latest/commands/client-list/>.

use crate::base::number::parse_i64;
use crate::engine::call::Context;
use crate::session::client::{Client, Closing};
use plinth_abi::bytes::Bytes;
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

    /// The kind of a client, as long as nobody replicates.
    pub(super) fn of(client: &Client) -> Kind {
        if client.listening.is_some() { Kind::PubSub } else { Kind::Normal }
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

/// One letter for each thing that is special about a client, `N` when nothing is.
fn flags(client: &Client) -> String {
    let letters = [
        (client.listening.is_some(), 'P'),
        (client.standing.transaction().is_some(), 'x'),
        (client.stalled, 'b'),
        (client.watch_spoiled, 'd'),
        (client.closing == Closing::AfterReply, 'c'),
        (client.closing == Closing::Now, 'A'),
        (client.is_unix, 'U'),
        (client.no_evict, 'e'),
        (client.no_touch, 'T'),
        (client.standing.is_monitor(), 'O'),
    ];
    let all: String = letters.iter().filter(|(is, _)| *is).map(|(_, letter)| letter).collect();
    if all.is_empty() { "N".into() } else { all }
}

/// Number and bytes of the arguments of the command that a client runs.
#[derive(Clone, Copy, Default)]
struct Running {
    count: usize,
    bytes: usize,
}

/// A client's line, without its end. Arguments of a command that runs lie in the query buffer, those of
/// one that waits are kept apart from it.
fn line(client: &Client, now_s: i64, running: Running) -> String {
    let waiting_bytes = client.blocked.as_ref().map_or(0, |waiter| waiter.asked.args.bytes_len());
    let text = String::from_utf8_lossy;
    let (obl, rbs) = client.output.chunk_usage();
    let queued_bytes = client.output.counted();
    let (queue_len, queue_bytes) =
        client.standing.transaction().map_or((-1, 0), |open| (open.queue.len() as i64, open.bytes));
    let qbuf = client.query.pending().len();
    let listening = client.listening.as_deref();
    format!(
        "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub={} psub={} ssub={} multi={} \
         qbuf={} qbuf-free={} argv-mem={} multi-mem={} rbs={} rbp={} obl={} oll={} omem={} tot-mem={} events={} \
         cmd={} user={} redir=-1 resp={} lib-name={} lib-ver={} watch={}",
        client.id,
        client.address,
        client.local_address,
        client.fd,
        text(&client.name),
        (now_s - client.created_s).max(0),
        (now_s - client.active_s).max(0),
        flags(client),
        client.db,
        listening.map_or(0, |listening| listening.channels),
        listening.map_or(0, |listening| listening.patterns),
        listening.map_or(0, |listening| listening.shard_channels),
        queue_len,
        qbuf,
        client.query.capacity() - qbuf,
        running.bytes + waiting_bytes,
        queue_bytes,
        rbs,
        client.output.peak(),
        obl,
        client.output.chunk_count(),
        queued_bytes,
        client.memory_bytes() + running.count * size_of::<Bytes>(),
        if client.write_blocked { "rw" } else { "r" },
        if client.last_command.is_empty() { "NULL" } else { &client.last_command },
        client.user,
        client.resp,
        text(&client.lib_name),
        text(&client.lib_version),
        client.watched.len(),
    )
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
