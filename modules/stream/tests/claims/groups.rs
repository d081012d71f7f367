//! Reading in groups, acknowledging, claiming.

use super::{ask, connected, fill, run, says};
use plinth_testkit::{Client, Reply, assert_wire, wait_until};

#[test]
fn each_entry_goes_to_one_consumer_of_a_group() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 4);
    says(
        &mut client,
        &[
            ("XGROUP CREATE s g 0", "OK"),
            ("XGROUP CREATE s h 2", "OK"),
            ("XREADGROUP GROUP g a COUNT 1 STREAMS s >", "[[s [[1-0 [f 1]]]]]"),
            ("XREADGROUP GROUP g b COUNT 2 STREAMS s >", "[[s [[2-0 [f 2]] [3-0 [f 3]]]]]"),
            ("XREADGROUP GROUP g a STREAMS s >", "[[s [[4-0 [f 4]]]]]"),
            ("XREADGROUP GROUP g a STREAMS s >", "-*"),
            ("XREADGROUP GROUP h a STREAMS s >", "[[s [[3-0 [f 3]] [4-0 [f 4]]]]]"),
            ("XPENDING s g", "[4 1-0 4-0 [[a 2] [b 2]]]"),
            ("XPENDING s h", "[2 3-0 4-0 [[a 2]]]"),
            ("XACK s g 1 9 2 1", "2"),
            ("XACK s none 1", "0"),
            ("XACK none g 1", "0"),
            ("XPENDING s g", "[2 3-0 4-0 [[a 1] [b 1]]]"),
            ("XACK s g 3 4", "2"),
            ("XPENDING s g", "[0 - - -*]"),
        ],
    );
}

#[test]
fn a_consumer_reads_what_it_has_once_more() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 3);
    run(&mut client, &["XGROUP CREATE s g 0", "XREADGROUP GROUP g a STREAMS s >", "XDEL s 2"]);
    says(
        &mut client,
        &[
            ("XREADGROUP GROUP g a STREAMS s 0", "[[s [[1-0 [f 1]] [2-0 -*] [3-0 [f 3]]]]]"),
            ("XREADGROUP GROUP g a COUNT 1 STREAMS s 1", "[[s [[2-0 -*]]]]"),
            ("XREADGROUP GROUP g a STREAMS s 3", "[[s []]]"),
            ("XREADGROUP GROUP g b STREAMS s 0", "[[s []]]"),
            ("XREADGROUP GROUP g a STREAMS s 18446744073709551615-18446744073709551615", "[[s []]]"),
        ],
    );
    let pending = client.ask(&["XPENDING", "s", "g", "-", "+", "9"]);
    let deliveries: Vec<i64> = pending.items().iter().map(|one| one.items()[3].integer()).collect();
    assert_eq!(deliveries, [2, 1, 2], "an entry that is gone is not delivered once more");
}

#[test]
fn without_acknowledgement_nothing_is_pending() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 2);
    run(&mut client, &["XGROUP CREATE s g 0"]);
    says(
        &mut client,
        &[
            ("XREADGROUP GROUP g a NOACK STREAMS s >", "[[s [[1-0 [f 1]] [2-0 [f 2]]]]]"),
            ("XPENDING s g", "[0 - - -*]"),
            ("XREADGROUP GROUP g a STREAMS s >", "-*"),
        ],
    );
}

#[test]
fn groups_and_consumers_come_and_go() {
    let (_server, mut client) = connected();
    says(
        &mut client,
        &[
            ("XGROUP CREATE s g $ MKSTREAM", "OK"),
            ("XLEN s", "0"),
            ("XGROUP CREATECONSUMER s g a", "1"),
            ("XGROUP CREATECONSUMER s g a", "0"),
            ("XADD s 1 a b", "1-0"),
            ("XADD s 2 a b", "2-0"),
            ("XREADGROUP GROUP g a STREAMS s >", "[[s [[1-0 [a b]] [2-0 [a b]]]]]"),
            ("XGROUP DELCONSUMER s g a", "2"),
            ("XGROUP DELCONSUMER s g a", "0"),
            ("XPENDING s g", "[0 - - -*]"),
            ("XGROUP SETID s g 1", "OK"),
            ("XREADGROUP GROUP g b STREAMS s >", "[[s [[2-0 [a b]]]]]"),
            ("XGROUP SETID s g -", "OK"),
            ("XREADGROUP GROUP g c STREAMS s >", "[[s [[1-0 [a b]] [2-0 [a b]]]]]"),
            ("XPENDING s g", "[2 1-0 2-0 [[c 2]]]"),
            ("XGROUP SETID s g $", "OK"),
            ("XREADGROUP GROUP g c STREAMS s >", "-*"),
            ("XGROUP DESTROY s g", "1"),
            ("XGROUP DESTROY s g", "0"),
            ("XGROUP CREATE s g 0", "OK"),
            ("XPENDING s g", "[0 - - -*]"),
        ],
    );
}

#[test]
fn consumers_come_into_being_by_being_named() {
    let (_server, mut client) = connected();
    run(
        &mut client,
        &[
            "XGROUP CREATE s g 0 MKSTREAM",
            "XREADGROUP GROUP g reads STREAMS s >",
            "XREADGROUP GROUP g history STREAMS s 0",
            "XCLAIM s g claims 0 1",
            "XAUTOCLAIM s g pages 0 0",
        ],
    );
    let consumers = client.ask(&["XINFO", "CONSUMERS", "s", "g"]);
    let names: Vec<String> = consumers.items().iter().filter_map(|one| Some(one.field("name")?.text())).collect();
    assert_eq!(names, ["claims", "history", "pages", "reads"]);
}

#[test]
fn pending_entries_are_told_one_by_one() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 4);
    run(
        &mut client,
        &["XGROUP CREATE s g 0", "XREADGROUP GROUP g a COUNT 2 STREAMS s >", "XREADGROUP GROUP g b STREAMS s >"],
    );
    let mut ids = |line: &str| -> Vec<String> {
        let words: Vec<&str> = line.split(' ').collect();
        client
            .ask(&words)
            .items()
            .iter()
            .map(|one| format!("{} {}", one.items()[0].text(), one.items()[1].text()))
            .collect()
    };
    assert_eq!(ids("XPENDING s g - + 9"), ["1-0 a", "2-0 a", "3-0 b", "4-0 b"]);
    assert_eq!(ids("XPENDING s g - + 3 b"), ["3-0 b", "4-0 b"]);
    assert_eq!(ids("XPENDING s g (1 3 9"), ["2-0 a", "3-0 b"]);
    assert_eq!(ids("XPENDING s g 2 (4 1 b"), ["3-0 b"]);
    assert_eq!(ids("XPENDING s g IDLE 0 - + 1"), ["1-0 a"]);
    for none in ["IDLE 99999999 - + 9", "- + 0", "- + -1", "- + 9 c", "+ - 9"] {
        assert!(ids(&format!("XPENDING s g {none}")).is_empty(), "{none}");
    }
}

#[test]
fn entries_are_claimed() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 4);
    run(&mut client, &["XGROUP CREATE s g 0", "XREADGROUP GROUP g a COUNT 3 STREAMS s >"]);
    says(
        &mut client,
        &[
            ("XCLAIM s g b 99999999 1", "[]"),
            ("XCLAIM s g b 0 1 4", "[[1-0 [f 1]]]"),
            ("XCLAIM s g b 0 2 JUSTID", "[2-0]"),
            ("XCLAIM s g b 0 4 FORCE", "[[4-0 [f 4]]]"),
            ("XCLAIM s g b 0 9 FORCE", "[]"),
            ("XPENDING s g", "[4 1-0 4-0 [[a 1] [b 3]]]"),
            ("XCLAIM s g c 0 3 RETRYCOUNT 7 TIME 1000", "[[3-0 [f 3]]]"),
            ("XCLAIM s g d 100000 3 1 JUSTID", "[3-0]"),
            ("XCLAIM s g d 0 1 LASTID 9", "[[1-0 [f 1]]]"),
            ("XADD s 8 a b", "8-0"),
            ("XREADGROUP GROUP g a STREAMS s >", "-*"),
            ("XDEL s 1", "1"),
            ("XCLAIM s g e 0 1", "[]"),
            ("XPENDING s g", "[3 2-0 4-0 [[b 2] [d 1]]]"),
        ],
    );
    let pending = client.ask(&["XPENDING", "s", "g", "-", "+", "9"]);
    let deliveries: Vec<i64> = pending.items().iter().map(|one| one.items()[3].integer()).collect();
    assert_eq!(deliveries, [1, 7, 2]);
}

#[test]
fn entries_are_claimed_page_by_page() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 5);
    run(&mut client, &["XGROUP CREATE s g 0", "XREADGROUP GROUP g a STREAMS s >", "XDEL s 2"]);
    says(
        &mut client,
        &[
            ("XAUTOCLAIM s g b 99999999 0", "[0-0 [] [2-0]]"),
            ("XAUTOCLAIM s g b 0 0 COUNT 2", "[4-0 [[1-0 [f 1]] [3-0 [f 3]]] []]"),
            ("XAUTOCLAIM s g b 0 4 COUNT 2 JUSTID", "[0-0 [4-0 5-0] []]"),
            ("XAUTOCLAIM s g c 0 (4 JUSTID", "[0-0 [5-0] []]"),
            ("XAUTOCLAIM s g c 0 +", "[0-0 [] []]"),
            ("XPENDING s g", "[4 1-0 5-0 [[b 3] [c 1]]]"),
        ],
    );
}

#[test]
fn a_page_of_what_is_fresh_may_be_empty_before_the_end() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 15);
    run(&mut client, &["XGROUP CREATE s g 0", "XREADGROUP GROUP g a STREAMS s >"]);
    says(
        &mut client,
        &[
            ("XAUTOCLAIM s g b 99999999 - COUNT 1", "[11-0 [] []]"),
            ("XAUTOCLAIM s g b 99999999 11 COUNT 1", "[0-0 [] []]"),
        ],
    );
}

#[test]
fn a_deleted_consumer_leaves_nothing_behind_however_much_it_had() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 1000);
    run(&mut client, &["XGROUP CREATE s g 0", "XREADGROUP GROUP g a STREAMS s >"]);
    says(&mut client, &[("XGROUP DELCONSUMER s g a", "1000"), ("XPENDING s g", "[0 - - -*]")]);
    run(&mut client, &["XGROUP SETID s g 0", "XREADGROUP GROUP g a COUNT 3 STREAMS s >"]);
    says(
        &mut client,
        &[
            ("XPENDING s g", "[3 1-0 3-0 [[a 3]]]"),
            ("XACK s g 1 2 3 4 500", "3"),
            ("XPENDING s g - + 10", "[]"),
            ("XAUTOCLAIM s g b 0 0 COUNT 5", "[0-0 [] []]"),
        ],
    );
}

#[test]
fn several_streams_are_read_by_one_consumer() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 1);
    fill(&mut client, "t", 1);
    run(&mut client, &["XGROUP CREATE s g 0", "XGROUP CREATE t g 0"]);
    says(
        &mut client,
        &[
            ("XREADGROUP GROUP g a STREAMS s t > 0", "[[s [[1-0 [f 1]]]] [t []]]"),
            ("XREADGROUP GROUP g a STREAMS s t > >", "[[t [[1-0 [f 1]]]]]"),
            ("XREADGROUP GROUP g a STREAMS s t > >", "-*"),
        ],
    );
}

#[test]
fn a_transaction_reads_and_acknowledges() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 1);
    run(&mut client, &["XGROUP CREATE s g 0", "MULTI", "XREADGROUP GROUP g a BLOCK 0 STREAMS s >"]);
    run(&mut client, &["XACK s g 1", "XREADGROUP GROUP g a BLOCK 0 STREAMS s >", "XREAD BLOCK 0 STREAMS s $"]);
    assert_eq!(ask(&mut client, "EXEC"), "[[[s [[1-0 [f 1]]]]] 1 -* -*]");
}

#[test]
fn a_delivery_that_is_told_shows_in_full() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 3);
    let most = i64::MAX;
    run(
        &mut client,
        &[
            "XGROUP CREATE s g 0",
            "XREADGROUP GROUP g a STREAMS s >",
            &format!("XCLAIM s g b 0 1 TIME 1 RETRYCOUNT {most}"),
            "XCLAIM s g b 0 2 TIME 2 RETRYCOUNT 65534",
            "XREADGROUP GROUP g b COUNT 2 STREAMS s 1",
        ],
    );
    let shows = |client: &mut Client, key: &str| {
        let pending = client.ask(&["XPENDING", key, "g", "-", "+", "9"]);
        let deliveries: Vec<i64> = pending.items().iter().map(|one| one.items()[3].integer()).collect();
        assert_eq!(deliveries, [most, 65535, 1]);
        let full = ask(client, &format!("XINFO STREAM {key} FULL"));
        assert!(full.contains(&format!("[1-0 b 1 {most}]")), "{full}");
    };
    shows(&mut client, "s");
    let Reply::Bulk(payload) = client.ask(&["DUMP", "s"]) else { panic!("no payload") };
    assert_wire(&mut client, &[&b"RESTORE"[..], b"t", b"0", &payload], b"+OK\r\n");
    run(&mut client, &["COPY s u"]);
    shows(&mut client, "t");
    shows(&mut client, "u");
    // It fits once more.
    says(&mut client, &[("XCLAIM s g b 0 1 RETRYCOUNT 3 JUSTID", "[1-0]"), ("XACK s g 2", "1")]);
    assert_eq!(ask(&mut client, "XPENDING s g - + 9 b").split(' ').next_back(), Some("3]]"));
}

#[test]
fn what_a_deleted_consumer_had_goes_under_another_name_too() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 4000);
    run(&mut client, &["XGROUP CREATE s g 0", "XREADGROUP GROUP g b COUNT 1 STREAMS s >"]);
    let memory = |client: &mut Client, key: &str| client.ask(&["MEMORY", "USAGE", key]).integer();
    let bare = memory(&mut client, "s");
    run(&mut client, &["XREADGROUP GROUP g a STREAMS s >"]);
    // No timer runs before the key has another name.
    run(&mut client, &["MULTI", "XGROUP DELCONSUMER s g a", "RENAME s t", "EXEC"]);
    says(&mut client, &[("XPENDING t g", "[1 1-0 1-0 [[b 1]]]")]);
    assert!(memory(&mut client, "t") > bare + 40_000);
    // Of what is done to the group nothing is a change of what is pending.
    (0..60).for_each(|_| says(&mut client, &[("XREADGROUP GROUP g b STREAMS t >", "-*")]));
    assert!(memory(&mut client, "t") < bare + 2_000);
    says(&mut client, &[("XPENDING t g", "[1 1-0 1-0 [[b 1]]]")]);
}

#[test]
fn what_a_deleted_consumer_had_goes_when_nobody_asks() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 4000);
    run(&mut client, &["XGROUP CREATE s g 0", "XREADGROUP GROUP g b COUNT 1 STREAMS s >"]);
    let memory = |client: &mut Client| client.ask(&["MEMORY", "USAGE", "s"]).integer();
    let bare = memory(&mut client);
    run(&mut client, &["XREADGROUP GROUP g a STREAMS s >", "XGROUP DELCONSUMER s g a"]);
    wait_until("the ids are gone", || memory(&mut client) < bare + 2_000);
}

#[test]
fn a_transaction_minds_what_becomes_of_entries_and_not_of_groups() {
    let (server, mut client) = connected();
    let mut watcher = server.connect();
    // As Redis 8.2 answers.
    let cases = [
        ("XACK s g 1", false),
        ("XREADGROUP GROUP g a STREAMS s >", false),
        ("XREADGROUP GROUP g new STREAMS s 0", false),
        ("XREADGROUP GROUP g a STREAMS s 0", false),
        ("XCLAIM s g b 0 1", false),
        ("XAUTOCLAIM s g b 0 0", false),
        ("XGROUP CREATE s h 0", false),
        ("XGROUP CREATE new h 0 MKSTREAM", true),
        ("XGROUP SETID s g 0", false),
        ("XGROUP DESTROY s g", false),
        ("XGROUP CREATECONSUMER s g z", false),
        ("XGROUP DELCONSUMER s g a", false),
        ("XSETID s 9", false),
        ("XDEL s 1", true),
        ("XDELEX s IDS 1 1", true),
        ("XACKDEL s g IDS 1 1", true),
        ("XTRIM s MAXLEN 0", true),
        ("XADD s 7 a b", true),
    ];
    for (line, spoils) in cases {
        run(&mut client, &["FLUSHALL", "XADD s 1 a b", "XADD s 2 a b", "XGROUP CREATE s g 0"]);
        run(&mut client, &["XREADGROUP GROUP g a COUNT 1 STREAMS s >"]);
        run(&mut watcher, &["WATCH s new"]);
        run(&mut client, &[line]);
        run(&mut watcher, &["MULTI", "PING"]);
        assert_eq!(ask(&mut watcher, "EXEC"), if spoils { "-*" } else { "[PONG]" }, "{line}");
    }
}
