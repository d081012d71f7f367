//! CONFIG: parameters while the server runs. What they are is in `config`; here is
//! the command.

pub mod file;

use crate::admin::spec::{CoreCommand, about};
use crate::base::pattern;
use crate::engine::call::Context;
use crate::engine::parameters::{SetError, is_same};
use crate::engine::server::Server;
use crate::settings::parameters as settings;
use crate::stats::Stats;
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::command::{self as abi, Arg, Change, Command, Docs};
use plinth_abi::status::{STATUS_OK, STATUS_SYNTAX, Status};
use std::sync::atomic::Ordering::Relaxed;

const FLAGS: u64 = abi::COMMAND_ADMIN | abi::COMMAND_NO_SCRIPT | abi::COMMAND_LOADING | abi::COMMAND_STALE;
const GROUP: Bytes = Bytes::new("server");
/// Proxies send these to every node.
const EVERYWHERE: Slice<Bytes> =
    Slice::new(&[Bytes::new("request_policy:all_nodes"), Bytes::new("response_policy:all_succeeded")]);

/// The commands.
pub static COMMANDS: &[CoreCommand] = &[CoreCommand::container(
    Command {
        name: Bytes::new("config"),
        arity: -2,
        docs: &about(
            "A container for commands about the server's parameters.",
            "2.0.0",
            GROUP,
            "Depends on subcommand.",
        ),
        ..Command::NEW
    },
    None,
    &[
        CoreCommand::new(
            Command {
                name: Bytes::new("get"),
                arity: -3,
                flags: FLAGS,
                docs: &Docs {
                    summary: Bytes::new("Tells the values of the parameters whose names match a pattern."),
                    since: Bytes::new("2.0.0"),
                    group: GROUP,
                    complexity: Bytes::new("O(N) when N is the number of configuration parameters provided"),
                    history: Slice::new(&[Change {
                        version: Bytes::new("7.0.0"),
                        what: Bytes::new("Takes several patterns."),
                    }]),
                    args: Slice::new(&[Arg::new(abi::ARG_STRING, "parameter").flags(abi::ARG_MULTIPLE)]),
                    ..Docs::NEW
                },
                ..Command::NEW
            },
            get,
        ),
        CoreCommand::new(
            Command {
                name: Bytes::new("set"),
                arity: -4,
                flags: FLAGS,
                tips: EVERYWHERE,
                docs: &Docs {
                    summary: Bytes::new("Sets parameters, all of those given or none."),
                    since: Bytes::new("2.0.0"),
                    group: GROUP,
                    complexity: Bytes::new("O(N) when N is the number of configuration parameters provided"),
                    history: Slice::new(&[Change {
                        version: Bytes::new("7.0.0"),
                        what: Bytes::new("Sets several parameters in one call."),
                    }]),
                    args: Slice::new(&[Arg::group(
                        abi::ARG_BLOCK,
                        "data",
                        &[Arg::new(abi::ARG_STRING, "parameter"), Arg::new(abi::ARG_STRING, "value")],
                    )
                    .flags(abi::ARG_MULTIPLE)]),
                    ..Docs::NEW
                },
                ..Command::NEW
            },
            set,
        )
        .secrets(set_secrets),
        CoreCommand::new(
            Command {
                name: Bytes::new("resetstat"),
                arity: 2,
                flags: FLAGS,
                tips: EVERYWHERE,
                docs: &about("Sets the server's counters back to zero.", "2.0.0", GROUP, "O(1)"),
                ..Command::NEW
            },
            reset_stat,
        ),
        CoreCommand::new(
            Command {
                name: Bytes::new("rewrite"),
                arity: 2,
                flags: FLAGS,
                tips: EVERYWHERE,
                docs: &about(
                    "Puts the parameters as they are now into the configuration file.",
                    "2.8.0",
                    GROUP,
                    "O(1)",
                ),
                ..Command::NEW
            },
            rewrite,
        ),
        CoreCommand::help(&about("Describes the subcommands.", "5.0.0", GROUP, "O(1)"), help),
    ],
)];

/// All names under which parameters are known, older names and modules' included,
/// but not those that are hidden.
fn parameter_names(server: &Server) -> Vec<String> {
    let shown = settings::all().filter(|parameter| !parameter.hidden);
    let core = shown.flat_map(|one| std::iter::once(one.name).chain(one.alias)).map(str::to_owned);
    let modules = server.registry.modules.visible().flat_map(|module| &module.parameters);
    let modules = modules.filter(|parameter| !parameter.is(plinth_abi::config::CONFIG_HIDDEN));
    let modules = modules.flat_map(|parameter| parameter.names().map(str::to_owned));
    core.chain(modules).filter(|name| is_shown(server, name)).collect()
}

/// Whether a parameter is there, and not one that keeps a secret.
fn is_shown(server: &Server, name: &str) -> bool {
    let of_module = server.registry.find_parameter(name).and_then(|at| server.registry.parameter(at));
    let secret = of_module.is_some_and(|parameter| parameter.is(plinth_abi::config::CONFIG_SENSITIVE));
    server.parameter_exists(name) && !secret
}

fn get(context: &mut Context) -> Status {
    let wanted: Vec<String> = (2..context.argc()).map(|at| context.arg_text(at).into_owned()).collect();
    let server = context.server();
    let mut names: Vec<String> = Vec::new();
    let mut add = |name: String| {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            names.push(name);
        }
    };
    for text in wanted {
        if pattern::is_pattern(text.as_bytes()) {
            let all = parameter_names(server).into_iter();
            all.filter(|name| pattern::matches(text.as_bytes(), name.as_bytes(), true)).for_each(&mut add);
        } else if is_shown(server, &text) {
            // Shown as it was asked for.
            add(text);
        }
    }
    let values: Vec<(String, Vec<u8>)> =
        names.into_iter().filter_map(|name| Some((name.clone(), server.get_parameter(&name)?))).collect();
    let mut reply = context.reply();
    reply.map(values.len());
    for (name, value) in values {
        reply.bulk(name);
        reply.bulk(value);
    }
    STATUS_OK
}

fn set(context: &mut Context) -> Status {
    if !context.argc().is_multiple_of(2) {
        return STATUS_SYNTAX;
    }
    let pairs: Vec<(String, Vec<u8>)> = (2..context.argc())
        .step_by(2)
        .map(|at| (context.arg_text(at).into_owned(), context.arg(at + 1).to_vec()))
        .collect();
    let client = context.client;
    match context.server().set_parameters_for(client, &pairs) {
        Ok(()) => context.ok(),
        Err(SetError::Unknown(name)) => {
            // As it was sent: the name that was looked for may have lost what is no text.
            let at = (2..context.argc()).step_by(2).find(|at| context.arg_text(*at) == name).unwrap_or(2);
            let sent = context.arg_shown(at);
            context.error([b"ERR Unknown option or number of arguments for CONFIG SET - '", sent, b"'"].concat())
        }
        Err(SetError::Refused(name, reason) | SetError::Fixed(name, reason)) => {
            context.error(format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}"))
        }
        Err(SetError::Loading) => context.error(crate::registry::standing::LOADING),
    }
}

fn reset_stat(context: &mut Context) -> Status {
    let server = context.server();
    // What is no count stays.
    let Stats { peak_memory, slowlog, latency, .. } = std::mem::take(&mut server.stats);
    server.stats = Stats { peak_memory, slowlog, latency, ..Stats::default() };
    server.store.counters = Default::default();
    server.excess.reset();
    (server.store.defragging.moved, server.store.defragging.kept) = (0, 0);
    server.store.background.reset_freed();
    for command in server.commands.iter() {
        command.stats.reset();
        command.subcommands.iter().for_each(|sub| sub.stats.reset());
    }
    server.registry.modules.list.iter().for_each(|module| module.panics.store(0, Relaxed));
    context.ok()
}

fn rewrite(context: &mut Context) -> Status {
    if context.server().config_file.as_os_str().is_empty() {
        return context.error("ERR The server is running without a config file");
    }
    match file::rewrite(context.server(), false) {
        Ok(()) => {
            crate::base::log::warning("CONFIG REWRITE executed with success.");
            context.ok()
        }
        Err(error) => {
            let text = crate::base::log::plain(&error);
            crate::base::log::warning(&format!("CONFIG REWRITE failed: {text}"));
            context.error(format!("ERR Rewriting config file: {text}"))
        }
    }
}

/// Parameters of the core whose values nobody is to see.
const SECRET_PARAMETERS: &[&str] =
    &["requirepass", "masterauth", "masteruser", "tls-key-file-pass", "tls-client-key-file-pass"];

/// The values of those.
fn set_secrets(words: &[&[u8]]) -> Vec<usize> {
    let is_secret = |name: &[u8]| {
        std::str::from_utf8(name).is_ok_and(|name| SECRET_PARAMETERS.iter().any(|one| is_same(name, one)))
    };
    (2..words.len()).step_by(2).filter(|at| is_secret(words[*at])).map(|at| at + 1).collect()
}

fn help(context: &mut Context) -> Status {
    crate::admin::server::help(
        context,
        "CONFIG",
        &[
            "GET <pattern> [<pattern> ...]",
            "    Return the parameters whose names match, and their values.",
            "SET <parameter> <value> [<parameter> <value> ...]",
            "    Set parameters, all or none.",
            "RESETSTAT",
            "    Set the counters that INFO shows back to zero.",
            "REWRITE",
            "    Put the parameters into the configuration file.",
        ],
    )
}
