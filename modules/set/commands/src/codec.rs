//! The codec: the type, and its values in files and payloads.
//!
//! | a set that is called | is saved as RDB value type | which holds |
//! |---|---|---|
//! | intset, in its entry | 11 | an RDB string: width u32, count u32, the integers |
//! | listpack, in its entry | 20 | an RDB string: a listpack |
//! | anything else | 2 | a count and so many RDB strings |
//!
//! A reader before Redis 7.2 does not know type 20, and gets a listpack as type 2. These are the three
//! that Redis has ever written for sets; each is read whatever the limits were
//! where it was written, and then is what the limits here make of it. A set without members, a
//! member that comes twice, and integers out of order are refused.
//!
//! Source: the RDB file format, <https://rdb.fnordig.de/file_format.html>.

use crate::intset::Intset;
use crate::large::{Called, Large};
use crate::limits::Limits;
use crate::storage::{Digits, Storage, member};
use crate::value::{LARGE, Owned, Place, expect, insert};
use crate::view::View;
use plinth_module::convert::Conversion;
use plinth_module::pack::listpack;
use plinth_module::prelude::*;
use std::ffi::CStr;
use std::marker::PhantomData;

/// Value types in the RDB format.
const RDB_SET: u8 = 2;
const RDB_INTSET: u8 = 11;
const RDB_LISTPACK: u8 = 20;

/// The type, over a storage.
pub struct SetType<S>(PhantomData<S>);

impl<S: Storage> MixedType for SetType<S> {
    type Boxed = Large<S>;
    const NAME: &'static CStr = c"set";
    const RDB_TAGS: &'static [u8] = &[RDB_SET, RDB_INTSET, RDB_LISTPACK];
    const CONVERT: Option<Conversion<Large<S>>> = Some(Conversion::new());

    fn save(value: Stored<'_, Large<S>>, out: &mut Saver<'_>) {
        match View::of(value) {
            View::Intset(ints) => {
                out.tag(RDB_INTSET);
                out.bytes(&intset_bytes(ints));
            }
            View::Pack(pack) if out.knows(RDB_LISTPACK) => {
                let mut writer = listpack::Writer::default();
                pack.iter().for_each(|member| writer.push(member));
                out.tag(RDB_LISTPACK);
                out.bytes(&writer.finish());
            }
            view => {
                out.tag(RDB_SET);
                out.u64(view.len() as u64);
                view.for_each(|member| out.bytes(member.text(&mut Digits::new())));
            }
        }
    }

    fn load<'l>(from: &'l mut Loader<'_>, encoding: u32) -> Result<Loaded<'l, Large<S>>> {
        let limits = Limits::now();
        let owned = match u8::try_from(encoding) {
            Ok(RDB_SET) => load_members(from, &limits)?,
            Ok(RDB_INTSET) => read_intset(from.bytes()?, &limits)?,
            Ok(RDB_LISTPACK) => read_listpack(from.bytes()?, &limits)?,
            _ => return Err(Error::BadData),
        };
        Ok(match owned {
            Owned::Small(tag, bytes) => Loaded::owned(tag, bytes),
            Owned::Large(large) => Loaded::boxed(LARGE, large),
        })
    }

    fn memory(value: &Large<S>) -> usize {
        value.memory()
    }

    fn free_effort(value: &Large<S>) -> usize {
        value.store().len()
    }

    fn encoding_name(value: Stored<'_, Large<S>>) -> &'static str {
        match View::of(value) {
            View::Intset(_) => "intset",
            View::Pack(_) => "listpack",
            View::Large(large) => match large.called() {
                Called::Intset => "intset",
                Called::Pack => "listpack",
                Called::Table => "hashtable",
            },
        }
    }

    fn copy(value: &Large<S>) -> Option<Large<S>> {
        value.copy().ok()
    }

    fn rewrite(value: Stored<'_, Large<S>>, out: &mut Rewriter<'_>) -> Result {
        let mut pieces = out.pieces("SADD");
        View::of(value).for_each(|member| pieces.push(&[member.text(&mut Digits::new())]));
        pieces.finish()
    }

    fn digest(value: Stored<'_, Large<S>>, out: &mut Digester<'_>) -> Result {
        View::of(value).for_each(|member| out.element(&[member.text(&mut Digits::new())]));
        Ok(())
    }
}

/// An intset as files have it.
fn intset_bytes(ints: Intset<'_>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 + ints.items().len());
    bytes.extend_from_slice(&(ints.width() as u32).to_le_bytes());
    bytes.extend_from_slice(&(ints.len() as u32).to_le_bytes());
    bytes.extend_from_slice(ints.items());
    bytes
}

/// Adds a member that was read; one that is there already is a fault of the data.
fn add<S: Storage>(owned: &mut Owned<S>, text: &[u8], limits: &Limits) -> Result {
    if insert(owned, member(text), limits)? { Ok(()) } else { Err(Error::BadData) }
}

fn load_members<S: Storage>(from: &mut Loader<'_>, limits: &Limits) -> Result<Owned<S>> {
    let count = from.u64()?;
    if count == 0 {
        return Err(Error::BadData);
    }
    let mut owned = if count > limits.intset_entries as u64 { Owned::table()? } else { Owned::new() };
    for _ in 0..count {
        add(&mut owned, from.bytes()?, limits)?;
    }
    Ok(owned)
}

/// The intset that a file has.
fn read_intset<S: Storage>(bytes: &[u8], limits: &Limits) -> Result<Owned<S>> {
    let (head, items) = bytes.split_first_chunk::<8>().ok_or(Error::BadData)?;
    let &[w, 0, 0, 0, a, b, c, d] = head else { return Err(Error::BadData) };
    let (width, count) = (w as usize, u32::from_le_bytes([a, b, c, d]) as usize);
    if !matches!(width, 2 | 4 | 8) || count == 0 || count.checked_mul(width) != Some(items.len()) {
        return Err(Error::BadData);
    }
    let mut small = Vec::with_capacity(1 + items.len());
    small.push(w);
    small.extend_from_slice(items);
    let ints = Intset::new(&small);
    if (1..count).any(|at| ints.get(at - 1) >= ints.get(at)) {
        return Err(Error::BadData);
    }
    let mut owned = Owned::Small(crate::value::INTSET, small);
    shrink_to_limits(&mut owned, count, limits)?;
    Ok(owned)
}

/// Moves what a file had small to where the limits here want it.
fn shrink_to_limits<S: Storage>(owned: &mut Owned<S>, count: usize, limits: &Limits) -> Result {
    use crate::limits::SMALL_BYTES_MAX;
    expect(owned, count, limits)?;
    if owned.small().1.len() > SMALL_BYTES_MAX {
        let called = if owned.small().0 == crate::value::INTSET { Called::Intset } else { Called::Pack };
        crate::value::outgrow(owned, called)?;
    }
    Ok(())
}

/// The pack that a file has.
fn read_listpack<S: Storage>(bytes: &[u8], limits: &Limits) -> Result<Owned<S>> {
    let unlimited = Limits { intset_entries: 0, pack_entries: limits.pack_entries, pack_value: usize::MAX };
    let mut owned = Owned::pack();
    let mut count = 0usize;
    for value in listpack::read(bytes)? {
        count += 1;
        if !insert(&mut owned, value?, &unlimited)? {
            return Err(Error::BadData);
        }
    }
    if count == 0 { Err(Error::BadData) } else { Ok(owned) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Value;
    use crate::value::tests::Plain;
    use crate::value::{INTSET, PACK};
    use proptest::prelude::*;

    const LIMITS: Limits = Limits { intset_entries: 20, pack_entries: 10, pack_value: 8 };

    fn members(owned: &Owned<Plain>) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        owned.view().for_each(|member| all.push(member.to_vec()));
        all.sort();
        all
    }

    fn intset(width: u8, ints: &[i64]) -> Vec<u8> {
        let mut small = vec![width];
        ints.iter().for_each(|integer| small.extend_from_slice(&integer.to_le_bytes()[..width as usize]));
        intset_bytes(Intset::new(&small))
    }

    #[test]
    fn an_intset_is_read_in_every_width() {
        for width in [2, 4, 8] {
            let owned = read_intset::<Plain>(&intset(width, &[-3, 1, 200]), &LIMITS).unwrap();
            assert!(matches!(owned, Owned::Small(INTSET, _)));
            assert_eq!(members(&owned), [&b"-3"[..], b"1", b"200"]);
        }
    }

    #[test]
    fn an_intset_out_of_order_or_empty_or_cut_is_refused() {
        let whole = intset(2, &[1, 2, 3]);
        for bad in [&intset(2, &[2, 1])[..], &intset(2, &[1, 1]), &intset(2, &[]), &whole[..13], &whole[..7], &[]] {
            assert!(read_intset::<Plain>(bad, &LIMITS).is_err(), "{bad:?}");
        }
        let mut odd = whole;
        odd[0] = 3;
        assert!(read_intset::<Plain>(&odd, &LIMITS).is_err());
    }

    #[test]
    fn what_the_limits_forbid_is_large_after_loading() {
        let ints: Vec<i64> = (0..21).collect();
        assert!(matches!(read_intset::<Plain>(&intset(2, &ints), &LIMITS), Ok(Owned::Large(_))));
        let mut writer = listpack::Writer::default();
        ints.iter().for_each(|integer| writer.push(Value::Integer(*integer)));
        assert!(matches!(read_listpack::<Plain>(&writer.finish(), &LIMITS), Ok(Owned::Large(_))));
    }

    #[test]
    fn a_listpack_that_holds_a_member_twice_is_refused() {
        let mut writer = listpack::Writer::default();
        writer.push(Value::Text(b"x"));
        writer.push(Value::Text(b"x"));
        assert!(read_listpack::<Plain>(&writer.finish(), &LIMITS).is_err());
        assert!(read_listpack::<Plain>(&listpack::Writer::default().finish(), &LIMITS).is_err());
    }

    proptest! {
        #[test]
        fn a_pack_reads_back(texts in proptest::collection::btree_set("[a-z0-9]{0,12}", 1..9)) {
            let mut writer = listpack::Writer::default();
            texts.iter().for_each(|text| writer.push(member(text.as_bytes())));
            let owned = read_listpack::<Plain>(&writer.finish(), &LIMITS).unwrap();
            prop_assert!(matches!(owned, Owned::Small(PACK, _)));
            prop_assert_eq!(members(&owned), texts.iter().map(|text| text.clone().into_bytes()).collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_loaded_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..100), at in 0usize..40) {
            let _ = (read_intset::<Plain>(&bytes, &LIMITS), read_listpack::<Plain>(&bytes, &LIMITS));
            let mut writer = listpack::Writer::default();
            (0..8).for_each(|n| writer.push(Value::Integer(n * n * n * n * 300)));
            let mut damaged = writer.finish();
            for (offset, byte) in bytes.iter().take(3).enumerate() {
                let place = (at + offset * 7) % damaged.len();
                damaged[place] = *byte;
            }
            if let Ok(owned) = read_listpack::<Plain>(&damaged, &LIMITS) {
                prop_assert_eq!(members(&owned).len(), owned.view().len());
            }
            let mut damaged = intset(4, &[1, 2, 300, 70_000]);
            for (offset, byte) in bytes.iter().take(3).enumerate() {
                let place = (at + offset * 7) % damaged.len();
                damaged[place] = *byte;
            }
            if let Ok(owned) = read_intset::<Plain>(&damaged, &LIMITS) {
                prop_assert_eq!(members(&owned).len(), owned.view().len());
            }
        }
    }
}
