//! The storage: the skip list, and a table that finds a member's place in it.

use crate::list::SkipList;
use plinth_module::table::Table;
use plinth_zset_commands::storage::{Cut, Storage, hash};
use std::ops::Range;

/// A skip list, and where in it each member is.
#[derive(Default)]
pub struct Skip {
    list: SkipList,
    places: Table<u64>,
}

impl Skip {
    fn find(&self, member: &[u8]) -> Option<u32> {
        self.places.find(hash(member), |at| self.list.element(at as u32).0 == member).map(|at| at as u32)
    }

    fn insert(&mut self, member: Box<[u8]>, score: f64) {
        let hashed = hash(&member);
        let at = self.list.insert(member, score);
        let list = &self.list;
        self.places.insert_new(hashed, u64::from(at), false, |at| hash(list.element(at as u32).0));
    }

    fn take(&mut self, at: u32) -> (Box<[u8]>, f64) {
        self.places.remove(hash(self.list.element(at).0), |other| other == u64::from(at));
        self.list.remove(at)
    }
}

impl Storage for Skip {
    fn len(&self) -> usize {
        self.list.len()
    }

    fn score(&self, member: &[u8]) -> Option<f64> {
        self.find(member).map(|at| self.list.element(at).1)
    }

    fn update(&mut self, member: &[u8], choose: impl FnOnce(Option<f64>) -> Option<f64>) {
        let found = self.find(member);
        let before = found.map(|at| self.list.element(at).1);
        match (choose(before), found) {
            (Some(score), Some(at)) if before != Some(score) => {
                let (member, _) = self.take(at);
                self.insert(member, score);
            }
            (Some(score), None) => self.insert(member.into(), score),
            _ => {}
        }
    }

    fn remove(&mut self, member: &[u8]) -> Option<f64> {
        self.find(member).map(|at| self.take(at).1)
    }

    fn remove_at(&mut self, rank: usize, taken: &mut dyn FnMut(&[u8], f64)) {
        let (member, score) = self.take(self.list.at_rank(rank));
        taken(&member, score);
    }

    fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        self.find(member).map(|at| (self.list.rank(at), self.list.element(at).1))
    }

    fn count_before(&self, cut: Cut<'_>) -> usize {
        self.list.count_before(cut)
    }

    fn visit(&self, ranks: Range<usize>, reverse: bool, visit: &mut dyn FnMut(&[u8], f64)) {
        if ranks.is_empty() {
            return;
        }
        let mut at = self.list.at_rank(if reverse { ranks.end - 1 } else { ranks.start });
        for number in 0..ranks.len() {
            if number > 0 {
                at = self.list.step(at, reverse);
            }
            let (member, score) = self.list.element(at);
            visit(member, score);
        }
    }

    fn scan(&self, cursor: u64, visit: &mut dyn FnMut(&[u8], f64)) -> u64 {
        self.places.scan(cursor, |at| {
            let (member, score) = self.list.element(at as u32);
            visit(member, score);
        })
    }

    fn memory_bytes(&self) -> usize {
        self.list.memory_bytes() + self.places.memory_bytes()
    }
}
