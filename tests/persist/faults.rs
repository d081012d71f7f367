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
