//! The append-only file: what is kept across a restart, what is refused at one, and who may write.

use plinth_testkit::append::{commands, last_increment, parts};
use plinth_testkit::server::run_to_end;
use plinth_testkit::{Client, Reply, Server, TempDir, assert_wire, wait_until};
use std::path::PathBuf;

/// With everysec a write may wait for a sync that goes on, and a kill would lose it.
const APPENDS: &[&str] = &["--appendonly", "yes", "--save", "", "--appendfsync", "no"];

fn server(folder: TempDir, args: &[&str]) -> Server {
    Server::within(folder, &[APPENDS, args].concat())
}

fn files(server: &Server) -> PathBuf {
    server.folder().path().join("appendonlydir")
}

fn names(server: &Server) -> Vec<String> {
    let name = |(path, kind): (PathBuf, String)| {
        format!("{kind} {}", path.file_name().expect("a part has a name").to_string_lossy())
    };
    parts(&files(server)).into_iter().map(name).collect()
}

fn info(client: &mut Client, field: &str) -> String {
    client.info("persistence", field).unwrap_or_else(|| panic!("INFO has no {field}"))
}

fn wait_for_rewrite(client: &mut Client) {
    wait_until("the rewrite is done", || {
        info(client, "aof_rewrite_in_progress") == "0" && info(client, "aof_rewrite_scheduled") == "0"
    });
}

fn rewrite(client: &mut Client) {
    let begun = client.text(&["BGREWRITEAOF"]);
    assert!(begun.starts_with("Background append only file rewriting"), "{begun}");
    wait_for_rewrite(client);
    assert_eq!(info(client, "aof_last_bgrewrite_status"), "ok");
}

/// What a start without this file, or with other bytes in it, says at its end.
fn refused(folder: &TempDir, args: &[&str]) -> String {
    let dir = folder.path().to_string_lossy().into_owned();
    let port = plinth_testkit::server::free_port().to_string();
    let finished = run_to_end(&[APPENDS, &["--dir", &dir, "--port", &port], args].concat());
    assert_eq!(finished.code, Some(1), "{}", finished.output);
    finished.output
}

/// A folder with an append-only file of these parts: name, type and content, and the manifest's text.
fn folder_with(manifest: &str, contents: &[(&str, Vec<u8>)]) -> TempDir {
    let folder = TempDir::new();
    std::fs::create_dir(folder.path().join("appendonlydir")).expect("make the folder");
    folder.write("appendonlydir/appendonly.aof.manifest", manifest);
    for (name, content) in contents {
        folder.write(&format!("appendonlydir/{name}"), content);
    }
    folder
}

fn text(lines: &[&str]) -> Vec<u8> {
    let request = |line: &&str| plinth_testkit::reply::request(&line.split(' ').collect::<Vec<_>>());
    lines.iter().flat_map(request).collect()
}

const ONE: &str = "file appendonly.aof.1.incr.aof seq 1 type i\n";

#[test]
fn plinth_has_after_a_kill_what_it_has_acknowledged() {
    for sync in ["always", "everysec", "no"] {
        let first = server(TempDir::new(), &["--appendfsync", sync]);
        let mut client = first.connect();
        assert_wire(&mut client, &["SET", "k", "1"], b"+OK\r\n");
        assert_wire(&mut client, &["SELECT", "7"], b"+OK\r\n");
        assert_wire(&mut client, &["RPUSH", "l", "a", ""], b":2\r\n");
        for command in [&["MULTI"][..], &["INCR", "n"], &["INCR", "n"], &["EXEC"]] {
            client.ask(command);
        }
        if sync == "everysec" {
            // A write may wait for the thread, as long as nobody asks.
            assert_wire(&mut client, &["WAITAOF", "1", "0", "0"], b"*2\r\n:1\r\n:0\r\n");
        }
        let again = server(first.kill(), &["--appendfsync", sync]);
        let mut client = again.connect();
        assert_wire(&mut client, &["GET", "k"], b"$1\r\n1\r\n");
        assert_wire(&mut client, &["SELECT", "7"], b"+OK\r\n");
        assert_eq!(client.ask(&["LRANGE", "l", "0", "-1"]).texts(), ["a", ""]);
        assert_wire(&mut client, &["GET", "n"], b"$1\r\n2\r\n");
    }
}

#[test]
fn plinth_keeps_units_in_order_and_selects_a_database_only_when_it_changes() {
    let server = server(TempDir::new(), &["--appendfsync", "always"]);
    let mut client = server.connect();
    for line in ["SET a 1", "GET a", "SET a 2", "SELECT 2", "INCR b", "MULTI", "INCR b", "SELECT 0", "INCR b", "EXEC"] {
        client.ask(&line.split(' ').collect::<Vec<_>>());
    }
    let kept: Vec<String> = commands(&last_increment(&files(&server))).iter().map(|words| words.join(" ")).collect();
    assert_eq!(
        kept,
        ["SELECT 0", "SET a 1", "SET a 2", "SELECT 2", "INCR b", "MULTI", "INCR b", "SELECT 0", "INCR b", "EXEC"]
    );
    assert_eq!(info(&mut client, "aof_enabled"), "1");
    assert_eq!(info(&mut client, "aof_last_write_status"), "ok");
    assert!(info(&mut client, "aof_current_size").parse::<u64>().unwrap() > 0);
}

#[test]
fn plinth_loads_a_key_with_what_was_done_to_it_before_it_expired() {
    let content = text(&["SELECT 0", "RPUSH l a", "PEXPIREAT l 1000", "RPUSH l b", "SET k 1 PXAT 2000", "INCR k"]);
    let folder = folder_with(ONE, &[("appendonly.aof.1.incr.aof", content)]);
    let server = server(folder, &[]);
    let mut client = server.connect();
    assert_wire(&mut client, &["EXISTS", "l", "k"], b":0\r\n");
}

/// All goes in one write, so that the timer which removes fields does not run in between.
#[test]
fn plinth_loads_what_was_done_to_a_field_after_it_expired() {
    for entries_max in ["512", "0"] {
        let first = server(TempDir::new(), &["--appendfsync", "always"]);
        let mut client = first.connect();
        assert_wire(&mut client, &["CONFIG", "SET", "hash-max-listpack-entries", entries_max], b"+OK\r\n");
        let lines = [
            "HSET h a 5 b 5 c 5",
            "PEXPIRE h 100000000",
            "HPEXPIRE h 1 FIELDS 3 a b c",
            "HSET g a 5",
            "PEXPIRE g 100000000",
            "HPEXPIRE g 1 FIELDS 1 a",
            "HSET p d 5 e 5",
            "HPEXPIRE p 1 FIELDS 1 d",
            "HPEXPIRE p 100000000 FIELDS 1 e",
            "DEBUG SLEEP 0.05",
            "HPERSIST p FIELDS 2 d e",
            "HINCRBY h a 1",
            "HSETNX h b 1",
            "HSETEX h FNX FIELDS 1 c 1",
            "HSETEX g XX FIELDS 1 a 1",
        ];
        client.raw(text(&lines));
        let replies: Vec<Vec<u8>> = lines.iter().map(|_| client.read()).collect();
        assert_eq!(replies[10..].concat(), b"*2\r\n:-2\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n");
        let check = |client: &mut Client| {
            assert_eq!(client.ask(&["HMGET", "h", "a", "b", "c"]).texts(), ["1", "1", "1"]);
            assert_wire(client, &["HEXISTS", "p", "d"], b":0\r\n");
            assert_wire(client, &["HGET", "g", "a"], b"$1\r\n1\r\n");
            assert!(matches!(client.ask(&["PTTL", "h"]), Reply::Integer(1..)));
            assert!(matches!(client.ask(&["PTTL", "g"]), Reply::Integer(1..)));
        };
        check(&mut client);
        assert_wire(&mut client, &["DEBUG", "LOADAOF"], b"+OK\r\n");
        check(&mut client);
        check(&mut server(first.kill(), &[]).connect());
    }
}

#[test]
fn plinth_starts_with_a_file_cut_off_anywhere_and_has_what_was_whole() {
    let units: [&[&str]; 4] =
        [&["SELECT 0"], &["SET a 1"], &["MULTI", "SET b 1", "SET c 1", "EXEC"], &["SET d some-value"]];
    let whole: Vec<u8> = units.iter().flat_map(|unit| text(unit)).collect();
    let ends: Vec<usize> =
        (1..=units.len()).map(|count| units[..count].iter().map(|unit| text(unit).len()).sum()).collect();
    // Some of all places: at each unit's ends and in the middle.
    let mut places: Vec<usize> = ends.iter().flat_map(|end| [end - 1, *end, end + 1, end + 9]).collect();
    places.retain(|place| *place < whole.len());
    for place in places {
        let folder = folder_with(ONE, &[("appendonly.aof.1.incr.aof", whole[..place].to_vec())]);
        let server = server(folder, &[]);
        let mut client = server.connect();
        let kept = ends.iter().filter(|end| **end <= place).count();
        let expected = [0, 0, 1, 3, 4][kept];
        assert_wire(&mut client, &["DBSIZE"], format!(":{expected}\r\n"));
        let len = std::fs::metadata(last_increment(&files(&server))).unwrap().len() as usize;
        assert_eq!(len, kept.checked_sub(1).map_or(0, |at| ends[at]), "cut at {place}");
        // What comes behind the cut can be read.
        assert_wire(&mut client, &["SET", "e", "1"], b"+OK\r\n");
        let again = self::server(server.kill(), &["--aof-load-truncated", "no"]);
        assert_wire(&mut again.connect(), &["DBSIZE"], format!(":{}\r\n", expected + 1));
    }
}

#[test]
fn plinth_does_not_start_with_files_that_it_cannot_trust() {
    let good = || text(&["SELECT 0", "SET a 1"]);
    let cut = || good()[..good().len() - 1].to_vec();
    let one = "appendonly.aof.1.incr.aof";
    let two = "file appendonly.aof.1.incr.aof seq 1 type i\nfile appendonly.aof.2.incr.aof seq 2 type i\n";
    let wrong = [good(), b"!!!".to_vec(), good()].concat();
    let unknown = text(&["SELECT 0", "NOSUCH a"]);
    let arity = text(&["SELECT 0", "SET a"]);
    let database = text(&["SELECT 99"]);
    for (manifest, contents, says) in [
        ("", vec![], "Found an empty AOF manifest"),
        ("file x seq 1 type b\n\n", vec![], "Invalid AOF manifest file format"),
        ("file ../x seq 1 type i\n", vec![], "can't be a path"),
        (
            "file appendonly.aof.1.incr.aof seq 1 type i\nfile appendonly.aof.manifest seq 1 type h\n",
            vec![(one, good())],
            "'appendonly.aof.manifest' is no part of the data",
        ),
        (ONE, vec![], "appendonly.aof.1.incr.aof for reading: No such file"),
        (two, vec![(one, cut()), ("appendonly.aof.2.incr.aof", good())], "not the last file"),
        (ONE, vec![(one, wrong)], "Bad file format reading the append only file appendonly.aof.1.incr.aof, at byte 50"),
        (ONE, vec![(one, unknown)], "Unknown command 'NOSUCH' reading the append only file"),
        (ONE, vec![(one, arity)], "Wrong number of arguments of 'SET' reading"),
        (ONE, vec![(one, database)], "Database 99 reading the append only file"),
        (ONE, vec![(one, b"REDIS0011".to_vec())], "RDB preamble of the append only file appendonly.aof.1.incr.aof"),
    ] {
        let output = refused(&folder_with(manifest, &contents), &[]);
        assert!(output.contains(says), "{says}:\n{output}");
    }
    let folder = folder_with(ONE, &[(one, cut())]);
    let output = refused(&folder, &["--aof-load-truncated", "no"]);
    assert!(output.contains("Unexpected end of file reading the append only file"), "{output}");
}

#[test]
fn plinth_does_not_start_where_another_server_writes() {
    let first = server(TempDir::new(), &[]);
    let output = refused(first.folder(), &[]);
    assert!(output.contains("Another server writes the append-only file 'appendonly.aof'"), "{output}");
    assert_wire(&mut first.connect(), &["SET", "a", "1"], b"+OK\r\n");
    // Under another name there is room for both.
    let dir = first.folder().path().to_string_lossy().into_owned();
    let second = server(TempDir::new(), &["--dir", &dir, "--appendfilename", "other.aof"]);
    assert_wire(&mut second.connect(), &["DBSIZE"], b":0\r\n");
    drop(second);
    let again = server(first.kill(), &[]);
    assert_wire(&mut again.connect(), &["DBSIZE"], b":1\r\n");
}

#[test]
fn plinth_makes_the_single_file_of_an_older_server_its_base() {
    let folder = TempDir::new();
    folder.write("appendonly.aof", text(&["SELECT 0", "SET a 1"]));
    let first = server(folder, &[]);
    assert_eq!(names(&first), ["b appendonly.aof", "i appendonly.aof.1.incr.aof"]);
    assert_wire(&mut first.connect(), &["INCR", "a"], b":2\r\n");
    let again = server(first.kill(), &[]);
    assert_wire(&mut again.connect(), &["GET", "a"], b"$1\r\n2\r\n");
    rewrite(&mut again.connect());
    assert_eq!(names(&again), ["b appendonly.aof.2.base.rdb", "i appendonly.aof.2.incr.aof"]);
    wait_until("the old file is gone", || !files(&again).join("appendonly.aof").exists());
}

#[test]
fn plinth_rewrites_to_a_base_and_an_increment_under_writes() {
    for preamble in ["yes", "no"] {
        let first = server(TempDir::new(), &["--aof-use-rdb-preamble", preamble]);
        let mut client = first.connect();
        assert_wire(&mut client, &["DEBUG", "POPULATE", "3000"], b"+OK\r\n");
        client.ask(&["SELECT", "4"]);
        client.ask(&["RPUSH", "l", "a", "b"]);
        client.ask(&["SET", "e", "1", "PX", "100000000"]);
        let mut writes = 0;
        let begun = client.text(&["BGREWRITEAOF"]);
        assert!(begun.contains("started"), "{begun}");
        wait_until("the rewrite is done", || {
            writes += 1;
            client.ask(&["INCR", "n"]);
            info(&mut client, "aof_rewrite_in_progress") == "0"
        });
        let end = if preamble == "yes" { "rdb" } else { "aof" };
        let expected = [format!("b appendonly.aof.2.base.{end}"), "i appendonly.aof.2.incr.aof".to_owned()];
        assert_eq!(names(&first), expected);
        let digest = client.text(&["DEBUG", "DIGEST"]);
        assert_wire(&mut client, &["DEBUG", "LOADAOF"], b"+OK\r\n");
        assert_eq!(client.text(&["DEBUG", "DIGEST"]), digest);
        let again = server(first.kill(), &[]);
        let mut client = again.connect();
        assert_eq!(client.text(&["DEBUG", "DIGEST"]), digest);
        client.ask(&["SELECT", "4"]);
        assert_wire(&mut client, &["GET", "n"], format!("${}\r\n{writes}\r\n", writes.to_string().len()));
        assert!(matches!(client.ask(&["PTTL", "e"]), Reply::Integer(1..)));
    }
}

#[test]
fn plinth_keeps_all_increments_when_rewrites_fail() {
    let first = server(TempDir::new(), &["--rdb-key-save-delay", "1000000"]);
    let mut client = first.connect();
    for round in 1..=3 {
        client.ask(&["RPUSH", "l", &round.to_string()]);
        client.ask(&["BGREWRITEAOF"]);
        first.wait_for_log(&format!("Creating AOF incr file appendonly.aof.{}.incr.aof", round + 1));
        let pid = pid_of_child(&first);
        kill(&pid);
        wait_for_rewrite(&mut client);
        assert_eq!(info(&mut client, "aof_last_bgrewrite_status"), "err");
    }
    client.ask(&["RPUSH", "l", "4"]);
    assert_eq!(names(&first).len(), 5);
    assert!(!first.log().contains("panicked"));
    let again = server(first.kill(), &[]);
    let mut client = again.connect();
    assert_eq!(client.ask(&["LRANGE", "l", "0", "-1"]).texts(), ["1", "2", "3", "4"]);
    rewrite(&mut client);
    assert_eq!(names(&again), ["b appendonly.aof.2.base.rdb", "i appendonly.aof.5.incr.aof"]);
    wait_until("what is no longer needed is gone", || {
        std::fs::read_dir(files(&again)).unwrap().filter(|entry| entry.is_ok()).count() == 4
    });
}

fn pid_of_child(server: &Server) -> String {
    let log = server.log();
    let line = log.lines().rev().find_map(|line| Some(line.split_once("rewriting started by pid ")?.1.to_owned()));
    line.unwrap_or_else(|| panic!("no child in\n{log}"))
}

fn kill(pid: &str) {
    let sent = std::process::Command::new("sh").args(["-c", &format!("kill -9 {pid}")]).status();
    assert!(sent.is_ok_and(|status| status.success()));
}

#[test]
fn plinth_begins_and_ends_to_append_when_told() {
    let first = Server::with(&["--save", ""]);
    let mut client = first.connect();
    client.ask(&["SET", "a", "1"]);
    assert_wire(&mut client, &["CONFIG", "SET", "appendonly", "yes"], b"+OK\r\n");
    assert_wire(&mut client, &["INCR", "a"], b":2\r\n");
    wait_for_rewrite(&mut client);
    assert_wire(&mut client, &["INCR", "a"], b":3\r\n");
    assert_eq!(names(&first), ["b appendonly.aof.1.base.rdb", "i appendonly.aof.1.incr.aof"]);
    assert_wire(&mut client, &["CONFIG", "SET", "appendonly", "no"], b"+OK\r\n");
    assert_wire(&mut client, &["INCR", "a"], b":4\r\n");
    assert_eq!(info(&mut client, "aof_enabled"), "0");
    let again = server(first.kill(), &[]);
    assert_wire(&mut again.connect(), &["GET", "a"], b"$1\r\n3\r\n");
}

#[test]
fn plinth_refuses_writes_while_it_cannot_append_and_goes_on_when_it_can() {
    let server = server(TempDir::new(), &["--appendfsync", "everysec", "--enable-debug-command", "yes"]);
    let mut client = server.connect();
    let long = "x".repeat(10_000);
    assert_wire(&mut client, &["DEBUG", "DISK", "FAIL", "10", "ENOSPC", "LASTING"], b"+OK\r\n");
    let mut refused = String::new();
    wait_until("the disk is full", || {
        refused = client.text(&["SET", "k", &long]);
        refused != "OK"
    });
    assert!(refused.starts_with("MISCONF Errors writing to the AOF file: "), "{refused}");
    assert!(client.text(&["PING"]).starts_with("MISCONF "));
    assert_eq!(client.ask(&["GET", "k"]).text().len(), long.len());
    for command in [&["MULTI"][..], &["SET", "k", "1"]] {
        client.ask(command);
    }
    assert!(client.text(&["EXEC"]).starts_with("EXECABORT "));
    assert_eq!(info(&mut client, "aof_last_write_status"), "err");
    assert_wire(&mut client, &["DEBUG", "DISK", "REAL"], b"+OK\r\n");
    wait_until("writes are taken again", || client.text(&["SET", "k", "1"]) == "OK");
    // With everysec a write may wait for a sync that goes on.
    wait_until("all is written", || info(&mut client, "aof_buffer_length") == "0");
    let again = self::server(server.kill(), &["--aof-load-truncated", "no"]);
    assert_wire(&mut again.connect(), &["GET", "k"], b"$1\r\n1\r\n");
}

#[test]
fn plinth_ends_rather_than_acknowledge_what_does_not_last() {
    let mut server = server(TempDir::new(), &["--appendfsync", "always", "--enable-debug-command", "yes"]);
    let mut client = server.connect();
    assert_wire(&mut client, &["DEBUG", "DISK", "FAIL", "30", "ENOSPC", "LASTING"], b"+OK\r\n");
    let long = "x".repeat(10_000);
    let mut acknowledged = 0;
    let push = plinth_testkit::reply::request(&["RPUSH", "l", &long]);
    while client.try_raw(&push).is_ok() && client.reply_if_any().is_some() {
        acknowledged += 1;
    }
    assert_eq!(server.wait(), Some(1));
    assert!(server.log().contains("the AOF fsync policy is 'always'"));
    let again = self::server(server.kill(), &["--aof-load-truncated", "no"]);
    assert_wire(&mut again.connect(), &["LLEN", "l"], format!(":{acknowledged}\r\n"));
}

#[test]
fn plinth_notes_the_time_between_units_when_told() {
    let server = server(TempDir::new(), &["--aof-timestamp-enabled", "yes", "--appendfsync", "always"]);
    assert_wire(&mut server.connect(), &["SET", "a", "1"], b"+OK\r\n");
    let text = std::fs::read_to_string(last_increment(&files(&server))).unwrap();
    assert!(text.starts_with("#TS:1") || text.starts_with("#TS:2"), "{text}");
    let again = self::server(server.kill(), &[]);
    assert_wire(&mut again.connect(), &["GET", "a"], b"$1\r\n1\r\n");
}

#[test]
fn waitaof_says_whether_what_was_done_lasts() {
    let without = Server::with(&["--save", ""]);
    let said = without.connect().text(&["WAITAOF", "1", "0", "0"]);
    assert_eq!(said, "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
    assert_wire(&mut without.connect(), &["WAITAOF", "0", "0", "0"], b"*2\r\n:0\r\n:0\r\n");
    let with = server(TempDir::new(), &["--appendfsync", "no"]);
    let mut client = with.connect();
    client.ask(&["SET", "a", "1"]);
    assert_wire(&mut client, &["WAITAOF", "1", "0", "100"], b"*2\r\n:1\r\n:0\r\n");
    assert_wire(
        &mut client,
        &["WAITAOF", "2", "0", "100"],
        b"-ERR value is out of range, value must between 0 and 1\r\n",
    );
}

#[test]
fn plinth_goes_on_from_the_manifest_that_is_there_when_it_is_switched_on() {
    let first = server(TempDir::new(), &[]);
    let mut client = first.connect();
    assert_wire(&mut client, &["SET", "a", "1"], b"+OK\r\n");
    (0..2).for_each(|_| rewrite(&mut client));
    wait_until("all is written", || info(&mut client, "aof_buffer_length") == "0");
    let folder = first.kill();
    let second = Server::within(folder, &["--save", "", "--appendonly", "no"]);
    let mut client = second.connect();
    assert_wire(&mut client, &["SET", "b", "2"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "appendonly", "yes"], b"+OK\r\n");
    wait_for_rewrite(&mut client);
    assert_eq!(names(&second), ["b appendonly.aof.4.base.rdb", "i appendonly.aof.4.incr.aof"]);
    wait_until("all is written", || info(&mut client, "aof_buffer_length") == "0");
    let again = server(second.kill(), &[]);
    assert_wire(&mut again.connect(), &["MGET", "a", "b"], b"*2\r\n$-1\r\n$1\r\n2\r\n");
}

#[test]
fn plinth_does_not_end_before_the_first_rewrite_unless_it_is_forced() {
    let mut server = Server::within(TempDir::new(), &["--save", ""]);
    let mut client = server.connect();
    assert_wire(&mut client, &["SET", "a", "1"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "rdb-key-save-delay", "10000000"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "appendonly", "yes"], b"+OK\r\n");
    assert_wire(&mut client, &["SHUTDOWN"], b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
    client.send(&["SHUTDOWN", "FORCE"]);
    assert_eq!(server.wait(), Some(0));
}

#[test]
fn plinth_knows_after_a_start_when_entries_were_delivered() {
    let first = server(TempDir::new(), &[]);
    let mut client = first.connect();
    for line in ["XADD s 1-1 f v", "XGROUP CREATE s g 0", "XREADGROUP GROUP g worker STREAMS s >"] {
        client.ask(&line.split(' ').collect::<Vec<_>>());
    }
    wait_until("all is written", || info(&mut client, "aof_buffer_length") == "0");
    let again = server(first.kill(), &[]);
    let mut client = again.connect();
    let pending = client.ask(&["XPENDING", "s", "g", "-", "+", "10"]);
    let idle_ms = pending.items()[0].items()[2].integer();
    assert!((0..600_000).contains(&idle_ms), "{idle_ms}");
    let claimed = client.ask(&["XAUTOCLAIM", "s", "g", "thief", "3600000", "0"]);
    assert_eq!(claimed.items()[1].items().len(), 0);
    let consumers = client.ask(&["XINFO", "CONSUMERS", "s", "g"]);
    let idle_ms = consumers.items()[0].field("idle").map(plinth_testkit::reply::Reply::integer);
    assert!(idle_ms.is_some_and(|ms| (0..600_000).contains(&ms)), "{idle_ms:?}");
}

#[test]
fn plinth_starts_with_a_cut_file_before_one_that_is_empty() {
    let (one, two) = ("appendonly.aof.1.incr.aof", "appendonly.aof.2.incr.aof");
    let manifest = format!("file {one} seq 1 type i\nfile {two} seq 2 type i\n");
    let cut = text(&["SELECT 0", "SET a 1", "SET b 1"]);
    let folder = folder_with(&manifest, &[(one, cut[..cut.len() - 1].to_vec()), (two, Vec::new())]);
    let first = server(folder, &[]);
    let mut client = first.connect();
    assert_wire(&mut client, &["DBSIZE"], b":1\r\n");
    assert_wire(&mut client, &["SET", "c", "1"], b"+OK\r\n");
    assert_wire(&mut server(first.kill(), &[]).connect(), &["DBSIZE"], b":2\r\n");
}

#[test]
fn plinth_writes_anew_what_could_not_be_synced() {
    let server = server(TempDir::new(), &["--appendfsync", "everysec"]);
    let mut client = server.connect();
    assert_wire(&mut client, &["SET", "a", "1"], b"+OK\r\n");
    assert_wire(&mut client, &["WAITAOF", "1", "0", "0"], b"*2\r\n:1\r\n:0\r\n");
    // The write goes well, and its sync does not; the kernel calls the next one a success.
    assert_wire(&mut client, &["DEBUG", "DISK", "FAIL", "1", "EIO"], b"+OK\r\n");
    client.command(&["SET", "a", "2"]);
    wait_until("the sync has failed", || server.log().contains("Fail to fsync the AOF file"));
    wait_until("all is written anew", || {
        let is_done = client.info("persistence", "aof_rewrite_in_progress").as_deref() == Some("0");
        is_done && client.info("persistence", "aof_rewrites").as_deref() == Some("1")
    });
    assert_wire(&mut client, &["WAITAOF", "1", "0", "0"], b"*2\r\n:1\r\n:0\r\n");
    wait_until("commands that write are taken", || client.text(&["SET", "a", "3"]) == "OK");
}

#[test]
fn plinth_serves_others_while_somebody_waits_for_the_disk() {
    let server = server(TempDir::new(), &["--appendfsync", "everysec"]);
    let (mut client, mut other) = (server.connect(), server.connect());
    assert_wire(&mut client, &["DEBUG", "DISK", "FAIL", "0", "EIO", "LASTING"], b"+OK\r\n");
    assert_wire(&mut client, &["SET", "a", "1"], b"+OK\r\n");
    assert_wire(&mut client, &["WAITAOF", "1", "0", "50"], b"*2\r\n:0\r\n:0\r\n");
    client.send(&["WAITAOF", "1", "0", "0"]);
    wait_until("it waits", || other.info("clients", "blocked_clients").as_deref() == Some("1"));
    assert_wire(&mut other, &["DEBUG", "DISK", "REAL"], b"+OK\r\n");
    assert_eq!(client.read(), b"*2\r\n:1\r\n:0\r\n");
}

#[test]
fn plinth_ends_rather_than_go_on_with_half_of_what_it_loads_again() {
    let mut server = server(TempDir::new(), &[]);
    let mut client = server.connect();
    assert_wire(&mut client, &["SET", "a", "1"], b"+OK\r\n");
    let increment = last_increment(&files(&server));
    let mut file = std::fs::File::options().append(true).open(&increment).unwrap();
    std::io::Write::write_all(&mut file, b"!!!").unwrap();
    client.send(&["DEBUG", "LOADAOF"]);
    assert_eq!(server.wait(), Some(1));
    assert!(std::fs::read(&increment).unwrap().ends_with(b"!!!"), "the file is as it was");
}

#[test]
fn plinth_appends_in_another_folder_when_it_is_switched_on_there() {
    let server = server(TempDir::new(), &["--enable-protected-configs", "yes"]);
    let mut client = server.connect();
    let there = server.folder().file("there");
    std::fs::create_dir(&there).unwrap();
    assert_wire(&mut client, &["SET", "a", "1"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "dir", &there], b"+OK\r\n");
    server.wait_for_log("'dir' has changed, and the append-only file goes on in");
    assert_wire(&mut client, &["CONFIG", "SET", "appendonly", "no"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "appendonly", "yes"], b"+OK\r\n");
    let manifest = format!("{there}/appendonlydir/appendonly.aof.manifest");
    wait_until("it is written there", || std::fs::read_to_string(&manifest).is_ok_and(|text| text.contains("type b")));
}
