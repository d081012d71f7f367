//! LATENCY: what took long in the server, and how long runs of commands take.

use crate::admin::spec::{CoreCommand, about};
use crate::engine::call::{Context, Registered};
use crate::engine::server::Server;
use crate::stats::latency::{Sample, Series};
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::command::{self as abi, Arg, Command, Docs};
use plinth_abi::status::{STATUS_OK, Status};
use std::collections::HashSet;
use std::fmt::Write;

const FLAGS: u64 = abi::COMMAND_ADMIN | abi::COMMAND_NO_SCRIPT | abi::COMMAND_LOADING | abi::COMMAND_STALE;
const GROUP: Bytes = Bytes::new("server");
const TIPS: Slice<Bytes> = Slice::new(&[
    Bytes::new("nondeterministic_output"),
    Bytes::new("request_policy:all_nodes"),
    Bytes::new("response_policy:special"),
]);
const EVENT: Arg = Arg::new(abi::ARG_STRING, "event");

/// The command.
pub static COMMANDS: &[CoreCommand] = &[CoreCommand::container(
    Command {
        name: Bytes::new("latency"),
        arity: -2,
        docs: &about("Tells what took long, and how long commands take.", "2.8.13", GROUP, "Depends on subcommand."),
        ..Command::NEW
    },
    None,
    &[
        CoreCommand::new(
            Command {
                name: Bytes::new("doctor"),
                arity: 2,
                flags: FLAGS,
                tips: TIPS,
                docs: &about("Says in words what took long.", "2.8.13", GROUP, "O(1)"),
                ..Command::NEW
            },
            doctor,
        ),
        CoreCommand::new(
            Command {
                name: Bytes::new("graph"),
                arity: 3,
                flags: FLAGS,
                tips: TIPS,
                docs: &Docs {
                    summary: Bytes::new("Draws the worst of each second of an event."),
                    since: Bytes::new("2.8.13"),
                    group: GROUP,
                    complexity: Bytes::new("O(1)"),
                    args: Slice::new(&[EVENT]),
                    ..Docs::NEW
                },
                ..Command::NEW
            },
            graph,
        ),
        CoreCommand::new(
            Command {
                name: Bytes::new("histogram"),
                arity: -2,
                flags: FLAGS,
                tips: TIPS,
                docs: &Docs {
                    summary: Bytes::new("Tells how many runs of commands took how long."),
                    since: Bytes::new("7.0.0"),
                    group: GROUP,
                    complexity: Bytes::new(
                        "O(N) where N is the number of commands with latency information being retrieved.",
                    ),
                    args: Slice::new(&[
                        Arg::new(abi::ARG_STRING, "command").flags(abi::ARG_OPTIONAL | abi::ARG_MULTIPLE)
                    ]),
                    ..Docs::NEW
                },
                ..Command::NEW
            },
            histogram,
        ),
        CoreCommand::new(
            Command {
                name: Bytes::new("history"),
                arity: 3,
                flags: FLAGS,
                tips: TIPS,
                docs: &Docs {
                    summary: Bytes::new("Tells the worst of each second of an event."),
                    since: Bytes::new("2.8.13"),
                    group: GROUP,
                    complexity: Bytes::new("O(1)"),
                    args: Slice::new(&[EVENT]),
                    ..Docs::NEW
                },
                ..Command::NEW
            },
            history,
        ),
        CoreCommand::new(
            Command {
                name: Bytes::new("latest"),
                arity: 2,
                flags: FLAGS,
                tips: TIPS,
                docs: &about("Tells the last of each event, and the worst there ever was.", "2.8.13", GROUP, "O(1)"),
                ..Command::NEW
            },
            latest,
        ),
        CoreCommand::new(
            Command {
                name: Bytes::new("reset"),
                arity: -2,
                flags: FLAGS,
                tips: Slice::new(&[Bytes::new("request_policy:all_nodes"), Bytes::new("response_policy:agg_sum")]),
                docs: &Docs {
                    summary: Bytes::new("Forgets events, or all."),
                    since: Bytes::new("2.8.13"),
                    group: GROUP,
                    complexity: Bytes::new("O(1)"),
                    args: Slice::new(&[EVENT.flags(abi::ARG_OPTIONAL | abi::ARG_MULTIPLE)]),
                    ..Docs::NEW
                },
                ..Command::NEW
            },
            reset,
        ),
        CoreCommand::help(&about("Describes the subcommands.", "2.8.13", GROUP, "O(1)"), help),
    ],
)];

fn latest(context: &mut Context) -> Status {
    let lines: Vec<(&str, Sample, u64)> = {
        let events = context.server().stats.latency.iter();
        events.filter_map(|(event, series)| Some((event, series.last()?, series.worst_ms()))).collect()
    };
    let mut reply = context.reply();
    reply.array(lines.len());
    for (event, last, worst_ms) in lines {
        reply.array(4);
        reply.bulk(event);
        reply.integer(last.at_s);
        reply.integer(last.ms as i64);
        reply.integer(worst_ms as i64);
    }
    STATUS_OK
}

fn history(context: &mut Context) -> Status {
    let event = context.arg_text(2).into_owned();
    let samples: Vec<Sample> =
        context.server().stats.latency.get(&event).map_or_else(Vec::new, |series| series.samples().collect());
    let mut reply = context.reply();
    reply.array(samples.len());
    for sample in samples {
        reply.array(2);
        reply.integer(sample.at_s);
        reply.integer(sample.ms as i64);
    }
    STATUS_OK
}

fn reset(context: &mut Context) -> Status {
    let events: Vec<String> = (2..context.argc()).map(|at| context.arg_text(at).into_owned()).collect();
    let latency = &mut context.server().stats.latency;
    let count = if events.is_empty() {
        latency.reset(None)
    } else {
        events.iter().map(|event| latency.reset(Some(event))).sum()
    };
    context.reply().integer(count as i64);
    STATUS_OK
}

fn histogram(context: &mut Context) -> Status {
    let names: HashSet<String> = (2..context.argc()).map(|at| context.arg_text(at).to_ascii_lowercase()).collect();
    // Who names a container means its subcommands.
    let is_named = |command: &&Registered| {
        let container = command.name.split('|').next().unwrap_or_default();
        names.is_empty() || names.contains(&command.name) || names.contains(container)
    };
    let shown = |command: &Registered| {
        let durations = &command.stats.durations;
        (durations.count() > 0).then(|| (command.name.clone(), durations.count(), durations.steps()))
    };
    let commands = context.server().commands.iter().flat_map(Registered::with_subcommands);
    let all: Vec<_> = commands.filter(is_named).filter_map(shown).collect();
    let mut reply = context.reply();
    reply.map(all.len());
    for (name, calls, steps) in all {
        reply.bulk(name);
        reply.map(2);
        reply.bulk("calls");
        reply.integer(calls as i64);
        reply.bulk("histogram_usec");
        reply.map(steps.len());
        for (us, count) in steps {
            reply.integer(us as i64);
            reply.integer(count as i64);
        }
    }
    STATUS_OK
}

/// Rows of a drawing.
const ROWS: u64 = 4;
/// Width of the line above it.
const RULE: usize = 80;

fn graph(context: &mut Context) -> Status {
    let event = context.arg_text(2).into_owned();
    let server = context.server();
    let Some(text) = server.stats.latency.get(&event).map(|series| drawn(&event, series, server.clock.now_s)) else {
        return context.error(format!("ERR No samples available for event '{event}'"));
    };
    context.reply().verbatim(b"txt", text.as_bytes());
    STATUS_OK
}

/// Columns of `#`, one for each second in which something was late, and under each how long ago that was.
fn drawn(event: &str, series: &Series, now_s: i64) -> String {
    let samples: Vec<Sample> = series.samples().collect();
    let high = samples.iter().map(|sample| sample.ms).max().unwrap_or(0);
    let low = samples.iter().map(|sample| sample.ms).min().unwrap_or(0);
    let mut text = format!("{event} - high {high} ms, low {low} ms (all time high {} ms)\n", series.worst_ms());
    text.push_str(&"-".repeat(RULE));
    text.push('\n');
    let height = |sample: &Sample| (sample.ms.saturating_sub(low) * ROWS).checked_div(high - low).unwrap_or(0).max(1);
    for row in (1..=ROWS).rev() {
        text.extend(samples.iter().map(|sample| if height(sample) >= row { '#' } else { ' ' }));
        text.push('\n');
    }
    text.push('\n');
    let ages: Vec<Vec<char>> = samples.iter().map(|sample| age(now_s - sample.at_s).chars().collect()).collect();
    for line in 0..ages.iter().map(Vec::len).max().unwrap_or(0) {
        text.extend(ages.iter().map(|age| age.get(line).copied().unwrap_or(' ')));
        text.push('\n');
    }
    text
}

/// A number of seconds in the largest unit of which it has one.
fn age(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3600 => format!("{}m", seconds / 60),
        seconds @ 3600..86_400 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

fn doctor(context: &mut Context) -> Status {
    let text = report(context.server());
    context.reply().verbatim(b"txt", text.as_bytes());
    STATUS_OK
}

fn report(server: &Server) -> String {
    let threshold_ms = server.settings.latency_monitor_threshold;
    if threshold_ms == 0 {
        return "Nothing is watched: latency-monitor-threshold is 0. Set it to the number of milliseconds from which \
                on something is late.\n"
            .into();
    }
    let events = server.stats.latency.iter();
    if events.len() == 0 {
        return format!("Nothing took {threshold_ms} ms or longer since the events were reset.\n");
    }
    let mut text = String::new();
    for (event, series) in events {
        let (count, total) = (series.samples().len() as u64, series.samples().map(|sample| sample.ms).sum::<u64>());
        let last = series.last().map_or(0, |sample| server.clock.now_s - sample.at_s);
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{event}: late in {count} seconds, by {} ms in the mean, {} ms at worst; the last {} ago.",
            total / count.max(1),
            series.worst_ms(),
            age(last)
        );
    }
    let from_us = server.settings.slowlog_log_slower_than;
    if from_us < 0 || from_us > threshold_ms.saturating_mul(1000) {
        let _ = writeln!(
            text,
            "The slow log would not show these: set slowlog-log-slower-than to {threshold_ms}000 or less."
        );
    } else {
        text.push_str("SLOWLOG GET shows which commands took long.\n");
    }
    text
}

fn help(context: &mut Context) -> Status {
    crate::admin::server::help(
        context,
        "LATENCY",
        &[
            "DOCTOR",
            "    Say in words what took long.",
            "GRAPH <event>",
            "    Draw the worst of each second of an event.",
            "HISTORY <event>",
            "    Tell Unix time and milliseconds of the worst of each second of an event.",
            "LATEST",
            "    Tell the last of each event: name, Unix time, milliseconds, the most there ever were.",
            "RESET [<event> ...]",
            "    Forget these events, or all; tell how many there were.",
            "HISTOGRAM [<command> ...]",
            "    Tell how many runs of these commands, or of all, took how many microseconds or less.",
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::latency::Latency;

    #[test]
    fn a_drawing_has_a_column_for_each_second_and_its_age_below() {
        let mut latency = Latency::default();
        for (at_s, ms) in [(40, 10), (95, 50), (100, 30)] {
            latency.add("command", at_s, ms);
        }
        let drawn = drawn("command", latency.get("command").unwrap(), 100);
        let lines: Vec<&str> = drawn.lines().collect();
        assert_eq!(lines[0], "command - high 50 ms, low 10 ms (all time high 50 ms)");
        assert_eq!(&lines[2..], [" # ", " # ", " ##", "###", "", "150", "mss"]);
        assert_eq!([59, 61, 7200, 90_000].map(age), ["59s", "1m", "2h", "1d"]);
    }
}
