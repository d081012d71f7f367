//! Waiting: who waits, which keys are ready, and the order in which those who wait for
//! keys are run again. (Who waits for a thread is resumed by it: see [`super::resume`].)
//!
//! ```text
//!   handler ── wait ──> Waiter in the client, Queue of each key, end of the time
//!                        ^                         |
//!   a key changes ──> ready list ──> end of the command: each of its queue, by place
//!                        ^                         |
//!                        └── what they change ─────┘ handler again: reply, or wait on
//! ```
//!
//! Invariants:
//! - A client that waits is `stalled`: nothing that it sends is parsed, and what it
//!   sent before stays in its buffer.
//! - Its place, given when it began to wait, is its key in every queue that it is in;
//!   it keeps the place while it is run again.
//! - Nobody is run within another command: readiness is noted when a key changes, and
//!   looked at when the command (or transaction, timer, housekeeping) is over.
//! - A turn ends: whoever begins to wait meanwhile is left for the next change, and a
//!   round in which nobody could be served leaves what is ready to the next turn.

use super::dispatch::Caller;
use super::resume::Resumes;
use crate::module::ModuleId;
use crate::net::client::{Closing, ReplyMode};
use crate::net::output::{Mark, Output};
use crate::resp::write::Writer;
use crate::server::Server;
use plinth_abi::block::WAIT_NULL_ARRAY;
use plinth_abi::bytes::Bytes;
use plinth_abi::call::CALL_RETRY;
use plinth_abi::status::STATUS_OK;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The error of a client that `CLIENT UNBLOCK id ERROR` let go.
pub const UNBLOCKED: &str = "UNBLOCKED client unblocked via CLIENT UNBLOCK";

/// Arguments that outlive the call that they came with.
#[derive(Default)]
pub struct Kept {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Kept {
    /// A copy of some arguments.
    pub fn of<'a>(args: impl Iterator<Item = &'a [u8]>) -> Kept {
        let mut kept = Kept::default();
        for arg in args {
            kept.bytes.extend_from_slice(arg);
            kept.ends.push(kept.bytes.len());
        }
        kept
    }

    /// The arguments as a call wants them, valid as long as `self` is unchanged.
    fn views(&self) -> Vec<Bytes> {
        let mut begin = 0;
        self.ends.iter().map(|&end| Bytes::of(&self.bytes[std::mem::replace(&mut begin, end)..end])).collect()
    }
}

/// What a handler that waits has said.
pub struct Asked {
    /// Keys, some perhaps more than once; none when it waits for a thread.
    pub keys: Vec<Vec<u8>>,
    /// Under which it waits for a thread, or 0.
    pub ticket: u64,
    /// Database of the keys.
    pub db: u32,
    /// Type of the values, 0 for any.
    pub type_id: u32,
    /// Whether it is run when a key is gone, too.
    pub removal: bool,
    /// `WAIT_NULL` or `WAIT_NULL_ARRAY`.
    pub reply: u32,
    /// For how long, `None` for ever.
    pub timeout: Option<Duration>,
    /// Name of the command as it was sent.
    pub name: Vec<u8>,
    /// Its module.
    pub module: ModuleId,
    /// Arguments of the next run.
    pub args: Kept,
}

/// A client's waiting.
pub struct Waiter {
    asked: Asked,
    place: u64,
    end: Option<Instant>,
    /// Whether its reply is thrown away.
    silent: bool,
    /// Whether the run that goes on has waited again.
    again: bool,
    /// The ticket for which it is being run again, or 0.
    resumed: u64,
}

impl Waiter {
    /// Module whose command waits.
    pub fn module(&self) -> ModuleId {
        self.asked.module
    }

    /// Name of the command that waits.
    pub fn name(&self) -> String {
        String::from_utf8_lossy(&self.asked.name).to_ascii_lowercase()
    }

    /// Another module has taken the place of one: wait for values of its type of the
    /// same name. `twins` are all types with their twins.
    pub fn follow(&mut self, from: ModuleId, to: ModuleId, twins: &[(u8, u8)]) {
        if self.asked.module != from {
            return;
        }
        self.asked.module = to;
        let known = twins.iter().find(|(id, twin)| u32::from(*id) == self.asked.type_id && *twin != 0);
        if let Some((_, twin)) = known {
            self.asked.type_id = u32::from(*twin);
        }
    }

    /// Type of the values that are waited for, 0 for any.
    pub fn type_id(&self) -> u32 {
        self.asked.type_id
    }

    /// Whether it waits for a thread and not for keys.
    pub fn is_suspended(&self) -> bool {
        self.asked.ticket != 0
    }

    /// Wait under another ticket from now on.
    pub fn set_ticket(&mut self, ticket: u64) {
        self.asked.ticket = ticket;
    }

    /// It is to be run again for a ticket; whether that is the one under which it waits.
    pub fn answer(&mut self, ticket: u64) -> bool {
        let is_mine = self.asked.ticket == ticket;
        if is_mine {
            self.resumed = ticket;
        }
        is_mine
    }

    /// The ticket for which it is being run again.
    pub fn resumed(&self) -> Option<u64> {
        (self.resumed != 0).then_some(self.resumed)
    }

    /// Wait on, perhaps with other arguments; whether it had not said so before in this
    /// run.
    pub fn wait_again(&mut self, args: Option<Kept>) -> bool {
        let first = !std::mem::replace(&mut self.again, true);
        if let (true, Some(args)) = (first, args) {
            self.asked.args = args;
        }
        first
    }

    /// Bytes of memory that it takes.
    pub fn memory_bytes(&self) -> usize {
        let keys: usize = self.asked.keys.iter().map(|key| key.len() + size_of::<Vec<u8>>()).sum();
        size_of::<Waiter>() + keys + self.asked.args.bytes.len() + self.asked.args.ends.len() * size_of::<usize>()
    }

    /// Whether it is to be run for a key that holds a value of such a type, or none.
    fn wants(&self, found: Option<u8>) -> bool {
        let type_id = self.asked.type_id;
        self.asked.removal || found.is_some_and(|found| type_id == 0 || type_id == u32::from(found))
    }

    /// The reply when the time is up.
    fn write_null(&self, output: &mut Output, resp3: bool) {
        let mut writer = Writer::new(output, resp3);
        if self.asked.reply == WAIT_NULL_ARRAY { writer.null_array() } else { writer.null() }
    }
}

/// Those who wait for one key.
#[derive(Default)]
struct Queue {
    /// Client's id by place.
    waiters: BTreeMap<u64, u64>,
    /// How many of them are run when the key is gone, too.
    removals: usize,
    /// Whether the key is in the ready list.
    ready: bool,
}

/// All who wait.
#[derive(Default)]
pub struct Blocking {
    databases: HashMap<u32, HashMap<Vec<u8>, Queue>>,
    keys: usize,
    ends: BTreeSet<(Instant, u64)>,
    ready: Vec<(u32, Vec<u8>)>,
    /// Ready keys of clients that CLIENT PAUSE holds back.
    held: Vec<(u32, Vec<u8>)>,
    /// Tickets of such clients.
    pub held_tickets: Vec<u64>,
    /// Who waits for a thread.
    pub resumes: Arc<Resumes>,
    last_place: u64,
    /// Client whose command has begun to wait, and where its reply would have begun.
    begun: Option<(usize, Mark)>,
    /// Whether there is anything to do when the command is over.
    pub due: bool,
}

impl Blocking {
    /// Number of keys that somebody waits for.
    #[inline]
    pub fn keys(&self) -> usize {
        self.keys
    }

    /// Number of those of which a removal wakes somebody.
    pub fn removal_keys(&self) -> usize {
        self.databases.values().flat_map(HashMap::values).filter(|queue| queue.removals > 0).count()
    }

    /// Number of clients that do not wait for ever.
    pub fn timeouts(&self) -> usize {
        self.ends.len()
    }

    /// Time until something is to be done.
    pub fn next_in(&self, now: Instant) -> Option<Duration> {
        if self.due {
            return Some(Duration::ZERO);
        }
        self.ends.first().map(|(end, _)| end.saturating_duration_since(now))
    }

    /// Note that a key has changed.
    fn note(&mut self, db: u32, key: &[u8]) {
        let Some(queue) = self.databases.get_mut(&db).and_then(|queues| queues.get_mut(key)) else { return };
        if !std::mem::replace(&mut queue.ready, true) {
            self.ready.push((db, key.to_vec()));
            self.due = true;
        }
    }

    /// Put a client into the queues of its keys, which are left without repetitions.
    fn enter(&mut self, asked: &mut Asked, place: u64, client: u64) {
        let queues = self.databases.entry(asked.db).or_default();
        let before = queues.len();
        asked.keys.retain(|key| {
            let queue = match queues.get_mut(key) {
                Some(queue) => queue,
                None => queues.entry(key.clone()).or_default(),
            };
            let new = queue.waiters.insert(place, client).is_none();
            queue.removals += usize::from(new && asked.removal);
            new
        });
        self.keys += queues.len() - before;
    }

    /// Take a client out of its queues.
    fn leave(&mut self, waiter: &Waiter, client: u64) {
        if let Some(end) = waiter.end {
            self.ends.remove(&(end, client));
        }
        if waiter.is_suspended() {
            self.resumes.withdraw(waiter.asked.ticket);
        }
        let Some(queues) = self.databases.get_mut(&waiter.asked.db) else { return };
        let before = queues.len();
        for key in &waiter.asked.keys {
            let Some(queue) = queues.get_mut(key) else { continue };
            queue.waiters.remove(&waiter.place);
            queue.removals -= usize::from(waiter.asked.removal);
            if queue.waiters.is_empty() {
                queues.remove(key);
            }
        }
        self.keys -= before - queues.len();
        if queues.is_empty() {
            self.databases.remove(&waiter.asked.db);
        }
    }

    /// The next who waits for a key, from a place on: place and client.
    fn next(&self, db: u32, key: &[u8], from: u64) -> Option<(u64, u64)> {
        let queue = self.databases.get(&db)?.get(key)?;
        queue.waiters.range(from..).next().map(|(place, client)| (*place, *client))
    }

    fn queue_mut(&mut self, db: u32, key: &[u8]) -> Option<&mut Queue> {
        self.databases.get_mut(&db)?.get_mut(key)
    }
}

/// What came of running somebody again.
#[derive(PartialEq, Eq)]
pub enum Served {
    /// It was sent a reply, and goes on.
    Replied,
    /// It waits on.
    Waits,
    /// CLIENT PAUSE holds it back.
    Held,
}

impl Server {
    /// A client begins to wait; its reply would begin at `mark`.
    pub fn begin_wait(&mut self, token: usize, mut asked: Asked, mark: Mark) {
        let Some(client) = self.clients.get(token) else { return };
        self.blocking.last_place += 1;
        let place = self.blocking.last_place;
        self.blocking.enter(&mut asked, place, client.id);
        // A time beyond what the clock can tell is for ever.
        let end = asked.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        if let Some(end) = end {
            self.blocking.ends.insert((end, client.id));
        }
        let silent = client.reply_mode != ReplyMode::On;
        client.blocked = Some(Box::new(Waiter { asked, place, end, silent, again: false, resumed: 0 }));
        client.stalled = true;
        client.query.restart();
        self.blocking.begun = Some((token, mark));
        self.blocking.due = true;
    }

    /// A client that is run again because of a key waits on, perhaps with other arguments;
    /// whether it had not said so before in this run. `None` where it waits for a thread.
    pub fn wait_again(&mut self, token: usize, args: Option<Kept>) -> Option<bool> {
        let waiter = self.clients.get(token).and_then(|client| client.blocked.as_mut())?;
        (!waiter.is_suspended()).then(|| waiter.wait_again(args))
    }

    /// Whether the command that runs for a client has begun to wait.
    pub fn has_begun_to_wait(&self, token: usize) -> bool {
        self.blocking.begun.is_some_and(|(begun, _)| begun == token)
    }

    /// The command that began to wait has failed: it does not wait.
    #[cold]
    pub fn give_up_wait(&mut self) {
        if let Some((token, _)) = self.blocking.begun.take() {
            self.end_wait(token);
        }
    }

    /// A client waits no more, for whatever reason: what it sent meanwhile is to be run.
    pub fn end_wait(&mut self, token: usize) -> Option<Box<Waiter>> {
        let client = self.clients.get(token)?;
        let waiter = client.blocked.take()?;
        client.stalled = false;
        client.query.restart();
        let id = client.id;
        self.blocking.leave(&waiter, id);
        self.clients.list_read(token);
        self.clients.list_write(token);
        Some(waiter)
    }

    /// Let a client go that waits, with an error or as if its time were up; whether it
    /// waited.
    pub fn unblock(&mut self, token: usize, error: Option<&str>) -> bool {
        let Some(waiter) = self.end_wait(token) else { return false };
        let Some(client) = self.clients.get(token) else { return false };
        let resp3 = client.resp == 3;
        if !waiter.silent {
            match error {
                Some(text) => Writer::new(&mut client.output, resp3).error(text.as_bytes()),
                None => waiter.write_null(&mut client.output, resp3),
            }
        }
        if let Some(text) = error {
            self.stats.count_error(text.split(' ').next().unwrap_or("ERR"));
            self.commands.count_failure(&waiter.asked.name);
        }
        true
    }

    /// A key has changed while somebody waits for some key.
    pub fn note_ready(&mut self, db: u32, key: &[u8]) {
        self.blocking.note(db, key);
    }

    /// All keys of a database, or of all, may have changed: it was emptied, filled, or
    /// replaced by another one. Those come first whose first waiter has waited longest.
    pub fn note_ready_database(&mut self, db: Option<u32>) {
        if self.blocking.keys == 0 {
            return;
        }
        let first = |queue: &Queue| queue.waiters.first_key_value().map(|(place, _)| *place);
        let fits = self.blocking.databases.iter().filter(|(number, _)| db.is_none_or(|db| db == **number));
        let mut keys: Vec<(Option<u64>, u32, Vec<u8>)> = fits
            .flat_map(|(number, queues)| queues.iter().map(move |(key, queue)| (first(queue), *number, key.clone())))
            .collect();
        keys.sort_unstable();
        keys.iter().for_each(|(_, number, key)| self.blocking.note(*number, key));
    }

    /// What follows a command that began to wait, or that changed a key which somebody
    /// waits for.
    #[cold]
    pub fn settle_waits(&mut self) {
        self.blocking.due = false;
        if let Some((token, mark)) = self.blocking.begun.take()
            && let Some(client) = self.clients.get(token)
            && client.blocked.as_ref().is_some_and(|waiter| !waiter.silent)
        {
            // Whatever the handler wrote is no reply.
            client.output.rewind(mark);
        }
        loop {
            let ready = std::mem::take(&mut self.blocking.ready);
            let mut replied = false;
            for (db, key) in &ready {
                replied |= self.serve_key(*db, key);
            }
            if !replied {
                break;
            }
        }
        self.blocking.due = !self.blocking.ready.is_empty();
    }

    /// Let those go whose time is up, run those again whom threads have resumed, and serve
    /// keys that all this, timers and housekeeping have made ready.
    pub fn look_after_waits(&mut self, now: Instant) {
        while let Some(&(end, id)) = self.blocking.ends.first() {
            if end > now {
                break;
            }
            self.blocking.ends.pop_first();
            if let Some(token) = self.clients.token(id) {
                self.unblock(token, None);
            }
        }
        self.serve_resumed();
        if self.blocking.due {
            self.settle_waits();
        }
    }

    /// A pause is over: those that it held back are to be served.
    pub fn release_held(&mut self) {
        let held = std::mem::take(&mut self.blocking.held);
        held.iter().for_each(|(db, key)| self.blocking.note(*db, key));
        for ticket in std::mem::take(&mut self.blocking.held_tickets) {
            self.blocking.resumes.resume(ticket);
        }
    }

    /// Run those again, in order, who wait for a key; whether anybody was sent a reply.
    fn serve_key(&mut self, db: u32, key: &[u8]) -> bool {
        if let Some(queue) = self.blocking.queue_mut(db, key) {
            queue.ready = false;
        }
        let hash = self.keyspace.hash(key);
        let last = self.blocking.last_place;
        let (mut from, mut replied, mut held) = (0, false, false);
        while let Some((place, id)) = self.blocking.next(db, key, from).filter(|(place, _)| *place <= last) {
            from = place + 1;
            let found = self.find(db, hash, key).map(|entry| self.keyspace.types.current(entry.type_id()));
            // Nobody else can be wanted: the queue is not walked to its end.
            if found.is_none() && self.blocking.queue_mut(db, key).is_none_or(|queue| queue.removals == 0) {
                break;
            }
            let Some(token) = self.clients.token(id) else { continue };
            let Some(client) = self.clients.get(token) else { continue };
            let wants = client.blocked.as_ref().is_some_and(|waiter| waiter.wants(found));
            if client.closing != Closing::No || !wants {
                continue;
            }
            match self.run_again(token) {
                Served::Replied => replied = true,
                Served::Held => held = true,
                Served::Waits => {}
            }
        }
        if held {
            self.blocking.held.push((db, key.to_vec()));
        }
        replied
    }

    /// Run the command of a client again that waits.
    pub fn run_again(&mut self, token: usize) -> Served {
        let mut sink = std::mem::take(&mut self.sink);
        let Some(client) = self.clients.get(token) else { return Served::Waits };
        let Some(waiter) = &mut client.blocked else { return Served::Waits };
        waiter.again = false;
        let silent = waiter.silent;
        // The handler may replace the arguments while it looks at these.
        let (kept, name) = (std::mem::take(&mut waiter.asked.args), waiter.asked.name.clone());
        let (sink_mark, mark) = (sink.mark(), client.output.mark());
        let caller = Caller {
            client: Some((token, client.id)),
            output: if silent { &raw mut sink } else { &raw mut client.output },
            db: waiter.asked.db,
            resp: client.resp,
            flags: CALL_RETRY,
        };
        let status = self.run_waiting(token, &name, &kept.views(), caller);
        sink.rewind(sink_mark);
        self.sink = sink;
        let again = self.keeps_waiting(token, kept);
        let served = match status {
            None => return Served::Held,
            Some(STATUS_OK) if again => Served::Waits,
            Some(_) => Served::Replied,
        };
        if served == Served::Replied {
            self.end_wait(token);
        } else if let Some(client) = self.clients.get(token)
            && !silent
        {
            // Whatever the handler wrote is no reply.
            client.output.rewind(mark);
        }
        served
    }

    /// Whether a client has waited again in the run that just ended; its arguments are
    /// put back unless there are new ones.
    fn keeps_waiting(&mut self, token: usize, kept: Kept) -> bool {
        let Some(waiter) = self.clients.get(token).and_then(|client| client.blocked.as_mut()) else { return false };
        if waiter.asked.args.ends.is_empty() {
            waiter.asked.args = kept;
        }
        waiter.again
    }
}
