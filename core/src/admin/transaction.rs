//! Transactions: MULTI, EXEC, DISCARD, WATCH, UNWATCH.
//!
//! Queued commands are kept as text and looked up again by EXEC, so that a module
//! that comes or goes in between cannot leave a dangling command.

use crate::admin::spec::{CoreCommand, about};
use crate::command::status::OUT_OF_MEMORY;
use crate::engine::call::Context;
use crate::engine::dispatch::{ABORTED, Caller};
use crate::engine::listening::Push;
use crate::session::client::ReplyMode;
use crate::session::transaction::Queued;
use crate::session::watch::Watch;
use crate::socket::output::Mark;
use plinth_abi::bytes::Bytes;
use plinth_abi::bytes::Slice;
use plinth_abi::command as abi;
use plinth_abi::command::{Command, Docs, KeySpec};
use plinth_abi::status::{STATUS_OK, Status};

/// Flags that all commands of this file share.
const FLAGS: u64 =
    abi::COMMAND_NO_SCRIPT | abi::COMMAND_LOADING | abi::COMMAND_STALE | abi::COMMAND_FAST | abi::COMMAND_ALLOW_BUSY;

/// The commands.
pub static COMMANDS: &[CoreCommand] = &[
    CoreCommand::new(
        Command {
            name: Bytes::new("multi"),
            arity: 1,
            flags: FLAGS | abi::COMMAND_NOT_QUEUED,
            categories: abi::CATEGORY_TRANSACTION,
            docs: &about(
                "Begins a transaction: commands are queued until EXEC.",
                "1.2.0",
                Bytes::new("transactions"),
                "O(1)",
            ),
            ..Command::NEW
        },
        multi,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("exec"),
            arity: 1,
            flags: abi::COMMAND_NO_SCRIPT
                | abi::COMMAND_LOADING
                | abi::COMMAND_STALE
                | abi::COMMAND_SKIP_SLOWLOG
                | abi::COMMAND_NOT_QUEUED,
            categories: abi::CATEGORY_TRANSACTION,
            docs: &about(
                "Runs the queued commands of a transaction.",
                "1.2.0",
                Bytes::new("transactions"),
                "Depends on commands in the transaction",
            ),
            ..Command::NEW
        },
        exec,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("discard"),
            arity: 1,
            flags: FLAGS | abi::COMMAND_NOT_QUEUED,
            categories: abi::CATEGORY_TRANSACTION,
            docs: &about(
                "Throws a transaction away.",
                "2.0.0",
                Bytes::new("transactions"),
                "O(N), when N is the number of queued commands",
            ),
            ..Command::NEW
        },
        discard,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("watch"),
            arity: -2,
            flags: FLAGS | abi::COMMAND_NOT_QUEUED,
            categories: abi::CATEGORY_TRANSACTION,
            keys: Slice::new(&[KeySpec::range(abi::KEY_RO, 1, -1, 1)]),
            docs: &Docs {
                summary: Bytes::new("Makes the next EXEC depend on keys staying as they are."),
                since: Bytes::new("2.2.0"),
                group: Bytes::new("transactions"),
                complexity: Bytes::new("O(1) for every key."),
                args: Slice::new(&[abi::Arg::key("key", 0).flags(abi::ARG_MULTIPLE)]),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        watch,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("unwatch"),
            arity: 1,
            flags: FLAGS,
            categories: abi::CATEGORY_TRANSACTION,
            docs: &about("Forgets all watched keys.", "2.2.0", Bytes::new("transactions"), "O(1)"),
            ..Command::NEW
        },
        unwatch,
    ),
];

fn multi(context: &mut Context) -> Status {
    // Refused here and not before the run, so that the open transaction does not fail.
    if is_open(context) {
        return context.error("ERR MULTI calls can not be nested");
    }
    if let Some(client) = context.client() {
        client.standing.begin_transaction();
    }
    context.ok()
}

/// Whether the client is between MULTI and EXEC.
fn is_open(context: &mut Context) -> bool {
    context.client().is_some_and(|client| client.standing.transaction().is_some())
}

fn discard(context: &mut Context) -> Status {
    let Some(token) = context.client else { return STATUS_OK };
    if context.client().is_some_and(|client| client.standing.take_transaction().is_none()) {
        return context.error("ERR DISCARD without MULTI");
    }
    context.server().unwatch(token);
    context.ok()
}

fn watch(context: &mut Context) -> Status {
    if is_open(context) {
        return context.error("ERR WATCH inside MULTI is not allowed");
    }
    let (Some(token), db) = (context.client, context.db) else { return STATUS_OK };
    for at in 1..context.argc() {
        let key = context.arg(at);
        let hash = context.server().store.hash(key);
        let server = context.server();
        let now_ms = server.clock.now_ms;
        let stale = server.store.databases[db as usize].find(hash, key).is_some_and(|entry| entry.has_expired(now_ms));
        let Some(id) = server.sessions.clients.peek(token).map(|client| client.id) else { break };
        if server.sessions.watches.add(db, key, id)
            && let Some(client) = server.sessions.clients.get(token)
        {
            client.watched.push(Watch { key: (db, key.to_vec()), stale });
        }
    }
    context.server().observe();
    context.ok()
}

fn unwatch(context: &mut Context) -> Status {
    if let Some(token) = context.client {
        context.server().unwatch(token);
    }
    context.ok()
}

fn exec(context: &mut Context) -> Status {
    let Some(token) = context.client else { return STATUS_OK };
    let Some(transaction) = context.client().and_then(|client| client.standing.take_transaction()) else {
        return context.error("ERR EXEC without MULTI");
    };
    if transaction.failed {
        context.server().unwatch(token);
        return context.error("EXECABORT Transaction discarded because of previous errors.");
    }
    let server = context.server();
    if server.lacks_memory_for(transaction.flags) {
        server.unwatch(token);
        return context.error(format!("{ABORTED}{OUT_OF_MEMORY}"));
    }
    if context.server().is_spoiled(token) {
        context.server().unwatch(token);
        context.reply().null_array();
        return STATUS_OK;
    }
    context.server().unwatch(token);
    context.reply().array(transaction.queue.len());
    // Replies that nobody will read are not kept until the last of them is there.
    let mark = context.output().mark();
    let is_silent = context.client().is_some_and(|client| client.standing.reply_mode() != ReplyMode::On);
    for queued in &transaction.queue {
        run_queued(context, token, queued);
        if is_silent {
            keep_pushes(context, token, queued, mark);
            context.output().rewind(mark);
        } else if context.output().queued() > 0 {
            context.server().close_over_output(token);
        }
    }
    STATUS_OK
}

/// Of a transaction whose replies are thrown away, keep what a command has written that does not reply.
fn keep_pushes(context: &mut Context, token: usize, queued: &Queued, mark: Mark) {
    let name = &queued.bytes[..queued.ends.first().copied().unwrap_or(0)];
    if context.server().commands.get(name).is_some_and(|command| command.is(abi::COMMAND_MANY_REPLIES)) {
        let bytes = context.output().copy_after(mark);
        if !bytes.is_empty() {
            context.server().push(None, token, &Push { head: &bytes, shared: None });
        }
    }
}

fn run_queued(context: &mut Context, token: usize, queued: &Queued) {
    let mut begin = 0;
    let args: Vec<Bytes> =
        queued.ends.iter().map(|&end| Bytes::of(&queued.bytes[std::mem::replace(&mut begin, end)..end])).collect();
    let output: *mut _ = context.output();
    let Some(client) = context.client() else { return };
    let caller = Caller { client: Some((token, client.id)), output, db: client.db, resp: client.resp, flags: 0 };
    let server = context.server();
    server.run_nested(&args, caller);
}
