//! The clockwork: removing fields that have expired, of hashes that nobody looks at.
//!
//! ```text
//!   commands that give deadlines ──> watch ──> due: { (earliest deadline, database, key) }
//!   RENAME, COPY, MOVE, RESTORE  ──> hook  ──┘              │ tick, a millisecond at a time
//!   loading of files             ──> LOADED ──> search ─────┘
//! ```
//!
//! What is watched is a name and not a value: a key may be renamed, overwritten or removed without this
//! module being asked. So a tick looks the key up, and forgets it when there is no such hash any more.
//! Where a value with deadlines may turn up under another name, the hook watches that name; after a
//! load and a swap of databases the keys are searched a few at a time.
//!
//! None of it is needed for a field to be gone in time: commands pass expired fields over.
//!
//! *Invariant*: `due` and `known` say the same. A tick ends after its budget, and is followed by
//! another while something is due.

use crate::small::is_past;
use crate::storage::Storage;
use crate::value::{Hash, View, Writer, announce};
use plinth_module::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Whether a value with deadlines was loaded since this was last looked at.
pub(crate) static LOADED: AtomicBool = AtomicBool::new(false);

/// How long a tick may take.
const BUDGET: Duration = Duration::from_micros(1000);
/// Shortest pause between ticks, in ms.
const PAUSE_MS: u64 = 10;
/// Longest pause, in ms.
const PAUSE_MS_MAX: u64 = 60_000;
/// Pause between looks at [`LOADED`], in ms.
const PULSE_MS: u64 = 1000;
/// Parts of a large hash that are looked at before the clock is.
const STEPS: usize = 64;
/// Fields that are removed before the clock is looked at.
const FIELDS_MAX: usize = 128;
/// Keys that a search visits before the clock is looked at.
const KEYS_MAX: usize = 128;

/// The moment from which a name is watched that the hook was told of.
const NOTICED: u64 = 0;

type Place = (u32, Vec<u8>);

/// What is watched.
#[derive(Default)]
struct Watched {
    due: BTreeSet<(u64, Place)>,
    known: HashMap<Place, u64>,
}

impl Watched {
    /// Watches a place from a moment on, unless it is watched from an earlier one.
    fn add(&mut self, place: Place, at_ms: u64) {
        if let Some(before) = self.known.get_mut(&place) {
            if *before <= at_ms {
                return;
            }
            let moved = (std::mem::replace(before, at_ms), place.clone());
            self.due.remove(&moved);
        } else {
            self.known.insert(place.clone(), at_ms);
        }
        self.due.insert((at_ms, place));
    }

    /// Takes the first place out that is due.
    fn take(&mut self, now: u64) -> Option<Place> {
        if !is_past(self.due.first().map(|(at_ms, _)| *at_ms), now) {
            return None;
        }
        let (_, first) = self.due.pop_first()?;
        self.known.remove(&first);
        Some(first)
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
    state.watched.borrow_mut().add((call.db(), key.to_vec()), at_ms);
    arm::<S>(call, state, at_ms);
}

/// Sees to it that there is a tick soon after a moment.
fn arm<S: Storage>(call: &mut Call<'_>, state: &State, at_ms: u64) {
    if !state.subscribed.replace(true) {
        let _ = call.events.subscribe(ON_KEY | ON_SWAP, (), noticed::<S>);
    }
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

/// The hook: a value may have got another name.
fn noticed<S: Storage>(call: &mut Call<'_>, event: &Event<'_>, (): &()) {
    let Some(state) = call.data::<State>() else { return };
    if event.kind() == ON_SWAP {
        state.search.set(Some((0, 0)));
        return arm::<S>(call, state, 0);
    }
    if event.class() == EVENT_GENERIC
        && matches!(event.name(), b"rename_to" | b"copy_to" | b"move_to" | b"restore")
        && let Some(db) = event.db()
    {
        state.watched.borrow_mut().add((db, event.key().to_vec()), NOTICED);
        arm::<S>(call, state, 0);
    }
}

fn tick<S: Storage>(call: &mut Call<'_>, (): ()) {
    let Some(state) = call.data::<State>() else { return };
    state.timer.borrow_mut().take();
    let (began, now) = (Instant::now(), call.now_ms().max(0) as u64);
    let mut again: Vec<(Place, u64)> = Vec::new();
    while began.elapsed() < BUDGET {
        let Some(place) = state.watched.borrow_mut().take(now) else { break };
        if let Some(at_ms) = clean::<S>(call, &place) {
            again.push((place, at_ms));
        }
    }
    let mut watched = state.watched.borrow_mut();
    again.into_iter().for_each(|(place, at_ms)| watched.add(place, at_ms));
    drop(watched);
    while began.elapsed() < BUDGET && search::<S>(call, state) {}
    let next = state.watched.borrow().due.first().map(|(at_ms, _)| *at_ms);
    match (state.search.get(), next) {
        (Some(_), _) => arm::<S>(call, state, 0),
        (None, Some(at_ms)) => arm::<S>(call, state, at_ms),
        (None, None) => {}
    }
}

/// Removes expired fields of a hash; when it is to be looked at again.
fn clean<S: Storage>(call: &mut Call<'_>, place: &Place) -> Option<u64> {
    let (db, key) = place;
    call.keys.select(*db).ok()?;
    let now_ms = call.now_ms();
    let quiet = GET_WRITE | GET_NO_STATS | GET_NO_TOUCH;
    let entry = call.keys.get_with(TypeHandle::of::<Hash<S>>().ok()?, key, quiet).ok()??;
    let mut writer = Writer::<S>::of(entry, now_ms).ok()?;
    writer.sweep(STEPS, FIELDS_MAX);
    let (due, is_empty, expired) = (writer.view().due(), writer.is_empty(), writer.expired);
    // A large hash is not looked through over and over for a few fields each time.
    let pause_ms = match writer.view() {
        View::Large(large) => large.store().expiring() as u64 / 1000,
        _ => 0,
    };
    if expired {
        announce(&mut call.keys, key, &["hexpired"], is_empty).ok()?;
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
            state.watched.borrow_mut().add((db, key), at_ms);
        }
    }
    state.search.set(Some(if next == 0 { (db + 1, 0) } else { (db, next) }));
    true
}
