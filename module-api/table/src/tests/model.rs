//! The table against a plain map, under any sequence of operations and under hashes good and bad.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::Hashing;
use crate::table::Table;

/// The element stored for a key, of which there are two versions, for `replace`.
fn element(key: u64, version: bool) -> u64 {
    key << 1 | u64::from(version)
}

#[derive(Clone, Debug)]
enum Step {
    Insert { key: u64, mark: bool },
    Find { key: u64 },
    Replace { key: u64 },
    Mark { key: u64, mark: bool },
    SetInPlace { key: u64 },
    Remove { key: u64 },
    InsertMany { first: u64, count: u64 },
    RemoveMany { first: u64, count: u64 },
    Scan { steps: usize },
    Update { steps: usize },
    Take { count: usize },
    Clear,
    Presize { elements: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = || 0..600_u64;
    let step = prop_oneof![
        20 => (key(), any::<bool>()).prop_map(|(key, mark)| Step::Insert { key, mark }),
        6 => key().prop_map(|key| Step::Find { key }),
        6 => key().prop_map(|key| Step::Replace { key }),
        6 => (key(), any::<bool>()).prop_map(|(key, mark)| Step::Mark { key, mark }),
        6 => key().prop_map(|key| Step::SetInPlace { key }),
        15 => key().prop_map(|key| Step::Remove { key }),
        8 => (key(), 1..150_u64).prop_map(|(first, count)| Step::InsertMany { first, count }),
        5 => (key(), 1..250_u64).prop_map(|(first, count)| Step::RemoveMany { first, count }),
        15 => (1..8_usize).prop_map(|steps| Step::Scan { steps }),
        2 => (1..8_usize).prop_map(|steps| Step::Update { steps }),
        1 => (1..100_usize).prop_map(|count| Step::Take { count }),
        1 => Just(Step::Clear),
        2 => (0..700_usize).prop_map(|elements| Step::Presize { elements }),
    ];
    prop::collection::vec(step, 1..120)
}

/// A table, a map that should say the same, and an iteration that is under way.
struct Run {
    hashing: Hashing,
    table: Table<u64>,
    /// Key to version and mark.
    model: HashMap<u64, (bool, bool)>,
    cursor: u64,
    /// Keys that were there when the iteration began and have not been removed.
    stayed: HashSet<u64>,
    seen: HashSet<u64>,
}

impl Run {
    fn new(hashing: Hashing) -> Self {
        Run {
            hashing,
            table: Table::new(),
            model: HashMap::new(),
            cursor: 0,
            stayed: HashSet::new(),
            seen: HashSet::new(),
        }
    }

    fn insert(&mut self, key: u64, mark: bool) {
        if self.model.contains_key(&key) {
            return;
        }
        let hashing = self.hashing;
        let rehash = |element: u64| hashing.of(element >> 1);
        self.table.insert_new(hashing.of(key), element(key, false), mark, rehash);
        self.model.insert(key, (false, mark));
    }

    fn remove(&mut self, key: u64) {
        let removed = self.table.remove(self.hashing.of(key), |found| found >> 1 == key);
        let expected = self.model.remove(&key).map(|(version, _)| element(key, version));
        assert_eq!(removed, expected);
        self.stayed.remove(&key);
    }

    fn replace(&mut self, key: u64) {
        let version = self.model.get(&key).is_some_and(|(version, _)| *version);
        let (old, new) = (element(key, version), element(key, !version));
        let replaced = self.table.replace(self.hashing.of(key), old, new);
        assert_eq!(replaced, self.model.contains_key(&key));
        if let Some((version, _)) = self.model.get_mut(&key) {
            *version = !*version;
        }
    }

    fn mark(&mut self, key: u64, mark: bool) {
        let hash = self.hashing.of(key);
        let version = self.model.get(&key).is_some_and(|(version, _)| *version);
        let known = self.model.get_mut(&key).map(|entry| std::mem::replace(&mut entry.1, mark));
        assert_eq!(self.table.mark(hash, element(key, version)), known);
        assert_eq!(self.table.set_mark(hash, element(key, version), mark), known.is_some());
    }

    fn set_in_place(&mut self, key: u64) {
        let slot = self.table.find_slot(self.hashing.of(key), |found| found >> 1 == key);
        assert_eq!(slot.is_some(), self.model.contains_key(&key));
        if let (Some(mut slot), Some((version, mark))) = (slot, self.model.get_mut(&key)) {
            assert_eq!((slot.get(), slot.mark()), (element(key, *version), *mark));
            (*version, *mark) = (!*version, !*mark);
            slot.set(element(key, *version));
            slot.set_mark(*mark);
            assert_eq!((slot.get(), slot.mark()), (element(key, *version), *mark));
        }
    }

    fn scan(&mut self) {
        if self.cursor == 0 {
            self.stayed = self.model.keys().copied().collect();
            self.seen.clear();
        }
        let (model, seen) = (&self.model, &mut self.seen);
        let mut marked = Vec::new();
        let next_marked = self.table.scan_marked(self.cursor, |element| marked.push(element));
        let mut marked_too = Vec::new();
        self.cursor = self.table.scan(self.cursor, |found| {
            let (version, mark) = model[&(found >> 1)];
            assert_eq!(found, element(found >> 1, version));
            seen.insert(found >> 1);
            if mark {
                marked_too.push(found);
            }
        });
        assert_eq!((next_marked, marked), (self.cursor, marked_too));
        if self.cursor == 0 {
            assert!(self.stayed.is_subset(&self.seen), "a key that stayed was not visited");
        }
    }

    fn update(&mut self) {
        let model = &mut self.model;
        self.table.scan_update(self.cursor, |found| {
            if let Some((version, _)) = model.get_mut(&(found >> 1)) {
                *version = !*version;
            }
            found ^ 1
        });
    }

    fn take(&mut self, count: usize) {
        let expected = count.min(self.model.len());
        let (model, stayed) = (&mut self.model, &mut self.stayed);
        let taken = self.table.take_some(count, |found| {
            assert!(model.remove(&(found >> 1)).is_some(), "taken twice, or never there");
            stayed.remove(&(found >> 1));
        });
        assert_eq!(taken, expected);
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Insert { key, mark } => self.insert(key, mark),
            Step::Find { key } => {
                let found = self.table.find(self.hashing.of(key), |found| found >> 1 == key);
                let expected = self.model.get(&key).map(|(version, _)| element(key, *version));
                assert_eq!(found, expected);
            }
            Step::Replace { key } => self.replace(key),
            Step::Mark { key, mark } => self.mark(key, mark),
            Step::SetInPlace { key } => self.set_in_place(key),
            Step::Remove { key } => self.remove(key),
            Step::InsertMany { first, count } => {
                (first..first + count).for_each(|key| self.insert(key, key % 3 == 0));
            }
            Step::RemoveMany { first, count } => {
                (first..first + count).for_each(|key| self.remove(key));
            }
            Step::Scan { steps } => (0..steps).for_each(|_| self.scan()),
            Step::Update { steps } => (0..steps).for_each(|_| self.update()),
            Step::Take { count } => self.take(count),
            Step::Presize { elements } => self.table.presize(elements),
            Step::Clear => {
                self.table.clear();
                self.model.clear();
                self.stayed.clear();
            }
        }
    }

    fn compare(&self) {
        let hashing = self.hashing;
        self.table.check(|element| hashing.of(element >> 1));
        let mut listed = HashMap::new();
        self.table.for_each(|element, mark| {
            assert_eq!(listed.insert(element >> 1, (element & 1 != 0, mark)), None);
        });
        assert_eq!(listed, self.model);
        assert_eq!(self.table.len(), self.model.len());
        assert_eq!(self.table.is_empty(), self.model.is_empty());
        assert_eq!(self.table.marked(), self.model.values().filter(|entry| entry.1).count());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 3 } else { 400 }, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_table_says_what_a_plain_map_says(
        steps in steps(),
        hashing in prop::sample::select(&Hashing::ALL[..]),
    ) {
        let mut run = Run::new(hashing);
        for step in steps {
            run.step(step);
            run.compare();
        }
    }
}
