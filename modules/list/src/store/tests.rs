//! The store against a plain deque of texts, operation by operation.

use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

type Model = VecDeque<Vec<u8>>;

#[derive(Clone, Debug)]
enum Step {
    PushFront(Vec<u8>),
    PushBack(Vec<u8>),
    Fill(Vec<u8>, u8),
    PopFront(u8),
    PopBack(u8),
    Set(prop::sample::Index, Vec<u8>),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, u8),
    RemoveEqual(Vec<u8>, u8, bool),
    Split(prop::sample::Index, bool),
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (0i64..20).prop_map(|integer| integer.to_string().into_bytes()),
        2 => any::<i64>().prop_map(|integer| integer.to_string().into_bytes()),
        4 => "[ab]{0,3}".prop_map(String::into_bytes),
        2 => prop::collection::vec(any::<u8>(), 0..60),
        1 => (100usize..400, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => text().prop_map(Step::PushFront),
        4 => text().prop_map(Step::PushBack),
        3 => (text(), any::<u8>()).prop_map(|(text, count)| Step::Fill(text, count)),
        2 => any::<u8>().prop_map(Step::PopFront),
        2 => any::<u8>().prop_map(Step::PopBack),
        3 => (index(), text()).prop_map(|(at, text)| Step::Set(at, text)),
        6 => (index(), text()).prop_map(|(at, text)| Step::Insert(at, text)),
        3 => (index(), 1u8..40).prop_map(|(at, count)| Step::Remove(at, count)),
        2 => (text(), 1u8..30, any::<bool>()).prop_map(|(text, max, back)| Step::RemoveEqual(text, max, back)),
        1 => (index(), any::<bool>()).prop_map(|(at, keep)| Step::Split(at, keep)),
    ]
}

fn owned(value: Value<'_>) -> Vec<u8> {
    value.to_vec()
}

fn all(deque: &Deque) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let _ = deque.visit(0, |value| {
        all.push(value.to_vec());
        ControlFlow::<()>::Continue(())
    });
    all
}

fn pop(count: u8, mut one: impl FnMut() -> Option<Vec<u8>>, mut model: impl FnMut() -> Option<Vec<u8>>) {
    for _ in 0..count % 100 {
        assert_eq!(one(), model());
    }
}

fn remove_equal(model: &mut Model, text: &[u8], max: usize, from_back: bool) -> usize {
    let found: Vec<usize> = (0..model.len()).filter(|&at| model[at] == text).collect();
    let gone: Vec<usize> =
        if from_back { found.into_iter().rev().take(max).collect() } else { found.into_iter().take(max).collect() };
    let mut sorted = gone.clone();
    sorted.sort_unstable();
    for at in sorted.into_iter().rev() {
        model.remove(at);
    }
    gone.len()
}

fn apply(deque: &mut Deque, model: &mut Model, step: Step) {
    match step {
        Step::PushFront(text) => {
            deque.push_front(&text);
            model.push_front(text);
        }
        Step::PushBack(text) => {
            deque.push_back(&text);
            model.push_back(text);
        }
        Step::Fill(text, count) => {
            for at in 0..count {
                let text = [text.as_slice(), &[at]].concat();
                deque.push_back(&text);
                model.push_back(text);
            }
        }
        Step::PopFront(count) => pop(count, || deque.pop_front(owned), || model.pop_front()),
        Step::PopBack(count) => pop(count, || deque.pop_back(owned), || model.pop_back()),
        Step::Set(at, text) if !model.is_empty() => {
            let at = at.index(model.len());
            assert!(deque.set(at, &text));
            model[at] = text;
        }
        Step::Set(at, text) => assert!(!deque.set(at.index(5), &text)),
        Step::Insert(at, text) => {
            let at = at.index(model.len() + 1);
            assert!(deque.insert(at, &text));
            model.insert(at, text);
        }
        Step::Remove(at, count) => {
            let at = at.index(model.len() + 1);
            for _ in 0..count {
                assert_eq!(deque.remove(at), model.remove(at).is_some());
            }
        }
        Step::RemoveEqual(text, max, from_back) => {
            let removed = deque.remove_equal(&text, max as usize, from_back);
            assert_eq!(removed, remove_equal(model, &text, max as usize, from_back));
        }
        Step::Split(at, keeps_front) => {
            let at = at.index(model.len() + 1);
            let right = deque.split_off(at);
            let model_right = model.split_off(at);
            assert_eq!((right.len(), deque.len()), (model_right.len(), model.len()));
            assert_eq!(all(&right), Vec::from(model_right.clone()));
            if !keeps_front {
                (*deque, *model) = (right, model_right);
            }
        }
    }
}

fn check(deque: &Deque, model: &Model) {
    assert_eq!(deque.len(), model.len());
    assert_eq!(all(deque), model.iter().cloned().collect::<Vec<_>>());
    for at in (0..model.len()).step_by(7) {
        assert_eq!(deque.get(at, owned).as_ref(), model.get(at));
        let mut from = Vec::new();
        let _ = deque.visit(at, |value| {
            from.push(value.to_vec());
            if from.len() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(from, model.iter().skip(at).take(3).cloned().collect::<Vec<_>>());
        let mut back = Vec::new();
        let _ = deque.visit_back(at, |value| {
            back.push(value.to_vec());
            if back.len() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(back, model.iter().take(at).rev().take(3).cloned().collect::<Vec<_>>());
    }
    assert_eq!(deque.get(model.len(), owned), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_deque_does_what_a_plain_one_does(
        steps in prop::collection::vec(step(), 1..120),
        node_bytes in prop::sample::select(vec![16u32, 64, 200, 4096]),
        raw_depth in 0u32..4,
    ) {
        let mut deque = Deque::new(Layout { node_bytes, raw_depth });
        let mut model = Model::new();
        for step in steps {
            apply(&mut deque, &mut model, step);
            prop_assert_eq!(deque.len(), model.len());
        }
        check(&deque, &model);
        check(&deque.clone(), &model);
    }
}

const LAYOUT: Layout = Layout { node_bytes: 4096, raw_depth: 0 };

#[test]
fn a_million_elements_of_16_bytes_take_17_bytes_and_little_more() {
    let mut deque = Deque::new(LAYOUT);
    for at in 0..1_000_000 {
        deque.push_back(format!("element:{at:08}").as_bytes());
    }
    let each = deque.memory() as f64 / 1e6;
    assert!((17.0..17.3).contains(&each), "{each} bytes an element");
    assert_eq!(deque.get(765_432, owned).unwrap(), b"element:00765432");
}

#[test]
fn compression_leaves_the_nodes_at_both_ends_alone() {
    let mut raw = Deque::new(LAYOUT);
    let mut packed = Deque::new(Layout { raw_depth: 1, ..LAYOUT });
    for at in 0..20_000 {
        raw.push_back(format!("element:{at:08}").as_bytes());
        packed.push_back(format!("element:{at:08}").as_bytes());
    }
    assert!(packed.memory() * 2 < raw.memory(), "{} of {}", packed.memory(), raw.memory());
    assert_eq!(all(&packed), all(&raw));
    let mut deep = Deque::new(Layout { raw_depth: 1000, ..LAYOUT });
    all(&raw).iter().for_each(|text| deep.push_front(text));
    assert!(deep.memory() > raw.memory() / 10 * 9);
}

#[test]
fn inserting_in_the_middle_leaves_nodes_at_least_half_full() {
    let mut deque = Deque::new(LAYOUT);
    for at in 0..100_000usize {
        deque.insert(at / 2, format!("element:{at:08}").as_bytes());
    }
    let each = deque.memory() as f64 / 1e5;
    assert!(each < 2.2 * 17.0, "{each} bytes an element");
}

#[test]
fn a_list_that_loses_nearly_all_elements_gives_its_memory_back() {
    let mut deque = Deque::new(LAYOUT);
    for at in 0..100_000usize {
        deque.push_back(if at % 50 == 0 { b"kept" } else { b"gone" });
    }
    assert_eq!(deque.remove_equal(b"gone", usize::MAX, false), 98_000);
    assert_eq!(deque.len(), 2_000);
    assert!(deque.memory() < 30_000, "{}", deque.memory());
}

#[test]
fn a_stack_at_the_back_reads_each_element_a_few_times_at_most() {
    let mut deque = Deque::new(LAYOUT);
    for round in 0..100_000usize {
        deque.push_back(b"a text of sixteen");
        deque.push_back(round.to_string().as_bytes());
        assert_eq!(deque.pop_back(owned).unwrap(), round.to_string().into_bytes());
    }
    assert_eq!(deque.len(), 100_000);
}
