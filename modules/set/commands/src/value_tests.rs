//! Claims about sets in all forms, with a plain set as the model and as the storage.

use super::*;
use crate::storage::member;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// The plainest storage: texts in order. A cursor is a position from the end, so that what is
/// removed before it shifts nothing behind it; enough where nothing changes between steps.
pub(crate) struct Plain(BTreeSet<Vec<u8>>, Vec<Vec<u8>>);

impl Storage for Plain {
    fn new() -> Result<Plain> {
        Ok(Plain(BTreeSet::new(), Vec::new()))
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn contains(&self, member: Value<'_>) -> bool {
        self.0.contains(&member.to_vec())
    }

    fn insert(&mut self, member: Value<'_>) -> Result<bool> {
        let added = self.0.insert(member.to_vec());
        self.1 = self.0.iter().cloned().collect();
        Ok(added)
    }

    fn remove(&mut self, member: Value<'_>) -> bool {
        let removed = self.0.remove(&member.to_vec());
        self.1 = self.0.iter().cloned().collect();
        removed
    }

    fn scan(&self, cursor: u64, mut visit: impl FnMut(Value<'_>)) -> u64 {
        let Some(text) = self.1.get(cursor as usize) else { return 0 };
        visit(member(text));
        if cursor as usize + 1 < self.1.len() { cursor + 1 } else { 0 }
    }

    fn random(&self, mut random: impl FnMut() -> u64) -> Option<Value<'_>> {
        let index = (random() % self.1.len().max(1) as u64) as usize;
        self.1.get(index).map(|text| member(text))
    }

    fn memory(&self) -> usize {
        0
    }
}

type Set = Owned<Plain>;

const LIMITS: Limits = Limits { intset_entries: 8, pack_entries: 5, pack_value: 6 };

fn texts(set: &Set) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    set.view().for_each(|member| all.push(member.to_vec()));
    all.sort();
    all
}

fn set_of(texts: &[&str]) -> Set {
    let mut set = Set::new();
    for text in texts {
        insert(&mut set, member(text.as_bytes()), &LIMITS).unwrap();
    }
    set
}

fn form(set: &Set) -> &'static str {
    match set {
        Owned::Small(INTSET, _) => "intset",
        Owned::Small(..) => "pack",
        Owned::Large(_) => "large",
    }
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (-10i64..10).prop_map(|integer| integer.to_string().into_bytes()),
        1 => any::<i64>().prop_map(|integer| integer.to_string().into_bytes()),
        1 => (-70_000i64..70_000).prop_map(|integer| integer.to_string().into_bytes()),
        2 => proptest::collection::vec(b'a'..b'e', 0..3),
        1 => proptest::collection::vec(any::<u8>(), 0..9),
    ]
}

#[test]
fn forms_change_where_redis_changes_them() {
    let eight = ["1", "2", "3", "4", "5", "6", "7", "8"];
    assert_eq!(form(&set_of(&eight)), "intset");
    assert_eq!(form(&set_of(&[&eight[..], &["9"]].concat())), "large");
    assert_eq!(form(&set_of(&["1", "2", "3", "4", "x"])), "pack");
    assert_eq!(form(&set_of(&["1", "2", "3", "4", "5", "x"])), "large");
    assert_eq!(form(&set_of(&["a", "b", "c", "d", "e"])), "pack");
    assert_eq!(form(&set_of(&["a", "b", "c", "d", "e", "f"])), "large");
    assert_eq!(form(&set_of(&["abcdef"])), "pack");
    assert_eq!(form(&set_of(&["abcdefg"])), "large");
    assert_eq!(form(&set_of(&["1234567", "x"])), "large", "an integer whose digits are too long");
}

#[test]
fn a_set_that_limits_would_leave_in_an_entry_for_ever_moves_out_under_its_name() {
    let limits = Limits { intset_entries: 1 << 20, pack_entries: 1 << 20, pack_value: 64 };
    let mut ints = Set::new();
    for integer in 0..10_000 {
        insert(&mut ints, Value::Integer(integer), &limits).unwrap();
    }
    let Owned::Large(large) = &ints else { panic!("not large") };
    assert_eq!((large.called(), large.store().len()), (Called::Intset, 10_000));
    insert(&mut ints, Value::Text(b"x"), &limits).unwrap();
    let Owned::Large(large) = &ints else { panic!("not large") };
    assert_eq!(large.called(), Called::Pack);
}

#[test]
fn an_intset_widens_at_both_ends() {
    for far in [-40_000i64, 40_000, -3_000_000_000, 3_000_000_000] {
        let mut set = set_of(&["1", "2", "3"]);
        assert_eq!(insert(&mut set, Value::Integer(far), &LIMITS), Ok(true));
        assert_eq!(insert(&mut set, Value::Integer(far), &LIMITS), Ok(false));
        let Owned::Small(INTSET, bytes) = &set else { panic!("no intset") };
        let ints: Vec<i64> = Intset::new(bytes).iter().collect();
        let mut expected = vec![1, 2, 3, far];
        expected.sort_unstable();
        assert_eq!(ints, expected);
    }
}

proptest! {
    #[test]
    fn a_set_does_what_a_plain_set_does(steps in proptest::collection::vec((0u8..3, text()), 0..60)) {
        let (mut set, mut model) = (Set::new(), BTreeSet::new());
        for (step, text) in &steps {
            match step {
                0 | 1 => prop_assert_eq!(insert(&mut set, member(text), &LIMITS), Ok(model.insert(text.clone()))),
                _ => prop_assert_eq!(remove(&mut set, member(text)), Ok(model.remove(text))),
            }
            prop_assert_eq!(set.view().len(), model.len());
            prop_assert_eq!(set.view().contains(member(text)), model.contains(text));
        }
        prop_assert_eq!(texts(&set), model.iter().cloned().collect::<Vec<_>>());
        while let Some(picked) = set.view().random().map(Value::to_vec) {
            prop_assert!(model.contains(&picked));
            let mut taken = Vec::new();
            prop_assert_eq!(take_random(&mut set, |member| taken = member.to_vec()), Ok(true));
            prop_assert!(model.remove(&taken));
        }
        prop_assert!(model.is_empty());
    }

    #[test]
    fn a_selection_has_as_many_members_as_asked_for(
        members in proptest::collection::btree_set(text(), 1..30),
        count in 0usize..40,
    ) {
        let mut set = Set::new();
        for text in &members {
            insert(&mut set, member(text), &LIMITS).unwrap();
        }
        let mut shown = BTreeSet::new();
        set.view().select(count, |member| assert!(shown.insert(member.to_vec())));
        prop_assert_eq!(shown.len(), count.min(members.len()));
        prop_assert!(shown.is_subset(&members));
    }

    #[test]
    fn small_forms_of_any_bytes_are_read_without_a_panic(
        tag in 0u32..2,
        bytes in proptest::collection::vec(any::<u8>(), 0..60),
        text in text(),
    ) {
        let set = Set::Small(tag, bytes);
        let _ = (set.view().len(), set.view().contains(member(&text)), set.view().random().map(Value::to_vec));
        set.view().for_each(|_| ());
        set.view().select(3, |_| ());
    }
}
