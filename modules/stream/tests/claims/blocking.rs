//! Waiting: who is woken, by what, and in which order.

use super::{WRONG_TYPE, ask, blocked, connected, run, says, show, waiting};

#[test]
fn a_reader_is_woken_by_an_entry() {
    let (server, mut client) = connected();
    run(&mut client, &["XADD s 1 a b"]);
    for line in
        ["XREAD BLOCK 0 STREAMS s $", "XREAD BLOCK 0 COUNT 5 STREAMS none s 0 1", "XREAD BLOCK 60000 STREAMS s t $ $"]
    {
        let mut reader = waiting(&server, &mut client, line);
        let id = ask(&mut client, "XADD s * c d");
        assert_eq!(show(&reader.read()), format!("[[s [[{id} [c d]]]]]"), "{line}");
        run(&mut client, &["DEL s"]);
        run(&mut client, &["XADD s 1 a b"]);
    }
}

#[test]
fn the_last_id_is_that_of_when_the_command_came() {
    let (server, mut client) = connected();
    run(&mut client, &["XADD s 1 a b"]);
    let mut reader = waiting(&server, &mut client, "XREAD BLOCK 0 STREAMS s $");
    // Both are added before anybody is run again.
    run(&mut client, &["MULTI", "XADD s 2 a b", "XADD s 3 a b", "XDEL s 2", "XADD s 4 a b", "EXEC"]);
    assert_eq!(show(&reader.read()), "[[s [[3-0 [a b]] [4-0 [a b]]]]]");
    run(&mut client, &["DEL s"]);
    let mut reader = waiting(&server, &mut client, "XREAD BLOCK 0 STREAMS s +");
    run(&mut client, &["MULTI", "XADD s 9 a b", "XADD s 10 a b", "EXEC"]);
    assert_eq!(show(&reader.read()), "[[s [[10-0 [a b]]]]]");
}

#[test]
fn the_time_ends_with_a_null() {
    let (_server, mut client) = connected();
    run(&mut client, &["XGROUP CREATE s g $ MKSTREAM"]);
    says(
        &mut client,
        &[
            ("XREAD BLOCK 1 STREAMS s $", "-*"),
            ("XREADGROUP GROUP g c BLOCK 1 STREAMS s >", "-*"),
            ("XREADGROUP GROUP g c BLOCK 0 STREAMS s 0", "[[s []]]"),
        ],
    );
}

#[test]
fn consumers_are_served_in_the_order_in_which_they_came() {
    let (server, mut client) = connected();
    run(&mut client, &["XGROUP CREATE s g $ MKSTREAM"]);
    let line = |consumer: &str| format!("XREADGROUP GROUP g {consumer} BLOCK 0 COUNT 1 STREAMS s >");
    let mut first = waiting(&server, &mut client, &line("a"));
    let mut second = waiting(&server, &mut client, &line("b"));
    let mut third = waiting(&server, &mut client, &line("c"));
    run(&mut client, &["MULTI", "XADD s 1 f 1", "XADD s 2 f 2", "EXEC"]);
    assert_eq!(show(&first.read()), "[[s [[1-0 [f 1]]]]]");
    assert_eq!(show(&second.read()), "[[s [[2-0 [f 2]]]]]");
    // What others do to the group is nothing to wait for.
    run(&mut client, &["XACK s g 1", "XCLAIM s g d 0 2", "XDEL s 1", "XTRIM s MAXLEN 0"]);
    assert_eq!(blocked(&mut client), 1);
    run(&mut client, &["XADD s 3 f 3"]);
    assert_eq!(show(&third.read()), "[[s [[3-0 [f 3]]]]]");
    says(&mut client, &[("XPENDING s g", "[2 2-0 3-0 [[c 1] [d 1]]]")]);
}

#[test]
fn all_readers_get_an_entry_and_one_consumer_of_each_group() {
    let (server, mut client) = connected();
    run(&mut client, &["XGROUP CREATE s g $ MKSTREAM", "XGROUP CREATE s h $"]);
    let mut readers: Vec<_> = [
        "XREAD BLOCK 0 STREAMS s $",
        "XREADGROUP GROUP g a BLOCK 0 STREAMS s >",
        "XREADGROUP GROUP h a BLOCK 0 NOACK STREAMS s >",
        "XREAD BLOCK 0 STREAMS s $",
    ]
    .map(|line| waiting(&server, &mut client, line))
    .into();
    let mut late = waiting(&server, &mut client, "XREADGROUP GROUP g b BLOCK 0 STREAMS s >");
    run(&mut client, &["XADD s 1 f 1"]);
    for reader in &mut readers {
        assert_eq!(show(&reader.read()), "[[s [[1-0 [f 1]]]]]");
    }
    assert_eq!(blocked(&mut client), 1);
    says(&mut client, &[("XPENDING s g", "[1 1-0 1-0 [[a 1]]]"), ("XPENDING s h", "[0 - - -*]")]);
    run(&mut client, &["XADD s 2 f 2"]);
    assert_eq!(show(&late.read()), "[[s [[2-0 [f 2]]]]]");
}

#[test]
fn a_consumer_is_told_when_its_group_goes_away() {
    let (server, mut client) = connected();
    let gone = "NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option";
    for (lines, answer) in [
        (&["DEL s"][..], gone),
        (&["XGROUP DESTROY s g"], gone),
        (&["SET s x"], WRONG_TYPE),
        (&["MULTI", "DEL s", "SADD s x", "EXEC"], WRONG_TYPE),
        (&["FLUSHALL"], gone),
        (&["RENAME s t"], gone),
        (&["MOVE s 3"], gone),
        (&["SWAPDB 0 1"], gone),
        (&["PEXPIREAT s 1"], gone),
    ] {
        run(&mut client, &["FLUSHALL", "XGROUP CREATE s g $ MKSTREAM"]);
        let mut reader = waiting(&server, &mut client, "XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
        run(&mut client, lines);
        assert_eq!(show(&reader.read()), answer, "{lines:?}");
    }
}

#[test]
fn a_reader_waits_on_when_its_stream_goes_away() {
    let (server, mut client) = connected();
    run(&mut client, &["XADD s 5 a b"]);
    let mut reader = waiting(&server, &mut client, "XREAD BLOCK 0 STREAMS s $");
    for line in ["DEL s", "SET s x", "FLUSHALL", "XADD s 1 a b", "XADD s 5 a b"] {
        run(&mut client, &[line]);
        assert_eq!(blocked(&mut client), 1, "{line}");
    }
    run(&mut client, &["XADD other 6 a b", "RENAME other s"]);
    assert_eq!(show(&reader.read()), "[[s [[6-0 [a b]]]]]");
    let mut reader = waiting(&server, &mut client, "XREAD BLOCK 0 STREAMS s 6");
    run(&mut client, &["SELECT 1", "XADD s 7 a b", "SWAPDB 0 1"]);
    assert_eq!(show(&reader.read()), "[[s [[7-0 [a b]]]]]");
}

#[test]
fn a_group_that_is_set_back_gives_what_is_new_to_it_with_the_next_entry() {
    let (server, mut client) = connected();
    run(&mut client, &["XADD s 1 a b", "XGROUP CREATE s g $"]);
    let mut reader = waiting(&server, &mut client, "XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
    run(&mut client, &["XGROUP SETID s g 0"]);
    assert_eq!(blocked(&mut client), 1);
    run(&mut client, &["XADD s 2 c d"]);
    assert_eq!(show(&reader.read()), "[[s [[1-0 [a b]] [2-0 [c d]]]]]");
}
