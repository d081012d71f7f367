//! Visiting elements: by cursor, all at once, at random, and for good.
//!
//! *The cursor.* Read a hash backwards, lowest bit first, as a binary fraction. A bucket of
//! `k` bits then holds exactly the hashes of one interval of length 2^-k, and splitting it halves
//! the interval:
//!
//! ```text
//! 6 buckets     0        4        2         1        5        3
//!           |--------|--------|--------|--------|--------|--------|
//!           0       1/8      1/4      1/2      5/8      3/4       1
//!                             (2: two bits)              (3: two bits)
//! ```
//!
//! A cursor is a point of the unit interval, up to which everything has been visited, given as
//! the bits of the fraction read backwards again; it has as many bits as the bucket numbers have. A
//! step visits the bucket that the point lies in and moves to that bucket's end. Elements
//! never move in the interval, however often the table grows or shrinks between two steps, so
//! an element that stays is visited at least once; one may be visited again when the bucket that the
//! point lies in has grown by a merge. Any 64 bits are a point, so a client may send what it
//! likes.

use crate::chain::ChainMut;
use crate::prefetch::prefetch_word;
use crate::slot::{self, Slot};
use crate::table::Table;

/// Tries of [`Table::random`] before it settles for a less even choice.
const RANDOM_TRIES: usize = 64;
/// Elements in a bucket that [`Table::random`] gives an even chance; fuller ones are rare.
const RANDOM_WIDTH: u64 = 24;

/// Buckets that [`Table::release`] visits before it gives way: some 50 elements.
const BUCKETS_AT_A_TIME: usize = 5;

impl<T: Slot> Table<T> {
    /// One step of an iteration that may be spread over any time: visits the elements of one
    /// bucket and returns the cursor to go on with. 0 starts an iteration, and is returned when
    /// it is complete.
    ///
    /// An element that is there from the first step to the last is visited at least once,
    /// whatever else is inserted and removed between the steps. Others may be visited or not,
    /// and any may be visited more than once. A cursor is below twice the greatest number of
    /// buckets the table has had; a made-up one does no harm. O(elements of one bucket), about
    /// nine.
    #[inline]
    pub fn scan(&self, cursor: u64, visit: impl FnMut(T)) -> u64 {
        self.elements(self.home(cursor).0).for_each(visit);
        self.next_cursor(cursor)
    }

    /// As [`scan`](Table::scan), of marked elements only. Buckets without any are cheap, but
    /// still a step each.
    #[inline]
    pub fn scan_marked(&self, cursor: u64, visit: impl FnMut(T)) -> u64 {
        if self.marked != 0 {
            self.marked_elements(self.home(cursor).0).for_each(visit);
        }
        self.next_cursor(cursor)
    }

    /// As [`scan`](Table::scan), and puts what `update` returns in the place of each element. It
    /// must have the same hash: the way for entries to be moved (defragmentation).
    ///
    /// # Panics
    ///
    /// As [`insert_new`](Table::insert_new).
    pub fn scan_update(&mut self, cursor: u64, mut update: impl FnMut(T) -> T) -> u64 {
        if self.len != 0 {
            // SAFETY: the table is borrowed exclusively, and bucket 0 is not the static one, as there
            // are elements.
            unsafe { ChainMut::new(self.head(cursor)) }.update(|word| {
                // SAFETY: an occupied slot holds an element of the table.
                let value = update(unsafe { slot::decode(word) });
                slot::encode(value, slot::window_of(word))
            });
        }
        self.next_cursor(cursor)
    }

    /// Visits every element once, with its mark. O(buckets).
    pub fn for_each(&self, mut visit: impl FnMut(T, bool)) {
        for index in 0..self.bucket_count() {
            for block in self.chain(index).blocks() {
                for slot in block.occupied() {
                    // SAFETY: an occupied slot holds an element of the table.
                    visit(unsafe { slot::decode(block.word(slot)) }, block.mark(slot));
                }
            }
        }
    }

    /// Visits every element once, as the last thing that is done with the table: an owner of what
    /// its elements point to frees it here. O(buckets).
    ///
    /// It is made for a thread that has time, on which hosts drop large values: it
    /// [gives way](crate::give_way) every few elements, so that a thread which shares its core does
    /// not wait for a time slice to end. Elements are prefetched as addresses; other bits do no harm.
    pub fn release(&self, mut free: impl FnMut(T)) {
        for index in 0..self.bucket_count() {
            if index + 1 < self.bucket_count() {
                let next = self.chain(index + 1).head();
                next.occupied().for_each(|slot| prefetch_word(next.word(slot)));
            }
            for block in self.chain(index).blocks() {
                for slot in block.occupied() {
                    // SAFETY: an occupied slot holds an element of the table.
                    free(unsafe { slot::decode(block.word(slot)) });
                }
            }
            if index % BUCKETS_AT_A_TIME == BUCKETS_AT_A_TIME - 1 {
                crate::give_way();
            }
        }
    }

    /// An element picked with nearly the same chance as any other; `None` only from an empty
    /// table. `random` gives independent 64-bit numbers.
    ///
    /// A bucket is picked, then one of 24 places in it, until the place is taken: some three
    /// tries in a table that has grown, eight in one that has shrunk. Elements of a bucket with
    /// more than 24 have a slightly smaller chance. After 64 tries it takes an
    /// element of the next bucket that has one. O(1) expected.
    pub fn random(&self, mut random: impl FnMut() -> u64) -> Option<T> {
        if self.len == 0 {
            return None;
        }
        for _ in 0..RANDOM_TRIES {
            let number = random();
            let index = self.bucket_at(number);
            let count = self.chain(index).len() as u64;
            let width = if self.bucket_count() == 1 { count } else { count.max(RANDOM_WIDTH) };
            let position = ((number & u64::from(u32::MAX)) * width) >> 32;
            if position < count {
                return self.elements(index).nth(position as usize);
            }
        }
        self.run_from(random(), self.bucket_count()).find_map(|index| self.elements(index).next())
    }

    /// Visits up to `count` elements in buckets that follow each other from a random one on;
    /// returns how many. For choosing among many, where [`random`](Table::random)'s evenness
    /// is not needed: the buckets are next to each other in memory. Looks at no more than
    /// `count + 16` buckets. Where in the first bucket it begins is random, too: otherwise those behind the
    /// first `count` of a bucket would hardly ever be seen.
    pub fn sample(&self, random: u64, count: usize, mut visit: impl FnMut(T)) -> usize {
        let buckets = self.run_from(random, count.saturating_add(16));
        let start = self.bucket_at(random);
        let skipped = within(random, self.elements(start).count());
        let elements = buckets.flat_map(|index| self.elements(index)).skip(skipped);
        elements.chain(self.elements(start).take(skipped)).take(count).map(&mut visit).count()
    }

    /// As [`sample`](Table::sample), of marked elements, looking at no more than `buckets_max`
    /// buckets.
    pub fn sample_marked(&self, random: u64, count: usize, buckets_max: usize, mut visit: impl FnMut(T)) -> usize {
        let buckets = self.run_from(random, if self.marked == 0 { 0 } else { buckets_max });
        let start = self.bucket_at(random);
        let skipped = within(random, self.marked_elements(start).count());
        let elements = buckets.flat_map(|index| self.marked_elements(index)).skip(skipped);
        elements.chain(self.marked_elements(start).take(skipped)).take(count).map(&mut visit).count()
    }

    /// Takes out up to `count` elements, any, and gives up the buckets that become empty: for
    /// freeing a large table in steps. Returns how many; fewer than `count` only when the table
    /// is empty, and has freed all its buckets, afterwards. It remains a valid table in between.
    /// O(count) for elements with hashes of good quality.
    pub fn take_some(&mut self, count: usize, mut visit: impl FnMut(T)) -> usize {
        let mut taken = 0;
        while self.len != 0 {
            if taken == count {
                return taken;
            }
            // SAFETY: the last bucket, in a table that has elements, so it is not the static
            // one, and is borrowed exclusively.
            let mut chain = unsafe { ChainMut::new(self.directory.bucket(self.bucket_count() - 1)) };
            if let Some((cell, freed)) = chain.pop() {
                self.account_removal(cell, freed);
                taken += 1;
                // SAFETY: the cell was an element of the table.
                visit(unsafe { slot::decode(cell.word) });
            } else if self.bucket_count() > 1 {
                self.drop_last_bucket();
            } else {
                break;
            }
        }
        self.clear();
        taken
    }

    /// The end of the interval of the bucket that `cursor` lies in.
    #[inline]
    fn next_cursor(&self, cursor: u64) -> u64 {
        let is_split = (cursor as usize & self.mask) < self.split;
        let bits = self.mask.trailing_ones() + u32::from(is_split);
        if bits == 0 {
            return 0;
        }
        let (start, length) = ((self.home(cursor).0 as u64).reverse_bits(), 1 << (u64::BITS - bits));
        // The last interval ends at 1, which is 2^64 here and wraps to 0.
        u64::wrapping_add(start, length).reverse_bits()
    }

    /// A bucket's number from a random number's high bits.
    #[inline]
    fn bucket_at(&self, random: u64) -> usize {
        ((u128::from(random) * self.bucket_count() as u128) >> 64) as usize
    }

    /// The numbers of up to `buckets_max` buckets, each once, from a random one on.
    fn run_from(&self, random: u64, buckets_max: usize) -> impl Iterator<Item = usize> + use<T> {
        let start = self.bucket_at(random);
        (start..self.bucket_count()).chain(0..start).take(buckets_max)
    }

    /// The elements of a bucket.
    #[inline]
    fn elements(&self, index: usize) -> impl Iterator<Item = T> {
        self.chain(index).blocks().flat_map(|block| {
            // SAFETY: an occupied slot holds an element of the table.
            block.occupied().map(move |slot| unsafe { slot::decode(block.word(slot)) })
        })
    }

    /// The marked elements of a bucket.
    #[inline]
    fn marked_elements(&self, index: usize) -> impl Iterator<Item = T> {
        self.chain(index).blocks().flat_map(|block| {
            // SAFETY: only occupied slots are marked, and they hold elements of the table.
            block.marked().map(move |slot| unsafe { slot::decode(block.word(slot)) })
        })
    }
}

/// A place among `count`, from a random number's low bits.
fn within(random: u64, count: usize) -> usize {
    (((random & u64::from(u32::MAX)) * count as u64) >> 32) as usize
}
