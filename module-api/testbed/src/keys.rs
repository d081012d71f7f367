//! What a key holds, asked in the way of modules.

use crate::Testbed;
use plinth_module::error::{Error, Result};
use plinth_module::keys::{GET_NO_STATS, GET_NO_TOUCH, Restore};

const QUIETLY: u32 = GET_NO_STATS | GET_NO_TOUCH;

impl Testbed {
    /// Whether a key is there.
    pub fn has(&mut self, key: impl AsRef<[u8]>) -> bool {
        self.call(|call| call.keys.exists(key.as_ref(), QUIETLY))
    }

    /// Unix time in ms at which a key expires.
    pub fn expire_at_ms(&mut self, key: impl AsRef<[u8]>) -> Option<i64> {
        self.call(|call| call.keys.get_any(key.as_ref(), QUIETLY).ok()??.expire_at_ms())
    }

    /// What OBJECT ENCODING answers for a key.
    pub fn encoding(&mut self, key: impl AsRef<[u8]>) -> Option<String> {
        self.call(|call| Some(call.keys.get_any(key.as_ref(), QUIETLY).ok()??.stat().encoding.to_owned()))
    }

    /// What DUMP answers for a key. Fails with `None`, and as the type's `save`.
    pub fn dump(&mut self, key: impl AsRef<[u8]>) -> Result<Vec<u8>> {
        self.call(|call| call.keys.get_any(key.as_ref(), QUIETLY)?.ok_or(Error::None)?.dump(<[u8]>::to_vec))
    }

    /// Makes a key from what [`dump`](Testbed::dump) gave, replacing what is there. Fails as RESTORE,
    /// with `NotAllowed` for a payload that was changed and `BadData` for one that is no value.
    pub fn restore(&mut self, key: impl AsRef<[u8]>, payload: &[u8]) -> Result {
        self.restore_until(key.as_ref(), payload, None)
    }

    fn restore_until(&mut self, key: &[u8], payload: &[u8], expire_at_ms: Option<i64>) -> Result {
        let how = Restore { expire_at_ms, replace: true, ..Restore::default() };
        self.call(|call| call.keys.restore(key, payload, how))
    }

    /// Saves a key's value, frees it, and loads it again. Fails as `save` and `load`.
    pub fn save_and_load(&mut self, key: impl AsRef<[u8]>) -> Result {
        let key = key.as_ref();
        let (payload, expire_at_ms) = (self.dump(key)?, self.expire_at_ms(key));
        self.restore_until(key, &payload, expire_at_ms)
    }

    /// A payload that was changed, with a checksum as if it was not: for `restore` to look at the
    /// value and not at the footer.
    ///
    /// # Panics
    /// When it has no room for a footer.
    pub fn sealed_again(payload: &[u8]) -> Vec<u8> {
        let opened = plinth::durable::footer::open_unchecked(payload).expect("it has a footer");
        plinth::durable::footer::seal(opened.body.to_vec(), opened.version)
    }
}
