//! What is known: MASTERS, REPLICAS, SENTINELS and the like, ROLE, INFO.

use super::{BASE, DOCS, VALKEY, group, word};
use crate::machine::Sentinel;
use crate::model::{Group, Instance, Kind, Ms, Reconf};
use crate::whole;
use plinth_module::prelude::*;

const fn asks(name: &'static str, arity: i32, run: Handler, docs: &'static Docs) -> Command {
    Command { name: text(name), arity, run, docs, ..BASE }
}

pub(super) const COMMANDS: &[Command] = &[
    asks("masters", 2, run(masters), &Docs { summary: text("Tells of all groups."), ..DOCS }),
    asks("master", 3, run(master), &Docs { summary: text("Tells of a group's primary."), ..DOCS }),
    asks(
        "replicas",
        3,
        run(replicas),
        &Docs { summary: text("Tells of a group's replicas."), since: text("5.0.0"), ..DOCS },
    ),
    asks(
        "slaves",
        3,
        run(replicas),
        &Docs { summary: text("Tells of a group's replicas."), since: text("2.8.0"), ..DOCS },
    ),
    asks("sentinels", 3, run(sentinels), &Docs { summary: text("Tells of a group's other Sentinels."), ..DOCS }),
    asks(
        "myid",
        2,
        run(my_id),
        &Docs { summary: text("Tells this Sentinel's identity."), since: text("6.2.0"), ..DOCS },
    ),
    asks(
        "get-master-addr-by-name",
        3,
        run(address),
        &Docs { summary: text("Tells where a group's primary is."), ..DOCS },
    ),
    asks(
        "primaries",
        2,
        run(masters),
        &Docs { summary: text("Tells of all groups, as MASTERS."), since: VALKEY, ..DOCS },
    ),
    asks(
        "primary",
        3,
        run(master),
        &Docs { summary: text("Tells of a group's primary, as MASTER."), since: VALKEY, ..DOCS },
    ),
    asks(
        "get-primary-addr-by-name",
        3,
        run(address),
        &Docs { summary: text("Tells where a group's primary is."), since: VALKEY, ..DOCS },
    ),
    asks("ckquorum", 3, run(quorum), &Docs { summary: text("Tells whether a failover could be agreed on."), ..DOCS }),
    asks(
        "info-cache",
        -3,
        run(info_cache),
        &Docs { summary: text("Tells the last INFO of a group's servers."), since: text("3.2.0"), ..DOCS },
    ),
    asks("pending-scripts", 2, run(pending), &Docs { summary: text("Tells which scripts run and wait."), ..DOCS }),
    asks("help", 2, run(help), &Docs { summary: text("Describes the subcommands."), since: text("6.2.0"), ..DOCS }),
];

pub(super) const ROLE: Command = Command {
    name: text("role"),
    arity: 1,
    flags: COMMAND_LOADING | COMMAND_STALE | COMMAND_FAST,
    categories: CATEGORY_ADMIN | CATEGORY_DANGEROUS,
    docs: &Docs { summary: text("Tells what the server is."), since: text("2.8.12"), group: text("server"), ..DOCS },
    run: run(role),
    ..Command::NEW
};

fn role(call: &mut Call<'_>) -> Result {
    call.reply.array(2);
    call.reply.bulk("sentinel");
    let names: Vec<String> = whole().machine.groups.iter().map(|group| group.name().to_owned()).collect();
    call.reply.array(names.len());
    names.iter().for_each(|name| call.reply.bulk(name));
    Ok(())
}

fn flags(group: &Group, one: &Instance) -> String {
    let is_master = one.kind == Kind::Master;
    let all = [
        ("s_down", one.s_down),
        ("o_down", is_master && group.o_down),
        (one.kind.name(), true),
        ("disconnected", one.is_disconnected()),
        ("master_down", one.says_down),
        ("failover_in_progress", is_master && group.in_failover()),
        ("promoted", one.is_promoted),
        ("reconf_sent", one.reconf == Reconf::Sent),
        ("reconf_inprog", one.reconf == Reconf::InProgress),
        ("reconf_done", one.reconf == Reconf::Done),
        ("force_failover", is_master && group.is_forced),
        ("script_kill_sent", one.script_killed),
        ("master_reboot", is_master && group.rebooted_since.is_some()),
    ];
    all.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| *name).collect::<Vec<_>>().join(",")
}

/// All that is known of somebody, by name.
fn fields(machine: &Sentinel, group: &Group, one: &Instance, now: Ms) -> Vec<(&'static str, String)> {
    let since = |at: Ms| if at == 0 { 0 } else { now - at }.to_string();
    let mut out = vec![
        ("name", one.name.clone()),
        ("ip", machine.announced(&one.address)),
        ("port", one.address.port.to_string()),
        ("runid", one.run_id.clone()),
        ("flags", flags(group, one)),
        ("link-pending-commands", one.cc.pending.len().to_string()),
        ("link-refcount", "1".into()),
    ];
    if one.kind == Kind::Master && group.in_failover() {
        out.push(("failover-state", group.stage.name().into()));
    }
    out.push(("last-ping-sent", since(one.act_ping)));
    out.push(("last-ok-ping-reply", since(one.last_avail)));
    out.push(("last-ping-reply", since(one.last_pong)));
    if one.s_down {
        out.push(("s-down-time", since(one.s_down_since)));
    }
    if one.kind == Kind::Master && group.o_down {
        out.push(("o-down-time", since(group.o_down_since)));
    }
    out.push(("down-after-milliseconds", group.options.down_after_ms.to_string()));
    if one.kind != Kind::Sentinel {
        out.push(("info-refresh", since(one.info_refresh)));
        out.push(("role-reported", one.role.name().into()));
        out.push(("role-reported-time", since(one.role_since)));
    }
    match one.kind {
        Kind::Master => master_fields(group, &mut out),
        Kind::Slave => slave_fields(one, &mut out),
        Kind::Sentinel => {
            let leader = if one.leader.is_empty() { "?" } else { &one.leader };
            out.push(("last-hello-message", since(one.last_hello)));
            out.push(("voted-leader", leader.into()));
            out.push(("voted-leader-epoch", one.leader_epoch.to_string()));
        }
    }
    out
}

fn master_fields(group: &Group, out: &mut Vec<(&'static str, String)>) {
    let options = &group.options;
    out.push(("config-epoch", group.config_epoch.to_string()));
    out.push(("num-slaves", group.slaves.len().to_string()));
    out.push(("num-other-sentinels", group.sentinels.len().to_string()));
    out.push(("quorum", options.quorum.to_string()));
    out.push(("failover-timeout", options.failover_timeout_ms.to_string()));
    out.push(("parallel-syncs", options.parallel_syncs.to_string()));
    for (name, script) in [
        ("notification-script", &options.notification_script),
        ("client-reconfig-script", &options.client_reconfig_script),
    ] {
        if !script.is_empty() {
            out.push((name, script.clone()));
        }
    }
}

fn slave_fields(one: &Instance, out: &mut Vec<(&'static str, String)>) {
    let host = if one.master_host.is_empty() { "?" } else { &one.master_host };
    out.push(("master-link-down-time", one.link_down_ms.to_string()));
    out.push(("master-link-status", if one.link_up { "ok" } else { "err" }.into()));
    out.push(("master-host", host.into()));
    out.push(("master-port", one.master_port.to_string()));
    out.push(("slave-priority", one.priority.to_string()));
    out.push(("slave-repl-offset", one.offset.to_string()));
    out.push(("replica-announced", u8::from(one.is_announced).to_string()));
}

fn tell(call: &mut Call<'_>, fields: &[(&'static str, String)]) {
    call.reply.map(fields.len());
    for (name, value) in fields {
        call.reply.bulk(name);
        call.reply.bulk(value);
    }
}

fn tell_all(call: &mut Call<'_>, all: &[Vec<(&'static str, String)>]) {
    call.reply.array(all.len());
    all.iter().for_each(|fields| tell(call, fields));
}

fn masters(call: &mut Call<'_>) -> Result {
    let now = call.now_ms();
    let all: Vec<_> = {
        let whole = whole();
        whole.machine.groups.iter().map(|group| fields(&whole.machine, group, &group.master, now)).collect()
    };
    tell_all(call, &all);
    Ok(())
}

fn master(call: &mut Call<'_>) -> Result {
    let (at, now) = (group(call, 2)?, call.now_ms());
    let all = {
        let whole = whole();
        let group = &whole.machine.groups[at];
        fields(&whole.machine, group, &group.master, now)
    };
    tell(call, &all);
    Ok(())
}

fn replicas(call: &mut Call<'_>) -> Result {
    let (at, now) = (group(call, 2)?, call.now_ms());
    let all: Vec<_> = {
        let whole = whole();
        let group = &whole.machine.groups[at];
        let shown = group.slaves.iter().filter(|slave| slave.is_announced);
        shown.map(|slave| fields(&whole.machine, group, slave, now)).collect()
    };
    tell_all(call, &all);
    Ok(())
}

fn sentinels(call: &mut Call<'_>) -> Result {
    let (at, now) = (group(call, 2)?, call.now_ms());
    let all: Vec<_> = {
        let whole = whole();
        let group = &whole.machine.groups[at];
        group.sentinels.iter().map(|one| fields(&whole.machine, group, one, now)).collect()
    };
    tell_all(call, &all);
    Ok(())
}

fn my_id(call: &mut Call<'_>) -> Result {
    let id = whole().machine.own.my_id.clone();
    call.reply.bulk(id);
    Ok(())
}

fn address(call: &mut Call<'_>) -> Result {
    let name = word(call, 2);
    let found = {
        let whole = whole();
        let machine = &whole.machine;
        let group = machine.find(&name).map(|at| &machine.groups[at]);
        group.map(|group| (machine.announced(group.current_address()), group.current_address().port))
    };
    match found {
        None => call.reply.null_array(),
        Some((host, port)) => {
            call.reply.array(2);
            call.reply.bulk(host);
            call.reply.bulk(port.to_string());
        }
    }
    Ok(())
}

fn quorum(call: &mut Call<'_>) -> Result {
    let at = group(call, 2)?;
    let (usable, voters, quorum) = {
        let whole = whole();
        let group = &whole.machine.groups[at];
        let usable = group.sentinels.iter().filter(|one| !one.s_down && one.is_connected()).count() + 1;
        (usable, group.sentinels.len() + 1, group.options.quorum)
    };
    let (is_agreed, is_authorized) = (usable as i64 >= quorum, usable > voters / 2);
    if is_agreed && is_authorized {
        let more = "Quorum and failover authorization can be reached";
        call.reply.simple(format!("OK {usable} usable Sentinels. {more}"));
        return Ok(());
    }
    let agree = "Not enough available Sentinels to reach the specified quorum for this master";
    let authorize = "Not enough available Sentinels to reach the majority and authorize a failover";
    let lacks: Vec<&str> = [(is_agreed, agree), (is_authorized, authorize)]
        .into_iter()
        .filter(|(is_so, _)| !is_so)
        .map(|(_, text)| text)
        .collect();
    Err(call.reply.error(format!("NOQUORUM {usable} usable Sentinels. {}", lacks.join(". "))))
}

fn info_cache(call: &mut Call<'_>) -> Result {
    let names: Vec<String> = (2..call.args.len()).map(|at| word(call, at)).collect();
    let now = call.now_ms();
    let of = |one: &Instance| {
        let age_ms = if one.info_refresh == 0 { 0 } else { now - one.info_refresh };
        (age_ms, one.info.clone())
    };
    let all: Vec<(String, Vec<(Ms, String)>)> = {
        let whole = whole();
        let chosen = whole.machine.groups.iter().filter(|group| names.iter().any(|name| name == group.name()));
        let told = |group: &Group| std::iter::once(&group.master).chain(&group.slaves).map(of).collect();
        chosen.map(|group| (group.name().to_owned(), told(group))).collect()
    };
    call.reply.array(all.len() * 2);
    for (name, infos) in all {
        call.reply.bulk(name);
        call.reply.array(infos.len());
        for (age_ms, text) in infos {
            call.reply.array(2);
            call.reply.integer(age_ms);
            if text.is_empty() { call.reply.null() } else { call.reply.bulk(text) }
        }
    }
    Ok(())
}

fn pending(call: &mut Call<'_>) -> Result {
    let (all, now) = (whole().machine.scripts.all.clone(), call.now_ms());
    call.reply.array(all.len());
    for script in all {
        call.reply.map(5);
        call.reply.bulk("argv");
        call.reply.array(script.words.len());
        script.words.iter().for_each(|word| call.reply.bulk(word));
        call.reply.bulk("flags");
        call.reply.bulk(if script.since.is_some() { "running" } else { "scheduled" });
        call.reply.bulk("pid");
        call.reply.bulk(script.pid.to_string());
        let (name, ms) = match script.since {
            Some(since) => ("run-time", now - since),
            None => ("run-delay", (script.not_before - now).max(0)),
        };
        call.reply.bulk(name);
        call.reply.bulk(ms.to_string());
        call.reply.bulk("retry-num");
        call.reply.bulk(script.tries.to_string());
    }
    Ok(())
}

pub(crate) fn info(call: &mut Call<'_>, out: &mut InfoWriter<'_>) {
    let now = call.now_ms();
    let whole = whole();
    let machine = &whole.machine;
    out.integer("sentinel_masters", machine.groups.len() as i64);
    out.integer("sentinel_tilt", i64::from(machine.tilt_since.is_some()));
    out.integer("sentinel_tilt_since_seconds", machine.tilt_since.map_or(-1, |since| (now - since) / 1000));
    out.integer("sentinel_total_tilt", machine.tilts as i64);
    out.integer("sentinel_running_scripts", machine.scripts.running() as i64);
    out.integer("sentinel_scripts_queue_length", machine.scripts.all.len() as i64);
    out.integer("sentinel_simulate_failure_flags", i64::from(machine.simulate));
    for (number, group) in machine.groups.iter().enumerate() {
        let status = match (group.o_down, group.master.s_down) {
            (true, _) => "odown",
            (false, true) => "sdown",
            (false, false) => "ok",
        };
        let address = &group.master.address;
        let text = format!(
            "name={},status={status},address={}:{},slaves={},sentinels={}",
            group.name(),
            machine.announced(address),
            address.port,
            group.slaves.len(),
            group.sentinels.len() + 1
        );
        out.text(&format!("master{number}"), &text);
    }
}

const HELP: &[&str] = &[
    "SENTINEL <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CKQUORUM <master-name>",
    "    Tell whether enough Sentinels can be reached to agree on a failover.",
    "CONFIG SET <param> <value> [<param> <value> ...]",
    "    Set what holds for all groups.",
    "CONFIG GET <param> [<param> ...]",
    "    Tell what holds for all groups.",
    "DEBUG [<param> <value> ...]",
    "    Tell or set how often things are done, in milliseconds.",
    "FAILOVER <master-name>",
    "    Put a replica in the primary's place without asking other Sentinels.",
    "FLUSHCONFIG",
    "    Write the configuration file.",
    "GET-MASTER-ADDR-BY-NAME <master-name>",
    "    Tell the primary's host and port.",
    "INFO-CACHE <master-name> [<master-name> ...]",
    "    Tell the last INFO of primary and replicas.",
    "IS-MASTER-DOWN-BY-ADDR <ip> <port> <current-epoch> <runid>",
    "    Tell whether this Sentinel sees a primary as down, and vote.",
    "MASTER <master-name>",
    "    Tell of a primary.",
    "MASTERS",
    "    Tell of all primaries.",
    "MONITOR <name> <ip> <port> <quorum>",
    "    Watch another group.",
    "MYID",
    "    Tell this Sentinel's identity.",
    "PENDING-SCRIPTS",
    "    Tell which scripts run and wait.",
    "REMOVE <master-name>",
    "    Watch a group no more.",
    "REPLICAS <master-name>",
    "    Tell of a group's replicas.",
    "RESET <pattern>",
    "    Forget what has been found out of groups whose names match.",
    "SENTINELS <master-name>",
    "    Tell of a group's other Sentinels.",
    "SET <master-name> <option> <value> [<option> <value> ...]",
    "    Set what is to be done about a group.",
    "SIMULATE-FAILURE [CRASH-AFTER-ELECTION] [CRASH-AFTER-PROMOTION] [HELP]",
    "    Crash at the worst moment.",
    "HELP",
    "    Print this help.",
];

fn help(call: &mut Call<'_>) -> Result {
    call.reply.array(HELP.len());
    HELP.iter().for_each(|line| call.reply.simple(line));
    Ok(())
}
