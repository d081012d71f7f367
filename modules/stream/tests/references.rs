//! How much of a log a trim looks at that minds what groups have acknowledged.

#![deny(unsafe_code)]
#![allow(missing_docs, clippy::unwrap_used)]

use plinth_stream::store::{Fields, PackTree};
use plinth_stream_commands::id::Id;
use plinth_stream_commands::nack::Nack;
use plinth_stream_commands::references::References;
use plinth_stream_commands::storage::{Keep, Layout, Storage};
use plinth_stream_commands::stream::Stream;
use std::cell::Cell;
use std::ops::{ControlFlow, RangeInclusive};

/// As by default, whatever the parameters are where there is no module.
const LAYOUT: Layout = Layout { node_bytes: 4096, node_entries: 100 };

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

    fn append<'t>(&mut self, _: Layout, id: Id, fields: impl ExactSizeIterator<Item = &'t [u8]> + Clone) {
        self.0.append(LAYOUT, id, fields);
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

/// A stream of which a group has read all and acknowledged what `is_pending` does not say; what that says
/// was removed, and is pending nevertheless.
fn with_dangling(is_pending: fn(u64) -> bool) -> Stream<Counted> {
    let mut stream = Stream::<Counted>::default();
    (1..=5000).for_each(|ms| stream.append(Id::new(ms, 0), [b"f".as_slice(), b"v"].into_iter()));
    stream.make_group(b"g", Id::new(5000, 0), None);
    let mut group = stream.group_mut(b"g").unwrap();
    let (consumer, _) = group.find_or_make(b"c", 1);
    let nack = Nack { consumer, delivered_ms: 1, deliveries: 1 };
    let ids = (1..=5000).filter(|ms| is_pending(*ms)).map(|ms| Id::new(ms, 0));
    ids.clone().for_each(|id| group.deliver(id, nack));
    drop(group);
    ids.for_each(|id| assert!(stream.remove(id)));
    stream
}

#[test]
fn an_id_that_is_pending_without_an_entry_holds_no_trim_up() {
    for is_pending in [|ms| ms == 50, |ms| ms <= 4000, |ms| ms % 1000 > 500, |ms| ms == 5000] {
        let mut stream = with_dangling(is_pending);
        let before = stream.len();
        let trimmed = stream.cut_minding(References::Acked, Keep::Count(0), true, 0);
        assert!(trimmed + 200 > before, "{trimmed} of {before}");
        // One that has an entry does.
        let mut stream = with_dangling(is_pending);
        stream.append(Id::new(6000, 0), [b"f".as_slice(), b"v"].into_iter());
        let mut group = stream.group_mut(b"g").unwrap();
        group.set_last(Id::new(6000, 0), None);
        let consumer = group.find_or_make(b"c", 1).0;
        group.deliver(Id::new(6000, 0), Nack { consumer, delivered_ms: 1, deliveries: 1 });
        drop(group);
        stream.cut_minding(References::Acked, Keep::Count(0), true, 0);
        assert!(stream.log().contains(Id::new(6000, 0)));
    }
}

#[test]
fn a_trim_passes_over_so_many_ids_without_an_entry_and_no_more() {
    let mut stream = with_dangling(|ms| ms % 2 == 0 && ms > 1000);
    stream.log().1.set(0);
    let trimmed = stream.cut_minding(References::Acked, Keep::Count(0), true, 0);
    assert!(trimmed >= 1000, "{trimmed} went");
    assert!(stream.log().1.get() <= 1024, "{} entries were looked at", stream.log().1.get());
    while stream.cut_minding(References::Acked, Keep::Count(0), true, 0) > 0 {}
    assert!(stream.len() < 200, "{} entries are left", stream.len());
}
