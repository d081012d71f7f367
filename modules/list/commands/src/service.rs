//! `plinth.list/1`: lists for other modules, such as SORT.

use crate::codec::ELEMENT_MAX;
use crate::commands::{finish, popped_at, pushed_at, range, take};
use crate::storage::{End, Storage};
use crate::value;
use plinth_module::list::{ListEnd, ListProvider};
use plinth_module::pack::Digits;
use plinth_module::prelude::*;
use std::marker::PhantomData;
use std::ops::ControlFlow;

/// The lists of this module.
pub struct Provider<S>(PhantomData<S>);

impl<S: Storage> ListProvider for Provider<S> {
    fn len(call: &mut Call<'_>, key: &[u8]) -> Result<Option<usize>> {
        Ok(call.keys.get_with(value::handle::<S>()?, key, GET_NO_STATS)?.map(|entry| value::len::<S>(&entry)))
    }

    fn visit(
        call: &mut Call<'_>,
        key: &[u8],
        start: i64,
        stop: i64,
        visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<bool> {
        let Some(entry) = call.keys.get_with(value::handle::<S>()?, key, GET_NO_STATS)? else { return Ok(false) };
        let (start, mut left) = range(value::len::<S>(&entry), start, stop);
        let mut digits = Digits::new();
        if left > 0 {
            let _ = value::visit::<S, ()>(&entry, start, |value| {
                visit(value.text(&mut digits))?;
                left -= 1;
                if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
        }
        Ok(true)
    }

    fn set(call: &mut Call<'_>, key: &[u8], elements: &mut dyn Iterator<Item = &[u8]>, event: &str) -> Result {
        let elements: Vec<&[u8]> = elements.collect();
        if elements.iter().any(|element| element.len() > ELEMENT_MAX) {
            return Err(Error::TooLarge);
        }
        let texts = elements.iter().copied();
        value::put::<S, _>(&mut call.keys, key, End::Back, texts, 0)?.modified(EVENT_LIST, event);
        call.keys.count_elements(elements.len());
        Ok(())
    }

    fn push(call: &mut Call<'_>, key: &[u8], element: &[u8], end: ListEnd) -> Result<usize> {
        if element.len() > ELEMENT_MAX {
            return Err(Error::TooLarge);
        }
        let (end, element) = (end_of(end), std::iter::once(element));
        if let Some(mut entry) = call.keys.get_write(value::handle::<S>()?, key)? {
            let len = value::push::<S, _>(&mut entry, end, element)?;
            entry.modified(EVENT_LIST, pushed_at(end));
            return Ok(len);
        }
        value::put::<S, _>(&mut call.keys, key, end, element, PUT_ABSENT)?.modified(EVENT_LIST, pushed_at(end));
        Ok(1)
    }

    fn pop(call: &mut Call<'_>, key: &[u8], end: ListEnd, lend: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let (end, mut digits) = (end_of(end), Digits::new());
        let Some(mut entry) = call.keys.get_write(value::handle::<S>()?, key)? else { return Ok(false) };
        let after = take::<S>(&mut entry, end, 1, |value| lend(value.text(&mut digits)))?;
        finish::<S>(&mut call.keys, key, after, popped_at(end))?;
        Ok(true)
    }
}

fn end_of(end: ListEnd) -> End {
    match end {
        ListEnd::Front => End::Front,
        ListEnd::Back => End::Back,
    }
}
