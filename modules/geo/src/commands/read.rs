//! Reading places: GEOPOS, GEODIST, GEOHASH.

use super::{GROUP, KEY, READER, UNIT, is_there, reply_distance, reply_place, unit_at};
use crate::sphere::Place;
use crate::text::geohash as letters_of;
use crate::{ZSETS, cell};
use plinth_module::prelude::*;

pub(super) const COMMANDS: [Command; 3] = [GEOPOS, GEODIST, GEOHASH];

const MEMBERS: Arg = Arg::new(ARG_STRING, "member").flags(ARG_OPTIONAL | ARG_MULTIPLE);

const GEOPOS: Command = Command {
    name: text("geopos"),
    arity: -2,
    docs: docs(&Docs {
        summary: text("Tells the longitudes and latitudes of members."),
        since: text("3.2.0"),
        group: GROUP,
        complexity: text("O(1) for each member"),
        args: list(&[KEY, MEMBERS]),
        ..Docs::NEW
    }),
    run: run(geopos),
    ..READER
};

fn geopos(call: &mut Call<'_>) -> Result {
    let (key, is_resp3) = (call.args.bytes(1), call.resp() >= 3);
    is_there(call, key)?;
    call.reply.array(call.args.len() - 2);
    for member in call.args.from(2) {
        match ZSETS.score(&mut call.keys, key, member)? {
            Some(score) => reply_place(&mut call.reply, is_resp3, cell::decode(cell::of_score(score))),
            None => call.reply.null_array(),
        }
    }
    Ok(())
}

const GEODIST: Command = Command {
    name: text("geodist"),
    arity: -4,
    docs: docs(&Docs {
        summary: text("Tells the distance between two members."),
        since: text("3.2.0"),
        group: GROUP,
        complexity: text("O(1)"),
        args: list(&[KEY, Arg::new(ARG_STRING, "member1"), Arg::new(ARG_STRING, "member2"), UNIT.flags(ARG_OPTIONAL)]),
        ..Docs::NEW
    }),
    run: run(geodist),
    ..READER
};

fn geodist(call: &mut Call<'_>) -> Result {
    let unit_m = match call.args.len() {
        4 => 1.0,
        5 => unit_at(call, 4)?,
        _ => return Err(Error::Syntax),
    };
    let key = call.args.bytes(1);
    is_there(call, key)?;
    let mut place = |index: usize| {
        let score = ZSETS.score(&mut call.keys, key, call.args.bytes(index))?;
        Result::<_>::Ok(score.map(|score| cell::decode(cell::of_score(score))))
    };
    let (Some(one), Some(other)) = (place(2)?, place(3)?) else {
        call.reply.null();
        return Ok(());
    };
    reply_distance(&mut call.reply, Place::new(one.0, one.1).distance_m(other.0, other.1) / unit_m);
    Ok(())
}

const GEOHASH: Command = Command {
    name: text("geohash"),
    arity: -2,
    docs: docs(&Docs {
        summary: text("Tells the geohashes of members, as other systems write them."),
        since: text("3.2.0"),
        group: GROUP,
        complexity: text("O(1) for each member"),
        args: list(&[KEY, MEMBERS]),
        ..Docs::NEW
    }),
    run: run(geohash),
    ..READER
};

fn geohash(call: &mut Call<'_>) -> Result {
    let key = call.args.bytes(1);
    is_there(call, key)?;
    call.reply.array(call.args.len() - 2);
    for member in call.args.from(2) {
        match ZSETS.score(&mut call.keys, key, member)? {
            Some(score) => call.reply.bulk(letters_of(cell::of_score(score))),
            None => call.reply.null(),
        }
    }
    Ok(())
}
