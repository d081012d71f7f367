//! The commands: one file per family, each with the list of what it holds.
//!
//! Facts of the specs (arity, flags, key specs, tips, versions) are those that Redis 7.2 and Valkey
//! 9.1 publish in COMMAND INFO and COMMAND DOCS.

mod change;
mod counter;
mod expire;
mod get;
mod lcs;
mod many;
mod options;
mod remove;
mod set;

pub(crate) use change::resize;

use crate::codec::STRING;
use crate::value::{self, INTEGER, RAW, TEXT};
use plinth_module::abi::bytes::{Bytes, Slice};
use plinth_module::config::Configs;
use plinth_module::pack::{Digits, parse_integer};
use plinth_module::prelude::*;

const FAMILIES: [&[Command]; 8] = [
    &get::COMMANDS,
    &set::COMMANDS,
    &counter::COMMANDS,
    &change::COMMANDS,
    &many::COMMANDS,
    &expire::COMMANDS,
    &remove::COMMANDS,
    &lcs::COMMANDS,
];

/// Every command of the module.
pub static ALL: [Command; count_of(&FAMILIES)] = join(&FAMILIES);

/// ACL categories, beside those that follow from flags.
const CATEGORIES: Slice<Bytes> = list(&[text("string")]);
/// The group that all commands are shown in.
const GROUP: Bytes = text("string");
/// The argument `key`, of the first key spec.
const KEY: Arg = Arg::key("key", 0);
/// The argument `value`.
const VALUE: Arg = Arg::new(ARG_STRING, "value");
/// A key and its value, repeated.
const PAIRS: Arg = Arg::group(ARG_BLOCK, "data", &[KEY, VALUE]).flags(ARG_MULTIPLE);

/// The size below which no value of `proto-max-bulk-len` lies.
const LIMIT_MIN: u64 = 1 << 20;
/// What `proto-max-bulk-len` is unless set.
const LIMIT_DEFAULT: u64 = 512 << 20;

/// Whether a string may have `len` bytes. Fails with `TooLarge`.
pub(crate) fn check_len(config: &Configs<'_>, len: u64) -> Result {
    if len <= LIMIT_MIN || len <= limit(config) { Ok(()) } else { Err(Error::TooLarge) }
}

/// The limit on a string's length in bytes.
#[cold]
fn limit(config: &Configs<'_>) -> u64 {
    config.number("proto-max-bulk-len").map_or(LIMIT_DEFAULT, |limit| limit.max(0) as u64)
}

/// Sets a key to a string, whatever it held, in the form that its content allows. `flags`: `PUT_*`.
#[inline(always)]
pub(crate) fn put<'k>(keys: &'k mut Keys<'_>, key: &'k [u8], text: &[u8], flags: u32) -> Result<Entry<'k>> {
    match parse_integer(text) {
        Some(number) => keys.put_bytes(&STRING, key, INTEGER, &value::pack(number), flags),
        None => keys.put_bytes(&STRING, key, TEXT, text, flags),
    }
}

/// Turns a number into its digits: the first `len` of them, or all, followed by zero bytes.
pub(crate) fn spell_out(entry: &mut Entry<'_>, len: usize) -> Result {
    let number = value::unpack(entry.bytes());
    let mut digits = Digits::new();
    let digits = digits.text_of(number);
    entry.resize(RAW, len, false)?;
    let kept = digits.len().min(len);
    let (text, rest) = entry.bytes_mut().split_at_mut(kept);
    text.copy_from_slice(&digits[..kept]);
    rest.fill(0);
    Ok(())
}

/// Answers with a string.
#[inline(always)]
fn reply_text(reply: &mut ReplyBuffer<'_>, entry: &Entry<'_>) {
    if entry.tag() == INTEGER {
        reply.bulk_integer(value::unpack(entry.bytes()));
    } else {
        reply.bulk(entry.bytes());
    }
}
