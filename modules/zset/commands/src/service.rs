//! `plinth.zset/1`: sorted sets for other modules, such as places on a map and SORT.
//!
//! The functions are those of the commands without arguments and replies.

use crate::codec::{Zset, sort};
use crate::storage::{Cut, Storage};
use crate::value::{Edit, View, put_sorted};
use plinth_module::prelude::*;
use plinth_module::service::Provided;
use plinth_module::zset::{
    Conditions, Members, Put, ScoreRange, VisitMember, ZSET_RANGE_MAX_EXCLUDED, ZSET_RANGE_MIN_EXCLUDED, ZsetProvider,
    ZsetService, table,
};
use std::collections::HashMap;
use std::marker::PhantomData;
use std::ops::{Bound, Range};

/// The service over a storage, for a module's list.
pub const fn provided_by<S: Storage>() -> Provided {
    provided(Provider::<S>::TABLE)
}

/// The sorted sets over a storage.
struct Provider<S>(PhantomData<fn() -> S>);

impl<S: Storage> Provider<S> {
    const TABLE: &'static ZsetService = &table::<Provider<S>>();
}

/// A sorted set to be read, without being counted.
fn view<'k, S: Storage>(call: &'k mut Call<'_>, key: &'k [u8]) -> Result<Option<View<'k, S>>> {
    let Some(entry) = call.keys.get_with(TypeHandle::of::<Zset<S>>()?, key, GET_NO_STATS)? else { return Ok(None) };
    View::of(entry).map(Some)
}

/// Ranks that are shown at one time, after which `visit` is asked whether it wants more.
const STEP: usize = 64;

/// Visits the elements of a range of ranks that are there, until `visit` returns false; whether it
/// never did.
fn visit_ranks<S: Storage>(
    view: &View<'_, S>,
    ranks: Range<usize>,
    reverse: bool,
    visit: &mut VisitMember<'_>,
) -> bool {
    let Range { mut start, mut end } = ranks;
    let mut goes_on = true;
    while goes_on && start < end {
        let step = if reverse { end.saturating_sub(STEP).max(start)..end } else { start..end.min(start + STEP) };
        (start, end) = if reverse { (start, step.start) } else { (step.end, end) };
        view.visit(step, reverse, &mut |member, score| goes_on = goes_on && visit(member, score));
    }
    goes_on
}

/// The ranks between two cuts, but for the first `skip` of them; how many were there counts down
/// from `skip`.
fn between<S: Storage>(
    view: &View<'_, S>,
    from: Cut<'_>,
    to: Cut<'_>,
    skip: &mut usize,
    reverse: bool,
) -> Range<usize> {
    let start = view.count_before(from);
    let end = view.count_before(to).max(start);
    let skipped = (*skip).min(end - start);
    *skip -= skipped;
    if reverse { start..end - skipped } else { start + skipped..end }
}

/// The cuts at both ends of a range of scores.
fn cuts(range: &ScoreRange) -> [Cut<'static>; 2] {
    [
        Cut::Score { score: range.min, behind: range.flags & ZSET_RANGE_MIN_EXCLUDED != 0 },
        Cut::Score { score: range.max, behind: range.flags & ZSET_RANGE_MAX_EXCLUDED == 0 },
    ]
}

impl<S: Storage> ZsetProvider for Provider<S> {
    fn len(call: &mut Call<'_>, key: &[u8]) -> Result<Option<usize>> {
        Ok(view::<S>(call, key)?.map(|view| view.len()))
    }

    fn score(call: &mut Call<'_>, key: &[u8], member: &[u8]) -> Result<Option<f64>> {
        Ok(view::<S>(call, key)?.and_then(|view| view.score(member)))
    }

    fn visit(
        call: &mut Call<'_>,
        key: &[u8],
        ranks: Range<usize>,
        reverse: bool,
        visit: &mut dyn FnMut(&[u8], f64) -> bool,
    ) -> Result<bool> {
        let Some(view) = view::<S>(call, key)? else { return Ok(false) };
        visit_ranks(&view, ranks.start..ranks.end.min(view.len()), reverse, visit);
        Ok(true)
    }

    fn add(call: &mut Call<'_>, key: &[u8], member: &[u8], score: f64) -> Result {
        let mut edit = match Edit::<S>::find(&mut call.keys, key)? {
            Some(edit) => edit,
            None => Edit::create(&mut call.keys, key, 1, member.len())?,
        };
        let done = edit.update(member, |_| Some(score));
        if edit.is_empty() {
            call.keys.remove(key, 0)?;
        }
        done
    }

    fn remove(call: &mut Call<'_>, key: &[u8], member: &[u8]) -> Result<bool> {
        let Some(mut edit) = Edit::<S>::find(&mut call.keys, key)? else { return Ok(false) };
        let found = edit.remove(member)?.is_some();
        if edit.is_empty() {
            call.keys.remove(key, 0)?;
        }
        Ok(found)
    }

    fn visit_scores(
        call: &mut Call<'_>,
        key: &[u8],
        ranges: &[ScoreRange],
        mut skip: usize,
        reverse: bool,
        visit: &mut VisitMember<'_>,
    ) -> Result<bool> {
        let Some(view) = view::<S>(call, key)? else { return Ok(false) };
        for range in ranges {
            let [from, to] = cuts(range);
            let ranks = between(&view, from, to, &mut skip, reverse);
            if !visit_ranks(&view, ranks, reverse, visit) {
                break;
            }
        }
        Ok(true)
    }

    fn visit_members(
        call: &mut Call<'_>,
        key: &[u8],
        members: Members<'_>,
        mut skip: usize,
        reverse: bool,
        visit: &mut VisitMember<'_>,
    ) -> Result<bool> {
        let Some(view) = view::<S>(call, key)? else { return Ok(false) };
        let from = match members.0 {
            Bound::Included(member) => Cut::Member { member, behind: false },
            Bound::Excluded(member) => Cut::Member { member, behind: true },
            Bound::Unbounded => Cut::Score { score: f64::NEG_INFINITY, behind: false },
        };
        let to = match members.1 {
            Bound::Included(member) => Cut::Member { member, behind: true },
            Bound::Excluded(member) => Cut::Member { member, behind: false },
            Bound::Unbounded => Cut::Score { score: f64::INFINITY, behind: true },
        };
        let ranks = between(&view, from, to, &mut skip, reverse);
        visit_ranks(&view, ranks, reverse, visit);
        Ok(true)
    }

    fn count_scores(call: &mut Call<'_>, key: &[u8], range: &ScoreRange) -> Result<Option<usize>> {
        let Some(view) = view::<S>(call, key)? else { return Ok(None) };
        let [from, to] = cuts(range);
        Ok(Some(between(&view, from, to, &mut 0, false).len()))
    }

    fn put(call: &mut Call<'_>, key: &[u8], member: &[u8], score: f64, conditions: Conditions) -> Result<Put> {
        let mut edit = match Edit::<S>::find(&mut call.keys, key)? {
            Some(edit) => edit,
            None if conditions.only_known => return Ok(Put::Kept),
            None => Edit::create(&mut call.keys, key, 1, member.len())?,
        };
        let mut put = Put::Kept;
        let done = edit.update(member, |before| {
            let chosen = conditions.choose(before, score);
            if chosen.is_some() {
                put = if before.is_some() { Put::Changed } else { Put::Added };
            }
            chosen
        });
        if edit.is_empty() {
            call.keys.remove(key, 0)?;
        }
        done.map(|()| put)
    }

    fn set(
        call: &mut Call<'_>,
        key: &[u8],
        members: &mut dyn ExactSizeIterator<Item = (&[u8], f64)>,
        event: &str,
    ) -> Result {
        let last: HashMap<&[u8], f64> = members.collect();
        let mut elements: Vec<(Box<[u8]>, f64)> =
            last.into_iter().map(|(member, score)| (member.into(), score)).collect();
        sort(&mut elements);
        put_sorted::<S>(&mut call.keys, key, &elements)?;
        call.keys.modified(key, EVENT_ZSET, event);
        Ok(())
    }
}
