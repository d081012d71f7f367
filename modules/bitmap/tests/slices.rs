//! Commands on long strings, while other clients work.
//!
//! Nothing here depends on how far a scan has got when another client's command runs: every claim
//! holds for any order, and each order that can happen happens in some runs. Where a claim is empty
//! unless something came between two slices, INFO tells whether it did, and the test goes on until then.

#![deny(unsafe_code)]
#![allow(missing_docs)]

use plinth_testkit::{Client, Reply, Server, assert_wire, wait_until};

/// Bytes of the long strings: several slices.
const LONG: u64 = 24 << 20;
/// The last bit of one.
const LAST: u64 = LONG * 8 - 1;

fn words(command: &str) -> Vec<&str> {
    command.split(' ').collect()
}

fn number(client: &mut Client, command: &str) -> i64 {
    client.ask(&words(command)).integer()
}

/// What INFO tells of scans.
fn told(client: &mut Client, field: &str) -> i64 {
    let value = client.info("bitmap", &format!("bitmap_{field}"));
    value.and_then(|text| text.parse().ok()).expect("INFO has a number")
}

/// A server with a long string `s` that has its last bit set.
fn with_long_string() -> (Server, Client) {
    let server = Server::start();
    let mut client = server.connect();
    assert_eq!(number(&mut client, &format!("SETBIT s {LAST} 1")), 0);
    (server, client)
}

/// Positions all over a long string, in an order of their own.
fn scattered(index: u64) -> u64 {
    (index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) % LAST
}

#[test]
fn slices_answer_what_one_go_answers() {
    let (_server, mut client) = with_long_string();
    for index in 0..500 {
        number(&mut client, &format!("SETBIT s {} 1", scattered(index)));
        number(&mut client, &format!("SETBIT t {} 1", scattered(index + 300)));
    }
    let commands = [
        "BITCOUNT s".to_owned(),
        format!("BITCOUNT s 3 {} BIT", LAST - 3),
        "BITCOUNT s -20000000 -2".to_owned(),
        format!("BITPOS s 1 {}", LONG - 1),
        format!("BITPOS s 0 {} -1", LONG - 1),
        "BITPOS none 0".to_owned(),
        "BITOP NOT d s".to_owned(),
        "BITCOUNT d".to_owned(),
        "BITPOS d 1".to_owned(),
        "BITOP XOR d s t none".to_owned(),
        "BITCOUNT d".to_owned(),
        "BITOP ANDOR d s t".to_owned(),
        "BITCOUNT d".to_owned(),
        "BITOP ONE d s t".to_owned(),
        "BITCOUNT d".to_owned(),
        "BITOP AND d s t".to_owned(),
        "BITPOS d 1".to_owned(),
    ];
    for command in &commands {
        let sliced = number(&mut client, command);
        // Inside a transaction nothing waits.
        assert_wire(&mut client, &["MULTI"], b"+OK\r\n");
        assert_wire(&mut client, &words(command), b"+QUEUED\r\n");
        let at_once = client.ask(&["EXEC"]);
        assert_eq!(at_once.items(), [Reply::Integer(sliced)], "{command}");
    }
}

#[test]
fn slices_count_as_one_look_at_each_string() {
    let (_server, mut client) = with_long_string();
    for (command, hits, misses) in [("BITCOUNT s", 1, 0), ("BITOP OR d s none", 1, 1), ("BITPOS s 1", 1, 0)] {
        let before = client.hits_and_misses();
        number(&mut client, command);
        let after = client.hits_and_misses();
        assert_eq!((after.0 - before.0, after.1 - before.1), (hits, misses), "{command}");
    }
}

#[test]
fn a_long_search_finds_the_end() {
    let (_server, mut client) = with_long_string();
    assert_eq!(number(&mut client, "BITPOS s 1"), LAST as i64);
    assert_eq!(number(&mut client, "BITOP NOT n s"), LONG as i64);
    assert_eq!(number(&mut client, "BITPOS n 0"), LAST as i64);
    assert_eq!(number(&mut client, &format!("SETBIT n {LAST} 1")), 0);
    assert_eq!(number(&mut client, "BITPOS n 0"), LONG as i64 * 8);
    assert_eq!(number(&mut client, "BITPOS n 0 0 -1"), -1);
    assert_eq!(number(&mut client, "BITCOUNT n"), LONG as i64 * 8);
}

#[test]
fn a_count_is_that_of_one_moment() {
    let (server, mut writer) = with_long_string();
    let mut reader = server.connect();
    let mut written = 1;
    for round in 0..6 {
        let before = written;
        reader.send(&["BITCOUNT", "s"]);
        for index in 0..round * 40 {
            written += 1 - number(&mut writer, &format!("SETBIT s {} 1", scattered(round * 1000 + index)));
        }
        let counted = reader.reply().integer();
        assert!((before..=written).contains(&counted), "{before} <= {counted} <= {written}");
    }
    assert_eq!(number(&mut reader, "BITCOUNT s"), written);
}

#[test]
fn a_bitmap_that_is_written_all_the_time_is_counted_in_slices() {
    let (server, mut writer) = with_long_string();
    let mut reader = server.connect();
    let (mut written, mut index) = (1, 0);
    wait_until("scans have followed many changes", || {
        let before = written;
        reader.send(&["BITCOUNT", "s"]);
        for _ in 0..200 {
            written += 1 - number(&mut writer, &format!("SETBIT s {} 1", scattered(index)));
            index += 1;
        }
        let counted = reader.reply().integer();
        assert!((before..=written).contains(&counted), "{before} <= {counted} <= {written}");
        told(&mut writer, "changes_followed") >= 20
    });
    // Neither does a key of the same name in another database disturb.
    writer.command(&["SELECT", "1"]);
    number(&mut writer, "SETBIT s 10000 0");
    reader.send(&["BITCOUNT", "s"]);
    (0..200).for_each(|bit| _ = number(&mut writer, &format!("SETBIT s {bit} 1")));
    assert_eq!(reader.reply().integer(), written);
    assert_eq!((told(&mut writer, "scans_restarted"), told(&mut writer, "scans_whole")), (0, 0));
}

#[test]
fn scans_that_nobody_waits_for_are_not_gone_on_with() {
    let (server, mut client) = with_long_string();
    let mut readers: Vec<Client> = (0..6).map(|_| server.connect()).collect();
    let ids: Vec<String> = readers.iter_mut().map(|reader| number(reader, "CLIENT ID").to_string()).collect();
    wait_until("all wait at once", || {
        for (at, reader) in readers.iter_mut().enumerate() {
            reader.send(&["BITOP", "NOT", &format!("d{at}"), "s"]);
        }
        client.command(&["MULTI"]);
        ids.iter().for_each(|id| _ = client.command(&["CLIENT", "UNBLOCK", id]));
        client.command(&["INFO", "bitmap"]);
        let said = client.ask(&["EXEC"]);
        let (info, let_go) = said.items().split_last().expect("there are answers");
        let then = info.text().lines().find_map(|line| line.strip_prefix("bitmap_slices:")?.trim().parse().ok());
        readers.iter_mut().for_each(|reader| _ = reader.reply());
        wait_until("no scan is left", || told(&mut client, "scans") == 0);
        let all_waited = let_go.iter().all(|answer| *answer == Reply::Integer(1));
        if all_waited {
            assert_eq!(Some(told(&mut client, "slices")), then);
        }
        all_waited
    });
}

#[test]
fn a_change_that_is_published_to_nobody_begins_a_scan_anew() {
    let (server, mut client) = with_long_string();
    let mut reader = server.connect();
    let mut element = 0;
    wait_until("a count is noted in a sketch that is read", || {
        client.command(&["PFADD", "h", &element.to_string()]);
        element += 1;
        let before = told(&mut client, "scans_restarted");
        reader.send(&["BITOP", "OR", "d", "s", "h"]);
        client.command(&["MULTI"]);
        client.command(&["INFO", "bitmap"]);
        client.command(&["PFCOUNT", "h"]);
        let said = client.ask(&["EXEC"]);
        let is_scanned = said.items()[0].text().contains("bitmap_scans:1");
        assert_eq!(reader.reply().integer(), LONG as i64);
        assert!(!is_scanned || told(&mut client, "scans_restarted") > before);
        is_scanned
    });
}

/// Combines a string again and again while another client sets bits in it, one after the other, with
/// the commands that `write` makes for them; at least until INFO has counted some of `field`.
fn combine_while_written(write: fn(u64) -> String, field: &str) {
    let (server, mut writer) = with_long_string();
    let mut reader = server.connect();
    let (bits, mut round) = (300, 0);
    wait_until("changes have come between slices", || {
        // The third bit of a byte, which is set in the digit 1.
        let at = |index: u64| scattered(round * 1000 + index) / 8 * 8 + 2;
        reader.send(&["BITOP", "OR", "d", "s"]);
        for index in 0..bits {
            number(&mut writer, &write(at(index)));
        }
        assert_eq!(reader.reply().integer(), LONG as i64);
        // What was set first is in the result when anything is that was set later.
        let found: Vec<i64> = (0..bits).map(|index| number(&mut reader, &format!("GETBIT d {}", at(index)))).collect();
        assert!(found.is_sorted_by(|a, b| a >= b), "{found:?}");
        round += 1;
        round >= 4 && told(&mut writer, field) > 0
    });
}

#[test]
fn a_combination_is_that_of_one_moment() {
    combine_while_written(|bit| format!("SETBIT s {bit} 1"), "changes_followed");
}

#[test]
fn a_combination_is_begun_anew_when_other_commands_write() {
    combine_while_written(|bit| format!("SETRANGE s {} 1", bit / 8), "scans_restarted");
}

#[test]
fn a_string_that_goes_away_meanwhile_is_not_there() {
    let (server, mut writer) = with_long_string();
    let mut reader = server.connect();
    for (change, back, others) in [
        ("DEL s", "DEL s", vec!["0"]),
        ("SET s a", "DEL s", vec!["3"]),
        ("RENAME s t", "DEL t", vec!["0"]),
        ("FLUSHALL", "DEL s", vec!["0"]),
        ("SWAPDB 0 1", "FLUSHALL", vec!["0"]),
        ("PEXPIRE s 1", "FLUSHALL", vec!["0"]),
    ] {
        reader.send(&["BITCOUNT", "s"]);
        writer.command(&words(change));
        let said = reader.reply().text();
        assert!(said == "1" || others.contains(&said.as_str()), "{change}: {said}");
        writer.command(&words(back));
        number(&mut writer, &format!("SETBIT s {LAST} 1"));
    }
    reader.send(&["BITCOUNT", "s"]);
    writer.command(&["DEL", "s"]);
    writer.command(&["RPUSH", "s", "1"]);
    let said = reader.reply().text();
    assert!(said == "1" || said == "0" || said.starts_with("WRONGTYPE"), "{said}");
}

#[test]
fn many_long_commands_are_answered_in_turn() {
    let (server, mut client) = with_long_string();
    let mut others: Vec<Client> = (0..12).map(|_| server.connect()).collect();
    for (at, other) in others.iter_mut().enumerate() {
        match at % 3 {
            0 => other.send(&["BITCOUNT", "s"]),
            1 => other.send(&["BITPOS", "s", "1"]),
            _ => other.send(&["BITOP", "NOT", &format!("d{at}"), "s"]),
        }
    }
    // One that nobody will read.
    let mut gone = server.connect();
    gone.send(&["BITOP", "NOT", "gone", "s"]);
    drop(gone);
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
    for (at, other) in others.iter_mut().enumerate() {
        let expected = [1, LAST as i64, LONG as i64][at % 3];
        assert_eq!(other.reply().integer(), expected);
    }
    assert_eq!(number(&mut client, "BITCOUNT d2"), LAST as i64);
}

#[test]
fn a_client_waits_while_its_string_is_read_and_can_be_let_go() {
    let (server, mut client) = with_long_string();
    let mut reader = server.connect();
    let id = number(&mut reader, "CLIENT ID").to_string();
    let count = 100;
    (0..count).for_each(|_| reader.send(&["BITCOUNT", "s"]));
    wait_until("the reader waits", || number(&mut client, &format!("CLIENT UNBLOCK {id} ERROR")) == 1);
    let said: Vec<String> = (0..count).map(|_| reader.reply().text()).collect();
    let let_go = said.iter().filter(|text| text.starts_with("UNBLOCKED")).count();
    assert_eq!((let_go, said.iter().filter(|text| *text == "1").count()), (1, count - 1));
    // Nothing of it is left: the module can go.
    assert_wire(&mut client, &["MODULE", "UNLOAD", "bitmap"], b"+OK\r\n");
}

#[test]
fn long_commands_go_on_after_a_pause() {
    let (server, mut client) = with_long_string();
    let mut reader = server.connect();
    reader.send(&["BITOP", "NOT", "d", "s"]);
    assert_wire(&mut client, &["CLIENT", "PAUSE", "200", "WRITE"], b"+OK\r\n");
    assert_eq!(reader.reply().integer(), LONG as i64);
    assert_eq!(number(&mut client, "BITCOUNT d"), LAST as i64);
}
