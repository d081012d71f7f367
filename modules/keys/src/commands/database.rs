//! DBSIZE, FLUSHDB, FLUSHALL and SWAPDB: whole databases.

use super::{CONSTANT_TIME, READS, SERVER, WRITES};
use plinth_module::prelude::*;

pub(super) const COMMANDS: &[Command] = &[DBSIZE, FLUSHDB, FLUSHALL, SWAPDB];

const DBSIZE: Command = Command {
    name: text("dbsize"),
    arity: 1,
    flags: COMMAND_READONLY | COMMAND_FAST,
    categories: READS,
    tips: list(&[text("request_policy:all_shards"), text("response_policy:agg_sum")]),
    docs: &Docs {
        summary: text("Counts the keys of the selected database."),
        since: text("1.0.0"),
        group: SERVER,
        complexity: CONSTANT_TIME,
        ..Docs::NEW
    },
    run: run(dbsize),
    ..Command::NEW
};

/// What the two flushing commands share.
const FLUSH: Command = Command {
    arity: -1,
    flags: COMMAND_WRITE | COMMAND_TOUCHES_ARBITRARY_KEYS,
    categories: WRITES | CATEGORY_DANGEROUS,
    tips: list(&[text("request_policy:all_shards"), text("response_policy:all_succeeded")]),
    ..Command::NEW
};
const FLUSH_DOCS: Docs = Docs {
    since: text("1.0.0"),
    group: SERVER,
    history: list(&[change("4.0.0", "Takes the word `ASYNC`."), change("6.2.0", "Takes the word `SYNC`.")]),
    args: list(&[Arg::group(
        ARG_ONE_OF,
        "async",
        &[Arg::word("async", "ASYNC").since("4.0.0"), Arg::word("sync", "SYNC").since("6.2.0")],
    )
    .flags(ARG_OPTIONAL)]),
    ..Docs::NEW
};

const FLUSHDB: Command = Command {
    name: text("flushdb"),
    docs: &Docs {
        summary: text("Removes all keys of the selected database."),
        complexity: text("O(N) for N keys in the database."),
        ..FLUSH_DOCS
    },
    run: run(flushdb),
    ..FLUSH
};

const FLUSHALL: Command = Command {
    name: text("flushall"),
    docs: &Docs {
        summary: text("Removes all keys of all databases."),
        complexity: text("O(N) for N keys in all databases."),
        ..FLUSH_DOCS
    },
    run: run(flushall),
    ..FLUSH
};

const SWAPDB: Command = Command {
    name: text("swapdb"),
    arity: 3,
    flags: COMMAND_WRITE | COMMAND_FAST | COMMAND_TOUCHES_ARBITRARY_KEYS,
    categories: WRITES | CATEGORY_DANGEROUS,
    docs: &Docs {
        summary: text("Exchanges two databases."),
        since: text("4.0.0"),
        group: SERVER,
        complexity: text("O(N) for N clients that watch keys of either database or wait for them."),
        args: list(&[Arg::new(ARG_INTEGER, "index1"), Arg::new(ARG_INTEGER, "index2")]),
        ..Docs::NEW
    },
    run: run(swapdb),
    ..Command::NEW
};

fn dbsize(call: &mut Call<'_>) -> Result {
    let count = call.keys.count(call.db());
    call.reply.integer(i64::try_from(count).unwrap_or(i64::MAX));
    Ok(())
}

fn flushdb(call: &mut Call<'_>) -> Result {
    flush(call, Some(call.db()))
}

fn flushall(call: &mut Call<'_>) -> Result {
    flush(call, None)
}

fn flush(call: &mut Call<'_>, db: Option<u32>) -> Result {
    let in_background = match call.args.len() {
        1 => super::is_set(call, "lazyfree-lazy-user-flush"),
        2 if call.args.word(1, "async") => true,
        2 if call.args.word(1, "sync") => false,
        _ => return Err(Error::Syntax),
    };
    call.keys.flush(db, in_background);
    // Passed on even if there was nothing to remove here: a replica may hold more than this server
    // knows of.
    let args: Vec<&[u8]> = call.args.iter().collect();
    call.propagate.instead(&args)?;
    call.reply.ok();
    Ok(())
}

fn swapdb(call: &mut Call<'_>) -> Result {
    let first = database(call, 1, "ERR invalid first DB index")?;
    let second = database(call, 2, "ERR invalid second DB index")?;
    let number = |index: i32| u32::try_from(index).map_err(|_| Error::DbRange);
    call.keys.swap(number(first)?, number(second)?)?;
    call.reply.ok();
    Ok(())
}

/// The number of a database in the argument at `index`, which may be one that is not there; writes
/// `error` for what is no such number at all.
fn database(call: &mut Call<'_>, index: usize, error: &str) -> Result<i32> {
    let number = call.args.integer(index).ok().and_then(|number| i32::try_from(number).ok());
    number.ok_or_else(|| call.reply.error(error))
}
