//! A group of three under load, and one fault a round: what WAIT has confirmed is there, all hold the same, and nobody
//! is given all data more often than the fault makes it.
//!
//! ```text
//!   writers     RPUSH told:N n; WAIT 1        note n, if it is in two servers
//!   a fault     a kill, a stop, a bad way, a full disk, a restart, a promotion
//!   afterwards  replicas have the primary's digest; told:N has what was noted, in order, and nothing twice
//! ```
//!
//! At most one of the group is out of reach at a time, and the replica that has most of the stream is promoted: it has
//! what any replica has acknowledged. Where the primary is killed and comes back as the primary, what it had told
//! lasts only with `appendfsync always`.
//!
//! `cargo xtask replicas` runs more rounds.

use crate::group::{Group, number};
use crate::load::{Known, Load};
use plinth_fuzz::Random;
use plinth_testkit::proxy::Way;
use plinth_testkit::{Client, assert_wire, wait_until};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What befalls the group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    KillReplica,
    KillPrimary,
    KillPrimaryThatComesBack,
    StopReplica,
    StopPrimary,
    StopPrimaryThatComesBack,
    Cut,
    Refuse,
    Hold,
    Delay,
    Halve,
    DiskFull,
    DiskFullInFullSync,
    EndReplica,
    EndPrimary,
    Failover,
    FailoverUnderCuts,
}

const FAULTS: [Fault; 17] = [
    Fault::KillReplica,
    Fault::KillPrimary,
    Fault::KillPrimaryThatComesBack,
    Fault::StopReplica,
    Fault::StopPrimary,
    Fault::StopPrimaryThatComesBack,
    Fault::Cut,
    Fault::Refuse,
    Fault::Hold,
    Fault::Delay,
    Fault::Halve,
    Fault::DiskFull,
    Fault::DiskFullInFullSync,
    Fault::EndReplica,
    Fault::EndPrimary,
    Fault::Failover,
    Fault::FailoverUnderCuts,
];

impl Fault {
    /// Most full syncs that follow from it: after a restart from an append-only file a server needs all, and so do
    /// replicas of one that has lost its id. A primary that was stopped may have written what nobody has.
    fn full_syncs_max(self) -> i64 {
        match self {
            Fault::KillReplica | Fault::KillPrimary | Fault::StopPrimary | Fault::EndReplica => 1,
            Fault::KillPrimaryThatComesBack | Fault::EndPrimary | Fault::DiskFullInFullSync => 2,
            Fault::StopReplica | Fault::StopPrimaryThatComesBack | Fault::Cut | Fault::Refuse | Fault::Hold => 0,
            Fault::Delay | Fault::Halve | Fault::DiskFull | Fault::Failover | Fault::FailoverUnderCuts => 0,
        }
    }
}

/// For so long, or somewhat less.
fn pause(random: &mut Random, most_ms: usize) {
    std::thread::sleep(Duration::from_millis((most_ms / 3 + random.below(most_ms * 2 / 3)) as u64));
}

/// Have a fault befall the group, and be over.
fn befall(group: &mut Group, fault: Fault, random: &mut Random) {
    let (primary, replica) = (group.primary, group.replicas()[random.below(2)]);
    match fault {
        Fault::KillReplica | Fault::EndReplica => {
            group.down(replica, if fault == Fault::KillReplica { "KILL" } else { "TERM" });
            pause(random, 200);
            group.up(replica);
        }
        Fault::KillPrimary => {
            group.down(primary, "KILL");
            group.promote();
            pause(random, 200);
            group.up(primary);
        }
        Fault::KillPrimaryThatComesBack | Fault::EndPrimary => {
            group.down(primary, if fault == Fault::EndPrimary { "TERM" } else { "KILL" });
            group.up(primary);
        }
        Fault::StopReplica => {
            group.members[replica].server().signal("STOP");
            pause(random, 700);
            group.members[replica].server().signal("CONT");
        }
        Fault::StopPrimaryThatComesBack => {
            group.members[primary].server().signal("STOP");
            pause(random, 700);
            group.members[primary].server().signal("CONT");
        }
        Fault::StopPrimary => {
            group.members[primary].server().signal("STOP");
            group.promote();
            pause(random, 200);
            group.members[primary].server().signal("CONT");
            let mut client = group.members[primary].connect();
            group.follow(&mut client);
            group.members[primary].proxy.set(Way::Pass);
        }
        Fault::Cut | Fault::Refuse | Fault::Hold | Fault::Delay | Fault::Halve => {
            let proxy = &group.members[primary].proxy;
            match fault {
                Fault::Cut => (0..3).for_each(|_| {
                    proxy.cut();
                    pause(random, 150);
                }),
                Fault::Refuse => proxy.set(Way::Refuse),
                Fault::Hold => proxy.set(Way::Hold),
                Fault::Delay => proxy.set(Way::Delay(Duration::from_millis(20))),
                _ => proxy.set(Way::Halve),
            }
            let most_ms = if random.once_in(4) { 5000 } else { 700 };
            pause(random, most_ms);
            proxy.set(Way::Pass);
        }
        Fault::DiskFull | Fault::DiskFullInFullSync => {
            let mut client = group.members[replica].connect();
            assert_wire(&mut client, &["DEBUG", "DISK", "FAIL", "0", "ENOSPC", "LASTING"], b"+OK\r\n");
            if fault == Fault::DiskFullInFullSync {
                group.down(primary, "TERM");
                group.up(primary);
            }
            pause(random, 700);
            assert_wire(&mut client, &["DEBUG", "DISK", "REAL"], b"+OK\r\n");
        }
        Fault::Failover | Fault::FailoverUnderCuts => fail_over(group, fault, random),
    }
}

/// The primary gives its role up, to one replica or to any; that may fail, and then it goes on as the primary.
fn fail_over(group: &mut Group, fault: Fault, random: &mut Random) {
    let primary = group.primary;
    let mut client = group.connect();
    let target = group.replicas()[random.below(2)];
    let port = group.members[target].proxy.port().to_string();
    let words: &[&str] =
        if random.once_in(2) { &["FAILOVER"] } else { &["FAILOVER", "TO", "127.0.0.1", &port, "TIMEOUT", "10000"] };
    wait_until("the replicas are online", || {
        client.text(&["INFO", "replication"]).matches("state=online").count() == 2
    });
    assert_wire(&mut client, words, b"+OK\r\n");
    if fault == Fault::FailoverUnderCuts {
        for at in 0..3 {
            pause(random, 30);
            group.members[at].proxy.cut();
        }
    }
    wait_until("the failover is over", || {
        client.info("replication", "master_failover_state").as_deref() == Some("no-failover")
    });
    let role = |group: &Group, at: usize| group.members[at].connect().info("replication", "role");
    let primaries: Vec<usize> = (0..3).filter(|at| role(group, *at).as_deref() == Some("master")).collect();
    assert_eq!(primaries.len(), 1, "there is one primary, of {primaries:?}");
    group.primary = primaries[0];
    group.port.store(group.members[group.primary].server().port(), std::sync::atomic::Ordering::Relaxed);
    let last = (0..3).find(|at| *at != primary && *at != group.primary).unwrap_or_default();
    for at in [last, primary].into_iter().filter(|at| *at != group.primary) {
        group.follow_if_other(at);
    }
}

/// What was confirmed is there, in order, and nothing twice.
fn check(client: &mut Client, known: &[Known]) -> usize {
    let mut count = 0;
    for one in known {
        let there: Vec<u64> =
            client.ask(&["LRANGE", &one.list, "0", "-1"]).texts().iter().filter_map(|text| text.parse().ok()).collect();
        assert!(there.is_sorted_by(|before, after| before < after), "{} has something twice: {there:?}", one.list);
        let lost: Vec<&u64> = one.confirmed.iter().filter(|number| there.binary_search(number).is_err()).collect();
        assert!(lost.is_empty(), "{} of {} confirmed numbers are lost: {lost:?}", lost.len(), one.confirmed.len());
        assert!(there.last().is_none_or(|last| *last <= one.sent), "{} has what nobody has sent", one.list);
        count += one.confirmed.len();
        client.command(&["DEL", &one.list]);
    }
    count
}

/// Full syncs since a count was taken; a server that was started anew has counted from 0 on.
fn full_syncs_since(group: &Group, before: &[(u32, i64)]) -> i64 {
    let now = group.full_syncs();
    now.iter().zip(before).map(|(now, before)| if now.0 == before.0 { now.1 - before.1 } else { now.1 }).sum()
}

fn round(group: &mut Group, fault: Fault, random: &mut Random) {
    let sync = if fault == Fault::KillPrimaryThatComesBack { "always" } else { "everysec" };
    for member in &group.members {
        assert_wire(&mut member.connect(), &["CONFIG", "SET", "appendfsync", sync], b"+OK\r\n");
    }
    let before = group.full_syncs();
    let load = Load::begin(&group.port, random.word());
    pause(random, 150);
    befall(group, fault, random);
    pause(random, 150);
    let known = load.end();
    group.settle();
    let mut client = group.connect();
    let confirmed = check(&mut client, &known);
    let syncs = full_syncs_since(group, &before);
    println!("  {confirmed} writes confirmed, {syncs} full syncs");
    assert!(confirmed > 0, "nothing was confirmed");
    assert!(syncs <= fault.full_syncs_max(), "{syncs} full syncs after {fault:?}");
    for member in &group.members {
        let mut client = member.connect();
        wait_until("the file is written again", || {
            client.info("persistence", "aof_last_write_status").as_deref() == Some("ok")
                && number(&mut client, "persistence", "aof_enabled") == 1
                && number(&mut client, "persistence", "aof_rewrite_scheduled") == 0
                && number(&mut client, "persistence", "aof_rewrite_in_progress") == 0
        });
        assert_eq!(number(&mut client, "replication", "plinth_master_link_errors"), 0);
    }
}

fn rounds() -> usize {
    std::env::var("PLINTH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
}

#[test]
fn plinth_group_keeps_what_is_in_two_servers_whatever_befalls_one() {
    let seed = std::env::var("PLINTH_FUZZ_SEED").ok().and_then(|text| text.parse().ok());
    let seed: u64 = seed
        .unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_millis() as u64));
    println!("PLINTH_FUZZ_SEED={seed}");
    let mut random = Random::new(seed);
    let mut group = Group::start(&[]);
    let mut order: Vec<Fault> = Vec::new();
    for at in 0..rounds() {
        // All in turn, each time in another order.
        if order.is_empty() {
            order.extend(FAULTS);
        }
        let fault = order.swap_remove(random.below(order.len()));
        println!("round {at}: {fault:?}");
        round(&mut group, fault, &mut random);
    }
    let mut client = group.connect();
    // What lasts is what was there, on replicas too, once nothing expires any more.
    for db in ["0", "3", "9"] {
        assert_wire(&mut client, &["SELECT", db], b"+OK\r\n");
        for key in client.ask(&["KEYS", "*"]).texts() {
            client.command(&["PERSIST", &key]);
        }
    }
    wait_until("what had expired is gone", || {
        client.text(&["INFO", "keyspace"]).lines().all(|line| !line.contains("expires=") || line.contains("expires=0,"))
    });
    group.settle();
    let digest = client.text(&["DEBUG", "DIGEST"]);
    for at in [group.replicas(), vec![group.primary]].concat() {
        assert_eq!(group.digest_of_files(at), digest, "what the files of {at} hold");
    }
}
