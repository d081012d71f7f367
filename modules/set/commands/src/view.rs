//! The view: a set to be read, in whichever form it is.

use crate::intset::Intset;
use crate::large::Large;
use crate::small::Pack;
use crate::storage::{Storage, Value};
use crate::value::INTSET;
use plinth_module::chance;
use plinth_module::prelude::Stored;

/// A set, to be read.
pub enum View<'v, S> {
    /// Integers in the entry.
    Intset(Intset<'v>),
    /// Members in the entry.
    Pack(Pack<'v>),
    /// Members in a storage.
    Large(&'v Large<S>),
}

impl<S> Clone for View<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S> Copy for View<'_, S> {}

impl<'v, S: Storage> View<'v, S> {
    /// The set that lies in the keyspace so.
    #[inline]
    pub fn of(stored: Stored<'v, Large<S>>) -> View<'v, S> {
        match stored {
            Stored::Boxed { value, .. } => View::Large(value),
            Stored::Inline { tag, bytes } => View::small(tag, bytes),
        }
    }

    /// The small set in these bytes.
    #[inline]
    pub fn small(tag: u32, bytes: &'v [u8]) -> View<'v, S> {
        if tag == INTSET { View::Intset(Intset::new(bytes)) } else { View::Pack(Pack::new(bytes)) }
    }

    /// How many members there are.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            View::Intset(ints) => ints.len(),
            View::Pack(pack) => pack.len(),
            View::Large(large) => large.store().len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a member is there.
    #[inline]
    pub fn contains(&self, member: Value<'_>) -> bool {
        match self {
            View::Intset(ints) => matches!(member, Value::Integer(integer) if ints.position(integer).is_ok()),
            View::Pack(pack) => pack.find(member).is_some(),
            View::Large(large) => large.store().contains(member),
        }
    }

    /// Visits each member once, until `visit` returns false.
    #[inline]
    pub fn visit(&self, mut visit: impl FnMut(Value<'_>) -> bool) {
        match self {
            View::Intset(ints) => _ = ints.iter().all(|integer| visit(Value::Integer(integer))),
            View::Pack(pack) => _ = pack.iter().all(visit),
            View::Large(large) => large.visit(visit),
        }
    }

    /// Visits each member once.
    #[inline]
    pub fn for_each(&self, mut visit: impl FnMut(Value<'_>)) {
        self.visit(|member| {
            visit(member);
            true
        });
    }

    /// One step of a scan, see [`Storage::scan`]. A small set is visited in one.
    pub fn scan(&self, cursor: u64, mut visit: impl FnMut(Value<'_>)) -> u64 {
        match self {
            View::Large(large) => large.store().scan(cursor, visit),
            _ => {
                self.for_each(&mut visit);
                0
            }
        }
    }

    /// A member at random; `None` when there is none.
    pub fn random(&self) -> Option<Value<'v>> {
        match self {
            View::Large(large) => large.store().random(chance::number),
            _ if self.is_empty() => None,
            View::Intset(ints) => Some(Value::Integer(ints.get(chance::below(ints.len())))),
            View::Pack(pack) => pack.get(chance::below(pack.len())).map(|(value, ..)| value),
        }
    }

    /// Visits `count` members, each set of so many with the same chance. O(members).
    pub fn select(&self, count: usize, mut visit: impl FnMut(Value<'_>)) {
        let (mut wanted, mut left) = (count, self.len());
        self.visit(|member| {
            if wanted != 0 && chance::below(left) < wanted {
                visit(member);
                wanted -= 1;
            }
            left = left.saturating_sub(1).max(1);
            wanted != 0
        });
    }
}
