//! Waiting: who waits, which keys are ready, and the order in which those who wait for
//! keys are run again. (Who waits for a thread is resumed by it: see [`crate::session::resume`].)
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

use crate::base::id::ModuleId;
use crate::session::resume::Resumes;
use crate::socket::output::{Mark, Output};
use crate::wire::write::Writer;
use plinth_abi::block::WAIT_NULL_ARRAY;
use plinth_abi::bytes::Bytes;
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

/// A key that is waited for, as all share it who have to know it.
pub type Key = bytes::Bytes;

/// A copy of a key, or `None` where there is no memory for it.
pub fn key_of(bytes: &[u8]) -> Option<Key> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len()).ok()?;
    copy.extend_from_slice(bytes);
    Some(Key::from(copy))
}

impl Kept {
    /// A copy of some arguments, or `None` where there is no memory for it.
    pub fn of<'a>(args: impl Iterator<Item = &'a [u8]> + Clone) -> Option<Kept> {
        let mut kept = Kept::default();
        let (count, bytes) = args.clone().fold((0, 0), |(count, bytes), arg| (count + 1, bytes + arg.len()));
        kept.ends.try_reserve_exact(count).ok()?;
        kept.bytes.try_reserve_exact(bytes).ok()?;
        for arg in args {
            kept.bytes.extend_from_slice(arg);
            kept.ends.push(kept.bytes.len());
        }
        Some(kept)
    }

    /// Bytes of the arguments themselves.
    pub fn bytes_len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The arguments.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut begin = 0;
        self.ends.iter().map(move |&end| &self.bytes[std::mem::replace(&mut begin, end)..end])
    }

    /// The arguments as a call wants them, valid as long as `self` is unchanged.
    pub fn views(&self) -> Vec<Bytes> {
        self.iter().map(Bytes::of).collect()
    }
}

/// What a handler that waits has said.
pub struct Asked {
    /// Keys, some perhaps more than once; none when it waits for a thread.
    pub keys: Vec<Key>,
    /// Under which it waits for a thread, or 0.
    pub ticket: u64,
    /// Database of the keys.
    pub db: u32,
    /// Type of the values, 0 for any.
    pub type_id: u32,
    /// Whether it is run when a key is gone, too.
    pub removal: bool,
    /// `WAIT_NULL` or `WAIT_NULL_ARRAY`; the core's own, [`WAIT_AGAIN`].
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

/// At the end of the time its handler is run once more, and says itself what there is.
pub const WAIT_AGAIN: u32 = u32::MAX;

/// A client's waiting.
pub struct Waiter {
    /// What its handler has said.
    pub asked: Asked,
    /// When it began to wait, among all.
    pub place: u64,
    /// When its time is up.
    pub end: Option<Instant>,
    /// Whether its reply is thrown away.
    pub silent: bool,
    /// Whether the run that goes on has waited again.
    pub again: bool,
    /// The ticket for which it is being run again, or 0.
    pub resumed: u64,
    /// Whether its time is up, and it is run for the last time.
    pub is_late: bool,
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
        let keys: usize = self.asked.keys.iter().map(|key| key.len() + size_of::<Key>()).sum();
        size_of::<Waiter>() + keys + self.asked.args.bytes.len() + self.asked.args.ends.len() * size_of::<usize>()
    }

    /// Whether it is to be run for a key that holds a value of such a type, or none.
    pub fn wants(&self, found: Option<u8>) -> bool {
        let type_id = self.asked.type_id;
        self.asked.removal || found.is_some_and(|found| type_id == 0 || type_id == u32::from(found))
    }

    /// The reply when the time is up.
    pub fn write_null(&self, output: &mut Output, resp3: bool) {
        let mut writer = Writer::new(output, resp3);
        match self.asked.reply {
            WAIT_NULL_ARRAY => writer.null_array(),
            _ => writer.null(),
        }
    }
}

/// Those who wait for one key.
#[derive(Default)]
pub struct Queue {
    /// Client's id by place.
    pub waiters: BTreeMap<u64, u64>,
    /// How many of them are run when the key is gone, too.
    pub removals: usize,
    /// Whether the key is in the ready list.
    pub ready: bool,
}

/// All who wait.
#[derive(Default)]
pub struct Blocking {
    /// Queues by database and key.
    pub databases: HashMap<u32, HashMap<Key, Queue>>,
    keys: usize,
    /// When the time of each is up.
    pub ends: BTreeSet<(Instant, u64)>,
    /// Keys that have changed.
    pub ready: Vec<(u32, Key)>,
    /// Ready keys of clients that CLIENT PAUSE holds back.
    pub held: Vec<(u32, Key)>,
    /// Tickets of such clients.
    pub held_tickets: Vec<u64>,
    /// Who waits for a thread.
    pub resumes: Arc<Resumes>,
    /// The place that was given last.
    pub last_place: u64,
    /// Client whose command has begun to wait, and where its reply would have begun.
    pub begun: Option<(usize, Mark)>,
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
    pub fn note(&mut self, db: u32, key: &[u8]) {
        let Some(queues) = self.databases.get_mut(&db) else { return };
        let Some(queue) = queues.get_mut(key) else { return };
        if !std::mem::replace(&mut queue.ready, true) {
            self.ready.extend(queues.get_key_value(key).map(|(key, _)| (db, key.clone())));
            self.due = true;
        }
    }

    /// Put a client into the queues of its keys, which are left without repetitions.
    pub fn enter(&mut self, asked: &mut Asked, place: u64, client: u64) {
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
    pub fn leave(&mut self, waiter: &Waiter, client: u64) {
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
    pub fn next(&self, db: u32, key: &[u8], from: u64) -> Option<(u64, u64)> {
        let queue = self.databases.get(&db)?.get(key)?;
        queue.waiters.range(from..).next().map(|(place, client)| (*place, *client))
    }

    /// The queue of a key, if there is one.
    pub fn queue_mut(&mut self, db: u32, key: &[u8]) -> Option<&mut Queue> {
        self.databases.get_mut(&db)?.get_mut(key)
    }
}
