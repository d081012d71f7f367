//! A disk that fails: at every call once, and what is there afterwards.

use crate::files::{QUIET, fill};
use plinth_testkit::append::last_increment;
use plinth_testkit::reply::request;
use plinth_testkit::{Server, assert_wire, server, wait_until};

#[test]
fn whichever_call_fails_a_whole_file_is_there() {
    let server = Server::with(&QUIET);
    let mut client = server.connect();
    fill(&mut client);
    assert_wire(&mut client, &["SAVE"], b"+OK\r\n");
    for failure in ["ENOSPC", "EIO", "SHORT"] {
        let mut calls = 0;
        loop {
            let old = client.text(&["DEBUG", "DIGEST"]);
            client.command(&["INCR", "changes"]);
            let new = client.text(&["DEBUG", "DIGEST"]);
            let call = calls.to_string();
            assert_wire(&mut client, &["DEBUG", "DISK", "FAIL", &call, failure], b"+OK\r\n");
            let reply = client.text(&["SAVE"]);
            assert_wire(&mut client, &["DEBUG", "DISK", "REAL"], b"+OK\r\n");
            assert!(reply == "OK" || failure != "SHORT", "a short write is gone on with: {reply}");
            assert_wire(&mut client, &["DEBUG", "RELOAD", "NOSAVE"], b"+OK\r\n");
            let loaded = client.text(&["DEBUG", "DIGEST"]);
            assert!(loaded == new || reply != "OK" && loaded == old, "{failure} at call {calls}: {reply}");
            calls += 1;
            if reply == "OK" && calls > 8 {
                break;
            }
        }
    }
    let left: Vec<_> =
        std::fs::read_dir(server.folder().path()).unwrap().flatten().map(|file| file.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("temp-")), "{left:?}");
}

#[test]
fn a_disk_that_is_full_fails_a_snapshot_in_the_background_with_its_reason_in_the_log() {
    let server = Server::with(&["--save", "3600 1"]);
    let mut client = server.connect();
    fill(&mut client);
    assert_wire(&mut client, &["DEBUG", "DISK", "FAIL", "1", "ENOSPC", "LASTING"], b"+OK\r\n");
    assert_wire(&mut client, &["BGSAVE"], b"+Background saving started\r\n");
    wait_until("it has failed", || client.info("persistence", "rdb_last_bgsave_status").as_deref() == Some("err"));
    let log = server.log();
    assert!(log.contains("Write error saving DB on disk: No space left on device"), "{log}");
    assert!(client.text(&["SET", "a", "b"]).starts_with("MISCONF"));
}

#[test]
fn zeros_that_a_cut_of_the_power_has_left_end_an_append_only_file() {
    let args = ["--appendonly", "yes", "--save", ""];
    let (zeros, later) = (vec![0; 300], request(&["SET", "later", "1"]));
    let half = &request(&["SET", "half", "value"])[..20];
    for (tail, is_hole) in [
        (zeros.clone(), true),
        ([&zeros[..], &later].concat(), true),
        ([half, &zeros[..], &later].concat(), true),
        ([half, &[0, 0][..]].concat(), true),
        ([half, &[0, 0][..], &later].concat(), false),
        ([half, b"xyz", &later].concat(), false),
    ] {
        let server = Server::with(&args);
        assert_wire(&mut server.connect(), &["SET", "a", "1"], b"+OK\r\n");
        let folder = server.end("TERM");
        let path = last_increment(&folder.path().join("appendonlydir"));
        let mut bytes = std::fs::read(&path).unwrap();
        let whole = bytes.len();
        bytes.extend_from_slice(&tail);
        std::fs::write(&path, &bytes).unwrap();
        let mut strict = args.map(str::to_owned).to_vec();
        strict.extend(["--dir".into(), folder.path().display().to_string(), "--port".into(), "0".into()]);
        if !is_hole {
            let finished = server::run_to_end(&strict);
            assert!(finished.output.contains("Bad file format reading the append only file"), "{tail:?}");
            assert_eq!(std::fs::read(&path).unwrap(), bytes, "the file stays as it was");
            continue;
        }
        strict.extend(["--aof-load-truncated".into(), "no".into()]);
        let finished = server::run_to_end(&strict);
        assert!(finished.output.contains("Unexpected end of file"), "{}", finished.output);
        let server = Server::within(folder, &args);
        assert!(server.log().contains("it was not written when the power went"), "{}", server.log());
        assert_wire(&mut server.connect(), &["KEYS", "*"], b"*1\r\n$1\r\na\r\n");
        assert_eq!(std::fs::metadata(&path).unwrap().len(), whole as u64);
    }
}

/// Whatever call of a rewrite fails: the server goes on, its files are whole, and the next rewrite succeeds.
#[test]
fn whichever_call_of_a_rewrite_fails_what_was_told_is_there_at_the_next_start() {
    let args = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""];
    let mut server = Server::with(&args);
    let mut client = server.connect();
    fill(&mut client);
    for failure in ["ENOSPC", "EIO", "SHORT"] {
        let mut calls = 0;
        loop {
            let begun: u64 = aof(&mut client, "aof_rewrites").parse().unwrap();
            let call = calls.to_string();
            assert_wire(&mut client, &["DEBUG", "DISK", "FAIL", &call, failure], b"+OK\r\n");
            let reply = client.text(&["BGREWRITEAOF"]);
            if reply.starts_with("Background") {
                wait_until("it has begun", || aof(&mut client, "aof_rewrites").parse::<u64>().unwrap() > begun);
            } else {
                assert!(reply.starts_with("ERR "), "{failure} at call {calls}: {reply}");
            }
            wait_until("it has ended", || aof(&mut client, "aof_rewrite_in_progress") == "0");
            let ended_well = aof(&mut client, "aof_last_bgrewrite_status") == "ok" && !reply.starts_with("ERR");
            assert!(ended_well || failure != "SHORT", "a short write is gone on with, {calls}");
            assert_wire(&mut client, &["DEBUG", "DISK", "REAL"], b"+OK\r\n");
            // An append that had to fail is tried again each second; with that, writes are taken.
            wait_until("writes are taken", || client.ask(&["INCR", "changes"]).text().parse::<i64>().is_ok());
            wait_until("all is written", || aof(&mut client, "aof_buffer_length") == "0");
            let digest = client.text(&["DEBUG", "DIGEST"]);
            server = server.again("KILL", &args);
            client = server.connect();
            assert_eq!(client.text(&["DEBUG", "DIGEST"]), digest, "{failure} at call {calls}: {reply}");
            calls += 1;
            if ended_well && calls > 12 {
                break;
            }
            assert!(calls < 60, "{failure} at call {calls}: it never succeeds");
        }
    }
    assert_wire(&mut client, &["BGREWRITEAOF"], b"+Background append only file rewriting started\r\n");
    wait_until("it has ended", || aof(&mut client, "aof_rewrite_in_progress") == "0");
    assert_eq!(aof(&mut client, "aof_last_bgrewrite_status"), "ok");
    let folder = server.folder().path().join("appendonlydir");
    wait_until("what is no longer needed is gone", || {
        std::fs::read_dir(&folder).unwrap().flatten().filter(|file| !file.path().ends_with("lock")).count() <= 4
    });
}

fn aof(client: &mut plinth_testkit::Client, field: &str) -> String {
    client.info("persistence", field).unwrap_or_default()
}

/// `always`: a failed append ends the server, and what it had told is there.
#[test]
fn whichever_call_of_an_append_fails_no_reply_is_given_for_what_does_not_last() {
    let args = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""];
    for failure in ["ENOSPC", "EIO", "SHORT"] {
        for call in 0..6 {
            let mut server = Server::with(&args);
            let mut client = server.connect();
            assert_wire(&mut client, &["DEBUG", "DISK", "FAIL", &call.to_string(), failure], b"+OK\r\n");
            let mut told = 0;
            for _ in 0..8 {
                if client.try_raw(request(&["INCR", "counter"])).is_err() {
                    break;
                }
                match client.reply_if_any() {
                    Some(reply) => told = reply.integer(),
                    None => break,
                }
            }
            assert!(failure != "SHORT" || told == 8, "a short write is gone on with");
            if told < 8 {
                assert_eq!(server.wait(), Some(1), "{failure} at call {call}");
                assert!(server.log().contains("the AOF fsync policy is 'always'"), "{}", server.log());
            }
            let again = Server::within(server.kill(), &args);
            let there = again.connect().ask(&["INCRBY", "counter", "0"]).integer();
            assert!(there == told || there == told + 1, "{failure} at call {call}: {told} told, {there} there");
        }
    }
}
