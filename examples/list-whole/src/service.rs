//! `plinth.list/1`: lists for other modules.

use crate::list::{End, List};
use crate::value;
use plinth_module::list::{ListEnd, ListProvider, ListService, table};
use plinth_module::prelude::*;
use std::ops::ControlFlow;

/// The table.
pub(crate) static TABLE: ListService = table::<Provider>();

enum Provider {}

impl ListProvider for Provider {
    fn len(call: &mut Call<'_>, key: &[u8]) -> Result<Option<usize>> {
        Ok(value::read(&mut call.keys, key)?.map(List::len))
    }

    fn visit(
        call: &mut Call<'_>,
        key: &[u8],
        start: i64,
        stop: i64,
        visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<bool> {
        let Some(list) = value::read(&mut call.keys, key)? else { return Ok(false) };
        let _ = list.range(list.positions(start, stop)).try_for_each(visit);
        Ok(true)
    }

    fn set(call: &mut Call<'_>, key: &[u8], elements: &mut dyn Iterator<Item = &[u8]>, event: &str) -> Result {
        let mut list = List::default();
        elements.for_each(|element| list.push(End::Right, element));
        value::create(&mut call.keys, key, list)?;
        call.keys.modified(key, EVENT_LIST, event);
        Ok(())
    }

    fn push(call: &mut Call<'_>, key: &[u8], element: &[u8], end: ListEnd) -> Result<usize> {
        let (end, event) = match end {
            ListEnd::Front => (End::Left, "lpush"),
            ListEnd::Back => (End::Right, "rpush"),
        };
        let len = if let Some(list) = value::find(&mut call.keys, key)? {
            list.push(end, element);
            list.len()
        } else {
            let mut list = List::default();
            list.push(end, element);
            value::create(&mut call.keys, key, list)?;
            1
        };
        call.keys.modified(key, EVENT_LIST, event);
        Ok(len)
    }

    fn pop(call: &mut Call<'_>, key: &[u8], end: ListEnd, take: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let (end, event) = match end {
            ListEnd::Front => (End::Left, "lpop"),
            ListEnd::Back => (End::Right, "rpop"),
        };
        let Some(list) = value::find(&mut call.keys, key)? else { return Ok(false) };
        if let Some(element) = list.pop(end) {
            take(&element);
        }
        let is_empty = list.is_empty();
        value::taken(&mut call.keys, key, event, is_empty)?;
        Ok(true)
    }
}
