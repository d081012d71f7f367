//! What people and clients ask of a Sentinel: SENTINEL with its subcommands, ROLE, PUBLISH and INFO.
//!
//! - [`ask`]: what is known.
//! - [`change`]: what is to be done.

mod ask;
mod change;

use crate::machine::{Level, Sentinel};
use crate::{follow, whole};
use plinth_module::abi::bytes::Bytes;
use plinth_module::mode::Kind;
use plinth_module::prelude::*;

pub(crate) use ask::info;

/// What the server is.
pub(crate) const KIND: Kind = Kind {
    name: "sentinel",
    commands: &[
        text("acl"),
        text("auth"),
        text("client"),
        text("command"),
        text("hello"),
        text("info"),
        text("ping"),
        text("psubscribe"),
        text("publish"),
        text("punsubscribe"),
        text("quit"),
        text("role"),
        text("sentinel"),
        text("shutdown"),
        text("subscribe"),
        text("unsubscribe"),
    ],
    instead: &[ask::ROLE, change::PUBLISH],
    sections: &[text("server"), text("clients"), text("cpu"), text("stats"), text("sentinel")],
};

/// The module's own commands.
pub(crate) static OWN: &[Command] = &[SENTINEL];

const GROUP: Bytes = text("sentinel");
const DOCS: Docs = Docs { since: text("2.8.4"), group: GROUP, complexity: text("O(1)"), ..Docs::NEW };
/// Since when Valkey has some of them under other names, too.
const VALKEY: Bytes = text("8.0.0");
const BASE: Command = Command { flags: COMMAND_ADMIN, ..Command::NEW };

const SENTINEL: Command = Command {
    name: text("sentinel"),
    arity: -2,
    subcommands: list(&SUBCOMMANDS),
    docs: &Docs { summary: text("Watches over primaries and their replicas."), ..DOCS },
    ..BASE
};

static SUBCOMMANDS: [Command; count_of(&[ask::COMMANDS, change::COMMANDS])] = join(&[ask::COMMANDS, change::COMMANDS]);

/// An argument as text.
fn word(call: &Call<'_>, at: usize) -> String {
    String::from_utf8_lossy(call.args.bytes(at)).into_owned()
}

/// The position of the group that an argument names, or an error.
fn group(call: &mut Call<'_>, at: usize) -> Result<usize> {
    let name = word(call, at);
    let found = whole().machine.find(&name);
    found.ok_or_else(|| call.reply.error("ERR No such master with that name"))
}

/// Have the file written, and all else done that is to be; answers OK, or that it could not be written.
fn save(call: &mut Call<'_>) -> Result {
    whole().machine.flush();
    follow(call);
    if !whole().is_flushed {
        return Err(call.reply.error("ERR Failed to save config file"));
    }
    call.reply.ok();
    Ok(())
}

/// Tell that a group is watched.
pub(crate) fn tell_monitored(machine: &mut Sentinel, at: usize) {
    let (id, quorum) = (machine.groups[at].master.id, machine.groups[at].options.quorum);
    machine.event(Level::Warning, "+monitor", at, id, &format!(" quorum {quorum}"));
}
