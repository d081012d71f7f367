//! Duties: what is to be done without a command, and when.
//!
//! One list that both the sleep of the loop and its turn look at, so that nothing is done late
//! because the loop was not told of it.
//!
//! Work in the background is paced by the machine's time, which duties are given. What clients and
//! modules have asked for goes by the server's clock, which may be held.

use crate::engine::server::Server;
use std::time::{Duration, Instant};

/// A duty.
pub struct Duty {
    /// Time until it is to be done, if it is.
    pub due: fn(&Server, Instant) -> Option<Duration>,
    /// Do it; called when it is due.
    pub run: fn(&mut Server, Instant),
}

/// Timers of modules.
pub const TIMERS: Duty = Duty {
    due: |server, _| server.registry.timers.next_in(server.clock.instant()),
    run: |server, _| server.fire_timers(server.clock.instant()),
};

/// What modules watch.
pub const WATCHES: Duty = Duty {
    due: |server, _| server.registry.watches.is_due().then_some(Duration::ZERO),
    run: |server, _| server.serve_watches(),
};

/// Keys that have expired.
pub const EXPIRE: Duty = Duty {
    due: |server, now| server.store.expiring.next_in(now),
    run: |server, now| server.store.expire_turn(now, server.stats.commands),
};

/// The end of a pause.
pub const PAUSE: Duty = Duty { due: pause_due, run: end_pause };

/// Clients that wait.
pub const WAITS: Duty = Duty { due: waits_due, run: |server, _| server.look_after_waits(server.clock.instant()) };

fn waits_due(server: &Server, _now: Instant) -> Option<Duration> {
    let blocking = &server.sessions.blocking;
    if blocking.resumes.any() { Some(Duration::ZERO) } else { blocking.next_in(server.clock.instant()) }
}

fn pause_due(server: &Server, _now: Instant) -> Option<Duration> {
    let pause = server.sessions.pause?;
    Some(Duration::from_millis((pause.until_ms - crate::base::clock::unix_us() / 1000).max(0) as u64))
}

fn end_pause(server: &mut Server, _now: Instant) {
    if server.sessions.pause.is_some_and(|pause| pause.until_ms <= server.clock.now_ms) {
        server.end_pause();
    }
}

impl Server {
    /// Time until the first duty.
    pub fn sleep(&self, now: Instant) -> Option<Duration> {
        self.lists.duties.iter().filter_map(|duty| (duty.due)(self, now)).min()
    }

    /// Do what is to be done.
    pub fn do_duties(&mut self) {
        let now = Instant::now();
        for duty in self.lists.duties {
            // Nobody is served once the last snapshot is written.
            if self.stopping {
                return;
            }
            if (duty.due)(self, now).is_some_and(|left| left.is_zero()) {
                (duty.run)(self, now);
            }
            if self.store.effects.is_due || self.pending.is_due {
                self.settle();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::server::Lists;
    use crate::settings::parameters::Settings;

    static LIST: &[Duty] = &[
        Duty { due: |_, _| None, run: |server, _| server.stats.commands += 1 },
        Duty { due: |_, _| Some(Duration::ZERO), run: |server, _| server.stats.commands += 10 },
        Duty { due: |_, _| Some(Duration::from_millis(3)), run: |server, _| server.stats.commands += 100 },
    ];

    #[test]
    fn the_sleep_and_the_turn_look_at_the_same_list() {
        let lists = |duties| Lists { duties, ..Lists::default() };
        let mut server = Server::new(Settings::default(), lists(&LIST[2..])).unwrap();
        assert_eq!(server.sleep(Instant::now()), Some(Duration::from_millis(3)));
        server.do_duties();
        assert_eq!(server.stats.commands, 0);
        server.lists = lists(LIST);
        assert_eq!(server.sleep(Instant::now()), Some(Duration::ZERO));
        server.do_duties();
        assert_eq!(server.stats.commands, 10);
    }
}
