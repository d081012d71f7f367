//! The foreign storage: large sets in a structure that another module brings, as a table of C
//! functions (`plinth.set-storage/1`).
//!
//! The structure sees members as bytes, integers as their digits, with the hash beside them: a
//! keyed SipHash-1-3, whose key each process draws anew, so that it needs none of its own.

use crate::storage::{Digits, Storage, Value, member};
use plinth_module::prelude::*;
use plinth_module::set_storage::{ForeignSet, MemberHash, Storages};
use plinth_module::table::Keyed;

static STORAGES: Storages = Storages::new();

/// Looks the storage up; for the module's `start`. Fails when nobody provides one.
pub fn resolve(call: &mut Call<'_>) -> Result {
    STORAGES.resolve(call)
}

/// How members are hashed.
enum OfProcess {}

impl MemberHash for OfProcess {
    #[inline]
    fn hash(member: &[u8]) -> u64 {
        Keyed::of_process().hash(member)
    }
}

/// A large set in another module's structure.
pub struct Foreign(ForeignSet);

impl Storage for Foreign {
    fn new() -> Result<Foreign> {
        STORAGES.create::<OfProcess>().map(Foreign)
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn contains(&self, member: Value<'_>) -> bool {
        let mut digits = Digits::new();
        let text = member.text(&mut digits);
        self.0.contains(text, OfProcess::hash(text))
    }

    fn insert(&mut self, member: Value<'_>) -> Result<bool> {
        let mut digits = Digits::new();
        let text = member.text(&mut digits);
        self.0.insert(text, OfProcess::hash(text))
    }

    fn remove(&mut self, member: Value<'_>) -> bool {
        let mut digits = Digits::new();
        let text = member.text(&mut digits);
        self.0.remove(text, OfProcess::hash(text))
    }

    fn scan(&self, cursor: u64, mut visit: impl FnMut(Value<'_>)) -> u64 {
        self.0.scan(cursor, |text| visit(member(text)))
    }

    fn random(&self, random: impl FnMut() -> u64) -> Option<Value<'_>> {
        self.0.random(random).map(member)
    }

    fn memory(&self) -> usize {
        self.0.memory()
    }
}
