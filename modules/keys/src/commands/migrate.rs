//! MIGRATE: keys move to another server.
//!
//! The value goes as DUMP shows it, the target makes the key with RESTORE, and then it is removed
//! here. Meanwhile the server works on: the transfer is a thread's, and the client waits for it.
//!
//! ```text
//!   client          main thread                           thread (migrate/)        target
//!   MIGRATE ──────> dump the keys, suspend ─────────────> connect, RESTORE ... ──> makes them
//!                   (other clients are served)                                        │
//!   reply <──────── compare, remove what is the same <─── resume <─── replies ────────┘
//!                   └─ changed or gone meanwhile: another round, RESTORE with REPLACE or DEL
//! ```
//!
//! What has become of a key here while it was under way, and what is done then:
//!
//! | it is | then |
//! |---|---|
//! | as it was sent (payload and expiry) | it is removed, with the event `del` |
//! | another value, or expires at another time | it is sent again, with REPLACE |
//! | made anew by a RESTORE, whatever it is | it is sent again: see below |
//! | gone, and was to expire by now | its copy expires by itself |
//! | gone, because another MIGRATE has moved it | the copy stays |
//! | gone otherwise | its copy is deleted with DEL |
//!
//! A value that Redis and Valkey write differently is sent as Redis has it, and when the target does not
//! know that, once more as Valkey has it.
//!
//! A key that changes faster than it can be sent is given up when the timeout has passed after the
//! first round: the client gets an IOERR, the key stays here, and the target has an older copy, which
//! the next MIGRATE with REPLACE brings up to date. With COPY nothing is compared.
//!
//! When the client leaves before the end, or CLIENT UNBLOCK lets it go, the transfer goes on, but
//! no key is removed here: what has arrived is on both sides. So it is, too, when the connection
//! fails after the target has made a key and before it has said so. Nothing is ever lost.
//!
//! A server that would send keys to the database that they are in says so, when it can tell by the
//! address. Where it cannot (the way leads through a proxy) it sees its own RESTORE arrive, and gives
//! such a key up as one that never stops changing.
//!
//! In MULTI and in scripts nothing can wait: there the transfer is made in place and the server
//! serves nobody else meanwhile, as in Redis. A key that is named twice is sent once.

use super::{GENERIC, WRITES};
use crate::migrate::{Address, Answer, Credentials, Failure, Item, Order, Outcome, Target, Transfer, Workers};
use plinth_module::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) const COMMANDS: &[Command] = &[MIGRATE];

/// INFO's field.
pub(crate) const FIELDS: Section = fields_of("stats", |call, out| {
    let cached = call.data::<State>().map_or(0, |state| state.workers.cached());
    out.integer("migrate_cached_sockets", cached as i64);
});

/// Timeout where none above 0 was given.
const TIMEOUT_MS: i64 = 1000;
/// Longest timeout: a year. The clocks can tell it.
const TIMEOUT_MS_MAX: i64 = 365 * 24 * 3600 * 1000;
/// The version of Valkey 9's payloads.
const RDB_VERSION_VALKEY: u32 = 80;
/// Between two looks at what is left behind: connections, and transfers that nobody waits for.
const TICK_MS: u64 = 1000;

const AUTHENTICATION: Arg = Arg::group(
    ARG_ONE_OF,
    "authentication",
    &[
        Arg::new(ARG_STRING, "auth").token("AUTH").since("4.0.7"),
        Arg::group(ARG_BLOCK, "auth2", &[Arg::new(ARG_STRING, "username"), Arg::new(ARG_STRING, "password")])
            .token("AUTH2")
            .since("6.0.0"),
    ],
)
.flags(ARG_OPTIONAL);

const MIGRATE: Command = Command {
    name: text("migrate"),
    arity: -6,
    flags: COMMAND_WRITE | COMMAND_MOVABLE_KEYS | COMMAND_SENSITIVE,
    categories: WRITES | CATEGORY_DANGEROUS,
    keys: list(&[
        KeySpec::at(KEY_RW | KEY_ACCESS | KEY_DELETE, 3),
        KeySpec {
            begin: KEY_BEGIN_KEYWORD,
            index: -2,
            keyword: text("KEYS"),
            ..KeySpec::range(KEY_RW | KEY_ACCESS | KEY_DELETE | KEY_INCOMPLETE, 0, -1, 1)
        },
    ]),
    tips: list(&[text("nondeterministic_output")]),
    docs: &Docs {
        summary: text("Moves keys to another server."),
        since: text("2.6.0"),
        group: GENERIC,
        complexity: text("That of DUMP and DEL here and of RESTORE there, and O(N) for N bytes that are sent."),
        history: list(&[
            change("3.0.0", "Takes the words `COPY` and `REPLACE`."),
            change("3.0.6", "Takes the option `KEYS`."),
            change("4.0.7", "Takes the option `AUTH`."),
            change("6.0.0", "Takes the option `AUTH2`."),
        ]),
        args: list(&[
            Arg::new(ARG_STRING, "host"),
            Arg::new(ARG_INTEGER, "port"),
            Arg::group(ARG_ONE_OF, "key-selector", &[Arg::key("key", 0), Arg::new(ARG_PURE_TOKEN, "empty-string")]),
            Arg::new(ARG_INTEGER, "destination-db"),
            Arg::new(ARG_INTEGER, "timeout"),
            Arg::word("copy", "COPY").flags(ARG_OPTIONAL).since("3.0.0"),
            Arg::word("replace", "REPLACE").flags(ARG_OPTIONAL).since("3.0.0"),
            AUTHENTICATION,
            Arg::key("keys", 1).token("KEYS").flags(ARG_OPTIONAL | ARG_MULTIPLE).since("3.0.6"),
        ]),
        ..Docs::NEW
    },
    find_keys: find_keys(|args, found| match key_word(args.len(), |at| args.bytes(at)) {
        None => found.push(3),
        Some(at) if args.bytes(3).is_empty() => (at + 1..args.len()).for_each(|at| found.push(at)),
        Some(_) => {}
    }),
    run: run(migrate),
    ..Command::NEW
};

/// Where the word KEYS stands among the options.
fn key_word<'a>(count: usize, arg: impl Fn(usize) -> &'a [u8]) -> Option<usize> {
    let mut at = 6;
    while at < count {
        let is = |word: &str| arg(at).eq_ignore_ascii_case(word.as_bytes());
        match () {
            () if is("keys") => return Some(at),
            () if is("auth") => at += 2,
            () if is("auth2") => at += 3,
            () => at += 1,
        }
    }
    None
}

/// What the module keeps.
#[derive(Default)]
pub(crate) struct State {
    workers: Workers,
    /// What clients wait for, by the number of their tickets.
    jobs: RefCell<HashMap<u64, Job>>,
    /// Whether a timer is started.
    ticks: Cell<bool>,
}

impl State {
    /// The last thing that the module does.
    pub(crate) fn stop(&self) {
        self.workers.stop();
    }
}

/// RESTORE has made a key: it may be one that is under way, come back.
pub(super) fn note_restored(call: &Call<'_>, key: &[u8]) {
    let Some(state) = call.data::<State>() else { return };
    for job in state.jobs.borrow_mut().values_mut().filter(|job| job.db == call.db()) {
        if let Some(marks) = job.marks.get_mut(key) {
            marks.restored = true;
        }
    }
}

/// One MIGRATE on its way.
struct Job {
    ticket: Option<Ticket>,
    transfer: Arc<Transfer>,
    copy: bool,
    db: u32,
    /// The first error that the target replied with.
    refusal: Option<Vec<u8>>,
    /// Until when keys that changed are sent again; known when the first round is over.
    deadline: Option<Instant>,
    /// Whether a key has changed for so long that it stays here.
    given_up: bool,
    /// Whether any key was removed here.
    has_removed: bool,
    /// What other commands have done to its keys meanwhile.
    marks: HashMap<Vec<u8>, Marks>,
}

/// What other commands have done to a key.
#[derive(Clone, Copy, Default)]
struct Marks {
    /// Another MIGRATE has moved it away.
    moved: bool,
    /// RESTORE has made it here during this round.
    restored: bool,
}

/// The words behind the timeout.
struct Options {
    copy: bool,
    replace: bool,
    credentials: Option<Credentials>,
    /// Which arguments are the keys.
    keys: std::ops::Range<usize>,
}

impl Options {
    fn read(call: &mut Call<'_>) -> Result<Options> {
        let mut options = Options { copy: false, replace: false, credentials: None, keys: 3..4 };
        let (mut at, count) = (6, call.args.len());
        while at < count {
            if call.args.word(at, "copy") {
                options.copy = true;
            } else if call.args.word(at, "replace") {
                options.replace = true;
            } else if call.args.word(at, "auth") && at + 1 < count {
                at += 1;
                options.credentials = Some(Credentials { user: None, password: call.args.bytes(at).to_vec() });
            } else if call.args.word(at, "auth2") && at + 2 < count {
                at += 2;
                let [user, password] = [at - 1, at].map(|at| call.args.bytes(at).to_vec());
                options.credentials = Some(Credentials { user: Some(user), password });
            } else if call.args.word(at, "keys") {
                if !call.args.bytes(3).is_empty() {
                    let refusal =
                        "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string";
                    return Err(call.reply.error(refusal));
                }
                options.keys = at + 1..count;
                break;
            } else {
                return Err(Error::Syntax);
            }
            at += 1;
        }
        Ok(options)
    }
}

fn migrate(call: &mut Call<'_>) -> Result {
    let state = call.data::<State>().ok_or(Error::Unsupported)?;
    if let Some(ticket) = call.block.ticket() {
        let job = state.jobs.borrow_mut().remove(&ticket.id()).ok_or(Error::None)?;
        let outcome = job.transfer.take_outcome().ok_or(Error::None)?;
        return go_on(call, state, job, outcome);
    }
    let options = Options::read(call)?;
    let timeout_ms = call.args.integer(5)?;
    let db = call.args.integer(4)?;
    let timeout_ms = if timeout_ms <= 0 { TIMEOUT_MS } else { timeout_ms.min(TIMEOUT_MS_MAX) };
    let orders = orders(call, &options)?;
    if orders.is_empty() {
        call.propagate.nothing()?;
        call.reply.simple("NOKEY");
        return Ok(());
    }
    let address = Address {
        host: String::from_utf8_lossy(call.args.bytes(1)).into_owned(),
        port: call.args.integer(2).ok().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0),
        credentials: options.credentials,
    };
    let may_wait = call.block.may_wait();
    let own_port = call.config.number("port").ok().and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
    let own = (own_port, may_wait.then(|| i64::from(call.db())));
    let target = Arc::new(Target { address, db, timeout: Duration::from_millis(timeout_ms as u64), own });
    let marks = orders.iter().map(|order| (order.key().to_vec(), Marks::default())).collect();
    let job = Job {
        ticket: None,
        transfer: Arc::new(Transfer::new(target, orders)),
        copy: options.copy,
        db: call.db(),
        refusal: None,
        deadline: None,
        given_up: false,
        has_removed: false,
        marks,
    };
    if may_wait { begin(call, state, job) } else { in_place(call, state, job) }
}

/// What the target is to make: the keys that are there, each once.
fn orders(call: &mut Call<'_>, options: &Options) -> Result<Vec<Order>> {
    let mut seen = HashSet::new();
    let mut orders = Vec::new();
    for at in options.keys.clone() {
        let key = call.args.bytes(at);
        if seen.insert(key)
            && let Some(item) = item(&mut call.keys, key, 0, false)?
        {
            orders.push(Order::Restore { item, replace: options.replace });
        }
    }
    Ok(orders)
}

/// A key as it is now.
fn item(keys: &mut Keys<'_>, key: &[u8], flags: u32, is_for_valkey: bool) -> Result<Option<Item>> {
    let Some(entry) = keys.get_any(key, flags)? else { return Ok(None) };
    let expire_at_ms = entry.expire_at_ms();
    let payload = dump(&entry, is_for_valkey, <[u8]>::to_vec)?;
    Ok(Some(Item { key: key.to_vec(), payload, is_for_valkey, expire_at_ms }))
}

/// A value's payload, as DUMP shows it or as Valkey has it.
fn dump<R>(entry: &Entry<'_>, is_for_valkey: bool, take: impl FnOnce(&[u8]) -> R) -> Result<R> {
    if is_for_valkey { entry.dump_for(RDB_VERSION_VALKEY, take) } else { entry.dump(take) }
}

/// A key beside what was sent of it.
enum Now {
    Same,
    Changed(Item),
    Gone,
}

/// Compares a key with what was sent of it. It may have become the same as before in a way that
/// counts as a change.
fn compare(keys: &mut Keys<'_>, sent: &Item, may_be_same: bool) -> Result<Now> {
    let Some(entry) = keys.get_any(&sent.key, super::UNSEEN)? else { return Ok(Now::Gone) };
    let expire_at_ms = entry.expire_at_ms();
    let may_be_same = may_be_same && expire_at_ms == sent.expire_at_ms;
    // The payload is copied only when it is needed.
    let take = |now: &[u8]| if may_be_same && now == sent.payload { None } else { Some(now.to_vec()) };
    let is_for_valkey = sent.is_for_valkey;
    let payload = dump(&entry, is_for_valkey, take)?;
    let item = |payload| Now::Changed(Item { key: sent.key.clone(), payload, is_for_valkey, expire_at_ms });
    Ok(payload.map_or(Now::Same, item))
}

/// Has a thread make the transfer of a job, for which the client waits.
fn begin(call: &mut Call<'_>, state: &State, job: Job) -> Result {
    let ticket = call.block.suspend(Wait::NEW)?;
    let started = state.workers.start(job.transfer.clone(), move || {
        // Nobody waits any more when the client has left: then the job is forgotten by `tick`.
        let _ = ticket.resume();
    });
    if let Err(error) = started {
        return Err(call.reply.error(format!("IOERR no thread for the transfer: {error}")));
    }
    state.jobs.borrow_mut().insert(ticket.id(), Job { ticket: Some(ticket), ..job });
    tick(call, ());
    Ok(())
}

/// Makes the transfer of a job while everybody waits. Nothing changes meanwhile, so that there is
/// one round, and another one for payloads that the target did not know.
fn in_place(call: &mut Call<'_>, state: &State, mut job: Job) -> Result {
    let failure = loop {
        let outcome = state.workers.run(&job.transfer);
        let (failure, orders) = settle(call, state, &mut job, outcome)?;
        if failure.is_some() || orders.is_empty() {
            break failure;
        }
        job.transfer = Arc::new(Transfer::new(job.transfer.target.clone(), orders));
    };
    tick(call, ());
    reply(call, job, failure)
}

/// After a round: another one, or the reply.
fn go_on(call: &mut Call<'_>, state: &State, mut job: Job, outcome: Outcome) -> Result {
    let timeout = job.transfer.target.timeout;
    let deadline = *job.deadline.get_or_insert_with(|| Instant::now() + timeout);
    let (failure, mut orders) = settle(call, state, &mut job, outcome)?;
    if failure.is_some() {
        return reply(call, job, failure);
    }
    if Instant::now() >= deadline {
        let before = orders.len();
        orders.retain(|order| matches!(order, Order::Delete(_)));
        job.given_up |= orders.len() < before;
    }
    if orders.is_empty() {
        return reply(call, job, None);
    }
    job.transfer = Arc::new(Transfer::new(job.transfer.target.clone(), orders));
    begin(call, state, job)
}

/// Removes the keys that have arrived and are still as they were sent; why there was no answer for
/// some, and what is to be done about those that have changed.
fn settle(
    call: &mut Call<'_>,
    state: &State,
    job: &mut Job,
    outcome: Outcome,
) -> Result<(Option<Failure>, Vec<Order>)> {
    let mut again = Vec::new();
    let mut removed: Vec<&[u8]> = vec![b"DEL"];
    let transfer = job.transfer.clone();
    job.refusal = job.refusal.take().or(outcome.refusal);
    for (order, answer) in transfer.orders.iter().zip(outcome.answers) {
        let Order::Restore { item: sent, replace } = order else { continue };
        if answer == Answer::Unknowing {
            // It is a value that Redis and Valkey write differently. One that is gone by now need not be sent.
            let item = item(&mut call.keys, &sent.key, super::UNSEEN, true)?;
            again.extend(item.map(|item| Order::Restore { item, replace: *replace }));
            continue;
        }
        if job.copy || answer != Answer::Done {
            continue;
        }
        let key = sent.key.as_slice();
        let marks = job.marks.get_mut(key).map(std::mem::take).unwrap_or_default();
        match compare(&mut call.keys, sent, !marks.restored) {
            Ok(Now::Same) => {
                call.keys.remove(key, 0)?;
                call.keys.modified(key, EVENT_GENERIC, "del");
                removed.push(key);
            }
            Ok(Now::Changed(item)) => again.push(Order::Restore { item, replace: true }),
            Ok(Now::Gone) if sent.expire_at_ms.is_some_and(|at_ms| at_ms <= call.now_ms()) => {}
            Ok(Now::Gone) if marks.moved => {}
            Ok(Now::Gone) => again.push(Order::Delete(key.to_vec())),
            // A value that could be saved and cannot be any more stays where it is.
            Err(_) => job.given_up = true,
        }
    }
    for other in state.jobs.borrow_mut().values_mut().filter(|other| other.db == job.db) {
        for key in &removed[1..] {
            if let Some(marks) = other.marks.get_mut(*key) {
                marks.moved = true;
            }
        }
    }
    if removed.len() > 1 {
        call.propagate.instead(&removed)?;
        job.has_removed = true;
    } else if !job.has_removed {
        // Where it has, what an earlier round said stays.
        call.propagate.nothing()?;
    }
    Ok((outcome.failure, again))
}

fn reply(call: &mut Call<'_>, job: Job, failure: Option<Failure>) -> Result {
    if let Some(refusal) = job.refusal {
        let text = [b"ERR Target instance replied with error: ", refusal.as_slice()].concat();
        return Err(call.reply.error(text));
    }
    let text = match failure {
        None if job.given_up => "IOERR error or timeout: a key has changed whenever it was sent",
        None => {
            call.reply.ok();
            return Ok(());
        }
        Some(Failure::Resolve) => "IOERR error or timeout connecting to the client",
        Some(Failure::Write) => "IOERR error or timeout writing to target instance",
        Some(Failure::Read) => "IOERR error or timeout reading to target instance",
        Some(Failure::Itself) => "ERR The target is the database that the keys are in",
    };
    Err(call.reply.error(text))
}

/// Closes connections that were not used for a while, and forgets transfers that are over and that
/// nobody waits for; as long as there are any of either, again and again.
fn tick(call: &mut Call<'_>, (): ()) {
    let Some(state) = call.data::<State>() else { return };
    if state.ticks.get() {
        return;
    }
    let mut jobs = state.jobs.borrow_mut();
    jobs.retain(|_, job| !job.transfer.is_over() || job.ticket.is_some_and(|ticket| ticket.resume().is_ok()));
    let is_needed = state.workers.cached() > 0 || !jobs.is_empty();
    let fire = |call: &mut Call<'_>, ()| {
        if let Some(state) = call.data::<State>() {
            state.ticks.set(false);
        }
        tick(call, ());
    };
    state.ticks.set(is_needed && call.timers.start(TICK_MS, (), fire).is_ok());
}
