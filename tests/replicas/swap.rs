//! MODULE REPLACE under replication: on the primary and on the replica, each with the other implementation, while a
//! full sync is sent, with the stream in the backlog, and while the role is given away. The data are equal, and what
//! was written meanwhile is there.

use plinth_testkit::{Client, Server, assert_wire, build, data, wait_until};

/// Modules with two implementations: the name, and the other library.
const PAIRS: [(&str, &str); 4] =
    [("zset", "zset-skiplist"), ("string", "string-plain"), ("list", "list-whole"), ("stream", "stream-log")];

const ARGS: [&str; 6] = ["--save", "", "--repl-diskless-sync-delay", "0", "--appendonly", "yes"];

/// Elements of the large values: enough for a conversion in slices.
const LARGE: usize = 6000;

/// Values of all types, small and large.
fn fill(client: &mut Client) {
    data::make(client, &data::all());
    for start in (0..LARGE).step_by(500) {
        let numbers: Vec<String> = (start..start + 500).map(|number| format!("{number:05}")).collect();
        let mut scored = vec!["ZADD".to_owned(), "large:zset".to_owned()];
        numbers.iter().for_each(|number| scored.extend([number.clone(), format!("m{number}")]));
        client.command(&scored);
        client.command(&[&["RPUSH".to_owned(), "large:list".to_owned()][..], &numbers].concat());
        for number in numbers.iter().step_by(5) {
            client.command(&["XADD", "large:stream", &format!("1{number}-1"), "field", number]);
        }
        client.command(&["APPEND", "large:string", &numbers.concat()]);
    }
}

/// Changes of small and large values; the round's number is in them.
fn write(client: &mut Client, round: usize) {
    let round = round.to_string();
    for at in 0..60 {
        let (number, member) = (at.to_string(), format!("m{:05}", at * 97));
        for line in [
            "ZADD large:zset ROUND MEMBER",
            "ZADD zset:AT ROUND a AT b",
            "ZREMRANGEBYRANK zset:AT 5 -1",
            "RPUSH large:list ROUND",
            "LSET large:list -2 ROUND",
            "LPUSH list:AT ROUND",
            "SETRANGE large:string AT ROUND",
            "APPEND string:AT ROUND",
            "XADD large:stream 9ROUND-* f AT",
            "XADD stream:AT MAXLEN 20 * f ROUND",
            "INCR count",
        ] {
            let line = line.replace("ROUND", &round).replace("AT", &number).replace("MEMBER", &member);
            client.send(&line.split(' ').collect::<Vec<_>>());
        }
        for _ in 0..11 {
            client.read();
        }
    }
}

/// A server, and the library that each module of the pairs has now.
struct Side {
    client: Client,
    paths: Vec<[String; 2]>,
    turn: usize,
}

impl Side {
    fn of(server: &Server) -> Side {
        let mut client = server.connect();
        let own = |client: &mut Client, name: &str| {
            let line = client.info("modules", &format!("plinth_module_{name}")).expect("the module is there");
            line.split("path=").nth(1).expect("it says where from").to_owned()
        };
        let paths = PAIRS.map(|(name, other)| [build::library(other), own(&mut client, name)]);
        Side { client, paths: paths.to_vec(), turn: 0 }
    }

    /// Replace all of them by the others.
    fn swap(&mut self) {
        for ((name, _), paths) in PAIRS.iter().zip(&self.paths) {
            assert_wire(&mut self.client, &["MODULE", "REPLACE", name, &paths[self.turn % 2]], b"+OK\r\n");
        }
        self.turn += 1;
    }

    fn is_converted(&mut self) -> bool {
        self.client.ask(&["MODULE", "REPLACE", "STATUS"]).items().is_empty()
    }
}

fn follow(client: &mut Client, of: &Server) {
    assert_wire(client, &["REPLICAOF", "127.0.0.1", &of.port().to_string()], b"+OK\r\n");
}

fn offset(client: &mut Client) -> Option<String> {
    client.info("replication", "master_repl_offset")
}

/// Both have the same, before the conversions have ended, where they have not, and after them.
#[track_caller]
fn assert_level(primary: &mut Side, replica: &mut Side) {
    wait_until("the link is up", || replica.client.info("replication", "master_link_status").as_deref() == Some("up"));
    let settled = |primary: &mut Side, replica: &mut Side| {
        wait_until("the replica has all", || offset(&mut primary.client) == offset(&mut replica.client));
        let digest = |client: &mut Client| client.text(&["DEBUG", "DIGEST"]);
        wait_until("the digests are equal", || digest(&mut primary.client) == digest(&mut replica.client));
    };
    settled(primary, replica);
    wait_until("all is converted", || primary.is_converted() && replica.is_converted());
    settled(primary, replica);
    let errors = replica.client.info("replication", "plinth_master_link_errors");
    assert_eq!(errors.as_deref(), Some("0"));
}

#[test]
fn modules_are_replaced_on_both_sides_of_a_full_sync() {
    let (one, other) = (Server::with(&ARGS), Server::with(&ARGS));
    let (mut primary, mut replica) = (Side::of(&one), Side::of(&other));
    fill(&mut primary.client);
    for round in 0..3 {
        follow(&mut replica.client, &one);
        // Before it has begun, while it goes on, and when it has ended.
        match round {
            0 => {
                primary.swap();
                replica.swap();
            }
            1 => {
                wait_until("it is sent", || {
                    one.log().matches("Background RDB transfer").count() > 0
                        || primary.client.info("replication", "connected_slaves").as_deref() == Some("1")
                });
                primary.swap();
            }
            _ => {
                wait_until("it has come", || other.log().matches("Finished with success").count() > round);
                replica.swap();
            }
        }
        write(&mut primary.client, round);
        assert_level(&mut primary, &mut replica);
        assert_wire(&mut replica.client, &["REPLICAOF", "NO", "ONE"], b"+OK\r\n");
        // What it has alone is gone with the next full sync.
        assert_wire(&mut replica.client, &["SET", "own", "1"], b"+OK\r\n");
    }
    assert_eq!(primary.client.info("stats", "sync_full").as_deref(), Some("3"));
}

#[test]
fn modules_are_replaced_with_the_stream_in_the_backlog() {
    let (one, other) = (Server::with(&ARGS), Server::with(&ARGS));
    let (mut primary, mut replica) = (Side::of(&one), Side::of(&other));
    fill(&mut primary.client);
    follow(&mut replica.client, &one);
    assert_level(&mut primary, &mut replica);
    for round in 0..4 {
        write(&mut primary.client, round);
        // The replica sleeps, and what comes meanwhile waits.
        other.signal("STOP");
        write(&mut primary.client, round);
        primary.swap();
        assert_wire(&mut primary.client, &["CLIENT", "KILL", "TYPE", "replica"], b":1\r\n");
        write(&mut primary.client, round);
        other.signal("CONT");
        replica.swap();
        write(&mut primary.client, round);
        assert_level(&mut primary, &mut replica);
    }
    assert_eq!(primary.client.info("stats", "sync_full").as_deref(), Some("1"), "{}", other.log());
}

#[test]
fn modules_are_replaced_while_the_role_is_given_away() {
    let (one, other) = (Server::with(&ARGS), Server::with(&ARGS));
    let (mut primary, mut replica) = (Side::of(&one), Side::of(&other));
    fill(&mut primary.client);
    follow(&mut replica.client, &one);
    assert_level(&mut primary, &mut replica);
    for round in 0..4 {
        write(&mut primary.client, round);
        if round % 2 == 0 {
            primary.swap();
        }
        replica.swap();
        assert_wire(&mut primary.client, &["FAILOVER"], b"+OK\r\n");
        if round % 2 == 1 {
            primary.swap();
        }
        wait_until("the role is taken", || {
            replica.client.info("replication", "role").as_deref() == Some("master")
                && primary.client.info("replication", "master_failover_state").as_deref() == Some("no-failover")
        });
        std::mem::swap(&mut primary, &mut replica);
        write(&mut primary.client, round);
        assert_level(&mut primary, &mut replica);
    }
    // Each went on with the other's stream.
    let full = |side: &mut Side| side.client.info("stats", "sync_full").and_then(|count| count.parse::<u32>().ok());
    assert_eq!([full(&mut primary), full(&mut replica)].map(Option::unwrap_or_default).iter().sum::<u32>(), 1);
}
