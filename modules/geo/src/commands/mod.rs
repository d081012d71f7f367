//! The commands: one file per family, each spec beside its handler.
//!
//! Facts of the specs (arity, flags, key specs, versions) are those that Redis 7.2 publishes in COMMAND
//! INFO and COMMAND DOCS; BYPOLYGON is Valkey 9's. Errors are Redis 7.2's, and Valkey's for BYPOLYGON.

mod add;
mod query;
mod radius;
mod read;
mod search;

use crate::text as written;
use crate::{ZSETS, cell};
use plinth_module::abi::bytes::{Bytes, Slice};
use plinth_module::prelude::*;

/// Number of commands.
const COUNT: usize = count_of(FAMILIES);

const FAMILIES: &[&[Command]] = &[&add::COMMANDS, &read::COMMANDS, &search::COMMANDS, &radius::COMMANDS];

/// Every command of the module.
pub(crate) const ALL: [Command; COUNT] = join(FAMILIES);

/// ACL categories, beside those that follow from flags.
const CATEGORIES: Slice<Bytes> = list(&[text("geo")]);
/// The group that all commands are shown in.
const GROUP: Bytes = text("geo");
/// The argument `key`, of the first key spec.
const KEY: Arg = Arg::key("key", 0);
/// The unit of a distance.
const UNIT: Arg = Arg::group(
    ARG_ONE_OF,
    "unit",
    &[Arg::word("m", "M"), Arg::word("km", "KM"), Arg::word("ft", "FT"), Arg::word("mi", "MI")],
);
/// The argument `longitude`.
const LONGITUDE: Arg = Arg::new(ARG_DOUBLE, "longitude");
/// The argument `latitude`.
const LATITUDE: Arg = Arg::new(ARG_DOUBLE, "latitude");

/// One reader of the key at argument 1.
const READER: Command = Command {
    flags: COMMAND_READONLY,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]),
    ..Command::NEW
};

/// Whether a key is there, which counts as the command's one look at it: what follows counts nothing.
/// Fails with `WrongType`, also where no member is asked for.
fn is_there(call: &mut Call<'_>, key: &[u8]) -> Result<bool> {
    Ok(call.keys.exists(key, 0) && ZSETS.len(&mut call.keys, key)?.is_some())
}

/// The metres of the unit at an argument.
fn unit_at(call: &mut Call<'_>, index: usize) -> Result<f64> {
    match call.args.bytes(index) {
        word if word.eq_ignore_ascii_case(b"m") => Ok(1.0),
        word if word.eq_ignore_ascii_case(b"km") => Ok(1000.0),
        word if word.eq_ignore_ascii_case(b"ft") => Ok(0.3048),
        word if word.eq_ignore_ascii_case(b"mi") => Ok(1609.34),
        _ => Err(call.reply.error("ERR unsupported unit provided. please use M, KM, FT, MI")),
    }
}

/// The longitude at an argument and the latitude behind it, which are on the map.
fn place_at(call: &mut Call<'_>, index: usize) -> Result<(f64, f64)> {
    let (lon, lat) = (call.args.float(index)?, call.args.float(index + 1)?);
    if cell::is_on_map(lon, lat) {
        return Ok((lon, lat));
    }
    Err(call.reply.error(format!("ERR invalid longitude,latitude pair {lon:.6},{lat:.6}")))
}

/// A distance, which is a bulk string in both versions of the protocol.
fn reply_distance(reply: &mut ReplyBuffer<'_>, distance: f64) {
    reply.bulk(written::distance(distance, &mut [0; written::ROOM_BYTES]));
}

/// A longitude and a latitude.
fn reply_place(reply: &mut ReplyBuffer<'_>, is_resp3: bool, (lon, lat): (f64, f64)) {
    reply.array(2);
    for value in [lon, lat] {
        let mut room = [0; written::ROOM_BYTES];
        let digits = written::coordinate(value, &mut room);
        if is_resp3 {
            // With all digits, which `double` would leave out.
            reply.raw(b",");
            reply.raw(digits);
            reply.raw(b"\r\n");
        } else {
            reply.bulk(digits);
        }
    }
}
