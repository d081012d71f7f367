//! Commands about the connection itself: PING, ECHO, AUTH, HELLO, SELECT, QUIT, RESET.

use crate::admin::spec::{CoreCommand, about};
use crate::base::id::UserId;
use crate::base::number::parse_i64;
use crate::engine::call::Context;
use crate::session::client::ReplyMode;
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::command::{self as abi, Arg, Command, Docs};
use plinth_abi::events::ON_CLIENT_RESET;
use plinth_abi::status::{STATUS_OK, STATUS_REPLIED, Status};

const GROUP: Bytes = Bytes::new("connection");

/// The commands.
pub static COMMANDS: &[CoreCommand] = &[
    CoreCommand::new(
        Command {
            name: Bytes::new("ping"),
            arity: -1,
            flags: abi::COMMAND_FAST | abi::COMMAND_WHILE_LISTENING,
            categories: abi::CATEGORY_CONNECTION,
            tips: Slice::new(&[Bytes::new("request_policy:all_shards"), Bytes::new("response_policy:all_succeeded")]),
            docs: &Docs {
                summary: Bytes::new("Answers PONG, or the message it was given."),
                since: Bytes::new("1.0.0"),
                group: GROUP,
                complexity: Bytes::new("O(1)"),
                args: Slice::new(&[Arg::new(abi::ARG_STRING, "message").flags(abi::ARG_OPTIONAL)]),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        ping,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("echo"),
            arity: 2,
            flags: abi::COMMAND_LOADING | abi::COMMAND_STALE | abi::COMMAND_FAST,
            categories: abi::CATEGORY_CONNECTION,
            docs: &Docs {
                summary: Bytes::new("Answers with its argument."),
                since: Bytes::new("1.0.0"),
                group: GROUP,
                complexity: Bytes::new("O(1)"),
                args: Slice::new(&[Arg::new(abi::ARG_STRING, "message")]),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        echo,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("auth"),
            arity: -2,
            flags: SESSION | abi::COMMAND_SENSITIVE,
            categories: abi::CATEGORY_CONNECTION,
            docs: &Docs {
                summary: Bytes::new("Authenticates the connection."),
                since: Bytes::new("1.0.0"),
                group: GROUP,
                complexity: Bytes::new("O(N) where N is the number of passwords defined for the user"),
                history: Slice::new(&[abi::Change {
                    version: Bytes::new("6.0.0"),
                    what: Bytes::new("Added ACL style (username and password)."),
                }]),
                args: Slice::new(&[
                    Arg::new(abi::ARG_STRING, "username").flags(abi::ARG_OPTIONAL).since("6.0.0"),
                    Arg::new(abi::ARG_STRING, "password"),
                ]),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        auth,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("hello"),
            arity: -1,
            flags: SESSION,
            categories: abi::CATEGORY_CONNECTION,
            docs: &Docs {
                summary: Bytes::new("Chooses the protocol version, and tells about the server."),
                since: Bytes::new("6.0.0"),
                group: GROUP,
                complexity: Bytes::new("O(1)"),
                args: Slice::new(&[Arg::group(
                    abi::ARG_BLOCK,
                    "arguments",
                    &[
                        Arg::new(abi::ARG_INTEGER, "protover"),
                        Arg::group(
                            abi::ARG_BLOCK,
                            "auth",
                            &[Arg::new(abi::ARG_STRING, "username"), Arg::new(abi::ARG_STRING, "password")],
                        )
                        .token("AUTH")
                        .flags(abi::ARG_OPTIONAL),
                        Arg::new(abi::ARG_STRING, "clientname").token("SETNAME").flags(abi::ARG_OPTIONAL),
                    ],
                )
                .flags(abi::ARG_OPTIONAL)]),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        hello,
    )
    .secrets(hello_secrets),
    CoreCommand::new(
        Command {
            name: Bytes::new("select"),
            arity: 2,
            flags: abi::COMMAND_LOADING | abi::COMMAND_STALE | abi::COMMAND_FAST,
            categories: abi::CATEGORY_CONNECTION,
            docs: &Docs {
                summary: Bytes::new("Changes the selected database."),
                since: Bytes::new("1.0.0"),
                group: GROUP,
                complexity: Bytes::new("O(1)"),
                args: Slice::new(&[Arg::new(abi::ARG_INTEGER, "index")]),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        select,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("quit"),
            arity: -1,
            flags: SESSION | abi::COMMAND_NOT_QUEUED | abi::COMMAND_WHILE_LISTENING,
            categories: abi::CATEGORY_CONNECTION,
            docs: &Docs {
                summary: Bytes::new("Closes the connection."),
                since: Bytes::new("1.0.0"),
                group: GROUP,
                complexity: Bytes::new("O(1)"),
                deprecated_since: Bytes::new("7.2.0"),
                replaced_by: Bytes::new("just closing the connection"),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        quit,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("reset"),
            arity: 1,
            flags: SESSION | abi::COMMAND_NOT_QUEUED | abi::COMMAND_WHILE_LISTENING,
            categories: abi::CATEGORY_CONNECTION,
            docs: &about("Takes the connection back to the state it began in.", "6.2.0", GROUP, "O(1)"),
            ..Command::NEW
        },
        reset,
    ),
];

const SESSION: u64 = abi::COMMAND_NO_SCRIPT
    | abi::COMMAND_LOADING
    | abi::COMMAND_STALE
    | abi::COMMAND_FAST
    | abi::COMMAND_NO_AUTH
    | abi::COMMAND_ALLOW_BUSY;

fn ping(context: &mut Context) -> Status {
    let listens = context.client().is_some_and(|client| client.listening.is_some());
    match context.argc() {
        // In the form of a message, since the client expects nothing else.
        1..=2 if listens && !context.is_resp3() => {
            let message = context.arg(1);
            let mut reply = context.reply();
            reply.array(2);
            reply.bulk("pong");
            reply.bulk(message);
        }
        1 => context.output().write(b"+PONG\r\n"),
        2 => {
            let message = context.arg(1);
            context.reply().bulk(message);
        }
        _ => return plinth_abi::status::STATUS_ARITY,
    }
    STATUS_OK
}

fn echo(context: &mut Context) -> Status {
    let message = context.arg(1);
    context.reply().bulk(message);
    STATUS_OK
}

fn select(context: &mut Context) -> Status {
    let Some(db) = parse_i64(context.arg(1)) else {
        return context.error("ERR value is not an integer or out of range");
    };
    let count = context.server().store.databases.len() as i64;
    if !(0..count).contains(&db) {
        return context.error("ERR DB index is out of range");
    }
    if let Some(client) = context.client() {
        client.db = db as u32;
    }
    context.ok()
}

fn quit(context: &mut Context) -> Status {
    context.ok();
    if let Some(client) = context.client() {
        client.close_after_reply();
    }
    STATUS_OK
}

fn reset(context: &mut Context) -> Status {
    let Some(token) = context.client else { return STATUS_OK };
    let server = context.server();
    server.unwatch(token);
    server.track(token, None);
    server.client_event(ON_CLIENT_RESET, token);
    server.become_nobody(token);
    if let Some(client) = server.sessions.clients.get(token) {
        client.standing.take_transaction();
        client.standing.set_reply_mode(ReplyMode::On);
        client.db = 0;
        client.resp = 2;
        client.no_evict = false;
        client.no_touch = false;
        client.standing.set_monitor(false);
        client.name.clear();
    }
    if server.sessions.any_no_touch {
        server.sessions.count_no_touch();
    }
    context.output().write(b"+RESET\r\n");
    STATUS_OK
}

/// The user and the password that follow the word AUTH.
fn hello_secrets(words: &[&[u8]]) -> Vec<usize> {
    let auth = words.iter().skip(2).position(|word| word.eq_ignore_ascii_case(b"auth"));
    auth.map_or_else(Vec::new, |at| vec![at + 3, at + 4])
}

/// Let the client in as a user, or note that it was not.
fn let_in(context: &mut Context, token: usize, user: &[u8], password: &[u8]) -> Result<(), Status> {
    let command = context.arg(0);
    let server = context.server();
    let Err(text) = server.authenticate(token, user, password) else { return Ok(()) };
    server.deny_entry(token, command, user);
    Err(context.error(text))
}

fn auth(context: &mut Context) -> Status {
    let Some(token) = context.client else { return STATUS_OK };
    if context.argc() > 3 {
        return context.error("ERR syntax error");
    }
    let (user, password) =
        if context.argc() == 3 { (context.arg(1), context.arg(2)) } else { (&b"default"[..], context.arg(1)) };
    if context.argc() == 2 && context.server().acl.users.get(UserId::DEFAULT).needs_no_password {
        return context.error(
            "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
        );
    }
    match let_in(context, token, user, password) {
        Ok(()) => context.ok(),
        Err(status) => status,
    }
}

/// What HELLO asks for besides the protocol.
#[derive(Default)]
struct Greeting<'a> {
    credentials: Option<(&'a [u8], &'a [u8])>,
    name: Option<&'a [u8]>,
}

fn greeting(context: &mut Context) -> Result<Greeting<'static>, Status> {
    let mut greeting = Greeting::default();
    let mut at = 2;
    while at < context.argc() {
        let left = context.argc() - at - 1;
        if context.arg_is(at, "AUTH") && left >= 2 {
            greeting.credentials = Some((context.arg(at + 1), context.arg(at + 2)));
            at += 3;
        } else if context.arg_is(at, "SETNAME") && left >= 1 {
            let name = context.arg(at + 1);
            if !crate::admin::client::is_valid_name(name) {
                return Err(context.error("ERR Client names cannot contain spaces, newlines or special characters."));
            }
            greeting.name = Some(name);
            at += 2;
        } else {
            let option = context.arg_shown(at);
            return Err(context.error([b"ERR Syntax error in HELLO option '", option, b"'"].concat()));
        }
    }
    Ok(greeting)
}

fn hello(context: &mut Context) -> Status {
    let Some(token) = context.client else { return STATUS_OK };
    let mut version = None;
    if context.argc() > 1 {
        match parse_i64(context.arg(1)) {
            Some(wanted @ 2..=3) => version = Some(wanted as u8),
            Some(_) => return context.error("NOPROTO unsupported protocol version"),
            None => return context.error("ERR Protocol version is not an integer or out of range"),
        }
    }
    let greeting = match greeting(context) {
        Ok(greeting) => greeting,
        Err(status) => return status,
    };
    if let Some((user, password)) = greeting.credentials
        && let Err(status) = let_in(context, token, user, password)
    {
        return status;
    }
    if !context.client().is_some_and(|client| client.standing.is_known()) {
        return context.error(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
        );
    }
    let Some(client) = context.client() else { return STATUS_REPLIED };
    if let Some(version) = version {
        client.resp = version;
    }
    if let Some(name) = greeting.name {
        client.name = name.to_vec();
    }
    let (id, resp) = (client.id, client.resp);
    context.call.resp = u32::from(resp);
    tell(context, id, resp);
    STATUS_OK
}

fn tell(context: &mut Context, id: u64, resp: u8) {
    let modules: Vec<(String, i64, String, Vec<Vec<u8>>)> = crate::admin::module::listing(context.server());
    let kind = context.server().registry.mode.as_ref().map(|mode| mode.name.clone());
    let role = if context.server().registry.replication.is_replica() { "replica" } else { "master" };
    let mut reply = context.reply();
    reply.map(if kind.is_some() { 6 } else { 7 });
    reply.bulk("server");
    reply.bulk("redis");
    reply.bulk("version");
    reply.bulk(crate::base::version::REDIS_VERSION);
    reply.bulk("proto");
    reply.integer(i64::from(resp));
    reply.bulk("id");
    reply.integer(id as i64);
    reply.bulk("mode");
    reply.bulk(kind.as_deref().unwrap_or("standalone"));
    if kind.is_none() {
        reply.bulk("role");
        reply.bulk(role);
    }
    reply.bulk("modules");
    crate::admin::module::write_listing(&mut reply, &modules);
}
