//! Connections that are kept for the next MIGRATE to the same server as the same user.

use super::Address;
use super::link::Link;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a connection is kept after its last use.
const KEPT_FOR: Duration = Duration::from_secs(10);
/// Most connections that are kept.
const KEPT_MAX: usize = 64;

/// The connections, the one that was used last at the end.
#[derive(Default)]
pub(super) struct Cache(Mutex<Vec<Kept>>);

struct Kept {
    address: Address,
    link: Link,
    since: Instant,
}

impl Cache {
    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a connection out, if there is one.
    pub(super) fn take(&self, address: &Address) -> Option<Link> {
        let mut kept = self.kept();
        let at = kept.iter().rposition(|one| one.address == *address)?;
        Some(kept.remove(at).link)
    }

    /// Keeps a connection; the only one to this address.
    pub(super) fn put(&self, address: &Address, link: Link) {
        let mut kept = self.kept();
        kept.retain(|one| one.address != *address);
        if kept.len() >= KEPT_MAX {
            kept.remove(0);
        }
        kept.push(Kept { address: address.clone(), link, since: Instant::now() });
    }

    /// Closes those that were not used for a while; how many are left.
    pub(super) fn prune(&self) -> usize {
        let mut kept = self.kept();
        kept.retain(|one| one.since.elapsed() < KEPT_FOR);
        kept.len()
    }
}
