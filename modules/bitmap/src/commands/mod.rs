//! The commands: one file per family, each with the list of what it holds.
//!
//! Facts of the specs (arity, flags, key specs, versions) are those that Redis 7.2 publishes in
//! COMMAND INFO and COMMAND DOCS; the operations of BITOP that Redis 8.2 has added are there too.

mod bit;
mod combine;
mod count;
mod field;
mod position;

use crate::limit;
use crate::range::{Span, Unit};
use plinth_module::abi::bytes::{Bytes, Slice};
use plinth_module::number::parse_integer;
use plinth_module::prelude::*;

const FAMILIES: [&[Command]; 5] =
    [&bit::COMMANDS, &count::COMMANDS, &position::COMMANDS, &combine::COMMANDS, &field::COMMANDS];

/// Every command of the module.
pub static ALL: [Command; count_of(&FAMILIES)] = join(&FAMILIES);

/// ACL categories, beside those that follow from flags.
const CATEGORIES: Slice<Bytes> = list(&[text("bitmap")]);
/// The group that all commands are shown in.
const GROUP: Bytes = text("bitmap");
/// The argument `key`, of the first key spec.
const KEY: Arg = Arg::key("key", 0);
/// The argument `offset`.
const OFFSET: Arg = Arg::new(ARG_INTEGER, "offset");
/// The argument `start`.
const START: Arg = Arg::new(ARG_INTEGER, "start");
/// The argument `end`.
const END: Arg = Arg::new(ARG_INTEGER, "end");
/// What `start` and `end` count.
const UNIT: Arg = Arg::group(ARG_ONE_OF, "unit", &[Arg::word("byte", "BYTE"), Arg::word("bit", "BIT")])
    .since("7.0.0")
    .flags(ARG_OPTIONAL);
/// The version that brought the unit.
const UNIT_HISTORY: Slice<Change> = list(&[change("7.0.0", "Added the `BYTE|BIT` option.")]);

/// The error for an offset that is none, or too far.
const BAD_OFFSET: &str = "ERR bit offset is not an integer or out of range";

/// The position of a bit in an argument. Fails with the reply for what is none.
#[inline]
fn offset(call: &mut Call<'_>, index: usize) -> Result<u64> {
    let offset = parse_integer(call.args.bytes(index)).and_then(|offset| u64::try_from(offset).ok());
    offset.filter(|offset| *offset < limit::bits()).ok_or_else(|| call.reply.error(BAD_OFFSET))
}

/// The unit of a range in an argument, bytes where there is none. Fails with `Syntax`.
fn unit(args: &Args<'_>, index: usize) -> Result<Unit> {
    match args.get(index) {
        None => Ok(Unit::Byte),
        Some(word) if word.eq_ignore_ascii_case(b"BYTE") => Ok(Unit::Byte),
        Some(word) if word.eq_ignore_ascii_case(b"BIT") => Ok(Unit::Bit),
        Some(_) => Err(Error::Syntax),
    }
}

/// Which of two mistakes in a range is answered, where the unit and the end are both wrong. Redis has
/// it one way in BITCOUNT and the other way in BITPOS.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    End,
    Unit,
}

/// A range in the arguments from `index` on: start, end and unit, or less. Fails with `NotInteger`
/// and `Syntax`.
fn span(args: &Args<'_>, index: usize, first: First) -> Result<Span> {
    if args.len() > index + 3 {
        return Err(Error::Syntax);
    }
    let or = |at: usize, otherwise: i64| if at < args.len() { args.integer(at) } else { Ok(otherwise) };
    let start = or(index, 0)?;
    let (end, unit) = (or(index + 1, -1), unit(args, index + 2));
    match (end, unit) {
        (Ok(end), Ok(unit)) => Ok(Span { start, end, unit }),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
        (Err(end), Err(unit)) => Err(if first == First::End { end } else { unit }),
    }
}
