//! The value: a list in its entry, small or large, behind functions that do not care which.
//!
//! ```text
//!              push, insert, set: too many bytes or elements for the small form
//!    small  ------------------------------------------------------------------->  large
//!           <-------------------------------------------------------------------
//!              pop, remove, trim: half of that or less
//! ```
//!
//! Which name OBJECT ENCODING answers is kept beside, as the small form's tag or in the large
//! value, and follows `list-max-listpack-size` ([`limit`](crate::limit)).
//!
//! Functions that take elements away are for lists in which some remain; a list without elements
//! is a key that has to be removed. After them comes [`shrink`], and if that says so
//! [`make_small`].

use crate::codec::{BOXED, List};
use crate::large::Large;
use crate::limit::{self, Limit};
use crate::small::{self, Builder, HEAD_BYTES, LISTPACK, QUICKLIST};
use crate::storage::{End, Storage, Value};
use plinth_module::pack::Digits;
use plinth_module::pack::element::{self, Encoded};
use plinth_module::pack::listpack::{EMPTY_BYTES, element_bytes};
use plinth_module::prelude::*;
use std::ops::ControlFlow;

/// The handle of the type.
#[inline(always)]
pub fn handle<S: Storage>() -> Result<&'static TypeHandle> {
    TypeHandle::of::<List<S>>()
}

/// The storage of a large list. Fails with `Unsupported` for a value in no form of ours.
fn large<'e, S: Storage>(entry: &'e mut Entry<'_>) -> Result<&'e mut Large<S>> {
    entry.boxed::<List<S>>().ok_or(Error::Unsupported)
}

fn read<'e, S: Storage>(entry: &'e Entry<'_>) -> Option<&'e S> {
    match entry.stored::<List<S>>() {
        Some(plinth_module::datatype::Stored::Boxed { value, .. }) => Some(value.store()),
        _ => None,
    }
}

/// Number of elements.
#[inline]
pub fn len<S: Storage>(entry: &Entry<'_>) -> usize {
    if entry.is_inline() { small::count(entry.bytes()) } else { read::<S>(entry).map_or(0, S::len) }
}

/// Hands the elements from number `start` on to `visit`, until it breaks.
#[inline]
pub fn visit<S: Storage, B>(
    entry: &Entry<'_>,
    start: usize,
    mut visit: impl FnMut(Value<'_>) -> ControlFlow<B>,
) -> ControlFlow<B> {
    if !entry.is_inline() {
        return read::<S>(entry).map_or(ControlFlow::Continue(()), |store| store.visit(start, visit));
    }
    let pack = small::pack(entry.bytes());
    let from = element::offset(pack, start).unwrap_or(pack.len());
    element::iter(&pack[from..]).try_for_each(&mut visit)
}

/// Hands the elements before number `end` to `visit`, the last one first, until it breaks.
pub fn visit_back<S: Storage, B>(
    entry: &Entry<'_>,
    end: usize,
    mut visit: impl FnMut(Value<'_>) -> ControlFlow<B>,
) -> ControlFlow<B> {
    if !entry.is_inline() {
        return read::<S>(entry).map_or(ControlFlow::Continue(()), |store| store.visit_back(end, visit));
    }
    small::back(small::pack(entry.bytes()), end).try_for_each(&mut visit)
}

/// Hands element number `at` to `take`; `None` when there are fewer.
#[inline]
pub fn get<S: Storage, R>(entry: &Entry<'_>, at: usize, take: impl FnOnce(Value<'_>) -> R) -> Option<R> {
    if !entry.is_inline() {
        return read::<S>(entry)?.get(at, take);
    }
    let pack = small::pack(entry.bytes());
    Some(take(element::read(&pack[element::offset(pack, at)?..])?.0))
}

/// The tag of a small list to which elements of `texts` bytes, `count` of them, are added.
#[inline]
fn tag_with(entry_tag: u32, bytes: &[u8], texts: usize, count: usize) -> u32 {
    let (limit, pack) = (Limit::now(), small::pack(bytes));
    let count = small::count(bytes) + count;
    // No element takes more than twice the bytes in a listpack that it takes here.
    let most = EMPTY_BYTES + 2 * pack.len() + texts;
    if entry_tag == QUICKLIST {
        QUICKLIST
    } else if !limit.is_exceeded(most, count) {
        LISTPACK
    } else if limit.is_exceeded(EMPTY_BYTES + listpack_sum(pack) + texts, count) {
        QUICKLIST
    } else {
        LISTPACK
    }
}

fn listpack_sum(pack: &[u8]) -> usize {
    element::iter(pack).map(element_bytes).sum()
}

/// The number of elements is kept in the entry's first bytes.
fn set_count(entry: &mut Entry<'_>, count: usize) {
    if let Some(head) = entry.bytes_mut().first_chunk_mut() {
        *head = small::head(count);
    }
}

/// Makes a small list large, with the name that its tag says.
#[cold]
fn make_large<'e, S: Storage>(entry: &'e mut Entry<'_>, tag: u32) -> Result<&'e mut Large<S>> {
    let value = Large::<S>::of(element::iter(small::pack(entry.bytes())), tag == QUICKLIST);
    entry.set_boxed::<List<S>>(BOXED, value)?;
    large(entry)
}

/// Adds elements at one end, one after the other. Returns how many there are then.
#[inline]
pub fn push<'t, S: Storage, I>(entry: &mut Entry<'_>, end: End, texts: I) -> Result<usize>
where
    I: ExactSizeIterator<Item = &'t [u8]> + Clone,
{
    if !entry.is_inline() {
        return push_large(large::<S>(entry)?, end, texts);
    }
    let (added, texts_len) = lens(texts.clone());
    let tag = tag_with(entry.tag(), entry.bytes(), texts_len, texts.len());
    let count = small::count(entry.bytes()) + texts.len();
    let before = small::pack(entry.bytes()).len();
    if !small::fits(before + added, count) {
        return push_large(make_large::<S>(entry, tag)?, end, texts);
    }
    let at = if end == End::Front { HEAD_BYTES } else { HEAD_BYTES + before };
    fill(entry.open_gap(tag, at, added, false)?, end, texts);
    set_count(entry, count);
    Ok(count)
}

fn push_large<'t, S: Storage>(
    large: &mut Large<S>,
    end: End,
    texts: impl ExactSizeIterator<Item = &'t [u8]> + Clone,
) -> Result<usize> {
    large.expect(texts.clone().map(<[u8]>::len).sum(), texts.len());
    texts.for_each(|text| large.push(end, text));
    Ok(large.store().len())
}

/// Bytes of these elements in a pack, and of their texts.
#[inline]
fn lens<'t>(texts: impl Iterator<Item = &'t [u8]>) -> (usize, usize) {
    texts.fold((0, 0), |(packed, len), text| (packed + Encoded::of(text).len(), len + text.len()))
}

/// Fills a gap of just their size with elements that are added at one end.
#[inline]
fn fill<'t>(gap: &mut [u8], end: End, texts: impl Iterator<Item = &'t [u8]>) {
    let mut at = if end == End::Front { gap.len() } else { 0 };
    for text in texts {
        let element = Encoded::of(text);
        if end == End::Front {
            at -= element.len();
            element.write(&mut gap[at..]);
        } else {
            element.write(&mut gap[at..]);
            at += element.len();
        }
    }
}

/// Makes a key, or replaces what it holds, by a list of these elements, each added at `end`. `flags`
/// are `PUT_*`. Returns the entry.
pub fn put<'k, 't, S: Storage, I>(
    keys: &'k mut Keys<'_>,
    key: &'k [u8],
    end: End,
    texts: I,
    flags: u32,
) -> Result<Entry<'k>>
where
    I: ExactSizeIterator<Item = &'t [u8]> + Clone,
{
    let ((packed, texts_len), count) = (lens(texts.clone()), texts.len());
    let tag = tag_with(LISTPACK, &[], texts_len, count);
    if !small::fits(packed, count) {
        let mut large = Large::<S>::with(S::new(limit::layout()), tag == QUICKLIST);
        texts.for_each(|text| large.push(end, text));
        return keys.put_boxed::<List<S>>(key, BOXED, large, flags);
    }
    let mut entry = keys.put(handle::<S>()?, key, tag, HEAD_BYTES + packed, flags)?;
    let (head, gap) = entry.bytes_mut().split_at_mut(HEAD_BYTES);
    head.copy_from_slice(&small::head(count));
    fill(gap, end, texts);
    Ok(entry)
}

/// Puts an element before number `at`, or behind all. The list is long enough.
pub fn insert<S: Storage>(entry: &mut Entry<'_>, at: usize, text: &[u8]) -> Result {
    splice::<S>(entry, at, 0, text)
}

/// Replaces element number `at`, which is there.
pub fn set<S: Storage>(entry: &mut Entry<'_>, at: usize, text: &[u8]) -> Result {
    splice::<S>(entry, at, 1, text)
}

/// Replaces `removed` elements, one or none, from number `at` on.
fn splice<S: Storage>(entry: &mut Entry<'_>, at: usize, removed: usize, text: &[u8]) -> Result {
    let change = |large: &mut Large<S>| {
        large.expect(text.len(), 1);
        if removed == 0 {
            large.insert(at, text)
        } else {
            large.set(at, text)
        };
    };
    if !entry.is_inline() {
        change(large::<S>(entry)?);
        return Ok(());
    }
    let element = Encoded::of(text);
    let tag = tag_with(entry.tag(), entry.bytes(), text.len(), 1);
    let pack = small::pack(entry.bytes());
    let (count, old) = (small::count(entry.bytes()) + 1 - removed, small::span(pack, at, removed));
    if !small::fits(pack.len() - old.len() + element.len(), count) {
        change(make_large::<S>(entry, tag)?);
        return Ok(());
    }
    let from = HEAD_BYTES + old.start;
    if old.len() < element.len() {
        entry.open_gap(tag, from, element.len() - old.len(), false)?;
    } else if old.len() > element.len() {
        entry.close_gap(tag, from, old.len() - element.len())?;
    } else if tag != entry.tag() {
        entry.resize(tag, entry.bytes().len(), false)?;
    }
    element.write(&mut entry.bytes_mut()[from..]);
    set_count(entry, count);
    Ok(())
}

/// Takes `count` elements away at one end, fewer than there are, after `take` has seen each.
pub fn pop<S: Storage>(entry: &mut Entry<'_>, end: End, count: usize, mut take: impl FnMut(Value<'_>)) -> Result {
    if !entry.is_inline() {
        let large = large::<S>(entry)?;
        for _ in 0..count {
            large.pop(end, &mut take);
        }
        return Ok(());
    }
    if count == 0 {
        return Ok(());
    }
    let pack = small::pack(entry.bytes());
    let left = small::count(entry.bytes()).saturating_sub(count);
    let gone = match end {
        End::Front => {
            let mut elements = element::iter(pack);
            elements.by_ref().take(count).for_each(&mut take);
            0..elements.offset()
        }
        End::Back if count == 1 => {
            let from = element::offset(pack, left).unwrap_or(pack.len());
            element::iter(&pack[from..]).take(1).for_each(&mut take);
            from..pack.len()
        }
        End::Back => {
            small::back(pack, left + count).take(count).for_each(&mut take);
            element::offset(pack, left).unwrap_or(pack.len())..pack.len()
        }
    };
    let (tag, from) = (entry.tag(), HEAD_BYTES + gone.start);
    entry.close_gap(tag, from, gone.len())?;
    set_count(entry, left);
    Ok(())
}

/// Removes elements that equal `text`, at most `max` of them, beginning at one end; some may be left
/// or none. Returns how many.
pub fn remove_equal<S: Storage>(entry: &mut Entry<'_>, text: &[u8], max: usize, from: End) -> Result<usize> {
    if !entry.is_inline() {
        return Ok(large::<S>(entry)?.remove_equal(text, max, from));
    }
    let wanted = Encoded::of(text);
    let bytes = entry.bytes();
    let (mut found, mut at) = (Vec::new(), HEAD_BYTES);
    while let Some(next) = bytes.get(at..).and_then(|rest| element::find(rest, &wanted)) {
        found.push(at + next);
        at += next + wanted.len();
    }
    let gone =
        if from == End::Back { &found[found.len().saturating_sub(max)..] } else { &found[..found.len().min(max)] };
    if gone.is_empty() {
        return Ok(0);
    }
    let (mut kept, mut from) = (Vec::with_capacity(bytes.len()), 0);
    for &at in gone {
        kept.extend_from_slice(&bytes[from..at]);
        from = at + wanted.len();
    }
    kept.extend_from_slice(&bytes[from..]);
    let count = small::count(bytes).saturating_sub(gone.len());
    entry.resize(entry.tag(), kept.len(), false)?;
    entry.bytes_mut().copy_from_slice(&kept);
    set_count(entry, count);
    Ok(gone.len())
}

/// Most elements that are taken away one by one for LTRIM: beyond, the list is cut.
const TRIM_MAX: usize = 64;

/// Keeps `count` elements from number `start` on, at least one. Takes the key, since a long list
/// that loses much gives way to another value, and what it has lost is freed with it on another
/// thread; only one that is being converted stays. Returns whether [`make_small`] is called for.
pub fn trim<S: Storage>(keys: &mut Keys<'_>, key: &[u8], start: usize, count: usize) -> Result<bool> {
    let flags = GET_WRITE | GET_NO_STATS | GET_NO_TOUCH;
    let Some(mut entry) = keys.get_with(handle::<S>()?, key, flags)? else { return Ok(false) };
    let behind = len::<S>(&entry).saturating_sub(start + count);
    let is_little = start <= TRIM_MAX && behind <= TRIM_MAX;
    if entry.is_inline() || is_little && !large::<S>(&mut entry)?.is_to_go() {
        pop::<S>(&mut entry, End::Back, behind, |_| {})?;
        pop::<S>(&mut entry, End::Front, start, |_| {})?;
        return shrink::<S>(&mut entry);
    }
    let large = large::<S>(&mut entry)?;
    if large.is_exported() {
        large.keep_here(start, count);
        return Ok(large.shrink());
    }
    let mut kept = large.keep(start, count);
    let is_short = kept.shrink();
    keys.put_boxed::<List<S>>(key, BOXED, kept, PUT_KEEP_EXPIRY)?;
    Ok(is_short)
}

/// After a removal that left some elements: gives the list the name that it has at its size. Returns
/// whether it has become so short that [`make_small`] is called for.
#[inline]
pub fn shrink<S: Storage>(entry: &mut Entry<'_>) -> Result<bool> {
    if !entry.is_inline() {
        return Ok(large::<S>(entry)?.shrink());
    }
    if entry.tag() == QUICKLIST {
        let (pack, count) = (small::pack(entry.bytes()), small::count(entry.bytes()));
        if Limit::now().is_half_met(EMPTY_BYTES + listpack_sum(pack), count) {
            entry.resize(LISTPACK, entry.bytes().len(), false)?;
        }
    }
    Ok(false)
}

/// Makes a large list small.
#[cold]
pub fn make_small<S: Storage>(keys: &mut Keys<'_>, key: &[u8]) -> Result {
    let (tag, bytes) = {
        let flags = GET_WRITE | GET_NO_STATS | GET_NO_TOUCH;
        let Some(mut entry) = keys.get_with(handle::<S>()?, key, flags)? else { return Ok(()) };
        let large = large::<S>(&mut entry)?;
        let (mut small, mut digits) = (Builder::default(), Digits::new());
        let whole = large.store().visit(0, |value| match small.push(&Encoded::of(value.text(&mut digits))) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        });
        if whole.is_break() {
            return Ok(());
        }
        (if large.is_quicklist() { QUICKLIST } else { LISTPACK }, small.finish())
    };
    keys.put_bytes(handle::<S>()?, key, tag, &bytes, PUT_KEEP_EXPIRY)?;
    Ok(())
}
