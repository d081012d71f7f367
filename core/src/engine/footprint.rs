//! What memory goes into, for INFO and MEMORY.

use crate::base::memory;
use crate::engine::server::Server;
use crate::session::client::Client;

/// Bytes by what they are for.
#[derive(Clone, Copy, Default)]
pub struct Footprint {
    /// In use.
    pub used: usize,
    /// In use at most.
    pub peak: usize,
    /// Resident.
    pub resident: usize,
    /// In use before anything was served.
    pub startup: usize,
    /// Of clients.
    pub clients: usize,
    /// Of all but keys and values.
    pub overhead: usize,
}

impl Footprint {
    /// As it is now.
    pub fn measure(server: &mut Server) -> Footprint {
        server.store.background.measure();
        let (used, startup) = (memory::used_bytes(), memory::startup_bytes());
        server.stats.peak_memory = server.stats.peak_memory.max(used);
        let clients: usize = server.sessions.clients.iter().map(Client::memory_bytes).sum();
        let tables: usize = server.store.databases.iter().map(|database| database.table.memory_bytes()).sum();
        Footprint {
            used,
            peak: server.stats.peak_memory,
            resident: memory::resident_bytes(),
            startup,
            clients,
            overhead: (startup + clients + tables + server.excess.uncounted_bytes).min(used),
        }
    }

    /// Of keys and values.
    pub fn dataset(&self) -> usize {
        self.used - self.overhead
    }

    /// In use beyond what it began with.
    pub fn grown(&self) -> usize {
        self.used.saturating_sub(self.startup)
    }
}
