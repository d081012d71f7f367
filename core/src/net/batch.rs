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

use crate::command::dispatch::Outcome;
use crate::command::table::Registered;
use crate::net::client::{Client, Closing};
use crate::resp::request::{Limits, Parsed, Span};
use crate::server::Server;
use plinth_abi::bytes::Bytes;

/// Commands that are in flight together.
const WINDOW: usize = 32;
/// Most commands of one client in one turn.
const CLIENT_COMMANDS_MAX: usize = 128;

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

/// The window's memory, kept between batches.
#[derive(Default)]
pub struct Batch {
    pending: Vec<Pending>,
    args: Vec<Bytes>,
    spans: Vec<Span>,
}

impl Server {
    /// Run what a list of clients has sent; those with more to run stay in the list.
    pub fn run_batch(&mut self, batch: &mut Batch, tokens: &mut Vec<usize>) {
        let limits = Limits {
            bulk_len_max: usize::try_from(self.settings.proto_max_bulk_len).unwrap_or(usize::MAX),
            ..Limits::default()
        };
        let mut keep = Vec::new();
        for token in tokens.drain(..) {
            let mut of_client = 0;
            loop {
                let want = WINDOW.min(CLIENT_COMMANDS_MAX - of_client);
                let (parsed, more) = self.parse_client(batch, token, &limits, want);
                of_client += parsed;
                if more || batch.pending.len() >= WINDOW {
                    self.run_window(batch);
                }
                if !more {
                    break;
                }
                if of_client >= CLIENT_COMMANDS_MAX {
                    keep.push(token);
                    break;
                }
            }
        }
        self.run_window(batch);
        tokens.extend(keep);
    }

    /// Parse up to `want` commands of a client into the window; how many, and whether
    /// there may be more once they have run.
    fn parse_client(&mut self, batch: &mut Batch, token: usize, limits: &Limits, want: usize) -> (usize, bool) {
        let Some(client) = self.clients.get(token) else { return (0, false) };
        if !may_run(client) || !client.query.has_input() {
            return (0, false);
        }
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
            batch.spans.clear();
            let first_arg = batch.args.len();
            let argc = match parser.parse(bytes, &limits, &mut batch.spans) {
                Ok(Parsed::Complete { consumed, argc }) => {
                    let base = bytes.as_ptr();
                    batch.args.extend(
                        batch.spans.iter().map(|span| Bytes { data: base.wrapping_add(span.start), len: span.len }),
                    );
                    offset += consumed;
                    argc
                }
                Ok(Parsed::Inline { consumed, argc, text }) => {
                    let base = text.as_ptr();
                    batch.args.extend(
                        batch.spans.iter().map(|span| Bytes { data: base.wrapping_add(span.start), len: span.len }),
                    );
                    client.query.inline.push(text);
                    offset += consumed;
                    argc
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
                        self.clients.list_write(token);
                        return (0, false);
                    }
                    more = count > 0;
                    break;
                }
            };
            let consumed = offset - begin;
            begin = offset;
            count += 1;
            batch.pending.push(Pending { token, id, db, first_arg, argc, command: None, hash: None, overflows: false, consumed });
        }
        if count == 0 && offset > 0 {
            client.query.consume(offset);
        }
        self.prepare(batch, count);
        (count, more)
    }

    /// Look up the last `count` commands of the window, hash their keys, and fetch their buckets.
    fn prepare(&mut self, batch: &mut Batch, count: usize) {
        let from = batch.pending.len() - count;
        for pending in &mut batch.pending[from..] {
            let args = &batch.args[pending.first_arg..pending.first_arg + pending.argc];
            // SAFETY: arguments point into query buffers, see the invariants.
            pending.command = self.commands.find(unsafe { args[0].as_slice() });
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
        for at in 0..batch.pending.len() {
            let pending = &batch.pending[at];
            let args = &batch.args[pending.first_arg..pending.first_arg + pending.argc];
            let command = if self.commands.epoch == epoch {
                pending.command
            } else {
                // SAFETY: as in `prepare`.
                self.commands.find(unsafe { args[0].as_slice() })
            };
            let Some(client) = self.clients.get(pending.token) else { continue };
            if client.id != pending.id || client.stalled || !may_run(client) {
                continue;
            }
            let token = pending.token;
            match self.execute(token, command, args, pending.hash) {
                Outcome::Wait => {
                    if let Some(client) = self.clients.get(token) {
                        client.stalled = true;
                    }
                }
                Outcome::Done => {
                    let consumed = pending.consumed;
                    if let Some(client) = self.clients.get(token) {
                        client.query.consume(consumed);
                        if !client.write_listed {
                            client.write_listed = true;
                            self.clients.to_write.push(token);
                        }
                    }
                }
            }
        }
        batch.pending.clear();
        batch.args.clear();
    }
}

/// Whether commands of a client may be parsed and run now.
fn may_run(client: &Client) -> bool {
    client.closing == Closing::No && !client.stalled
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
