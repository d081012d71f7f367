//! `plinth.hash/1`: hashes for other modules, such as SORT.
//!
//! What is told of a change is the command's that makes it through here. Fields that are found expired and removed are
//! told before.

use crate::commands::set;
use crate::storage::Storage;
use crate::told::{self, Gone};
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

fn tell(call: &mut Call<'_>, key: &[u8], gone: Option<Gone>) -> Result {
    gone.map_or(Ok(()), |gone| told::before(call, key, &gone))
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
        let gone = match Writer::<S>::open(&mut call.keys, key, now_ms)? {
            Some(mut writer) => {
                writer.put(writer.name(field), value, None)?;
                writer.gone()
            }
            None => {
                Writer::<S>::create(&mut call.keys, key, std::iter::once((field, value)))?;
                None
            }
        };
        announce(&mut call.keys, key, if gone.is_some() { &["hexpired", "hset"] } else { &["hset"] }, false)?;
        tell(call, key, gone)
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
        let (is_new, gone) = set::set_absent::<S>(&mut call.keys, key, field, value, now_ms)?;
        tell(call, key, gone)?;
        Ok(is_new)
    }

    fn remove(call: &mut Call<'_>, key: &[u8], field: &[u8]) -> Result<bool> {
        let now_ms = call.now_ms();
        let (removed, gone) = set::remove::<S>(&mut call.keys, key, std::iter::once(field), now_ms)?;
        tell(call, key, gone)?;
        Ok(removed > 0)
    }
}
