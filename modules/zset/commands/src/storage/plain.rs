//! The simplest storage: a sorted vector. For tests of what stands above a storage.

use super::{Cut, Storage};
use std::ops::Range;

#[derive(Default)]
pub(crate) struct Plain(pub(crate) Vec<(Vec<u8>, f64)>);

impl Plain {
    fn find(&self, member: &[u8]) -> Option<usize> {
        self.0.iter().position(|element| element.0 == member)
    }
}

impl Storage for Plain {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn score(&self, member: &[u8]) -> Option<f64> {
        self.find(member).map(|at| self.0[at].1)
    }

    fn update(&mut self, member: &[u8], choose: impl FnOnce(Option<f64>) -> Option<f64>) {
        let Some(score) = choose(self.score(member)) else { return };
        self.remove(member);
        let at = self.0.partition_point(|one| one.1 < score || one.1 == score && one.0[..] < *member);
        self.0.insert(at, (member.to_vec(), score));
    }

    fn remove(&mut self, member: &[u8]) -> Option<f64> {
        self.find(member).map(|at| self.0.remove(at).1)
    }

    fn remove_at(&mut self, rank: usize, taken: &mut dyn FnMut(&[u8], f64)) {
        let (member, score) = self.0.remove(rank);
        taken(&member, score);
    }

    fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        self.find(member).map(|at| (at, self.0[at].1))
    }

    fn count_before(&self, cut: Cut<'_>) -> usize {
        self.0.partition_point(|one| cut.is_behind(&one.0, one.1))
    }

    fn visit(&self, ranks: Range<usize>, reverse: bool, visit: &mut dyn FnMut(&[u8], f64)) {
        let mut show = |one: &(Vec<u8>, f64)| visit(&one.0, one.1);
        if reverse { self.0[ranks].iter().rev().for_each(&mut show) } else { self.0[ranks].iter().for_each(&mut show) }
    }

    fn scan(&self, _cursor: u64, visit: &mut dyn FnMut(&[u8], f64)) -> u64 {
        self.0.iter().for_each(|one| visit(&one.0, one.1));
        0
    }

    fn memory_bytes(&self) -> usize {
        self.0.len() * size_of::<(Vec<u8>, f64)>()
    }
}

#[test]
fn the_plainest_storage_passes_its_own_test() {
    super::conformance::run::<Plain>();
}
