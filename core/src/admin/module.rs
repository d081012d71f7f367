//! MODULE: LOAD, LOADEX, UNLOAD, LIST; REPLACE is in `module/replace.rs`.

pub mod replace;

use crate::admin::spec::{CoreCommand, about};
use crate::engine::call::Context;
use crate::engine::server::Server;
use crate::modules::load::LoadRequest;
use crate::registry::library::{Stayed, stayed};
use crate::wire::write::Writer;
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::command::{self as abi, Arg, Command, Docs};
use plinth_abi::status::{STATUS_OK, Status};
use std::path::Path;

const FLAGS: u64 = abi::COMMAND_ADMIN | abi::COMMAND_NO_SCRIPT;
/// Of those that change which modules there are: they would pass over what is being loaded.
const CHANGES: u64 = FLAGS | abi::COMMAND_NO_ASYNC_LOADING;
const GROUP: Bytes = Bytes::new("server");

/// The commands.
pub static COMMANDS: &[CoreCommand] = &[CoreCommand::container(
    Command {
        name: Bytes::new("module"),
        arity: -2,
        docs: &about("A container for module commands.", "4.0.0", GROUP, "Depends on subcommand."),
        ..Command::NEW
    },
    None,
    &[
        CoreCommand::new(
            Command {
                name: Bytes::new("load"),
                arity: -3,
                flags: CHANGES,
                docs: &Docs {
                    summary: Bytes::new("Loads a module."),
                    since: Bytes::new("4.0.0"),
                    group: GROUP,
                    complexity: Bytes::new("O(1)"),
                    args: Slice::new(&[
                        Arg::new(abi::ARG_STRING, "path"),
                        Arg::new(abi::ARG_STRING, "arg").flags(abi::ARG_OPTIONAL | abi::ARG_MULTIPLE),
                    ]),
                    ..Docs::NEW
                },
                ..Command::NEW
            },
            load,
        ),
        CoreCommand::new(
            Command {
                name: Bytes::new("loadex"),
                arity: -3,
                flags: CHANGES,
                docs: &Docs {
                    summary: Bytes::new("Loads a module with parameters and arguments."),
                    since: Bytes::new("7.0.0"),
                    group: GROUP,
                    complexity: Bytes::new("O(1)"),
                    args: Slice::new(&[
                        Arg::new(abi::ARG_STRING, "path"),
                        Arg::group(
                            abi::ARG_BLOCK,
                            "configs",
                            &[Arg::new(abi::ARG_STRING, "name"), Arg::new(abi::ARG_STRING, "value")],
                        )
                        .token("CONFIG")
                        .flags(abi::ARG_OPTIONAL | abi::ARG_MULTIPLE | abi::ARG_MULTIPLE_TOKEN),
                        Arg::new(abi::ARG_STRING, "args").token("ARGS").flags(abi::ARG_OPTIONAL | abi::ARG_MULTIPLE),
                    ]),
                    ..Docs::NEW
                },
                ..Command::NEW
            },
            loadex,
        ),
        CoreCommand::new(
            Command {
                name: Bytes::new("unload"),
                arity: -3,
                flags: CHANGES,
                docs: &Docs {
                    summary: Bytes::new("Unloads a module."),
                    since: Bytes::new("4.0.0"),
                    group: GROUP,
                    complexity: Bytes::new(
                        "O(1), and with GHOST O(N) for the N values of its types, in the background.",
                    ),
                    args: Slice::new(&[
                        Arg::new(abi::ARG_STRING, "name"),
                        Arg::word("ghost", "GHOST").flags(abi::ARG_OPTIONAL),
                    ]),
                    ..Docs::NEW
                },
                ..Command::NEW
            },
            unload,
        ),
        replace::REPLACE,
        CoreCommand::new(
            Command {
                name: Bytes::new("list"),
                arity: 2,
                flags: FLAGS,
                tips: Slice::new(&[Bytes::new("nondeterministic_output_order")]),
                docs: &about(
                    "Lists the loaded modules.",
                    "4.0.0",
                    GROUP,
                    "O(N) where N is the number of loaded modules.",
                ),
                ..Command::NEW
            },
            list,
        ),
        CoreCommand::help(&about("Describes the subcommands.", "5.0.0", GROUP, "O(1)"), help),
    ],
)];

fn may_change(context: &mut Context) -> Result<(), Status> {
    let (enabled, client) = (context.server().settings.enable_module_command, context.client);
    if context.server().sessions.allows(enabled, client) {
        return Ok(());
    }
    Err(context.error(
        "ERR MODULE command not allowed. If the enable-module-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.",
    ))
}

fn load(context: &mut Context) -> Status {
    if let Err(status) = may_change(context) {
        return status;
    }
    let args = (3..context.argc()).map(|at| context.arg(at).to_vec()).collect();
    load_request(context, LoadRequest { args, parameters: Vec::new() })
}

fn loadex(context: &mut Context) -> Status {
    if let Err(status) = may_change(context) {
        return status;
    }
    let mut request = LoadRequest::default();
    let mut at = 3;
    while at < context.argc() {
        if context.arg_is(at, "CONFIG") && at + 2 < context.argc() {
            request.parameters.push((context.arg_text(at + 1).into_owned(), context.arg(at + 2).to_vec()));
            at += 3;
        } else if context.arg_is(at, "ARGS") && at + 1 < context.argc() {
            request.args = (at + 1..context.argc()).map(|at| context.arg(at).to_vec()).collect();
            break;
        } else {
            return context.error("ERR syntax error");
        }
    }
    load_request(context, request)
}

fn load_request(context: &mut Context, request: LoadRequest) -> Status {
    let path = context.arg_text(2).into_owned();
    match crate::modules::load::load_module(context.server(), Path::new(&path), request) {
        Ok(_) => context.ok(),
        Err(error) => {
            crate::base::log::warning(&format!("Module {path} failed to load: {error}"));
            context.error(format!("ERR Error loading the extension. {path}: {error}"))
        }
    }
}

fn unload(context: &mut Context) -> Status {
    if let Err(status) = may_change(context) {
        return status;
    }
    let name = context.arg_text(2).into_owned();
    let keeps = context.argc() == 4 && context.arg_is(3, "GHOST");
    if context.argc() > 3 && !keeps {
        return context.error("ERR syntax error");
    }
    let server = context.server();
    match if keeps {
        crate::modules::leave::unload_to_ghosts(server, &name)
    } else {
        crate::modules::leave::unload_module(server, &name)
    } {
        Ok(()) => context.ok(),
        Err(error) => context.error(format!("ERR Error unloading module: {error}")),
    }
}

/// A module as MODULE LIST shows it: name, version as a number, path, arguments.
pub type Listed = (String, i64, String, Vec<Vec<u8>>);

/// All modules as MODULE LIST shows them.
pub fn listing(server: &Server) -> Vec<Listed> {
    let entry = |module: &crate::registry::modules::Module| {
        (module.name.clone(), version_number(&module.version), module.path.display().to_string(), module.args.clone())
    };
    // What was unloaded and stays mapped has a name that no module can have.
    let remains = |one: Stayed| {
        let name = format!("{} (unloaded, {} still mapped)", one.name, one.times);
        (name, version_number(&one.version), one.path.display().to_string(), Vec::new())
    };
    server.registry.modules.visible().map(entry).chain(stayed().into_iter().map(remains)).collect()
}

/// `1.2.3` as 10203.
pub fn version_number(text: &str) -> i64 {
    let mut parts = text.split('.').map(|part| part.parse::<i64>().unwrap_or(0).min(9_999));
    let mut next = || parts.next().unwrap_or(0);
    next() * 10_000 + next() * 100 + next()
}

/// Write all modules as MODULE LIST does.
pub fn write_listing(reply: &mut Writer<'_>, modules: &[Listed]) {
    reply.array(modules.len());
    for (name, version, path, args) in modules {
        reply.map(4);
        reply.bulk("name");
        reply.bulk(name);
        reply.bulk("ver");
        reply.integer(*version);
        reply.bulk("path");
        reply.bulk(path);
        reply.bulk("args");
        reply.array(args.len());
        args.iter().for_each(|arg| reply.bulk(arg));
    }
}

fn list(context: &mut Context) -> Status {
    let modules = listing(context.server());
    write_listing(&mut context.reply(), &modules);
    STATUS_OK
}

fn help(context: &mut Context) -> Status {
    let lines = [
        &[
            "LIST",
            "    Return a list of loaded modules.",
            "LOAD <path> [<arg> ...]",
            "    Load a module, passing arguments to its start.",
            "LOADEX <path> [[CONFIG NAME VALUE] ...] [ARGS ...]",
            "    Load a module, setting its parameters and passing arguments to its start.",
            "UNLOAD <name> [GHOST]",
            "    Unload a module. With GHOST, values of its types are kept as they are saved.",
        ][..],
        replace::HELP,
    ];
    crate::admin::server::help(context, "MODULE", &lines.concat())
}
