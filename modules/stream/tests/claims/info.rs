//! XINFO, and how groups count.

use super::{Client, ask, connected, fill, run};
use plinth_testkit::Reply;

/// Entries read and lag of a group, `None` for what is not known.
fn progress(client: &mut Client, key: &str, group: &str) -> (Option<i64>, Option<i64>) {
    let groups = client.ask(&["XINFO", "GROUPS", key]);
    let found = groups.items().iter().find(|one| one.field("name").is_some_and(|name| name.text() == group));
    let number = |name: &str| match found.and_then(|one| one.field(name)) {
        Some(Reply::Integer(number)) => Some(*number),
        Some(Reply::Null) => None,
        other => panic!("{name}: {other:?}"),
    };
    (number("entries-read"), number("lag"))
}

#[test]
fn lag_is_what_is_left_to_read() {
    let (_server, mut client) = connected();
    run(&mut client, &["XGROUP CREATE s g 0 MKSTREAM"]);
    assert_eq!(progress(&mut client, "s", "g"), (None, Some(0)));
    fill(&mut client, "s", 5);
    assert_eq!(progress(&mut client, "s", "g"), (None, Some(5)));
    run(&mut client, &["XREADGROUP GROUP g c COUNT 1 STREAMS s >"]);
    assert_eq!(progress(&mut client, "s", "g"), (Some(1), Some(4)));
    run(&mut client, &["XREADGROUP GROUP g c COUNT 2 NOACK STREAMS s >"]);
    assert_eq!(progress(&mut client, "s", "g"), (Some(3), Some(2)));
    run(&mut client, &["XADD s 6 a b"]);
    assert_eq!(progress(&mut client, "s", "g"), (Some(3), Some(3)));
    run(&mut client, &["XREADGROUP GROUP g c STREAMS s >"]);
    assert_eq!(progress(&mut client, "s", "g"), (Some(6), Some(0)));
}

#[test]
fn what_was_trimmed_is_no_lag() {
    let (_server, mut client) = connected();
    run(&mut client, &["XADD s 1 a b", "XGROUP CREATE s g 0", "XREADGROUP GROUP g c STREAMS s >"]);
    (2..=100).for_each(|n| _ = ask(&mut client, &format!("XADD s MAXLEN 3 {n} a b")));
    assert_eq!(progress(&mut client, "s", "g"), (Some(1), Some(3)));
    run(&mut client, &["XREADGROUP GROUP g c COUNT 1 STREAMS s >"]);
    assert_eq!(progress(&mut client, "s", "g"), (Some(98), Some(2)));
    run(&mut client, &["XTRIM s MAXLEN 0"]);
    assert_eq!(progress(&mut client, "s", "g"), (Some(98), Some(0)));
}

#[test]
fn a_gap_in_what_is_left_makes_the_lag_unknown_until_it_is_passed() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 5);
    run(&mut client, &["XGROUP CREATE s g 0", "XREADGROUP GROUP g c COUNT 1 STREAMS s >", "XDEL s 3"]);
    assert_eq!(progress(&mut client, "s", "g"), (Some(1), None));
    run(&mut client, &["XREADGROUP GROUP g c COUNT 2 STREAMS s >"]);
    assert_eq!(progress(&mut client, "s", "g"), (None, None));
    run(&mut client, &["XREADGROUP GROUP g c STREAMS s >"]);
    assert_eq!(progress(&mut client, "s", "g"), (Some(5), Some(0)));
    run(&mut client, &["XADD s 6 a b"]);
    assert_eq!(progress(&mut client, "s", "g"), (Some(5), Some(1)));
}

#[test]
fn the_count_that_is_given_to_a_group_is_kept_within_what_was_added() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 5);
    run(&mut client, &["XGROUP CREATE s g 2 ENTRIESREAD 2", "XGROUP CREATE s h $ ENTRIESREAD 99"]);
    assert_eq!(progress(&mut client, "s", "g"), (Some(2), Some(3)));
    assert_eq!(progress(&mut client, "s", "h"), (Some(5), Some(0)));
    run(&mut client, &["XGROUP SETID s g 2", "XGROUP SETID s h 4 ENTRIESREAD 4"]);
    assert_eq!(progress(&mut client, "s", "g"), (None, None));
    assert_eq!(progress(&mut client, "s", "h"), (Some(4), Some(1)));
}

#[test]
fn a_stream_tells_of_itself() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 3);
    run(&mut client, &["XDEL s 1", "XGROUP CREATE s g 0"]);
    let said = ask(&mut client, "XINFO STREAM s");
    assert!(said.starts_with("[length 2 radix-tree-keys "), "{said}");
    let rest = "last-generated-id 3-0 max-deleted-entry-id 1-0 entries-added 3 recorded-first-entry-id 2-0 groups 1 \
                first-entry [2-0 [f 2]] last-entry [3-0 [f 3]]]";
    assert!(said.ends_with(rest), "{said}");
    run(&mut client, &["XDEL s 2 3"]);
    assert!(
        ask(&mut client, "XINFO STREAM s")
            .ends_with("recorded-first-entry-id 0-0 groups 1 first-entry - last-entry -]")
    );
}

#[test]
fn a_stream_tells_all() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 12);
    run(&mut client, &["XGROUP CREATE s g 0", "XGROUP CREATECONSUMER s g idle"]);
    run(&mut client, &["XREADGROUP GROUP g a COUNT 11 STREAMS s >", "XACK s g 2"]);
    for (count, shown, pending) in [(None, 10, 10), (Some("0"), 12, 10), (Some("3"), 3, 3), (Some("-1"), 10, 10)] {
        let mut line = vec!["XINFO", "STREAM", "s", "FULL"];
        line.extend(count.iter().flat_map(|count| ["COUNT", count]));
        let all = client.ask(&line);
        assert_eq!(all.field("entries").map(|entries| entries.items().len()), Some(shown));
        let group = &all.field("groups").expect("groups").items()[0];
        let number = |of: &Reply, name: &str| of.field(name).map(Reply::integer);
        assert_eq!((number(group, "pel-count"), number(group, "lag")), (Some(10), Some(1)));
        let first = group.field("pending").expect("pending").items();
        assert_eq!((first.len(), first[1].items()[0].text().as_str()), (pending, "3-0"));
        let consumers = group.field("consumers").expect("consumers").items();
        assert_eq!(consumers[0].field("pending").map(|pending| pending.items().len()), Some(pending));
        assert_eq!(number(&consumers[0], "pel-count"), Some(10));
        assert!(number(&consumers[0], "active-time").is_some_and(|time| time > 1_600_000_000_000));
        assert_eq!(number(&consumers[1], "active-time"), Some(-1));
    }
}

#[test]
fn consumers_tell_when_they_were_seen_and_when_they_got_something() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 1);
    run(&mut client, &["XGROUP CREATE s g 0", "XGROUP CREATECONSUMER s g a", "XREADGROUP GROUP g b STREAMS s >"]);
    let consumers = client.ask(&["XINFO", "CONSUMERS", "s", "g"]);
    let field = |at: usize, name: &str| consumers.items()[at].field(name).map(Reply::integer);
    assert_eq!((field(0, "pending"), field(0, "inactive")), (Some(0), Some(-1)));
    assert_eq!((field(1, "pending"), field(1, "inactive")), (Some(1), field(1, "idle")));
    assert!(field(0, "idle") >= field(1, "idle"));
}

#[test]
fn the_containers_help() {
    let (_server, mut client) = connected();
    for container in ["XGROUP", "XINFO"] {
        let help = client.ask(&[container, "HELP"]).texts();
        assert!(help[0].starts_with(&format!("{container} <subcommand>")), "{help:?}");
        assert!(help.iter().any(|line| line == "HELP"));
    }
}
