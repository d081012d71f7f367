//! `plinth.string/1`: strings for other modules, such as bitmaps, HyperLogLogs and SORT.
//!
//! The functions are those of the commands without a reply. What is opened is left as plain bytes,
//! because its caller writes whatever it likes.

use crate::commands::check_len;
use crate::storage::{Digits, Storage, Value, whole};
use plinth_module::prelude::*;
use plinth_module::string::{Len, Opened, Scratch, StringProvider, StringService, table};
use std::marker::PhantomData;

/// The strings of a module over a storage.
pub struct Provider<S>(PhantomData<S>);

impl<S: Storage> Provider<S> {
    /// The service's table.
    pub const TABLE: &'static StringService = &table::<Self>();
}

impl<S: Storage> StringProvider for Provider<S> {
    #[inline(always)]
    fn get<'k>(
        call: &'k mut Call<'_>,
        key: &'k [u8],
        flags: u32,
        scratch: &'k mut Scratch,
    ) -> Result<Option<&'k [u8]>> {
        let Some(entry) = call.keys.get_with(S::handle()?, key, flags)? else { return Ok(None) };
        match S::into_value(entry) {
            Value::Text(text) => Ok(Some(text)),
            Value::Integer(number) => {
                let mut digits = Digits::new();
                let digits = digits.text_of(number);
                scratch[..digits.len()].copy_from_slice(digits);
                Ok(Some(&scratch[..digits.len()]))
            }
        }
    }

    fn set(call: &mut Call<'_>, key: &[u8], bytes: &[u8]) -> Result {
        check_len(&call.config, bytes.len() as u64)?;
        S::put(&mut call.keys, key, whole(bytes), 0)?.modified(EVENT_STRING, "set");
        Ok(())
    }

    #[inline(always)]
    fn open<'k>(call: &'k mut Call<'_>, key: &'k [u8], len: Len) -> Result<Opened<'k>> {
        let check = |wanted| check_len(&call.config, wanted as u64).map(|()| wanted);
        let (mut entry, is_new) = S::find_or_make(&mut call.keys, key, || check(len.from(0)))?;
        if is_new {
            let bytes = S::into_bytes(entry);
            bytes.fill(0);
            return Ok(Opened { bytes, len_before: None });
        }
        let before = S::value(&entry).len();
        let wanted = len.from(before);
        if wanted > before {
            check(wanted)?;
        }
        let bytes = S::resize(&mut entry, wanted)?;
        if wanted > before {
            bytes[before..].fill(0);
        }
        Ok(Opened { bytes: S::into_bytes(entry), len_before: Some(before) })
    }
}
