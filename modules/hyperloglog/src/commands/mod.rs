//! The commands: one file per family, each with the list of what it holds.
//!
//! Facts of the specs (arity, flags, key specs, versions) are those that Redis 7.0 and 8.2 and Valkey
//! 9.1 publish in COMMAND INFO and COMMAND DOCS, which agree but for PFMERGE's sources, optional
//! since 7.2.

mod add;
mod count;
mod debug;
mod merge;

use crate::STRINGS;
use crate::registers::Registers;
use crate::value::{DENSE_VALUE_BYTES, HEADER_BYTES, Header, Refusal, Sketch, write_dense, write_sparse};
use plinth_module::abi::bytes::{Bytes, Slice};
use plinth_module::prelude::*;
use plinth_module::string::Scratch;

const FAMILIES: [&[Command]; 4] = [&add::COMMANDS, &count::COMMANDS, &merge::COMMANDS, &debug::COMMANDS];

/// Every command of the module.
pub static ALL: [Command; count_of(&FAMILIES)] = join(&FAMILIES);

/// ACL categories, beside those that follow from flags.
const CATEGORIES: Slice<Bytes> = list(&[text("hyperloglog")]);
/// The group that all commands are shown in.
const GROUP: Bytes = text("hyperloglog");
/// The argument `key`, of the first key spec.
const KEY: Arg = Arg::key("key", 0);
/// The event of every change.
const ADDED: &str = "pfadd";

/// Answers why a string cannot be used.
#[cold]
fn refuse(reply: &mut ReplyBuffer<'_>, refusal: Refusal) -> Error {
    reply.error(match refusal {
        Refusal::Other => "WRONGTYPE Key is not a valid HyperLogLog string value.",
        Refusal::Corrupt => "INVALIDOBJ Corrupted HLL object detected",
    })
}

/// The value of a key, looked up with `GET_*` flags, or `None` when there is no such key. Answers why,
/// when it cannot be used.
#[inline]
fn read<'k>(
    keys: &'k mut Keys<'_>,
    reply: &mut ReplyBuffer<'_>,
    key: &[u8],
    flags: u32,
    scratch: &'k mut Scratch,
) -> Result<Option<Sketch<'k>>> {
    let Some(string) = STRINGS.get_with(keys, key, flags, scratch)? else { return Ok(None) };
    Sketch::read(string).map(Some).map_err(|refusal| refuse(reply, refusal))
}

/// Makes a key's value these registers, in the dense form; its expiry stays.
fn put_dense(keys: &mut Keys<'_>, key: &[u8], header: Header, registers: &Registers) -> Result {
    let opened = STRINGS.resize(keys, key, DENSE_VALUE_BYTES)?;
    let value = opened.bytes.first_chunk_mut().ok_or(Error::BadData)?;
    write_dense(header, registers, value);
    Ok(())
}

/// Makes a key's value these runs; its expiry stays.
fn put_sparse(keys: &mut Keys<'_>, key: &[u8], header: Header, runs: &[u8]) -> Result {
    let opened = STRINGS.resize(keys, key, HEADER_BYTES + runs.len())?;
    write_sparse(header, runs, opened.bytes);
    Ok(())
}
