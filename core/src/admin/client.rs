//! CLIENT: what connections are there, what each is called, and how the server
//! treats them.
//!
//! - [`listing`]: INFO and LIST, one line per connection.
//! - [`filter`]: which connections are meant; [`kill`]: KILL of them.
//! - [`tracking`]: client-side caching.
//! - this file: the session's own settings, PAUSE, and the specs.

mod filter;
mod kill;
mod listing;
mod tracking;

use crate::admin::spec::CoreCommand;
use crate::base::number::parse_i64;
use crate::engine::call::Context;
use crate::session::block::UNBLOCKED;
use crate::session::client::{Client, ReplyMode};
use crate::session::pause::Pause;
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::command::{self as abi, Arg, Change, Command, Docs};
use plinth_abi::status::{STATUS_OK, Status};

const GROUP: Bytes = Bytes::new("connection");
const OWN: u64 = abi::COMMAND_NO_SCRIPT | abi::COMMAND_LOADING | abi::COMMAND_STALE;
const ADMIN: u64 = OWN | abi::COMMAND_ADMIN;
const CONSTANT: &str = "O(1)";
const PER_CLIENT: &str = "O(N) where N is the number of client connections";
const EVERY_NODE: Slice<Bytes> =
    Slice::new(&[Bytes::new("request_policy:all_nodes"), Bytes::new("response_policy:all_succeeded")]);
const NONDETERMINISTIC: Slice<Bytes> = Slice::new(&[Bytes::new("nondeterministic_output")]);

const fn spec(name: &'static str, arity: i32, flags: u64, docs: &'static Docs) -> Command {
    Command { name: Bytes::new(name), arity, flags, categories: abi::CATEGORY_CONNECTION, docs, ..Command::NEW }
}

const fn about(summary: &'static str, since: &'static str, complexity: &'static str) -> Docs {
    crate::admin::spec::about(summary, since, GROUP, complexity)
}

const fn change(version: &'static str, what: &'static str) -> Change {
    Change { version: Bytes::new(version), what: Bytes::new(what) }
}

const fn one_of(name: &'static str, words: &'static [Arg]) -> Arg {
    Arg::group(abi::ARG_ONE_OF, name, words)
}

const ON_OFF: &[Arg] = &[Arg::word("on", "ON"), Arg::word("off", "OFF")];

/// The commands.
pub static COMMANDS: &[CoreCommand] = &[CoreCommand::container(
    Command {
        name: Bytes::new("client"),
        arity: -2,
        docs: &about("A container for commands about connections.", "2.4.0", "Depends on subcommand."),
        ..Command::NEW
    },
    None,
    &[
        CoreCommand::new(
            spec(
                "caching",
                3,
                OWN,
                &Docs {
                    args: Slice::new(&[one_of("mode", &[Arg::word("yes", "YES"), Arg::word("no", "NO")])]),
                    ..about("Says whether the keys of the next command are tracked.", "6.0.0", CONSTANT)
                },
            ),
            tracking::caching,
        ),
        CoreCommand::new(spec("getname", 2, OWN, &about("Tells the connection's name.", "2.6.9", CONSTANT)), getname),
        CoreCommand::new(
            spec(
                "getredir",
                2,
                OWN,
                &about("Tells which connection gets the invalidation messages of this one.", "6.0.0", CONSTANT),
            ),
            tracking::getredir,
        ),
        CoreCommand::new(
            spec(
                "help",
                2,
                abi::COMMAND_LOADING | abi::COMMAND_STALE,
                &about("Describes the subcommands.", "5.0.0", CONSTANT),
            ),
            help,
        ),
        CoreCommand::new(spec("id", 2, OWN, &about("Tells the connection's id.", "5.0.0", CONSTANT)), id),
        CoreCommand::new(
            Command {
                tips: NONDETERMINISTIC,
                ..spec("info", 2, OWN, &about("Describes this connection.", "6.2.0", CONSTANT))
            },
            listing::info,
        ),
        CoreCommand::new(
            spec(
                "kill",
                -3,
                ADMIN,
                &Docs {
                    history: Slice::new(&[
                        change("2.8.12", "Filters by option, among them `ID`."),
                        change("3.2.0", "`TYPE` knows `master`."),
                        change("5.0.0", "`TYPE` knows `replica`; `slave` means the same."),
                        change("6.2.0", "`LADDR`."),
                        change("7.4.0", "`MAXAGE`."),
                    ]),
                    args: Slice::new(&[one_of("filter", kill::ARGS)]),
                    ..about("Closes connections.", "2.4.0", PER_CLIENT)
                },
            ),
            kill::kill,
        ),
        CoreCommand::new(
            Command {
                tips: NONDETERMINISTIC,
                ..spec(
                    "list",
                    -2,
                    ADMIN,
                    &Docs {
                        history: Slice::new(&[
                            change("2.8.12", "The field `id`."),
                            change("5.0.0", "The filter `TYPE`."),
                            change("6.0.0", "The field `user`."),
                            change("6.2.0", "The fields `argv-mem`, `tot-mem`, `laddr` and `redir`; the filter `ID`."),
                            change("7.0.0", "The fields `resp`, `multi-mem`, `rbs` and `rbp`."),
                            change("7.0.3", "The field `ssub`."),
                            change("7.2.0", "The fields `lib-name` and `lib-ver`."),
                            change("7.4.0", "The field `watch`."),
                            change("8.0.0", "The fields `io-thread`, `tot-net-in`, `tot-net-out` and `tot-cmds`."),
                        ]),
                        args: Slice::new(filter::ARGS),
                        ..about("Lists the connections.", "2.4.0", PER_CLIENT)
                    },
                )
            },
            listing::list,
        ),
        CoreCommand::new(
            spec(
                "no-evict",
                3,
                ADMIN,
                &Docs {
                    args: Slice::new(&[one_of("enabled", ON_OFF)]),
                    ..about("Keeps the connection from being closed for memory.", "7.0.0", CONSTANT)
                },
            ),
            no_evict,
        ),
        CoreCommand::new(
            spec(
                "no-touch",
                3,
                OWN,
                &Docs {
                    args: Slice::new(&[one_of("enabled", ON_OFF)]),
                    ..about("Lets the connection read keys without making them look used.", "7.2.0", CONSTANT)
                },
            ),
            no_touch,
        ),
        CoreCommand::new(
            spec(
                "pause",
                -3,
                ADMIN,
                &Docs {
                    history: Slice::new(&[change("6.2.0", "The mode, so that reading can go on.")]),
                    args: Slice::new(&[
                        Arg::new(abi::ARG_INTEGER, "timeout"),
                        one_of("mode", &[Arg::word("write", "WRITE"), Arg::word("all", "ALL")])
                            .since("6.2.0")
                            .flags(abi::ARG_OPTIONAL),
                    ]),
                    ..about("Lets commands wait for some time.", "2.9.50", CONSTANT)
                },
            ),
            pause,
        ),
        CoreCommand::new(
            spec(
                "reply",
                3,
                // The replies of what is queued stand in EXEC's, which could not count those that are left out.
                OWN | abi::COMMAND_NO_MULTI,
                &Docs {
                    args: Slice::new(&[one_of(
                        "action",
                        &[Arg::word("on", "ON"), Arg::word("off", "OFF"), Arg::word("skip", "SKIP")],
                    )]),
                    ..about("Says whether the connection is sent replies.", "3.2.0", CONSTANT)
                },
            ),
            reply,
        ),
        CoreCommand::new(
            Command {
                tips: EVERY_NODE,
                ..spec(
                    "setinfo",
                    4,
                    OWN,
                    &Docs {
                        args: Slice::new(&[one_of(
                            "attr",
                            &[
                                Arg::new(abi::ARG_STRING, "libname").token("LIB-NAME"),
                                Arg::new(abi::ARG_STRING, "libver").token("LIB-VER"),
                            ],
                        )]),
                        ..about("Tells the server which library the client uses.", "7.2.0", CONSTANT)
                    },
                )
            },
            setinfo,
        ),
        CoreCommand::new(
            Command {
                tips: EVERY_NODE,
                ..spec(
                    "setname",
                    3,
                    OWN,
                    &Docs {
                        args: Slice::new(&[Arg::new(abi::ARG_STRING, "connection-name")]),
                        ..about("Names the connection.", "2.6.9", CONSTANT)
                    },
                )
            },
            setname,
        ),
        CoreCommand::new(
            spec(
                "tracking",
                -3,
                OWN,
                &Docs {
                    args: Slice::new(tracking::ARGS),
                    ..about(
                        "Has the connection told when keys change that it keeps.",
                        "6.0.0",
                        "O(1). Some options may introduce additional complexity.",
                    )
                },
            ),
            tracking::tracking,
        ),
        CoreCommand::new(
            spec(
                "trackinginfo",
                2,
                OWN,
                &about("Tells how client-side caching is set up for the connection.", "6.2.0", CONSTANT),
            ),
            tracking::trackinginfo,
        ),
        CoreCommand::new(
            spec(
                "unblock",
                -3,
                ADMIN,
                &Docs {
                    args: Slice::new(&[
                        Arg::new(abi::ARG_INTEGER, "client-id"),
                        one_of("unblock-type", &[Arg::word("timeout", "TIMEOUT"), Arg::word("error", "ERROR")])
                            .flags(abi::ARG_OPTIONAL),
                    ]),
                    ..about("Ends the waiting of a client in a blocking command.", "5.0.0", CONSTANT)
                },
            ),
            unblock,
        ),
        CoreCommand::new(
            spec(
                "unpause",
                2,
                ADMIN,
                &about("Lets waiting commands run.", "6.2.0", "O(N) where N is the number of clients that wait"),
            ),
            unpause,
        ),
    ],
)];

/// Whether a client may be called so: printable and without spaces.
pub fn is_valid_name(name: &[u8]) -> bool {
    name.iter().all(|byte| (b'!'..=b'~').contains(byte))
}

/// Change the client that called and answer OK.
fn change_client(context: &mut Context, change: impl FnOnce(&mut Client)) -> Status {
    match context.client() {
        Some(client) => change(client),
        None => return context.error("ERR there is no client connection"),
    }
    context.ok()
}

fn id(context: &mut Context) -> Status {
    let id = context.call.client_id;
    context.reply().integer(id as i64);
    STATUS_OK
}

fn getname(context: &mut Context) -> Status {
    match context.client().map(|client| client.name.clone()).filter(|name| !name.is_empty()) {
        Some(name) => context.reply().bulk(name),
        None => context.reply().null(),
    }
    STATUS_OK
}

fn setname(context: &mut Context) -> Status {
    let name = context.arg(2);
    if !is_valid_name(name) {
        return context.error("ERR Client names cannot contain spaces, newlines or special characters.");
    }
    change_client(context, |client| client.name = name.to_vec())
}

fn setinfo(context: &mut Context) -> Status {
    let (attribute, value) = (context.arg_shown(2), context.arg(3));
    let is_name = attribute.eq_ignore_ascii_case(b"lib-name");
    if !is_name && !attribute.eq_ignore_ascii_case(b"lib-ver") {
        return context.error([b"ERR Unrecognized option '", attribute, b"'"].concat());
    }
    if !is_valid_name(value) {
        let reason = b" cannot contain spaces, newlines or special characters.";
        return context.error([b"ERR ", attribute, reason].concat());
    }
    change_client(context, |client| {
        *(if is_name { &mut client.lib_name } else { &mut client.lib_version }) = value.to_vec();
    })
}

/// The argument after the subcommand as ON or OFF.
fn on_or_off(context: &mut Context) -> Option<bool> {
    let on = context.arg_is(2, "ON");
    (on || context.arg_is(2, "OFF")).then_some(on)
}

fn no_evict(context: &mut Context) -> Status {
    let Some(on) = on_or_off(context) else { return context.error("ERR syntax error") };
    change_client(context, |client| client.no_evict = on)
}

fn no_touch(context: &mut Context) -> Status {
    let Some(on) = on_or_off(context) else { return context.error("ERR syntax error") };
    let status = change_client(context, |client| client.no_touch = on);
    context.server().sessions.count_no_touch();
    status
}

/// The mode of the next command is settled by dispatch, see [`ReplyMode`].
fn reply(context: &mut Context) -> Status {
    match on_or_off(context) {
        Some(true) => return change_client(context, |client| client.standing.set_reply_mode(ReplyMode::On)),
        Some(false) => {
            if let Some(client) = context.client() {
                client.standing.set_reply_mode(ReplyMode::Off);
            }
        }
        None if context.arg_is(2, "SKIP") => {
            if let Some(client) = context.client()
                && client.standing.reply_mode() != ReplyMode::Off
            {
                client.standing.set_reply_mode(ReplyMode::SkipNext);
            }
        }
        None => return context.error("ERR syntax error"),
    }
    STATUS_OK
}

/// The error for a subcommand with too many arguments.
fn too_many(context: &mut Context) -> Status {
    let name = context.arg_shown(1);
    context.error([b"ERR unknown subcommand or wrong number of arguments for '", name, b"'. Try CLIENT HELP."].concat())
}

fn pause(context: &mut Context) -> Status {
    let writes_only = match context.argc() {
        3 => false,
        4 if context.arg_is(3, "WRITE") => true,
        4 if context.arg_is(3, "ALL") => false,
        4 => return context.error("ERR CLIENT PAUSE mode must be WRITE or ALL"),
        _ => return too_many(context),
    };
    let now_ms = context.server().clock.now_ms;
    let until_ms = match parse_i64(context.arg(2)) {
        None => return context.error("ERR timeout is not an integer or out of range"),
        Some(..0) => return context.error("ERR timeout is negative"),
        // The last moment stands for no end, which is another's to set.
        Some(ms) => now_ms.checked_add(ms).map(|until_ms| until_ms.min(i64::MAX - 1)),
    };
    let Some(until_ms) = until_ms else { return context.error("ERR timeout is out of range") };
    let server = context.server();
    // A pause can be made longer and stricter by another; only UNPAUSE takes it back.
    let present = server.sessions.pause.filter(|pause| pause.until_ms > now_ms);
    server.sessions.pause = Some(Pause {
        until_ms: present.map_or(until_ms, |pause| pause.until_ms.max(until_ms)),
        writes_only: writes_only && present.is_none_or(|pause| pause.writes_only),
    });
    server.observe();
    context.ok()
}

fn unpause(context: &mut Context) -> Status {
    context.server().end_pause();
    context.ok()
}

fn unblock(context: &mut Context) -> Status {
    if context.argc() > 4 {
        return too_many(context);
    }
    let fails = context.argc() == 4 && context.arg_is(3, "ERROR");
    if context.argc() == 4 && !fails && !context.arg_is(3, "TIMEOUT") {
        return context.error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    }
    let Some(id) = parse_i64(context.arg(2)) else {
        return context.error("ERR value is not an integer or out of range");
    };
    let server = context.server();
    let token = u64::try_from(id).ok().and_then(|id| server.sessions.clients.token(id));
    let waited = token.is_some_and(|token| server.unblock(token, fails.then_some(UNBLOCKED)));
    context.reply().integer(i64::from(waited));
    STATUS_OK
}

fn help(context: &mut Context) -> Status {
    crate::admin::server::help(
        context,
        "CLIENT",
        &[
            "CACHING (YES|NO)",
            "    Track the keys of the next command, or do not.",
            "GETNAME",
            "    Return the name of this connection.",
            "GETREDIR",
            "    Return the id of the connection that gets this one's invalidations.",
            "ID",
            "    Return the id of this connection.",
            "INFO",
            "    Return a description of this connection.",
            "KILL <ip:port>",
            "    Close the connection from an address.",
            "KILL <option> <value> [<option> <value> [...]]",
            "    Close all connections that fit. Options are:",
            "    * ADDR (<ip:port>|<unixsocket>:0), LADDR (<ip:port>|<unixsocket>:0)",
            "      The address of the other side, of this side.",
            "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB), USER <username>, ID <client-id>",
            "    * MAXAGE <seconds>, IDLE <seconds>",
            "      Connections at least that old, or idle for so long.",
            "    * NAME <name>, LIB-NAME <name>, LIB-VER <version>, IP <ip>, DB <db>, FLAGS <letters>",
            "      What CLIENT LIST shows of them.",
            "    * NOT-<option> <value>",
            "      Connections that the option does not fit.",
            "    * SKIPME (YES|NO)",
            "      Leave this connection out (default: yes).",
            "LIST [<option> <value> [<option> <value> [...]]]",
            "    Return a description of each connection, or of those that fit; options are those of KILL.",
            "NO-EVICT (ON|OFF)",
            "    Keep this connection from being closed for memory.",
            "NO-TOUCH (ON|OFF)",
            "    Read keys without a trace in their LRU or LFU clock.",
            "PAUSE <timeout> [WRITE|ALL]",
            "    Let all commands, or those that write, wait for <timeout> milliseconds.",
            "REPLY (ON|OFF|SKIP)",
            "    Send replies, send none, or not the next one.",
            "SETINFO (LIB-NAME|LIB-VER) <value>",
            "    Tell the name or version of the client library.",
            "SETNAME <name>",
            "    Name this connection.",
            "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
            "         [OPTIN] [OPTOUT] [NOLOOP]",
            "    Have this connection told when keys change that it keeps.",
            "TRACKINGINFO",
            "    Return how client-side caching is set up for this connection.",
            "UNBLOCK <clientid> [TIMEOUT|ERROR]",
            "    End the waiting of a client in a blocking command.",
            "UNPAUSE",
            "    Let waiting commands run.",
        ],
    )
}
