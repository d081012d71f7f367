//! Waiting for a thread: tickets, and whose turn has come.
//!
//! ```text
//!   main    suspend ──> ticket of a client ─────────── take ──> the handler again
//!                              ^                         ^
//!   thread                     └─ resume: ready, wake ───┘
//! ```
//!
//! This is what threads of modules share with the loop, and nothing else is: a table of
//! tickets under a lock that is held for a few instructions, and the loop's waker.
//!
//! Invariants:
//! - A ticket is in the table from when it is given out until its client is run again or
//!   waits no more; it is never given out again.
//! - Whoever is run again is run between commands, by the loop (`look_after_waits`).

use mio::Waker;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Who waits for a thread.
#[derive(Default)]
pub struct Resumes {
    tickets: Mutex<Tickets>,
    /// Whether any is ready.
    any: AtomicBool,
    waker: OnceLock<Arc<Waker>>,
}

#[derive(Default)]
struct Tickets {
    last: u64,
    /// Client's id, and whether its turn has come.
    waiting: HashMap<u64, (u64, bool)>,
    ready: Vec<u64>,
}

impl Resumes {
    /// Say what wakes the loop.
    pub fn wake_by(&self, waker: Arc<Waker>) {
        let _ = self.waker.set(waker);
    }

    /// Wake the loop. From any thread.
    pub fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            let _ = waker.wake();
        }
    }

    fn tickets(&self) -> MutexGuard<'_, Tickets> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A ticket for a client.
    pub fn issue(&self, client: u64) -> u64 {
        let mut tickets = self.tickets();
        tickets.last += 1;
        let ticket = tickets.last;
        tickets.waiting.insert(ticket, (client, false));
        ticket
    }

    /// Nobody waits under a ticket any more.
    pub fn withdraw(&self, ticket: u64) {
        self.tickets().waiting.remove(&ticket);
    }

    /// Have its client run again; whether there is one. From any thread.
    pub fn resume(&self, ticket: u64) -> bool {
        let mut tickets = self.tickets();
        let Some((_, is_ready)) = tickets.waiting.get_mut(&ticket) else { return false };
        if !std::mem::replace(is_ready, true) {
            tickets.ready.push(ticket);
            self.any.store(true, Ordering::Release);
            drop(tickets);
            self.wake();
        }
        true
    }

    /// Whether its client waits still. From any thread.
    pub fn is_waiting(&self, ticket: u64) -> bool {
        self.tickets().waiting.contains_key(&ticket)
    }

    /// Whether anybody's turn has come.
    #[inline]
    pub fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// The tickets whose turn has come, which are spent by this, and their clients.
    pub fn take(&self) -> Vec<(u64, u64)> {
        let mut tickets = self.tickets();
        self.any.store(false, Ordering::Relaxed);
        let ready = std::mem::take(&mut tickets.ready);
        let spend = |ticket: u64| Some((ticket, tickets.waiting.remove(&ticket)?.0));
        ready.into_iter().filter_map(spend).collect()
    }

    /// A ticket is not spent after all.
    pub fn put_back(&self, ticket: u64, client: u64) {
        self.tickets().waiting.insert(ticket, (client, false));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_taken_once_however_often_it_was_resumed() {
        let resumes = Resumes::default();
        let (first, second) = (resumes.issue(10), resumes.issue(20));
        assert_ne!(first, second);
        assert!(!resumes.any() && !resumes.resume(99));
        assert!(resumes.resume(second) && resumes.resume(second) && resumes.resume(first));
        assert!(resumes.any() && resumes.is_waiting(first));
        assert_eq!(resumes.take(), [(second, 20), (first, 10)]);
        assert!(!resumes.is_waiting(first) && !resumes.is_waiting(99));
        assert!(!resumes.any() && !resumes.resume(first) && resumes.take().is_empty());
    }

    #[test]
    fn a_ticket_that_was_withdrawn_is_not_taken() {
        let resumes = Resumes::default();
        let (gone, held) = (resumes.issue(1), resumes.issue(2));
        assert!(resumes.resume(gone) && resumes.resume(held));
        resumes.withdraw(gone);
        assert!(!resumes.resume(gone) && !resumes.is_waiting(gone) && resumes.is_waiting(held));
        assert_eq!(resumes.take(), [(held, 2)]);
        resumes.put_back(held, 2);
        assert!(resumes.take().is_empty() && resumes.resume(held));
        assert_eq!(resumes.take(), [(held, 2)]);
    }
}
