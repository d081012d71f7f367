//! PUBSUB: to what clients listen.

use super::{DOCS, GROUP};
use crate::bus;
use crate::topics::Kind;
use plinth_module::glob::Pattern;
use plinth_module::prelude::*;

pub(super) const COMMANDS: &[Command] = &[PUBSUB];

const PUBSUB: Command = Command {
    name: text("pubsub"),
    arity: -2,
    subcommands: list(&[CHANNELS, NUMPAT, NUMSUB, SHARDCHANNELS, SHARDNUMSUB, HELP]),
    docs: &Docs {
        summary: text("Tells to what clients listen."),
        complexity: text("Depends on subcommand."),
        since: text("2.8.0"),
        ..DOCS
    },
    ..Command::NEW
};

/// What the subcommands share.
const LOOKS: Command = Command { arity: -2, flags: COMMAND_PUBSUB | COMMAND_LOADING | COMMAND_STALE, ..Command::NEW };
const LOOKS_DOCS: Docs = Docs { since: text("2.8.0"), group: GROUP, ..Docs::NEW };
const BY_PATTERN: &[Arg] = &[Arg::new(ARG_PATTERN, "pattern").flags(ARG_OPTIONAL)];

const CHANNELS: Command = Command {
    name: text("channels"),
    docs: &Docs {
        summary: text("Lists the channels to which anybody listens."),
        complexity: text("O(N), for N such channels."),
        args: list(BY_PATTERN),
        ..LOOKS_DOCS
    },
    run: run(|call| channels(call, Kind::Channel)),
    ..LOOKS
};

const NUMPAT: Command = Command {
    name: text("numpat"),
    arity: 2,
    docs: &Docs {
        summary: text("Counts the patterns to which anybody listens."),
        complexity: text("O(1)"),
        ..LOOKS_DOCS
    },
    run: run(numpat),
    ..LOOKS
};

const NUMSUB: Command = Command {
    name: text("numsub"),
    docs: &Docs {
        summary: text("Counts the clients that listen to channels."),
        complexity: text("O(N), for N channels."),
        args: list(&[Arg::new(ARG_STRING, "channel").flags(ARG_OPTIONAL | ARG_MULTIPLE)]),
        ..LOOKS_DOCS
    },
    run: run(|call| numsub(call, Kind::Channel)),
    ..LOOKS
};

const SHARDCHANNELS: Command = Command {
    name: text("shardchannels"),
    docs: &Docs {
        summary: text("Lists the channels of a shard to which anybody listens."),
        since: text("7.0.0"),
        complexity: text("O(N), for N such channels."),
        args: list(BY_PATTERN),
        ..LOOKS_DOCS
    },
    run: run(|call| channels(call, Kind::Shard)),
    ..LOOKS
};

const SHARDNUMSUB: Command = Command {
    name: text("shardnumsub"),
    docs: &Docs {
        summary: text("Counts the clients that listen to channels of a shard."),
        since: text("7.0.0"),
        complexity: text("O(N), for N channels."),
        args: list(&[Arg::new(ARG_STRING, "shardchannel").flags(ARG_OPTIONAL | ARG_MULTIPLE)]),
        ..LOOKS_DOCS
    },
    run: run(|call| numsub(call, Kind::Shard)),
    ..LOOKS
};

const HELP: Command = Command {
    name: text("help"),
    arity: 2,
    flags: COMMAND_LOADING | COMMAND_STALE,
    docs: &Docs {
        summary: text("Lists the subcommands."),
        since: text("6.2.0"),
        complexity: text("O(1)"),
        ..LOOKS_DOCS
    },
    run: run(help),
    ..Command::NEW
};

const HELP_LINES: &[&str] = &[
    "PUBSUB <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CHANNELS [<pattern>]",
    "    The channels to which anybody listens, all or those that fit <pattern>.",
    "NUMPAT",
    "    The number of patterns to which anybody listens.",
    "NUMSUB [<channel> ...]",
    "    Each channel, and how many clients listen to it; those with a pattern do not count.",
    "SHARDCHANNELS [<pattern>]",
    "    As CHANNELS, for channels of a shard.",
    "SHARDNUMSUB [<shardchannel> ...]",
    "    As NUMSUB, for channels of a shard.",
    "HELP",
    "    Shows this text.",
];

fn channels(call: &mut Call<'_>, kind: Kind) -> Result {
    if call.args.len() > 3 {
        let name = String::from_utf8_lossy(call.args.bytes(1)).into_owned();
        let text = format!("ERR unknown subcommand or wrong number of arguments for '{name}'. Try PUBSUB HELP.");
        return Err(call.reply.error(text));
    }
    let bus = bus();
    let pattern = call.args.get(2).map_or(Pattern::All, Pattern::new);
    let mark = call.reply.open();
    let mut count = 0;
    for topic in bus.active(kind).filter(|topic| pattern.matches(topic.name())) {
        call.reply.bulk(topic.name());
        count += 1;
    }
    call.reply.close_array(mark, count);
    Ok(())
}

fn numpat(call: &mut Call<'_>) -> Result {
    call.reply.count(bus().topics(Kind::Pattern).len());
    Ok(())
}

fn numsub(call: &mut Call<'_>, kind: Kind) -> Result {
    let bus = bus();
    call.reply.array((call.args.len() - 2) * 2);
    for name in call.args.from(2) {
        call.reply.bulk(name);
        call.reply.count(bus.listeners(kind, name));
    }
    Ok(())
}

fn help(call: &mut Call<'_>) -> Result {
    call.reply.array(HELP_LINES.len());
    HELP_LINES.iter().for_each(|line| call.reply.simple(line));
    Ok(())
}
