//! Sessions: who is connected, what each has sent, is to be sent, and waits for: state, no calls.
//!
//! - [`client`], [`clients`]: one connection, and all; [`line`]: one as it is shown.
//! - [`standing`]: what makes the gates look at one.
//! - [`query`]: what came and was not run yet.
//! - [`transaction`], [`watch`]: MULTI and WATCH.
//! - [`tracking`]: what clients have read that keep it.
//! - [`monitor`]: what is shown to those who watch the others.
//! - [`push`]: what is sent behind replies; [`listening`]: what a client is sent unasked.
//! - [`block`]: who waits for which keys; [`resume`]: who waits for which thread; [`pause`]: until
//!   when all wait.

pub mod block;
pub mod client;
pub mod clients;
pub mod line;
pub mod listening;
pub mod monitor;
pub mod pause;
pub mod push;
pub mod query;
pub mod resume;
pub mod standing;
pub mod tracking;
pub mod transaction;
pub mod watch;

use crate::session::block::Blocking;
use crate::session::clients::Clients;
use crate::session::pause::Pause;
use crate::session::tracking::Tracked;
use crate::session::watch::Watches;

/// All sessions, and what they wait for.
#[derive(Default)]
pub struct Sessions {
    /// Connections.
    pub clients: Clients,
    /// Keys under WATCH.
    pub watches: Watches,
    /// What was read by clients that keep it.
    pub tracked: Tracked,
    /// Who waits for which keys.
    pub blocking: Blocking,
    /// Until when clients wait, and whether only for writes (CLIENT PAUSE).
    pub pause: Option<Pause>,
    /// Whether any client has CLIENT NO-TOUCH on.
    pub any_no_touch: bool,
    /// Token and id of those who watch what the others do (MONITOR).
    pub monitors: Vec<(usize, u64)>,
    /// Whether the script that runs has been shown to them.
    pub script_is_shown: bool,
}

impl Sessions {
    /// Whether anybody watches a key, waits for one, or keeps what it has read.
    pub fn want_changes(&self) -> bool {
        self.watches.len() + self.blocking.keys() + self.tracked.clients > 0
    }

    /// Find out whether any client has CLIENT NO-TOUCH on.
    pub fn count_no_touch(&mut self) {
        self.any_no_touch = self.clients.iter().any(|client| client.no_touch);
    }

    /// Whether an `enable-*-command` parameter lets a client do it: 0 nobody, 1
    /// everybody, 2 those on this machine.
    pub fn allows(&self, enabled: usize, client: Option<usize>) -> bool {
        let local = || {
            client.and_then(|token| self.clients.peek(token)).is_none_or(|client| {
                let address = client.address.parse::<std::net::SocketAddr>();
                client.is_unix || address.is_ok_and(|address| address.ip().to_canonical().is_loopback())
            })
        };
        enabled == 1 || enabled == 2 && local()
    }
}
