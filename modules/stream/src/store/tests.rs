//! The storage against a model: a map from ids to fields.

use super::*;
use plinth_stream_commands::storage::Value;
use proptest::prelude::*;
use std::collections::BTreeMap;

type Fields = Vec<Vec<u8>>;
type Model = BTreeMap<Id, Fields>;

const SMALL: Layout = Layout { node_bytes: 0, node_entries: 3 };

fn append(log: &mut PackTree, layout: Layout, id: Id, fields: &[Vec<u8>]) {
    log.append(layout, id, fields.iter().map(Vec::as_slice));
}

fn owned<'s>(fields: impl Iterator<Item = Value<'s>>) -> Fields {
    fields.map(Value::to_vec).collect()
}

fn entries(log: &PackTree, ids: RangeInclusive<Id>, back: bool) -> Vec<(Id, Fields)> {
    let mut all = Vec::new();
    let add = |id, fields: super::Fields<'_>| {
        assert_eq!(fields.len(), fields.clone().count());
        all.push((id, owned(fields)));
        ControlFlow::<()>::Continue(())
    };
    let _ = if back { log.visit_back(ids, add) } else { log.visit(ids, add) };
    all
}

fn all(log: &PackTree) -> Model {
    let all = entries(log, Id::MIN..=Id::MAX, false);
    let len = all.len();
    let model: Model = all.into_iter().collect();
    assert_eq!(model.len(), len);
    model
}

fn two(seq: u64) -> Fields {
    vec![b"name".to_vec(), format!("value{seq}").into_bytes()]
}

/// A log of so many entries, and what is in it.
fn counted(count: u64, layout: Layout) -> (PackTree, Model) {
    let (mut log, mut model) = (PackTree::new(), Model::new());
    for seq in 1..=count {
        let (id, fields) = (Id::new(seq / 7, seq), two(seq));
        append(&mut log, layout, id, &fields);
        model.insert(id, fields);
    }
    (log, model)
}

#[test]
fn names_that_are_said_to_be_the_same_are_not_compared() {
    let (mut log, ids) = (PackTree::new(), [1, 2, 3, 4, 5].map(|seq| Id::new(1, seq)));
    let names = |log: &PackTree, id: Id| all(log)[&id][0].clone();
    append(&mut log, Layout { node_bytes: 0, node_entries: 0 }, ids[0], &two(1));
    // Said wrongly, to show that nobody looks.
    let other = [b"other".as_slice(), b"value"];
    log.append_same(Layout { node_bytes: 0, node_entries: 0 }, ids[1], other.into_iter());
    assert_eq!(names(&log, ids[1]), b"name");
    // Behind an entry of its own names, and where the last one has gone, it is not known what they are.
    log.append(Layout { node_bytes: 0, node_entries: 0 }, ids[2], other.into_iter());
    log.append_same(Layout { node_bytes: 0, node_entries: 0 }, ids[3], other.into_iter());
    assert_eq!(names(&log, ids[3]), b"other");
    log.remove(ids[3]);
    log.append_same(Layout { node_bytes: 0, node_entries: 0 }, ids[4], other.into_iter());
    assert_eq!(names(&log, ids[4]), b"other");
    log.check();
}

#[test]
fn it_does_what_a_storage_does() {
    plinth_stream_commands::storage::conformance::run::<PackTree>();
}

#[test]
fn ids_at_both_ends_are_kept() {
    let ids = [
        Id::new(0, 1),
        Id::new(0, u64::MAX),
        Id::new(1, 0),
        Id::new(1, 1),
        Id::new(1, u64::MAX),
        Id::new(33, 5),
        Id::new(u64::MAX - 1, u64::MAX),
        Id::new(u64::MAX, 0),
        Id::MAX,
    ];
    for start in 0..ids.len() {
        let mut log = PackTree::new();
        ids[start..].iter().for_each(|id| append(&mut log, Layout { node_bytes: 0, node_entries: 0 }, *id, &two(1)));
        log.check();
        assert!(all(&log).into_keys().eq(ids[start..].iter().copied()));
        for (at, id) in ids.iter().enumerate().skip(start) {
            assert_eq!(log.contains(*id), at >= start);
        }
        // Without every other one, the rest is told by differences to what is gone.
        for id in ids[start..].iter().skip(1).step_by(2) {
            assert!(log.remove(*id));
            log.check();
        }
        assert!(all(&log).into_keys().eq(ids[start..].iter().copied().step_by(2)));
    }
}

#[test]
fn entries_of_any_size_read_back() {
    let sizes = [0, 1, 126, 127, 128, 129, 16_383, 16_384, 65_535, 65_536, 200_000];
    let mut log = PackTree::new();
    let layout = Layout { node_bytes: 4096, node_entries: 100 };
    for (at, size) in sizes.into_iter().enumerate() {
        append(&mut log, layout, Id::new(2 + at as u64, 0), &[vec![b'n'; size], vec![b'x'; size]]);
        append(&mut log, layout, Id::new(2 + at as u64, 1), &[b"f".to_vec(), vec![b'x'; size]]);
        append(&mut log, layout, Id::new(2 + at as u64, 2), &[b"f".to_vec(), vec![b'x'; size]]);
    }
    log.check();
    for (at, size) in sizes.into_iter().enumerate() {
        let id = Id::new(2 + at as u64, 0);
        assert_eq!(entries(&log, id..=id, false)[0].1, [vec![b'n'; size], vec![b'x'; size]]);
        let id = Id::new(2 + at as u64, 2);
        assert_eq!(entries(&log, id..=id, true)[0].1, [b"f".to_vec(), vec![b'x'; size]]);
    }
}

#[test]
fn an_entry_of_a_hundred_thousand_fields_reads_back() {
    let fields: Fields = (0..200_000).map(|number| format!("{number}").into_bytes()).collect();
    let mut log = PackTree::new();
    for seq in 1..4 {
        append(&mut log, SMALL, Id::new(0, seq), &fields[..]);
        append(&mut log, SMALL, Id::new(1, seq), &two(seq));
    }
    assert_eq!(entries(&log, Id::new(0, 2)..=Id::new(0, 2), true)[0].1, fields);
}

#[test]
fn a_small_entry_takes_less_than_twelve_bytes() {
    let layout = Layout { node_bytes: 4096, node_entries: 100 };
    let fields = [b"f1".to_vec(), b"v1".to_vec(), b"f2".to_vec(), b"v2".to_vec()];
    let mut log = PackTree::new();
    (0..100_000).for_each(|ms| append(&mut log, layout, Id::new(1_700_000_000_000 + ms, 0), &fields));
    assert_eq!(log.nodes(), 1000);
    assert!(log.memory() < 9 * log.len(), "{} bytes", log.memory());
}

#[test]
fn a_log_cut_to_any_count_has_the_rest() {
    for count in [1, 3, 4, 63 * 3, 64 * 3 + 1, 64 * 64 * 3 + 10] {
        for cut in [0, 1, 2, 3, 5, 64 * 3, count / 2, count - 1, count].into_iter().filter(|cut| *cut <= count) {
            let (mut log, mut model) = counted(count, SMALL);
            let front = log.cut(Keep::Count((count - cut) as usize), false, 0);
            log.check();
            front.check();
            assert_eq!((front.len() as u64, log.len() as u64), (cut, count - cut));
            let rest = model.split_off(&model.keys().nth(cut as usize).copied().unwrap_or(Id::MAX));
            assert_eq!((all(&front), all(&log)), (model, rest));
        }
    }
}

#[test]
fn pieces_are_the_packs_in_turn() {
    for count in [1, 3, 4, 64 * 3, 64 * 3 + 1, 64 * 64 * 3 + 10] {
        let (mut log, model) = counted(count, SMALL);
        let ids: Vec<Id> = model.into_keys().collect();
        let starts = |log: &PackTree| -> Vec<Id> {
            std::iter::successors(log.first(), |start| log.next_piece(*start)).collect()
        };
        assert!(starts(&log).iter().eq(ids.iter().step_by(3)));
        // Between packs of which the first ones are gone, from the middle of one.
        log.cut(Keep::Count(ids.len() / 2), false, 0);
        assert_eq!(starts(&log).len(), log.nodes());
        assert_eq!(log.next_piece(Id::MIN), log.first().filter(|_| log.nodes() > 0));
    }
}

#[test]
fn names_that_are_long_are_kept_once() {
    let fields = [vec![b'n'; 1 << 20], b"v".to_vec()];
    let mut log = PackTree::new();
    (1..2000).for_each(|seq| append(&mut log, Layout { node_bytes: 0, node_entries: 0 }, Id::new(0, seq), &fields));
    assert!(log.memory() < 2 << 20, "{} bytes", log.memory());
}

#[test]
fn a_log_whose_packs_are_removed_one_by_one_gives_all_back() {
    let (mut log, model) = counted(64 * 64 * 3 + 10, SMALL);
    let ids: Vec<Id> = model.into_keys().collect();
    for step in (0..7).rev() {
        for id in ids.iter().skip(step).step_by(7) {
            assert!(log.remove(*id) && !log.remove(*id));
        }
        log.check();
    }
    assert_eq!((log.len(), log.memory(), log.nodes(), log.first(), log.last()), (0, 0, 0, None, None));
}

#[derive(Clone, Debug)]
enum Step {
    Append { ms: u64, seq: u64, fields: Fields },
    Remove(prop::sample::Index),
    RemoveAbsent(Id),
    Cut { keep: prop::sample::Index, by_id: bool, whole: bool, limit: usize },
    Visit(prop::sample::Index, prop::sample::Index),
    Copy,
}

fn fields() -> impl Strategy<Value = Fields> {
    let text = prop_oneof![
        4 => "[a-c]{1,2}".prop_map(String::into_bytes),
        1 => any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        1 => proptest::collection::vec(any::<u8>(), 0..140),
    ];
    let own = proptest::collection::vec((text.clone(), text.clone()), 1..4)
        .prop_map(|pairs| pairs.into_iter().flat_map(|(name, value)| [name, value]).collect());
    let same = (text.clone(), text).prop_map(|(one, other)| vec![b"one".to_vec(), one, b"two".to_vec(), other]);
    prop_oneof![3 => same, 1 => own]
}

fn step() -> impl Strategy<Value = Step> {
    let ms = prop_oneof![3 => Just(0), 2 => 1..3_u64, 1 => 25..40_u64, 1 => 0..u64::MAX / 8];
    let seq = prop_oneof![3 => Just(0), 1 => 0..300_u64, 1 => any::<u64>()];
    let any_id = (0..4_u64, 0..4_u64).prop_map(|(ms, seq)| Id::new(ms, seq));
    prop_oneof![
        12 => (ms, seq, fields()).prop_map(|(ms, seq, fields)| Step::Append { ms, seq, fields }),
        6 => any::<prop::sample::Index>().prop_map(Step::Remove),
        1 => any_id.prop_map(Step::RemoveAbsent),
        1 => (any::<prop::sample::Index>(), any::<bool>(), any::<bool>(), 0..8_usize)
            .prop_map(|(keep, by_id, whole, limit)| Step::Cut { keep, by_id, whole, limit }),
        2 => (any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(|(one, other)| Step::Visit(one, other)),
        1 => Just(Step::Copy),
    ]
}

/// An id among those of the model, or beside one.
fn near(model: &Model, at: prop::sample::Index) -> Id {
    let which = at.index(3 * model.len() + 1);
    let id = model.keys().nth(which / 3).copied().unwrap_or(Id::MAX);
    match which % 3 {
        0 => id,
        1 => id.next().unwrap_or(id),
        _ => id.previous().unwrap_or(id),
    }
}

fn cut(log: &mut PackTree, model: &mut Model, keep: Keep, whole: bool, limit: usize) {
    let start = match keep {
        Keep::Count(count) => model.keys().rev().nth(count.wrapping_sub(1)).copied(),
        Keep::From(id) => Some(id),
    };
    let start = match (keep, start) {
        (Keep::Count(0), _) => Id::MAX,
        (_, Some(start)) => start,
        _ => Id::MIN,
    };
    let mut rest = model.split_off(&start);
    if matches!(keep, Keep::Count(0)) {
        model.append(&mut rest);
    }
    let front = log.cut(keep, whole, limit);
    front.check();
    if whole {
        // As many as it says, from the front on, and no more than was asked for.
        assert!(front.len() <= model.len() && (limit == 0 || front.len() <= limit));
        let kept = model.keys().nth(front.len()).copied();
        if let Some(kept) = kept {
            let mut kept = model.split_off(&kept);
            rest.append(&mut kept);
        }
    }
    assert_eq!(&all(&front), model);
    *model = rest;
}

fn run(steps: Vec<Step>, layout: Layout) {
    let (mut log, mut model) = (PackTree::new(), Model::new());
    let mut last = Id::MIN;
    for step in steps {
        match step {
            Step::Append { ms, seq, fields } => {
                let id = match last.ms.checked_add(ms) {
                    Some(later) if ms > 0 => Id::new(later, seq),
                    _ => Id::new(last.ms, last.seq.saturating_add(seq).saturating_add(1)),
                };
                if id > last {
                    last = id;
                    append(&mut log, layout, id, &fields);
                    model.insert(id, fields);
                }
            }
            Step::Remove(at) => {
                let id = near(&model, at);
                assert_eq!(log.remove(id), model.remove(&id).is_some());
            }
            Step::RemoveAbsent(id) => assert_eq!(log.remove(id), model.remove(&id).is_some()),
            Step::Cut { keep, by_id: true, whole, limit } => {
                let id = near(&model, keep);
                cut(&mut log, &mut model, Keep::From(id), whole, limit);
            }
            Step::Cut { keep, by_id: false, whole, limit } => {
                let count = keep.index(model.len() + 2);
                cut(&mut log, &mut model, Keep::Count(count), whole, limit);
            }
            Step::Visit(one, other) => {
                let ids = near(&model, one)..=near(&model, other);
                let expected =
                    model.iter().filter(|(id, _)| ids.contains(id)).map(|(id, fields)| (*id, fields.clone()));
                let mut expected: Vec<_> = expected.collect();
                assert_eq!(entries(&log, ids.clone(), false), expected);
                expected.reverse();
                assert_eq!(entries(&log, ids, true), expected);
            }
            Step::Copy => log = log.copy().unwrap_or_default(),
        }
        log.check();
        assert_eq!(log.len(), model.len());
        assert_eq!(log.first(), model.keys().next().copied());
        assert_eq!(log.last(), model.keys().next_back().copied());
    }
    assert_eq!(all(&log), model);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn a_log_is_its_model(
        steps in proptest::collection::vec(step(), 0..400),
        node_entries in prop_oneof![Just(0), Just(1), 2..20_usize],
        node_bytes in prop_oneof![Just(0), 10..600_usize],
    ) {
        run(steps, Layout { node_bytes, node_entries });
    }
}
