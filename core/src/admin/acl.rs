//! ACL: users, and what they may do.

mod log;
mod users;

use crate::admin::spec::{CoreCommand, about};
use crate::base::number::parse_i64;
use crate::command::status;
use crate::engine::acl::WouldRun;
use crate::engine::call::Context;
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::command::{self as abi, Arg, Command, Docs};
use plinth_abi::status::{STATUS_OK, Status};

const GROUP: Bytes = Bytes::new("server");

/// The command.
pub static COMMANDS: &[CoreCommand] = &[CoreCommand::container(
    Command {
        name: Bytes::new("acl"),
        arity: -2,
        docs: &about("A container for commands about users.", "6.0.0", GROUP, "Depends on subcommand."),
        ..Command::NEW
    },
    None,
    SUBCOMMANDS,
)];

/// Whoever may run it learns nothing of others.
const PLAIN: u64 = abi::COMMAND_NO_SCRIPT | abi::COMMAND_LOADING | abi::COMMAND_STALE;
/// For administrators.
const ADMIN: u64 = PLAIN | abi::COMMAND_ADMIN;
const ON_ALL_NODES: Slice<Bytes> =
    Slice::new(&[Bytes::new("request_policy:all_nodes"), Bytes::new("response_policy:all_succeeded")]);

const SUBCOMMANDS: &[CoreCommand] = &[
    CoreCommand::new(
        Command {
            name: Bytes::new("cat"),
            arity: -2,
            flags: PLAIN,
            docs: &Docs {
                summary: Bytes::new("Lists the categories, or the commands of one."),
                since: Bytes::new("6.0.0"),
                group: GROUP,
                complexity: Bytes::new("O(1) since the categories and commands are a fixed set."),
                args: Slice::new(&[Arg::new(abi::ARG_STRING, "category").flags(abi::ARG_OPTIONAL)]),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        cat,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("deluser"),
            arity: -3,
            flags: ADMIN,
            tips: ON_ALL_NODES,
            docs: &Docs {
                summary: Bytes::new("Deletes users, and disconnects those who are them."),
                since: Bytes::new("6.0.0"),
                group: GROUP,
                complexity: Bytes::new("O(1) amortized time considering the typical user."),
                args: Slice::new(&[Arg::new(abi::ARG_STRING, "username").flags(abi::ARG_MULTIPLE)]),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        users::deluser,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("dryrun"),
            arity: -4,
            flags: ADMIN,
            docs: &Docs {
                summary: Bytes::new("Tells whether a user may run a command, without running it."),
                since: Bytes::new("7.0.0"),
                group: GROUP,
                complexity: Bytes::new("O(1)."),
                args: Slice::new(&[
                    Arg::new(abi::ARG_STRING, "username"),
                    Arg::new(abi::ARG_STRING, "command"),
                    Arg::new(abi::ARG_STRING, "arg").flags(abi::ARG_OPTIONAL | abi::ARG_MULTIPLE),
                ]),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        dryrun,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("genpass"),
            arity: -2,
            flags: PLAIN,
            docs: &Docs {
                summary: Bytes::new("Makes up a password."),
                since: Bytes::new("6.0.0"),
                group: GROUP,
                complexity: Bytes::new("O(1)"),
                args: Slice::new(&[Arg::new(abi::ARG_INTEGER, "bits").flags(abi::ARG_OPTIONAL)]),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        genpass,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("getuser"),
            arity: 3,
            flags: ADMIN,
            docs: &Docs {
                summary: Bytes::new("Tells the rules of a user."),
                since: Bytes::new("6.0.0"),
                group: GROUP,
                complexity: Bytes::new(
                    "O(N). Where N is the number of password, command and pattern rules that the user has.",
                ),
                args: Slice::new(&[Arg::new(abi::ARG_STRING, "username")]),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        users::getuser,
    ),
    CoreCommand::help(&about("Describes the subcommands.", "6.0.0", GROUP, "O(1)"), help),
    CoreCommand::new(
        Command {
            name: Bytes::new("list"),
            arity: 2,
            flags: ADMIN,
            docs: &about(
                "Lists the users with their rules.",
                "6.0.0",
                GROUP,
                "O(N). Where N is the number of configured users.",
            ),
            ..Command::NEW
        },
        users::list,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("load"),
            arity: 2,
            flags: ADMIN,
            docs: &about(
                "Reads the users from the ACL file.",
                "6.0.0",
                GROUP,
                "O(N). Where N is the number of configured users.",
            ),
            ..Command::NEW
        },
        load,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("log"),
            arity: -2,
            flags: ADMIN,
            docs: &Docs {
                summary: Bytes::new("Lists what users were refused."),
                since: Bytes::new("6.0.0"),
                group: GROUP,
                complexity: Bytes::new("O(N) with N being the number of entries shown."),
                args: Slice::new(&[Arg::new(abi::ARG_INTEGER, "count").flags(abi::ARG_OPTIONAL)]),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        log::log,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("save"),
            arity: 2,
            flags: ADMIN,
            tips: ON_ALL_NODES,
            docs: &about(
                "Writes the users into the ACL file.",
                "6.0.0",
                GROUP,
                "O(N). Where N is the number of configured users.",
            ),
            ..Command::NEW
        },
        save,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("setuser"),
            arity: -3,
            flags: ADMIN,
            tips: ON_ALL_NODES,
            docs: &Docs {
                summary: Bytes::new("Makes a user, or changes its rules."),
                since: Bytes::new("6.0.0"),
                group: GROUP,
                complexity: Bytes::new("O(N). Where N is the number of rules provided."),
                args: Slice::new(&[
                    Arg::new(abi::ARG_STRING, "username"),
                    Arg::new(abi::ARG_STRING, "rule").flags(abi::ARG_OPTIONAL | abi::ARG_MULTIPLE),
                ]),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        users::setuser,
    )
    .secrets(users::secrets),
    CoreCommand::new(
        Command {
            name: Bytes::new("users"),
            arity: 2,
            flags: ADMIN,
            docs: &about(
                "Lists the names of the users.",
                "6.0.0",
                GROUP,
                "O(N). Where N is the number of configured users.",
            ),
            ..Command::NEW
        },
        users::names,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("whoami"),
            arity: 2,
            flags: PLAIN,
            docs: &about("Tells the name of the user that the connection is.", "6.0.0", GROUP, "O(1)"),
            ..Command::NEW
        },
        users::whoami,
    ),
];

/// The error for words that a subcommand does not take.
fn misused(context: &mut Context) -> Status {
    let name = context.arg_shown(1);
    let error = [b"ERR unknown subcommand or wrong number of arguments for '", name, b"'. Try ACL HELP."];
    context.error(error.concat())
}

fn cat(context: &mut Context) -> Status {
    let (argc, category) = (context.argc(), if context.argc() == 3 { context.arg(2) } else { &[] });
    let commands = &context.server().commands;
    let names: Vec<String> = match argc {
        2 => commands.categories.names(u64::MAX).map(str::to_owned).collect(),
        3 => {
            let bit = commands.categories.find(category);
            if bit == 0 {
                return context.error([b"ERR Unknown category '", status::shown(category), b"'"].concat());
            }
            let all = commands.iter().filter(|command| !command.is(abi::COMMAND_INTERNAL));
            let all = all.flat_map(|command| command.with_subcommands());
            all.filter(|command| command.categories() & bit != 0).map(|command| command.name.clone()).collect()
        }
        _ => return misused(context),
    };
    let mut reply = context.reply();
    reply.array(names.len());
    names.iter().for_each(|name| reply.bulk(name));
    STATUS_OK
}

/// Most bits of a password that is made up.
const PASSWORD_BITS_MAX: i64 = 4096;
/// Bits if nothing is said.
const PASSWORD_BITS: i64 = 256;

fn genpass(context: &mut Context) -> Status {
    let bits = match context.argc() {
        2 => Some(PASSWORD_BITS),
        3 => parse_i64(context.arg(2)),
        _ => return misused(context),
    };
    let Some(bits) = bits else { return context.error("ERR value is not an integer or out of range") };
    if !(1..=PASSWORD_BITS_MAX).contains(&bits) {
        return context.error(
            "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096",
        );
    }
    let digits = (bits as usize).div_ceil(4);
    let mut secret = vec![0; digits.div_ceil(2)];
    let mut filled = 0;
    while filled < secret.len() {
        match rustix::rand::getrandom(&mut secret[filled..], rustix::rand::GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return context.error(format!("ERR there are no random numbers: {error}")),
        }
    }
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    context.reply().bulk(&hex[..digits]);
    STATUS_OK
}

fn dryrun(context: &mut Context) -> Status {
    let name = context.arg(2);
    let args: Vec<Bytes> = context.args()[3..].to_vec();
    let db = context.db;
    let server = context.server();
    let Some(id) = server.acl.users.find(name) else {
        return context.error([b"ERR User '", status::shown(name), b"' not found"].concat());
    };
    match server.would_run(id, &args, db) {
        WouldRun::Yes => context.ok(),
        WouldRun::No(text) => {
            context.reply().bulk(text);
            STATUS_OK
        }
        WouldRun::Arity(text) => context.error(text),
        WouldRun::Unknown => context.error([b"ERR Command '", context.arg_shown(3), b"' not found"].concat()),
    }
}

/// Whether there is a file with users, or else an error.
fn with_file(context: &mut Context) -> Result<(), Status> {
    if context.server().settings.acl.file.is_empty() {
        return Err(context.error(
            "ERR This Redis instance is not configured to use an ACL file: set 'aclfile', or keep users in the configuration with ACL SETUSER and CONFIG REWRITE.",
        ));
    }
    Ok(())
}

fn load(context: &mut Context) -> Status {
    if let Err(status) = with_file(context) {
        return status;
    }
    let own = context.client;
    match context.server().load_acl_file(own) {
        Ok(()) => context.ok(),
        Err(text) => context.error(format!("ERR {text}")),
    }
}

fn save(context: &mut Context) -> Status {
    if let Err(status) = with_file(context) {
        return status;
    }
    match context.server().save_acl_file() {
        Ok(()) => context.ok(),
        Err(error) => {
            crate::base::log::warning(&format!("ACL SAVE failed: {error}"));
            context.error(
                "ERR There was an error trying to save the ACLs. Please check the server logs for more information",
            )
        }
    }
}

fn help(context: &mut Context) -> Status {
    crate::admin::server::help(
        context,
        "ACL",
        &[
            "CAT [<category>]",
            "    The categories, or the commands of one.",
            "DELUSER <username> [<username> ...]",
            "    Delete users, and disconnect those who are them.",
            "DRYRUN <username> <command> [<arg> ...]",
            "    Whether the user may run the command, which is not run.",
            "GETUSER <username>",
            "    The rules of a user.",
            "GENPASS [<bits>]",
            "    Make up a password of 256 bits, or of so many.",
            "LIST",
            "    All users, as lines of the configuration.",
            "LOAD",
            "    Read the users from the ACL file.",
            "LOG [<count> | RESET]",
            "    What was refused, the latest first.",
            "SAVE",
            "    Write the users into the ACL file.",
            "SETUSER <username> <rule> [<rule> ...]",
            "    Make a user, or follow more rules for one.",
            "USERS",
            "    The names of all users.",
            "WHOAMI",
            "    The name of the user that the connection is.",
        ],
    )
}
