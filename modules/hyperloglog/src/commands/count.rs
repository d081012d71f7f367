//! PFCOUNT.

use super::{CATEGORIES, GROUP, KEY, read, refuse};
use crate::STRINGS;
use crate::estimate::cardinality;
use crate::registers::Registers;
use crate::value::{HEADER_BYTES, note_count};
use plinth_module::prelude::*;
use plinth_module::string::Scratch;

pub(super) const COMMANDS: [Command; 1] = [Command {
    name: text("pfcount"),
    arity: -2,
    // Redis keeps the count in the value, so that it waits while writes are paused.
    flags: COMMAND_READONLY | COMMAND_MAY_REPLICATE,
    category_names: CATEGORIES,
    keys: list(&[KeySpec {
        notes: text("RW because it may change the internal representation of the key, and propagate to replicas"),
        ..KeySpec::range(KEY_RW | KEY_ACCESS, 1, -1, 1)
    }]),
    docs: docs(&Docs {
        summary: text("Estimates how many different elements the HyperLogLogs at some keys have seen together."),
        since: text("2.8.9"),
        group: GROUP,
        complexity: text("O(1) for one key, whose count is kept with it; O(N) for N keys, whose registers are merged"),
        args: list(&[KEY.flags(ARG_MULTIPLE)]),
        ..Docs::NEW
    }),
    run: run(pfcount),
    ..Command::NEW
}];

fn pfcount(call: &mut Call<'_>) -> Result {
    let count = if call.args.len() == 2 { count_one(call)? } else { count_all(call)? };
    // Redis keeps the count without a sign and shows it with one.
    call.reply.integer(count as i64);
    Ok(())
}

/// The count of one key, which is kept in its header. Writing it there is a change of the value that
/// is told to hooks and not to users: those who watch the key see it, and replicas count as this server
/// did.
fn count_one(call: &mut Call<'_>) -> Result<u64> {
    let key = call.args.bytes(1);
    let mut scratch = Scratch::default();
    let Some(sketch) = read(&mut call.keys, &mut call.reply, key, 0, &mut scratch)? else { return Ok(0) };
    if let Some(count) = sketch.header.known() {
        return Ok(count);
    }
    let count = sketch.cardinality().map_err(|refusal| refuse(&mut call.reply, refusal))?;
    note_count(STRINGS.edit(&mut call.keys, key, HEADER_BYTES)?, count);
    call.keys.modified(key, EVENT_UNPUBLISHED, "pfcount");
    Ok(count)
}

fn count_all(call: &mut Call<'_>) -> Result<u64> {
    let mut registers = Registers::new();
    for key in call.args.from(1) {
        let mut scratch = Scratch::default();
        if let Some(sketch) = read(&mut call.keys, &mut call.reply, key, 0, &mut scratch)? {
            sketch.merge_into(&mut registers).map_err(|refusal| refuse(&mut call.reply, refusal))?;
        }
    }
    Ok(cardinality(&registers.histogram()))
}
