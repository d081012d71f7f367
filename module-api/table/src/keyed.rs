//! The hash of elements that come from strangers.

use siphasher::sip::SipHasher13;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

/// SipHash-1-3 under a key of this process, so that nobody can choose elements whose hashes collide.
///
/// The key is drawn from the system's randomness when the process, or the shared library that this is
/// linked into, first asks for it. A store keeps a copy, which spares a look at the static.
///
/// Source: Aumasson, Bernstein, "SipHash: a fast short-input PRF", 2012.
#[derive(Clone, Copy, Debug)]
pub struct Keyed(u64, u64);

impl Keyed {
    /// The process's.
    #[inline]
    pub fn of_process() -> Keyed {
        static KEYED: LazyLock<Keyed> = LazyLock::new(|| {
            let random = RandomState::new();
            Keyed(random.hash_one(0u8), random.hash_one(1u8))
        });
        *KEYED
    }

    /// The hash of an element's bytes.
    #[inline]
    pub fn hash(self, bytes: &[u8]) -> u64 {
        SipHasher13::new_with_keys(self.0, self.1).hash(bytes)
    }
}

impl Default for Keyed {
    fn default() -> Keyed {
        Keyed::of_process()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_hashes_alike_wherever_it_does() {
        let (one, other) = (Keyed::of_process(), std::thread::spawn(Keyed::of_process).join().unwrap());
        assert_eq!(one.hash(b"field"), other.hash(b"field"));
        assert_ne!(one.hash(b"field"), one.hash(b"fiele"));
        assert_ne!(one.hash(b"field"), Keyed(one.0 ^ 1, one.1).hash(b"field"));
    }
}
