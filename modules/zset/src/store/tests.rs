//! The storage against a model: a plain map, and a sorted copy of it.

use super::BlobTree;
use super::order::key_of;
use plinth_zset_commands::storage::{Cut, Storage, conformance};
use proptest::prelude::*;

/// Numbers that look random, the same each time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

fn set(store: &mut BlobTree, member: &[u8], score: f64) {
    store.update(member, |_| Some(score));
}

#[test]
fn it_does_what_a_storage_does() {
    conformance::run::<BlobTree>();
}

#[test]
fn random_arrivals_leave_leaves_four_fifths_full() {
    let mut store = BlobTree::default();
    let mut numbers = Numbers(1);
    for number in 0..50_000 {
        set(&mut store, format!("member:{number:08}").as_bytes(), numbers.next(1_000_000_000) as f64);
    }
    let (count, leaves) = store.tree.check();
    assert_eq!(count, 50_000);
    assert!(count * 100 / (leaves * super::leaf::LEAF_SLOTS) >= 79, "{count} in {leaves} leaves");
    assert!(store.memory_bytes() / count < 50, "{} bytes each", store.memory_bytes() / count);
}

#[test]
fn arrivals_in_order_leave_full_leaves() {
    let mut store = BlobTree::default();
    for number in 0..20_000_u32 {
        set(&mut store, &number.to_be_bytes(), f64::from(number));
    }
    let (count, leaves) = store.tree.check();
    assert!(leaves <= count / super::leaf::LEAF_SLOTS + 400, "{count} in {leaves} leaves");
}

#[test]
fn removals_give_memory_back() {
    let mut store = BlobTree::default();
    let mut numbers = Numbers(2);
    for number in 0..20_000_u32 {
        set(&mut store, &number.to_be_bytes(), numbers.next(1000) as f64);
    }
    let full = store.memory_bytes();
    for number in (0..20_000_u32).filter(|number| number % 20 != 0) {
        assert!(store.remove(&number.to_be_bytes()).is_some());
    }
    assert_eq!(store.tree.check().0, 1000);
    assert!(store.memory_bytes() < full / 8, "{} of {full}", store.memory_bytes());
    while store.len() > 0 {
        store.remove_at(store.len() / 2, &mut |_, _| {});
    }
    assert_eq!(store.tree.check(), (0, 1));
}

#[derive(Clone, Debug)]
enum Step {
    Set(u16, i8),
    Remove(u16),
    RemoveAt(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..2000_u16, any::<i8>()).prop_map(|(member, score)| Step::Set(member, score)),
        3 => (0..2000_u16).prop_map(Step::Remove),
        1 => any::<u16>().prop_map(Step::RemoveAt),
    ]
}

fn sorted(model: &std::collections::BTreeMap<Vec<u8>, f64>) -> Vec<(u64, Vec<u8>)> {
    let mut all: Vec<_> = model.iter().map(|(member, score)| (key_of(*score), member.clone())).collect();
    all.sort();
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn it_does_what_a_sorted_map_does(steps in proptest::collection::vec(step(), 0..3000), scale in 0..3_u32) {
        let mut store = BlobTree::default();
        let mut model = std::collections::BTreeMap::new();
        // Scores that are few, or the same, or far apart.
        let score_of = |score: i8| match scale {
            0 => f64::from(score),
            1 => 0.0,
            _ => f64::from(score).powi(151),
        };
        for (number, step) in steps.iter().enumerate() {
            match step {
                Step::Set(member, score) => {
                    let (member, score) = (member.to_string().into_bytes(), score_of(*score));
                    let mut before = None;
                    store.update(&member, |old| { before = old; Some(score) });
                    prop_assert_eq!(before, model.insert(member, score));
                }
                Step::Remove(member) => {
                    let member = member.to_string().into_bytes();
                    prop_assert_eq!(store.remove(&member), model.remove(&member));
                }
                Step::RemoveAt(_) if model.is_empty() => {}
                Step::RemoveAt(rank) => {
                    let rank = usize::from(*rank) % model.len();
                    let expected = sorted(&model).swap_remove(rank).1;
                    store.remove_at(rank, &mut |member, _| assert_eq!(member, expected));
                    model.remove(&expected);
                }
            }
            if number % 500 == 0 {
                store.tree.check();
            }
        }
        prop_assert_eq!(store.tree.check().0, model.len());
        let all = sorted(&model);
        let mut visited = Vec::new();
        store.visit(0..all.len(), false, &mut |member, score| visited.push((key_of(score), member.to_vec())));
        prop_assert_eq!(&visited, &all);
        for (rank, (key, member)) in all.iter().enumerate().step_by(7) {
            prop_assert_eq!(store.rank(member).map(|(rank, score)| (rank, key_of(score))), Some((rank, *key)));
            let score = model[member];
            for behind in [false, true] {
                let expected = all.partition_point(|(other, _)| if behind { other <= key } else { other < key });
                prop_assert_eq!(store.count_before(Cut::Score { score, behind }), expected);
            }
        }
    }
}
