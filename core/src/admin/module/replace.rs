//! MODULE REPLACE: another module in the place of a loaded one, and the handling of
//! that while it goes on.
//!
//! `FORCE`, `STATUS`, `PAUSE`, `RESUME` and `ROLLBACK` are words of the command, so a module of
//! such a name cannot be replaced.

use crate::admin::module::{CHANGES, GROUP, may_change};
use crate::admin::spec::CoreCommand;
use crate::engine::call::Context;
use crate::engine::call::Replacement;
use crate::engine::server::Server;
use crate::modules::load::{LoadError, LoadRequest};
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::command::{self as abi, Arg, Command, Docs};
use plinth_abi::status::{STATUS_OK, Status};
use std::path::Path;

/// The subcommand.
pub const REPLACE: CoreCommand = CoreCommand::new(
    Command {
        name: Bytes::new("replace"),
        arity: -3,
        flags: CHANGES,
        docs: &Docs {
            summary: Bytes::new(
                "Puts another module in the place of a loaded one, and tells or controls how far that is.",
            ),
            since: Bytes::new("7.2.0"),
            group: GROUP,
            complexity: Bytes::new(
                "O(1), and O(N) for the N values of the module's types, which are converted in the background.",
            ),
            args: Slice::new(&[Arg::group(
                abi::ARG_ONE_OF,
                "action",
                &[
                    Arg::group(
                        abi::ARG_BLOCK,
                        "start",
                        &[
                            Arg::word("force", "FORCE").flags(abi::ARG_OPTIONAL),
                            Arg::new(abi::ARG_STRING, "name"),
                            Arg::new(abi::ARG_STRING, "path"),
                            Arg::new(abi::ARG_STRING, "arg").flags(abi::ARG_OPTIONAL | abi::ARG_MULTIPLE),
                        ],
                    ),
                    Arg::group(
                        abi::ARG_BLOCK,
                        "status",
                        &[
                            Arg::word("status-word", "STATUS"),
                            Arg::new(abi::ARG_STRING, "name").flags(abi::ARG_OPTIONAL),
                        ],
                    ),
                    Arg::new(abi::ARG_STRING, "pause").token("PAUSE"),
                    Arg::new(abi::ARG_STRING, "resume").token("RESUME"),
                    Arg::new(abi::ARG_STRING, "rollback").token("ROLLBACK"),
                ],
            )]),
            ..Docs::NEW
        },
        ..Command::NEW
    },
    replace,
);

/// Lines of MODULE HELP.
pub const HELP: &[&str] = &[
    "REPLACE [FORCE] <name> <path> [<arg> ...]",
    "    Load a module in the place of another, and convert the values of its types. With FORCE, it may",
    "    lack what the other has, except values, and share the other's variables.",
    "REPLACE STATUS [<name>]",
    "    Tell how far replacements are.",
    "REPLACE PAUSE <name>",
    "    Convert no values but those that commands ask for.",
    "REPLACE RESUME <name>",
    "    Go on converting values.",
    "REPLACE ROLLBACK <name>",
    "    Give commands and values back to the module that had them.",
];

fn replace(context: &mut Context) -> Status {
    let name = context.arg_text(3).into_owned();
    if context.arg_is(2, "STATUS") && context.argc() <= 4 {
        return status(context, &name);
    }
    if let Err(status) = may_change(context) {
        return status;
    }
    if context.argc() < 4 {
        return context.error("ERR wrong number of arguments for 'module|replace' command");
    }
    if context.argc() == 4 {
        let done = if context.arg_is(2, "PAUSE") {
            Some(crate::modules::replace::pause_replacement(context.server(), &name, true))
        } else if context.arg_is(2, "RESUME") {
            Some(crate::modules::replace::pause_replacement(context.server(), &name, false))
        } else if context.arg_is(2, "ROLLBACK") {
            Some(crate::modules::replace::roll_back(context.server(), &name))
        } else {
            None
        };
        if let Some(done) = done {
            return answer(context, done.map(|()| String::new()));
        }
    }
    let force = context.arg_is(2, "FORCE");
    let at = if force { 3 } else { 2 };
    if context.argc() < at + 2 {
        return context.error("ERR wrong number of arguments for 'module|replace' command");
    }
    let (old, path) = (context.arg_text(at).into_owned(), context.arg_text(at + 1).into_owned());
    let args = (at + 2..context.argc()).map(|at| context.arg(at).to_vec()).collect();
    let request = LoadRequest { args, parameters: Vec::new() };
    let done = crate::modules::replace::replace_module(context.server(), &old, Path::new(&path), request, force);
    if let Err(error) = &done {
        crate::base::log::warning(&format!("Module '{old}' is not replaced by {path}: {error}"));
    }
    answer(context, done)
}

fn answer(context: &mut Context, done: Result<String, LoadError>) -> Status {
    match done {
        Ok(_) => context.ok(),
        Err(error) => context.error(format!("ERR Error replacing module: {error}")),
    }
}

/// A replacement as STATUS and INFO show it.
pub struct Shown {
    /// Name of the module that has the names.
    pub module: String,
    /// Its version, and that of the other.
    pub versions: (String, String),
    /// What goes on.
    pub state: &'static str,
    /// Values that are left, were converted, were converted in slices, could not be.
    pub values: [u64; 4],
    /// The key of the value that is being converted in slices, and elements so far.
    pub current: Option<(Vec<u8>, u64)>,
}

/// All replacements, or those of a module of a name.
pub fn shown(server: &Server, name: &str) -> Vec<Shown> {
    let module = |id| server.registry.modules.get(id);
    let version = |id| module(id).map_or(String::new(), |module| module.version.clone());
    let is_asked = |id| name.is_empty() || module(id).is_some_and(|module| module.name == name);
    let asked = server.registry.replacements.iter().filter(|one| is_asked(one.active) || is_asked(one.inactive));
    let types = |id| server.registry.modules.get(id).map(|module| module.types.as_slice()).unwrap_or_default();
    let counts =
        |one: &Replacement| server.store.types.converted(types(one.active).iter().chain(types(one.inactive)).copied());
    asked
        .map(|one| Shown {
            module: server.registry.modules.name(one.active).to_owned(),
            versions: (version(one.active), version(one.inactive)),
            state: one.stage.name(),
            values: [
                crate::modules::leave::values_of(server, one.inactive),
                counts(one).values,
                counts(one).sliced,
                counts(one).failed,
            ],
            current: server.store.migration_of(one.inactive).map(|(key, elements)| (key.to_vec(), elements)),
        })
        .collect()
}

fn status(context: &mut Context, name: &str) -> Status {
    context.server().store.settle_accounts();
    let all = shown(context.server(), name);
    let mut reply = context.reply();
    reply.array(all.len());
    for one in all {
        reply.map(if one.current.is_some() { 10 } else { 8 });
        for (field, text) in [
            ("module", &*one.module),
            ("version", &one.versions.0),
            ("old-version", &one.versions.1),
            ("state", one.state),
        ] {
            reply.bulk(field);
            reply.bulk(text);
        }
        for (field, number) in ["left", "converted", "sliced", "failed"].into_iter().zip(one.values) {
            reply.bulk(field);
            reply.integer(number as i64);
        }
        if let Some((key, elements)) = one.current {
            reply.bulk("current-key");
            reply.bulk(&key);
            reply.bulk("current-elements");
            reply.integer(elements as i64);
        }
    }
    STATUS_OK
}
