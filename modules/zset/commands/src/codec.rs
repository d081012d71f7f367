//! The codec: the type `zset`, and its values in files and payloads.
//!
//! A sorted set is saved as value type 5 of the RDB format, whichever form it has: its length, and
//! each member with eight bytes of score. Every Redis since 4.0 reads that. All that Redis ever
//! wrote is read: type 3 with scores as text, ziplists (12) and listpacks (17). Which form a value
//! gets is decided by the present thresholds.
//!
//! Source: the RDB file format, <https://rdb.fnordig.de/file_format.html>, and those of
//! [`listpack`] and [`ziplist`].

use crate::large::Large;
use crate::score;
use crate::small::{self, Small};
use crate::storage::Storage;
use crate::value::may_be_small;
use plinth_module::convert::Conversion;
use plinth_module::datatype::Stored;
use plinth_module::number::{DOUBLE_TEXT_BYTES, format_double};
use plinth_module::pack::{Digits, Reader, listpack, ziplist};
use plinth_module::prelude::*;
use std::collections::HashSet;
use std::ffi::CStr;
use std::marker::PhantomData;

/// Tag of the small form.
pub const SMALL: u32 = 0;
/// Tag of the large form.
pub const LARGE: u32 = 1;

/// Value types in the RDB format.
const RDB_TEXT: u8 = 3;
const RDB_BINARY: u8 = 5;
const RDB_ZIPLIST: u8 = 12;
const RDB_LISTPACK: u8 = 17;

/// The lengths that stand for scores without digits, in value type 3.
const NAN: u8 = 253;
const POSITIVE_INFINITY: u8 = 254;
const NEGATIVE_INFINITY: u8 = 255;

/// The type of sorted sets over a storage.
pub struct Zset<S>(PhantomData<fn() -> S>);

impl<S: Storage> MixedType for Zset<S> {
    type Boxed = Large<S>;
    const NAME: &'static CStr = c"zset";
    const RDB_TAGS: &'static [u8] = &[RDB_BINARY, RDB_TEXT, RDB_ZIPLIST, RDB_LISTPACK];
    const CONVERT: Option<Conversion<Large<S>>> = Some(Conversion::new());

    fn save(value: Stored<'_, Large<S>>, out: &mut Saver<'_>) {
        out.tag(RDB_BINARY);
        out.u64(len(value) as u64);
        visit(value, &mut |member, score| {
            out.bytes(member);
            out.f64(score);
        });
    }

    fn load<'l>(from: &'l mut Loader<'_>, encoding: u32) -> Result<Loaded<'l, Large<S>>> {
        let mut elements = Elements::<S>::default();
        match encoding as u8 {
            tag @ (RDB_TEXT | RDB_BINARY) => {
                for _ in 0..from.u64()? {
                    let member: Box<[u8]> = from.bytes()?.into();
                    let score = if tag == RDB_BINARY { from.f64()? } else { text_score(from)? };
                    elements.push(member, score)?;
                }
            }
            RDB_ZIPLIST => elements.push_all(ziplist::read(from.bytes()?)?)?,
            RDB_LISTPACK => elements.push_all(listpack::read(from.bytes()?)?)?,
            _ => return Err(Error::BadData),
        }
        elements.finish()
    }

    fn memory(value: &Large<S>) -> usize {
        value.memory_bytes()
    }

    fn free_effort(value: &Large<S>) -> usize {
        value.store().len()
    }

    fn encoding_name(value: Stored<'_, Large<S>>) -> &'static str {
        match value {
            Stored::Inline { .. } => "listpack",
            Stored::Boxed { .. } => "skiplist",
        }
    }

    fn rewrite(value: Stored<'_, Large<S>>, out: &mut Rewriter<'_>) -> Result {
        let mut pieces = out.pieces("ZADD");
        visit(value, &mut |member, score| {
            pieces.push(&[format_double(score, &mut [0; DOUBLE_TEXT_BYTES]), member]);
        });
        pieces.finish()
    }

    fn digest(value: Stored<'_, Large<S>>, out: &mut Digester<'_>) -> Result {
        // The small form has one zero for both.
        visit(value, &mut |member, score| {
            out.element(&[member, format_double(score + 0.0, &mut [0; DOUBLE_TEXT_BYTES])]);
        });
        Ok(())
    }
}

fn len<S: Storage>(value: Stored<'_, Large<S>>) -> usize {
    match value {
        Stored::Inline { bytes, .. } => Small::new(bytes).len(),
        Stored::Boxed { value, .. } => value.store().len(),
    }
}

/// Visits all elements, from the lowest on.
fn visit<S: Storage>(value: Stored<'_, Large<S>>, visit: &mut dyn FnMut(&[u8], f64)) {
    let ranks = 0..len(value);
    match value {
        Stored::Inline { bytes, .. } => Small::new(bytes).visit(ranks, false, visit),
        Stored::Boxed { value, .. } => value.store().visit(ranks, false, visit),
    }
}

/// A score as text behind its length.
fn text_score(from: &mut Loader<'_>) -> Result<f64> {
    match from.raw(1)?[0] {
        NAN => Err(Error::BadData),
        POSITIVE_INFINITY => Ok(f64::INFINITY),
        NEGATIVE_INFINITY => Ok(f64::NEG_INFINITY),
        len => score::parse(from.raw(usize::from(len))?).ok_or(Error::BadData),
    }
}

/// Elements that are being read, in whatever order.
struct Elements<S> {
    /// As long as they are few and short.
    small: Vec<(Box<[u8]>, f64)>,
    /// When they are not.
    large: Option<Large<S>>,
}

impl<S> Default for Elements<S> {
    fn default() -> Elements<S> {
        Elements { small: Vec::new(), large: None }
    }
}

impl<S: Storage> Elements<S> {
    fn push(&mut self, member: Box<[u8]>, score: f64) -> Result {
        if score.is_nan() {
            return Err(Error::BadData);
        }
        if self.large.is_none() && may_be_small(self.small.len() + 1, member.len()) {
            self.small.push((member, score));
            return Ok(());
        }
        let mut is_new = true;
        let large = self.large.get_or_insert_with(Large::default);
        for (member, score) in self.small.drain(..).chain([(member, score)]) {
            large.update(&member, |before| {
                is_new &= before.is_none();
                Some(score)
            });
        }
        if is_new { Ok(()) } else { Err(Error::BadData) }
    }

    /// Members and scores in turn.
    fn push_all(&mut self, mut packed: Reader<'_>) -> Result {
        let (mut member_digits, mut score_digits) = (Digits::new(), Digits::new());
        while let Some(member) = packed.next() {
            let score = packed.next().ok_or(Error::BadData)??;
            let score = score::parse(score.text(&mut score_digits)).ok_or(Error::BadData)?;
            self.push(member?.text(&mut member_digits).into(), score)?;
        }
        Ok(())
    }

    fn finish<'l>(mut self) -> Result<Loaded<'l, Large<S>>> {
        if let Some(large) = self.large {
            return Ok(Loaded::boxed(LARGE, large));
        }
        if self.small.is_empty() {
            return Err(Error::BadData);
        }
        let members: HashSet<&[u8]> = self.small.iter().map(|(member, _)| &member[..]).collect();
        if members.len() != self.small.len() {
            return Err(Error::BadData);
        }
        sort(&mut self.small);
        let elements = self.small.iter().map(|(member, score)| (&member[..], *score));
        Ok(Loaded::owned(SMALL, small::build(elements)))
    }
}

/// Brings elements into their order.
pub(crate) fn sort(elements: &mut [(Box<[u8]>, f64)]) {
    elements.sort_unstable_by(|one, other| {
        // Scores are never NaN, and both zeros are the same.
        one.1.partial_cmp(&other.1).unwrap_or(std::cmp::Ordering::Equal).then_with(|| one.0.cmp(&other.0))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::plain::Plain;
    use proptest::prelude::*;

    /// What is read of elements, as a large sorted set.
    fn read(elements: &[(&[u8], f64)]) -> Result<Plain> {
        let mut all = Elements::<Plain>::default();
        for (member, score) in elements {
            all.push((*member).into(), *score)?;
        }
        match all.finish()? {
            Loaded::Boxed { value, .. } => Ok(Plain(value.store().0.clone())),
            Loaded::Inline { .. } => Err(Error::Unsupported),
        }
    }

    #[test]
    fn what_is_no_sorted_set_is_refused() {
        assert_eq!(read(&[(b"b", 2.0), (b"a", 2.0)]).unwrap().0, [(b"a".to_vec(), 2.0), (b"b".to_vec(), 2.0)]);
        assert_eq!(read(&[]).err(), Some(Error::BadData));
        assert_eq!(read(&[(b"a", 1.0), (b"a", 2.0)]).err(), Some(Error::BadData));
        assert_eq!(read(&[(b"a", f64::NAN)]).err(), Some(Error::BadData));
    }

    proptest! {
        #[test]
        fn damaged_packs_are_refused_or_in_order(
            damage in proptest::collection::vec((0..60_usize, any::<u8>()), 0..6),
            is_listpack: bool,
        ) {
            let mut bytes: Vec<u8> = if is_listpack {
                b"\x14\0\0\0\x04\0\x81a\x02\x05\x01\x82bb\x03\x832.5\x04\xff".to_vec()
            } else {
                b"\x18\0\0\0\x13\0\0\0\x04\0\0\x01a\x03\xf2\x02\x01b\x03\x032.5\xff".to_vec()
            };
            let len = bytes.len();
            bytes[..4].copy_from_slice(&(len as u32).to_le_bytes());
            for (at, byte) in damage {
                bytes[6.min(len) + at % (len - 7)] = byte;
            }
            let packed = if is_listpack { listpack::read(&bytes) } else { ziplist::read(&bytes) };
            let mut all = Elements::<Plain>::default();
            if let Ok(packed) = packed && all.push_all(packed).is_ok() && let Ok(Loaded::Boxed { value, .. }) = all.finish() {
                let store = value.store();
                prop_assert!(store.0.windows(2).all(|pair| (pair[0].1, &pair[0].0) < (pair[1].1, &pair[1].0)));
            }
        }
    }
}
