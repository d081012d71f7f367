//! Client-side caching: clients are told which of the keys that they may have kept are no longer so.
//!
//! ```text
//!   a command that reads, of a client that caches ──> its keys are noted       (what runs commands)
//!   a key has changed, expired or was evicted     ──> its readers are told     (an observer)
//!                                                 ──> its prefixes note it, and tell of it at the turn's end
//!   databases were emptied or changed places      ──> all are told that nothing is so any more
//! ```
//!
//! Nobody pays for it who does not cache: those who do are special to the gates, and the store notes changes only
//! while there are any.

use crate::command::keyspec;
use crate::engine::call::Registered;
use crate::engine::duties::Duty;
use crate::engine::listening::Push;
use crate::engine::server::Server;
use crate::session::tracking::Tracking;
use plinth_abi::bytes::Bytes;
use plinth_abi::command::{COMMAND_NO_MANDATORY_KEYS, COMMAND_READONLY};
use std::collections::BTreeSet;
use std::time::Duration;

/// Most keys of a prefix of which nobody was told yet.
const CHANGED_MAX: usize = 100_000;
/// Keys that are forgotten in one turn when there are too many.
const FORGOTTEN_AT_A_TIME: usize = 1000;
/// The channel of those who are told in RESP2 in another's place.
const CHANNEL: &str = "__redis__:invalidate";

/// What has changed is told to those who listen to prefixes, and keys are forgotten when there are too many.
pub const DUTY: Duty = Duty {
    due: |server, _| {
        let tracked = &server.sessions.tracked;
        (tracked.is_due || server.tracks_too_many()).then_some(Duration::ZERO)
    },
    run: |server, _| {
        server.broadcast_changed();
        for _ in 0..FORGOTTEN_AT_A_TIME {
            if !server.tracks_too_many() {
                return;
            }
            server.forget_any();
        }
    },
};

/// A message about some keys, or about all with `None`.
fn message(keys: Option<&[&[u8]]>, resp3: bool) -> Vec<u8> {
    let mut bytes = if resp3 {
        b">2\r\n$10\r\ninvalidate\r\n".to_vec()
    } else {
        format!("*3\r\n$7\r\nmessage\r\n${}\r\n{CHANNEL}\r\n", CHANNEL.len()).into_bytes()
    };
    match keys {
        None => bytes.extend_from_slice(if resp3 { b"_\r\n" } else { b"$-1\r\n" }),
        Some(keys) => {
            bytes.extend_from_slice(format!("*{}\r\n", keys.len()).as_bytes());
            for key in keys {
                bytes.extend_from_slice(format!("${}\r\n", key.len()).as_bytes());
                bytes.extend_from_slice(key);
                bytes.extend_from_slice(b"\r\n");
            }
        }
    }
    bytes
}

impl Server {
    /// A client caches from now on, or in another way, or no more with `None`.
    pub fn track(&mut self, token: usize, tracking: Option<Box<Tracking>>) {
        let Some(client) = self.sessions.clients.get(token) else { return };
        let (id, is_on) = (client.id, tracking.is_some());
        let removed = std::mem::replace(&mut client.tracking, tracking);
        client.standing.set_tracking(is_on);
        let none = BTreeSet::new();
        let old = removed.as_ref().map_or(&none, |tracking| &tracking.prefixes);
        let new = client.tracking.as_ref().map_or(&none, |tracking| &tracking.prefixes);
        let tracked = &mut self.sessions.tracked;
        old.difference(new).for_each(|prefix| tracked.remove_prefix(prefix, id));
        new.difference(old).for_each(|prefix| tracked.add_prefix(prefix, id));
        tracked.clients = tracked.clients + usize::from(is_on) - usize::from(removed.is_some());
        if tracked.clients == 0 {
            tracked.forget_keys();
        }
        if is_on != removed.is_some() {
            self.observe();
        }
    }

    /// Note what a command has read, for the client that ran it.
    #[inline]
    pub(super) fn note_reads_of(&mut self, client: Option<(usize, u64)>, command: &Registered, args: &[Bytes]) {
        if self.sessions.tracked.clients > 0
            && let Some((token, _)) = client
        {
            self.note_reads(token, command, args);
        }
    }

    #[cold]
    fn note_reads(&mut self, token: usize, command: &Registered, args: &[Bytes]) {
        let Some(client) = self.sessions.clients.peek(token) else { return };
        let id = client.id;
        if !command.is(COMMAND_READONLY)
            || command.is(COMMAND_NO_MANDATORY_KEYS)
            || !client.tracking.as_ref().is_some_and(|tracking| tracking.notes_reads())
        {
            return;
        }
        let Ok(keys) = keyspec::keys(command, args) else { return };
        for key in keys {
            if let Some(key) = args.get(key.at) {
                // SAFETY: arguments live as long as the run that has just ended.
                self.sessions.tracked.read(unsafe { key.as_slice() }, id);
            }
        }
        for _ in 0..args.len() {
            if !self.tracks_too_many() {
                break;
            }
            self.forget_any();
        }
    }

    /// After a command: CLIENT CACHING is about the one that follows it, or the transaction.
    pub(super) fn settle_caching(&mut self, token: usize, command: &Registered) {
        if let Some(client) = self.sessions.clients.get(token)
            && client.standing.transaction().is_none()
            && let Some(tracking) = &mut client.tracking
            && !command.name.starts_with("client|")
        {
            tracking.is_excepted = false;
        }
    }

    fn tracks_too_many(&self) -> bool {
        let most = usize::try_from(self.settings.memory.tracked_keys).unwrap_or(usize::MAX);
        most > 0 && self.sessions.tracked.keys() > most
    }

    /// Forget any key, as if it had changed.
    fn forget_any(&mut self) {
        let random = self.store.random_number();
        if let Some(key) = self.sessions.tracked.any(random) {
            self.tell_readers(&key, None);
        }
    }

    /// A key has changed, by the client whose command runs or, unasked, by nobody.
    pub(super) fn tell_changed(&mut self, key: &[u8], is_unasked: bool) {
        let by = self.pending.by.filter(|_| !is_unasked).map(|(_, id)| id);
        if self.sessions.tracked.changed(key, by.unwrap_or(0)) >= CHANGED_MAX {
            self.broadcast_changed();
        }
        self.tell_readers(key, by);
    }

    fn tell_readers(&mut self, key: &[u8], by: Option<u64>) {
        for id in self.sessions.tracked.take(key) {
            let Some(token) = self.sessions.clients.token(id) else { continue };
            let tracking = self.sessions.clients.peek(token).and_then(|client| client.tracking.as_ref());
            if tracking.is_some_and(|tracking| !(tracking.broadcast || tracking.no_loop && by == Some(id))) {
                self.tell_stale(token, Some(&[key]));
            }
        }
    }

    /// Nothing is as it was read.
    pub(super) fn tell_all_stale(&mut self) {
        self.sessions.tracked.forget_keys();
        for token in self.sessions.clients.tokens() {
            if self.sessions.clients.peek(token).is_some_and(|client| client.tracking.is_some()) {
                self.tell_stale(token, None);
            }
        }
    }

    /// Tell those who listen to prefixes what has changed.
    fn broadcast_changed(&mut self) {
        for (clients, changed) in self.sessions.tracked.take_changed() {
            let all: Vec<&[u8]> = changed.keys().map(Vec::as_slice).collect();
            for id in clients {
                let Some(token) = self.sessions.clients.token(id) else { continue };
                let tracking = self.sessions.clients.peek(token).and_then(|client| client.tracking.as_ref());
                if tracking.is_some_and(|tracking| tracking.no_loop) {
                    let of_others = changed.iter().filter(|(_, by)| **by != id);
                    let some: Vec<&[u8]> = of_others.map(|(key, _)| key.as_slice()).collect();
                    if !some.is_empty() {
                        self.tell_stale(token, Some(&some));
                    }
                } else {
                    self.tell_stale(token, Some(&all));
                }
            }
        }
    }

    /// Tell a client, or whom it has named in its place, that keys are not as it has read them. Who speaks RESP2
    /// can only be told in another's place, and as one who listens.
    fn tell_stale(&mut self, token: usize, keys: Option<&[&[u8]]>) {
        let Some(client) = self.sessions.clients.peek(token) else { return };
        let redirect = client.tracking.as_ref().and_then(|tracking| tracking.redirect);
        let target = match redirect {
            None => token,
            Some(id) => match self.sessions.clients.token(id) {
                Some(target) => target,
                None => return self.tell_broken(token, id),
            },
        };
        let Some(target_client) = self.sessions.clients.peek(target) else { return };
        let resp3 = target_client.resp == 3;
        if !resp3 && (redirect.is_none() || target_client.listening.is_none()) {
            return;
        }
        let own = self.pending.by.map(|(token, _)| token);
        self.push(own, target, &Push { head: &message(keys, resp3), shared: None });
    }

    fn tell_broken(&mut self, token: usize, id: u64) {
        let own = self.pending.by.map(|(token, _)| token);
        let Some(client) = self.sessions.clients.get(token) else { return };
        if let Some(tracking) = &mut client.tracking {
            tracking.is_broken = true;
        }
        if client.resp == 3 {
            let head = format!(">2\r\n$21\r\ntracking-redir-broken\r\n:{id}\r\n");
            self.push(own, token, &Push { head: head.as_bytes(), shared: None });
        }
    }
}
