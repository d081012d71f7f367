//! Deadlines as arguments: amounts of time, and lists of fields.
//!
//! A deadline is Unix time in ms of 46 bits, which is as far as Redis 8.2 goes.

use crate::told::{self, Gone};
use plinth_module::prelude::*;

/// The latest deadline.
const DEADLINE_MAX: i64 = (1 << 46) - 1;

/// The reply for numbers of fields that are none; HEXPIRE and HSETEX have their own.
pub(super) const BAD_COUNT: &str = "ERR Number of fields must be a positive integer";

/// What an amount of time is given in, and from when.
#[derive(Clone, Copy)]
pub(super) struct Unit {
    /// Milliseconds of one of it.
    pub(super) ms: i64,
    /// Whether it counts from the epoch.
    pub(super) absolute: bool,
}

/// Seconds from now.
pub(super) const SECONDS: Unit = Unit { ms: 1000, absolute: false };
/// Milliseconds from now.
pub(super) const MILLISECONDS: Unit = Unit { ms: 1, absolute: false };
/// Seconds since the epoch.
pub(super) const UNIX_SECONDS: Unit = Unit { ms: 1000, absolute: true };
/// Milliseconds since the epoch.
pub(super) const UNIX_MILLISECONDS: Unit = Unit { ms: 1, absolute: true };

/// The deadline that an argument spells. The error is written.
pub(super) fn read(call: &mut Call<'_>, at: usize, unit: Unit) -> Result<u64> {
    let amount = call.args.integer(at)?;
    if amount < 0 {
        return Err(call.reply.error("ERR invalid expire time, must be >= 0"));
    }
    let from_ms = if unit.absolute { 0 } else { call.now_ms() };
    let deadline = amount.checked_mul(unit.ms).and_then(|ms| ms.checked_add(from_ms));
    deadline.filter(|deadline| *deadline <= DEADLINE_MAX).map(|deadline| deadline as u64).ok_or(Error::InvalidExpire)
}

/// Reads `FIELDS numfields field ...` from an argument on, where nothing may follow; the positions of
/// the fields. The error is written.
pub(super) fn fields(call: &mut Call<'_>, at: usize, bad_count: &str) -> Result<std::ops::Range<usize>> {
    if !call.args.word(at, "fields") {
        return Err(call.reply.error("ERR Mandatory argument FIELDS is missing or not at the right position"));
    }
    let count = call.args.integer(at + 1).ok().and_then(|count| i32::try_from(count).ok()).filter(|count| *count > 0);
    let Some(count) = count else { return Err(call.reply.error(bad_count)) };
    if call.args.len() != at + 2 + count as usize {
        return Err(call.reply.error("ERR The `numfields` parameter must match the number of arguments"));
    }
    Ok(at + 2..call.args.len())
}

/// Passes on a command about the fields of a key, if there are any, behind what is gone:
/// `name key [arguments] FIELDS n field ...`.
pub(super) fn pass_on(
    call: &mut Call<'_>,
    name: &[u8],
    key: &[u8],
    amount: &[&[u8]],
    fields: &[&[u8]],
    gone: Option<Gone>,
) -> Result {
    if fields.is_empty() {
        return told::instead(call, key, gone, &[]);
    }
    let mut digits = itoa::Buffer::new();
    let mut args: Vec<&[u8]> = vec![name, key];
    args.extend(amount);
    if name != b"HDEL" {
        args.extend([b"FIELDS", digits.format(fields.len()).as_bytes()]);
    }
    args.extend(fields);
    told::instead(call, key, gone, &args)
}
