//! Adding, reading by id, removing, trimming.

use super::{BAD_ID, connected, fill, run, says};

#[test]
fn an_entry_gets_the_id_that_was_asked_for() {
    let (_server, mut client) = connected();
    let low = "ERR The ID specified in XADD is equal or smaller than the target stream top item";
    says(
        &mut client,
        &[
            ("XADD none NOMKSTREAM 1 a b", "-"),
            ("EXISTS none", "0"),
            ("XADD s 0-* a b", "0-1"),
            ("XADD s 5 a b", "5-0"),
            ("XADD s 5 a b", low),
            ("XADD s 4-* a b", low),
            ("XADD s 5-* a b c 17", "5-1"),
            ("XADD s NOMKSTREAM 9-1 a b", "9-1"),
            ("XLEN s", "4"),
            ("XRANGE s - +", "[[0-1 [a b]] [5-0 [a b]] [5-1 [a b c 17]] [9-1 [a b]]]"),
            ("XADD s 18446744073709551615-18446744073709551615 a b", "18446744073709551615-18446744073709551615"),
            ("XADD s * a b", "ERR The stream has exhausted the last possible ID, unable to add more items"),
        ],
    );
}

#[test]
fn an_automatic_id_is_behind_the_last_one_whatever_the_clock_says() {
    let (_server, mut client) = connected();
    let first = super::ask(&mut client, "XADD s * a b");
    let ms: u64 = first.split('-').next().and_then(|ms| ms.parse().ok()).expect("a time");
    assert!(ms > 1_600_000_000_000 && first.ends_with("-0"), "{first}");
    says(
        &mut client,
        &[
            ("XADD s 99999999999999-7 a b", "99999999999999-7"),
            ("XADD s * a b", "99999999999999-8"),
            ("XADD s 99999999999999-18446744073709551615 a b", "99999999999999-18446744073709551615"),
            ("XADD s * a b", "100000000000000-0"),
        ],
    );
}

#[test]
fn ranges_go_both_ways_and_leave_ends_out() {
    let (_server, mut client) = connected();
    run(&mut client, &["XADD s 1-1 a b", "XADD s 1-2 a b", "XADD s 2-0 a b", "XADD s 3-0 a b"]);
    says(
        &mut client,
        &[
            ("XRANGE s 1 1", "[[1-1 [a b]] [1-2 [a b]]]"),
            ("XRANGE s (1-1 (3-0", "[[1-2 [a b]] [2-0 [a b]]]"),
            ("XRANGE s 1-2 + COUNT 1", "[[1-2 [a b]]]"),
            ("XRANGE s 3 1", "[]"),
            ("XREVRANGE s + - COUNT 2", "[[3-0 [a b]] [2-0 [a b]]]"),
            ("XREVRANGE s (2-0 (1-1", "[[1-2 [a b]]]"),
            ("XREVRANGE s 1 +", "[]"),
            ("XRANGE s - + COUNT 0", "-*"),
            ("XRANGE s - + COUNT -7", "-*"),
            ("XRANGE none - +", "[]"),
            ("XRANGE none - + COUNT 0", "[]"),
        ],
    );
}

#[test]
fn entries_are_removed_by_their_ids() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 5);
    says(
        &mut client,
        &[
            ("XDEL s 2 9 4 2", "2"),
            ("XDEL s 2", "0"),
            ("XDEL none 1", "0"),
            ("XDEL s 1 x", BAD_ID),
            ("XRANGE s - +", "[[1-0 [f 1]] [3-0 [f 3]] [5-0 [f 5]]]"),
            ("XDEL s 1 3 5", "3"),
            ("XLEN s", "0"),
            ("XRANGE s - +", "[]"),
            ("XADD s 5 a b", "ERR The ID specified in XADD is equal or smaller than the target stream top item"),
        ],
    );
}

#[test]
fn a_trim_by_count_or_id_is_exact_unless_asked_otherwise() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 10);
    says(
        &mut client,
        &[
            ("XTRIM s MAXLEN 8", "2"),
            ("XTRIM s MAXLEN = 8", "0"),
            ("XTRIM s MINID 5", "2"),
            ("XTRIM s MINID = 5-1", "1"),
            ("XTRIM s MAXLEN ~ 2", "0"),
            ("XTRIM s MAXLEN ~ 2 LIMIT 0", "0"),
            ("XLEN s", "5"),
            ("XADD s MAXLEN 3 11 f 11", "11-0"),
            ("XRANGE s - +", "[[9-0 [f 9]] [10-0 [f 10]] [11-0 [f 11]]]"),
            ("XADD s MINID = 12 12 f 12", "12-0"),
            ("XRANGE s - +", "[[12-0 [f 12]]]"),
            ("XADD s MAXLEN 0 13 f 13", "13-0"),
            ("XLEN s", "0"),
            ("EXISTS s", "1"),
            ("XTRIM none MAXLEN 0", "0"),
        ],
    );
}

#[test]
fn an_approximate_trim_keeps_what_was_asked_for_and_little_more() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 1000);
    let removed: u64 = super::ask(&mut client, "XTRIM s MAXLEN ~ 450").parse().expect("a number");
    let len: u64 = super::ask(&mut client, "XLEN s").parse().expect("a number");
    assert_eq!(removed + len, 1000);
    assert!((450..=550).contains(&len), "{len}");
    let removed: u64 = super::ask(&mut client, "XTRIM s MINID ~ 900 LIMIT 200").parse().expect("a number");
    assert!(removed <= 200, "{removed}");
    says(&mut client, &[("XTRIM s MAXLEN 0", &(len - removed).to_string())]);
}

#[test]
fn counters_are_set() {
    let (_server, mut client) = connected();
    run(&mut client, &["XADD s 5 a b", "XADD s 9 a b", "XDEL s 9"]);
    says(
        &mut client,
        &[
            ("XSETID none 1", "ERR no such key"),
            ("XSETID s 7", "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"),
            (
                "XSETID s 12 ENTRIESADDED 0 MAXDELETEDID 3",
                "ERR The entries_added specified in XSETID is smaller than the target stream length",
            ),
            (
                "XSETID s 12 MAXDELETEDID 13",
                "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
            ),
            ("XSETID s 12 ENTRIESADDED 40 MAXDELETEDID 11", "OK"),
            ("XADD s 12 a b", "ERR The ID specified in XADD is equal or smaller than the target stream top item"),
            ("XADD s 12-* a b", "12-1"),
            ("XDEL s 12-1", "1"),
            ("XSETID s 4", "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"),
        ],
    );
}

#[test]
fn what_is_behind_an_id_is_read_from_several_streams() {
    let (_server, mut client) = connected();
    run(&mut client, &["XADD s 1 a b", "XADD s 2 a b", "XADD t 5 c d"]);
    says(
        &mut client,
        &[
            ("XREAD STREAMS s t 1 0", "[[s [[2-0 [a b]]]] [t [[5-0 [c d]]]]]"),
            ("XREAD COUNT 1 STREAMS s none t 0 0 5", "[[s [[1-0 [a b]]]]]"),
            ("XREAD STREAMS s t $ $", "-*"),
            ("XREAD STREAMS none 0", "-*"),
            ("XREAD COUNT 9 STREAMS s t + +", "[[s [[2-0 [a b]]]] [t [[5-0 [c d]]]]]"),
            ("XDEL s 2", "1"),
            ("XREAD STREAMS s +", "[[s [[1-0 [a b]]]]]"),
            ("XREAD STREAMS s 18446744073709551615-18446744073709551615", "-*"),
        ],
    );
}
