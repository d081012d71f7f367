//! TTL, PTTL, EXPIRETIME and PEXPIRETIME: how long a key lives, and until when.
//!
//! -1 is a key that does not expire, -2 one that is not there. Times in seconds are rounded to the
//! nearest.

use super::{CONSTANT_TIME, GENERIC, KEY_ARG, READS};
use plinth_module::prelude::*;

pub(super) const COMMANDS: &[Command] = &[TTL, PTTL, EXPIRETIME, PEXPIRETIME];

/// What the four commands share.
const ASKING: Command = Command {
    arity: 2,
    flags: COMMAND_READONLY | COMMAND_FAST,
    categories: READS,
    keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]),
    ..Command::NEW
};
const ASKING_DOCS: Docs = Docs { group: GENERIC, complexity: CONSTANT_TIME, args: list(&[KEY_ARG]), ..Docs::NEW };
const HISTORY: &[Change] = &[change("2.8.0", "Answers -2 when there is no such key.")];

const TTL: Command = Command {
    name: text("ttl"),
    tips: list(&[text("nondeterministic_output")]),
    docs: &Docs {
        summary: text("Tells in how many seconds a key expires."),
        since: text("1.0.0"),
        history: list(HISTORY),
        ..ASKING_DOCS
    },
    run: run(ttl),
    ..ASKING
};

const PTTL: Command = Command {
    name: text("pttl"),
    tips: list(&[text("nondeterministic_output")]),
    docs: &Docs {
        summary: text("Tells in how many milliseconds a key expires."),
        since: text("2.6.0"),
        history: list(HISTORY),
        ..ASKING_DOCS
    },
    run: run(pttl),
    ..ASKING
};

const EXPIRETIME: Command = Command {
    name: text("expiretime"),
    docs: &Docs {
        summary: text("Tells the Unix time in seconds at which a key expires."),
        since: text("7.0.0"),
        ..ASKING_DOCS
    },
    run: run(expiretime),
    ..ASKING
};

const PEXPIRETIME: Command = Command {
    name: text("pexpiretime"),
    docs: &Docs {
        summary: text("Tells the Unix time in milliseconds at which a key expires."),
        since: text("7.0.0"),
        ..ASKING_DOCS
    },
    run: run(pexpiretime),
    ..ASKING
};

const NO_EXPIRY: i64 = -1;
const NO_KEY: i64 = -2;

fn ttl(call: &mut Call<'_>) -> Result {
    let now_ms = call.now_ms();
    answer(call, |at_ms| seconds((at_ms - now_ms).max(0)))
}

fn pttl(call: &mut Call<'_>) -> Result {
    let now_ms = call.now_ms();
    answer(call, |at_ms| (at_ms - now_ms).max(0))
}

fn expiretime(call: &mut Call<'_>) -> Result {
    answer(call, seconds)
}

fn pexpiretime(call: &mut Call<'_>) -> Result {
    answer(call, |at_ms| at_ms)
}

fn answer(call: &mut Call<'_>, show: impl FnOnce(i64) -> i64) -> Result {
    let entry = call.keys.get_any(call.args.bytes(1), GET_NO_TOUCH)?;
    call.reply.integer(entry.map_or(NO_KEY, |entry| entry.expire_at_ms().map_or(NO_EXPIRY, show)));
    Ok(())
}

/// Milliseconds, not negative, as the nearest seconds.
fn seconds(ms: i64) -> i64 {
    ms / 1000 + i64::from(ms % 1000 >= 500)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_to_the_nearest() {
        for (ms, s) in [(0, 0), (499, 0), (500, 1), (1499, 1), (1500, 2), (i64::MAX, 9_223_372_036_854_776)] {
            assert_eq!(seconds(ms), s);
        }
    }
}
