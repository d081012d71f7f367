//! Sessions that a client may come back to, which spares it half of the handshake.

use rustls::server::{ServerSessionMemoryCache, StoresServerSessions};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes of the time that each session is kept with.
const TIME_BYTES: usize = 8;

/// A bounded number of sessions, each for a time.
#[derive(Debug)]
pub struct Sessions {
    kept: Arc<ServerSessionMemoryCache>,
    begun: Instant,
    lifetime: Duration,
}

impl Sessions {
    /// At most so many, each for so long.
    pub fn new(count: usize, lifetime: Duration) -> Sessions {
        Sessions { kept: ServerSessionMemoryCache::new(count), begun: Instant::now(), lifetime }
    }

    /// The session, unless its time is over.
    fn current(&self, mut kept: Vec<u8>) -> Option<Vec<u8>> {
        let at = kept.len().checked_sub(TIME_BYTES)?;
        let since = u64::from_le_bytes(kept.get(at..)?.try_into().ok()?);
        kept.truncate(at);
        let age = self.begun.elapsed().saturating_sub(Duration::from_millis(since));
        (age <= self.lifetime).then_some(kept)
    }
}

impl StoresServerSessions for Sessions {
    fn put(&self, key: Vec<u8>, mut value: Vec<u8>) -> bool {
        value.extend_from_slice(&(self.begun.elapsed().as_millis() as u64).to_le_bytes());
        self.kept.put(key, value)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.current(self.kept.get(key)?)
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.current(self.kept.take(key)?)
    }

    fn can_cache(&self) -> bool {
        self.kept.can_cache()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_kept_for_its_time() {
        let long = Sessions::new(10, Duration::from_secs(60));
        assert!(long.put(b"k".to_vec(), b"v".to_vec()));
        assert_eq!(long.get(b"k").as_deref(), Some(&b"v"[..]));
        assert_eq!(long.take(b"k").as_deref(), Some(&b"v"[..]));
        assert_eq!(long.take(b"k"), None);
        let over = Sessions { begun: Instant::now() - Duration::from_secs(9), ..Sessions::new(10, Duration::ZERO) };
        over.kept.put(b"k".to_vec(), [b"v".as_slice(), &1000u64.to_le_bytes()].concat());
        assert_eq!(over.get(b"k"), None);
    }
}
