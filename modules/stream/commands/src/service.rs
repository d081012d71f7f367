//! `plinth.stream/1`: streams for other modules.

use crate::commands::{ENTRY_MAX, auto_id, default_limit};
use crate::id::Id;
use crate::storage::{Keep, Storage};
use crate::stream::Stream;
use crate::value;
use plinth_module::pack::{Digits, Value};
use plinth_module::prelude::*;
use plinth_module::stream::{StreamId, StreamProvider, VisitEntry};
use std::marker::PhantomData;
use std::ops::{ControlFlow, RangeInclusive};

/// The streams of this module.
pub struct Provider<S>(PhantomData<S>);

impl From<StreamId> for Id {
    fn from(id: StreamId) -> Id {
        Id::new(id.ms, id.seq)
    }
}

impl From<Id> for StreamId {
    fn from(id: Id) -> StreamId {
        StreamId { ms: id.ms, seq: id.seq }
    }
}

/// Hands an entry to a visitor, integers as their digits.
fn show<'s>(id: Id, fields: impl ExactSizeIterator<Item = Value<'s>>, visit: &mut VisitEntry<'_>) -> ControlFlow<()> {
    let mut fields: Vec<(Value<'s>, Digits)> = fields.map(|field| (field, Digits::new())).collect();
    let texts: Vec<&[u8]> = fields.iter_mut().map(|(field, digits)| field.text(digits)).collect();
    visit(id.into(), &texts)
}

impl<S: Storage> StreamProvider for Provider<S> {
    fn len(call: &mut Call<'_>, key: &[u8]) -> Result<Option<usize>> {
        let Some(entry) = call.keys.get(value::handle::<S>()?, key)? else { return Ok(None) };
        Ok(Some(value::of::<S>(&entry)?.len()))
    }

    fn last_id(call: &mut Call<'_>, key: &[u8]) -> Result<Option<StreamId>> {
        let Some(entry) = call.keys.get(value::handle::<S>()?, key)? else { return Ok(None) };
        Ok(Some(value::of::<S>(&entry)?.last_id().into()))
    }

    fn add<'f>(
        call: &mut Call<'_>,
        key: &[u8],
        id: Option<StreamId>,
        fields: impl ExactSizeIterator<Item = &'f [u8]> + Clone,
    ) -> Result<StreamId> {
        if fields.clone().map(<[u8]>::len).sum::<usize>() > ENTRY_MAX {
            return Err(Error::TooLarge);
        }
        let now_ms = crate::now_ms(call);
        let behind = |last: Id| match id {
            Some(id) => Some(Id::from(id)).filter(|id| *id > last),
            None => auto_id(last, now_ms),
        };
        let Some(mut entry) = call.keys.get_write(value::handle::<S>()?, key)? else {
            let (mut stream, id) = (Stream::<S>::default(), behind(Id::MIN).ok_or(Error::OutOfRange)?);
            stream.append(id, fields);
            value::put(&mut call.keys, key, stream, 0)?.modified(EVENT_STREAM, "xadd");
            return Ok(id.into());
        };
        let stream = value::of_mut::<S>(&mut entry)?;
        let id = behind(stream.last_id()).ok_or(Error::OutOfRange)?;
        stream.append(id, fields);
        entry.modified(EVENT_STREAM, "xadd");
        Ok(id.into())
    }

    fn visit(
        call: &mut Call<'_>,
        key: &[u8],
        ids: RangeInclusive<StreamId>,
        reverse: bool,
        visit: &mut VisitEntry<'_>,
    ) -> Result<bool> {
        let Some(entry) = call.keys.get(value::handle::<S>()?, key)? else { return Ok(false) };
        let log = value::of::<S>(&entry)?.log();
        let ids = Id::from(*ids.start())..=Id::from(*ids.end());
        let one = |id: Id, fields: S::Fields<'_>| show(id, fields, visit);
        let _ = if reverse { log.visit_back(ids, one) } else { log.visit(ids, one) };
        Ok(true)
    }

    fn remove(call: &mut Call<'_>, key: &[u8], ids: &[StreamId]) -> Result<Option<usize>> {
        let Some(mut entry) = call.keys.get_write(value::handle::<S>()?, key)? else { return Ok(None) };
        let stream = value::of_mut::<S>(&mut entry)?;
        let removed = ids.iter().filter(|id| stream.remove(Id::from(**id))).count();
        if removed > 0 {
            entry.modified(EVENT_STREAM | EVENT_UNAWAITED, "xdel");
        }
        Ok(Some(removed))
    }

    fn trim(call: &mut Call<'_>, key: &[u8], keep: usize, approximate: bool) -> Result<Option<usize>> {
        let Some(mut entry) = call.keys.get_write(value::handle::<S>()?, key)? else { return Ok(None) };
        let stream = value::of_mut::<S>(&mut entry)?;
        let limit = if approximate { default_limit() } else { 0 };
        let removed = if stream.len() > keep { stream.cut(Keep::Count(keep), approximate, limit) } else { 0 };
        if stream.has_waste() {
            value::renew::<S>(&mut call.keys, key)?;
            call.keys.modified(key, EVENT_STREAM | EVENT_UNAWAITED, "xtrim");
        } else if removed > 0 {
            entry.modified(EVENT_STREAM | EVENT_UNAWAITED, "xtrim");
        }
        Ok(Some(removed))
    }
}
