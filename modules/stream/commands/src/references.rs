//! References: what taking entries away does to groups that have not acknowledged them.
//!
//! | | entries that go | in groups |
//! |---|---|---|
//! | KEEPREF | all | stay pending |
//! | DELREF | all | are forgotten |
//! | ACKED | those that every group has read and acknowledged | |

use crate::convert::{Element, note};
use crate::group::Group;
use crate::id::Id;
use crate::storage::{Keep, Storage};
use crate::stream::Stream;
use std::ops::ControlFlow;

/// What becomes of references to entries that are taken away. See the [module](self).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum References {
    /// They stay.
    Keep,
    /// They go, too.
    Drop,
    /// Entries that have some stay.
    Acked,
}

impl References {
    /// The one that a word names.
    pub fn of(word: &[u8]) -> Option<References> {
        let words: [(&[u8], References); 3] =
            [(b"KEEPREF", References::Keep), (b"DELREF", References::Drop), (b"ACKED", References::Acked)];
        words.into_iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, references)| references)
    }
}

/// Runs of ids that are pending without an entry, which the search for the first that has one passes over.
/// Far more than entries in a piece by default, so that one piece after the other can go.
const PASSED_OVER_MAX: usize = 1024;
/// Entries that are looked at before some of them are removed.
const AT_ONCE: usize = 128;

/// What a cut has done that no number of entries says: for servers that do not know these words.
#[derive(Default)]
pub struct Traces {
    /// Entries that went from between others.
    pub removed: Vec<Id>,
    /// References that went: name of the group and ids, in their order.
    pub forgotten: Vec<(Vec<u8>, Vec<Id>)>,
}

impl<S: Storage> Stream<S> {
    /// Takes entries off at the front, as [`Storage::cut`] says, minding references; returns how many.
    pub fn cut_minding(&mut self, references: References, keep: Keep, whole: bool, limit: usize) -> usize {
        self.cut_tracing(references, keep, (whole, limit), None)
    }

    /// The same, noting what else it does if somebody is to be told.
    pub fn cut_tracing(
        &mut self,
        references: References,
        keep: Keep,
        (whole, limit): (bool, usize),
        traces: Option<&mut Traces>,
    ) -> usize {
        match references {
            References::Keep => self.cut(keep, whole, limit),
            References::Drop => self.cut_and_forget(keep, whole, limit, traces),
            References::Acked if whole => self.cut_acknowledged(keep, limit),
            References::Acked => self.remove_acknowledged(keep, traces),
        }
    }

    fn cut_and_forget(&mut self, keep: Keep, whole: bool, limit: usize, traces: Option<&mut Traces>) -> usize {
        let gone = self.log_mut().cut(keep, whole, limit);
        let Some(last) = gone.last() else { return 0 };
        if let Some(traces) = traces {
            for (name, group) in self.groups() {
                let pending = group.pending_from(Id::MIN).map(|(id, _)| id).take_while(|id| *id <= last);
                let ids: Vec<Id> = pending.filter(|id| gone.contains(*id)).collect();
                traces.forgotten.extend((!ids.is_empty()).then(|| (name.to_vec(), ids)));
            }
        }
        note(self.journal_mut(), Element::Front);
        self.each_group(|group| {
            let mut start = Some(Id::MIN);
            while let Some(from) = start {
                let pending = group.pending_from(from).map(|(id, _)| id).take_while(|id| *id <= last);
                let ids: Vec<Id> = pending.take(AT_ONCE).collect();
                start = ids.last().and_then(|id| id.next());
                // One that is pending of an entry that was removed before stays so.
                ids.into_iter().filter(|id| gone.contains(*id)).for_each(|id| _ = group.acknowledge(id));
            }
        });
        let count = gone.len();
        self.discard(gone);
        count
    }

    /// The first id that some group has not acknowledged, of an entry that is there.
    fn acknowledged_until(&self) -> Option<Id> {
        let of_group = |group: &Group| {
            let unread = group.last().next().unwrap_or(Id::MAX);
            self.first_pending(group).min(unread)
        };
        self.groups().map(|(_, group)| of_group(group)).min()
    }

    /// The first entry that is pending in a group, `Id::MAX` if none is. What is pending without an entry
    /// is passed over, from one entry to the next that might be it; after some of them, an entry is
    /// returned before which none is pending.
    fn first_pending(&self, group: &Group) -> Id {
        let mut entry = self.log().first();
        for _ in 0..PASSED_OVER_MAX {
            let pending = entry.and_then(|entry| group.pending_from(entry).next());
            let Some((id, _)) = pending else { return Id::MAX };
            if entry == Some(id) {
                return id;
            }
            let found = self.log().visit(id..=Id::MAX, |id, _| ControlFlow::Break(id));
            entry = found.break_value();
            if entry == Some(id) {
                return id;
            }
        }
        entry.unwrap_or(Id::MAX)
    }

    /// Whole pieces at the front of which every entry is acknowledged.
    fn cut_acknowledged(&mut self, keep: Keep, limit: usize) -> usize {
        let Some(until) = self.acknowledged_until() else { return self.cut(keep, true, limit) };
        match keep {
            Keep::From(id) => self.cut(Keep::From(id.min(until)), true, limit),
            Keep::Count(count) => {
                let over = self.len().saturating_sub(count);
                if over == 0 {
                    return 0;
                }
                let limit = if limit == 0 { over } else { over.min(limit) };
                self.cut(Keep::From(until), true, limit)
            }
        }
    }

    /// The last id that every group has been handed out. All entries behind it are wanted.
    fn read_until(&self) -> Id {
        self.groups().map(|(_, group)| group.last()).min().unwrap_or(Id::MAX)
    }

    /// Entries from the front on, those passed over that a group wants.
    fn remove_acknowledged(&mut self, keep: Keep, mut traces: Option<&mut Traces>) -> usize {
        let (mut left, end) = match keep {
            Keep::Count(count) => (self.len().saturating_sub(count), Some(Id::MAX)),
            Keep::From(id) => (usize::MAX, id.previous()),
        };
        let end = end.map(|end| end.min(self.read_until()));
        let (mut removed, mut start) = (0, Some(Id::MIN));
        while let (Some(from), Some(end), true) = (start, end, left > 0) {
            let mut ids = Vec::with_capacity(AT_ONCE);
            let _ = self.log().visit(from..=end, |id, _| {
                ids.push(id);
                if ids.len() < AT_ONCE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            start = if ids.len() < AT_ONCE { None } else { ids.last().and_then(|id| id.next()) };
            for id in ids {
                // Every group has read on, so that this leaves no gap in what one has still to read.
                if left > 0 && !self.is_referenced(id) && self.log_mut().remove(id) {
                    note(self.journal_mut(), Element::Entry(id));
                    traces.iter_mut().for_each(|traces| traces.removed.push(id));
                    removed += 1;
                    left -= 1;
                }
            }
        }
        // If none was passed over, the number of those that are left says which ones went.
        if let (Some(traces), first) = (traces, self.log().first())
            && first.is_none_or(|first| traces.removed.last().is_some_and(|last| *last < first))
        {
            traces.removed.clear();
        }
        removed
    }
}
