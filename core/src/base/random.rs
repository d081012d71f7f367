//! Random numbers that need not be secret: quick, and never the same in two runs.

/// A fast generator of numbers that need not be secret (xorshift64*).
pub struct Random(u64);

impl Random {
    /// A generator that begins somewhere.
    pub fn new() -> Random {
        use std::hash::BuildHasher;
        Random(std::collections::hash_map::RandomState::new().hash_one(0) | 1)
    }

    /// The next number.
    #[inline]
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A name that nobody else has: 40 hex digits.
    pub fn identity(&mut self) -> String {
        (0..5).map(|_| format!("{:08x}", self.number() >> 32)).collect()
    }
}

impl Default for Random {
    fn default() -> Self {
        Random::new()
    }
}
