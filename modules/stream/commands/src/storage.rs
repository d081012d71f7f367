//! The storage: what the commands need of whatever keeps a stream's entries.
//!
//! A stream is a log of entries with ids that rise, and groups that read it. Groups, counters and
//! the last id are the commands' own business ([`stream`](crate::stream)); the log is a value of a
//! type that implements [`Storage`]. Whoever has another structure for logs implements it and exports
//! [`Streams::<TheirStorage>::MODULE`](crate::Streams::MODULE).
//!
//! ```text
//!   pack                    pack                     pack
//!   1-0 1-1 (1-2) 2-0       3-0 3-1 4-0 (4-1)        5-0          (1-2): removed
//!   ^ first                                          ^ last, where entries are added
//!           cut to 4 entries, `whole`: the first pack goes; exact: the first two entries go
//! ```
//!
//! What the commands count on:
//! - a value comes back as the bytes that it was put in as; as [`Value::Integer`] it may be kept and
//!   handed out if it is the one spelling of an integer;
//! - adding takes the same time at any length; `len`, `memory`, `first` and `last` are constant or
//!   nearly so; reaching an entry by its id is logarithmic or nearly so;
//! - no operation stops to rearrange or free more than what it visits; what `cut` takes off, however
//!   much, it hands back as a log of its own in logarithmic time or nearly so, to be dropped elsewhere;
//! - a storage does not panic for ids that are not there.
//!
//! What an implementation may rely on: an id that is appended is greater than all that the log ever
//! held; fields are pairs, at least one, and each name and value is below 4 GiB.

pub mod conformance;

use crate::id::Id;
pub use plinth_module::pack::Value;
use std::ops::{ControlFlow, RangeInclusive};

/// How a log should be laid out, as the parameters say when it changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Most bytes that should lie together (`stream-node-max-bytes`); 0 sets no bound.
    pub node_bytes: usize,
    /// Most entries that should (`stream-node-max-entries`); 0 sets no bound.
    pub node_entries: usize,
}

/// Which entries at the front a log is to lose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// All but this many, the last ones.
    Count(usize),
    /// Those before this id.
    From(Id),
}

/// Entries that are saved together if the storage does not say which lie together.
const PIECE_ENTRIES: usize = 100;

/// A log of entries. See the [module](self).
pub trait Storage: Send + Sized + 'static {
    /// The names and values of an entry in turn, as [`visit`](Storage::visit) lends them.
    type Fields<'s>: ExactSizeIterator<Item = Value<'s>> + Clone;

    /// An empty log.
    fn new() -> Self;

    /// Number of entries, in constant time.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that the log takes, in constant time.
    fn memory(&self) -> usize;

    /// Number of allocations that dropping it frees, about.
    fn free_effort(&self) -> usize;

    /// Number of pieces that lie together, which XINFO shows as `radix-tree-keys`.
    fn nodes(&self) -> usize;

    /// Where the piece that an id is in ends: the first id of the next piece, `None` if there is none. Pieces
    /// are saved as the nodes of a file, and begin where nodes began in the file that was loaded.
    fn next_piece(&self, id: Id) -> Option<Id> {
        let mut left = PIECE_ENTRIES;
        let next = self.visit(id..=Id::MAX, |id, _| {
            if left == 0 {
                return ControlFlow::Break(id);
            }
            left -= 1;
            ControlFlow::Continue(())
        });
        next.break_value()
    }

    /// A copy, or `None` to have COPY go by way of saving and loading.
    fn copy(&self) -> Option<Self> {
        None
    }

    /// Adds an entry behind all: names and values in turn.
    fn append<'t>(&mut self, layout: Layout, id: Id, fields: impl ExactSizeIterator<Item = &'t [u8]> + Clone);

    /// As [`append`](Storage::append), if the names are known to be those of the last entry that is there.
    /// A storage that has the names of entries once need not compare them again, which for long names
    /// is most of the work.
    fn append_same<'t>(&mut self, layout: Layout, id: Id, fields: impl ExactSizeIterator<Item = &'t [u8]> + Clone) {
        self.append(layout, id, fields);
    }

    /// Id of the first entry.
    fn first(&self) -> Option<Id>;

    /// Id of the last entry.
    fn last(&self) -> Option<Id>;

    /// Whether there is an entry of this id.
    fn contains(&self, id: Id) -> bool {
        self.visit(id..=id, |_, _| ControlFlow::Break(())).is_break()
    }

    /// Takes the entry of an id away. Returns whether there was one.
    fn remove(&mut self, id: Id) -> bool;

    /// Hands the entries of a range of ids to `visit`, the first one first, until it breaks. An empty
    /// or reversed range has none.
    fn visit<B>(
        &self,
        ids: RangeInclusive<Id>,
        visit: impl FnMut(Id, Self::Fields<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B>;

    /// As [`visit`](Storage::visit), the last one first.
    fn visit_back<B>(
        &self,
        ids: RangeInclusive<Id>,
        visit: impl FnMut(Id, Self::Fields<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B>;

    /// Takes entries off at the front, and returns them as a log of their own, whose
    /// [`len`](Storage::len) is how many they are. With `whole` only pieces go whose entries all go, so
    /// that more may be kept than was asked for, and at most `limit` entries if that is not 0; without
    /// it exactly what was asked for goes.
    fn cut(&mut self, keep: Keep, whole: bool, limit: usize) -> Self;
}
