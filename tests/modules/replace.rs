//! MODULE REPLACE: another module in the place of one, while clients work, and back.

use crate::registered;
use plinth_testkit::{Client, Reply, Server, TempDir, assert_wire, build, cc, wait_until};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A server with the bags in buckets.
fn bags() -> Server {
    Server::with(&["--loadmodule", &build::library("bag")])
}

/// Whether a replacement is on its way.
fn is_replacing(client: &mut Client) -> bool {
    client.text(&["INFO", "modules"]).contains("plinth_replacement_")
}

pub(crate) fn wait_until_replaced(client: &mut Client) {
    wait_until("all values are converted", || !is_replacing(client));
}

/// Whether the replacement that is on its way has a field of which that holds, or has ended.
pub(crate) fn has_come_to(client: &mut Client, field: &str, holds: impl Fn(i64) -> bool) -> bool {
    let reply = client.ask(&["MODULE", "REPLACE", "STATUS"]);
    let Some(one) = reply.items().first() else { return true };
    one.field(field).is_some_and(|value| holds(value.integer()))
}

/// Replace the bags and pause that before the first value is converted.
fn replace_and_pause(client: &mut Client, path: &str, arg: &str) {
    let arg = if arg.is_empty() { String::new() } else { format!(" {arg}") };
    client.raw(format!("MODULE REPLACE bag {path}{arg}\r\nMODULE REPLACE PAUSE bag\r\n"));
    assert_eq!(client.read(), b"+OK\r\n");
    assert_eq!(client.read(), b"+OK\r\n");
}

/// Fields of the only replacement as STATUS shows them.
fn status(client: &mut Client) -> HashMap<String, String> {
    let reply = client.ask(&["MODULE", "REPLACE", "STATUS"]);
    assert_eq!(reply.items().len(), 1, "{reply:?}");
    let texts: Vec<String> = reply.items()[0].items().iter().map(Reply::text).collect();
    texts.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}

fn encoding(client: &mut Client, key: &str) -> String {
    client.text(&["OBJECT", "ENCODING", key])
}

#[test]
fn small_and_large_values_become_those_of_the_new_module() {
    let server = bags();
    let mut client = server.connect();
    for at in 0..500 {
        client.command(&["BAG.ADD", &format!("small:{at}"), "m", &(at + 1).to_string()]);
    }
    assert_wire(&mut client, &["BAG.FILL", "large", "20000"], b":20000\r\n");
    assert_wire(&mut client, &["PEXPIRE", "large", "900000"], b":1\r\n");
    assert_wire(&mut client, &["MODULE", "REPLACE", "bag", &build::library("bag-tree")], b"+OK\r\n");
    assert_wire(&mut client, &["BAG.WHICH"], b"$4\r\ntree\r\n");
    assert_wire(&mut client, &["BAG.GET", "small:7", "m"], b":8\r\n");
    assert_wire(&mut client, &["BAG.GET", "large", "m:19999"], b":20000\r\n");
    wait_until_replaced(&mut client);
    server.wait_for_log("'bag' has taken all values over: 501 converted, 1 of them in slices, 0 attempts failed");
    for key in ["small:7", "small:499", "large"] {
        assert_eq!(encoding(&mut client, key), "tree", "{key}");
    }
    assert_wire(&mut client, &["BAG.LEN", "large"], b":20000\r\n");
    assert_wire(&mut client, &["BAG.GET", "large", "m:4711"], b":4712\r\n");
    assert!(client.text(&["PTTL", "large"]).parse::<i64>().is_ok_and(|left| left > 800_000));
    let line = client.info("modules", "plinth_module_bag").expect("it is listed");
    assert!(line.contains("version=2.0.0") && line.contains("values=501"), "{line}");
    assert_wire(&mut client, &["DEL", "large"], b":1\r\n");
    assert_wire(&mut client, &["FLUSHALL"], b"+OK\r\n");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "bag"], b"+OK\r\n");
}

#[test]
fn a_module_that_does_not_start_or_fit_leaves_all_as_it_was() {
    let server = bags();
    let mut client = server.connect();
    client.command(&["BAG.ADD", "k", "m", "3"]);
    let before = registered(&mut client);
    let tree = build::library("bag-tree");
    let gauge = build::library("gauge");
    let refused: [(&[&str], &str); 6] = [
        (&["bag", &tree, "fail"], "its start failed: ERR told to fail"),
        (&["bag", "/nowhere.so"], "cannot open it as a shared library"),
        (&["bag", &gauge], "it lacks the type 'com.example.bag', of which there are 1 values"),
        (&["absent", &tree], "no module named 'absent' is loaded"),
        (&["PAUSE", "bag"], "'bag' is not being replaced"),
        (&["ROLLBACK", "bag"], "'bag' is not being replaced"),
    ];
    for (args, expected) in refused {
        let said = client.text(&[&["MODULE", "REPLACE"], args].concat());
        assert!(said.starts_with("ERR Error replacing module: ") && said.contains(expected), "{args:?}: {said}");
        assert_eq!(registered(&mut client), before, "{args:?}");
        assert_wire(&mut client, &["BAG.GET", "k", "m"], b":3\r\n");
    }
    assert_eq!(client.ask(&["MODULE", "REPLACE", "STATUS"]).items().len(), 0);
}

#[test]
fn while_it_rests_large_values_stay_with_the_old_module_and_small_ones_follow_commands() {
    let server = bags();
    let mut client = server.connect();
    client.command(&["BAG.FILL", "large", "3000"]);
    client.command(&["BAG.ADD", "small", "m", "5"]);
    client.command(&["BAG.ADD", "other", "m", "6"]);
    replace_and_pause(&mut client, &build::library("bag-tree"), "");
    let shown = status(&mut client);
    assert_eq!((shown["state"].as_str(), shown["left"].as_str()), ("paused", "3"), "{shown:?}");
    assert_eq!((shown["version"].as_str(), shown["old-version"].as_str()), ("2.0.0", "1.0.0"));
    assert_wire(&mut client, &["BAG.ADD", "large", "m:0", "10"], b":11\r\n");
    assert_wire(&mut client, &["BAG.ADD", "small", "m", "10"], b":15\r\n");
    let encodings = ["large", "small", "other"].map(|key| encoding(&mut client, key));
    assert_eq!(encodings, ["buckets", "tree", "buckets"]);
    // Both directions in one command: a large old bag takes a small new one in.
    assert_wire(&mut client, &["BAG.MERGE", "large", "small"], b":3001\r\n");
    assert_wire(&mut client, &["BAG.MERGE", "other", "small"], b":1\r\n");
    assert_wire(&mut client, &["BAG.GET", "other", "m"], b":21\r\n");
    assert_eq!(encoding(&mut client, "large"), "buckets");
    assert_wire(&mut client, &["MODULE", "REPLACE", "RESUME", "bag"], b"+OK\r\n");
    wait_until_replaced(&mut client);
    assert_eq!(encoding(&mut client, "large"), "tree");
    assert_wire(&mut client, &["BAG.GET", "large", "m"], b":15\r\n");
    assert_wire(&mut client, &["BAG.GET", "large", "m:0"], b":11\r\n");
}

#[test]
fn a_rollback_brings_commands_and_values_back() {
    let server = bags();
    let mut client = server.connect();
    client.command(&["BAG.FILL", "large", "30000"]);
    for at in 0..200 {
        client.command(&["BAG.ADD", &format!("small:{at}"), "m", "1"]);
    }
    replace_and_pause(&mut client, &build::library("bag-tree"), "");
    for at in 0..100 {
        assert_wire(&mut client, &["BAG.ADD", &format!("small:{at}"), "m", "1"], b":2\r\n");
    }
    assert_wire(&mut client, &["BAG.FILL", "born", "5000"], b":5000\r\n");
    assert_eq!(encoding(&mut client, "born"), "tree");
    assert_wire(&mut client, &["MODULE", "REPLACE", "ROLLBACK", "bag"], b"+OK\r\n");
    assert_wire(&mut client, &["BAG.WHICH"], b"$7\r\nbuckets\r\n");
    assert_wire(&mut client, &["BAG.GET", "small:7", "m"], b":2\r\n");
    assert_wire(&mut client, &["BAG.GET", "born", "m:4999"], b":5000\r\n");
    wait_until_replaced(&mut client);
    for key in ["large", "born", "small:0", "small:199"] {
        assert_eq!(encoding(&mut client, key), "buckets", "{key}");
    }
    assert_wire(&mut client, &["BAG.LEN", "large"], b":30000\r\n");
    let line = client.info("modules", "plinth_module_bag").expect("it is listed");
    assert!(line.contains("version=1.0.0") && line.contains("values=202"), "{line}");
    let said = client.text(&["MODULE", "REPLACE", "ROLLBACK", "bag"]);
    assert!(said.contains("'bag' is not being replaced"), "{said}");
}

#[test]
fn a_rollback_can_be_taken_back() {
    let server = bags();
    let mut client = server.connect();
    client.command(&["BAG.FILL", "large", "2000"]);
    replace_and_pause(&mut client, &build::library("bag-tree"), "");
    client.raw("MODULE REPLACE ROLLBACK bag\r\nMODULE REPLACE ROLLBACK bag\r\n");
    assert_eq!((client.read(), client.read()), (b"+OK\r\n".to_vec(), b"+OK\r\n".to_vec()));
    assert_wire(&mut client, &["BAG.WHICH"], b"$4\r\ntree\r\n");
    wait_until_replaced(&mut client);
    assert_eq!(encoding(&mut client, "large"), "tree");
}

#[test]
fn a_transaction_that_waits_runs_with_the_new_module() {
    let server = bags();
    let (mut client, mut waiting) = (server.connect(), server.connect());
    client.command(&["BAG.ADD", "k", "m", "5"]);
    assert_wire(&mut waiting, &["WATCH", "k"], b"+OK\r\n");
    assert_wire(&mut waiting, &["MULTI"], b"+OK\r\n");
    assert_wire(&mut waiting, &["BAG.WHICH"], b"+QUEUED\r\n");
    assert_wire(&mut waiting, &["BAG.ADD", "k", "m", "1"], b"+QUEUED\r\n");
    assert_wire(&mut client, &["MODULE", "REPLACE", "bag", &build::library("bag-tree")], b"+OK\r\n");
    wait_until_replaced(&mut client);
    assert_wire(&mut waiting, &["EXEC"], b"*2\r\n$4\r\ntree\r\n:6\r\n");
}

#[test]
fn values_that_change_places_or_go_meanwhile_are_no_trouble() {
    let server = bags();
    let mut client = server.connect();
    let (tree, buckets) = (build::library("bag-tree"), build::library("bag"));
    for round in 0..12 {
        let path = if round % 2 == 0 { &tree } else { &buckets };
        for key in ["a", "b", "c", "d", "e", "f"] {
            assert_wire(&mut client, &["BAG.FILL", key, "9000"], b":9000\r\n");
        }
        assert_wire(&mut client, &["MODULE", "REPLACE", "bag", path], b"+OK\r\n");
        // Whichever of them is on its way: it goes, moves, or is another now.
        std::thread::sleep(Duration::from_millis(round));
        let commands: [&[&str]; 9] = [
            &["UNLINK", "a"],
            &["RENAME", "b", "b2"],
            &["MOVE", "c", "1"],
            &["SET", "d", "x"],
            &["PEXPIRE", "e", "1"],
            &["SWAPDB", "0", "2"],
            &["SWAPDB", "0", "2"],
            &["COPY", "f", "f2"],
            &["BAG.ADD", "b2", "m:0", "1"],
        ];
        let replies: Vec<Vec<u8>> = commands.iter().map(|command| client.command(command)).collect();
        assert!(replies.iter().all(|reply| reply[0] != b'-'), "{replies:?}");
        wait_until_replaced(&mut client);
        for key in ["b2", "f", "f2"] {
            assert_wire(&mut client, &["BAG.LEN", key], b":9000\r\n");
            assert_eq!(encoding(&mut client, key), if round % 2 == 0 { "tree" } else { "buckets" });
        }
        assert_wire(&mut client, &["BAG.GET", "b2", "m:0"], b":2\r\n");
        assert_wire(&mut client, &["BAG.GET", "f2", "m:77"], b":78\r\n");
        wait_until("e has expired", || client.command(&["EXISTS", "a", "b", "c", "e"]) == b":0\r\n");
        assert_wire(&mut client, &["SELECT", "1"], b"+OK\r\n");
        assert_wire(&mut client, &["BAG.LEN", "c"], b":9000\r\n");
        assert_wire(&mut client, &["SELECT", "0"], b"+OK\r\n");
        assert_wire(&mut client, &["FLUSHALL", "ASYNC"], b"+OK\r\n");
    }
}

#[test]
fn a_value_that_the_new_module_refuses_stays_usable_by_a_rollback() {
    let server = bags();
    let mut client = server.connect();
    client.command(&["BAG.FILL", "large", "3000"]);
    client.command(&["BAG.ADD", "large", "bad", "1"]);
    client.command(&["BAG.ADD", "small", "bad", "4"]);
    client.command(&["BAG.ADD", "good", "m", "4"]);
    assert_wire(&mut client, &["MODULE", "REPLACE", "bag", &build::library("bag-tree"), "refuse"], b"+OK\r\n");
    wait_until("what can be is converted", || status(&mut client)["left"] == "2");
    wait_until("failures are counted", || status(&mut client)["failed"].parse::<u64>().is_ok_and(|count| count > 1));
    // A large value is still the old module's, which is able to work on it.
    assert_wire(&mut client, &["BAG.ADD", "large", "bad", "1"], b":2\r\n");
    let said = client.text(&["BAG.GET", "small", "bad"]);
    assert_eq!(said, "GHOST the key's value of the type 'com.example.bag' cannot be converted now");
    assert_wire(&mut client, &["BAG.GET", "good", "m"], b":4\r\n");
    assert_wire(&mut client, &["MODULE", "REPLACE", "ROLLBACK", "bag"], b"+OK\r\n");
    wait_until_replaced(&mut client);
    assert_wire(&mut client, &["BAG.GET", "small", "bad"], b":4\r\n");
    assert_wire(&mut client, &["BAG.GET", "large", "bad"], b":2\r\n");
    assert_wire(&mut client, &["BAG.GET", "good", "m"], b":4\r\n");
}

#[test]
fn parameters_keep_their_values_and_statistics_go_on() {
    let server = bags();
    let mut client = server.connect();
    assert_wire(&mut client, &["CONFIG", "SET", "bag.step", "3"], b"+OK\r\n");
    assert_wire(&mut client, &["BAG.ADD", "k", "m", "2"], b":6\r\n");
    client.command(&["BAG.FILL", "large", "3000"]);
    replace_and_pause(&mut client, &build::library("bag-tree"), "");
    assert_wire(&mut client, &["CONFIG", "GET", "bag.step"], b"*2\r\n$8\r\nbag.step\r\n$1\r\n3\r\n");
    assert_wire(&mut client, &["BAG.ADD", "k", "m", "2"], b":12\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "bag.step", "10"], b"+OK\r\n");
    assert_wire(&mut client, &["BAG.ADD", "large", "m:0", "2"], b":21\r\n");
    assert_wire(&mut client, &["MODULE", "REPLACE", "RESUME", "bag"], b"+OK\r\n");
    wait_until_replaced(&mut client);
    assert_wire(&mut client, &["BAG.ADD", "k", "m", "1"], b":22\r\n");
    let calls = client.info("commandstats", "cmdstat_bag.add").expect("it was called");
    assert!(calls.starts_with("calls=4,"), "{calls}");
}

#[test]
fn users_of_a_service_follow_its_new_provider() {
    let (service, user) = (build::library("counter-service"), build::library("counter-user"));
    let folder = TempDir::new();
    let copy = folder.file("other.so");
    std::fs::copy(&service, &copy).expect("a copy");
    let server = Server::with(&["--loadmodule", &service, "--loadmodule", &user]);
    let mut client = server.connect();
    assert_wire(&mut client, &["TICKET.TAKE", "q"], b"$6\r\nq-0001\r\n");
    for round in 2..6 {
        let path = if round % 2 == 0 { &copy } else { &service };
        assert_wire(&mut client, &["MODULE", "REPLACE", "counter", path], b"+OK\r\n");
        wait_until_replaced(&mut client);
        // The provider that the user resolved at its start is unmapped.
        assert_wire(&mut client, &["TICKET.TAKE", "q"], format!("$6\r\nq-000{round}\r\n"));
    }
    let said = client.text(&["MODULE", "UNLOAD", "counter"]);
    assert!(said.contains("uses its service"), "{said}");
}

#[test]
fn inline_values_are_converted_under_load_without_an_error() {
    let folder = TempDir::new();
    let copy = folder.file("strings.so");
    let server = Server::start();
    let mut client = server.connect();
    let list = client.text(&["INFO", "modules"]);
    let path =
        list.lines().find(|line| line.starts_with("plinth_module_string:")).and_then(|line| line.split("path=").nth(1));
    std::fs::copy(path.expect("strings are there"), &copy).expect("a copy");
    for at in 0..20_000 {
        client.send(&["SET", &format!("key:{at}"), &format!("value:{at}"), "EX", "1000"]);
    }
    for _ in 0..20_000 {
        assert_eq!(client.read(), b"+OK\r\n");
    }
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for worker in 0..3 {
            let (server, stop) = (&server, &stop);
            scope.spawn(move || {
                let mut client = server.connect();
                let mut count = 0;
                while !stop.load(Relaxed) {
                    count += 1;
                    let at = (count * 7919 + worker) % 20_000;
                    let value = format!("value:{at}");
                    let bulk = format!("${}\r\n{value}\r\n", value.len());
                    assert_wire(&mut client, &["GET", &format!("key:{at}")], bulk);
                    assert_wire(&mut client, &["INCR", &format!("count:{worker}")], format!(":{count}\r\n"));
                }
            });
        }
        assert_wire(&mut client, &["MODULE", "REPLACE", "string", &copy], b"+OK\r\n");
        wait_until_replaced(&mut client);
        std::thread::sleep(Duration::from_millis(50));
        stop.store(true, Relaxed);
    });
    assert!(client.text(&["TTL", "key:5"]).parse::<i64>().is_ok_and(|left| left > 900));
    let line = client.info("modules", "plinth_module_string").expect("it is listed");
    assert!(line.contains("values=20003") && line.ends_with("strings.so"), "{line}");
}

/// What a worker does to a bag of its own and to its own members of a shared one, and checks
/// against what it knows.
fn work(server: &Server, worker: u64, stop: &AtomicBool) -> (u64, Duration) {
    let mut client = server.connect();
    let mut known: HashMap<(String, String), i64> = HashMap::new();
    let (mut count, mut slowest, mut random) = (0, Duration::ZERO, worker + 1);
    while !stop.load(Relaxed) {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let key =
            if random >> 40 & 1 == 0 { "shared".to_owned() } else { format!("own:{worker}:{}", random >> 41 & 31) };
        let member = format!("w{worker}:{}", random >> 50 & 255);
        let value = known.entry((key.clone(), member.clone())).or_default();
        let by = if random >> 33 & 7 == 0 { -*value } else { (random >> 20 & 7) as i64 };
        let begun = Instant::now();
        if random >> 61 == 0 {
            assert_wire(&mut client, &["BAG.GET", &key, &member], format!(":{value}\r\n"));
        } else {
            *value += by;
            assert_wire(&mut client, &["BAG.ADD", &key, &member, &by.to_string()], format!(":{value}\r\n"));
        }
        slowest = slowest.max(begun.elapsed());
        count += 1;
    }
    for ((key, member), value) in known {
        assert_wire(&mut client, &["BAG.GET", &key, &member], format!(":{value}\r\n"));
    }
    (count, slowest)
}

#[test]
fn no_write_is_lost_while_values_are_converted_there_and_back() {
    let server = bags();
    let mut client = server.connect();
    client.command(&["BAG.FILL", "shared", "60000"]);
    client.raw("BAG.ADD warm m 1\r\n".repeat(2000));
    (0..2000).for_each(|_| drop(client.read()));
    for at in 0..3000 {
        client.command(&["BAG.ADD", &format!("still:{at}"), "m", &(at + 1).to_string()]);
    }
    let stop = AtomicBool::new(false);
    let done = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..6)
            .map(|worker| {
                let (server, stop) = (&server, &stop);
                scope.spawn(move || work(server, worker, stop))
            })
            .collect();
        for path in ["bag-tree", "bag", "bag-tree"] {
            assert_wire(&mut client, &["MODULE", "REPLACE", "bag", &build::library(path)], b"+OK\r\n");
            wait_until_replaced(&mut client);
        }
        assert_wire(&mut client, &["MODULE", "REPLACE", "bag", &build::library("bag")], b"+OK\r\n");
        wait_until("a part is converted", || has_come_to(&mut client, "current-elements", |count| count > 1000));
        let said = client.text(&["MODULE", "REPLACE", "ROLLBACK", "bag"]);
        assert!(said == "OK" || said.contains("is not being replaced"), "{said}");
        wait_until_replaced(&mut client);
        stop.store(true, Relaxed);
        workers.into_iter().map(|worker| worker.join().expect("every reply was right")).collect::<Vec<_>>()
    });
    let commands: u64 = done.iter().map(|(count, _)| count).sum();
    let slowest = done.iter().map(|(_, slowest)| *slowest).max().unwrap_or_default();
    println!("{commands} commands, the slowest took {slowest:?}");
    assert_wire(&mut client, &["BAG.GET", "shared", "m:59999"], b":60000\r\n");
    assert_wire(&mut client, &["BAG.GET", "still:2999", "m"], b":3000\r\n");
}

#[test]
fn a_module_in_c_takes_large_values_over_and_hands_them_on() {
    let folder = TempDir::new();
    let chains = cc::module(&folder, "tests/modules/bag.c", &[]);
    let server = bags();
    let mut client = server.connect();
    client.command(&["BAG.FILL", "large", "20000"]);
    client.command(&["BAG.ADD", "small", "m", "4"]);
    let (mut count, mut rounds) = (1i32, 0);
    for (path, which) in [(&chains, "chains"), (&build::library("bag-tree"), "tree"), (&chains, "chains")] {
        // It has no command that fills one, which the others have for tests.
        assert_wire(&mut client, &["MODULE", "REPLACE", "FORCE", "bag", path], b"+OK\r\n");
        rounds += 1;
        while is_replacing(&mut client) {
            count += 1;
            assert_wire(&mut client, &["BAG.ADD", "large", "m:0", "1"], format!(":{count}\r\n"));
            assert_wire(&mut client, &["BAG.ADD", "large", "new", "1"], format!(":{}\r\n", count - 1));
            assert_wire(
                &mut client,
                &["BAG.ADD", "large", &format!("m:{count}"), &(-count - 1).to_string()],
                b":0\r\n",
            );
        }
        let said = "'bag' has taken all values over: 2 converted, 1 of them in slices, 0 attempts failed";
        wait_until("it was done in slices", || server.log().matches(said).count() == rounds);
        assert_eq!(encoding(&mut client, "large"), which);
        assert_eq!(client.text(&["BAG.WHICH"]), which);
        let len = 20_000 - i64::from(count - 1) + i64::from(count > 1);
        assert_wire(&mut client, &["BAG.LEN", "large"], format!(":{len}\r\n"));
        assert_wire(&mut client, &["BAG.GET", "large", "m:0"], format!(":{count}\r\n"));
        assert_wire(&mut client, &["BAG.GET", "large", "m:19999"], b":20000\r\n");
        assert_wire(&mut client, &["BAG.GET", "small", "m"], b":4\r\n");
    }
}

#[test]
fn a_client_that_waits_is_served_by_the_new_module() {
    let folder = TempDir::new();
    let one = cc::module(&folder, "tests/wire/queue.c", &[]);
    let copy = folder.file("other.so");
    std::fs::copy(&one, &copy).expect("a copy");
    let server = Server::with(&["--loadmodule", &one]);
    let (mut client, mut waiting) = (server.connect(), server.connect());
    client.command(&["Q.PUSH", "there", "x"]);
    waiting.send(&["Q.TAKE", "q", "0"]);
    wait_until("it waits", || client.info("clients", "blocked_clients").as_deref() == Some("1"));
    assert_wire(&mut client, &["MODULE", "REPLACE", "queue", &copy], b"+OK\r\n");
    wait_until_replaced(&mut client);
    assert_wire(&mut client, &["Q.PUSH", "q", "late"], b":1\r\n");
    assert_eq!(waiting.read(), b"*2\r\n$1\r\nq\r\n$4\r\nlate\r\n");
    assert_wire(&mut client, &["Q.ITEMS", "there"], b"*1\r\n$1\r\nx\r\n");
}

#[test]
fn hooks_of_the_old_module_rest_until_a_rollback() {
    let folder = TempDir::new();
    let library = build::library("panicking");
    let copy = folder.file("other.so");
    std::fs::copy(&library, &copy).expect("a copy");
    let server = Server::with(&["--loadmodule", &library]);
    let mut client = server.connect();
    let calls = || server.log().matches("this hook panics on purpose").count();
    assert_wire(&mut client, &["PANIC.HOOK"], b"+OK\r\n");
    // A value that cannot be saved keeps the replacement from its end.
    assert_wire(&mut client, &["PANIC.PLACE", "k"], b"+OK\r\n");
    client.command(&["CONFIG", "SET", "timeout", "1000"]);
    wait_until("the hook was called", || calls() == 1);
    assert_wire(&mut client, &["MODULE", "REPLACE", "panicking", &copy], b"+OK\r\n");
    client.command(&["CONFIG", "SET", "timeout", "2000"]);
    assert_eq!(calls(), 1);
    assert_wire(&mut client, &["MODULE", "REPLACE", "ROLLBACK", "panicking"], b"+OK\r\n");
    client.command(&["CONFIG", "SET", "timeout", "3000"]);
    wait_until("the hook was called again", || calls() == 2);
    wait_until_replaced(&mut client);
}

#[test]
fn a_configuration_leaves_modules_out_and_others_take_their_place() {
    let folder = TempDir::new();
    let server = Server::with(&["--module-exclude", "list", "string"]);
    let mut client = server.connect();
    let modules = client.text(&["INFO", "modules"]);
    assert!(modules.contains("name=keys") && !modules.contains("name=string"), "{modules}");
    server.wait_for_log("Module 'string' is left out, as module-exclude says.");
    assert_wire(
        &mut client,
        &["CONFIG", "GET", "module-exclude"],
        b"*2\r\n$14\r\nmodule-exclude\r\n$11\r\nlist string\r\n",
    );
    let file = folder.file("redis.conf");
    std::fs::write(&file, "module-exclude string\n").expect("a file");
    let server = Server::with(&[&file]);
    let mut client = server.connect();
    assert!(client.text(&["SET", "k", "v"]).starts_with("ERR unknown command"));
    assert_wire(&mut client, &["CONFIG", "SET", "module-exclude", "string zset"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "REWRITE"], b"+OK\r\n");
    let text = std::fs::read_to_string(&file).expect("the file");
    assert!(text.contains("module-exclude string zset\n"), "{text}");
}
