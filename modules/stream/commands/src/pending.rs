//! An ordered map of ids, in chunks: what groups and consumers keep their pending entries in.
//!
//! ```text
//!   tree:     1-0 ──────────────┐   5-3 ──────────────┐        key: at most the chunk's first id
//!             ids    1-0 1-1 3-0    5-3 5-4 ...
//!             values  a   b   c      d   e
//! ```
//!
//! Ids nearly always come in rising order and go from the front, so a chunk is full when the next one
//! begins, and taking at its front moves nothing. A chunk that has become a quarter full joins the
//! next one or gives its room back, so that a million acknowledged entries leave nothing behind.
//!
//! Invariants: no chunk is empty; ids rise within a chunk and from chunk to chunk; a key is greater than
//! all ids of the chunk before.

use crate::id::Id;
use std::collections::{BTreeMap, VecDeque};

/// Most ids of a chunk.
const CHUNK_MAX: usize = 128;
/// Ids that a chunk has room for at first.
const CHUNK_MIN: usize = 4;
/// Bytes of a chunk beside its ids and values, the tree's part counted in.
const CHUNK_BYTES: usize = 112;

struct Chunk<V> {
    ids: VecDeque<Id>,
    values: VecDeque<V>,
}

impl<V: Copy> Chunk<V> {
    fn of(id: Id, value: V) -> Chunk<V> {
        let mut chunk = Chunk { ids: VecDeque::with_capacity(CHUNK_MIN), values: VecDeque::with_capacity(CHUNK_MIN) };
        chunk.ids.push_back(id);
        chunk.values.push_back(value);
        chunk
    }

    fn bytes(&self) -> usize {
        let values = if size_of::<V>() == 0 { 0 } else { self.values.capacity() * size_of::<V>() };
        CHUNK_BYTES + self.ids.capacity() * size_of::<Id>() + values
    }

    fn first(&self) -> Id {
        self.ids.front().copied().unwrap_or_default()
    }

    fn last(&self) -> Id {
        self.ids.back().copied().unwrap_or_default()
    }

    fn is_full(&self) -> bool {
        self.ids.len() >= CHUNK_MAX
    }

    /// The upper half, which goes from this one.
    fn split(&mut self) -> Chunk<V> {
        let at = self.ids.len() / 2;
        Chunk { ids: self.ids.split_off(at), values: self.values.split_off(at) }
    }

    fn shrink(&mut self) {
        let room = (2 * self.ids.len()).max(CHUNK_MIN);
        self.ids.shrink_to(room);
        self.values.shrink_to(room);
    }
}

/// An ordered map of ids. See the [module](self).
pub struct IdMap<V> {
    chunks: BTreeMap<Id, Chunk<V>>,
    len: usize,
    bytes: usize,
}

impl<V> Default for IdMap<V> {
    fn default() -> IdMap<V> {
        IdMap { chunks: BTreeMap::new(), len: 0, bytes: 0 }
    }
}

impl<V: Copy> IdMap<V> {
    /// Number of ids. O(1).
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that the map takes, in constant time.
    pub fn memory(&self) -> usize {
        self.bytes
    }

    /// Number of allocations that dropping it frees, about.
    pub fn free_effort(&self) -> usize {
        2 * self.chunks.len()
    }

    /// The least id.
    pub fn first(&self) -> Option<Id> {
        self.chunks.first_key_value().map(|(_, chunk)| chunk.first())
    }

    /// The greatest id.
    pub fn last(&self) -> Option<Id> {
        self.chunks.last_key_value().map(|(_, chunk)| chunk.last())
    }

    /// The value of an id. O(log n).
    pub fn get(&self, id: Id) -> Option<V> {
        let (_, chunk) = self.chunks.range(..=id).next_back()?;
        chunk.values.get(chunk.ids.binary_search(&id).ok()?).copied()
    }

    /// Gives an id a value; returns the one that it had. O(log n).
    pub fn insert(&mut self, id: Id, value: V) -> Option<V> {
        let Some((key, chunk)) = self.chunks.range_mut(..=id).next_back() else {
            self.insert_first(id, value);
            return None;
        };
        let before = chunk.bytes();
        let at = match chunk.ids.binary_search(&id) {
            Ok(at) => return chunk.values.get_mut(at).map(|present| std::mem::replace(present, value)),
            Err(at) => at,
        };
        self.len += 1;
        if !chunk.is_full() {
            chunk.ids.insert(at, id);
            chunk.values.insert(at, value);
            self.bytes += chunk.bytes() - before;
            return None;
        }
        if at == CHUNK_MAX {
            self.put_chunk(id, Chunk::of(id, value));
            return None;
        }
        let (key, mut upper) = (*key, chunk.split());
        chunk.shrink();
        let half = if id < upper.first() { &mut *chunk } else { &mut upper };
        let at = half.ids.partition_point(|other| *other < id);
        half.ids.insert(at, id);
        half.values.insert(at, value);
        self.bytes = self.bytes + chunk.bytes() - before;
        debug_assert!(key < upper.first());
        self.put_chunk(upper.first(), upper);
        None
    }

    /// An id before all others.
    fn insert_first(&mut self, id: Id, value: V) {
        self.len += 1;
        match self.chunks.pop_first() {
            Some((_, mut chunk)) if !chunk.is_full() => {
                self.bytes -= chunk.bytes();
                chunk.ids.push_front(id);
                chunk.values.push_front(value);
                self.put_chunk(id, chunk);
            }
            full => {
                self.chunks.extend(full);
                self.put_chunk(id, Chunk::of(id, value));
            }
        }
    }

    fn put_chunk(&mut self, key: Id, chunk: Chunk<V>) {
        self.bytes += chunk.bytes();
        self.chunks.insert(key, chunk);
    }

    /// Takes an id away; returns its value if it was there. O(log n).
    pub fn remove(&mut self, id: Id) -> Option<V> {
        let (key, chunk) = self.chunks.range_mut(..=id).next_back()?;
        let at = chunk.ids.binary_search(&id).ok()?;
        let before = chunk.bytes();
        chunk.ids.remove(at);
        let value = chunk.values.remove(at);
        self.len -= 1;
        if chunk.ids.len() > CHUNK_MIN && chunk.ids.len() * 4 > chunk.ids.capacity() {
            return value;
        }
        let key = *key;
        if chunk.ids.is_empty() {
            self.bytes -= before;
            self.chunks.remove(&key);
            return value;
        }
        chunk.shrink();
        self.bytes = self.bytes + chunk.bytes() - before;
        self.join_next(key);
        value
    }

    /// Drops some ids; whether there were any.
    pub(crate) fn drop_chunk(&mut self) -> bool {
        let Some((_, chunk)) = self.chunks.pop_first() else { return false };
        self.bytes -= chunk.bytes();
        self.len -= chunk.ids.len();
        true
    }

    /// Puts the chunk behind that of a key to it, if the two are small.
    fn join_next(&mut self, key: Id) {
        let mut both = self.chunks.range(key..);
        let (Some((_, chunk)), Some((next_key, next))) = (both.next(), both.next()) else { return };
        if chunk.ids.len() + next.ids.len() > CHUNK_MAX / 2 {
            return;
        }
        let next_key = *next_key;
        let Some(mut next) = self.chunks.remove(&next_key) else { return };
        self.bytes -= next.bytes();
        if let Some(chunk) = self.chunks.get_mut(&key) {
            let before = chunk.bytes();
            chunk.ids.append(&mut next.ids);
            chunk.values.append(&mut next.values);
            self.bytes = self.bytes + chunk.bytes() - before;
        }
    }

    /// The ids from one on, in their order, with their values.
    pub fn from(&self, start: Id) -> impl Iterator<Item = (Id, V)> + '_ {
        // The chunk before may reach beyond the start.
        let key = self.chunks.range(..=start).next_back().map_or(start, |(key, _)| *key);
        let mut chunks = self.chunks.range(key..);
        let first = chunks.next().map(|(_, chunk)| (chunk, chunk.ids.partition_point(|id| *id < start)));
        let rest = chunks.map(|(_, chunk)| (chunk, 0));
        first
            .into_iter()
            .chain(rest)
            .flat_map(|(chunk, skip)| chunk.ids.range(skip..).copied().zip(chunk.values.range(skip..).copied()))
    }
}

impl<V: Copy> Clone for IdMap<V> {
    fn clone(&self) -> IdMap<V> {
        let mut copy = IdMap::default();
        for (id, value) in self.from(Id::MIN) {
            copy.insert(id, value);
        }
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(map: &IdMap<u32>) {
        let mut last = None;
        let (mut len, mut bytes) = (0, 0);
        for (key, chunk) in &map.chunks {
            assert!(!chunk.ids.is_empty() && chunk.ids.len() <= CHUNK_MAX);
            assert_eq!(chunk.ids.len(), chunk.values.len());
            assert!(*key <= chunk.first() && last < Some(*key));
            assert!(chunk.ids.iter().is_sorted());
            (len, bytes, last) = (len + chunk.ids.len(), bytes + chunk.bytes(), Some(chunk.last()));
        }
        assert_eq!((map.len(), map.memory()), (len, bytes));
    }

    proptest! {
        #[test]
        fn a_map_does_what_a_btree_does(steps in proptest::collection::vec((0..4_u8, 0..600_u64, any::<u32>()), 0..1500)) {
            let (mut map, mut model) = (IdMap::default(), BTreeMap::new());
            for (what, number, value) in steps {
                let id = Id::new(number / 10, number % 10);
                match what {
                    0 | 1 => prop_assert_eq!(map.insert(id, value), model.insert(id, value)),
                    2 => prop_assert_eq!(map.remove(id), model.remove(&id)),
                    _ => {
                        prop_assert_eq!(map.get(id), model.get(&id).copied());
                        let some: Vec<_> = map.from(id).take(20).collect();
                        let same: Vec<_> = model.range(id..).map(|(id, value)| (*id, *value)).take(20).collect();
                        prop_assert_eq!(some, same);
                    }
                }
                prop_assert_eq!(map.first(), model.keys().next().copied());
                prop_assert_eq!(map.last(), model.keys().next_back().copied());
            }
            check(&map);
            prop_assert!(map.clone().from(Id::MIN).eq(map.from(Id::MIN)));
        }
    }

    #[test]
    fn acknowledged_entries_leave_nothing_behind() {
        let mut map = IdMap::default();
        (0..100_000).for_each(|ms| _ = map.insert(Id::new(ms, 0), 7_u32));
        let full = map.memory();
        assert!(full / 100_000 < 24, "{} bytes each", full / 100_000);
        (0..100_000).filter(|ms| ms % 50 != 0).for_each(|ms| _ = map.remove(Id::new(ms, 0)));
        check(&map);
        assert!(map.memory() < full / 10, "{} of {full}", map.memory());
        (0..100_000).step_by(50).for_each(|ms| _ = map.remove(Id::new(ms, 0)));
        assert_eq!(map.memory(), 0);
    }

    #[test]
    fn ids_that_come_in_falling_order_fill_their_chunks() {
        let mut map = IdMap::default();
        (0..100_000).rev().for_each(|ms| _ = map.insert(Id::new(ms, 0), 7_u32));
        check(&map);
        assert!(map.memory() / 100_000 < 48);
    }
}
