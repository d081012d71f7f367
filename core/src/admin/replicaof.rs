//! REPLICAOF, and ROLE.

use crate::admin::spec::CoreCommand;
use crate::engine::call::Context;
use crate::engine::server::Server;
use crate::registry::replication::Role;
use crate::replication::upstream::role;
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::command::{self as abi, Arg, Command, Docs};
use plinth_abi::status::{STATUS_OK, Status};

const GROUP: Bytes = Bytes::new("server");
const ARGS: &[Arg] = &[Arg::group(
    abi::ARG_ONE_OF,
    "args",
    &[
        Arg::group(
            abi::ARG_BLOCK,
            "host-port",
            &[Arg::new(abi::ARG_STRING, "host"), Arg::new(abi::ARG_INTEGER, "port")],
        ),
        Arg::group(abi::ARG_BLOCK, "no-one", &[Arg::word("no", "NO"), Arg::word("one", "ONE")]),
    ],
)];

const FLAGS: u64 = abi::COMMAND_ADMIN | abi::COMMAND_NO_SCRIPT | abi::COMMAND_STALE | abi::COMMAND_NO_ASYNC_LOADING;

/// The commands.
pub static COMMANDS: &[CoreCommand] = &[
    CoreCommand::new(
        Command {
            name: Bytes::new("replicaof"),
            arity: 3,
            flags: FLAGS,
            docs: &Docs {
                summary: Bytes::new("Makes the server a copy of another, or nobody's."),
                since: Bytes::new("5.0.0"),
                group: GROUP,
                complexity: Bytes::new("O(1)"),
                args: Slice::new(ARGS),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        replicaof,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("slaveof"),
            arity: 3,
            flags: FLAGS,
            docs: &Docs {
                summary: Bytes::new("Makes the server a copy of another, or nobody's."),
                since: Bytes::new("1.0.0"),
                group: GROUP,
                complexity: Bytes::new("O(1)"),
                deprecated_since: Bytes::new("5.0.0"),
                replaced_by: Bytes::new("`REPLICAOF`"),
                args: Slice::new(ARGS),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        replicaof,
    ),
];

/// Longest name or address of a primary.
const HOST_BYTES_MAX: usize = 1024;

fn replicaof(context: &mut Context) -> Status {
    let who = context.client.and_then(|token| {
        let client = context.server().sessions.clients.peek(token)?;
        Some(crate::session::line::line(client, client.created_s, Default::default()))
    });
    let who = who.unwrap_or_default();
    if context.arg_is(1, "NO") && context.arg_is(2, "ONE") {
        let server = context.server();
        if server.registry.replication.is_replica() {
            role::promote(server);
            crate::base::log::notice(&format!("MASTER MODE enabled (user request from '{who}')"));
        }
        return context.ok();
    }
    let (host, port) = (context.arg_text(1).into_owned(), crate::base::number::parse_i64(context.arg(2)));
    let Some(port) = port.and_then(|port| u16::try_from(port).ok()) else {
        return context.error("ERR Invalid master port");
    };
    if host.is_empty() || host.len() > HOST_BYTES_MAX || host.contains(char::is_whitespace) {
        return context.error("ERR Invalid master host");
    }
    if is_of(context.server(), &host, port) {
        crate::base::log::notice(
            "REPLICAOF would result into synchronization with the master we are already connected with. No operation performed.",
        );
        context.reply().simple("OK Already connected to specified master");
        return STATUS_OK;
    }
    role::follow(context.server(), &host, port);
    crate::base::log::notice(&format!("REPLICAOF {host}:{port} enabled (user request from '{who}')"));
    context.ok()
}

/// Whether this server is a copy of that one.
fn is_of(server: &Server, host: &str, port: u16) -> bool {
    match &server.registry.replication.role {
        Role::Primary => false,
        Role::Replica { host: own, port: own_port } => own.eq_ignore_ascii_case(host) && *own_port == port,
    }
}
