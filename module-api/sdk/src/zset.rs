//! Sorted sets of whichever module implements them: the safe side of `plinth.zset/1`, for those who
//! use it and for the one who provides it.
//!
//! A module that needs sorted sets (places on a map, SORT) uses them like this:
//!
//! ```
//! use plinth_module::prelude::*;
//! use plinth_module::zset::{ZSET_SERVICE, Zsets};
//!
//! static ZSETS: Zsets = Zsets::new();
//! const MODULE: Module = Module { requires: &[ZSET_SERVICE], start: Some(start), ..Module::NEW };
//!
//! fn start(call: &mut Call<'_>) -> Result {
//!     ZSETS.resolve(call)
//! }
//!
//! fn sum_of_the_ten_least(call: &mut Call<'_>) -> Result {
//!     let mut sum = 0.0;
//!     ZSETS.visit(&mut call.keys, call.args.bytes(1), 0..10, false, |_member, score| {
//!         sum += score;
//!         true
//!     })?;
//!     call.reply.double(sum);
//!     Ok(())
//! }
//! ```
//!
//! The module that has sorted sets implements [`ZsetProvider`] and lists `provided(&TABLE)`, where
//! `static TABLE: ZsetService = table::<ItsProvider>();`.

use crate::abi;
use crate::abi::bytes::{Bytes, Opaque};
use crate::abi::status::Status;
use crate::abi::zset::{
    MemberRange, Scored, VisitScored, ZSET_PUT_ADDED, ZSET_PUT_CHANGED, ZSET_PUT_GT, ZSET_PUT_KEPT, ZSET_PUT_LT,
    ZSET_PUT_NX, ZSET_PUT_XX, ZSET_RANGE_MAX_OPEN, ZSET_RANGE_MIN_OPEN,
};
use crate::call::Call;
use crate::error::{Error, Result, check, check_found};
use crate::keys::Keys;
use crate::service::{Service, answer, answer_found, answer_value, asking, face, set_to_nothing};
use crate::visit::{turn, visiting};
use std::ops::{Bound, Range};

pub use crate::abi::zset::{ScoreRange, ZSET_RANGE_MAX_EXCLUDED, ZSET_RANGE_MIN_EXCLUDED, ZSET_SERVICE, ZsetService};

// SAFETY: the ABI defines this table for this id.
unsafe impl Service for ZsetService {
    const ID: &'static str = ZSET_SERVICE;
}

face! {
    /// Sorted sets, for a module that requires [`ZSET_SERVICE`].
    Zsets, ZsetService,
    /// How many members a sorted set has, or `None` when there is no such key. Fails with
    /// `WrongType`.
    len
}

impl Zsets {
    /// A member's score, or `None` when there is no such key or member. Fails with `WrongType`.
    pub fn score(&self, keys: &mut Keys<'_>, key: &[u8], member: &[u8]) -> Result<Option<f64>> {
        let (table, key, member) = (self.handle.table()?, Bytes::of(key), Bytes::of(member));
        // SAFETY: the call is valid; both are borrowed for the call.
        asking(|score| unsafe { (table.function(|table| table.score))(keys.as_raw(), key, member, score) })
    }

    /// Visits the members of a range of ranks with their scores, in their order or backwards from
    /// the range's end, until `visit` returns false. Ranks beyond the last are left out. Returns
    /// whether there is such a key. Fails with `WrongType`, and with `Panic` when `visit` panicked.
    pub fn visit(
        &self,
        keys: &mut Keys<'_>,
        key: &[u8],
        ranks: Range<usize>,
        reverse: bool,
        visit: impl FnMut(&[u8], f64) -> bool,
    ) -> Result<bool> {
        let (table, Range { start, end }) = (self.handle.table()?, ranks);
        let (call, key, reverse) = (keys.as_raw(), Bytes::of(key), u32::from(reverse));
        let function = visitor_of(&visit);
        // SAFETY: the call is valid, the key borrowed for the call, and the data fits the function.
        visiting(visit, |data| unsafe {
            (table.function(|table| table.visit))(call, key, start, end, reverse, function, data)
        })
    }

    /// Visits the members of several ranges of scores, range by range as they are given, each in its
    /// order or backwards from its end, until `visit` returns false; the first `skip` are passed
    /// over. Returns whether there is such a key. Fails with `WrongType`, with `NotFloat` for NaN,
    /// and with `Panic` when `visit` panicked.
    pub fn visit_scores(
        &self,
        keys: &mut Keys<'_>,
        key: &[u8],
        ranges: &[ScoreRange],
        skip: usize,
        reverse: bool,
        visit: impl FnMut(&[u8], f64) -> bool,
    ) -> Result<bool> {
        let (table, first, count) = (self.handle.table()?, ranges.as_ptr(), ranges.len());
        let (call, key, reverse) = (keys.as_raw(), Bytes::of(key), u32::from(reverse));
        let function = visitor_of(&visit);
        visiting(visit, |data| {
            // SAFETY: as in `visit`; the ranges are borrowed for the call.
            unsafe {
                (table.function(|table| table.visit_scores))(call, key, first, count, skip, reverse, function, data)
            }
        })
    }

    /// Visits the members of a range of members, where all scores are the same, as
    /// [`visit_scores`](Zsets::visit_scores).
    pub fn visit_members(
        &self,
        keys: &mut Keys<'_>,
        key: &[u8],
        members: Members<'_>,
        skip: usize,
        reverse: bool,
        visit: impl FnMut(&[u8], f64) -> bool,
    ) -> Result<bool> {
        let (table, range) = (self.handle.table()?, range_of(members));
        let (call, key, reverse) = (keys.as_raw(), Bytes::of(key), u32::from(reverse));
        let function = visitor_of(&visit);
        visiting(visit, |data| {
            // SAFETY: as in `visit`; the range and what it is made of are borrowed for the call.
            unsafe { (table.function(|table| table.visit_members))(call, key, &range, skip, reverse, function, data) }
        })
    }

    /// How many members have a score in a range, or `None` when there is no such key. Fails with
    /// `WrongType`, and with `NotFloat` for NaN.
    pub fn count_scores(&self, keys: &mut Keys<'_>, key: &[u8], range: &ScoreRange) -> Result<Option<usize>> {
        let (table, key) = (self.handle.table()?, Bytes::of(key));
        // SAFETY: the call is valid; both are borrowed for the call.
        asking(|count| unsafe { (table.function(|table| table.count_scores))(keys.as_raw(), key, range, count) })
    }

    /// Adds a member, or gives it another score; makes the key if missing. The caller then says
    /// [`modified`](Keys::modified). Fails with `WrongType`, `OutOfMemory`, and `NotFloat` for NaN.
    pub fn add(&self, keys: &mut Keys<'_>, key: &[u8], member: &[u8], score: f64) -> Result {
        // SAFETY: the call is valid; both are borrowed for the call.
        check(unsafe {
            (self.handle.table()?.function(|table| table.add))(keys.as_raw(), Bytes::of(key), Bytes::of(member), score)
        })
    }

    /// Adds a member or gives it another score, under conditions; makes the key if something is
    /// added. Says what it did: unless it is [`Put::Kept`] the caller then says
    /// [`modified`](Keys::modified). Fails as [`add`](Zsets::add), and with `Syntax` for conditions
    /// that exclude each other.
    pub fn put(
        &self,
        keys: &mut Keys<'_>,
        key: &[u8],
        member: &[u8],
        score: f64,
        conditions: Conditions,
    ) -> Result<Put> {
        let (member, mut outcome) = (Bytes::of(member), ZSET_PUT_KEPT);
        let (call, flags) = (keys.as_raw(), conditions.flags());
        // SAFETY: the call is valid; both are borrowed for the call.
        check(unsafe {
            (self.handle.table()?.function(|table| table.put))(call, Bytes::of(key), member, score, flags, &mut outcome)
        })?;
        Ok(match outcome {
            ZSET_PUT_ADDED => Put::Added,
            ZSET_PUT_CHANGED => Put::Changed,
            _ => Put::Kept,
        })
    }

    /// Replaces a key, whatever it held, by a sorted set of these members; its expiry goes. Of a
    /// member that is given twice the last score counts. Announces the change under `event`. Without
    /// members the key is removed. Fails with `OutOfMemory`, and with `NotFloat` for NaN.
    pub fn set<'m>(
        &self,
        keys: &mut Keys<'_>,
        key: &[u8],
        members: impl IntoIterator<Item = (&'m [u8], f64)>,
        event: &str,
    ) -> Result {
        let members: Vec<Scored> =
            members.into_iter().map(|(member, score)| Scored { member: Bytes::of(member), score }).collect();
        let (key, event) = (Bytes::of(key), Bytes::of(event.as_bytes()));
        // SAFETY: the call is valid; all are borrowed for the call.
        check(unsafe {
            (self.handle.table()?.function(|table| table.set))(
                keys.as_raw(),
                key,
                members.as_ptr(),
                members.len(),
                event,
            )
        })
    }

    /// Removes a member, and the key with its last; returns whether it was there. The caller then
    /// says [`modified`](Keys::modified). Fails with `WrongType`.
    pub fn remove(&self, keys: &mut Keys<'_>, key: &[u8], member: &[u8]) -> Result<bool> {
        // SAFETY: the call is valid; both are borrowed for the call.
        check_found(unsafe {
            (self.handle.table()?.function(|table| table.remove))(keys.as_raw(), Bytes::of(key), Bytes::of(member))
        })
    }
}

/// The function that hands members to a closure, which says whether it wants more.
fn visitor_of<F: FnMut(&[u8], f64) -> bool>(_: &F) -> VisitScored {
    unsafe extern "C" fn run<F: FnMut(&[u8], f64) -> bool>(data: Opaque, member: Bytes, score: f64) -> u32 {
        // SAFETY: the data is that of a visit with this closure; the member is lent for this call.
        let goes_on = unsafe { turn(data, |visit: &mut F| visit(member.as_slice(), score)) };
        u32::from(goes_on == Some(true))
    }
    VisitScored { run: run::<F> }
}

/// A range of members: the least and the greatest.
pub type Members<'m> = (Bound<&'m [u8]>, Bound<&'m [u8]>);

/// The range as the ABI says it.
fn range_of((min, max): Members<'_>) -> MemberRange {
    let end = |bound: Bound<&[u8]>, excluded, open| match bound {
        Bound::Included(member) => (Bytes::of(member), 0),
        Bound::Excluded(member) => (Bytes::of(member), excluded),
        Bound::Unbounded => (Bytes::EMPTY, open),
    };
    let (min, min_flag) = end(min, ZSET_RANGE_MIN_EXCLUDED, ZSET_RANGE_MIN_OPEN);
    let (max, max_flag) = end(max, ZSET_RANGE_MAX_EXCLUDED, ZSET_RANGE_MAX_OPEN);
    MemberRange { min, max, flags: min_flag | max_flag, reserved: 0 }
}

/// The range that the ABI says.
///
/// # Safety
/// The bytes of an end that is not open are valid for `'m`.
unsafe fn members_of<'m>(range: &MemberRange) -> Members<'m> {
    let end = |bytes: Bytes, excluded, open| {
        if range.flags & open != 0 {
            return Bound::Unbounded;
        }
        // SAFETY: as the caller vouches.
        let member = unsafe { bytes.as_slice() };
        if range.flags & excluded != 0 { Bound::Excluded(member) } else { Bound::Included(member) }
    };
    (
        end(range.min, ZSET_RANGE_MIN_EXCLUDED, ZSET_RANGE_MIN_OPEN),
        end(range.max, ZSET_RANGE_MAX_EXCLUDED, ZSET_RANGE_MAX_OPEN),
    )
}

/// When [`Zsets::put`] does something: the options of ZADD.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// `NX`: only adds a member that is not there.
    pub only_new: bool,
    /// `XX`: only changes a member that is there.
    pub only_known: bool,
    /// `GT`: only changes to a greater score.
    pub only_greater: bool,
    /// `LT`: only changes to a lesser score.
    pub only_less: bool,
}

impl Conditions {
    fn flags(self) -> u32 {
        let bits = [
            (self.only_new, ZSET_PUT_NX),
            (self.only_known, ZSET_PUT_XX),
            (self.only_greater, ZSET_PUT_GT),
            (self.only_less, ZSET_PUT_LT),
        ];
        bits.into_iter().filter(|(is_set, _)| *is_set).map(|(_, bit)| bit).sum()
    }

    /// Fails with `Syntax` for conditions that exclude each other, and with `Unsupported` for bits that
    /// mean nothing.
    fn of(flags: u32) -> Result<Conditions> {
        if flags & !(ZSET_PUT_NX | ZSET_PUT_XX | ZSET_PUT_GT | ZSET_PUT_LT) != 0 {
            return Err(Error::Unsupported);
        }
        let [only_new, only_known, only_greater, only_less] =
            [ZSET_PUT_NX, ZSET_PUT_XX, ZSET_PUT_GT, ZSET_PUT_LT].map(|bit| flags & bit != 0);
        if only_new && (only_known || only_greater || only_less) || only_greater && only_less {
            return Err(Error::Syntax);
        }
        Ok(Conditions { only_new, only_known, only_greater, only_less })
    }

    /// Which score a member gets that has `before`; `None` where it keeps what it has.
    pub fn choose(self, before: Option<f64>, score: f64) -> Option<f64> {
        let allowed = match before {
            None => !self.only_known,
            Some(before) => {
                let is_barred = self.only_greater && score <= before || self.only_less && score >= before;
                !(self.only_new || is_barred)
            }
        };
        allowed.then_some(score).filter(|score| before != Some(*score))
    }
}

/// What [`Zsets::put`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// Nothing: a condition forbade it, or the member had that score.
    Kept,
    /// It added the member.
    Added,
    /// It gave the member another score.
    Changed,
}

/// What is handed each member with its score; false ends the visit.
pub type VisitMember<'v> = dyn FnMut(&[u8], f64) -> bool + 'v;

/// What the module that has sorted sets does for the others.
pub trait ZsetProvider: 'static {
    /// How many members a sorted set has, or `None` when there is no such key.
    fn len(call: &mut Call<'_>, key: &[u8]) -> Result<Option<usize>>;

    /// A member's score, or `None` when there is no such key or member.
    fn score(call: &mut Call<'_>, key: &[u8], member: &[u8]) -> Result<Option<f64>>;

    /// Visits the members of a range of ranks until `visit` returns false; returns whether there is
    /// such a key.
    fn visit(
        call: &mut Call<'_>,
        key: &[u8],
        ranks: Range<usize>,
        reverse: bool,
        visit: &mut dyn FnMut(&[u8], f64) -> bool,
    ) -> Result<bool>;

    /// Adds a member, or gives it another score, which is not NaN. Announces nothing.
    fn add(call: &mut Call<'_>, key: &[u8], member: &[u8], score: f64) -> Result;

    /// Removes a member, and the key with its last; returns whether it was there. Announces nothing.
    fn remove(call: &mut Call<'_>, key: &[u8], member: &[u8]) -> Result<bool>;

    /// Visits the members of ranges of scores, none of them NaN, but for the first `skip`, until
    /// `visit` returns false; returns whether there is such a key.
    fn visit_scores(
        call: &mut Call<'_>,
        key: &[u8],
        ranges: &[ScoreRange],
        skip: usize,
        reverse: bool,
        visit: &mut VisitMember<'_>,
    ) -> Result<bool>;

    /// Visits the members of a range of members, but for the first `skip`, until `visit` returns
    /// false; returns whether there is such a key.
    fn visit_members(
        call: &mut Call<'_>,
        key: &[u8],
        members: Members<'_>,
        skip: usize,
        reverse: bool,
        visit: &mut VisitMember<'_>,
    ) -> Result<bool>;

    /// How many members have a score in a range, or `None` when there is no such key.
    fn count_scores(call: &mut Call<'_>, key: &[u8], range: &ScoreRange) -> Result<Option<usize>>;

    /// Adds a member or gives it another score, which is not NaN, under conditions. Announces
    /// nothing.
    fn put(call: &mut Call<'_>, key: &[u8], member: &[u8], score: f64, conditions: Conditions) -> Result<Put>;

    /// Replaces a key, whatever it held, by a sorted set of these members, at least one and their
    /// scores not NaN; takes its expiry away, and announces the change under `event`.
    fn set(
        call: &mut Call<'_>,
        key: &[u8],
        members: &mut dyn ExactSizeIterator<Item = (&[u8], f64)>,
        event: &str,
    ) -> Result;
}

/// The table of a provider, for [`provided`](crate::service::provided).
pub const fn table<P: ZsetProvider>() -> ZsetService {
    ZsetService {
        size: size_of::<ZsetService>() as u32,
        reserved: 0,
        len: len::<P>,
        score: score::<P>,
        visit: visit::<P>,
        add: add::<P>,
        remove: remove::<P>,
        visit_scores: visit_scores::<P>,
        visit_members: visit_members::<P>,
        count_scores: count_scores::<P>,
        put: put::<P>,
        set: set::<P>,
    }
}

/// Fails with `NotFloat` for a range that NaN bounds.
fn check_range(range: &ScoreRange) -> Result {
    if range.min.is_nan() || range.max.is_nan() { Err(Error::NotFloat) } else { Ok(()) }
}

/// What hands each member to the visitor's function, and says whether that wants more.
///
/// # Safety
/// The function fits its data, for as long as what is returned is used.
unsafe fn lend_to(visit: VisitScored, data: Opaque) -> impl FnMut(&[u8], f64) -> bool {
    // SAFETY: as the caller vouches.
    move |member, score| unsafe { (visit.run)(data, Bytes::of(member), score) != 0 }
}

unsafe extern "C" fn len<P: ZsetProvider>(call: *mut abi::call::Call, key: Bytes, len_out: *mut usize) -> Status {
    // SAFETY: the caller keeps to the table's comments: a valid call, a key for the call, room for
    // the result.
    unsafe { answer_value(call, len_out, |call| P::len(call, key.as_slice())) }
}

unsafe extern "C" fn score<P: ZsetProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    member: Bytes,
    score_out: *mut f64,
) -> Status {
    // SAFETY: as in `len`.
    unsafe { answer_value(call, score_out, |call| P::score(call, key.as_slice(), member.as_slice())) }
}

unsafe extern "C" fn visit<P: ZsetProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    start: usize,
    stop: usize,
    reverse: u32,
    visit: VisitScored,
    data: Opaque,
) -> Status {
    // SAFETY: as in `len`; `data` is the one that the function was given with.
    unsafe {
        answer_found(call, |call| P::visit(call, key.as_slice(), start..stop, reverse != 0, &mut lend_to(visit, data)))
    }
}

unsafe extern "C" fn add<P: ZsetProvider>(call: *mut abi::call::Call, key: Bytes, member: Bytes, score: f64) -> Status {
    // SAFETY: as in `len`.
    unsafe {
        answer(call, |call| {
            if score.is_nan() {
                return Err(Error::NotFloat);
            }
            P::add(call, key.as_slice(), member.as_slice(), score)
        })
    }
}

unsafe extern "C" fn remove<P: ZsetProvider>(call: *mut abi::call::Call, key: Bytes, member: Bytes) -> Status {
    // SAFETY: as in `len`.
    unsafe { answer_found(call, |call| P::remove(call, key.as_slice(), member.as_slice())) }
}

unsafe extern "C" fn visit_scores<P: ZsetProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    ranges: *const ScoreRange,
    count: usize,
    skip: usize,
    reverse: u32,
    visit: VisitScored,
    data: Opaque,
) -> Status {
    // SAFETY: as in `visit`; there are `count` ranges, lent for the call.
    unsafe {
        answer_found(call, |call| {
            let ranges = if count == 0 { &[] } else { std::slice::from_raw_parts(ranges, count) };
            ranges.iter().try_for_each(check_range)?;
            P::visit_scores(call, key.as_slice(), ranges, skip, reverse != 0, &mut lend_to(visit, data))
        })
    }
}

unsafe extern "C" fn visit_members<P: ZsetProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    range: *const MemberRange,
    skip: usize,
    reverse: u32,
    visit: VisitScored,
    data: Opaque,
) -> Status {
    // SAFETY: as in `visit`; the range is lent for the call.
    unsafe {
        answer_found(call, |call| {
            P::visit_members(call, key.as_slice(), members_of(&*range), skip, reverse != 0, &mut lend_to(visit, data))
        })
    }
}

unsafe extern "C" fn count_scores<P: ZsetProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    range: *const ScoreRange,
    count_out: *mut usize,
) -> Status {
    // SAFETY: as in `len`; the range is lent for the call.
    unsafe {
        answer_value(call, count_out, |call| {
            check_range(&*range)?;
            P::count_scores(call, key.as_slice(), &*range)
        })
    }
}

unsafe extern "C" fn put<P: ZsetProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    member: Bytes,
    score: f64,
    flags: u32,
    outcome_out: *mut u32,
) -> Status {
    // SAFETY: as in `len`.
    unsafe {
        answer(call, |call| {
            if score.is_nan() {
                return Err(Error::NotFloat);
            }
            let put = P::put(call, key.as_slice(), member.as_slice(), score, Conditions::of(flags)?)?;
            outcome_out.write(match put {
                Put::Kept => ZSET_PUT_KEPT,
                Put::Added => ZSET_PUT_ADDED,
                Put::Changed => ZSET_PUT_CHANGED,
            });
            Ok(())
        })
    }
}

unsafe extern "C" fn set<P: ZsetProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    members: *const Scored,
    count: usize,
    event: Bytes,
) -> Status {
    // SAFETY: as in `len`; there are `count` members, all lent for the call.
    unsafe {
        answer(call, |call| {
            let key = key.as_slice();
            if count == 0 {
                return set_to_nothing(call, key);
            }
            let members = std::slice::from_raw_parts(members, count);
            if members.iter().any(|scored| scored.score.is_nan()) {
                return Err(Error::NotFloat);
            }
            let event = std::str::from_utf8(event.as_slice()).map_err(|_| Error::Unsupported)?;
            P::set(call, key, &mut members.iter().map(|scored| (scored.member.as_slice(), scored.score)), event)
        })
    }
}
