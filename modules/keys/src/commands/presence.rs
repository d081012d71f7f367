//! EXISTS, TOUCH and TYPE: whether keys are there, and what they hold.

use super::{CONSTANT_TIME, GENERIC, KEY_ARG, READS};
use plinth_module::prelude::*;

pub(super) const COMMANDS: &[Command] = &[EXISTS, TOUCH, TYPE];

const KEYS: &[KeySpec] = &[KeySpec::range(KEY_RO, 1, -1, 1)];
const ARGS: &[Arg] = &[Arg::key("key", 0).flags(ARG_MULTIPLE)];

const EXISTS: Command = Command {
    name: text("exists"),
    arity: -2,
    flags: COMMAND_READONLY | COMMAND_FAST,
    categories: READS,
    keys: list(KEYS),
    tips: list(&[text("request_policy:multi_shard"), text("response_policy:agg_sum")]),
    docs: &Docs {
        summary: text("Counts how many of the keys are there; one named twice counts twice."),
        since: text("1.0.0"),
        group: GENERIC,
        complexity: text("O(N) for N keys."),
        history: list(&[super::change("3.0.3", "Takes several keys.")]),
        args: list(ARGS),
        ..Docs::NEW
    },
    run: run(exists),
    ..Command::NEW
};

const TOUCH: Command = Command {
    name: text("touch"),
    arity: -2,
    flags: COMMAND_READONLY | COMMAND_FAST,
    categories: READS,
    keys: list(KEYS),
    tips: list(&[text("request_policy:multi_shard"), text("response_policy:agg_sum")]),
    docs: &Docs {
        summary: text("Marks keys as accessed now and counts those that are there."),
        since: text("3.2.1"),
        group: GENERIC,
        complexity: text("O(N) for N keys."),
        args: list(ARGS),
        ..Docs::NEW
    },
    run: run(touch),
    ..Command::NEW
};

const TYPE: Command = Command {
    name: text("type"),
    arity: 2,
    flags: COMMAND_READONLY | COMMAND_FAST,
    categories: READS,
    keys: list(&[KeySpec::at(KEY_RO, 1)]),
    docs: &Docs {
        summary: text("Names the type of a key's value, or says none."),
        since: text("1.0.0"),
        group: GENERIC,
        complexity: CONSTANT_TIME,
        args: list(&[KEY_ARG]),
        ..Docs::NEW
    },
    run: run(type_of),
    ..Command::NEW
};

fn exists(call: &mut Call<'_>) -> Result {
    count(call, GET_NO_TOUCH)
}

fn touch(call: &mut Call<'_>) -> Result {
    count(call, 0)
}

fn count(call: &mut Call<'_>, flags: u32) -> Result {
    let found = call.args.from(1).filter(|key| call.keys.exists(key, flags)).count();
    call.reply.count(found);
    Ok(())
}

fn type_of(call: &mut Call<'_>) -> Result {
    let type_id = call.keys.get_any(call.args.bytes(1), GET_NO_TOUCH)?.map(|entry| entry.type_id());
    match type_id {
        Some(type_id) => call.reply.simple(call.keys.type_name(type_id)),
        None => call.reply.simple("none"),
    }
    Ok(())
}
