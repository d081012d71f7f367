//! Giving way: a command that takes long has others served, and goes on.
//!
//! ```text
//!   a module's handler ── give_way ──> net: what has come is read, run and answered ──> the handler goes on
//! ```
//!
//! What runs meanwhile runs in the middle of that command. So
//!
//! - but few commands run, none that writes, and nothing of what they bring about is followed up: effects, hooks and
//!   those who wait are settled when the command has ended;
//! - time stands still, as it does for whatever a command runs;
//! - the client of the command is neither read from nor written to, and no client is freed that was there before.
//!
//! Commands that were parsed with the one that takes long are parsed again when it has ended, or run meanwhile.

use crate::engine::server::Server;
use crate::registry::standing::Busy;

/// What became of giving way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gave {
    /// Nobody was served.
    Not,
    /// Others were served.
    Way,
    /// Others were served, and the command is to end.
    End,
}

impl Server {
    /// Whether a command that takes long serves others just now.
    #[inline]
    pub fn is_busy(&self) -> bool {
        self.registry.standing.busy.is_some()
    }

    /// Serve others, who are answered `refusal`, while the command of a client goes on for so long already.
    pub fn give_way(&mut self, client: Option<usize>, running_ms: u64, refusal: &str) -> Gave {
        let is_time = i64::try_from(running_ms).is_ok_and(|ms| ms >= self.settings.busy_reply_threshold);
        let Some(serve) = self.lists.serve_others.filter(|_| is_time && !self.is_busy() && !self.stopping) else {
            return Gave::Not;
        };
        // A hook runs when nothing is to come in between.
        if self.settings.busy_reply_threshold == 0 || self.pending.nesting > 0 {
            return Gave::Not;
        }
        self.registry.standing.busy = Some(Busy { refusal: refusal.to_owned(), client, ends: false });
        self.observe();
        let is_part = self.enter_part(true);
        serve(self);
        self.leave_part(is_part);
        let ends = self.registry.standing.busy.take().is_some_and(|busy| busy.ends);
        if self.stopping {
            // Half of it is in no file.
            self.is_quiet = true;
        }
        self.observe();
        self.pending.is_due = true;
        if ends { Gave::End } else { Gave::Way }
    }

    /// The command that takes long is to end; whether there is one.
    pub fn end_busy(&mut self) -> bool {
        self.registry.standing.busy.as_mut().map(|busy| busy.ends = true).is_some()
    }

    /// Modules are to be told of a client when they can be.
    pub(super) fn tell_of_client_later(&mut self, kind: u32, token: usize) {
        // Once is enough, so that there are no more than a few of each client.
        if !self.pending.of_clients.contains(&(kind, token)) {
            self.pending.of_clients.push((kind, token));
        }
    }

    /// A client goes that has come while a command takes long, of which nobody was told; false for another.
    pub fn forget_newcomer(&mut self, token: usize) -> bool {
        let is_new = self.pending.of_clients.contains(&(plinth_abi::events::ON_CLIENT_OPEN, token));
        if is_new {
            self.pending.of_clients.retain(|(_, other)| *other != token);
        }
        is_new
    }

    /// Tell modules of clients what could not be told at its time.
    pub fn tell_of_clients(&mut self) {
        for (kind, token) in std::mem::take(&mut self.pending.of_clients) {
            self.client_event(kind, token);
        }
    }
}
