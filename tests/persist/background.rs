//! Snapshots in the background: what they hold, what is told of them, how they end.

use crate::files::{QUIET, fill};
use plinth_testkit::{Client, Server, assert_wire, wait_until};
use std::process::Command;

fn persistence(client: &mut Client, field: &str) -> String {
    client.info("persistence", field).unwrap_or_default()
}

fn wait_for_end(client: &mut Client) {
    wait_until("no snapshot is being taken", || persistence(client, "rdb_bgsave_in_progress") == "0");
}

/// Process ids of a server's children.
fn children(server: &Server) -> Vec<u32> {
    let path = format!("/proc/{0}/task/{0}/children", server.pid());
    let listed = std::fs::read_to_string(path).unwrap_or_default();
    listed.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

fn slow(client: &mut Client, us: &str) {
    assert_wire(client, &["CONFIG", "SET", "rdb-key-save-delay", us], b"+OK\r\n");
}

#[test]
fn a_snapshot_holds_what_there_was_when_it_began() {
    let server = Server::with(&QUIET);
    let mut client = server.connect();
    fill(&mut client);
    let digest = client.text(&["DEBUG", "DIGEST"]);
    slow(&mut client, "20000");
    assert_wire(&mut client, &["BGSAVE"], b"+Background saving started\r\n");
    assert_wire(&mut client, &["BGSAVE"], b"-ERR Background save already in progress\r\n");
    assert_wire(&mut client, &["SAVE"], b"-ERR Background save already in progress\r\n");
    assert_eq!(persistence(&mut client, "rdb_bgsave_in_progress"), "1");
    for key in ["list", "large-hash", "stream", "long"] {
        client.command(&["DEL", key]);
    }
    assert_wire(&mut client, &["SET", "text", "changed"], b"+OK\r\n");
    wait_for_end(&mut client);
    assert_eq!(persistence(&mut client, "rdb_last_bgsave_status"), "ok");
    assert_eq!(persistence(&mut client, "rdb_changes_since_last_save"), "5");
    let log = server.log();
    for line in ["Background saving started by pid", "DB saved on disk", "Background saving terminated with success"] {
        assert!(log.contains(line), "{log}");
    }
    assert_eq!(client.info("stats", "total_forks").as_deref(), Some("1"));
    let server = server.again("KILL", &QUIET);
    assert_eq!(server.connect().text(&["DEBUG", "DIGEST"]), digest);
}

#[test]
fn writes_are_refused_after_a_snapshot_failed_until_one_succeeds() {
    let server = Server::with(&["--save", "3600 1"]);
    let mut client = server.connect();
    assert_wire(&mut client, &["SET", "x", "x"], b"+OK\r\n");
    slow(&mut client, "10000000");
    assert_wire(&mut client, &["BGSAVE"], b"+Background saving started\r\n");
    let child = children(&server);
    assert_eq!(child.len(), 1);
    assert!(Command::new("sh").args(["-c", &format!("kill -9 {}", child[0])]).status().unwrap().success());
    wait_for_end(&mut client);
    assert_eq!(persistence(&mut client, "rdb_last_bgsave_status"), "err");
    assert_wire(&mut client, &["GET", "x"], b"$1\r\nx\r\n");
    for refused in [&["SET", "x", "y"][..], &["PING"]] {
        let reply = client.text(refused);
        assert!(reply.starts_with("MISCONF "), "{refused:?}: {reply}");
    }
    assert_wire(&mut client, &["MULTI"], b"+OK\r\n");
    assert!(client.text(&["SET", "x", "y"]).starts_with("MISCONF "));
    assert!(client.text(&["EXEC"]).starts_with("EXECABORT"));
    assert_wire(&mut client, &["CONFIG", "SET", "stop-writes-on-bgsave-error", "no"], b"+OK\r\n");
    assert_wire(&mut client, &["SET", "x", "y"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "stop-writes-on-bgsave-error", "yes"], b"+OK\r\n");
    assert!(client.text(&["SET", "x", "z"]).starts_with("MISCONF "));
    slow(&mut client, "0");
    assert_wire(&mut client, &["BGSAVE"], b"+Background saving started\r\n");
    wait_for_end(&mut client);
    assert_wire(&mut client, &["SET", "x", "z"], b"+OK\r\n");
    let left: Vec<_> =
        std::fs::read_dir(server.folder().path()).unwrap().flatten().map(|file| file.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("temp-")), "{left:?}");
}

#[test]
fn a_snapshot_is_cancelled_and_nothing_is_left_of_it() {
    let server = Server::with(&QUIET);
    let mut client = server.connect();
    assert_wire(
        &mut client,
        &["BGSAVE", "CANCEL"],
        b"-ERR Background saving is currently not in progress or scheduled\r\n",
    );
    assert_wire(&mut client, &["SET", "x", "x"], b"+OK\r\n");
    slow(&mut client, "10000000");
    assert_wire(&mut client, &["BGSAVE"], b"+Background saving started\r\n");
    let temp = server.folder().path().join(format!("temp-{}.rdb", children(&server)[0]));
    wait_until("the child writes", || temp.exists());
    assert_wire(&mut client, &["BGSAVE", "CANCEL"], b"+Background saving cancelled\r\n");
    wait_for_end(&mut client);
    assert_eq!(persistence(&mut client, "rdb_last_bgsave_status"), "ok");
    assert_eq!(persistence(&mut client, "rdb_changes_since_last_save"), "1");
    assert!(!temp.exists() && !server.folder().path().join("dump.rdb").exists());
    // All is gone, and so is what the child would have written.
    assert_wire(&mut client, &["BGSAVE"], b"+Background saving started\r\n");
    assert_wire(&mut client, &["FLUSHALL"], b"+OK\r\n");
    wait_for_end(&mut client);
    assert!(!server.folder().path().join("dump.rdb").exists());
}

#[test]
fn save_points_and_schedules_are_kept() {
    let server = Server::with(&["--save", "1 2"]);
    let mut client = server.connect();
    assert_wire(&mut client, &["MSET", "a", "1", "b", "2"], b"+OK\r\n");
    server.wait_for_log("2 changes in 1 seconds. Saving...");
    wait_until("it is saved", || server.folder().path().join("dump.rdb").exists());
    wait_for_end(&mut client);
    assert_wire(&mut client, &["CONFIG", "SET", "save", ""], b"+OK\r\n");
    let saves: u64 = persistence(&mut client, "rdb_saves").parse().unwrap();
    assert_wire(&mut client, &["MULTI"], b"+OK\r\n");
    assert_wire(&mut client, &["SET", "c", "3"], b"+QUEUED\r\n");
    assert_wire(&mut client, &["BGSAVE"], b"+QUEUED\r\n");
    assert_wire(&mut client, &["EXEC"], b"*2\r\n+OK\r\n+Background saving scheduled\r\n");
    wait_until("it is saved", || persistence(&mut client, "rdb_saves").parse::<u64>().unwrap() > saves);
}

#[test]
fn an_emptied_data_set_is_empty_after_a_restart() {
    let points = ["--save", "3600 1"];
    let server = Server::with(&points);
    let mut client = server.connect();
    assert_wire(&mut client, &["SET", "a", "1"], b"+OK\r\n");
    assert_wire(&mut client, &["SAVE"], b"+OK\r\n");
    assert_wire(&mut client, &["FLUSHALL"], b"+OK\r\n");
    assert_eq!(persistence(&mut client, "rdb_changes_since_last_save"), "0");
    let server = server.again("KILL", &points);
    assert_wire(&mut server.connect(), &["DBSIZE"], b":0\r\n");
}

#[test]
fn connections_and_the_port_are_free_while_a_child_lives() {
    let server = Server::with(&QUIET);
    let mut client = server.connect();
    assert_wire(&mut client, &["SET", "x", "x"], b"+OK\r\n");
    slow(&mut client, "3000000");
    let mut leaving = server.connect();
    assert_wire(&mut leaving, &["PING"], b"+PONG\r\n");
    assert_wire(&mut client, &["BGSAVE"], b"+Background saving started\r\n");
    assert_wire(&mut leaving, &["QUIT"], b"+OK\r\n");
    leaving.assert_closed();
    let port = server.port();
    server.end("KILL");
    wait_until("the port is free", || std::net::TcpListener::bind(("127.0.0.1", port)).is_ok());
}

#[test]
fn a_child_whose_server_has_ended_leaves_the_file_alone() {
    let server = Server::with(&QUIET);
    let mut client = server.connect();
    // Done before the child would notice by a report that nobody hears.
    (0..5).for_each(|key| assert_wire(&mut client, &["SET", &key.to_string(), "v"], b"+OK\r\n"));
    slow(&mut client, "100000");
    assert_wire(&mut client, &["BGSAVE"], b"+Background saving started\r\n");
    let child = children(&server)[0];
    let folder = server.kill();
    wait_until("the child has ended", || {
        let state = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        state.is_empty() || state.contains(") Z ")
    });
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().map(|file| file.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".rdb")), "{left:?}");
}
