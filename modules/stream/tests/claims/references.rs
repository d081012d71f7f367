//! KEEPREF, DELREF, ACKED: XDELEX, XACKDEL, and trims.

use super::{connected, fill, run, says};

#[test]
fn entries_go_with_or_without_their_references() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 6);
    run(&mut client, &["XGROUP CREATE s g 0", "XREADGROUP GROUP g a COUNT 4 STREAMS s >", "XACK s g 3"]);
    says(
        &mut client,
        &[
            ("XDELEX s IDS 2 1 9", "[1 -1]"),
            ("XDELEX s KEEPREF IDS 1 1", "[-1]"),
            ("XPENDING s g", "[3 1-0 4-0 [[a 3]]]"),
            ("XDELEX s DELREF IDS 2 2 1", "[1 -1]"),
            ("XPENDING s g", "[1 4-0 4-0 [[a 1]]]"),
            ("XDELEX s ACKED IDS 4 3 4 5 99", "[1 2 2 2]"),
            ("XDELEX s IDS 1 4 ACKED", "[2]"),
            ("XDELEX none IDS 2 x 1", "[-1 -1]"),
            ("XRANGE s - +", "[[4-0 [f 4]] [5-0 [f 5]] [6-0 [f 6]]]"),
        ],
    );
}

#[test]
fn acknowledged_entries_are_removed_in_one_step() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 4);
    run(&mut client, &["XGROUP CREATE s g 0", "XGROUP CREATE s h 0", "XREADGROUP GROUP g a STREAMS s >"]);
    says(
        &mut client,
        &[
            ("XACKDEL s g IDS 2 1 9", "[1 -1]"),
            ("XACKDEL s g ACKED IDS 2 2 2", "[2 -1]"),
            ("XREADGROUP GROUP h a STREAMS s >", "[[s [[2-0 [f 2]] [3-0 [f 3]] [4-0 [f 4]]]]]"),
            ("XACKDEL s g DELREF IDS 1 3", "[1]"),
            ("XPENDING s h", "[2 2-0 4-0 [[a 2]]]"),
            ("XACKDEL s h ACKED IDS 2 2 4", "[1 2]"),
            ("XACKDEL s no IDS 1 4", "[-1]"),
            ("XACKDEL none g IDS 1 4", "[-1]"),
            ("XRANGE s - +", "[[4-0 [f 4]]]"),
            ("XDEL s 4", "1"),
            ("XACKDEL s g IDS 1 4", "[1]"),
        ],
    );
}

#[test]
fn a_trim_minds_references() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 5);
    run(&mut client, &["XGROUP CREATE s g 0", "XREADGROUP GROUP g a COUNT 4 STREAMS s >", "XACK s g 2 3"]);
    says(
        &mut client,
        &[
            ("XTRIM s MAXLEN 4 ACKED", "1"),
            ("XRANGE s - +", "[[1-0 [f 1]] [3-0 [f 3]] [4-0 [f 4]] [5-0 [f 5]]]"),
            ("XTRIM s ACKED MAXLEN 0", "1"),
            ("XTRIM s MINID 5 ACKED", "0"),
            ("XPENDING s g", "[2 1-0 4-0 [[a 2]]]"),
            ("XADD s DELREF MAXLEN 2 6 f 6", "6-0"),
            ("XPENDING s g", "[0 - - -*]"),
            ("XRANGE s - +", "[[5-0 [f 5]] [6-0 [f 6]]]"),
            ("XADD s ACKED NOMKSTREAM MAXLEN 0 7 f 7", "7-0"),
            ("XADD s NOMKSTREAM KEEPREF MAXLEN 2 8 f 8", "8-0"),
            ("XRANGE s - +", "[[7-0 [f 7]] [8-0 [f 8]]]"),
        ],
    );
}

#[test]
fn an_approximate_trim_of_acknowledged_entries_does_trim() {
    let (_server, mut client) = connected();
    fill(&mut client, "s", 1000);
    run(&mut client, &["XGROUP CREATE s g 0", "XREADGROUP GROUP g a NOACK COUNT 600 STREAMS s >"]);
    run(&mut client, &["XREADGROUP GROUP g a COUNT 1 STREAMS s >"]);
    let len = |client: &mut super::Client| super::ask(client, "XLEN s").parse::<u64>().expect("a number");
    run(&mut client, &["XTRIM s MAXLEN ~ 10 ACKED LIMIT 0"]);
    let left = len(&mut client);
    assert!((400..=500).contains(&left), "{left}: what was acknowledged goes, what was not stays");
    run(&mut client, &["XTRIM s MAXLEN ~ 10 DELREF LIMIT 0"]);
    assert!((10..=110).contains(&len(&mut client)));
    says(&mut client, &[("XPENDING s g", "[0 - - -*]")]);
}
