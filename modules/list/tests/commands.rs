//! The commands within the test: encodings, events, what is passed on to replicas, the service,
//! and everything at once against a plain deque.

#![deny(unsafe_code)]
#![allow(missing_docs, clippy::unwrap_used)]

use plinth_module::abi;
use plinth_module::list::Lists;
use plinth_module::prelude::*;
use plinth_testbed::Testbed;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::ops::ControlFlow;

static LISTS: Lists = Lists::new();

/// `LEND key start stop`: what the service shows, with the length before.
fn lend(call: &mut Call<'_>) -> Result {
    LISTS.resolve(call)?;
    let (key, start, stop) = (call.args.bytes(1), call.args.integer(2)?, call.args.integer(3)?);
    let mut shown = format!("{:?}", LISTS.len(&mut call.keys, key)?).into_bytes();
    let is_there = LISTS.visit(&mut call.keys, key, start, stop, |element| {
        shown.push(b' ');
        shown.extend_from_slice(element);
        if element == b"stop" { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    call.reply.bulk([&shown[..], if is_there { b"" } else { b" absent" }].concat());
    Ok(())
}

/// `GIVE key elements...`: sets a list through the service.
fn give(call: &mut Call<'_>) -> Result {
    LISTS.resolve(call)?;
    let elements: Vec<&[u8]> = call.args.from(2).collect();
    LISTS.set(&mut call.keys, call.args.bytes(1), &elements, "given")?;
    call.reply.ok();
    Ok(())
}

/// `LAST key`: gives a key an expiry.
fn last(call: &mut Call<'_>) -> Result {
    let mut entry = call.keys.get_any(call.args.bytes(1), 0)?.ok_or(Error::None)?;
    entry.set_expire(Some(EXPIRE_AT_MS))?;
    call.reply.ok();
    Ok(())
}

const EXPIRE_AT_MS: i64 = 4_000_000_000_000;

/// The module that uses the service. `export!` makes one symbol per binary, and that is the tested
/// module's: what every Rust module has in its entry is taken from there.
static OTHER: abi::entry::Module = abi::entry::Module {
    name: text("other"),
    types: list(&[]),
    commands: list(&[
        Command { name: text("lend"), arity: 4, flags: COMMAND_READONLY, run: run(lend), ..Command::NEW },
        Command { name: text("last"), arity: 2, flags: COMMAND_WRITE, run: run(last), ..Command::NEW },
        Command { name: text("give"), arity: -2, flags: COMMAND_WRITE, run: run(give), ..Command::NEW },
    ]),
    configs: list(&[]),
    provides: list(&[]),
    ..plinth_list::plinth_module_entry
};

struct Server(Testbed);

impl Server {
    fn new() -> Server {
        let mut host = Testbed::new(&plinth_list::plinth_module_entry).unwrap();
        host.load(&OTHER, &[] as &[&str]).unwrap();
        Server(host)
    }

    /// Runs a line of words and returns the reply, with `|` for line ends.
    fn run(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        String::from_utf8_lossy(&self.0.run(&words)).replace("\r\n", "|")
    }

    #[track_caller]
    fn expect(&mut self, line: &str, reply: &str) {
        assert_eq!(self.run(line), reply, "{line}");
    }

    /// The events since the last time: name and key, with `!` when it counts as a change.
    fn events(&mut self) -> Vec<String> {
        let events = self.0.take_events().into_iter().filter(|event| event.name != "new");
        let show = |event: plinth_testbed::KeyEvent| {
            let class = if event.name == "del" { EVENT_GENERIC } else { EVENT_LIST };
            assert_eq!(event.class, class, "{}", event.name);
            let change = if event.is_modified { "!" } else { "" };
            format!("{} {}{change}", event.name, String::from_utf8_lossy(&event.key))
        };
        events.map(show).collect()
    }

    fn propagated(&mut self) -> Vec<String> {
        let show = |args: Vec<Vec<u8>>| String::from_utf8_lossy(&args.join(&b' ')).into_owned();
        self.0.take_propagated().into_iter().map(show).collect()
    }

    #[track_caller]
    fn expect_events(&mut self, line: &str, events: &[&str]) {
        self.events();
        self.run(line);
        assert_eq!(self.events(), events, "{line}");
    }

    #[track_caller]
    fn expect_propagated(&mut self, line: &str, commands: &[&str]) {
        self.propagated();
        self.run(line);
        assert_eq!(self.propagated(), commands, "{line}");
    }
}

#[test]
fn every_change_is_announced() {
    let mut server = Server::new();
    server.expect_events("lpush l a b", &["lpush l!"]);
    server.expect_events("rpushx l c", &["rpush l!"]);
    server.expect_events("rpushx none c", &[]);
    server.expect_events("lset l 0 x", &["lset l!"]);
    server.expect_events("linsert l before a y", &["linsert l!"]);
    server.expect_events("linsert l before none y", &[]);
    server.expect_events("lrem l 0 none", &[]);
    server.expect_events("lrem l 0 y", &["lrem l!"]);
    server.expect_events("ltrim l 0 1", &["ltrim l!"]);
    server.expect_events("rpop l", &["rpop l!"]);
    server.expect_events("lpop l 0", &[]);
    server.expect_events("lmove l l left right", &["rpush l", "lpop l!"]);
    server.expect_events("rpoplpush l m", &["lpush m!", "rpop l!", "del l"]);
    server.expect_events("lmpop 2 l m left count 9", &["lpop m!", "del m"]);
    server.run("rpush l a a");
    server.expect_events("lrem l 0 a", &["lrem l!", "del l"]);
    server.run("rpush l a a");
    server.expect_events("ltrim l 5 6", &["ltrim l!", "del l"]);
}

#[test]
fn what_depends_on_more_than_its_arguments_is_passed_on_as_what_it_did() {
    let mut server = Server::new();
    server.run("rpush l 1 2 3 4 5 6 7 8 9");
    server.expect_propagated("lmpop 2 none l left count 2", &["LPOP l 2"]);
    server.expect_propagated("blmpop 0 1 l right", &["RPOP l 1"]);
    server.expect_propagated("blpop none l 0", &["LPOP l"]);
    server.expect_propagated("brpop l 0", &["RPOP l"]);
    server.expect_propagated("blmove l m left RIGHT 0", &["LMOVE l m left RIGHT"]);
    server.expect_propagated("brpoplpush l m 0", &["RPOPLPUSH l m"]);
    server.expect_propagated("lpop none", &[]);
}

#[test]
fn a_list_that_grows_becomes_large_and_small_again() {
    let mut server = Server::new();
    for at in 0..2000 {
        server.expect(&format!("rpush l element:{at}"), &format!(":{}|", at + 1));
    }
    assert_eq!(server.0.encoding("l").as_deref(), Some("quicklist"));
    server.expect("lindex l 1234", "$12|element:1234|");
    server.0.save_and_load("l").unwrap();
    server.expect("llen l", ":2000|");
    server.expect("lrange l 999 1000", "*2|$11|element:999|$12|element:1000|");
    server.expect("ltrim l 500 519", "+OK|");
    assert_eq!(server.0.encoding("l").as_deref(), Some("listpack"));
    server.expect("lrange l 18 -1", "*2|$11|element:518|$11|element:519|");
}

#[test]
fn expiry_stays_when_the_form_changes() {
    let mut server = Server::new();
    server.run("rpush l a");
    server.expect("last l", "+OK|");
    let long = "x".repeat(3000);
    server.expect(&format!("rpush l {long} {long} {long}"), ":4|");
    assert_eq!(server.0.expire_at_ms("l"), Some(EXPIRE_AT_MS));
    server.expect("ltrim l 0 0", "+OK|");
    assert_eq!(server.0.expire_at_ms("l"), Some(EXPIRE_AT_MS));
    server.run(&format!("rpush l {}", "element ".repeat(999).trim_end()));
    server.expect("ltrim l 200 799", "+OK|");
    assert_eq!(server.0.expire_at_ms("l"), Some(EXPIRE_AT_MS));
    server.run("give l a");
    assert_eq!(server.0.expire_at_ms("l"), None);
}

#[test]
fn nothing_changes_without_memory() {
    let mut server = Server::new();
    server.run("rpush l a b");
    server.0.refuse_memory(true);
    assert!(server.run("rpush l c").starts_with("-OOM"));
    assert!(server.run("rpush m c").starts_with("-OOM"));
    assert!(server.run("linsert l before b c").starts_with("-OOM"));
    server.0.refuse_memory(false);
    server.expect("lrange l 0 -1", "*2|$1|a|$1|b|");
    assert!(!server.0.has("m"));
}

#[test]
fn other_modules_reach_lists_through_the_service() {
    let mut server = Server::new();
    server.expect("lend l 0 -1", "$11|None absent|");
    server.expect("give l 1 a stop b", "+OK|");
    assert_eq!(server.events(), ["given l!"]);
    server.expect("lend l 0 -1", "$16|Some(4) 1 a stop|");
    server.expect("lend l -1 9", "$9|Some(4) b|");
    server.expect("lend l 7 9", "$7|Some(4)|");
    server.run(&format!("give l {}", "element ".repeat(500).trim_end()));
    server.expect("llen l", ":500|");
    server.events();
    server.expect("give l", "+OK|");
    assert_eq!(server.events(), ["del l!"]);
    assert!(!server.0.has("l"));
}

#[test]
fn a_client_waits_until_there_is_something_for_it() {
    let mut server = Server::new();
    server.0.run(&["blpop", "l", "m", "0"]);
    assert_eq!(server.0.waiting().len(), 1);
    server.run("rpush m 7");
    let served = server.0.take_served();
    assert_eq!(served.len(), 1);
    assert_eq!(served[0].1, b"*2\r\n$1\r\nm\r\n$1\r\n7\r\n");
    assert!(!server.0.has("m"));
    let null = server.0.run_without_waiting(&["blmove", "l", "m", "left", "left", "0"]);
    assert_eq!(null, b"$-1\r\n");
}

#[derive(Clone, Debug)]
enum Step {
    Push(bool, Vec<Vec<u8>>),
    Pop(bool, usize),
    Set(i64, Vec<u8>),
    Insert(Vec<u8>, bool, Vec<u8>),
    Remove(i64, Vec<u8>),
    Trim(i64, i64),
    Find(Vec<u8>, i64),
    Reload,
}

fn element() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => (0i64..9).prop_map(|integer| integer.to_string().into_bytes()),
        2 => any::<i64>().prop_map(|integer| integer.to_string().into_bytes()),
        4 => "[a-c]{0,2}".prop_map(String::into_bytes),
        2 => prop::collection::vec(any::<u8>(), 0..200),
        1 => (300usize..2500, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (any::<bool>(), prop::collection::vec(element(), 1..40)).prop_map(|(side, all)| Step::Push(side, all)),
        3 => (any::<bool>(), 0usize..60).prop_map(|(side, count)| Step::Pop(side, count)),
        3 => (-40i64..40, element()).prop_map(|(at, element)| Step::Set(at, element)),
        4 => (element(), any::<bool>(), element()).prop_map(|(pivot, side, new)| Step::Insert(pivot, side, new)),
        2 => (-3i64..4, element()).prop_map(|(count, element)| Step::Remove(count, element)),
        1 => (-90i64..20, -20i64..90).prop_map(|(start, stop)| Step::Trim(start, stop)),
        2 => (element(), prop::sample::select(vec![1i64, 2, -1, -2])).prop_map(|(wanted, rank)| Step::Find(wanted, rank)),
        1 => Just(Step::Reload),
    ]
}

fn bulks(elements: &[Vec<u8>]) -> Vec<u8> {
    let mut reply = format!("*{}\r\n", elements.len()).into_bytes();
    for element in elements {
        reply.extend_from_slice(format!("${}\r\n", element.len()).as_bytes());
        reply.extend_from_slice(element);
        reply.extend_from_slice(b"\r\n");
    }
    reply
}

fn integer(value: i64) -> Vec<u8> {
    format!(":{value}\r\n").into_bytes()
}

/// What a step answers, done to the model.
fn model(list: &mut VecDeque<Vec<u8>>, step: &Step) -> Vec<u8> {
    let len = list.len() as i64;
    let absolute = |at: i64| if at < 0 { at + len } else { at };
    match step {
        Step::Push(front, all) => {
            all.iter().cloned().for_each(|one| if *front { list.push_front(one) } else { list.push_back(one) });
            integer(list.len() as i64)
        }
        Step::Pop(_, _) if list.is_empty() => b"*-1\r\n".into(),
        Step::Pop(front, count) => {
            let pop = |_| if *front { list.pop_front() } else { list.pop_back() };
            bulks(&(0..*count).map_while(pop).collect::<Vec<_>>())
        }
        Step::Set(_, _) if list.is_empty() => b"-ERR no such key\r\n".into(),
        Step::Set(at, element) => match list.get_mut(usize::try_from(absolute(*at)).unwrap_or(usize::MAX)) {
            Some(old) => {
                *old = element.clone();
                b"+OK\r\n".into()
            }
            None => b"-ERR index out of range\r\n".into(),
        },
        Step::Insert(pivot, behind, new) => match list.iter().position(|element| element == pivot) {
            Some(at) => {
                list.insert(at + usize::from(*behind), new.clone());
                integer(list.len() as i64)
            }
            None => integer(if list.is_empty() { 0 } else { -1 }),
        },
        Step::Remove(count, element) => {
            let mut found: Vec<usize> = (0..list.len()).filter(|&at| &list[at] == element).collect();
            if *count < 0 {
                found.reverse();
            }
            found.truncate(if *count == 0 { usize::MAX } else { count.unsigned_abs() as usize });
            found.sort_unstable();
            found.iter().rev().for_each(|&at| drop(list.remove(at)));
            integer(found.len() as i64)
        }
        Step::Trim(start, stop) => {
            let (start, stop) = (absolute(*start).max(0), absolute(*stop));
            let mut at = -1;
            list.retain(|_| {
                at += 1;
                (start..=stop).contains(&at)
            });
            b"+OK\r\n".into()
        }
        Step::Find(wanted, rank) => {
            let mut found: Vec<usize> = (0..list.len()).filter(|&at| &list[at] == wanted).collect();
            if *rank < 0 {
                found.reverse();
            }
            found.get(rank.unsigned_abs() as usize - 1).map_or(b"$-1\r\n".into(), |&at| integer(at as i64))
        }
        Step::Reload => Vec::new(),
    }
}

/// What a step answers on the server.
fn real(server: &mut Testbed, step: &Step) -> Vec<u8> {
    let digits = |value: i64| value.to_string().into_bytes();
    let side = |front: &bool, names: [&str; 2]| names[usize::from(!*front)].as_bytes().to_vec();
    let key = b"l".to_vec();
    let args: Vec<Vec<u8>> = match step {
        Step::Push(front, all) => {
            [side(front, ["lpush", "rpush"]), key].into_iter().chain(all.iter().cloned()).collect()
        }
        Step::Pop(front, count) => vec![side(front, ["lpop", "rpop"]), key, digits(*count as i64)],
        Step::Set(at, element) => vec![b"lset".into(), key, digits(*at), element.clone()],
        Step::Insert(pivot, behind, new) => {
            vec![b"linsert".into(), key, side(behind, ["after", "before"]), pivot.clone(), new.clone()]
        }
        Step::Remove(count, element) => vec![b"lrem".into(), key, digits(*count), element.clone()],
        Step::Trim(start, stop) => vec![b"ltrim".into(), key, digits(*start), digits(*stop)],
        Step::Find(wanted, rank) => vec![b"lpos".into(), key, wanted.clone(), b"rank".into(), digits(*rank)],
        Step::Reload => {
            if server.has("l") {
                server.save_and_load("l").unwrap();
            }
            return Vec::new();
        }
    };
    server.run(&args)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn lists_do_what_a_plain_deque_does(steps in prop::collection::vec(step(), 1..60)) {
        let mut server = Server::new();
        let mut list = VecDeque::new();
        for step in steps {
            prop_assert_eq!(real(&mut server.0, &step), model(&mut list, &step));
            let all: Vec<Vec<u8>> = list.iter().cloned().collect();
            prop_assert_eq!(server.0.run(&["lrange", "l", "0", "-1"]), bulks(&all));
            prop_assert_eq!(server.0.has("l"), !list.is_empty());
        }
    }

    #[test]
    fn a_damaged_payload_is_refused_or_is_a_list(
        elements in prop::collection::vec(element(), 1..20),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut server = Server::new();
        let args: Vec<Vec<u8>> = [b"rpush".to_vec(), b"l".to_vec()].into_iter().chain(elements).collect();
        server.0.run(&args);
        let mut payload = server.0.dump("l").unwrap();
        for (at, byte) in damage {
            let at = at.index(payload.len());
            payload[at] = byte;
        }
        if server.0.restore("l", &payload).is_ok() {
            prop_assert!(server.run("llen l") != ":0|");
            server.run("lrange l 0 -1");
            server.run("lrem l 0 x");
        }
    }
}
