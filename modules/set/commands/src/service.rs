//! `plinth.set/1`: sets for other modules, such as SORT and geographic searches.

use crate::codec::SetType;
use crate::storage::{Digits, Storage, member};
use crate::view::View;
use plinth_module::prelude::*;
use plinth_module::set::{SetProvider, SetService, table};
use std::marker::PhantomData;

/// The sets of a module over a storage.
pub struct Provider<S>(PhantomData<S>);

impl<S: Storage> Provider<S> {
    /// The service's table.
    pub const TABLE: &'static SetService = &table::<Self>();
}

fn view<'k, S: Storage>(call: &'k mut Call<'_>, key: &'k [u8]) -> Result<Option<View<'k, S>>> {
    let entry = call.keys.get_with(TypeHandle::of::<SetType<S>>()?, key, GET_NO_STATS)?;
    Ok(entry.and_then(|entry| entry.into_stored::<SetType<S>>()).map(View::of))
}

impl<S: Storage> SetProvider for Provider<S> {
    fn len(call: &mut Call<'_>, key: &[u8]) -> Result<Option<usize>> {
        Ok(view::<S>(call, key)?.map(|set| set.len()))
    }

    fn contains(call: &mut Call<'_>, key: &[u8], wanted: &[u8]) -> Result<Option<bool>> {
        Ok(view::<S>(call, key)?.map(|set| set.contains(member(wanted))))
    }

    fn visit(call: &mut Call<'_>, key: &[u8], visit: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool> {
        let Some(set) = view::<S>(call, key)? else { return Ok(false) };
        set.visit(|member| visit(member.text(&mut Digits::new())));
        Ok(true)
    }
}
