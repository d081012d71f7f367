//! The batch: commands of many clients, parsed together, so that memory is fetched
//! while others are being parsed, and run in the order in which each client sent
//! them.
//!
//! ```text
//! parse + look up + hash + prefetch bucket   ──> for each command of the window
//! prefetch entry, and more (see `ahead`)     ──> for each
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

use crate::base::clock::ticks;
use crate::command::table::load_short;
use crate::engine::call::{CommandTable, Registered};
use crate::engine::dispatch::Outcome;
use crate::engine::server::Server;
use crate::net::ahead::{Looking, look_ahead};
use crate::session::client::{Client, Closing, Replicates};
use crate::store::Store;
use crate::store::entry::EntryPtr;
use crate::wire::request::{Limits, Parsed, Parser, ProtocolError, Span, ordinary};
use plinth_abi::bytes::Bytes;
use plinth_table::Table;
use std::ptr::NonNull;

/// Commands that are in flight together.
const WINDOW: usize = 32;
/// Most commands of one client in one turn.
const CLIENT_COMMANDS_MAX: usize = 128;
/// Bytes of replies after which a client's turn ends, so that they are sent before
/// there are more.
const OUTPUT_TURN_BYTES: usize = 1 << 20;

/// A parsed command.
pub(super) struct Pending {
    client: NonNull<Client>,
    pub(super) first_arg: usize,
    pub(super) argc: usize,
    pub(super) command: Option<NonNull<Registered>>,
    /// Hash of the first key, if `keyed`.
    pub(super) hash: u64,
    pub(super) db: u32,
    pub(super) keyed: bool,
    /// Whether the key's bucket goes on elsewhere.
    pub(super) overflows: bool,
    /// Whether the command looks ahead in the first key's value.
    pub(super) looks_ahead: bool,
    /// Bytes of the query buffer that it takes, with empty requests before it, and behind the last of a window.
    consumed: usize,
}

impl Pending {
    /// Hash of the first key.
    #[inline]
    fn hash(&self) -> Option<u64> {
        self.keyed.then_some(self.hash)
    }
}

/// Looks commands up and hashes their keys, while it is known whose they are.
struct Preparer<'s> {
    commands: &'s CommandTable,
    store: &'s Store,
    table: Option<&'s Table<EntryPtr>>,
    client: NonNull<Client>,
    db: u32,
    /// Name of the last command, and what the table knows of it: a pipeline is often one
    /// command over and over.
    last: (&'s [u8], Option<NonNull<Registered>>),
}

impl<'s> Preparer<'s> {
    fn new(commands: &'s CommandTable, store: &'s Store, client: &mut Client) -> Preparer<'s> {
        let table = store.databases.get(client.db as usize).map(|database| &database.table);
        let db = client.db;
        Preparer { commands, store, table, client: NonNull::from(client), db, last: (&[], None) }
    }

    /// Look a command up, hash its first key, and fetch the key's bucket.
    #[inline(always)]
    fn prepare(&mut self, args: &[Bytes], first_arg: usize, consumed: usize) -> Pending {
        // SAFETY: arguments point into query buffers, see the invariants.
        let name = unsafe { args[0].as_slice() };
        if !is_same(name, self.last.0) {
            self.last = (name, self.commands.find(name).and_then(|at| NonNull::new(at.cast_mut())));
        }
        let command = self.last.1;
        let mut pending = Pending {
            client: self.client,
            first_arg,
            argc: args.len(),
            command,
            hash: 0,
            db: self.db,
            keyed: false,
            overflows: false,
            looks_ahead: false,
            consumed,
        };
        // SAFETY: the table has given the pointer, and has not changed since.
        let known = command.map(|command| unsafe { command.as_ref() });
        let first_key = known.map_or(0, |command| command.first_key) as usize;
        if first_key != 0
            && let Some(key) = args.get(first_key)
        {
            // SAFETY: as above.
            pending.hash = self.store.hash(unsafe { key.as_slice() });
            pending.keyed = true;
            pending.looks_ahead = known.is_some_and(|command| command.spec.look_ahead.is_some());
            if let Some(table) = self.table {
                table.prefetch_bucket(pending.hash);
            }
        }
        pending
    }
}

/// The window's memory, kept between batches.
#[derive(Default)]
pub struct Batch {
    pending: Vec<Pending>,
    args: Vec<Bytes>,
    spans: Vec<Span>,
    looking: Vec<Looking>,
}

/// Arguments for which room is kept between batches, and made before an ordinary request.
const KEPT_ARGS: usize = 4 * 1024;
const ROOM_ARGS: usize = 256;

impl Batch {
    /// Make room for arguments; for how many there is.
    #[inline]
    fn room(&mut self) -> usize {
        let room = self.args.capacity() - self.args.len();
        if room >= ROOM_ARGS { room } else { self.more_room() }
    }

    #[cold]
    fn more_room(&mut self) -> usize {
        let _ = self.args.try_reserve(ROOM_ARGS);
        self.args.capacity() - self.args.len()
    }

    /// Take any request from the start of some bytes, if it is whole; fails, too, when there is no memory
    /// for its arguments.
    fn take_any(&mut self, parser: &mut Parser, bytes: &[u8], limits: &Limits) -> Result<Parsed, ProtocolError> {
        self.spans.clear();
        let parsed = parser.parse(bytes, limits, &mut self.spans)?;
        let base = match &parsed {
            Parsed::Complete { .. } => bytes.as_ptr(),
            Parsed::Inline { text, .. } => text.as_ptr(),
            Parsed::Empty { .. } | Parsed::Incomplete { .. } => return Ok(parsed),
        };
        self.args.try_reserve(self.spans.len()).map_err(|_| ProtocolError::NoMemory)?;
        self.args.extend(self.spans.iter().map(|span| Bytes { data: base.wrapping_add(span.start), len: span.len }));
        Ok(parsed)
    }

    /// All commands have run: forget them, and give back what only large ones have needed.
    #[inline]
    fn clear(&mut self) {
        self.pending.clear();
        self.args.clear();
        if self.args.capacity().max(self.spans.capacity()) > KEPT_ARGS {
            self.shrink();
        }
    }

    #[cold]
    fn shrink(&mut self) {
        self.args.shrink_to(KEPT_ARGS);
        self.spans.clear();
        self.spans.shrink_to(KEPT_ARGS);
    }

    /// Take a whole ordinary request from the start of some bytes: its length and the
    /// number of its arguments.
    #[inline]
    fn take_ordinary(&mut self, bytes: &[u8], limits: &Limits) -> Option<(usize, usize)> {
        let (first, base, room) = (self.args.len(), bytes.as_ptr(), self.room());
        let take = |start, len| self.args.push(Bytes { data: base.wrapping_add(start), len });
        let taken = ordinary(bytes, limits, room, take);
        if taken.is_none() {
            self.args.truncate(first);
        }
        taken
    }
}

/// Run what a list of clients has sent; those with more to read or to run are
/// listed again.
pub fn run_batch(server: &mut Server, batch: &mut Batch, tokens: &mut Vec<usize>) {
    let limits = Limits {
        bulk_len_max: usize::try_from(server.settings.proto_max_bulk_len).unwrap_or(usize::MAX),
        ..Limits::default()
    };
    for token in tokens.drain(..) {
        if server.stopping {
            batch.clear();
            return;
        }
        let Some(client) = server.sessions.clients.get(token) else { continue };
        // A token may be in the list twice when its client left and another came.
        if !std::mem::take(&mut client.read_listed) {
            continue;
        }
        client.turn_over = false;
        let unparsed = run_client(server, batch, token, &limits);
        let Some(client) = server.sessions.clients.get(token) else { continue };
        client.unparsed = unparsed || client.turn_over;
        if (client.unparsed || client.readable) && client.closing == Closing::No {
            server.sessions.clients.list_read(token);
        }
    }
    run_window(server, batch);
}

/// Put a client's commands into the window, and run it whenever it is full;
/// whether there may be more than fit into this turn.
fn run_client(server: &mut Server, batch: &mut Batch, token: usize, limits: &Limits) -> bool {
    let mut count = 0;
    loop {
        let want = WINDOW.min(CLIENT_COMMANDS_MAX - count);
        let (parsed, more) = parse_client(server, batch, token, limits, want);
        count += parsed;
        if more || batch.pending.len() >= WINDOW {
            run_window(server, batch);
        }
        if !more || count >= CLIENT_COMMANDS_MAX || server.stopping {
            return more;
        }
    }
}

/// Parse up to `want` commands of a client into the window; how many, and whether
/// there may be more once they have run.
fn parse_client(server: &mut Server, batch: &mut Batch, token: usize, limits: &Limits, want: usize) -> (usize, bool) {
    let Some(client) = server.sessions.clients.get(token) else { return (0, false) };
    if !may_run(client) || !client.query.has_input() {
        return (0, false);
    }
    // Nothing of this client is in the window now.
    client.query.inline.clear();
    let limits = Limits { authenticated: client.standing.is_known(), ..*limits };
    let want = if client.standing.is_known() { want } else { 1 };
    let mut preparer = Preparer::new(&server.commands, &server.store, client);
    let (mut offset, mut begin, mut count, mut more) = (0, 0, 0, false);
    loop {
        let (parser, bytes) = client.query.parser_and_pending(offset);
        if bytes.is_empty() || count == want {
            more = !bytes.is_empty();
            break;
        }
        let first_arg = batch.args.len();
        let ordinary = if parser.is_within_request() { None } else { batch.take_ordinary(bytes, &limits) };
        if let Some((consumed, _)) = ordinary {
            offset += consumed;
            count += 1;
            let consumed = offset - std::mem::replace(&mut begin, offset);
            batch.pending.push(preparer.prepare(&batch.args[first_arg..], first_arg, consumed));
            continue;
        }
        let consumed = match batch.take_any(parser, bytes, &limits) {
            Ok(Parsed::Complete { consumed, .. }) => consumed,
            Ok(Parsed::Inline { consumed, text, .. }) => {
                client.query.inline.push(text);
                consumed
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
                    refuse(server, token, &error);
                    return (0, false);
                }
                more = true;
                break;
            }
        };
        offset += consumed;
        count += 1;
        let consumed = offset - std::mem::replace(&mut begin, offset);
        batch.pending.push(preparer.prepare(&batch.args[first_arg..], first_arg, consumed));
    }
    if count == 0 {
        if offset > 0 {
            skip(server, token, offset);
        }
        // It may have announced a long argument.
        server.weigh_client(token);
    } else if let Some(last) = batch.pending.last_mut().filter(|_| offset > begin) {
        // Empty requests behind the last command go with it: the parser may stand in a command behind them.
        last.consumed += offset - begin;
    }
    (count, more)
}

/// Pass over bytes that are no command. Those of a stream count as any.
#[cold]
fn skip(server: &mut Server, token: usize, bytes: usize) {
    if server.sessions.clients.peek(token).is_some_and(|client| client.standing.is_primary()) {
        crate::replication::upstream::stream::applied(server, token, bytes);
    }
    if let Some(client) = server.sessions.clients.get(token) {
        client.query.skip(bytes);
    }
}

fn run_window(server: &mut Server, batch: &mut Batch) {
    let epoch = server.commands.epoch;
    server.close_heavy();
    server.last_ticks = ticks();
    look_ahead(&server.store, &mut batch.pending, &batch.args, &mut batch.looking);
    for pending in &batch.pending {
        let args = &batch.args[pending.first_arg..pending.first_arg + pending.argc];
        let (command, hash) = if server.commands.epoch == epoch {
            (pending.command, pending.hash())
        } else {
            // SAFETY: arguments point into query buffers, see the invariants.
            (server.commands.find(unsafe { args[0].as_slice() }).and_then(|at| NonNull::new(at.cast_mut())), None)
        };
        // SAFETY: clients are freed after the batch, see the invariants.
        if !may_run(unsafe { pending.client.as_ref() }) {
            continue;
        }
        // SAFETY: as above; no reference to the client is held.
        match unsafe { server.execute(pending.client, command, args, hash) } {
            Outcome::Wait => {
                // SAFETY: as above.
                let client = unsafe { &mut *pending.client.as_ptr() };
                client.query.restart();
                client.stalled = true;
            }
            Outcome::Done => ran(server, pending.client, pending.consumed),
            Outcome::Streamed => {
                // SAFETY: as above.
                let token = unsafe { pending.client.as_ref() }.token;
                crate::replication::upstream::stream::applied(server, token, pending.consumed);
                ran(server, pending.client, pending.consumed);
            }
        }
        if server.sessions.blocking.due || server.pending.is_due {
            server.settle();
            // What is not run is not answered: it is in no file.
            if server.stopping {
                break;
            }
            if !server.is_busy() && server.pending.is_parsed_anew.take().is_some() {
                parse_again(server, &batch.pending);
                break;
            }
        }
    }
    batch.clear();
}

/// Commands of a window do not run as they were parsed, because others were served in between.
#[cold]
fn parse_again(server: &mut Server, window: &[Pending]) {
    for pending in window {
        // SAFETY: clients that were there when the window was filled are freed after the batch.
        let client = unsafe { &mut *pending.client.as_ptr() };
        if client.query.has_input() {
            client.query.restart();
            client.unparsed = true;
            let token = client.token;
            server.sessions.clients.list_read(token);
        }
    }
}

/// A command is done.
#[inline]
fn ran(server: &mut Server, mut client: NonNull<Client>, consumed: usize) {
    // SAFETY: clients are freed after the batch, and nobody else looks at one now.
    let client = unsafe { client.as_mut() };
    client.query.consume(consumed);
    if !client.write_listed {
        client.write_listed = true;
        server.sessions.clients.to_write.push(client.token);
    }
    if client.output.queued() > 0 {
        let token = client.token;
        has_much_output(server, token);
    }
}

/// A client whose replies are above its limit is closed before any of them is sent;
/// one with many replies has had its turn.
#[cold]
fn has_much_output(server: &mut Server, token: usize) {
    let over = server.close_over_output(token);
    let Some(client) = server.sessions.clients.get(token) else { return };
    if !over && client.output.queued() > OUTPUT_TURN_BYTES {
        // What it has sent stays in its buffer, to be parsed again.
        client.query.restart();
        client.turn_over = true;
        client.unparsed = true;
        server.sessions.clients.list_read(token);
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

/// A client has sent what is no request.
#[cold]
fn refuse(server: &mut Server, token: usize, error: &ProtocolError) {
    let Some(client) = server.sessions.clients.get(token) else { return };
    let is_primary = client.standing.is_primary();
    protocol_error(client, error);
    if is_primary {
        crate::replication::upstream::stream::broken(server);
    }
    server.stats.count_error("ERR");
    server.sessions.clients.list_write(token);
}

/// Answer what cannot be understood, and close.
fn protocol_error(client: &mut Client, error: &ProtocolError) {
    let mut message = b"ERR ".to_vec();
    error.append_message(&mut message);
    let resp3 = client.resp == 3;
    client.query.clear();
    if client.replicates == Replicates::Attached {
        // An error would stand in the middle of the stream.
        client.closing = Closing::Now;
    } else {
        crate::wire::write::Writer::new(&mut client.output, resp3).error(&message);
        client.close_after_reply();
    }
    crate::base::log::verbose(&format!(
        "Protocol error ({error}) from client: id={} addr={}",
        client.id, client.address
    ));
}
