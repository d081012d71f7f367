//! SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE and their opposites.
//!
//! Each answers by one message for each channel: the word, the channel, and to how much the client listens,
//! where channels and patterns count together, and those of a shard apart. In RESP3 they are pushes. Without a
//! channel the opposites leave all, and answer with a null where there is none.

use super::{DOCS, ROUTED};
use crate::topics::Kind;
use crate::{SUBSCRIPTIONS_MAX, bus};
use plinth_module::abi::bytes::Slice;
use plinth_module::prelude::*;

pub(super) const COMMANDS: &[Command] = &[SUBSCRIBE, UNSUBSCRIBE, PSUBSCRIBE, PUNSUBSCRIBE, SSUBSCRIBE, SUNSUBSCRIBE];

/// What those share that begin.
const BEGINS: Command = Command {
    arity: -2,
    channels: Channels::from(CHANNEL_SUBSCRIBE, 1),
    flags: COMMAND_PUBSUB
        | COMMAND_NO_SCRIPT
        | COMMAND_LOADING
        | COMMAND_STALE
        | COMMAND_MANY_REPLIES
        | COMMAND_WHILE_LISTENING,
    ..Command::NEW
};
/// What those share that end.
const ENDS: Command = Command { arity: -1, channels: Channels::from(CHANNEL_UNSUBSCRIBE, 1), ..BEGINS };

const ROUTED_BY_ALL: Slice<KeySpec> = list(&[KeySpec::range(ROUTED, 1, -1, 1)]);

const SUBSCRIBE: Command = Command {
    name: text("subscribe"),
    docs: &Docs {
        summary: text("Listens to channels."),
        complexity: text("O(N), for N channels."),
        args: list(&[Arg::new(ARG_STRING, "channel").flags(ARG_MULTIPLE)]),
        ..DOCS
    },
    run: run(|call| begin(call, Kind::Channel, "subscribe")),
    ..BEGINS
};

const UNSUBSCRIBE: Command = Command {
    name: text("unsubscribe"),
    docs: &Docs {
        summary: text("Listens to channels no more."),
        complexity: text("O(N), for N channels."),
        args: list(&[Arg::new(ARG_STRING, "channel").flags(ARG_OPTIONAL | ARG_MULTIPLE)]),
        ..DOCS
    },
    run: run(|call| end(call, Kind::Channel, "unsubscribe")),
    ..ENDS
};

const PSUBSCRIBE: Command = Command {
    name: text("psubscribe"),
    channels: Channels::from(CHANNEL_SUBSCRIBE | CHANNEL_PATTERN, 1),
    docs: &Docs {
        summary: text("Listens to all channels whose names fit patterns."),
        complexity: text("O(N), for N patterns."),
        args: list(&[Arg::new(ARG_PATTERN, "pattern").flags(ARG_MULTIPLE)]),
        ..DOCS
    },
    run: run(|call| begin(call, Kind::Pattern, "psubscribe")),
    ..BEGINS
};

const PUNSUBSCRIBE: Command = Command {
    name: text("punsubscribe"),
    channels: Channels::from(CHANNEL_UNSUBSCRIBE | CHANNEL_PATTERN, 1),
    docs: &Docs {
        summary: text("Listens to what fits patterns no more."),
        complexity: text("O(N), for N patterns."),
        args: list(&[Arg::new(ARG_PATTERN, "pattern").flags(ARG_OPTIONAL | ARG_MULTIPLE)]),
        ..DOCS
    },
    run: run(|call| end(call, Kind::Pattern, "punsubscribe")),
    ..ENDS
};

const SSUBSCRIBE: Command = Command {
    name: text("ssubscribe"),
    keys: ROUTED_BY_ALL,
    docs: &Docs {
        summary: text("Listens to channels of a shard."),
        since: text("7.0.0"),
        complexity: text("O(N), for N channels."),
        args: list(&[Arg::new(ARG_STRING, "shardchannel").flags(ARG_MULTIPLE)]),
        ..DOCS
    },
    run: run(|call| begin(call, Kind::Shard, "ssubscribe")),
    ..BEGINS
};

const SUNSUBSCRIBE: Command = Command {
    name: text("sunsubscribe"),
    keys: ROUTED_BY_ALL,
    docs: &Docs {
        summary: text("Listens to channels of a shard no more."),
        since: text("7.0.0"),
        complexity: text("O(N), for N channels."),
        args: list(&[Arg::new(ARG_STRING, "shardchannel").flags(ARG_OPTIONAL | ARG_MULTIPLE)]),
        ..DOCS
    },
    run: run(|call| end(call, Kind::Shard, "sunsubscribe")),
    ..ENDS
};

/// One message of the answer.
fn answer(reply: &mut ReplyBuffer<'_>, kind: Kind, word: &str, name: Option<&[u8]>, now: Listening) {
    reply.push(3);
    reply.bulk(word);
    match name {
        Some(name) => reply.bulk(name),
        None => reply.null(),
    }
    let count = if kind == Kind::Shard { now.shard_channels } else { now.channels + now.patterns };
    reply.integer(i64::from(count));
}

fn begin(call: &mut Call<'_>, kind: Kind, word: &str) -> Result {
    let client = call.client_id().ok_or(Error::NotAllowed)?;
    let mut bus = bus();
    // Those that it listens to already count once more, so that nothing is begun that is not ended.
    let most = usize::try_from(SUBSCRIPTIONS_MAX.get()).unwrap_or(usize::MAX);
    if bus.count(client) + call.args.len() - 1 > most {
        let text = format!("ERR a client cannot listen to more than {most} channels (pubsub.client-subscriptions-max)");
        return Err(call.reply.error(text));
    }
    for name in call.args.from(1) {
        bus.join(client, kind, name);
        answer(&mut call.reply, kind, word, Some(name), bus.listening(client));
    }
    let told = call.clients.listen(client, bus.listening(client));
    if told.is_err() {
        // Another module has it listen: then it does not to this one at all.
        bus.depart(client, usize::MAX);
    }
    told
}

fn end(call: &mut Call<'_>, kind: Kind, word: &str) -> Result {
    let client = call.client_id().ok_or(Error::NotAllowed)?;
    let mut bus = bus();
    let mut was_any = false;
    if call.args.len() > 1 {
        for name in call.args.from(1) {
            was_any |= bus.leave(client, kind, name);
            answer(&mut call.reply, kind, word, Some(name), bus.listening(client));
        }
    } else {
        while let Some(name) = bus.leave_next(client, kind) {
            was_any = true;
            answer(&mut call.reply, kind, word, Some(&name), bus.listening(client));
        }
        if !was_any {
            answer(&mut call.reply, kind, word, None, bus.listening(client));
        }
    }
    if was_any { call.clients.listen(client, bus.listening(client)) } else { Ok(()) }
}
