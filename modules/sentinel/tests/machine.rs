//! The machine by itself: a made-up clock, messages that nobody sent, and what it wants done.

#![deny(unsafe_code)]

use plinth_sentinel::machine::{Action, Sentinel};
use plinth_sentinel::model::{Expect, Kind, Ms, Stage};
use plinth_sentinel::reply::{self, Reply};
use proptest::prelude::*;

/// When the story begins.
const BEGIN: Ms = 1_000_000;
const OTHER: &str = "2222222222222222222222222222222222222222";

/// A Sentinel, and servers that answer what it sends as long as they are well.
struct World {
    machine: Sentinel,
    now: Ms,
    /// Ports of servers that do not answer.
    down: Vec<u16>,
    /// Who is the master, for INFO.
    master: u16,
    replicas: Vec<u16>,
    /// Link, port, whether it listens.
    links: Vec<(u64, u16)>,
    events: Vec<String>,
    flushes: usize,
    /// Commands that were sent, by port.
    sent: Vec<(u16, String)>,
}

impl World {
    fn new(quorum: i64) -> World {
        let mut machine = Sentinel::new(7);
        machine.own.my_id = "1".repeat(40);
        machine.own.port = 26379;
        machine.monitor("m", "127.0.0.1", 1, quorum, BEGIN).expect("a group");
        machine.set_option(0, "down-after-milliseconds", &["1000"]).expect("an option");
        World {
            machine,
            now: BEGIN,
            down: Vec::new(),
            master: 1,
            replicas: vec![2, 3],
            links: Vec::new(),
            events: Vec::new(),
            flushes: 0,
            sent: Vec::new(),
        }
    }

    fn info(&self, port: u16) -> Reply {
        let mut text = format!("run_id:{}\r\n", format!("{port:x}").repeat(40));
        if port == self.master {
            text += "role:master\r\n";
            for (number, replica) in self.replicas.iter().enumerate() {
                text += &format!("slave{number}:ip=127.0.0.1,port={replica},state=online\r\n");
            }
        } else {
            let master = self.master;
            text +=
                &format!("role:slave\r\nmaster_host:127.0.0.1\r\nmaster_port:{master}\r\nmaster_link_status:up\r\n");
            text += &format!("slave_priority:100\r\nslave_repl_offset:{port}\r\n");
        }
        Reply::Bulk(text.into_bytes())
    }

    fn answer(&mut self, link: u64, words: &[Vec<u8>]) {
        let Some(port) = self.links.iter().find(|(known, _)| *known == link).map(|(_, port)| *port) else { return };
        let text: Vec<String> = words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        self.sent.push((port, text.join(" ")));
        if self.down.contains(&port) {
            return;
        }
        if text.join(" ") == "SLAVEOF NO ONE" {
            self.replicas.retain(|replica| *replica != port);
            self.master = port;
        }
        let reply = match text[0].as_str() {
            "PING" => Reply::Simple(b"PONG".to_vec()),
            "INFO" => self.info(port),
            _ => Reply::Simple(b"OK".to_vec()),
        };
        self.machine.came(link, reply, self.now);
    }

    /// Let time go by, a tick each 100 ms.
    fn pass(&mut self, ms: Ms) {
        for _ in 0..ms / 100 {
            self.now += 100;
            self.machine.tick(self.now);
            while let Some(action) = self.machine.actions.pop_front() {
                match action {
                    Action::Connect(link, _, port) if self.down.contains(&port) => self.machine.closed(link),
                    Action::Connect(link, _, port) => {
                        self.links.push((link, port));
                        self.machine.connected(link, "127.0.0.1".into(), self.now);
                    }
                    Action::Close(link) => self.links.retain(|(known, _)| *known != link),
                    Action::Send(link, words) => self.answer(link, &words),
                    Action::Publish(name, _) => self.events.push(name),
                    Action::Flush => self.flushes += 1,
                    Action::Log(..) | Action::Crash => {}
                }
            }
        }
    }

    fn had(&self, event: &str) -> bool {
        self.events.iter().any(|one| one == event)
    }

    fn hello(&mut self, master: u16, config_epoch: u64) {
        let text = format!("127.0.0.1,5000,{OTHER},{config_epoch},m,127.0.0.1,{master},{config_epoch}");
        self.machine.hello_came(text.as_bytes(), self.now);
    }
}

#[test]
fn replicas_are_found_and_one_takes_the_place_of_a_master_that_is_silent() {
    let mut world = World::new(1);
    world.pass(2000);
    assert_eq!(world.machine.groups[0].slaves.len(), 2);
    assert!(!world.had("+sdown"));
    world.down.push(1);
    world.links.retain(|(_, port)| *port != 1);
    world.pass(30_000);
    for event in
        ["+sdown", "+odown", "+try-failover", "+elected-leader", "+promoted-slave", "+failover-end", "+switch-master"]
    {
        assert!(world.had(event), "{event} is not among {:?}", world.events);
    }
    // The one with more of the stream is taken, and the other one follows it.
    assert_eq!((world.master, world.machine.groups[0].master.address.port), (3, 3));
    assert!(world.sent.contains(&(2, "SLAVEOF 127.0.0.1 3".into())));
    assert_eq!((world.machine.groups[0].stage, world.machine.groups[0].config_epoch), (Stage::None, 1));
    let old = world.machine.groups[0].slaves.iter().find(|slave| slave.address.port == 1).unwrap();
    assert!(old.s_down && old.kind == Kind::Slave);
}

#[test]
fn without_a_quorum_nothing_is_done_and_without_a_majority_nobody_is_elected() {
    let mut world = World::new(2);
    world.pass(2000);
    world.down.push(1);
    world.pass(20_000);
    assert!(world.had("+sdown") && !world.had("+odown"));
    // Another Sentinel agrees, and is not heard of again.
    world.hello(1, 0);
    world.pass(500);
    let id = world.machine.groups[0].sentinels[0].id;
    for _ in 0..30 {
        let now = world.now;
        world.machine.vote_came(0, id, true, "*", 0, now);
        world.pass(1000);
    }
    assert!(world.had("+odown") && world.had("+try-failover") && world.had("-failover-abort-not-elected"));
    assert!(!world.had("+elected-leader") && world.master == 1);
}

#[test]
fn a_vote_is_given_once_in_an_epoch_and_written_down_before_it_is_told() {
    let mut world = World::new(1);
    world.pass(1000);
    let (now, flushes) = (world.now, world.flushes);
    assert_eq!(world.machine.vote(0, 5, OTHER, now), (OTHER.to_owned(), 5));
    assert!(world.machine.actions.iter().any(|action| *action == Action::Flush));
    assert_eq!(world.machine.vote(0, 5, &"3".repeat(40), now), (OTHER.to_owned(), 5));
    assert_eq!(world.machine.vote(0, 4, &"3".repeat(40), now), (OTHER.to_owned(), 5));
    assert_eq!(world.machine.vote(0, 6, &"3".repeat(40), now).1, 6);
    world.pass(100);
    assert!(world.flushes > flushes);
}

#[test]
fn the_newer_configuration_of_another_sentinel_is_taken_over_and_an_older_one_is_not() {
    let mut world = World::new(1);
    world.pass(2000);
    world.hello(2, 3);
    world.pass(100);
    assert!(world.had("+sentinel") && world.had("+config-update-from") && world.had("+switch-master"));
    assert_eq!(world.machine.groups[0].master.address.port, 2);
    assert_eq!((world.machine.own.epoch, world.machine.groups[0].config_epoch), (3, 3));
    world.hello(3, 2);
    assert_eq!(world.machine.groups[0].master.address.port, 2);
    // Under another identity at the same address it is another, and the old one is forgotten.
    let text = format!("127.0.0.1,5000,{},3,m,127.0.0.1,2,3", "4".repeat(40));
    world.machine.hello_came(text.as_bytes(), world.now);
    assert_eq!(world.machine.groups[0].sentinels.len(), 1);
}

#[test]
fn nothing_is_believed_for_a_while_when_the_clock_jumps() {
    let mut world = World::new(1);
    world.pass(2000);
    world.now += 60_000;
    world.pass(100);
    assert!(world.had("+tilt") && !world.had("+sdown"));
    world.down.push(1);
    world.pass(20_000);
    assert!(!world.had("+sdown"));
    world.pass(20_000);
    assert!(world.had("-tilt") && world.had("+sdown"));
}

#[test]
fn what_the_file_is_told_reads_back_to_the_same() {
    let mut world = World::new(2);
    world.pass(2000);
    world.hello(1, 9);
    world.machine.set_option(0, "auth-pass", &["a b"]).unwrap();
    world.machine.set_option(0, "rename-command", &["CONFIG", "other"]).unwrap();
    assert!(world.machine.own.set("announce-ip", "10.1.1.1"));
    let mut lines = world.machine.lines();
    let mut other = Sentinel::new(1);
    let expected = lines.clone();
    lines.reverse();
    other.configure(lines, BEGIN).unwrap();
    let sorted = |mut lines: Vec<Vec<String>>| {
        lines.sort();
        lines
    };
    assert_eq!(sorted(other.lines()), sorted(expected));
    assert_eq!((other.own.epoch, other.groups[0].slaves.len(), other.groups[0].sentinels.len()), (9, 2, 1));
}

/// A hello that is nearly one.
fn hello() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just("127.0.0.1".to_owned()),
        Just(OTHER.to_owned()),
        Just("m".to_owned()),
        (0..100_000u32).prop_map(|number| number.to_string()),
        Just("18446744073709551615".to_owned()),
        "[ -~]{0,12}",
    ];
    prop_oneof![
        prop::collection::vec(word, 0..12).prop_map(|words| words.join(",").into_bytes()),
        prop::collection::vec(any::<u8>(), 0..100),
    ]
}

proptest! {
    #[test]
    fn no_hello_no_info_and_no_answer_does_harm(
        hellos in prop::collection::vec(hello(), 0..20),
        infos in prop::collection::vec("((run_id|role|slave[0-9]{0,3}|master_port|slave_repl_offset):[ -~]{0,40}\r?\n){0,8}", 0..8),
        bytes in prop::collection::vec(prop_oneof![Just(b'*'), Just(b'$'), Just(b'1'), Just(b'\r'), Just(b'\n'), any::<u8>()], 0..200),
    ) {
        let mut world = World::new(1);
        world.pass(1000);
        for hello in hellos {
            world.machine.hello_came(&hello, world.now);
        }
        for text in infos {
            let id = world.machine.groups[0].master.id;
            world.machine.info_came(0, id, &text, world.now);
        }
        prop_assert!(world.machine.groups.len() == 1 && world.machine.groups[0].sentinels.len() <= 500);
        world.pass(1000);
        if let Ok((_, len)) = reply::read(&bytes) {
            prop_assert!(len <= bytes.len());
        }
    }
}

#[test]
fn answers_are_read_whole_or_not_at_all_and_never_without_a_bound() {
    let whole = b"*2\r\n$3\r\na\r\n\r\n:-7\r\n+x";
    let expected = Reply::Array(vec![Reply::Bulk(b"a\r\n".to_vec()), Reply::Integer(-7)]);
    assert_eq!(reply::read(whole), Ok((expected, whole.len() - 2)));
    for end in 0..whole.len() - 2 {
        assert_eq!(reply::read(&whole[..end]), Err(reply::Fault::Partial), "{end}");
    }
    for bad in
        [&b"*99999999\r\n"[..], b"$99999999\r\n", b"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", b"?\r\n", b"\r\n", b"$1\r\nabc"]
    {
        assert_eq!(reply::read(bad), Err(reply::Fault::Bad), "{}", String::from_utf8_lossy(bad));
    }
    assert_ne!(Expect::Pong, Expect::Info);
}
