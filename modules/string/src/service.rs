//! `plinth.string/1`: strings for other modules, such as bitmaps, HyperLogLogs and SORT.
//!
//! The functions are those of the commands without a reply. What is opened is left in the form
//! that is plain bytes, [`RAW`](crate::value::RAW), because its caller writes whatever it likes.

use crate::codec::STRING;
use crate::commands::{check_len, put, resize};
use crate::value::{self, INTEGER, RAW};
use plinth_module::abi::entry::Provided;
use plinth_module::pack::Digits;
use plinth_module::prelude::*;
use plinth_module::string::{Len, Opened, Scratch, StringProvider, StringService, table};

/// The service, for the module's list.
pub const PROVIDED: Provided = provided(&TABLE);

static TABLE: StringService = table::<Provider>();

/// The strings of this module.
struct Provider;

impl StringProvider for Provider {
    fn get<'k>(
        call: &'k mut Call<'_>,
        key: &'k [u8],
        flags: u32,
        scratch: &'k mut Scratch,
    ) -> Result<Option<&'k [u8]>> {
        let Some(entry) = call.keys.get_with(&STRING, key, flags)? else { return Ok(None) };
        if entry.tag() != INTEGER {
            return Ok(Some(entry.into_bytes()));
        }
        let mut digits = Digits::new();
        let digits = value::text(INTEGER, entry.bytes(), &mut digits);
        scratch[..digits.len()].copy_from_slice(digits);
        Ok(Some(&scratch[..digits.len()]))
    }

    fn set(call: &mut Call<'_>, key: &[u8], bytes: &[u8]) -> Result {
        check_len(&call.config, bytes.len() as u64)?;
        put(&mut call.keys, key, bytes, 0)?.modified(EVENT_STRING, "set");
        Ok(())
    }

    fn open<'k>(call: &'k mut Call<'_>, key: &'k [u8], len: Len) -> Result<Opened<'k>> {
        let check = |wanted| check_len(&call.config, wanted as u64).map(|()| wanted);
        let (mut entry, is_new) = call.keys.get_or_put(&STRING, key, RAW, || check(len.from(0)))?;
        if is_new {
            entry.bytes_mut().fill(0);
            return Ok(Opened { bytes: entry.into_bytes_mut(), len_before: None });
        }
        let before = value::len(entry.tag(), entry.bytes());
        let wanted = len.from(before);
        if wanted > before {
            check(wanted)?;
        }
        resize(&mut entry, wanted)?;
        Ok(Opened { bytes: entry.into_bytes_mut(), len_before: Some(before) })
    }
}
