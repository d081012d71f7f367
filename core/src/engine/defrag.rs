//! When entries are moved so that memory is less scattered, and for how much of the time.
//!
//! ```text
//!   looked at once a second:  lost bytes, of those in use   lower ── upper
//!   share of the time                                       min   ── max    (active-defrag-cycle-*)
//! ```
//!
//! A pass through all keys goes on in slices of [`BUSY_SLICE`]. When it is over and too much is still lost, another
//! one follows, at once if this one has moved anything.

use crate::base::pace::{BUSY_SLICE, Pace};
use crate::base::{allocator, memory};
use crate::engine::duties::Duty;
use crate::engine::parameters::{Applier, Undo};
use crate::engine::server::Server;
use std::time::{Duration, Instant};

/// Between two looks at how much is lost.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Rest after a pass that has moved nothing.
const REST: Duration = Duration::from_secs(30);

/// `activedefrag`, which the allocator has to support.
pub const SUPPORT: Applier = Applier { names: &["activedefrag"], apply };

fn apply(server: &mut Server, _name: &str) -> Result<Undo, String> {
    if server.settings.defrag.is_on && !allocator::TELLS_PLACES {
        return Err(
            "Active defragmentation cannot be enabled: the allocator does not say where memory is scattered".to_owned()
        );
    }
    // What comes of it is seen within a turn of the loop.
    server.slots.with(|at: &mut Defragmentation| at.pace.hurry());
    Ok(Box::new(|_| {}))
}

/// How it goes.
#[derive(Default)]
pub struct Defragmentation {
    /// Share of the time that it takes now, in percent; 0 while it rests.
    pub percent: u64,
    pace: Pace,
    /// Since when too much is lost, if so.
    since: Option<Instant>,
    /// For how long that was so before.
    before: Duration,
    /// Entries that had moved when the pass began.
    moved_before: u64,
}

impl Defragmentation {
    /// For how long too much has been lost this time.
    pub fn current(&self) -> Duration {
        self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// For how long in all.
    pub fn total(&self) -> Duration {
        self.before + self.current()
    }

    fn set(&mut self, percent: u64) {
        self.percent = percent;
        if percent > 0 {
            self.since.get_or_insert_with(Instant::now);
        } else if let Some(since) = self.since.take() {
            self.before += since.elapsed();
        }
    }
}

/// Entries are moved.
pub const DUTY: Duty = Duty { due, run };

fn due(server: &Server, now: Instant) -> Option<Duration> {
    let at = server.slots.peek::<Defragmentation>();
    let goes_on = server.settings.defrag.is_on || at.is_some_and(|at| at.percent > 0);
    (goes_on && !server.is_quiet).then(|| at.map_or(Duration::ZERO, |at| at.pace.next_in(now)))
}

fn run(server: &mut Server, now: Instant) {
    let mut at = server.slots.take::<Defragmentation>();
    if at.pace.is_due(now) {
        if at.percent == 0 || !server.settings.defrag.is_on {
            look(server, &mut at, now);
        } else {
            go_on(server, &mut at, now);
        }
    }
    server.slots.put(at);
}

fn look(server: &Server, at: &mut Defragmentation, now: Instant) {
    at.set(wanted_percent(server));
    if at.percent == 0 {
        return at.pace.rest_until(now + LOOK_AGAIN);
    }
    allocator::flush_kept();
    at.moved_before = server.store.defragging.moved;
    at.pace.hurry();
}

fn go_on(server: &mut Server, at: &mut Defragmentation, now: Instant) {
    let is_over = server.store.defrag(now, BUSY_SLICE);
    let taken = now.elapsed();
    server.note_late("active-defrag-cycle", taken.as_micros() as u64);
    at.pace.rest_until(now + taken.mul_f64(100.0 / at.percent as f64));
    if is_over {
        let has_moved = server.store.defragging.moved != at.moved_before;
        look(server, at, now);
        if at.percent > 0 && !has_moved {
            at.set(0);
            at.pace.rest_until(now + REST);
        }
    }
}

/// The share of the time that is to be taken, in percent: more, the more is lost; 0 for as long as it is little.
fn wanted_percent(server: &Server) -> u64 {
    let settings = &server.settings.defrag;
    if !settings.is_on {
        return 0;
    }
    let held = memory::held();
    let lost = held.active.saturating_sub(held.allocated);
    let percent = (lost * 100 / held.allocated.max(1)) as i64;
    if percent < settings.lower_percent || (lost as i64) < settings.ignored_bytes {
        return 0;
    }
    let (least, most) = (settings.cycle_min_percent, settings.cycle_max_percent.max(settings.cycle_min_percent));
    let (above, range) = (percent - settings.lower_percent, settings.upper_percent - settings.lower_percent);
    let share = if range <= 0 { most } else { least + (most - least) * above.min(range) / range };
    share.clamp(least, most).unsigned_abs()
}
