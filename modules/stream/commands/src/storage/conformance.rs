//! What every storage must do, as a test: [`run`]`::<TheirStorage>()` from a `#[test]`.
//!
//! A storage and a map are given the same few thousand changes, and asked everything as they go.

use super::{Keep, Layout, Storage, Value};
use crate::id::Id;
use std::collections::BTreeMap;
use std::ops::{ControlFlow, RangeInclusive};

/// Names and values in turn.
type Fields = Vec<Vec<u8>>;
/// Entries in order: the model.
type Model = BTreeMap<Id, Fields>;

/// Tests a storage.
///
/// # Panics
/// When it does not do what [`Storage`] says.
pub fn run<S: Storage>() {
    let layouts = [(4096, 100), (0, 0), (0, 1), (300, 7)];
    for (seed, (node_bytes, node_entries)) in layouts.into_iter().enumerate() {
        changes_show::<S>(Layout { node_bytes, node_entries }, seed as u64 + 1);
    }
    ends_are_kept::<S>();
    sizes_are_kept::<S>();
    pieces_come_back::<S>();
}

/// Numbers that look random, the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit.max(1)
    }

    fn fields(&mut self) -> Fields {
        let number = self.below(1 << 20).to_string().into_bytes();
        match self.below(6) {
            0 => vec![b"other".to_vec(), number],
            1 => vec![number.clone(), vec![b'x'; self.below(300) as usize], b"007".to_vec(), number],
            _ => vec![b"one".to_vec(), number, b"two".to_vec(), Vec::new()],
        }
    }

    /// An id of the model, or one beside it.
    fn near(&mut self, model: &Model) -> Id {
        let at = self.below(model.len() as u64) as usize;
        let id = model.keys().nth(at).copied().unwrap_or(Id::new(5, 5));
        match self.below(4) {
            0 => id.next().unwrap_or(id),
            1 => id.previous().unwrap_or(id),
            _ => id,
        }
    }
}

fn append<S: Storage>(log: &mut S, layout: Layout, id: Id, fields: &Fields) {
    log.append(layout, id, fields.iter().map(Vec::as_slice));
}

fn visited<S: Storage>(log: &S, ids: RangeInclusive<Id>, back: bool, count: usize) -> Vec<(Id, Fields)> {
    let mut visited = Vec::new();
    let visit = |id, fields: S::Fields<'_>| {
        let expected = fields.len();
        let fields: Fields = fields.map(Value::to_vec).collect();
        assert_eq!(fields.len(), expected);
        visited.push((id, fields));
        if visited.len() == count { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let flow = if back { log.visit_back(ids, visit) } else { log.visit(ids, visit) };
    assert_eq!(flow.is_break(), visited.len() == count);
    visited
}

fn all<S: Storage>(log: &S) -> Model {
    visited(log, Id::MIN..=Id::MAX, false, usize::MAX).into_iter().collect()
}

fn changes_show<S: Storage>(layout: Layout, seed: u64) {
    let (mut log, mut model, mut numbers) = (S::new(), Model::new(), Numbers(seed));
    let mut last = Id::new(1, 1);
    for number in 0..6000 {
        match numbers.below(40) {
            0..=26 => {
                last = match numbers.below(4) {
                    0 => Id::new(last.ms + numbers.below(50) + 1, numbers.below(2)),
                    1 => Id::new(last.ms, last.seq + numbers.below(1000) + 1),
                    _ => Id::new(last.ms, last.seq + 1),
                };
                let fields = numbers.fields();
                let before = model.values().next_back().map(|fields| fields.iter().step_by(2));
                if before.is_some_and(|names| names.eq(fields.iter().step_by(2))) && numbers.below(2) == 0 {
                    log.append_same(layout, last, fields.iter().map(Vec::as_slice));
                } else {
                    append(&mut log, layout, last, &fields);
                }
                model.insert(last, fields);
            }
            27..=38 => {
                let id = numbers.near(&model);
                assert_eq!(log.remove(id), model.remove(&id).is_some());
            }
            _ if numbers.below(8) == 0 => cut(&mut log, &mut model, &mut numbers),
            _ => {}
        }
        assert_eq!((log.len(), log.is_empty()), (model.len(), model.is_empty()));
        assert_eq!((log.first(), log.last()), (model.keys().next().copied(), model.keys().next_back().copied()));
        if number % 50 == 0 {
            compare(&log, &model, &mut numbers);
        }
    }
    assert_eq!(all(&log), model);
    if let Some(copy) = log.copy() {
        assert_eq!((all(&copy), copy.len(), copy.nodes()), (model, log.len(), log.nodes()));
    }
    let len = log.len();
    let front = log.cut(Keep::Count(0), false, 0);
    assert_eq!((front.len(), log.len(), log.first(), log.last()), (len, 0, None, None));
}

/// Cuts by count or by id, to where it was asked for or by pieces.
fn cut<S: Storage>(log: &mut S, model: &mut Model, numbers: &mut Numbers) {
    let (keep, start) = if numbers.below(2) == 0 {
        let id = numbers.near(model);
        (Keep::From(id), id)
    } else {
        let gone = numbers.below(model.len() as u64 + 1) as usize;
        (Keep::Count(model.len() - gone), model.keys().nth(gone).copied().unwrap_or(Id::MAX))
    };
    let (whole, limit) = (numbers.below(2) == 0, numbers.below(2) as usize * 20);
    let mut rest = model.split_off(&start);
    let front = log.cut(keep, whole, limit);
    if whole {
        assert!(front.len() <= model.len() && (limit == 0 || front.len() <= limit));
        if let Some(kept) = model.keys().nth(front.len()).copied() {
            rest.append(&mut model.split_off(&kept));
        }
    }
    assert_eq!((front.len(), &all(&front)), (model.len(), &*model));
    *model = rest;
}

fn compare<S: Storage>(log: &S, model: &Model, numbers: &mut Numbers) {
    let (start, end) = (numbers.near(model), numbers.near(model));
    let inside = model.iter().filter(|(id, _)| (start..=end).contains(id));
    let mut expected: Vec<(Id, Fields)> = inside.map(|(id, fields)| (*id, fields.clone())).collect();
    let count = numbers.below(expected.len() as u64 + 2) as usize + 1;
    assert_eq!(visited(log, start..=end, false, count), expected[..count.min(expected.len())]);
    expected.reverse();
    assert_eq!(visited(log, start..=end, true, count), expected[..count.min(expected.len())]);
    assert_eq!((log.contains(start), log.contains(end)), (model.contains_key(&start), model.contains_key(&end)));
    let text: usize = model.values().flatten().map(Vec::len).sum();
    assert!(log.memory() >= text / 4 && (log.free_effort() > 0 || log.is_empty()));
}

fn ends_are_kept<S: Storage>() {
    let ids = [
        Id::new(0, 1),
        Id::new(0, u64::MAX),
        Id::new(1, 0),
        Id::new(1, u64::MAX),
        Id::new(u64::MAX - 1, u64::MAX),
        Id::new(u64::MAX, 0),
        Id::MAX,
    ];
    let layout = Layout { node_bytes: 0, node_entries: 0 };
    for start in 0..ids.len() {
        let mut log = S::new();
        let fields = vec![b"f".to_vec(), b"v".to_vec()];
        ids[start..].iter().for_each(|id| append(&mut log, layout, *id, &fields));
        assert!(ids.iter().enumerate().all(|(at, id)| log.contains(*id) == (at >= start)));
        ids[start..].iter().skip(1).step_by(2).for_each(|id| assert!(log.remove(*id)));
        assert!(all(&log).into_keys().eq(ids[start..].iter().step_by(2).copied()));
    }
}

fn sizes_are_kept<S: Storage>() {
    let mut log = S::new();
    let sizes = [0, 1, 63, 64, 127, 128, 16_383, 16_384, 65_535, 65_536, 300_000];
    let many: Fields = (0..40_000).map(|number| number.to_string().into_bytes()).collect();
    let mut model = Model::new();
    for size in sizes {
        let text = vec![b'x'; size];
        for fields in [vec![text.clone(), text.clone()], vec![b"f".to_vec(), text.clone()], vec![b"f".to_vec(), text]] {
            let id = Id::new(size as u64, model.len() as u64 + 1);
            append(&mut log, Layout { node_bytes: 4096, node_entries: 100 }, id, &fields);
            model.insert(id, fields);
        }
    }
    append(&mut log, Layout { node_bytes: 4096, node_entries: 100 }, Id::MAX, &many);
    model.insert(Id::MAX, many);
    assert_eq!(all(&log), model);
}

/// An entry that is to begin a piece does, so that the nodes of a file stay what they were.
fn pieces_come_back<S: Storage>() {
    let mut log = S::new();
    let lens = [3, 1, 5, 40];
    let mut seq = 0;
    for len in lens {
        for at in 0..len {
            seq += 1;
            let layout = Layout { node_bytes: 0, node_entries: usize::from(at == 0) };
            append(&mut log, layout, Id::new(1, seq), &vec![b"f".to_vec(), b"v".to_vec()]);
        }
    }
    let starts: Vec<Id> = std::iter::successors(log.first(), |start| log.next_piece(*start)).collect();
    if log.nodes() == lens.len() {
        assert_eq!(starts, [1, 4, 5, 10].map(|seq| Id::new(1, seq)));
    }
    assert!(starts.is_sorted() && starts.first() == Some(&Id::new(1, 1)));
}
