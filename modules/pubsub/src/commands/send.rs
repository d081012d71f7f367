//! PUBLISH and SPUBLISH.

use super::{DOCS, ROUTED};
use crate::publish::publish;
use crate::topics::Kind;
use plinth_module::prelude::*;

pub(super) const COMMANDS: &[Command] = &[PUBLISH, SPUBLISH];

const BOTH: Command = Command {
    arity: 3,
    channels: Channels::at(CHANNEL_PUBLISH, 1),
    flags: COMMAND_PUBSUB | COMMAND_LOADING | COMMAND_STALE | COMMAND_FAST | COMMAND_MAY_REPLICATE,
    ..Command::NEW
};

const PUBLISH: Command = Command {
    name: text("publish"),
    docs: &Docs {
        summary: text("Sends a message to a channel."),
        complexity: text("O(N+M), for N clients that listen to the channel and M patterns of all clients."),
        args: list(&[Arg::new(ARG_STRING, "channel"), Arg::new(ARG_STRING, "message")]),
        ..DOCS
    },
    run: run(|call| send(call, Kind::Channel)),
    ..BOTH
};

const SPUBLISH: Command = Command {
    name: text("spublish"),
    keys: list(&[KeySpec::at(ROUTED, 1)]),
    docs: &Docs {
        summary: text("Sends a message to a channel of a shard."),
        since: text("7.0.0"),
        complexity: text("O(N), for N clients that listen to the channel."),
        args: list(&[Arg::new(ARG_STRING, "shardchannel"), Arg::new(ARG_STRING, "message")]),
        ..DOCS
    },
    run: run(|call| send(call, Kind::Shard)),
    ..BOTH
};

fn send(call: &mut Call<'_>, kind: Kind) -> Result {
    let (channel, message) = (call.args.bytes(1), call.args.bytes(2));
    let receivers = publish(call, kind, channel, message)?;
    call.reply.integer(receivers as i64);
    Ok(())
}
