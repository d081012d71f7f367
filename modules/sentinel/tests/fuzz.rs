//! What others send under fire: answers, INFO and hellos, damaged and in any order, while time goes by and links break.
//!
//! The claims: nothing panics, what is kept stays within its limits, what the file is told reads back to the same, and a
//! cut through an answer changes nothing.
//!
//! ```text
//!   PLINTH_FUZZ_SECONDS=600 cargo nextest run -p plinth-sentinel --test fuzz
//! ```

#![deny(unsafe_code)]

use plinth_fuzz::Random;
use plinth_sentinel::hello;
use plinth_sentinel::info::{self, INFO_BYTES_MAX};
use plinth_sentinel::machine::{Action, Sentinel};
use plinth_sentinel::model::{EPOCH_MAX, Ms, NAME_BYTES_MAX, PEERS_MAX};
use plinth_sentinel::reply::{self, Fault, Reply};

/// Bytes that the formats give a meaning.
const TELLING: &[u8] = b"\r\n:,=*$+-0123456789 \x00\xff.";
const HELLO_BYTES_MAX: usize = 1024;

/// What a server says of itself, with its role and others in it.
fn said_of_itself(random: &mut Random) -> Vec<u8> {
    let numbers = ["0", "1", "6379", "65535", "65536", "-1", "9223372036854775807", "18446744073709551615", "x", ""];
    let hosts = ["127.0.0.1", "::1", "localhost", "10.0.0.7", "", "a b"];
    let digit = random.below(10);
    let mut text = format!("# Server\r\nrun_id:{}\r\n# Replication\r\n", digit.to_string().repeat(40));
    text += random.one(&["role:master\r\n", "role:slave\r\n", "role:sentinel\r\n", ""]);
    for at in 0..random.below(6) {
        let (ip, port) = (random.one(&hosts), random.one(&numbers));
        text += &format!("slave{at}:ip={ip},port={port},state=online,offset=14,lag=0\r\n");
    }
    for name in [
        "master_host",
        "master_port",
        "master_link_down_since_seconds",
        "slave_priority",
        "slave_repl_offset",
        "replica_announced",
        "master_link_status",
    ] {
        if random.once_in(2) {
            let words = if name == "master_host" { &hosts[..] } else { &numbers[..] };
            let word = if name == "master_link_status" { "up" } else { random.one(words) };
            text += &format!("{name}:{word}\r\n");
        }
    }
    let mut bytes = text.into_bytes();
    if random.once_in(200) {
        // More replicas than are kept, in a longer text than is.
        (0..6000).for_each(|at| bytes.extend(format!("slave{at}:ip=10.0.0.1,port={}\r\n", at + 1).bytes()));
    }
    if random.once_in(2) {
        random.damage(&mut bytes, TELLING);
    }
    bytes
}

fn greeting(random: &mut Random) -> Vec<u8> {
    let epochs = ["0", "1", "9", "9223372036854775806", "9223372036854775807", "18446744073709551615", "-1"];
    let (epoch, config) = (random.one(&epochs), random.one(&epochs));
    let id = random.below(10).to_string().repeat(40);
    let (port, master_port) = (26379 + random.below(9), random.below(5));
    let name = random.one(&["m", "m", "n", "other"]);
    let mut bytes =
        format!("127.0.0.{},{port},{id},{epoch},{name},127.0.0.1,{master_port},{config}", random.below(3)).into_bytes();
    if random.once_in(2) {
        random.damage(&mut bytes, TELLING);
    }
    bytes
}

fn bulk(bytes: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// An answer to what a Sentinel asks, as it goes over the wire.
fn answer(random: &mut Random) -> Vec<u8> {
    match random.below(9) {
        0 => b"+PONG\r\n".to_vec(),
        1 => random
            .one(&["-LOADING x\r\n", "-MASTERDOWN x\r\n", "-BUSY x\r\n", "-NOAUTH x\r\n", "-ERR x\r\n"])
            .as_bytes()
            .to_vec(),
        2 | 3 => bulk(&said_of_itself(random)),
        4 | 5 => {
            let message = [&b"*3\r\n"[..], &bulk(b"message"), &bulk(b"__sentinel__:hello"), &bulk(&greeting(random))];
            message.concat()
        }
        6 => {
            let id = random.below(10).to_string().repeat(40);
            let head = format!("*3\r\n:{}\r\n", random.below(3));
            let epoch = [":1\r\n", ":-1\r\n", ":9223372036854775807\r\n"][random.below(3)];
            [head.as_bytes(), &bulk(id.as_bytes()), epoch.as_bytes()].concat()
        }
        7 => b"*-1\r\n$-1\r\n:1\r\n".to_vec(),
        _ => b"+OK\r\n".to_vec(),
    }
}

/// All answers in some bytes, whether there is a fault behind them, and what is left.
fn all(mut bytes: &[u8]) -> (Vec<Reply>, bool, usize) {
    let mut replies = Vec::new();
    loop {
        match reply::read(bytes) {
            Ok((reply, len)) => {
                assert!(len > 0 && len <= bytes.len());
                replies.push(reply);
                bytes = &bytes[len..];
            }
            Err(fault) => return (replies, fault == Fault::Bad, bytes.len()),
        }
    }
}

#[test]
fn a_cut_through_answers_changes_nothing() {
    plinth_fuzz::run(|random| {
        let mut bytes: Vec<u8> = (0..1 + random.below(5)).flat_map(|_| answer(random)).collect();
        random.damage(&mut bytes, TELLING);
        let whole = all(&bytes);
        // As the link does it: what is left stands before what comes.
        let (mut replies, mut kept, mut at) = (Vec::new(), Vec::new(), 0);
        let mut bad = false;
        while at < bytes.len() && !bad {
            let end = bytes.len().min(at + 1 + random.below(40));
            kept.extend_from_slice(&bytes[at..end]);
            let (more, is_bad, left) = all(&kept);
            replies.extend(more);
            kept.drain(..kept.len() - left);
            (bad, at) = (is_bad, end);
        }
        assert_eq!((replies, bad), (whole.0, whole.1));
    });
}

#[test]
fn what_hellos_and_info_say_is_within_its_limits() {
    plinth_fuzz::run(|random| {
        let bytes = greeting(random);
        if let Some(hello) = hello::read(&bytes) {
            assert!(bytes.len() <= HELLO_BYTES_MAX && hello.run_id.len() == 40);
            assert!([hello.host, hello.master, hello.master_host].iter().all(|text| text.len() <= NAME_BYTES_MAX));
            assert!(hello.epoch <= EPOCH_MAX && hello.config_epoch <= EPOCH_MAX && hello.master_port > 0);
        }
        let said = info::read(&String::from_utf8_lossy(&said_of_itself(random)));
        assert!(said.slaves.len() <= PEERS_MAX && (said.run_id.is_empty() || said.run_id.len() == 40));
    });
}

/// Links as they are now.
fn follow(machine: &mut Sentinel, links: &mut Vec<u64>, random: &mut Random, now: Ms) {
    while let Some(action) = machine.actions.pop_front() {
        match action {
            Action::Connect(link, _, port) => {
                assert!(port > 0);
                if random.once_in(4) {
                    machine.closed(link);
                } else {
                    machine.connected(link, "127.0.0.1".into(), now);
                    links.push(link);
                }
            }
            Action::Close(link) => links.retain(|known| *known != link),
            Action::Send(_, words) => assert!(!words.is_empty()),
            _ => {}
        }
    }
    machine.scripts.orders.clear();
}

#[test]
fn a_sentinel_bears_whatever_servers_and_others_say() {
    plinth_fuzz::run(|random| {
        let mut now: Ms = 1_000_000;
        let mut machine = Sentinel::new(random.word());
        machine.own.my_id = "7".repeat(40);
        machine.own.port = 26379;
        for (name, port) in [("m", 1), ("n", 2)] {
            let at = machine.monitor(name, "127.0.0.1", port, 1, now).expect("a group");
            machine.set_option(at, "down-after-milliseconds", &["500"]).expect("an option");
            machine.set_option(at, "failover-timeout", &["2000"]).expect("an option");
        }
        let mut links = Vec::new();
        for _ in 0..random.below(120) {
            now += if random.once_in(60) { 60_000 - random.below(90_000) as Ms } else { 100 + random.below(400) as Ms };
            machine.tick(now);
            follow(&mut machine, &mut links, random, now);
            for _ in 0..random.below(8) {
                if links.is_empty() || random.once_in(40) {
                    machine.hello_came(&greeting(random), now);
                    continue;
                }
                let link = links[random.below(links.len())];
                if random.once_in(50) {
                    links.retain(|known| *known != link);
                    machine.closed(link);
                    continue;
                }
                for reply in all(&answer(random)).0 {
                    machine.came(link, reply, now);
                }
                follow(&mut machine, &mut links, random, now);
            }
            let at = random.below(machine.groups.len());
            if random.once_in(80) {
                let epoch = random.number() & EPOCH_MAX;
                machine.vote(at, epoch, &random.below(10).to_string().repeat(40), now);
            }
        }
        assert!(machine.own.epoch <= EPOCH_MAX && machine.groups.len() == 2);
        for group in &machine.groups {
            assert!(group.slaves.len() <= PEERS_MAX && group.sentinels.len() <= PEERS_MAX);
            assert!(group.all().all(|one| one.info.len() <= INFO_BYTES_MAX && one.cc.pending.len() < 1000));
        }
        let lines = machine.lines();
        let mut other = Sentinel::new(1);
        other.configure(lines.clone(), now).unwrap_or_else(|fault| panic!("{fault}\n{lines:?}"));
        assert_eq!(sorted(other.lines()), sorted(lines));
    });
}

/// In order, but for the newest epoch: who reads that a group's is newer knows no older one.
fn sorted(mut lines: Vec<Vec<String>>) -> Vec<Vec<String>> {
    lines.retain(|line| line[0] != "current-epoch");
    lines.sort();
    lines
}
