//! How much of a log a trim looks at that minds what groups have acknowledged.

#![deny(unsafe_code)]
#![allow(missing_docs, clippy::unwrap_used)]

use plinth_stream::store::{Fields, PackTree};
use plinth_stream_commands::id::Id;
use plinth_stream_commands::references::References;
use plinth_stream_commands::storage::{Keep, Layout, Storage};
use plinth_stream_commands::stream::Stream;
use std::cell::Cell;
use std::ops::{ControlFlow, RangeInclusive};

/// A log that counts the entries that it hands out.
#[derive(Default)]
struct Counted(PackTree, Cell<usize>);

impl Storage for Counted {
    type Fields<'s> = Fields<'s>;

    fn new() -> Self {
        Counted::default()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn memory(&self) -> usize {
        self.0.memory()
    }

    fn free_effort(&self) -> usize {
        self.0.free_effort()
    }

    fn nodes(&self) -> usize {
        self.0.nodes()
    }

    fn append<'t>(&mut self, layout: Layout, id: Id, fields: impl ExactSizeIterator<Item = &'t [u8]> + Clone) {
        self.0.append(layout, id, fields);
    }

    fn first(&self) -> Option<Id> {
        self.0.first()
    }

    fn last(&self) -> Option<Id> {
        self.0.last()
    }

    fn remove(&mut self, id: Id) -> bool {
        self.0.remove(id)
    }

    fn visit<B>(
        &self,
        ids: RangeInclusive<Id>,
        mut visit: impl FnMut(Id, Fields<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        self.0.visit(ids, |id, fields| {
            self.1.set(self.1.get() + 1);
            visit(id, fields)
        })
    }

    fn visit_back<B>(
        &self,
        ids: RangeInclusive<Id>,
        visit: impl FnMut(Id, Fields<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        self.0.visit_back(ids, visit)
    }

    fn cut(&mut self, keep: Keep, whole: bool, limit: usize) -> Self {
        Counted(self.0.cut(keep, whole, limit), Cell::default())
    }
}

#[test]
fn an_exact_trim_looks_no_further_than_every_group_has_read() {
    for keep in [Keep::Count(0), Keep::Count(995), Keep::From(Id::MAX), Keep::From(Id::new(11, 0))] {
        let mut stream = Stream::<Counted>::default();
        (1..=1000).for_each(|ms| stream.append(Id::new(ms, 0), [b"f".as_slice(), b"v"].into_iter()));
        stream.make_group(b"ahead", Id::new(900, 0), None);
        stream.make_group(b"behind", Id::new(10, 0), None);
        let removed = stream.cut_minding(References::Acked, keep, false, 0);
        assert_eq!(removed, if keep == Keep::Count(995) { 5 } else { 10 });
        assert_eq!(stream.log().first(), Some(Id::new(removed as u64 + 1, 0)));
        let seen = stream.log().1.get();
        assert!(seen <= 10, "{keep:?}: {seen} entries were looked at for the {removed} that went");
    }
}
