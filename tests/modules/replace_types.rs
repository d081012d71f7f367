//! MODULE REPLACE of a type that clients work with: the sorted sets by those of
//! `examples/zset-skiplist`, and back.

use crate::replace::{has_come_to, wait_until_replaced};
use plinth_testkit::{Client, Server, TempDir, assert_wire, build, cc, wait_until};
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Elements of the large sorted set: many slices.
const LARGE: usize = 50_000;
/// Scores: few, so that many elements have the same.
const SCORES: usize = 97;

/// The library of the sorted sets that serve now.
pub(crate) fn path(client: &mut Client) -> String {
    path_of(client, "zset")
}

/// Where the module of a name was loaded from.
pub(crate) fn path_of(client: &mut Client, module: &str) -> String {
    let line = client.info("modules", &format!("plinth_module_{module}")).expect("the module is there");
    line.split("path=").nth(1).expect("it says where from").to_owned()
}

/// Adds members `m:<number>`, a thousand a command.
fn fill(client: &mut Client, key: &str, count: usize) {
    for start in (0..count).step_by(1000) {
        let mut args = vec!["ZADD".to_owned(), key.to_owned()];
        for number in start..count.min(start + 1000) {
            args.extend([(number * 31 % SCORES).to_string(), format!("m:{number}")]);
        }
        client.send(&args);
        assert_eq!(client.read(), format!(":{}\r\n", (args.len() - 2) / 2).into_bytes());
    }
}

/// Sorted sets on both sides of the threshold, and the large one.
fn fill_all(client: &mut Client) -> Vec<String> {
    let mut keys: Vec<String> = (1..=200).map(|size| format!("k:{size}")).collect();
    for (place, key) in keys.iter().enumerate() {
        fill(client, key, place + 1);
    }
    client.command(&["ZADD", "k:odd", "-inf", "", "inf", "x", "0.1", "\u{e9}", "1e300", &"y".repeat(65)]);
    fill(client, "large", LARGE);
    keys.extend(["k:odd".to_owned(), "large".to_owned()]);
    keys
}

/// Every key's payload, which for sorted sets is in order and so says all.
fn dumps(client: &mut Client, keys: &[String]) -> Vec<Vec<u8>> {
    let payload = |key: &String| match client.ask(&["DUMP", key]) {
        plinth_testkit::Reply::Bulk(payload) => payload,
        other => panic!("DUMP {key}: {other:?}"),
    };
    keys.iter().map(payload).collect()
}

#[test]
fn sorted_sets_are_the_same_bytes_in_another_structure_and_back() {
    let server = Server::start();
    let mut client = server.connect();
    let keys = fill_all(&mut client);
    let (tree, before) = (path(&mut client), dumps(&mut client, &keys));
    for (round, library) in [build::library("zset-skiplist"), tree].into_iter().enumerate() {
        assert_wire(&mut client, &["MODULE", "REPLACE", "zset", &library], b"+OK\r\n");
        wait_until_replaced(&mut client);
        assert_eq!(path(&mut client), library);
        let said = "'zset' has taken all values over: 202 converted, 1 of them in slices, 0 attempts failed";
        wait_until("the large one was done in slices", || server.log().matches(said).count() == round + 1);
        let after = dumps(&mut client, &keys);
        let differing = keys.iter().zip(before.iter().zip(&after)).find(|(_, (before, after))| before != after);
        assert!(differing.is_none(), "{:?}", differing.map(|(key, _)| key));
        assert_wire(&mut client, &["ZCARD", "large"], format!(":{LARGE}\r\n"));
        // Another module reaches them through the service.
        assert_wire(&mut client, &["SORT", "k:2", "BY", "nosort"], b"*2\r\n$3\r\nm:0\r\n$3\r\nm:1\r\n");
    }
}

#[test]
fn a_rollback_in_the_middle_keeps_what_both_modules_wrote() {
    let server = Server::start();
    let mut client = server.connect();
    let keys = fill_all(&mut client);
    let (tree, before) = (path(&mut client), dumps(&mut client, &keys));
    let replace = format!("MODULE REPLACE zset {}\r\n", build::library("zset-skiplist"));
    for follows in ["MODULE REPLACE PAUSE zset\r\n", "MODULE REPLACE STATUS\r\n"] {
        client.raw(format!("{replace}{follows}"));
        assert_eq!(client.read(), b"+OK\r\n");
        client.read();
        // Small ones are converted by that, and large ones stay, or are on their way.
        for key in &keys {
            assert_wire(&mut client, &["ZADD", key, "-7", "new"], b":1\r\n");
        }
        fill(&mut client, "born", 5000);
        assert_wire(&mut client, &["MODULE", "REPLACE", "ROLLBACK", "zset"], b"+OK\r\n");
        assert_wire(&mut client, &["ZRANGE", "born", "0", "0"], b"*1\r\n$3\r\nm:0\r\n");
        for key in &keys {
            assert_wire(&mut client, &["ZSCORE", key, "new"], b"$2\r\n-7\r\n");
            assert_wire(&mut client, &["ZREM", key, "new"], b":1\r\n");
        }
        wait_until_replaced(&mut client);
        assert_eq!(path(&mut client), tree);
        assert!(dumps(&mut client, &keys) == before, "with {follows}");
        assert_wire(&mut client, &["ZCARD", "born"], b":5000\r\n");
        assert_wire(&mut client, &["DEL", "born"], b":1\r\n");
    }
}

#[test]
fn who_waits_for_an_element_is_served_by_the_new_module() {
    let server = Server::start();
    let (mut client, mut first, mut second) = (server.connect(), server.connect(), server.connect());
    fill(&mut client, "other", 300);
    let tree = path(&mut client);
    for library in [build::library("zset-skiplist"), tree] {
        first.send(&["BZPOPMIN", "none", "q", "0"]);
        wait_until("one waits", || client.info("clients", "blocked_clients").as_deref() == Some("1"));
        second.send(&["BZMPOP", "0", "1", "q", "MAX", "COUNT", "2"]);
        wait_until("two wait", || client.info("clients", "blocked_clients").as_deref() == Some("2"));
        assert_wire(&mut client, &["MODULE", "REPLACE", "zset", &library], b"+OK\r\n");
        wait_until_replaced(&mut client);
        assert_eq!(path(&mut client), library);
        assert_wire(&mut client, &["ZADD", "q", "1", "a", "2", "b", "3", "c"], b":3\r\n");
        assert_eq!(first.read(), b"*3\r\n$1\r\nq\r\n$1\r\na\r\n$1\r\n1\r\n");
        let two = b"*2\r\n$1\r\nq\r\n*2\r\n*2\r\n$1\r\nc\r\n$1\r\n3\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n";
        assert_eq!(second.read(), two);
        assert_wire(&mut client, &["EXISTS", "q"], b":0\r\n");
    }
}

/// A sorted set as a worker knows it.
#[derive(Default)]
struct Known {
    scores: HashMap<String, i64>,
    order: BTreeSet<(i64, String)>,
}

impl Known {
    /// Whether the member is new.
    fn set(&mut self, member: &str, score: i64) -> bool {
        let before = self.scores.insert(member.to_owned(), score);
        if let Some(before) = before {
            self.order.remove(&(before, member.to_owned()));
        }
        self.order.insert((score, member.to_owned()));
        before.is_none()
    }

    fn remove(&mut self, member: &str) -> bool {
        let Some(score) = self.scores.remove(member) else { return false };
        self.order.remove(&(score, member.to_owned()))
    }

    fn rank(&self, member: &str) -> Option<usize> {
        let element = (*self.scores.get(member)?, member.to_owned());
        Some(self.order.range(..element).count())
    }
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

/// Members and scores as ZRANGE shows them.
fn shown<'e>(elements: impl Iterator<Item = &'e (i64, String)>) -> String {
    let texts: Vec<String> = elements.flat_map(|(score, member)| [bulk(member), bulk(&score.to_string())]).collect();
    format!("*{}\r\n{}", texts.len(), texts.concat())
}

/// A client with numbers that look random.
struct Worker {
    client: Client,
    number: u64,
    random: u64,
}

impl Worker {
    fn below(&mut self, end: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % end
    }

    fn check(&mut self, args: &[&str], expected: impl AsRef<[u8]>) {
        assert_wire(&mut self.client, args, expected);
    }

    fn member(&mut self, members: u64) -> String {
        let at = self.below(members);
        format!("w{}:{at}", self.number)
    }

    /// One command about a member of its own.
    fn touch(&mut self, key: &str, members: u64, known: &mut Known) {
        let member = self.member(members);
        let score = self.below(SCORES as u64) as i64;
        match self.below(8) {
            0..=3 => {
                let added = i64::from(known.set(&member, score));
                self.check(&["ZADD", key, &score.to_string(), &member], format!(":{added}\r\n"));
            }
            4 => {
                let sum = known.scores.get(&member).copied().unwrap_or(0) + score - 40;
                known.set(&member, sum);
                self.check(&["ZINCRBY", key, &(score - 40).to_string(), &member], bulk(&sum.to_string()));
            }
            5 => {
                let removed = i64::from(known.remove(&member));
                self.check(&["ZREM", key, &member], format!(":{removed}\r\n"));
            }
            _ => {
                let expected = known.scores.get(&member).map_or("$-1\r\n".to_owned(), |score| bulk(&score.to_string()));
                self.check(&["ZSCORE", key, &member], expected);
            }
        }
    }

    /// One command about a key that nobody else uses.
    fn look(&mut self, key: &str, members: u64, known: &mut Known) {
        let member = self.member(members);
        match self.below(5) {
            0 => {
                let expected = known.rank(&member).map_or("$-1\r\n".to_owned(), |rank| format!(":{rank}\r\n"));
                self.check(&["ZRANK", key, &member], expected);
            }
            1 => {
                let popped = known.order.pop_first();
                let expected = shown(popped.iter());
                if let Some((_, member)) = popped {
                    known.scores.remove(&member);
                }
                self.check(&["ZPOPMIN", key], expected);
            }
            2 => self.check(&["ZCARD", key], format!(":{}\r\n", known.order.len())),
            3 => {
                let start = self.below(members) as usize;
                let expected = shown(known.order.iter().skip(start).take(9));
                self.check(&["ZRANGE", key, &start.to_string(), &(start + 8).to_string(), "WITHSCORES"], expected);
            }
            _ => {
                let score = self.below(SCORES as u64) as i64;
                let count = known.order.iter().filter(|element| element.0 == score).count();
                let score = score.to_string();
                self.check(&["ZCOUNT", key, &score, &score], format!(":{count}\r\n"));
            }
        }
    }

    /// Works until it is told to stop; what it knows of the shared key, and how many commands it sent.
    fn work(mut self, stop: &AtomicBool) -> (usize, u64) {
        let own = [(format!("own:{}:small", self.number), 100), (format!("own:{}:large", self.number), 4000)];
        let (mut known, mut shared, mut count) = ([Known::default(), Known::default()], Known::default(), 0);
        while !stop.load(Relaxed) {
            let place = self.below(2) as usize;
            let (key, members) = &own[place];
            self.touch(key, *members, &mut known[place]);
            self.look(key, *members, &mut known[place]);
            self.touch("large", 3000, &mut shared);
            count += 3;
        }
        for ((key, _), known) in own.iter().zip(&known) {
            self.check(&["ZRANGE", key, "0", "-1", "WITHSCORES"], shown(known.order.iter()));
        }
        for (member, score) in &shared.scores {
            self.check(&["ZSCORE", "large", member], bulk(&score.to_string()));
        }
        (shared.scores.len(), count)
    }
}

#[test]
fn clients_see_all_that_they_wrote_while_sorted_sets_change_their_structure() {
    let server = Server::start();
    let mut client = server.connect();
    fill_all(&mut client);
    let (tree, list) = (path(&mut client), build::library("zset-skiplist"));
    let stop = AtomicBool::new(false);
    let done = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|number| {
                let worker = Worker { client: server.connect(), number, random: number + 1 };
                let stop = &stop;
                scope.spawn(move || worker.work(stop))
            })
            .collect();
        for library in [&list, &tree, &list] {
            assert_wire(&mut client, &["MODULE", "REPLACE", "zset", library], b"+OK\r\n");
            wait_until_replaced(&mut client);
        }
        // And one that is taken back on its way.
        assert_wire(&mut client, &["MODULE", "REPLACE", "zset", &tree], b"+OK\r\n");
        wait_until("a part is converted", || has_come_to(&mut client, "current-elements", |count| count > 1000));
        let said = client.text(&["MODULE", "REPLACE", "ROLLBACK", "zset"]);
        assert!(said == "OK" || said.contains("is not being replaced"), "{said}");
        wait_until_replaced(&mut client);
        stop.store(true, Relaxed);
        workers.into_iter().map(|worker| worker.join().expect("every reply was right")).collect::<Vec<_>>()
    });
    let commands: u64 = done.iter().map(|(_, count)| count).sum();
    println!("{commands} commands");
    let shared: usize = done.iter().map(|(shared, _)| shared).sum();
    assert_wire(&mut client, &["ZCARD", "large"], format!(":{}\r\n", LARGE + shared));
    for start in (0..LARGE).step_by(1000) {
        let members: Vec<String> = (start..start + 1000).map(|number| format!("m:{number}")).collect();
        let mut args = vec!["ZMSCORE", "large"];
        args.extend(members.iter().map(String::as_str));
        let expected: Vec<String> =
            (start..start + 1000).map(|number| bulk(&(number * 31 % SCORES).to_string())).collect();
        assert_wire(&mut client, &args, format!("*1000\r\n{}", expected.concat()));
    }
}

/// How many values wait to be freed.
fn pending(client: &mut Client) -> u32 {
    let count = client.info("memory", "lazyfree_pending_objects").expect("it is told");
    count.parse().expect("it is a number")
}

/// Has the freeing thread wait in the middle of its work.
fn hold(client: &mut Client) {
    assert_wire(client, &["HOLDER.MAKE", "held"], b"+OK\r\n");
    assert_wire(client, &["UNLINK", "held"], b":1\r\n");
}

/// Has it go on, and do all that it has to do.
fn release(client: &mut Client) {
    assert_wire(client, &["HOLDER.RELEASE"], b"+OK\r\n");
    wait_until("all is freed", || pending(client) == 0);
}

/// When the first rollback came, the freeing thread had been asked for word that all of the old module is
/// freed. The module that went inactive by the second one had that word, and was unmapped while the value
/// that was half made for it waited to be freed: the thread ran code that was gone.
#[test]
fn a_module_outlives_what_a_second_rollback_leaves_to_be_freed() {
    let folder = TempDir::new();
    let holder = cc::module(&folder, "tests/modules/holder.c", &[]);
    let server = Server::within(folder, &["--loadmodule", &holder]);
    let mut client = server.connect();
    fill(&mut client, "k", 300_000);
    let mut paths = [build::library("zset-skiplist"), path(&mut client)].into_iter().cycle();
    // That the value is converted back before the second rollback is a matter of the machine: then once more.
    let is_hit = (0..8).any(|_| {
        let next = paths.next().expect("it goes round");
        hold(&mut client);
        assert_wire(&mut client, &["MODULE", "REPLACE", "zset", &next], b"+OK\r\n");
        wait_until("the value is converted", || has_come_to(&mut client, "left", |left| left == 0));
        assert_wire(&mut client, &["MODULE", "REPLACE", "ROLLBACK", "zset"], b"+OK\r\n");
        wait_until("a part is back", || has_come_to(&mut client, "current-elements", |count| count > 1000));
        release(&mut client);
        hold(&mut client);
        let back = client.text(&["MODULE", "REPLACE", "ROLLBACK", "zset"]) == "OK";
        // The one that is held, and the half of a value.
        let is_hit = back && pending(&mut client) == 2;
        if is_hit {
            // It has nothing to wait for but the thread, and would be gone long ago.
            wait_until("no value is left", || has_come_to(&mut client, "left", |left| left == 0));
            for _ in 0..200 {
                assert!(!client.ask(&["MODULE", "REPLACE", "STATUS"]).items().is_empty(), "it did not wait");
            }
        }
        release(&mut client);
        wait_until_replaced(&mut client);
        assert_wire(&mut client, &["ZCARD", "k"], b":300000\r\n");
        is_hit
    });
    assert!(is_hit, "the second rollback never came in the middle");
}
