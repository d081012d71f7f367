//! Writes that wait, so that the stream stands still until somebody has all of it.

use crate::engine::server::Server;
use crate::replication::{failover, farewell};
use crate::session::pause::Pause;

/// Writes wait until it is ended.
#[must_use]
pub struct Held {
    /// The pause that there was before.
    before: Option<Pause>,
}

impl Held {
    /// Writes wait from now on, and whatever waited before.
    pub fn begin(server: &mut Server) -> Held {
        // One that has no end is another's hold, which it ends itself.
        let before = server.sessions.pause.filter(|pause| pause.until_ms < i64::MAX);
        let writes_only = before.is_none_or(|pause| pause.writes_only);
        server.sessions.pause = Some(Pause { until_ms: i64::MAX, writes_only });
        server.observe();
        Held { before }
    }

    /// They go on, unless they waited before.
    pub fn end(self, server: &mut Server) {
        if failover::is_running(server) || farewell::is_waiting(server) {
            return;
        }
        match self.before.filter(|pause| pause.until_ms > server.clock.now_ms) {
            Some(pause) => {
                server.sessions.pause = Some(pause);
                server.observe();
            }
            None => server.end_pause(),
        }
    }
}
