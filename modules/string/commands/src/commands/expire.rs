//! Reading a string and deciding how long it stays: GETEX.

use super::options::{Expiry, MILLISECONDS, Options, SECONDS, TAKES_PERSIST, UNIX_MILLISECONDS, UNIX_SECONDS};
use super::{CATEGORIES, GROUP, KEY, with};
use crate::storage::Storage;
use plinth_module::pack::Digits;
use plinth_module::prelude::*;

/// The commands of this file over a storage.
pub(super) const fn commands<S: Storage>() -> [Command; 1] {
    [with(GETEX, getex::<S>)]
}

const GETEX: Command = Command {
    name: text("getex"),
    arity: -2,
    flags: COMMAND_WRITE | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec {
        notes: text("Updated because the key's expiry may change"),
        ..KeySpec::at(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1)
    }]),
    docs: docs(&Docs {
        summary: text("Reads a string and sets or takes away its key's expiry."),
        since: text("6.2.0"),
        group: GROUP,
        complexity: text("O(1)"),
        args: list(&[
            KEY,
            Arg::group(
                ARG_ONE_OF,
                "expiration",
                &[SECONDS, MILLISECONDS, UNIX_SECONDS, UNIX_MILLISECONDS, Arg::word("persist", "PERSIST")],
            )
            .flags(ARG_OPTIONAL),
        ]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn getex<S: Storage>(call: &mut Call<'_>) -> Result {
    let key = call.args.bytes(1);
    let now_ms = call.now_ms();
    let options = Options::read(&call.args, 2, TAKES_PERSIST)?;
    let Some(mut entry) = call.keys.get(S::handle()?, key)? else {
        call.reply.null();
        return Ok(());
    };
    let expire_at_ms = match options.expiry {
        Expiry::At(deadline) => Some(deadline.at_ms(now_ms)?),
        _ => None,
    };
    call.reply.bulk_value(S::value(&entry));
    match expire_at_ms {
        // Only a time that does not count from now can have passed.
        Some(at_ms) if at_ms <= now_ms => {
            call.keys.remove(key, 0)?;
            call.keys.modified(key, EVENT_GENERIC, "del");
            call.propagate.instead(&[b"DEL", key])
        }
        Some(at_ms) => {
            entry.set_expire(expire_at_ms)?;
            entry.modified(EVENT_GENERIC, "expire");
            call.propagate.instead(&[b"PEXPIREAT", key, Digits::new().text_of(at_ms)])
        }
        None if options.expiry == Expiry::Persist && entry.expire_at_ms().is_some() => {
            entry.set_expire(None)?;
            entry.modified(EVENT_GENERIC, "persist");
            call.propagate.instead(&[b"PERSIST", key])
        }
        None => Ok(()),
    }
}
