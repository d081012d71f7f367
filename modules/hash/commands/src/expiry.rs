//! The clockwork: removing fields that have expired, of hashes that nobody looks at.
//!
//! ```text
//!   commands that give deadlines ──> watch ──> due: { (earliest deadline, database, key) }
//!   RENAME, COPY, MOVE, RESTORE  ──> hook  ──┤              │ tick, a millisecond at a time
//!   DEL, SET, expiry, FLUSHALL   ──> hook  ──┘ forgets      │
//!   loading of files             ──> LOADED ──> search ─────┘
//! ```
//!
//! What is watched is a name and not a value: a key may be renamed, overwritten or removed without this
//! module being asked. So a tick looks the key up, and forgets it when there is no such hash any more;
//! and so does the hook, at whatever happens to a key that is watched, since a deadline may be years
//! away. Where a value with deadlines may turn up under another name, the hook watches that name; after
//! a load and a swap of databases the keys are searched a few at a time.
//!
//! None of it is needed for a field to be gone in time: commands pass expired fields over.
//!
//! *Invariant*: `due` and `known` say the same. A tick ends after its budget, and is followed by
//! another while something is due.

use crate::small::is_past;
use crate::storage::Storage;
use crate::told;
use crate::value::{Hash, View, Writer, announce};
use plinth_module::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Whether a value with deadlines was loaded since this was last looked at.
static LOADED: AtomicBool = AtomicBool::new(false);
/// Whether any hash may have deadlines, for who has no call to ask by.
static MAY_EXPIRE: AtomicBool = AtomicBool::new(false);

/// A value with deadlines is being loaded.
pub(crate) fn note_loaded() {
    MAY_EXPIRE.store(true, Relaxed);
    LOADED.store(true, Relaxed);
}

/// Whether any hash may have deadlines. It is false from the start until there is one, and again when
/// nothing is watched or searched any more.
pub(crate) fn may_expire() -> bool {
    MAY_EXPIRE.load(Relaxed)
}

/// How long a tick may take.
const BUDGET: Duration = Duration::from_micros(1000);
/// Shortest pause between ticks, in ms.
const PAUSE_MS: u64 = 10;
/// Longest pause, in ms.
const PAUSE_MS_MAX: u64 = 60_000;
/// Pause between ticks on a replica, in ms.
const REPLICA_PAUSE_MS: u64 = 1000;
/// Pause between looks at [`LOADED`], in ms.
const PULSE_MS: u64 = 1000;
/// Parts of a large hash that are looked at before the clock is.
const STEPS: usize = 64;
/// Fields that are removed before the clock is looked at.
const FIELDS_MAX: usize = 128;
/// Names that are let go of before the clock is looked at.
const NAMES_MAX: usize = 64;
/// Keys that a search visits before the clock is looked at.
const KEYS_MAX: usize = 128;

/// The moment from which a name is watched that the hook was told of.
const NOTICED: u64 = 0;

/// A name that is watched, in a database.
type Name = Rc<[u8]>;

/// What is watched of one database. Trees, so that memory goes with what is forgotten, and nothing is
/// moved all at once.
#[derive(Default)]
struct Names {
    due: BTreeSet<(u64, Name)>,
    known: BTreeMap<Name, u64>,
}

impl Names {
    /// Watches a name from a moment on, unless it is watched from an earlier one.
    fn add(&mut self, key: &[u8], at_ms: u64) {
        let name: Name = match self.known.get_key_value(key) {
            Some((_, before)) if *before <= at_ms => return,
            Some((name, before)) => {
                let name = name.clone();
                self.due.remove(&(*before, name.clone()));
                name
            }
            None => key.into(),
        };
        self.known.insert(name.clone(), at_ms);
        self.due.insert((at_ms, name));
    }

    fn forget(&mut self, key: &[u8]) {
        if let Some((name, at_ms)) = self.known.remove_entry(key) {
            self.due.remove(&(at_ms, name));
        }
    }

    /// Takes the first name out; whether there was one.
    fn pop(&mut self) -> Option<Name> {
        let (_, first) = self.due.pop_first()?;
        self.known.remove(&first);
        Some(first)
    }

    fn next_ms(&self) -> Option<u64> {
        self.due.first().map(|(at_ms, _)| *at_ms)
    }
}

/// What is watched.
#[derive(Default)]
struct Watched {
    /// By database; none is empty.
    databases: BTreeMap<u32, Names>,
    /// Of databases that were emptied, to be let go of a few names at a time.
    gone: Vec<Names>,
}

impl Watched {
    fn add(&mut self, db: u32, key: &[u8], at_ms: u64) {
        self.databases.entry(db).or_default().add(key, at_ms);
    }

    fn knows(&self, db: u32, key: &[u8]) -> bool {
        self.databases.get(&db).is_some_and(|names| names.known.contains_key(key))
    }

    fn forget(&mut self, db: u32, key: &[u8]) {
        if let Some(names) = self.databases.get_mut(&db) {
            names.forget(key);
            self.drop_empty(db);
        }
    }

    fn drop_empty(&mut self, db: u32) {
        if self.databases.get(&db).is_some_and(|names| names.known.is_empty()) {
            self.databases.remove(&db);
        }
    }

    /// A database was emptied, or all were.
    fn forget_all(&mut self, db: Option<u32>) {
        match db {
            Some(db) => self.gone.extend(self.databases.remove(&db)),
            None => self.gone.extend(std::mem::take(&mut self.databases).into_values()),
        }
    }

    /// Lets go of one name of what was emptied; whether there was any.
    fn sweep(&mut self) -> bool {
        let Some(names) = self.gone.last_mut() else { return false };
        if names.pop().is_none() {
            self.gone.pop();
        }
        true
    }

    fn swap(&mut self, first: u32, second: u32) {
        let (one, other) = (self.databases.remove(&first), self.databases.remove(&second));
        self.databases.extend(one.map(|names| (second, names)));
        self.databases.extend(other.map(|names| (first, names)));
    }

    /// The moment at which something is to be done.
    fn next_ms(&self) -> Option<u64> {
        if !self.gone.is_empty() {
            return Some(NOTICED);
        }
        self.databases.values().filter_map(Names::next_ms).min()
    }

    /// Takes the first name out that is due, with its database.
    fn take(&mut self, now: u64) -> Option<(u32, Name)> {
        let (at_ms, db) = self.databases.iter().filter_map(|(db, names)| Some((names.next_ms()?, *db))).min()?;
        if !is_past(Some(at_ms), now) {
            return None;
        }
        let first = self.databases.get_mut(&db)?.pop()?;
        self.drop_empty(db);
        Some((db, first))
    }
}

/// What the module keeps.
#[derive(Default)]
pub(crate) struct State {
    watched: RefCell<Watched>,
    /// The timer that is going to tick, and when.
    timer: RefCell<Option<(Timer<()>, u64)>>,
    subscribed: Cell<bool>,
    /// Database and cursor of a search.
    search: Cell<Option<(u32, u64)>>,
}

/// Begins; for the module's start.
pub(crate) fn start<S: Storage>(call: &mut Call<'_>) -> Result {
    call.set_data(State::default())?;
    call.timers.start(PULSE_MS, (), pulse::<S>)?;
    Ok(())
}

fn pulse<S: Storage>(call: &mut Call<'_>, (): ()) {
    if let Some(state) = call.data::<State>()
        && LOADED.swap(false, Relaxed)
    {
        state.search.set(Some((0, 0)));
        arm::<S>(call, state, 0);
    }
    let _ = call.timers.start(PULSE_MS, (), pulse::<S>);
}

/// Watches a key of the call's database, whose earliest deadline this is.
pub(crate) fn watch<S: Storage>(call: &mut Call<'_>, key: &[u8], at_ms: u64) {
    let Some(state) = call.data::<State>() else { return };
    state.watched.borrow_mut().add(call.db(), key, at_ms);
    arm::<S>(call, state, at_ms);
}

/// Sees to it that there is a tick soon after a moment.
fn arm<S: Storage>(call: &mut Call<'_>, state: &State, at_ms: u64) {
    if !state.subscribed.replace(true) {
        let _ = call.events.subscribe(ON_KEY | ON_FLUSH | ON_SWAP, (), noticed::<S>);
    }
    MAY_EXPIRE.store(true, Relaxed);
    let now = call.now_ms().max(0) as u64;
    // A field expires after its deadline.
    let pause_ms = (at_ms + 1).saturating_sub(now).clamp(PAUSE_MS, PAUSE_MS_MAX);
    let mut timer = state.timer.borrow_mut();
    if let Some((armed, fires_ms)) = timer.take() {
        if fires_ms <= now + pause_ms {
            *timer = Some((armed, fires_ms));
            return;
        }
        let _ = call.timers.stop(armed);
    }
    *timer = call.timers.start(pause_ms, (), tick::<S>).ok().map(|armed| (armed, now + pause_ms));
}

/// The hook: a value may have got another name, and a name that is watched may have lost its value. It
/// is told when the command has ended, or the transaction: what is there now counts.
fn noticed<S: Storage>(call: &mut Call<'_>, event: &Event<'_>, (): &()) {
    let Some(state) = call.data::<State>() else { return };
    if event.kind() != ON_KEY {
        match (event.kind(), event.db(), event.other_db()) {
            (ON_SWAP, Some(first), Some(second)) => state.watched.borrow_mut().swap(first, second),
            (_, db, _) => state.watched.borrow_mut().forget_all(db),
        }
        // Hashes may have got deadlines behind it, in the same transaction.
        state.search.set(Some((0, 0)));
        return arm::<S>(call, state, 0);
    }
    let Some(db) = event.db().filter(|_| event.class() != EVENT_HASH) else { return };
    let key = event.key();
    if event.class() == EVENT_GENERIC && matches!(event.name(), b"rename_to" | b"copy_to" | b"move_to" | b"restore") {
        state.watched.borrow_mut().add(db, key, NOTICED);
        return arm::<S>(call, state, 0);
    }
    if state.watched.borrow().knows(db, key) && due::<S>(call, db, key).is_none() {
        state.watched.borrow_mut().forget(db, key);
    }
}

/// The moment before which no field of a hash expires, if it has any that does.
fn due<S: Storage>(call: &mut Call<'_>, db: u32, key: &[u8]) -> Option<u64> {
    call.keys.select(db).ok()?;
    let entry = call.keys.get_with(TypeHandle::of::<Hash<S>>().ok()?, key, GET_NO_STATS | GET_NO_TOUCH).ok()?;
    View::<S>::of(&entry).due()
}

fn tick<S: Storage>(call: &mut Call<'_>, (): ()) {
    let Some(state) = call.data::<State>() else { return };
    state.timer.borrow_mut().take();
    if call.flags() & CALL_REPLICA != 0 {
        // Which fields go its primary says; what is due waits for the day on which there is none.
        let later_ms = call.now_ms().max(0) as u64 + REPLICA_PAUSE_MS;
        return arm::<S>(call, state, later_ms);
    }
    let (began, now) = (Instant::now(), call.now_ms().max(0) as u64);
    let mut again: Vec<(u32, Name, u64)> = Vec::new();
    while began.elapsed() < BUDGET {
        let Some((db, name)) = state.watched.borrow_mut().take(now) else { break };
        if let Some(at_ms) = clean::<S>(call, db, &name) {
            again.push((db, name, at_ms));
        }
    }
    let mut watched = state.watched.borrow_mut();
    again.into_iter().for_each(|(db, name, at_ms)| watched.add(db, &name, at_ms));
    while began.elapsed() < BUDGET && (0..NAMES_MAX).all(|_| watched.sweep()) {}
    drop(watched);
    while began.elapsed() < BUDGET && search::<S>(call, state) {}
    let next = state.watched.borrow().next_ms();
    match (state.search.get(), next) {
        (Some(_), _) => arm::<S>(call, state, 0),
        (None, Some(at_ms)) => arm::<S>(call, state, at_ms),
        (None, None) => MAY_EXPIRE.store(LOADED.load(Relaxed), Relaxed),
    }
}

/// Removes expired fields of a hash; when it is to be looked at again.
fn clean<S: Storage>(call: &mut Call<'_>, db: u32, key: &[u8]) -> Option<u64> {
    call.keys.select(db).ok()?;
    let now_ms = call.now_ms();
    let quiet = GET_WRITE | GET_NO_STATS | GET_NO_TOUCH;
    let entry = call.keys.get_with(TypeHandle::of::<Hash<S>>().ok()?, key, quiet).ok()??;
    let mut writer = Writer::<S>::of(entry, now_ms).ok()?;
    writer.sweep(STEPS, FIELDS_MAX);
    let (due, is_empty, expired) = (writer.view().due(), writer.is_empty(), writer.gone());
    // A large hash is not looked through over and over for a few fields each time.
    let pause_ms = match writer.view() {
        View::Large(large) => large.store().expiring() as u64 / 1000,
        _ => 0,
    };
    if let Some(gone) = expired {
        announce(&mut call.keys, key, &["hexpired"], is_empty).ok()?;
        // All that has changed of the key.
        told::by_timer(call, key, &gone).ok()?;
    }
    let now = now_ms.max(0) as u64;
    due.map(|due| if is_past(Some(due), now) { due } else { due.max(now + pause_ms) })
}

/// Goes on searching for hashes whose fields expire; whether there is more to search.
fn search<S: Storage>(call: &mut Call<'_>, state: &State) -> bool {
    let Some((db, cursor)) = state.search.get() else { return false };
    let Ok(of) = TypeHandle::of::<Hash<S>>() else { return false };
    if call.keys.select(db).is_err() {
        state.search.set(None);
        return false;
    }
    let mut found: Vec<Vec<u8>> = Vec::new();
    let next = call.keys.scan(cursor, KEYS_MAX, |visited| {
        if visited.type_id == of.id() {
            found.push(visited.key.to_vec());
        }
    });
    let Ok(next) = next else {
        state.search.set(None);
        return false;
    };
    for key in found {
        let entry = call.keys.get_with(of, &key, GET_NO_STATS | GET_NO_TOUCH).ok().flatten();
        if let Some(at_ms) = View::<S>::of(&entry).due() {
            state.watched.borrow_mut().add(db, &key, at_ms);
        }
    }
    state.search.set(Some(if next == 0 { (db + 1, 0) } else { (db, next) }));
    true
}
