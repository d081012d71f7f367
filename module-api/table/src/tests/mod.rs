//! Tests of the whole table. They are inside the crate because after every step they check
//! the invariants that the files state, which cannot be seen from outside.

mod check;
mod growth;
mod model;
mod sampling;
mod scan;

/// How the tests hash a key, which is also the element.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hashing {
    /// All bits are good.
    Good,
    /// Four different values in all: long chains that no split shortens beyond that.
    FewValues,
    /// Good bucket numbers, one tag and one window: every search compares elements.
    OneTag,
    /// Zero in the bits that small tables look at: all elements in bucket 0.
    LowBitsZero,
}

impl Hashing {
    pub(crate) const ALL: [Hashing; 4] = [Hashing::Good, Hashing::FewValues, Hashing::OneTag, Hashing::LowBitsZero];

    pub(crate) fn of(self, key: u64) -> u64 {
        let key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let good = key ^ (key >> 31);
        match self {
            Hashing::Good => good,
            Hashing::FewValues => good & 3,
            Hashing::OneTag => good & 0xff,
            Hashing::LowBitsZero => good << 12,
        }
    }
}

/// A well-mixed hash.
pub(crate) fn hash(key: u64) -> u64 {
    Hashing::Good.of(key)
}

/// A table of the keys in a range.
pub(crate) fn table_of(keys: std::ops::Range<u64>) -> crate::Table<u64> {
    let mut table = crate::Table::new();
    keys.for_each(|key| table.insert_new(hash(key), key, false, hash));
    table
}

/// A sequence of random numbers.
pub(crate) fn random_from(mut seed: u64) -> impl FnMut() -> u64 {
    move || {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        hash(seed)
    }
}
