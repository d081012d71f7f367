//! What others are told of a timer, and before a command: `told.c`.

use plinth_testkit::reply::Reply;
use plinth_testkit::{Client, Server, TempDir, assert_wire, cc, wait_until};

fn server() -> Server {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/abi/told.c", &[]);
    Server::within(folder, &["--loadmodule", &path])
}

/// The commands that were passed on, with their databases, of RESTORE the key only.
fn passed_on(client: &mut Client) -> Vec<Vec<String>> {
    let said = client.ask(&["DEBUG", "PROPAGATION"]);
    let command = |pair: &[Reply]| {
        let Reply::Bulk(text) = &pair[1] else { panic!("{pair:?}") };
        let words = plinth_testkit::reply::parse(text).expect("a whole command").0;
        let words: Vec<String> = words.items().iter().take(3).map(Reply::text).collect();
        let shown = if words[0] == "RESTORE" { &words[..2] } else { &words[..] };
        format!("{}: {}", pair[0].integer(), shown.join(" "))
    };
    said.items()[3].items().iter().map(|unit| unit.items().chunks(2).map(command).collect()).collect()
}

#[test]
fn a_timer_tells_what_it_does_to_keys_and_databases() {
    let server = server();
    let mut client = server.connect();
    assert_wire(&mut client, &["DEBUG", "PROPAGATION", "ON"], b"+OK\r\n");
    assert_wire(&mut client, &["TOLD.TIMER"], b"+OK\r\n");
    wait_until("the timer has run", || !passed_on(&mut client).is_empty());
    let all = [
        "2: INCR p:told",
        "2: RESTORE p:restated",
        "3: FLUSHDB",
        "4: RESTORE p:swapped",
        "0: SWAPDB 4 5",
        "4: RESTORE p:last",
        "0: FLUSHALL",
    ];
    assert_eq!(passed_on(&mut client), [all]);
    assert_wire(&mut client, &["TOLD.OUTSIDE"], b"+OK\r\n");
}

#[test]
fn what_is_told_before_a_command_is_told_within_another_as_well() {
    let server = server();
    let mut client = server.connect();
    assert_wire(&mut client, &["DEBUG", "PROPAGATION", "ON"], b"+OK\r\n");
    assert_wire(&mut client, &["TOLD.FIRST"], b"+OK\r\n");
    assert_wire(&mut client, &["TOLD.INNER"], b"+OK\r\n");
    assert_eq!(passed_on(&mut client), [["0: INCR p:first", "0: TOLD.FIRST"], ["0: INCR p:first", "0: TOLD.INNER"]]);
}
