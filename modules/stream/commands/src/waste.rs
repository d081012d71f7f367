//! Waste: what was taken off a stream in bulk and takes long to free.
//!
//! It is freed on another thread, with a value whose place another one has taken
//! ([`Stream::renew`](crate::stream::Stream::renew)), or some at a time, where a value cannot give up
//! its place: while it is being made by a conversion.
//!
//! *Invariant*: `bytes` is what all of it takes.

use crate::group::Group;
use crate::storage::{Keep, Storage};

/// Effort of dropping up to which something is dropped where it arises.
const EFFORT_MIN: usize = 32;
/// Entries that are freed at a time.
const ENTRIES_AT_ONCE: usize = 1024;
/// Chunks of pending ids that are.
const CHUNKS_AT_ONCE: usize = 16;

/// Logs and groups that are nobody's any more. See the [module](self).
pub(crate) struct Waste<S> {
    logs: Vec<S>,
    groups: Vec<Group>,
    bytes: usize,
}

impl<S: Storage> Waste<S> {
    /// None.
    pub(crate) const NONE: Waste<S> = Waste { logs: Vec::new(), groups: Vec::new(), bytes: 0 };

    /// Whether there is none.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.logs.is_empty() && self.groups.is_empty()
    }

    /// Bytes that it takes, in constant time.
    pub(crate) fn memory(&self) -> usize {
        self.bytes
    }

    /// Takes entries, or drops them if that is soon done.
    pub(crate) fn add_log(&mut self, log: S) {
        if log.free_effort() > EFFORT_MIN {
            self.bytes += log.memory();
            self.logs.push(log);
        }
    }

    /// Takes a group, or drops it if that is soon done.
    pub(crate) fn add_group(&mut self, group: Group) {
        if group.free_effort() > EFFORT_MIN {
            self.bytes += group.memory();
            self.groups.push(group);
        }
    }

    /// Takes other waste.
    pub(crate) fn append(&mut self, mut other: Waste<S>) {
        self.logs.append(&mut other.logs);
        self.groups.append(&mut other.groups);
        self.bytes += other.bytes;
    }

    /// The groups among it.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter()
    }

    /// Number of allocations that dropping the entries among it frees, about.
    pub(crate) fn logs_free_effort(&self) -> usize {
        self.logs.iter().map(S::free_effort).sum()
    }

    /// Frees some of it, which takes about a hundredth of a millisecond.
    pub(crate) fn free_some(&mut self) {
        if let Some(log) = self.logs.last_mut() {
            let before = log.memory();
            drop(log.cut(Keep::Count(log.len().saturating_sub(ENTRIES_AT_ONCE)), false, 0));
            self.bytes = self.bytes + log.memory() - before;
            if log.is_empty() {
                self.bytes -= log.memory();
                self.logs.pop();
            }
        } else if let Some(group) = self.groups.last_mut() {
            let before = group.memory();
            let is_left = group.free_some(CHUNKS_AT_ONCE);
            self.bytes = self.bytes + group.memory() - before;
            if !is_left {
                self.bytes -= group.memory();
                self.groups.pop();
            }
        }
    }
}
