//! The end of a server: with a snapshot or without one, and what happens when there can be none.

use plinth_testkit::{Server, TempDir, assert_wire};

const POINTS: [&str; 2] = ["--save", "3600 1"];

fn with_key(args: &[&str]) -> Server {
    let server = Server::with(args);
    assert_wire(&mut server.connect(), &["SET", "key", "value"], b"+OK\r\n");
    server
}

fn ended_by(mut server: Server, command: &[&str]) -> Server {
    server.connect().send(command);
    assert_eq!(server.wait(), Some(0), "{}", server.log());
    server.again("KILL", &POINTS)
}

#[test]
fn a_server_with_save_points_saves_at_its_end_unless_it_is_told_not_to() {
    let saved = |server: &Server| server.connect().text(&["DBSIZE"]) == "1";
    assert!(saved(&ended_by(with_key(&POINTS), &["SHUTDOWN"])));
    assert!(!saved(&ended_by(with_key(&POINTS), &["SHUTDOWN", "NOSAVE"])));
    assert!(!saved(&ended_by(with_key(&["--save", ""]), &["SHUTDOWN"])));
    assert!(saved(&ended_by(with_key(&["--save", ""]), &["SHUTDOWN", "SAVE"])));
    assert!(saved(&with_key(&POINTS).again("TERM", &POINTS)));
    assert!(!saved(&with_key(&["--save", ""]).again("TERM", &POINTS)));
    assert!(!saved(&with_key(&["--save", "3600 1", "--shutdown-on-sigterm", "nosave"]).again("TERM", &POINTS)));
    assert!(saved(&with_key(&["--save", "", "--shutdown-on-sigint", "save"]).again("INT", &POINTS)));
}

#[test]
fn a_server_that_cannot_save_goes_on_unless_it_is_forced() {
    let mut server = with_key(&POINTS);
    // A folder cannot be replaced by a file.
    std::fs::create_dir(server.folder().path().join("dump.rdb")).unwrap();
    let mut client = server.connect();
    assert_wire(&mut client, &["SHUTDOWN"], b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
    server.signal("TERM");
    server.wait_for_log("Errors trying to shut down the server");
    assert!(server.log().contains("Error trying to save the DB, can't exit"));
    assert_wire(&mut client, &["GET", "key"], b"$5\r\nvalue\r\n");
    assert!(client.text(&["SAVE"]).starts_with("ERR Error moving temp DB file"));
    assert_wire(&mut client, &["BGSAVE"], b"+Background saving started\r\n");
    server.wait_for_log("Background saving error");
    client.send(&["SHUTDOWN", "FORCE"]);
    assert_eq!(server.wait(), Some(0));
    let left: Vec<_> =
        std::fs::read_dir(server.folder().path()).unwrap().flatten().map(|file| file.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("temp-")), "{left:?}");
}

#[test]
fn a_signal_that_was_not_followed_yet_can_be_taken_back() {
    let server = with_key(&POINTS);
    let mut client = server.connect();
    assert_wire(&mut client, &["SHUTDOWN", "ABORT"], b"-ERR No shutdown in progress.\r\n");
    assert_wire(&mut client, &["DEBUG", "PAUSE-CRON", "1"], b"+OK\r\n");
    server.signal("TERM");
    plinth_testkit::wait_until("the signal has come", || client.text(&["SHUTDOWN", "ABORT"]) == "OK");
    assert_wire(&mut client, &["DEBUG", "PAUSE-CRON", "0"], b"+OK\r\n");
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
}

#[test]
fn a_child_that_saves_is_ended_with_its_server() {
    let mut server = with_key(&POINTS);
    let mut client = server.connect();
    assert_wire(&mut client, &["CONFIG", "SET", "rdb-key-save-delay", "10000000"], b"+OK\r\n");
    assert_wire(&mut client, &["BGSAVE"], b"+Background saving started\r\n");
    client.send(&["SHUTDOWN", "NOSAVE"]);
    assert_eq!(server.wait(), Some(0));
    assert!(server.log().contains("There is a child saving an .rdb. Killing it!"));
    let folder: TempDir = server.end("KILL");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().map(|file| file.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".rdb")), "{left:?}");
}

#[test]
fn nothing_is_answered_behind_the_last_snapshot() {
    let mut server = Server::with(&POINTS);
    let mut other = server.connect();
    assert_wire(&mut other, &["PING"], b"+PONG\r\n");
    let mut client = server.connect();
    let words = ["SET before 1", "SHUTDOWN", "SET behind 1", "GET before"];
    let all: Vec<u8> =
        words.iter().flat_map(|line| plinth_testkit::reply::request(&line.split(' ').collect::<Vec<_>>())).collect();
    client.raw(&all);
    // What came before it in the same write may be answered or not.
    assert!([&b""[..], b"+OK\r\n"].contains(&&*client.read_to_end()));
    assert_eq!(server.wait(), Some(0));
    let again = server.again("KILL", &POINTS);
    assert_wire(&mut again.connect(), &["MGET", "before", "behind"], b"*2\r\n$1\r\n1\r\n$-1\r\n");
}
