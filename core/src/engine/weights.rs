//! What all clients together take, against `maxmemory-clients`: while they take more, the largest are closed.
//!
//! What a client takes is looked at when it was read from or written to, and now and then by the
//! housekeeping, while there is a limit; so nothing is spent on it without one.

use crate::engine::server::Server;

/// The lowest limit that is taken at its word: a few connections take as much.
const LIMIT_MIN: u64 = 128 << 10;

impl Server {
    /// Take up another limit.
    pub fn limit_clients(&mut self) {
        let all = u64::try_from(self.settings.maxmemory).unwrap_or(0);
        let limit = self.settings.memory.clients.bytes(all);
        let limit = if limit == 0 { 0 } else { usize::try_from(limit.max(LIMIT_MIN)).unwrap_or(usize::MAX) };
        let had_none = std::mem::replace(&mut self.sessions.clients.bytes_max, limit) == 0;
        if limit > 0 && had_none {
            self.sessions.clients.tokens().into_iter().for_each(|token| self.sessions.clients.weigh(token));
        }
    }

    /// Look anew at what a client takes, if there is a limit.
    #[inline]
    pub fn weigh_client(&mut self, token: usize) {
        if self.sessions.clients.bytes_max > 0 {
            self.sessions.clients.weigh(token);
        }
    }

    /// Close the largest clients until the others are within the limit.
    #[inline]
    pub fn close_heavy(&mut self) {
        let clients = &self.sessions.clients;
        if clients.bytes_max > 0 && clients.bytes() > clients.bytes_max {
            self.close_heaviest();
        }
    }

    #[cold]
    fn close_heaviest(&mut self) {
        let candidates = self.sessions.clients.iter().filter(|client| !client.no_evict && client.weighed_bytes > 0);
        let mut by_weight: Vec<(usize, usize)> =
            candidates.map(|client| (client.weighed_bytes, client.token)).collect();
        by_weight.sort_unstable();
        while self.sessions.clients.bytes() > self.sessions.clients.bytes_max
            && let Some((bytes, token)) = by_weight.pop()
        {
            let Some(client) = self.sessions.clients.peek(token) else { continue };
            let (id, address) = (client.id, &client.address);
            crate::base::log::notice(&format!("Evicting client: id={id} addr={address} tot-mem={bytes}"));
            self.excess.clients += 1;
            self.sessions.clients.close(token);
            self.sessions.clients.forget_weight(token);
        }
    }
}
