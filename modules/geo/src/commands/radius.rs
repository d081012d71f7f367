//! The former searches: GEORADIUS, GEORADIUSBYMEMBER, and their forms that only read.

use super::query::{self, Options, Store, place_of, radius_at};
use super::search::{COMPLEXITY, ORDER, WITHCOORD, WITHDIST, WITHHASH};
use super::{CATEGORIES, GROUP, KEY, LATITUDE, LONGITUDE, READER, UNIT, is_there, place_at};
use crate::area::Area;
use plinth_module::prelude::*;

pub(super) const COMMANDS: [Command; 4] = [GEORADIUS, GEORADIUS_RO, GEORADIUSBYMEMBER, GEORADIUSBYMEMBER_RO];

/// Where options may begin: behind the centre, the radius and its unit.
const PLACE_OPTIONS_AT: usize = 6;
const MEMBER_OPTIONS_AT: usize = 5;

/// The key behind a word among the options.
const fn stored(word: &'static str, from: usize) -> KeySpec {
    KeySpec { begin: KEY_BEGIN_KEYWORD, keyword: text(word), ..KeySpec::at(KEY_OW | KEY_UPDATE, from as i32) }
}

const WRITER: Command = Command {
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_MOVABLE_KEYS,
    category_names: CATEGORIES,
    ..Command::NEW
};

const RADIUS: Arg = Arg::new(ARG_DOUBLE, "radius");
const MEMBER: Arg = Arg::new(ARG_STRING, "member");
const STORE: Arg = Arg::group(
    ARG_ONE_OF,
    "store",
    &[Arg::key("storekey", 1).token("STORE"), Arg::key("storedistkey", 2).token("STOREDIST")],
)
.flags(ARG_OPTIONAL);

/// COUNT, whose ANY came later or not.
const fn count(args: &'static [Arg]) -> Arg {
    Arg::group(ARG_BLOCK, "count-block", args).flags(ARG_OPTIONAL)
}

const COUNT_ARG: Arg = Arg::new(ARG_INTEGER, "count").token("COUNT");
const ANY: Arg = Arg::word("any", "ANY").flags(ARG_OPTIONAL);
const COUNT: Arg = count(&[COUNT_ARG, ANY]);
const COUNT_SINCE: Arg = count(&[COUNT_ARG, ANY.since("6.2.0")]);

const RADIUS_DOCS: Docs = Docs {
    since: text("3.2.0"),
    group: GROUP,
    complexity: COMPLEXITY,
    deprecated_since: text("6.2.0"),
    history: list(&[
        change("6.2.0", "Takes the option `ANY` of `COUNT`."),
        change("7.0.0", "Takes names of units in upper case."),
    ]),
    ..Docs::NEW
};

const GEORADIUS: Command = Command {
    name: text("georadius"),
    arity: -6,
    keys: list(&[
        KeySpec::at(KEY_RO | KEY_ACCESS, 1),
        stored("STORE", PLACE_OPTIONS_AT),
        stored("STOREDIST", PLACE_OPTIONS_AT),
    ]),
    docs: docs(&Docs {
        summary: text("Lists or stores the members in a circle around a place."),
        replaced_by: text("`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument"),
        args: list(&[KEY, LONGITUDE, LATITUDE, RADIUS, UNIT, WITHCOORD, WITHDIST, WITHHASH, COUNT_SINCE, ORDER, STORE]),
        ..RADIUS_DOCS
    }),
    run: run(georadius),
    ..WRITER
};

const GEORADIUS_RO: Command = Command {
    name: text("georadius_ro"),
    arity: -6,
    docs: docs(&Docs {
        summary: text("Lists the members in a circle around a place."),
        since: text("3.2.10"),
        replaced_by: text("`GEOSEARCH` with the `BYRADIUS` argument"),
        args: list(&[KEY, LONGITUDE, LATITUDE, RADIUS, UNIT, WITHCOORD, WITHDIST, WITHHASH, COUNT_SINCE, ORDER]),
        ..RADIUS_DOCS
    }),
    run: run(georadius_ro),
    ..READER
};

const GEORADIUSBYMEMBER: Command = Command {
    name: text("georadiusbymember"),
    arity: -5,
    keys: list(&[
        KeySpec::at(KEY_RO | KEY_ACCESS, 1),
        stored("STORE", MEMBER_OPTIONS_AT),
        stored("STOREDIST", MEMBER_OPTIONS_AT),
    ]),
    docs: docs(&Docs {
        summary: text("Lists or stores the members in a circle around a member."),
        replaced_by: text("`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments"),
        args: list(&[KEY, MEMBER, RADIUS, UNIT, WITHCOORD, WITHDIST, WITHHASH, COUNT, ORDER, STORE]),
        ..RADIUS_DOCS
    }),
    run: run(georadiusbymember),
    ..WRITER
};

const GEORADIUSBYMEMBER_RO: Command = Command {
    name: text("georadiusbymember_ro"),
    arity: -5,
    docs: docs(&Docs {
        summary: text("Lists the members in a circle around a member."),
        since: text("3.2.10"),
        replaced_by: text("`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments"),
        args: list(&[KEY, MEMBER, RADIUS, UNIT, WITHCOORD, WITHDIST, WITHHASH, COUNT, ORDER]),
        ..RADIUS_DOCS
    }),
    run: run(georadiusbymember_ro),
    ..READER
};

fn georadius(call: &mut Call<'_>) -> Result {
    around_place(call, true)
}

fn georadius_ro(call: &mut Call<'_>) -> Result {
    around_place(call, false)
}

fn georadiusbymember(call: &mut Call<'_>) -> Result {
    around_member(call, true)
}

fn georadiusbymember_ro(call: &mut Call<'_>) -> Result {
    around_member(call, false)
}

fn around_place(call: &mut Call<'_>, may_store: bool) -> Result {
    let key = call.args.bytes(1);
    is_there(call, key)?;
    let centre = place_at(call, 2)?;
    search(call, key, Some(centre), PLACE_OPTIONS_AT, may_store)
}

fn around_member(call: &mut Call<'_>, may_store: bool) -> Result {
    let key = call.args.bytes(1);
    let centre = if is_there(call, key)? { Some(place_of(call, key, call.args.bytes(2))?) } else { None };
    search(call, key, centre, MEMBER_OPTIONS_AT, may_store)
}

/// Searches around a centre; options are at argument `from`, and before them the radius and its unit,
/// which nobody looks at where there is no key to have a centre in.
fn search(call: &mut Call<'_>, key: &[u8], centre: Option<(f64, f64)>, from: usize, may_store: bool) -> Result {
    let (area, unit_m) = match centre {
        Some((lon, lat)) => {
            let (radius_m, unit_m) = radius_at(call, from - 2)?;
            (Area::circle(lon, lat, radius_m), unit_m)
        }
        None => (Area::circle(0.0, 0.0, 0.0), 1.0),
    };
    let (mut options, mut store) = (Options::default(), None);
    let mut at = from;
    while at < call.args.len() {
        let known = options.read(call, at)?;
        if known > 0 {
            at += known;
            continue;
        }
        let by_distance = call.args.word(at, "storedist");
        if !may_store || at + 1 >= call.args.len() || !(by_distance || call.args.word(at, "store")) {
            return Err(Error::Syntax);
        }
        store = Some(Store { key: call.args.bytes(at + 1), by_distance });
        at += 2;
    }
    if store.is_some_and(|store| !is_announced(&call.args, from, store.key)) {
        return Err(Error::Syntax);
    }
    if store.is_some() && options.tells_more() {
        return Err(call
            .reply
            .error("ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options"));
    }
    options.check(call)?;
    query::run(call, key, &area, unit_m, &options, store.map(|store| (store, "georadiusstore")))
}

/// Whether the key specs announce a key that is stored to: the one behind the first `STORE`, or the first
/// `STOREDIST`. Of repeated words the last counts in Redis, also where no spec tells of it.
fn is_announced(args: &Args<'_>, from: usize, key: &[u8]) -> bool {
    ["store", "storedist"].iter().any(|word| {
        let first = (from..args.len()).find(|at| args.word(*at, word));
        first.is_some_and(|at| args.bytes(at + 1) == key)
    })
}
