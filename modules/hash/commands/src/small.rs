//! The small form: fields and values packed into the key's entry.
//!
//! ```text
//!   PLAIN      [ field | value ][ field | value ] ...             OBJECT ENCODING listpack
//!   EXPIRING   [ field | deadline, 6 bytes; value ] ...           listpackex
//! ```
//!
//! Both are packs of pairs ([`plinth_module::pack::pair`]); the tag beside the bytes tells which. A
//! hash becomes EXPIRING with the first field that gets a deadline (0 stands for none there), and
//! stays it. There is no count: what is small is walked over anyway.
//!
//! *Invariant*: in an EXPIRING pack the second part of each pair is raw bytes, six at least. Whatever
//! breaks it reads as a field without a deadline, never as a panic.

use plinth_module::pack::pair::{self, Pair, Part};
use plinth_module::pack::{Digits, Value};

/// Tag of a pack without deadlines.
pub const PLAIN: u32 = 0;
/// Tag of a pack whose values begin with a deadline.
pub const EXPIRING: u32 = 1;
/// Bytes of a deadline.
const DEADLINE_BYTES: usize = 6;

/// A field as it is read, in either form.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'v> {
    /// Its name.
    pub field: Value<'v>,
    /// Its value.
    pub value: Value<'v>,
    /// When it is going to be gone.
    pub deadline: Option<u64>,
}

/// Whether a deadline has passed.
#[inline]
pub fn is_past(deadline: Option<u64>, now: u64) -> bool {
    deadline.is_some_and(|deadline| deadline < now)
}

/// A pair of a pack under a tag.
#[inline]
fn shown(tag: u32, pair: Pair<'_>) -> Shown<'_> {
    let plain = Shown { field: pair.first, value: pair.second, deadline: None };
    match pair.second {
        Value::Text(text) if tag == EXPIRING && text.len() >= DEADLINE_BYTES => {
            let (head, value) = text.split_at(DEADLINE_BYTES);
            let mut bytes = [0; 8];
            bytes[..DEADLINE_BYTES].copy_from_slice(head);
            let deadline = u64::from_le_bytes(bytes);
            Shown { value: Value::Text(value), deadline: (deadline != 0).then_some(deadline), ..plain }
        }
        _ => plain,
    }
}

/// Where a field is, in bytes, how many it takes, and the field.
#[inline]
pub fn find<'p>(tag: u32, pack: &'p [u8], field: &[u8]) -> Option<(usize, usize, Shown<'p>)> {
    let (at, pair) = pair::find(pack, &Part::of(field))?;
    Some((at, pair.len, shown(tag, pair)))
}

/// The fields, in the order in which they were added.
#[inline]
pub fn iter(tag: u32, pack: &[u8]) -> impl Iterator<Item = Shown<'_>> + Clone {
    pair::iter(pack).map(move |pair| shown(tag, pair))
}

/// How many fields there are.
pub fn len(pack: &[u8]) -> usize {
    pair::iter(pack).count()
}

/// The earliest deadline.
pub fn due(tag: u32, pack: &[u8]) -> Option<u64> {
    if tag == PLAIN { None } else { iter(tag, pack).filter_map(|shown| shown.deadline).min() }
}

/// A pair to be packed.
pub struct Packed<'t> {
    field: Part<'t>,
    value: Part<'t>,
}

impl<'t> Packed<'t> {
    /// A field and its value. `room` holds the value of an EXPIRING pack.
    #[inline]
    pub fn new(tag: u32, field: &'t [u8], value: &'t [u8], deadline: Option<u64>, room: &'t mut Vec<u8>) -> Packed<'t> {
        if tag == PLAIN {
            return Packed { field: Part::of(field), value: Part::of(value) };
        }
        room.clear();
        room.extend_from_slice(&deadline.unwrap_or(0).to_le_bytes()[..DEADLINE_BYTES]);
        room.extend_from_slice(value);
        Packed { field: Part::of(field), value: Part::raw(room) }
    }

    /// Bytes that it takes.
    #[inline]
    pub fn bytes_len(&self) -> usize {
        pair::len_of(&self.field, &self.value)
    }

    /// Writes it to the beginning of `to`, which has room for it.
    #[inline]
    pub fn write(&self, to: &mut [u8]) {
        pair::write(&self.field, &self.value, to);
    }

    /// Where the pair with the same field is in a pack, and how many bytes it takes there.
    #[inline]
    pub fn find(&self, pack: &[u8]) -> Option<(usize, usize)> {
        pair::find(pack, &self.field).map(|(at, pair)| (at, pair.len))
    }
}

/// Appends a field to a pack under a tag.
pub fn push(tag: u32, shown: Shown<'_>, to: &mut Vec<u8>) {
    let (mut field, mut value, mut room) = (Digits::new(), Digits::new(), Vec::new());
    let packed =
        Packed::new(tag, shown.field.text(&mut field), shown.value.text(&mut value), shown.deadline, &mut room);
    let at = to.len();
    to.resize(at + packed.bytes_len(), 0);
    packed.write(&mut to[at..]);
}

/// The fields that `keep` likes, packed under a tag.
pub fn repack(from: u32, pack: &[u8], tag: u32, keep: impl Fn(&Shown<'_>) -> bool) -> Vec<u8> {
    let mut kept = Vec::with_capacity(pack.len() + if tag == from { 0 } else { pack.len() / 2 });
    iter(from, pack).filter(keep).for_each(|shown| push(tag, shown, &mut kept));
    kept
}

/// Writes pairs of which some may have the same field, the last one of which counts, to room for all
/// of them; how many bytes they take.
pub fn fill<'t>(pairs: impl Iterator<Item = (&'t [u8], &'t [u8])>, to: &mut [u8]) -> (usize, usize) {
    let (mut end, mut count, mut room) = (0, 0, Vec::new());
    for (field, value) in pairs {
        let packed = Packed::new(PLAIN, field, value, None, &mut room);
        let (at, old) = match if count == 0 { None } else { packed.find(&to[..end]) } {
            Some(found) => found,
            None => {
                count += 1;
                (end, 0)
            }
        };
        to.copy_within(at + old..end, at + packed.bytes_len());
        packed.write(&mut to[at..]);
        end = end - old + packed.bytes_len();
    }
    (end, count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            any::<i64>().prop_map(|integer| integer.to_string().into_bytes()),
            proptest::collection::vec(any::<u8>(), 0..20),
        ]
    }

    #[test]
    fn ten_small_fields_take_130_bytes() {
        let mut pack = Vec::new();
        for number in 0..10 {
            let (field, value) = (format!("field{number}"), format!("value{number}"));
            let shown =
                Shown { field: Value::Text(field.as_bytes()), value: Value::Text(value.as_bytes()), deadline: None };
            push(PLAIN, shown, &mut pack);
        }
        assert_eq!(pack.len(), 130);
    }

    proptest! {
        #[test]
        fn what_is_packed_reads_back(fields in proptest::collection::vec(
            (text(), text(), proptest::option::of(1..1u64 << 48)), 0..20)
        ) {
            let mut pack = Vec::new();
            for (field, value, deadline) in &fields {
                push(EXPIRING, Shown { field: Value::Text(field), value: Value::Text(value), deadline: *deadline }, &mut pack);
            }
            let read: Vec<_> = iter(EXPIRING, &pack).map(|one| (one.field.to_vec(), one.value.to_vec(), one.deadline)).collect();
            prop_assert_eq!(&read, &fields);
            prop_assert_eq!(due(EXPIRING, &pack), fields.iter().filter_map(|field| field.2).min());
            let plain = repack(EXPIRING, &pack, PLAIN, |_| true);
            let read: Vec<_> = iter(PLAIN, &plain).map(|one| (one.field.to_vec(), one.value.to_vec())).collect();
            prop_assert_eq!(read, fields.into_iter().map(|(field, value, _)| (field, value)).collect::<Vec<_>>());
        }

        #[test]
        fn a_filled_pack_has_the_last_value_of_each_field(fields in proptest::collection::vec((0..6u8, text()), 0..12)) {
            let names: Vec<Vec<u8>> = fields.iter().map(|(name, _)| vec![b'a' + name]).collect();
            let pairs = || names.iter().zip(&fields).map(|(name, (_, value))| (name.as_slice(), value.as_slice()));
            let mut room = Vec::new();
            let bytes: usize = pairs().map(|(field, value)| Packed::new(PLAIN, field, value, None, &mut room).bytes_len()).sum();
            let mut pack = vec![0; bytes];
            let (end, count) = fill(pairs(), &mut pack);
            let mut model: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
            for (field, value) in pairs() {
                match model.iter_mut().find(|(name, _)| name == field) {
                    Some((_, old)) => *old = value.to_vec(),
                    None => model.push((field.to_vec(), value.to_vec())),
                }
            }
            let read: Vec<_> = iter(PLAIN, &pack[..end]).map(|one| (one.field.to_vec(), one.value.to_vec())).collect();
            prop_assert_eq!(count, model.len());
            prop_assert_eq!(read, model);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(pack in proptest::collection::vec(any::<u8>(), 0..60)) {
            for tag in [PLAIN, EXPIRING] {
                let _ = (find(tag, &pack, b"f").is_some(), iter(tag, &pack).count(), due(tag, &pack));
            }
        }
    }
}
