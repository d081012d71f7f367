//! A connection as CLIENT LIST shows it: a line of `name=value` words.
//! Fields: <https://redis.io/docs/latest/commands/client-list/>.

use crate::session::client::{Client, Closing, Replicates};
use plinth_abi::bytes::Bytes;

/// The letters that say what is special about a client.
pub const LETTERS: &[u8] = b"AbBcdeiMNOPrRStTuUx";

/// One letter for each thing that is special about a client, `N` when nothing is.
pub fn flags(client: &Client) -> String {
    let tracking = client.tracking.as_ref();
    let letters = [
        (client.replicates == Replicates::Attached, 'S'),
        (client.standing.is_primary(), 'M'),
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
        (tracking.is_some(), 't'),
        (tracking.is_some_and(|tracking| tracking.is_broken), 'R'),
        (tracking.is_some_and(|tracking| tracking.broadcast), 'B'),
    ];
    let all: String = letters.iter().filter(|(is, _)| *is).map(|(_, letter)| letter).collect();
    if all.is_empty() { "N".into() } else { all }
}

/// Number and bytes of the arguments of the command that a client runs.
#[derive(Clone, Copy, Default)]
pub struct Running {
    /// How many.
    pub count: usize,
    /// How long, in all.
    pub bytes: usize,
}

/// A client's line, without its end. Arguments of a command that runs lie in the query buffer, those of
/// one that waits are kept apart from it.
pub fn line(client: &Client, now_s: i64, running: Running) -> String {
    let waiting_bytes = client.blocked.as_ref().map_or(0, |waiter| waiter.asked.args.bytes_len());
    let text = String::from_utf8_lossy;
    let (obl, rbs) = client.output.chunk_usage();
    let queued_bytes = client.output.counted();
    let (queue_len, queue_bytes) =
        client.standing.transaction().map_or((-1, 0), |open| (open.queue.len() as i64, open.bytes));
    // What is understood of a command that is not whole counts as its arguments.
    let (understood, parsed_bytes) = client.query.parser.understood();
    let qbuf = client.query.pending().len().saturating_sub(understood);
    let listening = client.listening.as_deref();
    format!(
        "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub={} psub={} ssub={} multi={} \
         watch={} qbuf={} qbuf-free={} argv-mem={} multi-mem={} rbs={} rbp={} obl={} oll={} omem={} tot-mem={} events={} \
         cmd={} user={} redir={} resp={} lib-name={} lib-ver={} io-thread=0 \
         tot-net-in={} tot-net-out={} tot-cmds={}",
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
        client.watched.len(),
        qbuf,
        client.query.capacity() - qbuf,
        running.bytes + waiting_bytes + parsed_bytes,
        queue_bytes,
        rbs,
        client.output.peak(),
        obl,
        client.output.chunk_count(),
        queued_bytes,
        client.memory_bytes() + running.count * size_of::<Bytes>(),
        if client.write_blocked { "rw" } else { "r" },
        if client.last_command.is_empty() { "NULL" } else { &client.last_command },
        text(&client.user_name),
        client.redirection(),
        client.resp,
        text(&client.lib_name),
        text(&client.lib_version),
        client.input_bytes,
        client.output_bytes,
        client.commands,
    )
}
