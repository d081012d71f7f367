//! EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT and PERSIST: when a key is going to be gone.
//!
//! The four are one command: an amount in seconds or milliseconds, from now or from the epoch,
//! becomes a deadline in Unix ms. A deadline that is not in the future removes the key. Replicas and
//! the append-only file are told the deadline, or the removal.

use super::{CHANGING, CONSTANT_TIME, GENERIC, KEY_ARG, WRITES};
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
enum Unit {
    Seconds,
    Milliseconds,
}

/// The deadline, Unix time in ms, that lies an amount after `from_ms`; `None` when it cannot be
/// told. Deadlines before the epoch can.
fn deadline_ms(amount: i64, unit: Unit, from_ms: i64) -> Option<i64> {
    let amount_ms = match unit {
        Unit::Seconds => amount.checked_mul(1000)?,
        Unit::Milliseconds => amount,
    };
    from_ms.checked_add(amount_ms)
}

/// Under which conditions a deadline is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Conditions {
    only_new: bool,
    only_present: bool,
    only_later: bool,
    only_earlier: bool,
}

impl Conditions {
    /// Reads the words behind the amount. The error is written.
    fn read(call: &mut Call<'_>) -> Result<Conditions> {
        let mut conditions = Conditions::default();
        for word in call.args.from(3) {
            match word.to_ascii_lowercase().as_slice() {
                b"nx" => conditions.only_new = true,
                b"xx" => conditions.only_present = true,
                b"gt" => conditions.only_later = true,
                b"lt" => conditions.only_earlier = true,
                _ => return Err(call.reply.error([b"ERR Unsupported option ", word].concat())),
            }
        }
        match conditions.conflict() {
            Some(text) => Err(call.reply.error(text)),
            None => Ok(conditions),
        }
    }

    /// Why they cannot all be meant.
    fn conflict(self) -> Option<&'static str> {
        if self.only_new && (self.only_present || self.only_later || self.only_earlier) {
            return Some("ERR NX and XX, GT or LT options at the same time are not compatible");
        }
        (self.only_later && self.only_earlier).then_some("ERR GT and LT options at the same time are not compatible")
    }

    /// Whether they hold for a key with this deadline and a new one. No deadline is later than any.
    fn hold(self, present: Option<i64>, new: i64) -> bool {
        match present {
            None => !self.only_present && !self.only_later,
            Some(present) => {
                !self.only_new && (!self.only_later || new > present) && (!self.only_earlier || new < present)
            }
        }
    }
}

fn set(call: &mut Call<'_>, unit: Unit, from_ms: i64) -> Result {
    let conditions = Conditions::read(call)?;
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

    #[test]
    fn conditions_compare_with_what_is_there() {
        let none = Conditions::default();
        let nx = Conditions { only_new: true, ..none };
        let xx = Conditions { only_present: true, ..none };
        let gt = Conditions { only_later: true, ..none };
        let lt = Conditions { only_earlier: true, ..none };
        for (conditions, present, new, holds) in [
            (none, None, 1, true),
            (none, Some(1), 1, true),
            (nx, None, 1, true),
            (nx, Some(1), 2, false),
            (xx, None, 1, false),
            (xx, Some(1), 1, true),
            (gt, None, 1, false),
            (gt, Some(1), 1, false),
            (gt, Some(1), 2, true),
            (lt, None, 1, true),
            (lt, Some(1), 1, false),
            (lt, Some(1), 0, true),
        ] {
            assert_eq!(conditions.hold(present, new), holds, "{conditions:?} {present:?} {new}");
        }
    }

    #[test]
    fn conditions_that_exclude_each_other_are_told() {
        let all = |bits: u32| Conditions {
            only_new: bits & 1 != 0,
            only_present: bits & 2 != 0,
            only_later: bits & 4 != 0,
            only_earlier: bits & 8 != 0,
        };
        let fine: Vec<u32> = (0..16).filter(|bits| all(*bits).conflict().is_none()).collect();
        assert_eq!(fine, [0, 1, 2, 4, 6, 8, 10]);
    }
}
