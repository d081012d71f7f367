//! Groups and their consumers: XGROUP.

use super::sweep::{self, Sweep};
use super::{
    BESIDE, CATEGORIES, CONSUMER, GROUP, GROUP_NAME, KEY, QUIET_BESIDE, misused, no_group_of, read_end, read_id,
};
use crate::id::Id;
use crate::storage::Storage;
use crate::stream::Stream;
use crate::value;
use plinth_module::prelude::*;

pub(super) const fn commands<S: Storage>() -> [Command; 1] {
    [Command { subcommands: list(Subcommands::<S>::ALL), ..XGROUP }]
}

struct Subcommands<S>(std::marker::PhantomData<S>);

impl<S: Storage> Subcommands<S> {
    const ALL: &'static [Command] = &[
        Command { run: run(create::<S>), ..CREATE },
        Command { run: run(set_id::<S>), ..SETID },
        Command { run: run(destroy::<S>), ..DESTROY },
        Command { run: run(create_consumer::<S>), ..CREATECONSUMER },
        Command { run: run(delete_consumer::<S>), ..DELCONSUMER },
        HELP,
    ];
}

const XGROUP: Command = Command {
    name: text("xgroup"),
    arity: -2,
    docs: docs(&Docs {
        summary: text("Makes, changes and destroys the groups of a stream."),
        since: text("5.0.0"),
        group: GROUP,
        complexity: text("Depends on subcommand."),
        ..Docs::NEW
    }),
    ..Command::NEW
};

const ON_KEY: Command = Command { flags: COMMAND_WRITE, category_names: CATEGORIES, ..Command::NEW };
const ON_KEY_DOCS: Docs = Docs { since: text("5.0.0"), group: GROUP, complexity: text("O(log N)"), ..Docs::NEW };

/// Where a group is to begin.
const START: Arg = Arg::group(ARG_ONE_OF, "id-selector", &[Arg::new(ARG_STRING, "id"), Arg::word("new-id", "$")]);
const ENTRIES_READ: Arg = Arg::new(ARG_INTEGER, "entries-read").token("ENTRIESREAD").since("7.0.0").flags(ARG_OPTIONAL);
const HISTORY: &[Change] = &[change("7.0.0", "The `ENTRIESREAD` option.")];

const CREATE: Command = Command {
    name: text("create"),
    arity: -5,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    keys: list(&[KeySpec::at(KEY_RW | KEY_INSERT, 2)]),
    docs: docs(&Docs {
        summary: text("Makes a group."),
        history: list(HISTORY),
        args: list(&[KEY, GROUP_NAME, START, Arg::word("mkstream", "MKSTREAM").flags(ARG_OPTIONAL), ENTRIES_READ]),
        ..ON_KEY_DOCS
    }),
    ..ON_KEY
};

const SETID: Command = Command {
    name: text("setid"),
    arity: -5,
    keys: list(&[KeySpec::at(KEY_RW | KEY_UPDATE, 2)]),
    docs: docs(&Docs {
        summary: text("Sets the id behind which a group reads on."),
        history: list(HISTORY),
        args: list(&[KEY, GROUP_NAME, START, ENTRIES_READ]),
        ..ON_KEY_DOCS
    }),
    ..ON_KEY
};

const DESTROY: Command = Command {
    name: text("destroy"),
    arity: 4,
    keys: list(&[KeySpec::at(KEY_RW | KEY_DELETE, 2)]),
    docs: docs(&Docs {
        summary: text("Destroys a group with its consumers and what is pending there."),
        args: list(&[KEY, GROUP_NAME]),
        ..ON_KEY_DOCS
    }),
    ..ON_KEY
};

const CREATECONSUMER: Command = Command {
    name: text("createconsumer"),
    arity: 5,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    keys: list(&[KeySpec::at(KEY_RW | KEY_INSERT, 2)]),
    docs: docs(&Docs {
        summary: text("Makes a consumer of a group."),
        since: text("6.2.0"),
        args: list(&[KEY, GROUP_NAME, CONSUMER]),
        ..ON_KEY_DOCS
    }),
    ..ON_KEY
};

const DELCONSUMER: Command = Command {
    name: text("delconsumer"),
    arity: 5,
    keys: list(&[KeySpec::at(KEY_RW | KEY_DELETE, 2)]),
    docs: docs(&Docs {
        summary: text("Deletes a consumer with what is pending there, and tells how much that was."),
        args: list(&[KEY, GROUP_NAME, CONSUMER]),
        ..ON_KEY_DOCS
    }),
    ..ON_KEY
};

const HELP: Command = Command {
    name: text("help"),
    arity: 2,
    flags: COMMAND_LOADING | COMMAND_STALE,
    category_names: CATEGORIES,
    run: run(help),
    docs: docs(&Docs {
        summary: text("Lists the subcommands."),
        since: text("5.0.0"),
        group: GROUP,
        complexity: text("O(1)"),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn help(call: &mut Call<'_>) -> Result {
    super::help(
        &mut call.reply,
        "XGROUP",
        &[
            "CREATE <key> <group> <id|$> [MKSTREAM] [ENTRIESREAD <count>]",
            "    Makes a group that reads what comes behind <id>, or from now on.",
            "    MKSTREAM makes the stream, too; ENTRIESREAD says how many entries it has read.",
            "CREATECONSUMER <key> <group> <consumer>",
            "    Makes a consumer.",
            "DELCONSUMER <key> <group> <consumer>",
            "    Deletes a consumer and forgets what is pending there.",
            "DESTROY <key> <group>",
            "    Destroys a group.",
            "SETID <key> <group> <id|$> [ENTRIESREAD <count>]",
            "    Sets where the group reads on, and how many entries it has read.",
        ],
    );
    Ok(())
}

const NO_KEY: &str = "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use \
                      the MKSTREAM option to create an empty stream automatically.";

/// What CREATE and SETID are told beside the id.
#[derive(Default)]
struct Options {
    makes_stream: bool,
    entries_read: Option<u64>,
}

impl Options {
    fn read(args: &Args<'_>, reply: &mut ReplyBuffer<'_>, may_make: bool) -> Result<Options> {
        let (mut options, mut at) = (Options::default(), 5);
        while at < args.len() {
            if may_make && args.word(at, "MKSTREAM") {
                options.makes_stream = true;
                at += 1;
            } else if args.word(at, "ENTRIESREAD") && at + 1 < args.len() {
                let count = args.integer(at + 1)?;
                if count < -1 {
                    return Err(reply.error("ERR value for ENTRIESREAD must be positive or -1"));
                }
                options.entries_read = u64::try_from(count).ok();
                at += 2;
            } else {
                return Err(misused(reply, "XGROUP", args.bytes(1)));
            }
        }
        Ok(options)
    }

    /// How many entries were read, of those that were ever added.
    fn entries_read<S: Storage>(&self, stream: &Stream<S>) -> Option<u64> {
        self.entries_read.map(|read| read.min(stream.added()))
    }
}

fn create<S: Storage>(call: &mut Call<'_>) -> Result {
    let Call { args, keys, reply, .. } = call;
    let options = Options::read(args, reply, true)?;
    let (key, group, id) = (args.bytes(2), args.bytes(3), args.bytes(4));
    let id = |reply: &mut ReplyBuffer<'_>, last: Id| if id == b"$" { Ok(last) } else { read_id(reply, id, 0) };
    let Some(mut entry) = keys.get_write(value::handle::<S>()?, key)? else {
        if !options.makes_stream {
            return Err(reply.error(NO_KEY));
        }
        let mut stream = Stream::<S>::default();
        let (last, read) = (id(reply, Id::MIN)?, options.entries_read(&stream));
        stream.make_group(group, last, read);
        value::put(keys, key, stream, 0)?.modified(EVENT_STREAM, "xgroup-create");
        reply.ok();
        return Ok(());
    };
    let stream = value::of_mut::<S>(&mut entry)?;
    let (last, read) = (id(reply, stream.last_id())?, options.entries_read(stream));
    if !stream.make_group(group, last, read) {
        return Err(reply.error("BUSYGROUP Consumer Group name already exists"));
    }
    entry.modified(BESIDE, "xgroup-create");
    reply.ok();
    Ok(())
}

fn set_id<S: Storage>(call: &mut Call<'_>) -> Result {
    let Call { args, keys, reply, .. } = call;
    let options = Options::read(args, reply, false)?;
    let (key, name, id) = (args.bytes(2), args.bytes(3), args.bytes(4));
    let Some(mut entry) = keys.get_write(value::handle::<S>()?, key)? else { return Err(reply.error(NO_KEY)) };
    let stream = value::of_mut::<S>(&mut entry)?;
    let (last, read) = (stream.last_id(), options.entries_read(stream));
    let Some(mut group) = stream.group_mut(name) else { return Err(no_group_of(reply, key, name)) };
    let last = if id == b"$" { last } else { read_end(reply, id, 0)? };
    group.set_last(last, read);
    drop(group);
    entry.modified(QUIET_BESIDE, "xgroup-setid");
    reply.ok();
    Ok(())
}

fn destroy<S: Storage>(call: &mut Call<'_>) -> Result {
    let Call { args, keys, reply, .. } = call;
    let key = args.bytes(2);
    let Some(mut entry) = keys.get_write(value::handle::<S>()?, key)? else { return Err(reply.error(NO_KEY)) };
    let stream = value::of_mut::<S>(&mut entry)?;
    let is_destroyed = stream.destroy_group(args.bytes(3));
    reply.integer(i64::from(is_destroyed));
    if !is_destroyed {
        return Ok(());
    }
    if stream.has_waste() {
        value::renew::<S>(keys, key)?;
        keys.modified(key, BESIDE, "xgroup-destroy");
    } else {
        entry.modified(BESIDE, "xgroup-destroy");
    }
    Ok(())
}

fn create_consumer<S: Storage>(call: &mut Call<'_>) -> Result {
    let now_ms = crate::now_ms(call);
    let Call { args, keys, reply, .. } = call;
    let (key, name) = (args.bytes(2), args.bytes(3));
    let Some(mut entry) = keys.get_write(value::handle::<S>()?, key)? else { return Err(reply.error(NO_KEY)) };
    let stream = value::of_mut::<S>(&mut entry)?;
    let Some(mut group) = stream.group_mut(name) else { return Err(no_group_of(reply, key, name)) };
    let (_, is_new) = group.find_or_make(args.bytes(4), now_ms);
    drop(group);
    if is_new {
        entry.modified(QUIET_BESIDE, "xgroup-createconsumer");
    }
    reply.integer(i64::from(is_new));
    Ok(())
}

fn delete_consumer<S: Storage>(call: &mut Call<'_>) -> Result {
    let db = call.db();
    let Call { args, keys, reply, timers, .. } = call;
    let (key, name) = (args.bytes(2), args.bytes(3));
    let Some(mut entry) = keys.get_write(value::handle::<S>()?, key)? else { return Err(reply.error(NO_KEY)) };
    let stream = value::of_mut::<S>(&mut entry)?;
    let Some(mut group) = stream.group_mut(name) else { return Err(no_group_of(reply, key, name)) };
    // Where ids are leaving already, there is a sweep.
    let was_leaving = group.is_leaving();
    let pending = group.delete_consumer(args.bytes(4));
    let begins_to_leave = !was_leaving && group.is_leaving();
    drop(group);
    if pending.is_some() {
        entry.modified(QUIET_BESIDE, "xgroup-delconsumer");
    }
    if begins_to_leave {
        sweep::start::<S>(timers, Sweep::new(db, key, name));
    }
    reply.count(pending.unwrap_or(0));
    Ok(())
}
