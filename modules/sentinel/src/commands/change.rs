//! What is to be done: MONITOR, SET, FAILOVER and the like; votes and hellos of other Sentinels.

use super::{BASE, DOCS, VALKEY, group, save, tell_monitored, word};
use crate::config::Refusal;
use crate::machine::{CRASH_AFTER_ELECTION, CRASH_AFTER_PROMOTION, HELLO_CHANNEL, Level, Periods};
use crate::model::{Ms, NAME_BYTES_MAX};
use crate::{follow, whole};
use plinth_module::glob::Pattern;
use plinth_module::prelude::*;

const fn does(name: &'static str, arity: i32, run: Handler, docs: &'static Docs) -> Command {
    Command { name: text(name), arity, run, docs, ..BASE }
}

pub(super) const COMMANDS: &[Command] = &[
    does("monitor", 6, run(monitor), &Docs { summary: text("Watches another group."), ..DOCS }),
    does("remove", 3, run(remove), &Docs { summary: text("Watches a group no more."), ..DOCS }),
    does("reset", 3, run(reset), &Docs { summary: text("Forgets what has been found out of groups."), ..DOCS }),
    does("failover", 3, run(failover), &Docs { summary: text("Puts a replica in the primary's place."), ..DOCS }),
    does("flushconfig", 2, run(save), &Docs { summary: text("Writes the configuration file."), ..DOCS }),
    Command {
        flags: COMMAND_ADMIN | COMMAND_SENSITIVE,
        ..does("set", -5, run(set), &Docs { summary: text("Sets what is to be done about a group."), ..DOCS })
    },
    Command {
        flags: COMMAND_ADMIN | COMMAND_SENSITIVE,
        ..does(
            "config",
            -4,
            run(config),
            &Docs { summary: text("Tells or sets what holds for all groups."), since: text("6.2.0"), ..DOCS },
        )
    },
    does(
        "debug",
        -2,
        run(debug),
        &Docs { summary: text("Tells or sets how often things are done."), since: text("7.0.0"), ..DOCS },
    ),
    does(
        "simulate-failure",
        -3,
        run(simulate),
        &Docs { summary: text("Crashes at the worst moment."), since: text("3.2.0"), ..DOCS },
    ),
    does(
        "is-master-down-by-addr",
        6,
        run(is_master_down),
        &Docs { summary: text("Tells whether a primary is down, and votes."), ..DOCS },
    ),
    does(
        "is-primary-down-by-addr",
        6,
        run(is_master_down),
        &Docs { summary: text("Tells whether a primary is down, and votes."), since: VALKEY, ..DOCS },
    ),
];

pub(super) const PUBLISH: Command = Command {
    name: text("publish"),
    arity: 3,
    flags: COMMAND_PUBSUB | COMMAND_LOADING | COMMAND_STALE | COMMAND_FAST,
    channels: Channels::at(CHANNEL_PUBLISH, 1),
    docs: &Docs {
        summary: text("Takes the hello of another Sentinel."),
        since: text("2.0.0"),
        group: text("pubsub"),
        ..DOCS
    },
    run: run(publish),
    ..Command::NEW
};

fn publish(call: &mut Call<'_>) -> Result {
    if call.args.bytes(1) != HELLO_CHANNEL.as_bytes() {
        return Err(call.reply.error("ERR Only HELLO messages are accepted by Sentinel instances."));
    }
    let (message, now) = (call.args.bytes(2), call.now_ms());
    whole().machine.hello_came(message, now);
    follow(call);
    call.reply.integer(1);
    Ok(())
}

fn monitor(call: &mut Call<'_>) -> Result {
    let (name, host) = (word(call, 2), word(call, 3));
    let Ok(quorum) = call.args.integer(5) else { return Err(call.reply.error("ERR Invalid quorum")) };
    let Ok(port) = call.args.integer(4) else { return Err(call.reply.error("ERR Invalid port")) };
    let now = call.now_ms();
    let made = {
        let mut whole = whole();
        let made = whole.machine.monitor(&name, &host, port, quorum, now);
        made.map(|at| tell_monitored(&mut whole.machine, at))
    };
    match made {
        Ok(()) => save(call),
        Err(fault) if fault.starts_with("Can't resolve") => {
            Err(call.reply.error("ERR Invalid IP address or hostname specified"))
        }
        Err(fault) => Err(call.reply.error(format!("ERR {fault}"))),
    }
}

fn remove(call: &mut Call<'_>) -> Result {
    let at = group(call, 2)?;
    whole().machine.remove(at);
    save(call)
}

fn reset(call: &mut Call<'_>) -> Result {
    let (pattern, now) = (call.args.bytes(2), call.now_ms());
    let count = {
        let mut whole = whole();
        let machine = &mut whole.machine;
        let pattern = Pattern::new(pattern);
        let chosen: Vec<usize> =
            (0..machine.groups.len()).filter(|at| pattern.matches(machine.groups[*at].name().as_bytes())).collect();
        for at in &chosen {
            machine.reset(*at, true, now);
            let id = machine.groups[*at].master.id;
            machine.event(Level::Warning, "+reset-master", *at, id, "");
        }
        machine.flush();
        chosen.len()
    };
    follow(call);
    call.reply.integer(count as i64);
    Ok(())
}

fn failover(call: &mut Call<'_>) -> Result {
    let (at, now) = (group(call, 2)?, call.now_ms());
    let refusal = {
        let mut whole = whole();
        let machine = &mut whole.machine;
        if machine.groups[at].in_failover() {
            Some("INPROG Failover already in progress")
        } else if !machine.has_good_slave(at, now) {
            Some("NOGOODSLAVE No suitable replica to promote")
        } else {
            machine
                .log(Level::Warning, format!("Executing user requested FAILOVER of '{}'", machine.groups[at].name()));
            machine.start_failover(at, now);
            machine.groups[at].is_forced = true;
            None
        }
    };
    if let Some(refusal) = refusal {
        return Err(call.reply.error(refusal));
    }
    follow(call);
    call.reply.ok();
    Ok(())
}

fn set(call: &mut Call<'_>) -> Result {
    let at = group(call, 2)?;
    let mut index = 3;
    let mut refused = None;
    while index < call.args.len() && refused.is_none() {
        let name = word(call, index).to_ascii_lowercase();
        let count = if name == "rename-command" { 2 } else { 1 };
        let end = (index + 1 + count).min(call.args.len());
        let values: Vec<String> = (index + 1..end).map(|at| word(call, at)).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        refused = set_one(at, &name, &values).err().map(|refusal| (refusal, word(call, index)));
        index = end;
    }
    let Some((refusal, option)) = refused else { return save(call) };
    // What was set before stays so.
    whole().machine.flush();
    follow(call);
    Err(call.reply.error(match refusal {
        Refusal::Unknown => format!("ERR Unknown option or number of arguments for SENTINEL SET '{option}'"),
        Refusal::Value(value) => format!("ERR Invalid argument '{value}' for SENTINEL SET '{option}'"),
        Refusal::Text(text) => format!("ERR {text}"),
    }))
}

fn set_one(at: usize, name: &str, values: &[&str]) -> std::result::Result<(), Refusal> {
    let mut whole = whole();
    let machine = &mut whole.machine;
    if machine.own.deny_scripts && matches!(name, "notification-script" | "client-reconfig-script") {
        let text = "Reconfiguration of scripts path is denied for security reasons. Check the deny-scripts-reconfig configuration directive in your Sentinel configuration";
        return Err(Refusal::Text(text.into()));
    }
    machine.set_option(at, name, values)?;
    let id = machine.groups[at].master.id;
    let shown = if name == "auth-pass" { "******".to_owned() } else { values.join(" ") };
    machine.event(Level::Warning, "+set", at, id, &format!(" {name} {shown}"));
    Ok(())
}

const CONFIG_USAGE: &str = "ERR Only SENTINEL CONFIG GET <param> [<param> <param> ...] / SET <param> <value> [<param> <value> ...] are supported.";

fn config(call: &mut Call<'_>) -> Result {
    if call.args.word(2, "set") && call.args.len() > 4 {
        return config_set(call);
    }
    if call.args.word(2, "get") {
        return config_get(call);
    }
    Err(call.reply.error(CONFIG_USAGE))
}

fn config_get(call: &mut Call<'_>) -> Result {
    let names: Vec<String> = (3..call.args.len()).map(|at| word(call, at).to_ascii_lowercase()).collect();
    let mut left = own_values(call);
    let mut found = Vec::new();
    for name in names {
        let pattern = Pattern::new(name.as_bytes());
        let (those, others) = left.into_iter().partition(|(name, _)| pattern.matches(name.as_bytes()));
        found.extend::<Vec<(&str, String)>>(those);
        left = others;
    }
    call.reply.map(found.len());
    for (name, value) in found {
        call.reply.bulk(name);
        call.reply.bulk(value);
    }
    Ok(())
}

/// All of them are looked at before the first is set.
fn config_set(call: &mut Call<'_>) -> Result {
    let words: Vec<String> = (3..call.args.len()).map(|at| word(call, at)).collect();
    let known = own_values(call);
    let mut trial = whole().machine.own.clone();
    let mut names: Vec<String> = Vec::new();
    for pair in words.chunks(2) {
        let name = pair[0].to_ascii_lowercase();
        let fault = if !known.iter().any(|(known, _)| *known == name) {
            Some(format!("ERR Invalid argument '{}' to SENTINEL CONFIG SET", pair[0]))
        } else if names.contains(&name) {
            Some(format!("ERR Duplicate argument '{}' to SENTINEL CONFIG SET", pair[0]))
        } else {
            match pair.get(1) {
                None => Some(format!("ERR Missing argument '{}' value", pair[0])),
                Some(value) if name == LOGLEVEL && is_loglevel(value) || trial.set(&name, value) => None,
                Some(value) => Some(format!("ERR Invalid value '{value}' to SENTINEL CONFIG SET '{}'", pair[0])),
            }
        };
        if let Some(fault) = fault {
            return Err(call.reply.error(fault));
        }
        names.push(name);
    }
    if let Some(at) = names.iter().position(|name| name == LOGLEVEL) {
        let level = words[at * 2 + 1].to_ascii_lowercase();
        call.config.set(&mut call.keys, LOGLEVEL, level.as_bytes())?;
    }
    whole().machine.own = trial;
    if names.iter().any(|name| name.starts_with("sentinel-")) {
        whole().machine.reconnect_sentinels();
    }
    save(call)
}

/// The one of them that is the server's own.
const LOGLEVEL: &str = "loglevel";

fn is_loglevel(value: &str) -> bool {
    ["debug", "verbose", "notice", "warning", "nothing"].iter().any(|level| value.eq_ignore_ascii_case(level))
}

fn own_values(call: &Call<'_>) -> Vec<(&'static str, String)> {
    let level = call.config.get(LOGLEVEL).unwrap_or_default();
    let own = whole().machine.own.clone();
    let flag = |is_on: bool| if is_on { "yes" } else { "no" }.to_owned();
    vec![
        ("resolve-hostnames", flag(own.resolve_hostnames)),
        ("announce-hostnames", flag(own.announce_hostnames)),
        ("announce-ip", own.announce_ip),
        ("announce-port", own.announce_port.to_string()),
        ("sentinel-user", own.user),
        ("sentinel-pass", own.pass),
        (LOGLEVEL, String::from_utf8_lossy(&level).into_owned()),
    ]
}

/// The periods by name.
fn named(periods: &mut Periods) -> [(&'static str, &mut Ms); 13] {
    [
        ("INFO-PERIOD", &mut periods.info),
        ("PING-PERIOD", &mut periods.ping),
        ("ASK-PERIOD", &mut periods.ask),
        ("PUBLISH-PERIOD", &mut periods.publish),
        ("DEFAULT-DOWN-AFTER", &mut periods.down_after),
        ("DEFAULT-FAILOVER-TIMEOUT", &mut periods.failover_timeout),
        ("TILT-TRIGGER", &mut periods.tilt_trigger),
        ("TILT-PERIOD", &mut periods.tilt),
        ("SLAVE-RECONF-TIMEOUT", &mut periods.slave_reconf),
        ("MIN-LINK-RECONNECT-PERIOD", &mut periods.min_reconnect),
        ("ELECTION-TIMEOUT", &mut periods.election),
        ("SCRIPT-MAX-RUNTIME", &mut periods.script),
        ("SCRIPT-RETRY-DELAY", &mut periods.script_retry),
    ]
}

fn debug(call: &mut Call<'_>) -> Result {
    if call.args.len() == 2 {
        let mut periods = whole().machine.periods;
        let all = named(&mut periods);
        call.reply.map(all.len());
        for (name, value) in all {
            call.reply.bulk(name);
            call.reply.bulk(value.to_string());
        }
        return Ok(());
    }
    for index in (2..call.args.len()).step_by(2) {
        let (name, value) = (word(call, index), call.args.get(index + 1).map(|_| word(call, index + 1)));
        let mut periods = whole().machine.periods;
        let found = named(&mut periods).into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
        let (Some((_, period)), Some(value)) = (found, value) else {
            let text = "ERR Unknown option or number of arguments for SENTINEL DEBUG";
            return Err(call.reply.error(format!("{text} '{name}'")));
        };
        let Some(number) = crate::config::positive(&value) else {
            return Err(call.reply.error(format!("ERR Invalid argument '{value}' for SENTINEL DEBUG '{name}'")));
        };
        *period = number;
        whole().machine.periods = periods;
    }
    call.reply.ok();
    Ok(())
}

fn simulate(call: &mut Call<'_>) -> Result {
    let mut flags = 0;
    for index in 2..call.args.len() {
        if call.args.word(index, "crash-after-election") {
            flags |= CRASH_AFTER_ELECTION;
        } else if call.args.word(index, "crash-after-promotion") {
            flags |= CRASH_AFTER_PROMOTION;
        } else if call.args.word(index, "help") {
            call.reply.array(2);
            call.reply.bulk("crash-after-election");
            call.reply.bulk("crash-after-promotion");
            return Ok(());
        } else {
            return Err(call.reply.error("ERR Unknown failure simulation specified"));
        }
    }
    whole().machine.simulate = flags;
    call.reply.ok();
    Ok(())
}

/// Whether somebody can be voted for under a name: it is an identity, as a rule.
fn is_name(candidate: &str) -> bool {
    candidate.len() <= NAME_BYTES_MAX && candidate.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_master_down(call: &mut Call<'_>) -> Result {
    let (host, candidate, now) = (word(call, 2), word(call, 5), call.now_ms());
    let (Ok(port), Ok(epoch)) = (call.args.integer(3), call.args.integer(4)) else { return Err(Error::NotInteger) };
    let (is_down, leader, leader_epoch) = {
        let mut whole = whole();
        let machine = &mut whole.machine;
        let ip = crate::names::address(&host, machine.own.resolve_hostnames);
        let is_at =
            |address: &crate::model::Address| i64::from(address.port) == port && Some(&address.ip) == ip.as_ref();
        let at = machine.groups.iter().position(|group| is_at(&group.master.address));
        let is_down = at.is_some_and(|at| machine.groups[at].master.s_down) && machine.tilt_since.is_none();
        match at.filter(|_| candidate != "*" && is_name(&candidate)) {
            None => (is_down, String::new(), 0),
            Some(at) => {
                let (leader, epoch) = machine.vote(at, epoch.max(0) as u64, &candidate, now);
                (is_down, leader, epoch)
            }
        }
    };
    follow(call);
    call.reply.array(3);
    call.reply.integer(i64::from(is_down));
    call.reply.bulk(if leader.is_empty() { "*" } else { &leader });
    call.reply.integer(leader_epoch as i64);
    Ok(())
}
