//! Waiting, as it happens: a command begins to wait, a key is ready, a thread resumes, and the
//! handler is run again.
//!
//! Nobody is run within another command: readiness is noted when a key changes, and looked at when
//! the command (or transaction, timer, housekeeping) is over.

use crate::engine::dispatch::Caller;
use crate::engine::server::Server;
use crate::session::block::{Asked, Kept, Key, Queue, WAIT_AGAIN, Waiter};
use crate::session::client::{Closing, ReplyMode};
use crate::socket::output::Mark;
use crate::wire::write::Writer;
use plinth_abi::call::CALL_RETRY;
use plinth_abi::status::{STATUS_EXISTS, STATUS_NOT_ALLOWED, STATUS_OK, Status};
use std::time::Instant;

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
        let Some(client) = self.sessions.clients.get(token) else { return };
        self.sessions.blocking.last_place += 1;
        let place = self.sessions.blocking.last_place;
        self.sessions.blocking.enter(&mut asked, place, client.id);
        // A time beyond what the clock can tell is for ever.
        let end = asked.timeout.and_then(|timeout| self.clock.instant().checked_add(timeout));
        if let Some(end) = end {
            self.sessions.blocking.ends.insert((end, client.id));
        }
        let silent = client.standing.reply_mode() != ReplyMode::On;
        client.blocked = Some(Box::new(Waiter { asked, place, end, silent, again: false, resumed: 0, is_late: false }));
        client.stalled = true;
        client.query.restart();
        self.sessions.blocking.begun = Some((token, mark));
        self.sessions.blocking.due = true;
        self.observe();
    }

    /// A client that is run again because of a key waits on, perhaps with other arguments;
    /// whether it had not said so before in this run. `None` where it waits for a thread.
    pub fn wait_again(&mut self, token: usize, args: Option<Kept>) -> Option<bool> {
        let waiter = self.sessions.clients.get(token).and_then(|client| client.blocked.as_mut())?;
        (!waiter.is_suspended()).then(|| waiter.wait_again(args))
    }

    /// Whether the command that runs for a client has begun to wait.
    pub fn has_begun_to_wait(&self, token: usize) -> bool {
        self.sessions.blocking.begun.is_some_and(|(begun, _)| begun == token)
    }

    /// The command that began to wait has failed: it does not wait.
    #[cold]
    pub fn give_up_wait(&mut self) {
        if let Some((token, _)) = self.sessions.blocking.begun.take() {
            self.end_wait(token);
        }
    }

    /// A client waits no more, for whatever reason: what it sent meanwhile is to be run.
    pub fn end_wait(&mut self, token: usize) -> Option<Box<Waiter>> {
        let client = self.sessions.clients.get(token)?;
        let waiter = client.blocked.take()?;
        client.stalled = false;
        client.query.restart();
        let id = client.id;
        self.sessions.blocking.leave(&waiter, id);
        self.observe();
        self.sessions.clients.list_read(token);
        self.sessions.clients.list_write(token);
        Some(waiter)
    }

    /// Let a client go that waits, with an error or as if its time were up; whether it
    /// waited.
    pub fn unblock(&mut self, token: usize, error: Option<&str>) -> bool {
        if error.is_none() && self.run_late(token) {
            return true;
        }
        let Some(waiter) = self.end_wait(token) else { return false };
        let Some(client) = self.sessions.clients.get(token) else { return false };
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

    /// Let a client go whose handler says itself what there is at the end of the time; whether it is so.
    fn run_late(&mut self, token: usize) -> bool {
        let Some(client) = self.sessions.clients.get(token) else { return false };
        let Some(waiter) = client.blocked.as_mut().filter(|waiter| waiter.asked.reply == WAIT_AGAIN) else {
            return false;
        };
        waiter.is_late = true;
        let ticket = waiter.asked.ticket;
        if self.run_again(token) == Served::Held {
            self.sessions.blocking.held_tickets.push(ticket);
        }
        true
    }

    /// A key has changed while somebody waits for some key.
    pub fn note_ready(&mut self, db: u32, key: &[u8]) {
        self.sessions.blocking.note(db, key);
    }

    /// All keys of a database, or of all, may have changed: it was emptied, filled, or
    /// replaced by another one. Those come first whose first waiter has waited longest.
    pub fn note_ready_database(&mut self, db: Option<u32>) {
        if self.sessions.blocking.keys() == 0 {
            return;
        }
        let first = |queue: &Queue| queue.waiters.first_key_value().map(|(place, _)| *place);
        let fits = self.sessions.blocking.databases.iter().filter(|(number, _)| db.is_none_or(|db| db == **number));
        let mut keys: Vec<(Option<u64>, u32, Key)> = fits
            .flat_map(|(number, queues)| queues.iter().map(move |(key, queue)| (first(queue), *number, key.clone())))
            .collect();
        keys.sort_unstable();
        keys.iter().for_each(|(_, number, key)| self.sessions.blocking.note(*number, key));
    }

    /// What follows a command that began to wait.
    #[cold]
    pub fn settle_begun(&mut self) {
        if let Some((token, mark)) = self.sessions.blocking.begun.take()
            && let Some(client) = self.sessions.clients.get(token)
            && client.blocked.as_ref().is_some_and(|waiter| !waiter.silent)
        {
            // Whatever the handler wrote is no reply.
            client.output.rewind(mark);
        }
    }

    /// What follows a change of a key which somebody waits for.
    #[cold]
    pub fn settle_waits(&mut self) {
        self.sessions.blocking.due = false;
        loop {
            let ready = std::mem::take(&mut self.sessions.blocking.ready);
            let mut replied = false;
            for (db, key) in &ready {
                replied |= self.serve_key(*db, key);
                if self.store.effects.is_due {
                    self.record();
                }
            }
            if !replied {
                break;
            }
        }
        self.sessions.blocking.due = !self.sessions.blocking.ready.is_empty();
    }

    /// Let those go whose time is up, run those again whom threads have resumed, and serve
    /// keys that all this, timers and housekeeping have made ready.
    pub fn look_after_waits(&mut self, now: Instant) {
        while let Some(&(end, id)) = self.sessions.blocking.ends.first() {
            if end > now {
                break;
            }
            self.sessions.blocking.ends.pop_first();
            if let Some(token) = self.sessions.clients.token(id) {
                self.unblock(token, None);
            }
        }
        self.serve_resumed();
        if self.sessions.blocking.due {
            self.settle();
        }
    }

    /// A pause is over: those that it held back are to be served.
    pub fn release_held(&mut self) {
        let held = std::mem::take(&mut self.sessions.blocking.held);
        held.iter().for_each(|(db, key)| self.sessions.blocking.note(*db, key));
        for ticket in std::mem::take(&mut self.sessions.blocking.held_tickets) {
            self.sessions.blocking.resumes.resume(ticket);
        }
    }

    /// Run those again, in order, who wait for a key; whether anybody was sent a reply.
    fn serve_key(&mut self, db: u32, key: &Key) -> bool {
        if let Some(queue) = self.sessions.blocking.queue_mut(db, key) {
            queue.ready = false;
        }
        let hash = self.store.hash(key);
        let last = self.sessions.blocking.last_place;
        let (mut from, mut replied, mut held) = (0, false, false);
        while let Some((place, id)) = self.sessions.blocking.next(db, key, from).filter(|(place, _)| *place <= last) {
            from = place + 1;
            let found = self.store.find(db, hash, key).map(|entry| self.store.types.current(entry.type_id()));
            // Nobody else can be wanted: the queue is not walked to its end.
            if found.is_none() && self.sessions.blocking.queue_mut(db, key).is_none_or(|queue| queue.removals == 0) {
                break;
            }
            let Some(token) = self.sessions.clients.token(id) else { continue };
            let Some(client) = self.sessions.clients.get(token) else { continue };
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
            self.sessions.blocking.held.push((db, key.clone()));
        }
        replied
    }

    /// Run the command of a client again that waits.
    pub fn run_again(&mut self, token: usize) -> Served {
        let mut sink = std::mem::take(&mut self.sink);
        let Some(client) = self.sessions.clients.get(token) else { return Served::Waits };
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
        } else if let Some(client) = self.sessions.clients.get(token)
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
        let Some(waiter) = self.sessions.clients.get(token).and_then(|client| client.blocked.as_mut()) else {
            return false;
        };
        if waiter.asked.args.is_empty() {
            waiter.asked.args = kept;
        }
        waiter.again
    }
}

impl Server {
    /// A client that is run again waits for a thread again, perhaps with other arguments:
    /// the new ticket.
    pub fn suspend_again(&mut self, token: usize, args: Option<Kept>) -> Result<u64, Status> {
        let Some(client) = self.sessions.clients.get(token) else { return Err(STATUS_NOT_ALLOWED) };
        let id = client.id;
        let Some(waiter) = client.blocked.as_mut().filter(|waiter| waiter.is_suspended()) else {
            return Err(STATUS_NOT_ALLOWED);
        };
        if !waiter.wait_again(args) {
            return Err(STATUS_EXISTS);
        }
        let ticket = self.sessions.blocking.resumes.issue(id);
        waiter.set_ticket(ticket);
        Ok(ticket)
    }

    /// Run those again whom threads have resumed.
    pub fn serve_resumed(&mut self) {
        if !self.sessions.blocking.resumes.any() {
            return;
        }
        for (ticket, id) in self.sessions.blocking.resumes.take() {
            let Some(token) = self.sessions.clients.token(id) else { continue };
            let Some(client) = self.sessions.clients.get(token).filter(|client| client.closing == Closing::No) else {
                continue;
            };
            if !client.blocked.as_mut().is_some_and(|waiter| waiter.answer(ticket)) {
                continue;
            }
            if self.run_again(token) == Served::Held {
                self.sessions.blocking.resumes.put_back(ticket, id);
                self.sessions.blocking.held_tickets.push(ticket);
            }
        }
    }
}
