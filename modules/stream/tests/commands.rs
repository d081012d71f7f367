//! The commands within the test: events, what is passed on to replicas, and that a replica which is
//! told no more than that comes to hold the same.

#![deny(unsafe_code)]
#![allow(missing_docs, clippy::unwrap_used)]

use plinth_module::prelude::*;
use plinth_testbed::Testbed;
use proptest::prelude::*;

/// The database that is told no more than what is passed on.
const REPLICA: u32 = 1;

struct Server(Testbed);

impl Server {
    fn new() -> Server {
        Server(Testbed::new(&plinth_stream::plinth_module_entry).unwrap())
    }

    fn run(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        String::from_utf8_lossy(&self.0.run(&words)).replace("\r\n", "|")
    }

    /// The events since the last time, those without a name as `-`, with `!` when it counts as a change.
    fn events(&mut self) -> Vec<String> {
        let events = self.0.take_events().into_iter().filter(|event| event.name != "new");
        let show = |event: plinth_testbed::KeyEvent| {
            assert_eq!(event.class, if event.name.is_empty() { 0 } else { EVENT_STREAM }, "{}", event.name);
            let name = if event.name.is_empty() { "-" } else { &event.name };
            format!("{name}{}", if event.is_modified { "!" } else { "" })
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
        let answer = self.run(line);
        assert!(!answer.starts_with('-'), "{line}: {answer}");
        assert_eq!(self.events(), events, "{line}");
    }

    #[track_caller]
    fn expect_propagated(&mut self, line: &str, commands: &[&str]) {
        self.propagated();
        let answer = self.run(line);
        assert!(!answer.starts_with('-'), "{line}: {answer}");
        assert_eq!(self.propagated(), commands, "{line}");
    }
}

#[test]
fn every_change_is_announced_once() {
    let mut server = Server::new();
    server.expect_events("xadd s 1 a b", &["xadd!"]);
    server.expect_events("xadd s maxlen 2 2 a b", &["xadd!"]);
    server.expect_events("xadd s maxlen 2 3 a b", &["xadd!", "xtrim"]);
    server.expect_events("xadd none nomkstream 3 a b", &[]);
    server.expect_events("xgroup create s g 0", &["xgroup-create!"]);
    server.expect_events("xgroup create new g 0 mkstream", &["xgroup-create!"]);
    server.expect_events("xgroup createconsumer s g a", &["xgroup-createconsumer!"]);
    server.expect_events("xgroup createconsumer s g a", &[]);
    server.expect_events("xreadgroup group g a streams s >", &["-!"]);
    server.expect_events("xreadgroup group g a streams s >", &[]);
    server.expect_events("xreadgroup group g b streams s >", &["xgroup-createconsumer!"]);
    server.expect_events("xreadgroup group g a streams s 0", &["-!"]);
    server.expect_events("xclaim s g a 0 9", &[]);
    server.expect_events("xclaim s g c 0 2", &["xgroup-createconsumer!"]);
    server.expect_events("xclaim s g c 0 3", &["-!"]);
    server.expect_events("xautoclaim s g c 0 0", &["-!"]);
    server.expect_events("xautoclaim s g d 0 9", &["xgroup-createconsumer!"]);
    server.expect_events("xack s g 2 9", &["-!"]);
    server.expect_events("xack s g 2 9", &[]);
    server.expect_events("xackdel s g ids 1 9", &[]);
    server.expect_events("xackdel s g ids 1 3", &["xdel!"]);
    server.expect_events("xdel s 2", &["xdel!"]);
    server.expect_events("xdel s 2", &[]);
    server.expect_events("xtrim s maxlen 0", &[]);
    server.expect_events("xsetid s 9", &["xsetid!"]);
    server.expect_events("xadd s 10 a b", &["xadd!"]);
    server.expect_events("xdelex s ids 2 10 11", &["xdel!"]);
    server.expect_events("xdelex s ids 2 10 11", &[]);
    server.expect_events("xadd s 11 a b", &["xadd!"]);
    server.expect_events("xtrim s maxlen 0", &["xtrim!"]);
    server.expect_events("xgroup setid s g 0", &["xgroup-setid!"]);
    server.expect_events("xgroup delconsumer s g nobody", &[]);
    server.expect_events("xgroup delconsumer s g a", &["xgroup-delconsumer!"]);
    server.expect_events("xgroup destroy s g", &["xgroup-destroy!"]);
    server.expect_events("xgroup destroy s g", &[]);
}

#[test]
fn what_is_passed_on_leaves_nothing_to_chance() {
    let mut server = Server::new();
    let now = server.0.now_ms();
    server.expect_propagated("xadd s * a b", &[&format!("XADD s {now}-0 a b")]);
    server.expect_propagated("xadd t 1-* a b", &["XADD t 1-0 a b"]);
    server.expect_propagated("xadd t maxlen ~ 100 2 a b", &["XADD t 2-0 a b"]);
    server.expect_propagated("xadd t maxlen 2 3 a b", &["XADD t MAXLEN = 2 3-0 a b"]);
    server.expect_propagated("xadd t minid 3 4 a b", &["XADD t MINID = 3-0 4-0 a b"]);
    server.expect_propagated("xadd t minid 9 5 a b", &["XADD t MAXLEN = 0 5-0 a b"]);
    (6..=9).for_each(|id| _ = server.run(&format!("xadd t {id} a b")));
    server.expect_propagated("xtrim t maxlen 3 delref", &["XTRIM t MAXLEN = 3"]);
    server.run("xgroup create t g 0");
    server.expect_propagated(
        "xreadgroup group g a count 2 streams t >",
        &[
            &format!("XCLAIM t g a 0 7-0 8-0 TIME {now} RETRYCOUNT 1 FORCE JUSTID LASTID 8-0"),
            "XGROUP SETID t g 8-0 ENTRIESREAD 8",
            "XGROUP CREATECONSUMER t g a",
        ],
    );
    server.expect_propagated(
        "xreadgroup group g a streams t 7",
        &[&format!("XCLAIM t g a 0 8-0 TIME {now} RETRYCOUNT 2 FORCE JUSTID LASTID 8-0")],
    );
    server.expect_propagated("xreadgroup group g a noack streams t >", &["XGROUP SETID t g 9-0 ENTRIESREAD 9"]);
    server.expect_propagated(
        "xclaim t g b 0 7 8 9",
        &[
            &format!("XCLAIM t g b 0 7-0 TIME {now} RETRYCOUNT 2 FORCE JUSTID LASTID 9-0"),
            "XGROUP CREATECONSUMER t g b",
            &format!("XCLAIM t g b 0 8-0 TIME {now} RETRYCOUNT 3 FORCE JUSTID LASTID 9-0"),
        ],
    );
    server.run("xdel t 7");
    server.expect_propagated(
        "xautoclaim t g b 0 0 justid",
        &[&format!("XCLAIM t g b 0 8-0 TIME {now} RETRYCOUNT 3 FORCE JUSTID LASTID 9-0"), "XACK t g 7-0"],
    );
    server.expect_propagated("xackdel t g acked ids 1 8", &["XACK t g 8-0", "XDEL t 8-0"]);
    server.expect_propagated("xdelex t acked ids 2 9 10", &["XDEL t 9-0"]);
}

#[test]
fn what_a_trim_does_to_references_is_passed_on_in_words_that_older_servers_know() {
    let mut server = Server::new();
    server.expect_propagated("xadd t keepref 1 a b", &["XADD t 1-0 a b"]);
    (2..=6).for_each(|id| _ = server.run(&format!("xadd t {id} a b")));
    ["g", "h"].iter().for_each(|group| _ = server.run(&format!("xgroup create t {group} 0")));
    server.run("xreadgroup group g a count 4 streams t >");
    server.run("xreadgroup group h a count 3 streams t >");
    server
        .expect_propagated("xtrim t maxlen 4 delref", &["XTRIM t MAXLEN = 4", "XACK t g 1-0 2-0", "XACK t h 1-0 2-0"]);
    server.expect_propagated(
        "xadd t maxlen 4 delref 7 a b",
        &["XADD t MAXLEN = 4 7-0 a b", "XACK t g 3-0", "XACK t h 3-0"],
    );
}

/// A command of random arguments that are likely to meet.
fn line() -> impl Strategy<Value = String> {
    let id = || (0..30_u64).prop_map(|n| format!("{}-{}", n / 2, n % 2));
    let ids = || prop::collection::vec(id(), 1..4);
    let group = || prop::sample::select(vec!["g", "h"]);
    let consumer = || prop::sample::select(vec!["a", "b", "c"]);
    let refs = || prop::sample::select(vec!["KEEPREF", "DELREF", "ACKED"]);
    prop_oneof![
        6 => Just("XADD s * f v g 12".to_string()),
        4 => id().prop_map(|id| format!("XADD s {id} f v")),
        1 => (0..9, refs()).prop_map(|(n, refs)| format!("XADD s MAXLEN {n} {refs} * f v")),
        1 => (0..9, refs()).prop_map(|(n, refs)| format!("XTRIM s MAXLEN ~ {n} {refs}")),
        1 => (id(), refs()).prop_map(|(id, refs)| format!("XTRIM s MINID {id} {refs}")),
        2 => ids().prop_map(|ids| format!("XDEL s {}", ids.join(" "))),
        1 => (refs(), ids()).prop_map(|(refs, ids)| format!("XDELEX s {refs} IDS {} {}", ids.len(), ids.join(" "))),
        2 => (group(), refs(), ids())
            .prop_map(|(group, refs, ids)| format!("XACKDEL s {group} {refs} IDS {} {}", ids.len(), ids.join(" "))),
        3 => (group(), id()).prop_map(|(group, id)| format!("XGROUP CREATE s {group} {id} MKSTREAM")),
        1 => (group(), id(), -1..9)
            .prop_map(|(group, id, read)| format!("XGROUP SETID s {group} {id} ENTRIESREAD {read}")),
        1 => (group(), consumer()).prop_map(|(group, consumer)| format!("XGROUP DELCONSUMER s {group} {consumer}")),
        1 => group().prop_map(|group| format!("XGROUP DESTROY s {group}")),
        6 => (group(), consumer(), 1..4)
            .prop_map(|(group, consumer, n)| format!("XREADGROUP GROUP {group} {consumer} COUNT {n} STREAMS s >")),
        1 => (group(), consumer())
            .prop_map(|(group, consumer)| format!("XREADGROUP GROUP {group} {consumer} NOACK STREAMS s >")),
        2 => (group(), consumer(), id())
            .prop_map(|(group, consumer, id)| format!("XREADGROUP GROUP {group} {consumer} STREAMS s {id}")),
        3 => (group(), ids()).prop_map(|(group, ids)| format!("XACK s {group} {}", ids.join(" "))),
        3 => (group(), consumer(), ids(), prop::sample::select(vec!["", " FORCE", " JUSTID", " FORCE LASTID 9-0"]))
            .prop_map(|(group, consumer, ids, how)| format!("XCLAIM s {group} {consumer} 0 {}{how}", ids.join(" "))),
        2 => (group(), consumer(), id(), 1..4)
            .prop_map(|(group, consumer, id, n)| format!("XAUTOCLAIM s {group} {consumer} 0 {id} COUNT {n}")),
        1 => id().prop_map(|id| format!("XSETID s {id}")),
        1 => Just("PASS".to_string()),
    ]
}

/// All that is known of a stream, but when its consumers were seen.
fn all_of(server: &mut Server) -> String {
    let all = server.run("xinfo stream s full count 0");
    let mut shown = String::new();
    let mut rest = all.as_str();
    while let Some(at) = rest.find("seen-time|") {
        let end = rest[at..].find("$9|pel-count|").map_or(rest.len(), |end| at + end);
        shown.push_str(&rest[..at]);
        rest = &rest[end..];
    }
    shown + rest
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_replica_that_is_told_what_is_passed_on_holds_the_same(lines in prop::collection::vec(line(), 1..80)) {
        // The replica is another database.
        let mut server = Server::new();
        for line in lines {
            if line == "PASS" {
                server.0.advance_ms(7);
                continue;
            }
            server.events();
            server.propagated();
            server.run(&line);
            let is_modified = server.0.take_events().iter().any(|event| event.is_modified);
            let passed_on = server.propagated();
            prop_assert!(is_modified || passed_on.is_empty(), "{} changed nothing, but passed on {:?}", line, passed_on);
            let passed_on = if passed_on.is_empty() && is_modified { vec![line.clone()] } else { passed_on };
            let held = all_of(&mut server);
            server.0.select(REPLICA);
            for command in &passed_on {
                let answer = server.run(command);
                prop_assert!(!answer.starts_with('-'), "{}: {} answers {}", line, command, answer);
            }
            prop_assert_eq!(held, all_of(&mut server), "after {}, passed on as {:?}", line, passed_on);
            server.0.select(0);
        }
    }

    #[test]
    fn a_stream_is_the_same_after_it_was_saved_and_loaded(lines in prop::collection::vec(line(), 1..80)) {
        let mut server = Server::new();
        for line in lines {
            server.run(&line);
        }
        if server.0.has("s") {
            let before = server.run("xinfo stream s full count 0");
            server.0.save_and_load("s").unwrap();
            prop_assert_eq!(server.run("xinfo stream s full count 0"), before);
        }
    }
}

#[test]
fn a_count_of_added_entries_that_cannot_be_is_refused() {
    let mut server = Server::new();
    server.run("xadd s 1 a b");
    assert_eq!(server.run(&format!("xsetid s 1 entriesadded {}", i64::MAX)), "+OK|");
    let mut payload = server.0.dump("s").unwrap();
    server.0.restore("t", &payload).unwrap();
    let at = payload.windows(8).position(|bytes| bytes == i64::MAX.to_be_bytes()).unwrap();
    payload[at..at + 8].fill(0xff);
    assert_eq!(server.0.restore("u", &Testbed::sealed_again(&payload)), Err(Error::BadData));
    // One that is reached all the same is saved as what can be loaded.
    server.run("xadd s 2 a b");
    server.0.save_and_load("s").unwrap();
    assert_eq!(server.run("xlen s"), ":2|");
}
