//! Lag: how many entries a group has still to read, as far as that can be told without counting.
//!
//! A stream counts the entries that were ever added, and a group those that it has read of them. The
//! difference is the lag, unless entries were taken out from among those that are still to be read:
//!
//! ```text
//!   ever added   1  2  3  4  5  6  7
//!   there              3  .  5  6  7        4 was deleted: the greatest that was
//!   group A               ^ read 3         4 is behind: nobody knows, without counting, that 3 are left
//!   group B                  ^ read 5      nothing was taken out behind: 7 - 5 = 2 are left
//!   group C      ^ read 1                  before the first; if 4 were there, all 5 would be left
//! ```
//!
//! What was trimmed has gone from the front and leaves no gap, so only the greatest deleted id is
//! kept ([`Stream::max_deleted`]). Where the counts do not tell there is no lag, and a group that reads
//! on gets its count back at a place where the stream can tell it: the first entry and the last.
//!
//! These are the answers of Redis 8.2; Redis 7 and Valkey count what was trimmed into the lag.

use crate::group::Group;
use crate::id::Id;
use crate::storage::Storage;
use crate::stream::Stream;

/// What a stream knows of itself, for its groups' counts.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    first: Option<Id>,
    last: Id,
    len: u64,
    added: u64,
    max_deleted: Id,
}

impl Counts {
    /// The counts of a stream.
    pub fn of<S: Storage>(stream: &Stream<S>) -> Counts {
        Counts {
            first: stream.log().first(),
            last: stream.last_id(),
            len: stream.len() as u64,
            added: stream.added(),
            max_deleted: stream.max_deleted(),
        }
    }

    /// Whether an entry may have been taken out from this id on, the id included.
    fn has_gap_from(&self, id: Id) -> bool {
        self.len > 0 && self.max_deleted != Id::MIN && id <= self.max_deleted
    }

    /// How many entries come up to an id that was read, of those that were ever added.
    pub fn read_until(&self, id: Id) -> Option<u64> {
        let Some(first) = self.first else {
            return if self.added == 0 || id <= self.last { Some(self.added) } else { None };
        };
        if id != Id::MIN && id < self.max_deleted {
            return None;
        }
        if id == self.last {
            return Some(self.added);
        }
        if id > self.last || self.max_deleted >= first {
            return None;
        }
        match id.cmp(&first) {
            std::cmp::Ordering::Less => Some(self.added.saturating_sub(self.len)),
            std::cmp::Ordering::Equal => Some(self.added.saturating_add(1).saturating_sub(self.len)),
            std::cmp::Ordering::Greater => None,
        }
    }

    /// The count of a group that stood at `last` with `read`, and reads the next entry, `id`. A group that was
    /// told a wrong count has not read more than there was.
    pub fn read_after(&self, last: Id, read: Option<u64>, id: Id) -> Option<u64> {
        match read {
            Some(read) if self.first.is_some_and(|first| first <= last) && !self.has_gap_from(last) => {
                Some(read.saturating_add(1).min(self.added))
            }
            _ => self.read_until(id),
        }
    }

    /// How many entries a group has still to read.
    pub fn lag(&self, group: &Group) -> Option<i64> {
        let Some(first) = self.first else { return Some(0) };
        let last = group.last();
        if last < first && self.max_deleted < first {
            return Some(self.len as i64);
        }
        let read = match group.entries_read() {
            Some(read) if !self.has_gap_from(last) => Some(read),
            _ => self.read_until(last),
        };
        read.map(|read| self.added.wrapping_sub(read) as i64)
    }
}
