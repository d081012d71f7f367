//! COMMAND: what commands there are, what they take, and which arguments are keys.
//!
//! Everything it answers comes from the specs that the core and the modules
//! registered, so that a command which a module brings is described like any other.
//!
//! A command is shown as one of a module (flag and group `module`, field `module`)
//! when its docs name no group. One that names a group of the reference, as those of
//! first-party modules do, is shown as a command of that group: clients and redis-cli
//! then see what they know. The core so needs no list of modules or of groups.

mod docs;
mod info;

use crate::admin::spec::{CoreCommand, about};
use crate::base::pattern;
use crate::command::keyspec;
use crate::command::keyspec::KeyAt;
use crate::engine::call::Context;
use crate::engine::call::Registered;
use crate::engine::server::Server;
use crate::socket::output::Output;
use crate::wire::write::Writer;
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::command::{self as abi, Arg, Change, Command, Docs};
use plinth_abi::status::{STATUS_OK, STATUS_SYNTAX, Status};

const GROUP: Bytes = Bytes::new("server");
const UNORDERED: Slice<Bytes> = Slice::new(&[Bytes::new("nondeterministic_output_order")]);

/// A spec with what all of this family share.
const fn spec(name: &'static str, arity: i32, tips: Slice<Bytes>, docs: &'static Docs) -> Command {
    Command {
        name: Bytes::new(name),
        arity,
        flags: abi::COMMAND_LOADING | abi::COMMAND_STALE,
        categories: abi::CATEGORY_CONNECTION,
        tips,
        docs,
        ..Command::NEW
    }
}

const NAMES: Slice<Arg> =
    Slice::new(&[Arg::new(abi::ARG_STRING, "command-name").flags(abi::ARG_OPTIONAL | abi::ARG_MULTIPLE)]);
const FULL_COMMAND: Slice<Arg> = Slice::new(&[
    Arg::new(abi::ARG_STRING, "command"),
    Arg::new(abi::ARG_STRING, "arg").flags(abi::ARG_OPTIONAL | abi::ARG_MULTIPLE),
]);

/// The commands.
pub static COMMANDS: &[CoreCommand] = &[CoreCommand::container(
    spec(
        "command",
        -1,
        UNORDERED,
        &about("Describes all commands.", "2.8.13", GROUP, "O(N) where N is the number of commands"),
    ),
    Some(all),
    &[
        CoreCommand::new(
            spec("count", 2, Slice::EMPTY, &about("Counts the commands.", "2.8.13", GROUP, "O(1)")),
            count,
        ),
        CoreCommand::new(
            spec(
                "docs",
                -2,
                UNORDERED,
                &Docs {
                    summary: Bytes::new("Gives the documentation of some commands or of all."),
                    since: Bytes::new("7.0.0"),
                    group: GROUP,
                    complexity: Bytes::new("O(N) where N is the number of commands to look up"),
                    args: NAMES,
                    ..Docs::NEW
                },
            ),
            docs,
        ),
        CoreCommand::new(
            spec(
                "getkeys",
                -3,
                Slice::EMPTY,
                &Docs {
                    summary: Bytes::new("Picks the keys out of a whole command."),
                    since: Bytes::new("2.8.13"),
                    group: GROUP,
                    complexity: Bytes::new("O(N) where N is the number of arguments to the command"),
                    args: FULL_COMMAND,
                    ..Docs::NEW
                },
            ),
            get_keys,
        ),
        CoreCommand::new(
            spec(
                "getkeysandflags",
                -3,
                Slice::EMPTY,
                &Docs {
                    summary: Bytes::new("Picks the keys out of a whole command, and says how each is used."),
                    since: Bytes::new("7.0.0"),
                    group: GROUP,
                    complexity: Bytes::new("O(N) where N is the number of arguments to the command"),
                    args: FULL_COMMAND,
                    ..Docs::NEW
                },
            ),
            get_keys_and_flags,
        ),
        CoreCommand::new(
            spec(
                "info",
                -2,
                UNORDERED,
                &Docs {
                    summary: Bytes::new("Describes some commands or all."),
                    since: Bytes::new("2.8.13"),
                    group: GROUP,
                    complexity: Bytes::new("O(N) where N is the number of commands to look up"),
                    history: Slice::new(&[Change {
                        version: Bytes::new("7.0.0"),
                        what: Bytes::new("Allowed to be called with no argument to get info on all commands."),
                    }]),
                    args: NAMES,
                    ..Docs::NEW
                },
            ),
            info,
        ),
        CoreCommand::new(
            spec(
                "list",
                -2,
                UNORDERED,
                &Docs {
                    summary: Bytes::new("Lists the names of commands, all or those that a filter lets pass."),
                    since: Bytes::new("7.0.0"),
                    group: GROUP,
                    complexity: Bytes::new("O(N) where N is the total number of commands"),
                    args: Slice::new(&[Arg::group(
                        abi::ARG_ONE_OF,
                        "filterby",
                        &[
                            Arg::new(abi::ARG_STRING, "module-name").token("MODULE"),
                            Arg::new(abi::ARG_STRING, "category").token("ACLCAT"),
                            Arg::new(abi::ARG_PATTERN, "pattern").token("PATTERN"),
                        ],
                    )
                    .token("FILTERBY")
                    .flags(abi::ARG_OPTIONAL)]),
                    ..Docs::NEW
                },
            ),
            list,
        ),
        CoreCommand::new(
            spec("help", 2, Slice::EMPTY, &about("Describes the subcommands.", "5.0.0", GROUP, "O(1)")),
            help,
        ),
    ],
)];

/// Whether a command is shown as one of a module; see the top of this file.
fn is_of_module(command: &Registered) -> bool {
    let group = docs::of(command).map_or(Bytes::EMPTY, |docs| docs.group);
    // SAFETY: a constant of the module that registered the command.
    let group = unsafe { group.as_slice() };
    command.module != crate::base::id::ModuleId::CORE && (group.is_empty() || group == b"module")
}

/// The command of a name, or of a container's and a subcommand's with `|` between.
fn described<'s>(server: &'s Server, name: &[u8]) -> Option<&'s Registered> {
    let mut parts = name.splitn(2, |byte| *byte == b'|');
    let command = server.commands.get(parts.next()?)?;
    match parts.next() {
        Some(sub) => command.subcommand(sub),
        None => Some(command),
    }
}

/// All commands that clients are to know of.
fn listed(server: &Server) -> impl Iterator<Item = &Registered> {
    server.commands.iter().filter(|command| !command.is(abi::COMMAND_INTERNAL))
}

/// Write a reply from what the server holds. It is made beside the client's output,
/// because the server cannot be looked at while that is borrowed.
fn answer(context: &mut Context, write: impl FnOnce(&mut Writer<'_>, &Server)) -> Status {
    let resp3 = context.is_resp3();
    let mut output = Output::default();
    let begin = output.mark();
    write(&mut Writer::new(&mut output, resp3), context.server());
    let reply = output.copy_after(begin);
    context.output().write(&reply);
    STATUS_OK
}

fn all(context: &mut Context) -> Status {
    answer(context, |reply, server| {
        reply.array(listed(server).count());
        listed(server).for_each(|command| info::write(reply, command, &server.commands.categories));
    })
}

fn count(context: &mut Context) -> Status {
    let count = listed(context.server()).count();
    context.reply().integer(count as i64);
    STATUS_OK
}

/// The names that follow the subcommand.
fn names(context: &Context) -> Vec<&'static [u8]> {
    (2..context.argc()).map(|at| context.arg(at)).collect()
}

fn info(context: &mut Context) -> Status {
    let names = names(context);
    if names.is_empty() {
        return all(context);
    }
    answer(context, |reply, server| {
        reply.array(names.len());
        for name in names {
            match described(server, name) {
                Some(command) => info::write(reply, command, &server.commands.categories),
                None => reply.null(),
            }
        }
    })
}

fn docs(context: &mut Context) -> Status {
    let names = names(context);
    answer(context, |reply, server| {
        let commands: Vec<&Registered> = if names.is_empty() {
            listed(server).collect()
        } else {
            names.into_iter().filter_map(|name| described(server, name)).collect()
        };
        reply.map(commands.len());
        for command in commands {
            reply.bulk(&command.name);
            docs::write(reply, command, server);
        }
    })
}

/// The keys of the command that follows the subcommand, or the error.
fn keys_of_rest(server: &Server, args: &[Bytes]) -> Result<Vec<KeyAt>, &'static str> {
    // SAFETY: arguments live as long as the call.
    let words: Vec<&[u8]> = args.iter().take(2).map(|arg| unsafe { arg.as_slice() }).collect();
    let command = words.first().and_then(|name| server.commands.get(name)).ok_or("ERR Invalid command specified")?;
    let command = match words.get(1) {
        Some(sub) if !command.subcommands.is_empty() => {
            command.subcommand(sub).ok_or("ERR Invalid command specified")?
        }
        _ => command,
    };
    if !keyspec::has_keys(command) {
        return Err("ERR The command has no key arguments");
    }
    if !command.takes(args.len()) {
        return Err("ERR Invalid number of arguments specified for command");
    }
    let keys = keyspec::keys(command, args).unwrap_or_default();
    if keys.is_empty() && !command.is(abi::COMMAND_NO_MANDATORY_KEYS) {
        Err("ERR Invalid arguments specified for command")
    } else {
        Ok(keys)
    }
}

fn get_keys(context: &mut Context) -> Status {
    write_keys(context, false)
}

fn get_keys_and_flags(context: &mut Context) -> Status {
    write_keys(context, true)
}

fn write_keys(context: &mut Context, with_flags: bool) -> Status {
    let args: Vec<Bytes> = context.args()[2..].to_vec();
    let keys = match keys_of_rest(context.server(), &args) {
        Ok(keys) => keys,
        Err(text) => return context.error(text),
    };
    let names: Vec<&[u8]> = keys.iter().map(|key| context.arg(key.at + 2)).collect();
    let mut reply = context.reply();
    reply.array(keys.len());
    for (key, name) in keys.iter().zip(names) {
        if with_flags {
            reply.array(2);
        }
        reply.bulk(name);
        if with_flags {
            info::write_words(&mut reply, info::KEY_FLAGS, key.flags);
        }
    }
    STATUS_OK
}

/// Which commands LIST lets pass.
enum Filter<'a> {
    All,
    Module(&'a [u8]),
    Category(&'a [u8]),
    Pattern(&'a [u8]),
}

impl Filter<'_> {
    fn passes(&self, server: &Server, command: &Registered) -> bool {
        match self {
            Filter::All => true,
            Filter::Module(name) => {
                server.registry.modules.get(command.module).is_some_and(|it| it.name.as_bytes() == *name)
            }
            Filter::Category(name) => command.categories() & server.commands.categories.find(name) != 0,
            Filter::Pattern(text) => pattern::matches(text, command.name.as_bytes(), true),
        }
    }
}

fn filter(context: &Context) -> Option<Filter<'static>> {
    if context.argc() == 2 {
        return Some(Filter::All);
    }
    if context.argc() != 5 || !context.arg_is(2, "FILTERBY") {
        return None;
    }
    let wanted = context.arg(4);
    if context.arg_is(3, "MODULE") {
        Some(Filter::Module(wanted))
    } else if context.arg_is(3, "ACLCAT") {
        Some(Filter::Category(wanted))
    } else if context.arg_is(3, "PATTERN") {
        Some(Filter::Pattern(wanted))
    } else {
        None
    }
}

fn list(context: &mut Context) -> Status {
    let Some(filter) = filter(context) else { return STATUS_SYNTAX };
    answer(context, |reply, server| {
        let with_subcommands =
            listed(server).flat_map(|it| std::iter::once(it).chain(it.subcommands.iter().map(|sub| &**sub)));
        let passed: Vec<&Registered> = with_subcommands.filter(|command| filter.passes(server, command)).collect();
        reply.array(passed.len());
        passed.iter().for_each(|command| reply.bulk(&command.name));
    })
}

fn help(context: &mut Context) -> Status {
    crate::admin::server::help(
        context,
        "COMMAND",
        &[
            "(no subcommand)",
            "    Describe all commands.",
            "COUNT",
            "    Return the number of commands.",
            "DOCS [<command-name> ...]",
            "    Return the documentation of some commands, or of all.",
            "GETKEYS <full-command>",
            "    Return the keys of a whole command.",
            "GETKEYSANDFLAGS <full-command>",
            "    Return the keys of a whole command, and how it uses each.",
            "INFO [<command-name> ...]",
            "    Describe some commands, or all.",
            "LIST [FILTERBY (MODULE <name>|ACLCAT <category>|PATTERN <pattern>)]",
            "    Return the names of commands.",
        ],
    )
}
