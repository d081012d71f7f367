//! Who looks at commands that have run: the slow log, the latency events, and clients that watch (MONITOR).
//!
//! Whether any of them may want to is one comparison after each command, of its ticks with
//! [`Server::looks_from`], which [`Server::look_back_by`] keeps.

use crate::engine::call::Registered;
use crate::engine::listening::Push;
use crate::engine::server::Server;
use crate::session::monitor;
use crate::stats::slowlog::Entry;
use plinth_abi::bytes::Bytes;
use plinth_abi::command::{COMMAND_ADMIN, COMMAND_FAST, COMMAND_SKIP_MONITOR, COMMAND_SKIP_SLOWLOG};

/// What stands for a word that is nobody's business.
const REDACTED: &[u8] = b"(redacted)";

/// Who has sent a command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Client,
    Script,
}

impl By {
    /// What the slow log shows as the address of whoever has none.
    fn address(self) -> &'static str {
        match self {
            By::Client => "",
            By::Script => "?:0",
        }
    }
}

/// A command's words, without what is nobody's business.
pub fn shown<'a>(command: &Registered, mut words: Vec<&'a [u8]>) -> Vec<&'a [u8]> {
    if let Some(secrets) = command.secrets {
        for at in secrets(&words) {
            words.get_mut(at).into_iter().for_each(|word| *word = REDACTED);
        }
    }
    words
}

impl Server {
    /// Find out from how many ticks on somebody wants to look at a command.
    pub fn look_back_by(&mut self) {
        let slow_us = u64::try_from(self.settings.slowlog_log_slower_than).ok();
        let late_ms = Some(self.settings.latency_monitor_threshold.unsigned_abs()).filter(|ms| *ms > 0);
        let late_us = late_ms.map(|ms| ms.saturating_mul(1000));
        let watches = (!self.sessions.monitors.is_empty()).then_some(0);
        let from_us = [slow_us, late_us, watches].into_iter().flatten().min();
        self.looks_from = from_us.map_or(u64::MAX, |us| self.clock.us_to_ticks(us));
    }

    /// A command has run that took as many ticks as somebody waits for; again, if it has waited.
    #[cold]
    #[inline(never)]
    pub(super) fn look_back(
        &mut self,
        command: &Registered,
        args: &[Bytes],
        token: Option<usize>,
        ticks: u64,
        is_again: bool,
    ) {
        // What a module runs is part of its own command, but for a script's.
        if self.depth != self.scripted_depth {
            return;
        }
        let by = if self.depth > 0 { By::Script } else { By::Client };
        // One that waits is shown when it comes, and is slow or not when it has ended.
        let begins = token.is_some_and(|token| self.has_begun_to_wait(token));
        let waits = |token| self.sessions.clients.peek(token).is_some_and(|client| client.waits_again());
        let waits = begins || token.is_some_and(waits);
        let us = self.clock.ticks_to_us(ticks);
        // SAFETY: arguments live as long as the run that is looked back at.
        let words = shown(command, args.iter().map(|arg| unsafe { arg.as_slice() }).collect());
        if !waits {
            self.note_latency(command, us);
        }
        let from_us = self.settings.slowlog_log_slower_than;
        if !waits && from_us >= 0 && us >= from_us.unsigned_abs() && !command.is(COMMAND_SKIP_SLOWLOG) {
            self.log_slow(&words, token, us, by);
        }
        // A script's command is shown when it begins; one that does not begin is shown here.
        let is_shown = command.is(COMMAND_SKIP_MONITOR) && std::mem::take(&mut self.sessions.script_is_shown);
        if !is_again && !is_shown && !self.sessions.monitors.is_empty() && !command.is(COMMAND_ADMIN) {
            self.show_monitors(&words, token, by);
        }
    }

    fn note_latency(&mut self, command: &Registered, us: u64) {
        let event = if command.is(COMMAND_FAST) { "fast-command" } else { "command" };
        self.note_late(event, us);
    }

    /// Something took so long; it is kept if that is longer than is allowed.
    pub fn note_late(&mut self, event: &'static str, us: u64) {
        let (from_ms, ms) = (self.settings.latency_monitor_threshold, us / 1000);
        if from_ms > 0 && ms >= from_ms.unsigned_abs() {
            self.stats.latency.add(event, self.clock.now_s, ms);
        }
    }

    /// A script begins that a client has called, which is shown to those who watch.
    #[cold]
    pub fn show_script(&mut self, args: &[Bytes], token: Option<usize>) {
        // SAFETY: arguments live as long as the run that begins.
        let words: Vec<&[u8]> = args.iter().map(|arg| unsafe { arg.as_slice() }).collect();
        self.show_monitors(&words, token, By::Client);
        self.sessions.script_is_shown = true;
    }

    fn log_slow(&mut self, words: &[&[u8]], token: Option<usize>, us: u64, by: By) {
        let client = token.filter(|_| by == By::Client).and_then(|token| self.sessions.clients.peek(token));
        let of = Entry {
            id: 0,
            at_s: self.clock.now_s,
            us,
            args: Vec::new(),
            address: client.map_or_else(|| by.address().into(), |client| client.address.clone()),
            client: client.map_or_else(Vec::new, |client| client.name.clone()),
        };
        let most = usize::try_from(self.settings.slowlog_max_len).unwrap_or(usize::MAX);
        self.stats.slowlog.add(words.iter().copied(), of, most);
    }

    fn show_monitors(&mut self, words: &[&[u8]], own: Option<usize>, by: By) {
        let client = own.and_then(|token| self.sessions.clients.peek(token));
        let (db, address) = client.map_or((0, "?"), |client| (client.db, &client.address));
        let address = if by == By::Script { "lua" } else { address };
        let line = monitor::line(crate::base::clock::unix_us(), db, address, words);
        let mut monitors = std::mem::take(&mut self.sessions.monitors);
        monitors.retain(|(token, id)| {
            self.sessions.clients.peek(*token).is_some_and(|client| client.id == *id && client.standing.is_monitor())
                && self.push(own, *token, &Push { head: &line, shared: None })
        });
        self.sessions.monitors = monitors;
        if self.sessions.monitors.is_empty() {
            self.look_back_by();
        }
    }
}
