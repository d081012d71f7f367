//! The value: adding to and removing from a set in whichever form it is, and when it changes form.
//!
//! ```text
//!   tag      where               OBJECT ENCODING     until
//!   INTSET   in the entry        intset              a text comes, or set-max-intset-entries
//!   PACK     in the entry        listpack            set-max-listpack-entries, -value
//!   LARGE    in a storage        see `Called`        for ever
//! ```
//!
//! Forms change where Redis 7.2 changes them, one way only; a set gets smaller forms back when a
//! command makes it anew (the *STORE commands, SPOP of most of it, RESTORE).
//!
//! The same code works on a key's entry and on a set that is not in the keyspace yet ([`Owned`]):
//! what they have in common is a [`Place`].

use crate::codec::SetType;
use crate::intset::{Intset, width_of};
use crate::large::{Called, Large};
use crate::limits::{Limits, SMALL_BYTES_MAX};
use crate::small::{Pack, count_byte, encoded};
use crate::storage::{Storage, Value};
use crate::view::View;
use plinth_module::prelude::*;

/// Tag of an intset in the entry.
pub const INTSET: u32 = 0;
/// Tag of a pack in the entry.
pub const PACK: u32 = 1;
/// Tag of a large set.
pub const LARGE: u32 = 2;

/// Entries of more bytes reserve for growth.
const AMORTISE_BYTES: usize = 512;

/// Where a set lies.
pub trait Place<S> {
    /// Tag and bytes of a small set.
    fn small(&self) -> (u32, &[u8]);
    /// The large set, if it is one.
    fn large(&mut self) -> Option<&mut Large<S>>;
    /// Makes room in a small set, and gives it to be filled.
    fn open(&mut self, at: usize, len: usize) -> Result<&mut [u8]>;
    /// Takes bytes out of a small set.
    fn close(&mut self, at: usize, len: usize) -> Result;
    /// Changes the first byte of a small set.
    fn set_first(&mut self, byte: u8);
    /// Puts other bytes in a small set's place.
    fn replace(&mut self, tag: u32, bytes: &[u8]) -> Result;
    /// Puts a large set in a small one's place.
    fn enlarge(&mut self, large: Large<S>) -> Result;
}

impl<S: Storage> Place<S> for Entry<'_> {
    #[inline]
    fn small(&self) -> (u32, &[u8]) {
        (self.tag(), self.bytes())
    }

    #[inline]
    fn large(&mut self) -> Option<&mut Large<S>> {
        if self.is_inline() { None } else { self.boxed::<SetType<S>>() }
    }

    fn open(&mut self, at: usize, len: usize) -> Result<&mut [u8]> {
        let amortise = self.bytes().len() >= AMORTISE_BYTES;
        self.open_gap(self.tag(), at, len, amortise)
    }

    fn close(&mut self, at: usize, len: usize) -> Result {
        self.close_gap(self.tag(), at, len)
    }

    fn set_first(&mut self, byte: u8) {
        if let Some(first) = self.bytes_mut().first_mut() {
            *first = byte;
        }
    }

    fn replace(&mut self, tag: u32, bytes: &[u8]) -> Result {
        self.resize(tag, bytes.len(), false)?;
        self.bytes_mut().copy_from_slice(bytes);
        Ok(())
    }

    fn enlarge(&mut self, large: Large<S>) -> Result {
        self.set_boxed::<SetType<S>>(LARGE, large)
    }
}

/// A set that is not in the keyspace (yet): what a *STORE command makes, what is loaded, what a
/// union has shown already.
pub enum Owned<S> {
    /// Tag and bytes.
    Small(u32, Vec<u8>),
    /// A large one.
    Large(Large<S>),
}

impl<S: Storage> Owned<S> {
    /// An empty intset, which becomes what its members make of it.
    pub fn new() -> Owned<S> {
        Owned::Small(INTSET, vec![2])
    }

    /// An empty pack.
    pub fn pack() -> Owned<S> {
        Owned::Small(PACK, vec![0])
    }

    /// An empty large set.
    pub fn table() -> Result<Owned<S>> {
        Ok(Owned::Large(Large::new(Called::Table)?))
    }

    /// To be read.
    pub fn view(&self) -> View<'_, S> {
        match self {
            Owned::Small(tag, bytes) => View::small(*tag, bytes),
            Owned::Large(large) => View::Large(large),
        }
    }

    /// Sets a key to it, whatever the key held. `flags`: `PUT_*`.
    pub fn store(self, keys: &mut Keys<'_>, key: &[u8], flags: u32) -> Result {
        match self {
            Owned::Small(tag, bytes) => keys.put_bytes(TypeHandle::of::<SetType<S>>()?, key, tag, &bytes, flags)?,
            Owned::Large(large) => keys.put_boxed::<SetType<S>>(key, LARGE, large, flags)?,
        };
        Ok(())
    }

    fn bytes(&mut self) -> &mut Vec<u8> {
        if let Owned::Large(_) = self {
            *self = Owned::new();
        }
        match self {
            Owned::Small(_, bytes) => bytes,
            Owned::Large(_) => unreachable!("made small above"),
        }
    }
}

impl<S: Storage> Default for Owned<S> {
    fn default() -> Self {
        Owned::new()
    }
}

impl<S: Storage> Place<S> for Owned<S> {
    fn small(&self) -> (u32, &[u8]) {
        match self {
            Owned::Small(tag, bytes) => (*tag, bytes),
            Owned::Large(_) => (INTSET, &[]),
        }
    }

    #[inline]
    fn large(&mut self) -> Option<&mut Large<S>> {
        match self {
            Owned::Small(..) => None,
            Owned::Large(large) => Some(large),
        }
    }

    fn open(&mut self, at: usize, len: usize) -> Result<&mut [u8]> {
        let bytes = self.bytes();
        let before = bytes.len();
        bytes.resize(before + len, 0);
        bytes.copy_within(at..before, at + len);
        Ok(&mut bytes[at..at + len])
    }

    fn close(&mut self, at: usize, len: usize) -> Result {
        self.bytes().drain(at..at + len);
        Ok(())
    }

    fn set_first(&mut self, byte: u8) {
        self.bytes()[0] = byte;
    }

    fn replace(&mut self, tag: u32, bytes: &[u8]) -> Result {
        *self = Owned::Small(tag, bytes.to_vec());
        Ok(())
    }

    fn enlarge(&mut self, large: Large<S>) -> Result {
        *self = Owned::Large(large);
        Ok(())
    }
}

/// Makes a key that is not there with its first member, of `expected` in all.
pub fn create<'k, S: Storage>(
    keys: &'k mut Keys<'_>,
    key: &'k [u8],
    first: Value<'_>,
    expected: usize,
    limits: &Limits,
) -> Result<Entry<'k>> {
    let handle = TypeHandle::of::<SetType<S>>()?;
    match first {
        Value::Integer(integer) if expected <= limits.intset_entries && limits.intset_entries != 0 => {
            let width = width_of(integer);
            let mut entry = keys.put(handle, key, INTSET, 1 + width, PUT_ABSENT)?;
            let (head, rest) = entry.bytes_mut().split_at_mut(1);
            head[0] = width as u8;
            rest.copy_from_slice(&integer.to_le_bytes()[..width]);
            Ok(entry)
        }
        _ if expected <= limits.pack_entries && limits.pack_entries != 0 && fits(first, limits) => {
            let element = encoded(first);
            let mut entry = keys.put(handle, key, PACK, 1 + element.len(), PUT_ABSENT)?;
            let (head, rest) = entry.bytes_mut().split_at_mut(1);
            head[0] = 1;
            element.write(rest);
            Ok(entry)
        }
        _ => {
            let mut large = Large::new(Called::Table)?;
            large.insert(first, limits)?;
            keys.put_boxed::<SetType<S>>(key, LARGE, large, PUT_ABSENT)
        }
    }
}

fn fits(member: Value<'_>, limits: &Limits) -> bool {
    member.len() <= limits.pack_value
}

/// Makes a small set large when `expected` members come that it will not hold: cheaper than on the
/// way.
pub fn expect<S: Storage>(place: &mut impl Place<S>, expected: usize, limits: &Limits) -> Result {
    if place.large().is_some() {
        return Ok(());
    }
    let limit = if place.small().0 == INTSET { limits.intset_entries } else { limits.pack_entries };
    if expected > limit { outgrow(place, Called::Table).map(drop) } else { Ok(()) }
}

/// Adds a member; false when it was there. Fails with `OutOfMemory`, nothing changed.
#[inline]
pub fn insert<S: Storage>(place: &mut impl Place<S>, member: Value<'_>, limits: &Limits) -> Result<bool> {
    if let Some(large) = place.large() {
        return large.insert(member, limits);
    }
    if place.small().0 == PACK {
        return insert_pack(place, member, limits);
    }
    match member {
        Value::Integer(integer) => insert_integer(place, integer, limits),
        Value::Text(_) => insert_text(place, member, limits),
    }
}

fn insert_integer<S: Storage>(place: &mut impl Place<S>, integer: i64, limits: &Limits) -> Result<bool> {
    let ints = Intset::new(place.small().1);
    let Err(index) = ints.position(integer) else { return Ok(false) };
    let width = width_of(integer).max(ints.width());
    if ints.len() >= limits.intset_entries {
        return outgrow(place, Called::Table)?.insert(Value::Integer(integer), limits);
    }
    if (ints.len() + 1) * width > SMALL_BYTES_MAX {
        return outgrow(place, Called::Intset)?.insert(Value::Integer(integer), limits);
    }
    if width > ints.width() {
        let bytes = ints.widened(width, index, integer);
        place.replace(INTSET, &bytes)?;
    } else {
        place.open(1 + index * width, width)?.copy_from_slice(&integer.to_le_bytes()[..width]);
    }
    Ok(true)
}

/// Adds a text to a set of integers.
fn insert_text<S: Storage>(place: &mut impl Place<S>, text: Value<'_>, limits: &Limits) -> Result<bool> {
    let ints = Intset::new(place.small().1);
    let len = ints.len();
    let ends = [0, len.saturating_sub(1)].map(|end| Value::Integer(ints.get(end)));
    let all_fit = len == 0 || ends.iter().all(|end| fits(*end, limits));
    if len >= limits.pack_entries || !fits(text, limits) || !all_fit {
        return outgrow(place, Called::Table)?.insert(text, limits);
    }
    let mut bytes = vec![count_byte(len + 1)];
    ints.iter().for_each(|integer| encoded(Value::Integer(integer)).push(&mut bytes));
    encoded(text).push(&mut bytes);
    if bytes.len() > SMALL_BYTES_MAX {
        return outgrow(place, Called::Pack)?.insert(text, limits);
    }
    place.replace(PACK, &bytes)?;
    Ok(true)
}

fn insert_pack<S: Storage>(place: &mut impl Place<S>, member: Value<'_>, limits: &Limits) -> Result<bool> {
    let bytes = place.small().1;
    let (pack, end) = (Pack::new(bytes), bytes.len());
    if pack.find(member).is_some() {
        return Ok(false);
    }
    let (count, element) = (pack.len(), encoded(member));
    if count >= limits.pack_entries || !fits(member, limits) {
        return outgrow(place, Called::Table)?.insert(member, limits);
    }
    if end + element.len() > SMALL_BYTES_MAX {
        return outgrow(place, Called::Pack)?.insert(member, limits);
    }
    element.write(place.open(end, element.len())?);
    place.set_first(count_byte(count + 1));
    Ok(true)
}

/// Turns a small set into a large one.
#[cold]
pub(crate) fn outgrow<S: Storage, P: Place<S>>(place: &mut P, called: Called) -> Result<&mut Large<S>> {
    let limits = Limits { intset_entries: usize::MAX, pack_entries: usize::MAX, pack_value: usize::MAX };
    let mut large = Large::new(called)?;
    let (tag, bytes) = place.small();
    let mut done = Ok(());
    View::<S>::small(tag, bytes).visit(|member| {
        done = large.insert(member, &limits).map(drop);
        done.is_ok()
    });
    done?;
    place.enlarge(large)?;
    place.large().ok_or(Error::Unsupported)
}

/// Removes a member; false when it was not there. The form stays.
#[inline]
pub fn remove<S: Storage>(place: &mut impl Place<S>, member: Value<'_>) -> Result<bool> {
    if let Some(large) = place.large() {
        return Ok(large.remove(member));
    }
    let (tag, bytes) = place.small();
    if tag == INTSET {
        let ints = Intset::new(bytes);
        let Value::Integer(integer) = member else { return Ok(false) };
        let Ok(index) = ints.position(integer) else { return Ok(false) };
        let width = ints.width();
        place.close(1 + index * width, width)?;
        return Ok(true);
    }
    let pack = Pack::new(bytes);
    let Some((at, len)) = pack.find(member) else { return Ok(false) };
    remove_packed(place, at, len)?;
    Ok(true)
}

fn remove_packed<S: Storage>(place: &mut impl Place<S>, at: usize, len: usize) -> Result {
    let count = Pack::new(place.small().1).len();
    place.close(at, len)?;
    place.set_first(count_byte(count.saturating_sub(1)));
    Ok(())
}

/// Removes a member at random, handing it to `take` before; false when there is none.
pub fn take_random<S: Storage>(place: &mut impl Place<S>, take: impl FnOnce(Value<'_>)) -> Result<bool> {
    use plinth_module::chance;
    if let Some(large) = place.large() {
        return Ok(large.take_random(chance::number, take));
    }
    let (tag, bytes) = place.small();
    if tag == INTSET {
        let ints = Intset::new(bytes);
        if ints.is_empty() {
            return Ok(false);
        }
        let (index, width) = (chance::below(ints.len()), ints.width());
        take(Value::Integer(ints.get(index)));
        place.close(1 + index * width, width)?;
        return Ok(true);
    }
    let pack = Pack::new(bytes);
    if pack.is_empty() {
        return Ok(false);
    }
    let Some((value, at, len)) = pack.get(chance::below(pack.len())) else { return Ok(false) };
    take(value);
    remove_packed(place, at, len)?;
    Ok(true)
}

/// How many members a place holds.
#[inline]
pub fn len<S: Storage>(place: &mut impl Place<S>) -> usize {
    if let Some(large) = place.large() {
        return large.store().len();
    }
    let (tag, bytes) = place.small();
    View::<S>::small(tag, bytes).len()
}

/// Makes an intset of a set that holds integers alone, if the limits allow.
pub fn as_intset<S: Storage>(owned: Owned<S>, limits: &Limits) -> Result<Owned<S>> {
    if matches!(owned, Owned::Small(INTSET, _)) || owned.view().len() > limits.intset_entries {
        return Ok(owned);
    }
    let (mut ints, mut done) = (Owned::new(), Ok(()));
    owned.view().visit(|member| {
        done = insert(&mut ints, member, limits).map(drop);
        done.is_ok()
    });
    done.map(|()| ints)
}

#[cfg(test)]
#[path = "value_tests.rs"]
pub(crate) mod tests;
