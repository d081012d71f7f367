//! The invariants, checked.

use crate::bucket;
use crate::slot::{decode, window};
use crate::table::Table;

impl Table<u64> {
    /// Panics if an invariant that `bucket`, `chain`, `directory` or `table` states is broken.
    pub(crate) fn check(&self, hash: impl Fn(u64) -> u64) {
        assert!(self.buckets >= 1 && self.buckets <= self.mask + 1);
        assert!(self.mask == 0 || self.buckets > (self.mask >> 1) + 1, "mask is not the least");
        let (mut len, mut marked, mut overflow) = (0, 0, 0);
        for index in 0..self.buckets {
            let buckets: Vec<_> = self.chain(index).buckets().collect();
            overflow += buckets.len() - 1;
            for (position, bucket) in buckets.iter().enumerate() {
                let occupied = bucket.occupied();
                len += occupied.len();
                marked += bucket.marked().len();
                let is_last = position + 1 == buckets.len();
                assert_eq!(bucket.overflow().is_none(), is_last);
                assert!(is_last || occupied.len() == 6, "a hole before the end of a chain");
                assert!(position == 0 || occupied.len() >= 2, "an overflow bucket too many");
                assert!(bucket.marked().all(|slot| bucket.occupied().any(|other| other == slot)));
                for slot in occupied {
                    let cell = bucket.cell(slot);
                    // SAFETY: an occupied slot of a table of `u64`.
                    let hash = hash(unsafe { decode(cell.word) });
                    assert_eq!(self.home_index(hash), index, "an element is not at home");
                    assert_eq!(cell.tag, bucket::tag(hash));
                    assert_eq!(cell.word >> 48, window(hash) >> 48);
                }
            }
        }
        assert_eq!((len, marked, overflow), (self.len, self.marked, self.overflow));
        assert!(self.buckets() == 0 || self.memory_bytes() >= (self.buckets + overflow) * 64);
    }
}
