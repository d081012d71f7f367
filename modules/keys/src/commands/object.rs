//! OBJECT: what the server knows of a value beside its content.
//!
//! None of the subcommands counts as an access. REFCOUNT is a memory of how Redis keeps values: it
//! shares the integers from 0 to 9999, unless each value must have an access clock of its own, and
//! a shared one is referred to 2^31 - 1 times. Here nothing is shared, and the answer is what Redis
//! would say.

use super::{CONSTANT_TIME, GENERIC, KEY_ARG, READS};
use plinth_module::prelude::*;

pub(super) const COMMANDS: &[Command] = &[OBJECT];

const OBJECT: Command = Command {
    name: text("object"),
    arity: -2,
    subcommands: list(&[ENCODING, FREQ, IDLETIME, REFCOUNT, HELP]),
    docs: &Docs {
        summary: text("Tells how a value is kept."),
        since: text("2.2.3"),
        group: GENERIC,
        complexity: text("Depends on subcommand."),
        ..Docs::NEW
    },
    ..Command::NEW
};

/// What the subcommands on a key share.
const ON_KEY: Command = Command {
    arity: 3,
    flags: COMMAND_READONLY,
    categories: READS,
    keys: list(&[KeySpec::at(KEY_RO, 2)]),
    tips: list(&[text("nondeterministic_output")]),
    ..Command::NEW
};
const ON_KEY_DOCS: Docs =
    Docs { since: text("2.2.3"), group: GENERIC, complexity: CONSTANT_TIME, args: list(&[KEY_ARG]), ..Docs::NEW };

const ENCODING: Command = Command {
    name: text("encoding"),
    docs: &Docs { summary: text("Names the internal form of a key's value."), ..ON_KEY_DOCS },
    run: run(encoding),
    ..ON_KEY
};

const FREQ: Command = Command {
    name: text("freq"),
    docs: &Docs {
        summary: text("Tells a key's logarithmic access counter, under an LFU policy."),
        since: text("4.0.0"),
        ..ON_KEY_DOCS
    },
    run: run(freq),
    ..ON_KEY
};

const IDLETIME: Command = Command {
    name: text("idletime"),
    docs: &Docs {
        summary: text("Tells for how many seconds a key was not accessed, unless under an LFU policy."),
        ..ON_KEY_DOCS
    },
    run: run(idletime),
    ..ON_KEY
};

const REFCOUNT: Command = Command {
    name: text("refcount"),
    docs: &Docs { summary: text("Tells how often Redis would refer to a key's value."), ..ON_KEY_DOCS },
    run: run(refcount),
    ..ON_KEY
};

const HELP: Command = Command {
    name: text("help"),
    arity: 2,
    flags: COMMAND_LOADING | COMMAND_STALE,
    categories: CATEGORY_KEYSPACE,
    docs: &Docs {
        summary: text("Lists the subcommands."),
        since: text("6.2.0"),
        group: GENERIC,
        complexity: CONSTANT_TIME,
        ..Docs::NEW
    },
    run: run(help),
    ..Command::NEW
};

const HELP_LINES: &[&str] = &[
    "ENCODING <key>",
    "    The internal form in which the value of <key> is kept.",
    "FREQ <key>",
    "    The access counter of <key>, which grows with the logarithm of the accesses.",
    "    Kept under an LFU maxmemory policy.",
    "IDLETIME <key>",
    "    The seconds since <key> was last accessed. Not kept under an LFU policy.",
    "REFCOUNT <key>",
    "    How often the value of <key> is referred to.",
];

const SWITCHING: &str =
    "Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.";

/// How often Redis refers to a shared integer.
const REFERENCES_SHARED: i64 = i32::MAX as i64;
/// The greatest integer that Redis shares.
const SHARED_MAX: i16 = 9999;

fn stat<'k>(keys: &'k mut Keys<'_>, args: &'k Args<'_>) -> Result<Option<EntryStat<'k>>> {
    Ok(keys.get_any(args.bytes(2), GET_NO_TOUCH)?.map(|entry| entry.stat()))
}

fn encoding(call: &mut Call<'_>) -> Result {
    match stat(&mut call.keys, &call.args)? {
        Some(stat) => call.reply.bulk(stat.encoding),
        None => call.reply.null(),
    }
    Ok(())
}

fn freq(call: &mut Call<'_>) -> Result {
    match stat(&mut call.keys, &call.args)? {
        Some(EntryStat { frequency: Some(frequency), .. }) => call.reply.integer(i64::from(frequency)),
        Some(_) => {
            let text = "ERR An LFU maxmemory policy is not selected, access frequency not tracked.";
            return Err(call.reply.error(format!("{text} {SWITCHING}")));
        }
        None => call.reply.null(),
    }
    Ok(())
}

fn idletime(call: &mut Call<'_>) -> Result {
    match stat(&mut call.keys, &call.args)? {
        Some(EntryStat { frequency: None, idle_s, .. }) => call.reply.integer(i64::from(idle_s)),
        Some(_) => {
            let text = "ERR An LFU maxmemory policy is selected, idle time not tracked.";
            return Err(call.reply.error(format!("{text} {SWITCHING}")));
        }
        None => call.reply.null(),
    }
    Ok(())
}

fn refcount(call: &mut Call<'_>) -> Result {
    let Some(entry) = call.keys.get_any(call.args.bytes(2), GET_NO_TOUCH)? else {
        call.reply.null();
        return Ok(());
    };
    // A value under this encoding is a few digits, so that its payload is quickly made.
    let is_small = entry.stat().encoding == "int" && entry.dump(holds_small_integer).unwrap_or(false);
    let shared = is_small && shares_integers(call);
    call.reply.integer(if shared { REFERENCES_SHARED } else { 1 });
    Ok(())
}

/// Whether a payload of DUMP is a string that is an integer which Redis shares: value type 0, then
/// an integer of one byte (`0xc0`) or two (`0xc1`).
fn holds_small_integer(payload: &[u8]) -> bool {
    match payload {
        [0, 0xc0, byte, ..] => byte.cast_signed() >= 0,
        [0, 0xc1, low, high, ..] => (0..=SHARED_MAX).contains(&i16::from_le_bytes([*low, *high])),
        _ => false,
    }
}

/// Redis shares integers unless it may have to evict by access, which is noted per value.
fn shares_integers(call: &Call<'_>) -> bool {
    let policy = call.config.get("maxmemory-policy").unwrap_or_default();
    !super::is_set(call, "maxmemory") || !(policy.ends_with(b"-lru") || policy.ends_with(b"-lfu"))
}

fn help(call: &mut Call<'_>) -> Result {
    super::help(&mut call.reply, "OBJECT", HELP_LINES);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_up_to_9999_are_shared() {
        for (payload, shared) in [
            (&[0, 0xc0, 0, 11, 0][..], true),
            (&[0, 0xc0, 127], true),
            (&[0, 0xc0, 0xff], false),
            (&[0, 0xc1, 0x0f, 0x27], true),
            (&[0, 0xc1, 0x10, 0x27], false),
            (&[0, 0xc1, 0xff, 0xff], false),
            (&[0, 0xc2, 1, 0, 0, 0], false),
            (&[0, 1, b'7'], false),
            (&[4, 0xc0, 1], false),
            (&[], false),
        ] {
            assert_eq!(holds_small_integer(payload), shared, "{payload:?}");
        }
    }
}
