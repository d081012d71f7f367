//! The invariants, checked.

use crate::bucket;
use crate::slot::{base, decode, window, window_of};
use crate::table::Table;

impl Table<u64> {
    /// Panics if an invariant that `bucket`, `chain`, `directory` or `table` states is broken.
    pub(crate) fn check(&self, hash: impl Fn(u64) -> u64) {
        assert!((self.mask + 1).is_power_of_two() && self.split <= self.mask);
        let level = self.mask.count_ones();
        assert_eq!(self.bases.map(u32::from), [base(level), base(level + 1)]);
        let (mut len, mut marked, mut overflow) = (0, 0, 0);
        for index in 0..self.bucket_count() {
            let is_split = (index & self.mask) < self.split;
            let base = u32::from(self.bases[usize::from(is_split)]);
            let blocks: Vec<_> = self.chain(index).blocks().collect();
            overflow += blocks[1..].iter().map(|block| block.width()).sum::<usize>();
            for (position, block) in blocks.iter().enumerate() {
                let occupied = block.occupied();
                len += occupied.len();
                marked += block.marked().len();
                let is_last = position + 1 == blocks.len();
                assert_eq!(block.overflow().is_none(), is_last);
                let links = usize::from(!is_last);
                assert!(position == 0 || occupied.len() + links == block.width(), "an empty slot in a block");
                assert!(is_last || occupied.len() == 7, "a hole before the end of a chain");
                assert!(position == 0 || occupied.len() >= 2, "an overflow block too many");
                for slot in occupied {
                    let word = block.word(slot);
                    // SAFETY: an occupied slot of a table of `u64`.
                    let hash = hash(unsafe { decode(word) });
                    assert_eq!(self.home(hash), (index, base), "an element is not at home");
                    assert!(block.matching(bucket::tag(hash)).any(|other| other == slot));
                    assert_eq!(window_of(word), window(hash, base));
                }
            }
        }
        assert_eq!((len, marked, overflow), (self.len, self.marked, self.overflow));
        assert!(self.buckets() == 0 || self.memory_bytes() >= self.bucket_count() * 64 + overflow * 8);
    }
}
