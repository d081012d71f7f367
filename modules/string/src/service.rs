//! `plinth.string/1`: strings for other modules, such as bitmaps, HyperLogLogs and SORT.
//!
//! The functions are those of the commands without a reply. `edit` leaves the string in the form
//! that is plain bytes, [`RAW`](crate::value::RAW), because its caller writes whatever it likes.

use crate::codec::STRING;
use crate::commands::{check_len, lengthen, put};
use crate::value::{self, INTEGER, RAW};
use plinth_module::abi::entry::Provided;
use plinth_module::pack::Digits;
use plinth_module::prelude::*;
use plinth_module::string::{Scratch, StringProvider, StringService, table};

/// The service, for the module's list.
pub const PROVIDED: Provided = provided(&TABLE);

static TABLE: StringService = table::<Provider>();

/// The strings of this module.
struct Provider;

impl StringProvider for Provider {
    fn get<'k>(call: &'k mut Call<'_>, key: &'k [u8], scratch: &'k mut Scratch) -> Result<Option<&'k [u8]>> {
        let Some(entry) = call.keys.get(&STRING, key)? else { return Ok(None) };
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

    fn edit<'k>(call: &'k mut Call<'_>, key: &'k [u8], len_min: usize) -> Result<&'k mut [u8]> {
        check_len(&call.config, len_min as u64)?;
        if call.keys.get_write(&STRING, key)?.is_none() {
            let mut entry = call.keys.put(&STRING, key, RAW, len_min, PUT_ABSENT)?;
            entry.bytes_mut().fill(0);
            return Ok(entry.into_bytes_mut());
        }
        // Looked up again, because a borrow that one case returns lasts in the other too.
        let again = GET_WRITE | GET_NO_STATS | GET_NO_TOUCH;
        let mut entry = call.keys.get_with(&STRING, key, again)?.ok_or(Error::None)?;
        lengthen(&mut entry, len_min)?;
        Ok(entry.into_bytes_mut())
    }
}
