//! What every storage must do, as a test: [`run`]`::<TheirStorage>()` from a `#[test]`.
//!
//! A storage and a plain sorted list are given the same few thousand changes, and asked everything
//! after each hundred of them.

use super::{Cut, Storage};
use std::collections::HashSet;

/// Elements in order: the model.
type Sorted = Vec<(f64, Vec<u8>)>;

/// Tests a storage.
///
/// # Panics
/// When it does not do what [`Storage`] says.
pub fn run<S: Storage>() {
    for (scores, seed) in [(1, 1), (7, 2), (100_000, 3)] {
        changes_show::<S>(scores, seed);
    }
    a_scan_misses_nothing::<S>();
    odd_scores_are_in_order::<S>();
}

/// Numbers that look random, the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn changes_show<S: Storage>(scores: u64, seed: u64) {
    let (mut store, mut model, mut numbers) = (S::default(), Sorted::new(), Numbers(seed));
    for number in 0..4000 {
        let member = format!("m{}", numbers.below(900)).into_bytes();
        let known = model.iter().position(|element| element.1 == member);
        if numbers.below(10) < 6 {
            let score = numbers.below(scores) as f64 - scores as f64 / 2.0;
            let mut before = None;
            store.update(&member, |old| {
                before = old;
                Some(score)
            });
            assert_eq!(before, known.map(|at| model.remove(at).0));
            let at = model.partition_point(|element| *element < (score, member.clone()));
            model.insert(at, (score, member));
        } else if numbers.below(2) == 0 && !model.is_empty() {
            let rank = numbers.below(model.len() as u64) as usize;
            let expected = model.remove(rank);
            store.remove_at(rank, &mut |member, score| assert_eq!((score, member), (expected.0, &expected.1[..])));
        } else {
            assert_eq!(store.remove(&member), known.map(|at| model.remove(at).0));
        }
        assert_eq!((store.len(), store.is_empty()), (model.len(), model.is_empty()));
        if number % 100 == 0 {
            compare(&store, &model);
        }
    }
}

fn collected<S: Storage>(store: &S, range: std::ops::Range<usize>, reverse: bool) -> Sorted {
    let mut visited = Sorted::new();
    store.visit(range, reverse, &mut |member, score| visited.push((score, member.to_vec())));
    visited
}

fn compare<S: Storage>(store: &S, model: &Sorted) {
    let len = model.len();
    assert_eq!(&collected(store, 0..len, false), model);
    let mut turned = model.clone();
    turned.reverse();
    assert_eq!(collected(store, 0..len, true), turned);
    for (start, end) in [(0, len / 2), (len / 3, len), (len / 4, len - len / 4), (len / 2, len / 2)] {
        assert_eq!(collected(store, start..end, false), model[start..end]);
        assert_eq!(collected(store, start..end, true), turned[len - end..len - start]);
    }
    for (rank, (score, member)) in model.iter().enumerate() {
        assert_eq!(store.rank(member), Some((rank, *score)));
        assert_eq!(store.score(member), Some(*score));
        for behind in [false, true] {
            let cut = Cut::Score { score: *score, behind };
            assert_eq!(store.count_before(cut), model.partition_point(|(score, member)| cut.is_behind(member, *score)));
        }
    }
    if model.first().map(|first| first.0) == model.last().map(|last| last.0) {
        for (behind, member) in [(false, &b"m3"[..]), (true, b"m5"), (false, b""), (true, b"n")] {
            let cut = Cut::Member { member, behind };
            assert_eq!(store.count_before(cut), model.partition_point(|(score, member)| cut.is_behind(member, *score)));
        }
    }
    assert_eq!((store.score(b"absent"), store.rank(b"absent")), (None, None));
    assert!(len == 0 || store.memory_bytes() >= len * 8);
}

fn a_scan_misses_nothing<S: Storage>() {
    let (mut store, mut numbers) = (S::default(), Numbers(4));
    let stays: Vec<Vec<u8>> = (0..500).map(|number| format!("stay{number}").into_bytes()).collect();
    for member in &stays {
        store.update(member, |_| Some(1.0));
    }
    let (mut seen, mut cursor, mut steps) = (HashSet::new(), 0, 0);
    loop {
        cursor = store.scan(cursor, &mut |member, _| {
            seen.insert(member.to_vec());
        });
        if cursor == 0 {
            break;
        }
        steps += 1;
        assert!(steps < 100_000, "the scan does not end");
        for _ in 0..3 {
            let member = format!("comes{}", numbers.below(2000)).into_bytes();
            if steps % 300 < 150 {
                store.update(&member, |_| Some(2.0));
            } else {
                store.remove(&member);
            }
        }
    }
    assert!(stays.iter().all(|member| seen.contains(member)));
    for cursor in [1, 77, u64::MAX, 1 << 40] {
        store.scan(cursor, &mut |_, _| {});
    }
}

fn odd_scores_are_in_order<S: Storage>() {
    let mut store = S::default();
    let scores = [f64::NEG_INFINITY, f64::MIN, -5e-324, 0.0, 5e-324, f64::MAX, f64::INFINITY];
    for (number, score) in scores.iter().enumerate().rev() {
        store.update(&[number as u8], |_| Some(*score));
    }
    store.update(&[9], |_| Some(-0.0));
    store.update(&[9], |old| old.filter(|_| false));
    let order: Vec<u8> = collected(&store, 0..8, false).iter().map(|element| element.1[0]).collect();
    assert_eq!(order, [0, 1, 2, 3, 9, 4, 5, 6]);
    let long = vec![b'x'; 100_000];
    store.update(&long, |_| Some(1.0));
    assert_eq!(store.score(&long), Some(1.0));
}
