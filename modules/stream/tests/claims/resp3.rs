//! The shapes of RESP3.

use super::{ask, connected, run, says, show, waiting};

#[test]
fn streams_that_are_read_are_a_map() {
    let (server, mut client) = connected();
    run(&mut client, &["HELLO 3", "XADD s 1 a b", "XGROUP CREATE s g 0"]);
    says(
        &mut client,
        &[
            ("XREAD STREAMS s none 0 0", "{s [[1-0 [a b]]]}"),
            ("XREADGROUP GROUP g c STREAMS s >", "{s [[1-0 [a b]]]}"),
            ("XREADGROUP GROUP g c STREAMS s 0", "{s [[1-0 [a b]]]}"),
            ("XREADGROUP GROUP g c STREAMS s >", "-"),
            ("XREAD STREAMS s $", "-"),
            ("XRANGE s - +", "[[1-0 [a b]]]"),
            ("XRANGE s - + COUNT 0", "-"),
            ("XADD none NOMKSTREAM 1 a b", "-"),
            ("XACK s g 1", "1"),
            ("XPENDING s g", "[0 - - -]"),
        ],
    );
    let mut reader = server.connect();
    run(&mut reader, &["HELLO 3"]);
    drop(reader);
    let mut reader = waiting(&server, &mut client, "XREAD BLOCK 0 STREAMS s $");
    run(&mut client, &["XADD s 2 a b"]);
    assert_eq!(show(&reader.read()), "[[s [[2-0 [a b]]]]]", "a reader that speaks RESP2");
}

#[test]
fn what_is_told_is_maps() {
    let (_server, mut client) = connected();
    run(&mut client, &["HELLO 3", "XADD s 1 a b", "XGROUP CREATE s g 0", "XGROUP CREATECONSUMER s g c"]);
    let groups = "[{name g consumers 1 pending 0 last-delivered-id 0-0 entries-read - lag 1}]";
    says(&mut client, &[("XINFO GROUPS s", groups)]);
    let consumers = ask(&mut client, "XINFO CONSUMERS s g");
    assert!(consumers.starts_with("[{name c pending 0 idle ") && consumers.ends_with("inactive -1}]"), "{consumers}");
    let stream = ask(&mut client, "XINFO STREAM s");
    assert!(stream.starts_with("{length 1 ") && stream.ends_with("last-entry [1-0 [a b]]}"), "{stream}");
    let full = ask(&mut client, "XINFO STREAM s FULL");
    assert!(
        full.contains("entries [[1-0 [a b]]] groups [{name g last-delivered-id 0-0 entries-read - lag 1 "),
        "{full}"
    );
    assert!(full.contains("consumers [{name c seen-time "), "{full}");
}
