//! What is known of pending entries: who has each, since when, and how often it was handed out.
//!
//! ```text
//!   packed   id -> [ delivered: low 32 bits ][ deliveries: 16 ][ delivered: high 16 ][ consumer: 32 ]
//!   rest     id -> delivered, deliveries          those that do not fit, marked by the most deliveries
//! ```
//!
//! An entry takes twelve bytes beside its id. A time before 1970 or in 8,900 years, and 65,535
//! deliveries or more, are what only a file or a client that says so brings; these are kept in full
//! in a map of their own.
//!
//! *Invariant*: an id is in `rest` if and only if it is in `packed` with the mark.

use crate::id::Id;
use crate::pending::IdMap;

/// Which consumer of a group.
pub type ConsumerNo = u32;

/// That an entry was handed out and not acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Nack {
    /// To whom, the last time.
    pub consumer: ConsumerNo,
    /// When, Unix time in ms.
    pub delivered_ms: i64,
    /// How often.
    pub deliveries: u64,
}

/// Stands in the place of deliveries for "in the other map".
const MARK: u16 = u16::MAX;
/// Bits of a time that are packed.
const TIME_BITS: u32 = 48;

/// All of it in three words, so that nothing lies between it and the next.
#[derive(Clone, Copy)]
struct Packed([u32; 3]);

impl Packed {
    #[inline]
    fn new(consumer: ConsumerNo, time: u64, deliveries: u16) -> Packed {
        Packed([time as u32, (time >> 32) as u32 | u32::from(deliveries) << 16, consumer])
    }

    /// What is to be known, if it fits.
    #[inline]
    fn of(nack: Nack) -> Option<Packed> {
        let time = nack.delivered_ms as u64;
        let deliveries = u16::try_from(nack.deliveries).ok().filter(|deliveries| *deliveries < MARK)?;
        (time >> TIME_BITS == 0).then(|| Packed::new(nack.consumer, time, deliveries))
    }

    #[inline]
    fn is_marked(self) -> bool {
        self.0[1] >> 16 == u32::from(MARK)
    }

    /// What is known, if it is not in the other map.
    #[inline]
    fn unpack(self) -> Nack {
        let [low, high, consumer] = self.0;
        let delivered_ms = i64::from(high & 0xffff) << 32 | i64::from(low);
        Nack { consumer, delivered_ms, deliveries: u64::from(high >> 16) }
    }
}

/// The pending entries of a group. See the [module](self).
#[derive(Default)]
pub struct Nacks {
    packed: IdMap<Packed>,
    rest: IdMap<(i64, u64)>,
}

impl Nacks {
    /// Number of entries. O(1).
    #[inline]
    pub fn len(&self) -> usize {
        self.packed.len()
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.packed.is_empty()
    }

    /// Bytes that the map takes, in constant time.
    pub fn memory(&self) -> usize {
        self.packed.memory() + self.rest.memory()
    }

    /// Number of allocations that dropping it frees, about.
    pub fn free_effort(&self) -> usize {
        self.packed.free_effort() + self.rest.free_effort()
    }

    /// The least id.
    pub fn first(&self) -> Option<Id> {
        self.packed.first()
    }

    /// The greatest id.
    pub fn last(&self) -> Option<Id> {
        self.packed.last()
    }

    #[inline]
    fn unpack(&self, id: Id, packed: Packed) -> Nack {
        let nack = packed.unpack();
        if packed.is_marked() { self.with_rest(id, nack) } else { nack }
    }

    #[cold]
    fn with_rest(&self, id: Id, nack: Nack) -> Nack {
        let (delivered_ms, deliveries) = self.rest.get(id).unwrap_or((nack.delivered_ms, nack.deliveries));
        Nack { delivered_ms, deliveries, ..nack }
    }

    /// What is known of an entry. O(log n).
    #[inline]
    pub fn get(&self, id: Id) -> Option<Nack> {
        self.packed.get(id).map(|packed| self.unpack(id, packed))
    }

    /// Sets what is known of an entry; returns who had it. O(log n).
    #[inline]
    pub fn insert(&mut self, id: Id, nack: Nack) -> Option<ConsumerNo> {
        let fits = Packed::of(nack);
        let before = self.packed.insert(id, fits.unwrap_or(Packed::new(nack.consumer, 0, MARK)));
        if fits.is_none() {
            self.rest.insert(id, (nack.delivered_ms, nack.deliveries));
        } else if before.is_some_and(Packed::is_marked) {
            self.rest.remove(id);
        }
        before.map(|before| before.unpack().consumer)
    }

    /// Takes an entry away; returns who had it. O(log n).
    #[inline]
    pub fn remove(&mut self, id: Id) -> Option<ConsumerNo> {
        let before = self.packed.remove(id)?;
        if before.is_marked() {
            self.rest.remove(id);
        }
        Some(before.unpack().consumer)
    }

    /// Drops some entries, of a map that nobody has any more; whether there were any.
    pub(crate) fn drop_chunk(&mut self) -> bool {
        self.packed.drop_chunk() || self.rest.drop_chunk()
    }

    /// The entries from an id on, in the order of their ids.
    pub fn from(&self, start: Id) -> impl Iterator<Item = (Id, Nack)> + '_ {
        self.packed.from(start).map(|(id, packed)| (id, self.unpack(id, packed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn nack() -> impl Strategy<Value = Nack> {
        let time = prop_oneof![
            3 => 0..i64::MAX,
            3 => Just(1_700_000_000_000),
            1 => prop::sample::select(vec![-1, i64::MIN, i64::MAX, (1 << TIME_BITS) - 1, 1 << TIME_BITS]),
        ];
        let deliveries = prop_oneof![
            3 => 0..9_u64,
            1 => prop::sample::select(vec![0xfffe, 0xffff, 0x1_0000, i64::MAX as u64, u64::MAX]),
        ];
        (any::<u32>(), time, deliveries).prop_map(|(consumer, delivered_ms, deliveries)| Nack {
            consumer,
            delivered_ms,
            deliveries,
        })
    }

    proptest! {
        #[test]
        fn what_is_known_comes_back_whole(steps in proptest::collection::vec((0..3_u8, 0..40_u64, nack()), 0..300)) {
            let (mut nacks, mut model) = (Nacks::default(), BTreeMap::new());
            for (what, number, nack) in steps {
                let id = Id::new(number, 0);
                let before: Option<Nack> = if what == 0 { model.remove(&id) } else { model.insert(id, nack) };
                let had = if what == 0 { nacks.remove(id) } else { nacks.insert(id, nack) };
                prop_assert_eq!(had, before.map(|nack| nack.consumer));
                prop_assert_eq!(nacks.get(id), model.get(&id).copied());
                prop_assert_eq!(nacks.len(), model.len());
            }
            prop_assert!(nacks.from(Id::MIN).eq(model.iter().map(|(id, nack)| (*id, *nack))));
            let kept_aside = model.values().filter(|nack| Packed::of(**nack).is_none()).count();
            prop_assert_eq!(nacks.rest.len(), kept_aside);
        }
    }

    #[test]
    fn an_entry_takes_twelve_bytes_beside_its_id() {
        assert_eq!(size_of::<Packed>(), 12);
        let mut nacks = Nacks::default();
        let nack = Nack { consumer: 3, delivered_ms: 1_700_000_000_000, deliveries: 1 };
        (0..128 * 1000).for_each(|ms| _ = nacks.insert(Id::new(ms, 0), nack));
        assert!(nacks.memory() <= 128 * 1000 * 29, "{} bytes", nacks.memory());
    }
}
