//! Adding places: GEOADD.

use super::{CATEGORIES, GROUP, KEY, LATITUDE, LONGITUDE, place_at};
use crate::{ZSETS, cell};
use plinth_module::prelude::*;
use plinth_module::zset::{Conditions, Put};

pub(super) const COMMANDS: [Command; 1] = [GEOADD];

const GEOADD: Command = Command {
    name: text("geoadd"),
    arity: -5,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_UPDATE, 1)]),
    docs: docs(&Docs {
        summary: text("Adds members with their places, or gives members other places."),
        since: text("3.2.0"),
        group: GROUP,
        complexity: text("O(log(N)) for each member, where N is the number of members in the sorted set"),
        history: list(&[change("6.2.0", "Takes the options `CH`, `NX` and `XX`.")]),
        args: list(&[
            KEY,
            Arg::group(ARG_ONE_OF, "condition", &[Arg::word("nx", "NX"), Arg::word("xx", "XX")])
                .flags(ARG_OPTIONAL)
                .since("6.2.0"),
            Arg::word("change", "CH").flags(ARG_OPTIONAL).since("6.2.0"),
            Arg::group(ARG_BLOCK, "data", &[LONGITUDE, LATITUDE, Arg::new(ARG_STRING, "member")]).flags(ARG_MULTIPLE),
        ]),
        ..Docs::NEW
    }),
    run: run(geoadd),
    ..Command::NEW
};

fn geoadd(call: &mut Call<'_>) -> Result {
    let (mut conditions, mut counts_changes, mut from) = (Conditions::default(), false, 2);
    loop {
        match call.args.bytes(from) {
            word if word.eq_ignore_ascii_case(b"nx") => conditions.only_new = true,
            word if word.eq_ignore_ascii_case(b"xx") => conditions.only_known = true,
            word if word.eq_ignore_ascii_case(b"ch") => counts_changes = true,
            _ => break,
        }
        from += 1;
    }
    let end = call.args.len();
    if from >= end || !(end - from).is_multiple_of(3) || conditions.only_new && conditions.only_known {
        return Err(Error::Syntax);
    }
    let mut cells = Vec::with_capacity((end - from) / 3);
    for at in (from..end).step_by(3) {
        let (lon, lat) = place_at(call, at)?;
        cells.push(cell::encode(lon, lat));
    }
    let key = call.args.bytes(1);
    let (mut put, mut added, mut changed, mut done) = (0, 0, 0, Ok(()));
    for (number, cell) in cells.iter().enumerate() {
        let member = call.args.bytes(from + 3 * number + 2);
        match ZSETS.put(&mut call.keys, key, member, *cell as f64, conditions) {
            Ok(Put::Added) => added += 1,
            Ok(Put::Changed) => changed += 1,
            Ok(Put::Kept) => {}
            Err(error) => {
                done = Err(error);
                break;
            }
        }
        put += 1;
    }
    if added + changed > 0 {
        call.keys.modified(key, EVENT_ZSET, "zadd");
        call.keys.count_elements(added + changed);
        propagate(call, from, &cells[..put])?;
    }
    done?;
    call.reply.count(if counts_changes { added + changed } else { added });
    Ok(())
}

/// Passes the command on as a ZADD of the first members, whose cells these are, as Redis does: replicas
/// need not know where a place's cell is. Those that could not be added are not among them.
fn propagate(call: &mut Call<'_>, from: usize, cells: &[u64]) -> Result {
    let scores: Vec<String> = cells.iter().map(|cell| format_score(*cell)).collect();
    let mut args: Vec<&[u8]> = vec![b"ZADD"];
    args.extend(call.args.iter().take(from).skip(1));
    for (number, score) in scores.iter().enumerate() {
        args.extend([score.as_bytes(), call.args.bytes(from + 3 * number + 2)]);
    }
    call.propagate.instead(&args)
}

/// The digits of a cell's number as a score, which has no more than 53 bits.
fn format_score(cell: u64) -> String {
    (cell as f64 as u64).to_string()
}
