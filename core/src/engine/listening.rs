//! Listening: who listens to a module, and what modules send to clients unasked.
//!
//! ```text
//!   push, push_all ──> the output of a client that is at rest
//!                  ──> its pushes, behind the reply that it may be being written ── settle ──> its output
//! ```
//!
//! A client is at rest when another one's command runs: replies are written by the handlers of the client's
//! own commands only. Where it is not known whose command runs, in timers and hooks, a push is put aside.

use crate::base::id::ModuleId;
use crate::engine::server::Server;
use crate::session::client::Closing;
use crate::session::listening::Listening;
use bytes::Bytes as Shared;

/// What clients are sent.
pub struct Push<'a> {
    /// Its begin.
    pub head: &'a [u8],
    /// The text in its last element, once for all who are sent it; `head` ends with its length.
    pub shared: Option<&'a Shared>,
}

impl Push<'_> {
    fn len(&self) -> usize {
        self.head.len() + self.shared.map_or(0, |shared| shared.len() + LINE_END.len())
    }
}

/// What follows the text.
const LINE_END: &[u8] = b"\r\n";

impl Server {
    /// A client listens to so much from now on; to nothing any more with `None`.
    pub fn listen(&mut self, token: usize, listening: Option<Box<Listening>>) {
        let Some(client) = self.sessions.clients.get(token) else { return };
        client.standing.set_listening(listening.is_some());
        client.listening = listening;
        let class = client.output_class();
        let bytes = self.output_bytes_max(class);
        if let Some(client) = self.sessions.clients.get(token) {
            client.output.set_limit(bytes);
        }
    }

    /// Disconnect those who listen to a module, which leaves: they would wait for messages in vain.
    pub fn disconnect_listeners(&mut self, module: ModuleId) {
        for token in self.sessions.clients.tokens() {
            let listens_to = self.sessions.clients.peek(token).and_then(|client| client.listening.as_ref());
            if listens_to.is_none_or(|listening| listening.module != module) {
                continue;
            }
            self.listen(token, None);
            if let Some(client) = self.sessions.clients.get(token) {
                client.close_after_reply();
            }
            self.sessions.clients.list_write(token);
        }
    }

    /// Send a client bytes of RESP, within a call for the client `own`; whether it is there and takes them.
    pub fn push(&mut self, own: Option<usize>, token: usize, push: &Push<'_>) -> bool {
        let Some(client) = self.sessions.clients.get(token) else { return false };
        if client.closing != Closing::No {
            return false;
        }
        // Its own output may be in the middle of a reply, or of one that comes to nothing.
        let is_within = self.registry.standing.busy.as_ref().is_some_and(|busy| busy.client == Some(token));
        if own.is_some_and(|own| own != token) && client.pushed.is_empty() && !is_within {
            client.output.write(push.head);
            if let Some(shared) = push.shared {
                client.output.write_shared(shared);
                client.output.write(LINE_END);
            }
            self.sessions.clients.list_write(token);
            return true;
        }
        let limit = self.settings.output_limits[client.output_class()].hard_bytes;
        if limit > 0 && (client.output.counted() + client.pushed.len() + push.len()) as u64 > limit {
            self.stats.output_limit_closed += 1;
            self.sessions.clients.close(token);
            return false;
        }
        if client.pushed.is_empty() {
            self.pending.pushed.push(token);
            self.pending.is_due = true;
        }
        client.pushed.add(push.head);
        if let Some(shared) = push.shared {
            client.pushed.add_shared(shared);
            client.pushed.add(LINE_END);
        }
        true
    }
}
