//! `plinth.hash/1`: hashes for other modules, such as SORT.
//!
//! What is told of a change is the command's that makes it through here: nothing is said of fields found expired.

use crate::commands::set;
use crate::storage::Storage;
use crate::value::{Hash, View, Writer, announce};
use plinth_module::hash::{HashProvider, HashScratch, HashService, VisitField, table};
use plinth_module::pack::{Digits, Value};
use plinth_module::prelude::*;
use std::marker::PhantomData;

/// The hashes over a storage.
pub(crate) struct Provider<S>(PhantomData<S>);

impl<S: Storage> Provider<S> {
    /// The table.
    pub(crate) const TABLE: &'static HashService = &table::<Provider<S>>();
}

fn open<'k, S: Storage>(call: &'k mut Call<'_>, key: &'k [u8]) -> Result<Option<Entry<'k>>> {
    call.keys.get(TypeHandle::of::<Hash<S>>()?, key)
}

impl<S: Storage> HashProvider for Provider<S> {
    fn len(call: &mut Call<'_>, key: &[u8]) -> Result<Option<usize>> {
        let entry = open::<S>(call, key)?;
        Ok(entry.is_some().then(|| View::<S>::of(&entry).len()))
    }

    fn get<'k>(
        call: &'k mut Call<'_>,
        key: &'k [u8],
        field: &[u8],
        scratch: &'k mut HashScratch,
    ) -> Result<Option<&'k [u8]>> {
        let now = call.now_ms().max(0) as u64;
        let Some(entry) = open::<S>(call, key)? else { return Ok(None) };
        let Some(shown) = View::<S>::kept(entry).get(field, now) else { return Ok(None) };
        Ok(Some(match shown.value {
            Value::Text(text) => text,
            Value::Integer(integer) => {
                let mut digits = Digits::new();
                let digits = digits.text_of(integer);
                scratch[..digits.len()].copy_from_slice(digits);
                &scratch[..digits.len()]
            }
        }))
    }

    fn set(call: &mut Call<'_>, key: &[u8], field: &[u8], value: &[u8]) -> Result {
        let now_ms = call.now_ms();
        let expired = match Writer::<S>::open(&mut call.keys, key, now_ms)? {
            Some(mut writer) => {
                writer.put(writer.name(field), value, None)?;
                writer.expired
            }
            None => {
                Writer::<S>::create(&mut call.keys, key, std::iter::once((field, value)))?;
                false
            }
        };
        announce(&mut call.keys, key, if expired { &["hexpired", "hset"] } else { &["hset"] }, false)
    }

    fn visit(call: &mut Call<'_>, key: &[u8], visit: &mut VisitField<'_>) -> Result<bool> {
        let now = call.now_ms().max(0) as u64;
        let entry = open::<S>(call, key)?;
        let (mut field, mut value) = (Digits::new(), Digits::new());
        View::<S>::of(&entry).visit(now, |shown| visit(shown.field.text(&mut field), shown.value.text(&mut value)));
        Ok(entry.is_some())
    }

    fn set_absent(call: &mut Call<'_>, key: &[u8], field: &[u8], value: &[u8]) -> Result<bool> {
        let now_ms = call.now_ms();
        Ok(set::set_absent::<S>(&mut call.keys, key, field, value, now_ms)?.0)
    }

    fn remove(call: &mut Call<'_>, key: &[u8], field: &[u8]) -> Result<bool> {
        let now_ms = call.now_ms();
        Ok(set::remove::<S>(&mut call.keys, key, std::iter::once(field), now_ms)?.0 > 0)
    }
}
