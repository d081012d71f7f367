//! Work on long strings in slices, so that the loop goes on meanwhile.
//!
//! A command whose strings take longer than a slice may waits (`plinth.block/1`), and a timer does its
//! work a slice per turn of the loop. Slices end by the clock, because memory that is touched for the
//! first time takes ten times as long as other memory. When all is done, the command is run again and answers.
//!
//! ```text
//!   command   hold, too long: suspend ─> queue                        run again: answer, or once more
//!   turns          clients │ slice │ clients │ slice │ ... │ clients │ slice, resume ─┘
//!   key events                 └── a change of a key marks the scans that read it
//! ```
//!
//! One scan has the slices until it is done, and the others wait in the order in which they came: so
//! a turn has one slice, whatever clients ask for, and one result is being made at a time.
//!
//! Changes by this module's own commands, which overwrite a few bytes, are *followed*: what was done
//! is brought up to date, so that a bitmap that is written all the time can be counted. The host
//! announces them when the command that made them is over, to this module, too. So a scan counts how
//! many announcements it has still to pass over; they come before the next turn.
//!
//! ```text
//!   SETBIT s ──> follow: what was done is brought up to date, announced += 1
//!      over  ──> note:   "setbit" of s and announced > 0: announced -= 1
//!                        anything else of s: begin anew
//! ```
//!
//! Any other change makes what was done worthless. Such a scan is begun anew, and one that was disturbed
//! [`RESTARTS_MAX`] times does all in one go. The command is run again in the turn of the last slice,
//! before any client's next command; should the host hold it back (CLIENT PAUSE), it begins anew
//! when it runs. A scan that nobody waits for any more (CLIENT UNBLOCK) goes with the next turn.
//!
//! Invariants:
//! - What a command answers with was true when it was run for the last time.
//! - The list is never borrowed while keys are looked at, because a key that expires then is an
//!   event, and events look at the list.
//! - Hooks and the timer are there while there are scans, and at no other time.
//!
//! *What is deliberately absent*: threads, since strings may move at any time.

use crate::STRINGS;
use crate::work::{Change, Work};
use plinth_module::prelude::*;
use plinth_module::string::Text;
use plinth_module::timers::Timers;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Work on no more bytes is done at once, and without a look at the clock.
const SHORT_BYTES: usize = 2 << 20;
/// What a turn of the loop gives to scans. Of a string that has been read before this is a few MB;
/// of a result that is made for the first time it can be a tenth of that.
const TURN: Duration = Duration::from_micros(400);
/// Bytes between two looks at the clock.
const STEP_BYTES: usize = 256 << 10;
/// Most keys that all scans read together, because each change of any key is compared with them, and
/// because finding those of a scan is a part of each slice: for as many it takes about as long as the
/// slice. Who comes when there are as many does all in one go.
const KEYS_MAX: usize = 4096;
/// Times that a scan is begun anew before it is done in one go.
const RESTARTS_MAX: u32 = 3;

/// How strings are looked at that the command has looked at before: it counts once.
const AGAIN: u32 = GET_NO_STATS | GET_NO_TOUCH;

/// The event of the changes that are followed.
const EVENT: &str = "setbit";

/// Whether there are scans, so that commands on single bits need not look. A hint: a change that is
/// not followed is a change like others.
static ANY: AtomicBool = AtomicBool::new(false);

/// One command's work, and what it is done on.
struct Scan {
    ticket: Ticket,
    db: u32,
    keys: Vec<Box<[u8]>>,
    /// Lengths of the strings, `None` for those that were not there.
    lens: Vec<Option<usize>>,
    restarts: u32,
    work: RefCell<Work>,
    is_changed: Cell<bool>,
    /// Announcements that are still to come of changes that were followed.
    announced: Cell<u32>,
    /// Whether its command was told to run again.
    is_over: Cell<bool>,
}

/// The scans of the server.
#[derive(Default)]
pub(crate) struct Scans {
    queue: RefCell<VecDeque<Rc<Scan>>>,
    /// The subscription to what changes keys, while there are scans.
    hook: RefCell<Option<Subscription<()>>>,
    counts: Counts,
}

/// What has happened since the module was loaded.
#[derive(Default)]
struct Counts {
    /// Slices that were done, but the first of a scan that reads.
    slices: Cell<i64>,
    /// Changes that a scan was brought up to date after.
    followed: Cell<i64>,
    /// Scans that were begun anew.
    restarted: Cell<i64>,
    /// Those that did all in one go, because they had been begun anew too often.
    whole: Cell<i64>,
}

fn count(what: &Cell<i64>) {
    what.set(what.get() + 1);
}

/// The module's section of INFO.
pub(crate) const SECTION: Section = section("", |call, out| {
    let Some(scans) = call.data::<Scans>() else { return };
    let counts = &scans.counts;
    out.integer("scans", scans.queue.borrow().len() as i64);
    out.integer("slices", counts.slices.get());
    out.integer("changes_followed", counts.followed.get());
    out.integer("scans_restarted", counts.restarted.get());
    out.integer("scans_whole", counts.whole.get());
});

/// Makes the module ready for scans; for `start`.
pub(crate) fn prepare(call: &mut Call<'_>) -> Result {
    call.set_data(Scans::default())
}

/// Whether anybody wants to be told of changes.
#[inline(always)]
pub(crate) fn any() -> bool {
    ANY.load(Relaxed)
}

/// Announces that bits of a string changed. `changes` are all that did, or `None` for other changes
/// than of a few bytes.
#[inline]
pub(crate) fn modified(call: &mut Call<'_>, key: &[u8], changes: Option<&[Change]>) {
    match changes {
        Some(changes) if any() => follow(call, key, changes),
        _ => call.keys.modified(key, EVENT_STRING, EVENT),
    }
}

#[cold]
fn follow(call: &mut Call<'_>, key: &[u8], changes: &[Change]) {
    let Some(scans) = call.data::<Scans>() else { return call.keys.modified(key, EVENT_STRING, EVENT) };
    let db = call.db();
    let all: Vec<Rc<Scan>> = scans.queue.borrow().iter().filter(|scan| scan.reads(key)).cloned().collect();
    for scan in all {
        // In another database the key is another one.
        if scan.db != db {
            scan.pass_over();
        } else if scan.follow(call, changes) {
            scan.pass_over();
            count(&scans.counts.followed);
        } else {
            scan.is_changed.set(true);
        }
    }
    call.keys.modified(key, EVENT_STRING, EVENT);
}

/// Does work on the strings of the keys that are arguments `keys`. `begin` makes it, from the lengths
/// of the strings. Answers with the work when it is done, or with `None` when the command waits: it
/// returns then, and is run again. Fails with `WrongType` and `OutOfMemory`.
pub(crate) fn run(
    call: &mut Call<'_>,
    keys: Range<usize>,
    begin: impl FnOnce(&[Option<usize>]) -> Work,
) -> Result<Option<Work>> {
    let (before, flags) = if call.block.is_retry() { (take(call), AGAIN) } else { (None, 0) };
    let scans = call.data::<Scans>().ok_or(Error::NotAllowed)?;
    let db = call.db();
    let names = || call.args.from(keys.start).take(keys.len());
    let held = STRINGS.hold_with(&mut call.keys, names(), flags)?;
    let lens = lens_of(&held);
    let mut work = begin(&lens);
    let restarts = match before {
        Some(scan) if !scan.is_changed.get() && scan.lens == lens => {
            let done = Rc::into_inner(scan).map(|scan| scan.work.into_inner());
            // A scan is over when it is done or has no memory.
            return done.filter(Work::is_done).ok_or(Error::OutOfMemory).map(Some);
        }
        Some(scan) => {
            count(&scans.counts.restarted);
            scan.restarts + 1
        }
        None => 0,
    };
    let strings = bytes_of(&held);
    let is_long = work.bytes(strings.len()) > SHORT_BYTES;
    if is_long && restarts <= RESTARTS_MAX && call.block.may_wait() && scans.have_room(strings.len()) {
        // What is found in the first slice is answered at once. A result is begun when its turn has
        // come, so that there is one at a time.
        if !work.holds_memory() && slice(&mut work, &strings)? {
            return Ok(Some(work));
        }
        let keys = names().map(Box::from).collect();
        scans.drive(&mut call.events, &mut call.timers)?;
        // Not for a module whose place another has taken: that one does all at once.
        if let Ok(ticket) = call.block.suspend(Wait::NEW) {
            scans.push(Scan { restarts, ..Scan::new(ticket, db, keys, lens, work) });
            return Ok(None);
        }
    }
    if restarts > RESTARTS_MAX {
        count(&scans.counts.whole);
    }
    work.advance(&strings, usize::MAX)?;
    Ok(Some(work))
}

fn lens_of(held: &[Option<Text<'_>>]) -> Vec<Option<usize>> {
    held.iter().map(|string| string.as_deref().map(<[u8]>::len)).collect()
}

fn bytes_of<'h>(held: &'h [Option<Text<'_>>]) -> Vec<&'h [u8]> {
    held.iter().map(|string| string.as_deref().unwrap_or_default()).collect()
}

/// The scan for which the command is run again.
fn take(call: &Call<'_>) -> Option<Rc<Scan>> {
    let ticket = call.block.ticket()?;
    let mut queue = call.data::<Scans>()?.queue.borrow_mut();
    let at = queue.iter().position(|scan| scan.ticket == ticket)?;
    queue.remove(at)
}

impl Scans {
    /// Sees to it that there are turns, and that changes are noted: both or none, because the hook says
    /// to whoever comes next that there are turns.
    fn drive(&self, events: &mut Events<'_>, timers: &mut Timers<'_>) -> Result {
        let mut hook = self.hook.borrow_mut();
        if hook.is_none() {
            let kinds = ON_KEY | ON_FLUSH | ON_SWAP;
            let subscription = events.subscribe(kinds, (), note)?;
            if let Err(error) = timers.start(0, (), turn) {
                let _ = events.unsubscribe(subscription);
                return Err(error);
            }
            *hook = Some(subscription);
            ANY.store(true, Relaxed);
        }
        Ok(())
    }

    /// Ends the subscription: there are no turns any more, and the next scan begins them.
    fn rest(&self, events: &mut Events<'_>) {
        if let Some(hook) = self.hook.take() {
            ANY.store(false, Relaxed);
            let _ = events.unsubscribe(hook);
        }
    }

    /// Has all commands run again that wait, since there is no other turn for them. They begin anew:
    /// nobody notes changes meanwhile.
    fn dismiss(&self) {
        let all: Vec<Rc<Scan>> = self.queue.borrow().iter().cloned().collect();
        for scan in all {
            scan.is_changed.set(true);
            if !scan.is_over.replace(true) {
                let _ = scan.ticket.resume();
            }
        }
    }

    /// Whether a scan of so many strings may join.
    fn have_room(&self, strings: usize) -> bool {
        let keys: usize = self.queue.borrow().iter().map(|scan| scan.keys.len()).sum();
        keys + strings <= KEYS_MAX
    }

    fn push(&self, scan: Scan) {
        self.queue.borrow_mut().push_back(Rc::new(scan));
    }
}

/// Does as much as a turn has time for; whether nothing is left.
fn slice(work: &mut Work, strings: &[&[u8]]) -> Result<bool> {
    let begun = Instant::now();
    while !work.is_done() {
        work.advance(strings, STEP_BYTES)?;
        if begun.elapsed() >= TURN {
            break;
        }
    }
    Ok(work.is_done())
}

/// One turn of the loop: a slice for the scan whose turn it is.
fn turn(call: &mut Call<'_>, (): ()) {
    let Some(scans) = call.data::<Scans>() else { return };
    // Those that are over and still there have somebody whom the host holds back. The others have somebody
    // who waits, or had: then the turn is that of the next.
    scans.queue.borrow_mut().retain(|scan| {
        // All that was to be announced has been, or never will be.
        scan.announced.set(0);
        !scan.is_over.get() && scan.ticket.is_waiting()
    });
    let head = scans.queue.borrow().front().cloned();
    let Some(scan) = head else { return scans.rest(&mut call.events) };
    count(&scans.counts.slices);
    let is_done = scan.is_changed.get() || scan.slice(call).unwrap_or(true);
    if is_done {
        scan.is_over.set(true);
        let _ = scan.ticket.resume();
    }
    if call.timers.start(0, (), turn).is_err() {
        scans.dismiss();
        scans.rest(&mut call.events);
    }
}

impl Scan {
    fn new(ticket: Ticket, db: u32, keys: Vec<Box<[u8]>>, lens: Vec<Option<usize>>, work: Work) -> Scan {
        let (work, is_changed, is_over) = (RefCell::new(work), Cell::new(false), Cell::new(false));
        Scan { ticket, db, keys, lens, restarts: 0, work, is_changed, announced: Cell::new(0), is_over }
    }

    /// Does a slice; whether nothing is left. Notes when the strings are others than they were.
    fn slice(&self, call: &mut Call<'_>) -> Result<bool> {
        call.keys.select(self.db)?;
        let names = self.keys.iter().map(|key| &**key);
        let held = STRINGS.hold_with(&mut call.keys, names, AGAIN);
        let Some(held) = held.ok().filter(|held| lens_of(held) == self.lens) else {
            self.is_changed.set(true);
            return Ok(true);
        };
        slice(&mut self.work.borrow_mut(), &bytes_of(&held))
    }

    /// Brings what was done up to date; whether that could be done.
    fn follow(&self, call: &mut Call<'_>, changes: &[Change]) -> bool {
        let held = STRINGS.hold_with(&mut call.keys, self.keys.iter().map(|key| &**key), AGAIN);
        let Some(held) = held.ok().filter(|held| lens_of(held) == self.lens) else { return false };
        let (strings, mut work) = (bytes_of(&held), self.work.borrow_mut());
        changes.iter().all(|change| work.follow(change, &strings))
    }

    /// Takes the next announcement of a change by this module for none.
    fn pass_over(&self) {
        self.announced.set(self.announced.get().saturating_add(1));
    }

    /// Notes an announcement.
    fn hear(&self, name: &[u8]) {
        match self.announced.get().checked_sub(1) {
            Some(left) if name == EVENT.as_bytes() => self.announced.set(left),
            _ => self.is_changed.set(true),
        }
    }

    fn reads(&self, key: &[u8]) -> bool {
        self.keys.iter().any(|own| **own == *key)
    }
}

/// Notes what happens to keys. The number of the database is not looked at, since keys
/// also come from one to another: a scan too many that begins anew does no harm.
fn note(call: &mut Call<'_>, event: &Event<'_>, (): &()) {
    let Some(scans) = call.data::<Scans>() else { return };
    match event.kind() {
        // That a string was looked for in vain is no change.
        ON_KEY if event.class() == EVENT_MISS => {}
        ON_KEY => {
            let queue = scans.queue.borrow();
            queue.iter().filter(|scan| scan.reads(event.key())).for_each(|scan| scan.hear(event.name()));
        }
        _ => scans.queue.borrow().iter().for_each(|scan| scan.is_changed.set(true)),
    }
}
