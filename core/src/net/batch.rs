//! The batch: commands of many clients, parsed together, so that memory is fetched
//! while others are being parsed, and run in the order in which each client sent
//! them.
//!
//! ```text
//! parse + look up + hash + prefetch bucket   ──> for each command of the window
//! prefetch entry                             ──> for each
//! run                                        ──> for each
//! ```
//!
//! Invariants:
//! - Arguments point into query buffers. No buffer is read into, moved or freed
//!   between parsing and running; clients are freed after the batch.
//! - A command is consumed when it has run. One that must wait, and all that its
//!   client sent after it, stays in the buffer and is parsed again.
//! - Only one command at a time is taken from a client that is not authenticated,
//!   because the parser's limits depend on what the command does.

use crate::clock::ticks;
use crate::command::dispatch::Outcome;
use crate::command::table::{Registered, load_short};
use crate::net::client::{Client, Closing};
use crate::resp::request::{Limits, Parsed, Span, ordinary};
use crate::server::Server;
use plinth_abi::bytes::Bytes;

/// Commands that are in flight together.
const WINDOW: usize = 32;
/// Most commands of one client in one turn.
const CLIENT_COMMANDS_MAX: usize = 128;
/// Bytes of replies after which a client's turn ends, so that they are sent before
/// there are more.
const OUTPUT_TURN_BYTES: usize = 1 << 20;

/// A parsed command.
struct Pending {
    token: usize,
    id: u64,
    db: u32,
    first_arg: usize,
    argc: usize,
    command: Option<*mut Registered>,
    hash: Option<u64>,
    /// Whether the key's bucket goes on elsewhere.
    overflows: bool,
    /// Bytes of the query buffer that it takes, with empty requests before it.
    consumed: usize,
}

impl Pending {
    /// A command of a client, of which nothing is known yet.
    #[inline]
    fn of(token: usize, id: u64, db: u32) -> Pending {
        Pending { token, id, db, first_arg: 0, argc: 0, command: None, hash: None, overflows: false, consumed: 0 }
    }
}

/// The window's memory, kept between batches.
#[derive(Default)]
pub struct Batch {
    pending: Vec<Pending>,
    args: Vec<Bytes>,
    spans: Vec<Span>,
}

impl Batch {
    /// Take a whole ordinary request from the start of some bytes: its length and the
    /// number of its arguments.
    #[inline]
    fn take_ordinary(&mut self, bytes: &[u8], limits: &Limits) -> Option<(usize, usize)> {
        let (first, base) = (self.args.len(), bytes.as_ptr());
        let take = |start, len| self.args.push(Bytes { data: base.wrapping_add(start), len });
        let taken = ordinary(bytes, limits, take);
        if taken.is_none() {
            self.args.truncate(first);
        }
        taken
    }
}

impl Server {
    /// Run what a list of clients has sent; those with more to read or to run are
    /// listed again.
    pub fn run_batch(&mut self, batch: &mut Batch, tokens: &mut Vec<usize>) {
        let limits = Limits {
            bulk_len_max: usize::try_from(self.settings.proto_max_bulk_len).unwrap_or(usize::MAX),
            ..Limits::default()
        };
        for token in tokens.drain(..) {
            let Some(client) = self.clients.get(token) else { continue };
            // A token may be in the list twice when its client left and another came.
            if !std::mem::take(&mut client.read_listed) {
                continue;
            }
            client.turn_over = false;
            let unparsed = self.run_client(batch, token, &limits);
            let Some(client) = self.clients.get(token) else { continue };
            client.unparsed = unparsed || client.turn_over;
            if (client.unparsed || client.readable) && client.closing == Closing::No {
                self.clients.list_read(token);
            }
        }
        self.run_window(batch);
    }

    /// Put a client's commands into the window, and run it whenever it is full;
    /// whether there may be more than fit into this turn.
    fn run_client(&mut self, batch: &mut Batch, token: usize, limits: &Limits) -> bool {
        let mut count = 0;
        loop {
            let want = WINDOW.min(CLIENT_COMMANDS_MAX - count);
            let (parsed, more) = self.parse_client(batch, token, limits, want);
            count += parsed;
            if more || batch.pending.len() >= WINDOW {
                self.run_window(batch);
            }
            if !more || count >= CLIENT_COMMANDS_MAX {
                return more;
            }
        }
    }

    /// Parse up to `want` commands of a client into the window; how many, and whether
    /// there may be more once they have run.
    fn parse_client(&mut self, batch: &mut Batch, token: usize, limits: &Limits, want: usize) -> (usize, bool) {
        let Some(client) = self.clients.get(token) else { return (0, false) };
        if !may_run(client) || !client.query.has_input() {
            return (0, false);
        }
        // Nothing of this client is in the window now.
        client.query.inline.clear();
        let limits = Limits { authenticated: client.authenticated, ..*limits };
        let want = if client.authenticated { want } else { 1 };
        let (id, db) = (client.id, client.db);
        let (mut offset, mut begin, mut count, mut more) = (0, 0, 0, false);
        loop {
            let (parser, bytes) = client.query.parser_and_pending(offset);
            if bytes.is_empty() || count == want {
                more = !bytes.is_empty();
                break;
            }
            let first_arg = batch.args.len();
            let ordinary = if parser.is_within_request() { None } else { batch.take_ordinary(bytes, &limits) };
            if let Some((consumed, argc)) = ordinary {
                offset += consumed;
                count += 1;
                let consumed = offset - std::mem::replace(&mut begin, offset);
                batch.pending.push(Pending { first_arg, argc, consumed, ..Pending::of(token, id, db) });
                continue;
            }
            batch.spans.clear();
            let (consumed, argc, base) = match parser.parse(bytes, &limits, &mut batch.spans) {
                Ok(Parsed::Complete { consumed, argc }) => (consumed, argc, bytes.as_ptr()),
                Ok(Parsed::Inline { consumed, argc, text }) => {
                    let base = text.as_ptr();
                    client.query.inline.push(text);
                    (consumed, argc, base)
                }
                Ok(Parsed::Empty { consumed }) => {
                    offset += consumed;
                    continue;
                }
                Ok(Parsed::Incomplete { need }) => {
                    // Counted from the start of this command, where the buffer will begin.
                    client.query.set_need(if count == 0 { offset + need } else { 0 });
                    break;
                }
                Err(error) => {
                    // What came before the error is answered before it.
                    if count == 0 {
                        protocol_error(client, &error);
                        self.stats.count_error("ERR");
                        self.clients.list_write(token);
                        return (0, false);
                    }
                    more = true;
                    break;
                }
            };
            let of_base = |span: &Span| Bytes { data: base.wrapping_add(span.start), len: span.len };
            batch.args.extend(batch.spans.iter().map(of_base));
            offset += consumed;
            count += 1;
            let consumed = offset - std::mem::replace(&mut begin, offset);
            batch.pending.push(Pending { first_arg, argc, consumed, ..Pending::of(token, id, db) });
        }
        if count == 0 && offset > 0 {
            client.query.skip(offset);
        }
        self.prepare(batch, count);
        (count, more)
    }

    /// Look up the last `count` commands of the window, hash their keys, and fetch their buckets.
    fn prepare(&mut self, batch: &mut Batch, count: usize) {
        let from = batch.pending.len() - count;
        // A pipeline is often one command over and over: its name need not be looked up
        // each time.
        let mut last: (&[u8], Option<*mut Registered>) = (&[], None);
        for pending in &mut batch.pending[from..] {
            let args = &batch.args[pending.first_arg..pending.first_arg + pending.argc];
            // SAFETY: arguments point into query buffers, see the invariants.
            let name = unsafe { args[0].as_slice() };
            if !is_same(name, last.0) {
                last = (name, self.commands.find(name));
            }
            pending.command = last.1;
            let Some(command) = pending.command else { continue };
            // SAFETY: the table has just given the pointer.
            let first_key = unsafe { (*command).first_key } as usize;
            if first_key == 0 {
                continue;
            }
            if let Some(key) = args.get(first_key) {
                // SAFETY: as above.
                let hash = self.keyspace.hash(unsafe { key.as_slice() });
                if let Some(database) = self.keyspace.databases.get(pending.db as usize) {
                    database.table.prefetch_bucket(hash);
                }
                pending.hash = Some(hash);
            }
        }
    }

    fn run_window(&mut self, batch: &mut Batch) {
        let epoch = self.commands.epoch;
        self.last_ticks = ticks();
        let mut overflowing = false;
        for pending in &mut batch.pending {
            if let (Some(hash), Some(database)) = (pending.hash, self.keyspace.databases.get(pending.db as usize)) {
                pending.overflows = database.table.prefetch_entries(hash);
                overflowing |= pending.overflows;
            }
        }
        if overflowing {
            for pending in batch.pending.iter().filter(|pending| pending.overflows) {
                if let (Some(hash), Some(database)) = (pending.hash, self.keyspace.databases.get(pending.db as usize)) {
                    database.table.prefetch_overflow(hash);
                }
            }
        }
        for pending in &batch.pending {
            let args = &batch.args[pending.first_arg..pending.first_arg + pending.argc];
            // SAFETY: as in `prepare`.
            let name = unsafe { args[0].as_slice() };
            let (command, hash) = if self.commands.epoch == epoch {
                (pending.command, pending.hash)
            } else {
                (self.commands.find(name), None)
            };
            let Some(client) = self.clients.get(pending.token) else { continue };
            if client.id != pending.id || !may_run(client) {
                continue;
            }
            match self.execute(pending.token, command, args, hash) {
                Outcome::Wait => self.put_back(pending.token, |client| client.stalled = true),
                Outcome::Done => self.ran(pending.token, pending.consumed),
            }
            if self.blocking.due {
                self.settle_waits();
            }
        }
        batch.pending.clear();
        batch.args.clear();
    }

    /// A command is done.
    #[inline]
    fn ran(&mut self, token: usize, consumed: usize) {
        let Some(client) = self.clients.get(token) else { return };
        client.query.consume(consumed);
        let queues = client.output.queued() > 0;
        if !client.write_listed {
            client.write_listed = true;
            self.clients.to_write.push(token);
        }
        if queues {
            self.has_much_output(token);
        }
    }

    /// A client whose replies are above its limit is closed before any of them is sent;
    /// one with many replies has had its turn.
    #[cold]
    fn has_much_output(&mut self, token: usize) {
        let queued = self.clients.peek(token).map_or(0, |client| client.output.queued());
        if !self.close_over_limit(token) && queued > OUTPUT_TURN_BYTES {
            self.put_back(token, |client| {
                client.turn_over = true;
                client.unparsed = true;
            });
            self.clients.list_read(token);
        }
    }

    /// Leave what a client has sent in its buffer, to be parsed again.
    #[cold]
    fn put_back(&mut self, token: usize, note: impl FnOnce(&mut Client)) {
        if let Some(client) = self.clients.get(token) {
            client.query.restart();
            note(client);
        }
    }
}

/// Whether two short names are equal, byte for byte.
#[inline]
fn is_same(name: &[u8], other: &[u8]) -> bool {
    name.len() == other.len() && name.len() <= 8 && load_short(name) == load_short(other)
}

/// Whether commands of a client may be parsed and run now.
fn may_run(client: &Client) -> bool {
    client.closing == Closing::No && !client.stalled && !client.turn_over
}

/// Answer what cannot be understood, and close.
fn protocol_error(client: &mut Client, error: &crate::resp::request::ProtocolError) {
    let mut message = b"ERR ".to_vec();
    error.append_message(&mut message);
    let resp3 = client.resp == 3;
    crate::resp::write::Writer::new(&mut client.output, resp3).error(&message);
    client.query.clear();
    client.close_after_reply();
    crate::log::verbose(&format!("Protocol error ({error}) from client: id={} addr={}", client.id, client.address));
}
