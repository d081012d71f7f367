//! Groups of two kinds: Plinth and another server, each with an append-only file, in either role and in turn, under a
//! load and with kills. After each round both hold the same, and who gives its role up goes on with the other's
//! stream.
//!
//! `cargo xtask replicas --mixed` runs more rounds.

use crate::load::Load;
use crate::peer::{Peer, with_each_started};
use crate::replica::held;
use plinth_fuzz::Random;
use plinth_testkit::proxy::Proxy;
use plinth_testkit::{Client, Server, TempDir, assert_wire, wait_until};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What both are started with. The primary sends no PING, which would be one more byte of a stream that is to be gone
/// on with by the other.
const ARGS: [&str; 10] = [
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
    "--save",
    "",
    "--repl-diskless-sync-delay",
    "0",
    "--repl-ping-replica-period",
    "3600",
];

/// How a peer of the kind is started.
type Start<'s> = &'s dyn Fn(TempDir, &[&str]) -> Peer;

/// The two.
enum Side<'s> {
    Plinth(Option<Server>),
    Peer(Option<Peer>, Start<'s>),
}

impl Side<'_> {
    fn port(&self) -> u16 {
        match self {
            Side::Plinth(server) => server.as_ref().map_or(0, Server::port),
            Side::Peer(peer, _) => peer.as_ref().map_or(0, Peer::port),
        }
    }

    fn connect(&self) -> Client {
        match self {
            Side::Plinth(server) => server.as_ref().expect("it is up").connect(),
            Side::Peer(peer, _) => peer.as_ref().expect("it is up").connect(),
        }
    }

    /// Kill it, and start it again with these arguments.
    fn again(&mut self, args: &[&str], meanwhile: Duration) {
        match self {
            Side::Plinth(server) => {
                let folder = server.take().expect("it is up").kill();
                std::thread::sleep(meanwhile);
                *server = Some(Server::within(folder, args));
            }
            Side::Peer(peer, start) => {
                let folder = peer.take().expect("it is up").kill();
                std::thread::sleep(meanwhile);
                *peer = Some(start(folder, args));
            }
        }
    }
}

/// What befalls the two in a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    KillPrimary,
    KillReplica,
    Cut,
    KillPrimaryAndPromote,
}

const FAULTS: [Fault; 4] = [Fault::KillPrimary, Fault::KillReplica, Fault::Cut, Fault::KillPrimaryAndPromote];

struct Pair<'s> {
    sides: [Side<'s>; 2],
    proxies: [Proxy; 2],
    primary: usize,
    port: Arc<AtomicU16>,
}

fn number(client: &mut Client, section: &str, field: &str) -> i64 {
    client.info(section, field).and_then(|value| value.parse().ok()).unwrap_or(0)
}

impl Pair<'_> {
    fn start<'s>(start: Start<'s>) -> Pair<'s> {
        let sides = [Side::Plinth(Some(Server::with(&ARGS))), Side::Peer(Some(start(TempDir::new(), &ARGS)), start)];
        let proxies = [0, 1].map(|at: usize| Proxy::to(sides[at].port()));
        let pair = Pair { port: Arc::new(AtomicU16::new(sides[0].port())), sides, proxies, primary: 0 };
        pair.follow();
        pair
    }

    fn replica(&self) -> usize {
        1 - self.primary
    }

    /// Have the replica follow the primary.
    fn follow(&self) {
        let port = self.proxies[self.primary].port().to_string();
        let mut client = self.sides[self.replica()].connect();
        assert_wire(&mut client, &["REPLICAOF", "127.0.0.1", &port], b"+OK\r\n");
    }

    /// Kill one of them, which comes back in its role.
    fn again(&mut self, at: usize, meanwhile: Duration) {
        let of = format!("127.0.0.1 {}", self.proxies[self.primary].port());
        let mut args = ARGS.to_vec();
        if at != self.primary {
            args.extend(["--replicaof", &of]);
        }
        self.sides[at].again(&args, meanwhile);
        self.proxies[at].lead_to(self.sides[at].port());
        self.port.store(self.sides[self.primary].port(), Relaxed);
    }

    /// The replica takes the role over.
    fn promote(&mut self) {
        self.primary = self.replica();
        let mut client = self.sides[self.primary].connect();
        assert_wire(&mut client, &["REPLICAOF", "NO", "ONE"], b"+OK\r\n");
        self.port.store(self.sides[self.primary].port(), Relaxed);
    }

    /// Wait until the replica has all of the stream.
    fn level(&self) {
        let (mut primary, mut replica) = (self.sides[self.primary].connect(), self.sides[self.replica()].connect());
        wait_until("the link is up", || replica.info("replication", "master_link_status").as_deref() == Some("up"));
        wait_until("the replica has all of the stream", || {
            number(&mut primary, "replication", "master_repl_offset")
                == number(&mut replica, "replication", "slave_repl_offset")
        });
    }

    /// Both hold the same.
    fn assert_same(&self, what: &str) {
        self.level();
        let (mut primary, mut replica) = (self.sides[self.primary].connect(), self.sides[self.replica()].connect());
        let begun = std::time::Instant::now();
        loop {
            let (one, other) = (held(&mut primary, true), held(&mut replica, true));
            if one == other {
                return;
            }
            let lacks: Vec<_> = one.iter().filter(|line| !other.contains(line)).collect();
            let beyond: Vec<_> = other.iter().filter(|line| !one.contains(line)).collect();
            // A key that expires just now is gone the next time.
            assert!(
                begun.elapsed() < plinth_testkit::PATIENCE,
                "{what}: the primary {} has\n{lacks:#?}\nthe replica has\n{beyond:#?}",
                self.primary
            );
        }
    }

    /// The roles are exchanged at rest: the one goes on with the other's stream.
    fn exchange(&mut self) {
        self.level();
        self.promote();
        let before = number(&mut self.sides[self.primary].connect(), "stats", "sync_full");
        self.follow();
        self.assert_same("exchanged");
        let mut client = self.sides[self.primary].connect();
        assert_eq!(number(&mut client, "stats", "sync_full"), before, "of {}", self.primary);
        assert!(number(&mut client, "stats", "sync_partial_ok") > 0);
    }

    fn befall(&mut self, fault: Fault, random: &mut Random) {
        let meanwhile = Duration::from_millis(random.below(150) as u64);
        match fault {
            Fault::KillPrimary => self.again(self.primary, meanwhile),
            Fault::KillReplica => self.again(self.replica(), meanwhile),
            Fault::Cut => (0..3).for_each(|_| {
                self.proxies[self.primary].cut();
                std::thread::sleep(meanwhile);
            }),
            Fault::KillPrimaryAndPromote => {
                let killed = self.primary;
                // What is under way to the replica comes to nobody, nor does it.
                self.proxies[killed].set(plinth_testkit::proxy::Way::Refuse);
                self.promote();
                self.again(killed, meanwhile);
                self.proxies[killed].set(plinth_testkit::proxy::Way::Pass);
            }
        }
    }
}

fn rounds() -> usize {
    std::env::var("PLINTH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

#[test]
fn plinth_mixed_groups_hold_the_same_whoever_is_killed() {
    let seed = std::env::var("PLINTH_FUZZ_SEED").ok().and_then(|text| text.parse().ok());
    let seed: u64 = seed
        .unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_millis() as u64));
    println!("PLINTH_FUZZ_SEED={seed}");
    let kinds = std::cell::Cell::new(0);
    with_each_started(|start| {
        // Others for each.
        let mut random = Random::new(seed.wrapping_add(kinds.replace(kinds.get() + 1)));
        let mut pair = Pair::start(start);
        pair.level();
        // In either role as often.
        for round in 0..2 * rounds() {
            let fault = FAULTS[random.below(FAULTS.len())];
            println!("round {round}: {fault:?}, the primary is {}", ["Plinth", "the other"][pair.primary]);
            let load = Load::begin(&pair.port, random.word());
            std::thread::sleep(Duration::from_millis(50 + random.below(150) as u64));
            pair.befall(fault, &mut random);
            std::thread::sleep(Duration::from_millis(50 + random.below(150) as u64));
            let known = load.end();
            pair.assert_same(&format!("{fault:?}"));
            let mut client = pair.sides[pair.primary].connect();
            for one in &known {
                let there = client.ask(&["LRANGE", &one.list, "0", "-1"]).texts();
                let lost = one.confirmed.iter().find(|number| !there.contains(&number.to_string()));
                assert_eq!(lost, None, "after {fault:?}, of {}", one.sent);
                client.command(&["DEL", &one.list]);
            }
            pair.exchange();
        }
    });
}
