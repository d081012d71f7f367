//! EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT and PERSIST: when a key is going to be gone.
//!
//! The four are one command: an amount in seconds or milliseconds, from now or from the epoch,
//! becomes a deadline in Unix ms. A deadline that is not in the future removes the key. Replicas and
//! the append-only file are told the deadline, or the removal.

use super::{CHANGING, CONSTANT_TIME, GENERIC, KEY_ARG, WRITES};
use plinth_module::condition::Conditions;
use plinth_module::prelude::*;

pub(super) const COMMANDS: &[Command] = &[EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT, PERSIST];

const KEYS: &[KeySpec] = &[KeySpec::at(KEY_RW | KEY_UPDATE, 1)];
const HISTORY: &[Change] = &[change("7.0.0", "Takes the conditions `NX`, `XX`, `GT` and `LT`.")];
const CONDITION: Arg = Arg::group(
    ARG_ONE_OF,
    "condition",
    &[Arg::word("nx", "NX"), Arg::word("xx", "XX"), Arg::word("gt", "GT"), Arg::word("lt", "LT")],
)
.flags(ARG_OPTIONAL)
.since("7.0.0");

/// What the four commands share.
const SETTING: Command =
    Command { arity: -3, flags: COMMAND_WRITE | COMMAND_FAST, categories: WRITES, keys: list(KEYS), ..Command::NEW };
const SETTING_DOCS: Docs = Docs { group: GENERIC, complexity: CONSTANT_TIME, history: list(HISTORY), ..Docs::NEW };

const EXPIRE: Command = Command {
    name: text("expire"),
    docs: &Docs {
        summary: text("Has a key expire after so many seconds."),
        since: text("1.0.0"),
        args: list(&[KEY_ARG, Arg::new(ARG_INTEGER, "seconds"), CONDITION]),
        ..SETTING_DOCS
    },
    run: run(expire),
    ..SETTING
};

const PEXPIRE: Command = Command {
    name: text("pexpire"),
    docs: &Docs {
        summary: text("Has a key expire after so many milliseconds."),
        since: text("2.6.0"),
        args: list(&[KEY_ARG, Arg::new(ARG_INTEGER, "milliseconds"), CONDITION]),
        ..SETTING_DOCS
    },
    run: run(pexpire),
    ..SETTING
};

const EXPIREAT: Command = Command {
    name: text("expireat"),
    docs: &Docs {
        summary: text("Has a key expire at a Unix time in seconds."),
        since: text("1.2.0"),
        args: list(&[KEY_ARG, Arg::new(ARG_UNIX_TIME, "unix-time-seconds"), CONDITION]),
        ..SETTING_DOCS
    },
    run: run(expireat),
    ..SETTING
};

const PEXPIREAT: Command = Command {
    name: text("pexpireat"),
    docs: &Docs {
        summary: text("Has a key expire at a Unix time in milliseconds."),
        since: text("2.6.0"),
        args: list(&[KEY_ARG, Arg::new(ARG_UNIX_TIME, "unix-time-milliseconds"), CONDITION]),
        ..SETTING_DOCS
    },
    run: run(pexpireat),
    ..SETTING
};

const PERSIST: Command = Command {
    name: text("persist"),
    arity: 2,
    flags: COMMAND_WRITE | COMMAND_FAST,
    categories: WRITES,
    keys: list(KEYS),
    docs: &Docs {
        summary: text("Takes a key's expiry away."),
        since: text("2.2.0"),
        group: GENERIC,
        complexity: CONSTANT_TIME,
        args: list(&[KEY_ARG]),
        ..Docs::NEW
    },
    run: run(persist),
    ..Command::NEW
};

fn expire(call: &mut Call<'_>) -> Result {
    set(call, Unit::Seconds, call.now_ms())
}

fn pexpire(call: &mut Call<'_>) -> Result {
    set(call, Unit::Milliseconds, call.now_ms())
}

fn expireat(call: &mut Call<'_>) -> Result {
    set(call, Unit::Seconds, 0)
}

fn pexpireat(call: &mut Call<'_>) -> Result {
    set(call, Unit::Milliseconds, 0)
}

/// What an amount of time is given in.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Seconds,
    Milliseconds,
}

/// The deadline, Unix time in ms, that lies an amount after `from_ms`; `None` when it cannot be
/// told. Deadlines before the epoch can.
pub(super) fn deadline_ms(amount: i64, unit: Unit, from_ms: i64) -> Option<i64> {
    let amount_ms = match unit {
        Unit::Seconds => amount.checked_mul(1000)?,
        Unit::Milliseconds => amount,
    };
    from_ms.checked_add(amount_ms)
}

/// Reads the conditions behind the amount. The error is written.
fn conditions(call: &mut Call<'_>) -> Result<Conditions> {
    let mut conditions = Conditions::default();
    if let Some(word) = call.args.from(3).find(|word| !conditions.add(word)) {
        return Err(call.reply.error([b"ERR Unsupported option ", word].concat()));
    }
    match conditions.conflict() {
        Some(text) => Err(call.reply.error(text)),
        None => Ok(conditions),
    }
}

fn set(call: &mut Call<'_>, unit: Unit, from_ms: i64) -> Result {
    let conditions = conditions(call)?;
    let at_ms = deadline_ms(call.args.integer(2)?, unit, from_ms).ok_or(Error::InvalidExpire)?;
    let (key, now_ms) = (call.args.bytes(1), call.now_ms());
    let entry = call.keys.get_any(key, CHANGING)?;
    let Some(mut entry) = entry.filter(|entry| conditions.hold(entry.expire_at_ms(), at_ms)) else {
        call.reply.integer(0);
        return Ok(());
    };
    if at_ms <= now_ms {
        return remove(call, key);
    }
    entry.set_expire(Some(at_ms))?;
    entry.modified(EVENT_GENERIC, "expire");
    let mut digits = itoa::Buffer::new();
    call.propagate.instead(&[b"PEXPIREAT", key, digits.format(at_ms).as_bytes()])?;
    call.reply.integer(1);
    Ok(())
}

/// Removes a key whose deadline is not in the future.
fn remove(call: &mut Call<'_>, key: &[u8]) -> Result {
    let lazy = super::is_set(call, "lazyfree-lazy-expire");
    call.keys.remove(key, if lazy { REMOVE_LAZY } else { 0 })?;
    call.keys.modified(key, EVENT_GENERIC, "del");
    call.propagate.instead(&[if lazy { b"UNLINK" } else { b"DEL" }, key])?;
    call.reply.integer(1);
    Ok(())
}

fn persist(call: &mut Call<'_>) -> Result {
    let entry = call.keys.get_any(call.args.bytes(1), CHANGING)?;
    let expiring = entry.filter(|entry| entry.expire_at_ms().is_some());
    call.reply.integer(i64::from(expiring.is_some()));
    if let Some(mut entry) = expiring {
        entry.set_expire(None)?;
        entry.modified(EVENT_GENERIC, "persist");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_that_does_not_fit_is_none() {
        assert_eq!(deadline_ms(10, Unit::Seconds, 5), Some(10_005));
        assert_eq!(deadline_ms(-10, Unit::Milliseconds, 5), Some(-5));
        assert_eq!(deadline_ms(i64::MAX, Unit::Milliseconds, 0), Some(i64::MAX));
        assert_eq!(deadline_ms(i64::MAX, Unit::Milliseconds, 1), None);
        assert_eq!(deadline_ms(i64::MAX / 1000 + 1, Unit::Seconds, 0), None);
        assert_eq!(deadline_ms(i64::MIN / 1000 - 1, Unit::Seconds, 0), None);
        assert_eq!(deadline_ms(i64::MIN, Unit::Milliseconds, 1), Some(i64::MIN + 1));
    }
}
