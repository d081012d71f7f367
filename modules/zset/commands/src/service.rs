//! `plinth.zset/1`: sorted sets for other modules, such as places on a map and SORT.
//!
//! The functions are those of the commands without arguments and replies.

use crate::storage::Storage;
use crate::value::{Edit, View};
use plinth_module::abi::entry::Provided;
use plinth_module::prelude::*;
use plinth_module::zset::{ZsetProvider, ZsetService, table};
use std::marker::PhantomData;
use std::ops::Range;

/// The service over a storage, for a module's list.
pub const fn provided_by<S: Storage>() -> Provided {
    provided(Provider::<S>::TABLE)
}

/// The sorted sets over a storage.
struct Provider<S>(PhantomData<fn() -> S>);

impl<S: Storage> Provider<S> {
    const TABLE: &'static ZsetService = &table::<Provider<S>>();
}

/// Ranks that are shown at one time, after which `visit` is asked whether it wants more.
const STEP: usize = 64;

impl<S: Storage> ZsetProvider for Provider<S> {
    fn len(call: &mut Call<'_>, key: &[u8]) -> Result<Option<usize>> {
        Ok(View::<S>::find(&mut call.keys, key)?.map(|view| view.len()))
    }

    fn score(call: &mut Call<'_>, key: &[u8], member: &[u8]) -> Result<Option<f64>> {
        Ok(View::<S>::find(&mut call.keys, key)?.and_then(|view| view.score(member)))
    }

    fn visit(
        call: &mut Call<'_>,
        key: &[u8],
        ranks: Range<usize>,
        reverse: bool,
        visit: &mut dyn FnMut(&[u8], f64) -> bool,
    ) -> Result<bool> {
        let Some(view) = View::<S>::find(&mut call.keys, key)? else { return Ok(false) };
        let (mut start, mut end) = (ranks.start, ranks.end.min(view.len()));
        let mut goes_on = true;
        while goes_on && start < end {
            let step = if reverse { end.saturating_sub(STEP).max(start)..end } else { start..end.min(start + STEP) };
            (start, end) = if reverse { (start, step.start) } else { (step.end, end) };
            view.visit(step, reverse, &mut |member, score| goes_on = goes_on && visit(member, score));
        }
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
}
