//! Snapshots that are loaded again, whole and damaged.

use plinth_testkit::{Client, Server, TempDir, assert_wire};

/// No snapshot by itself.
pub(crate) const QUIET: [&str; 2] = ["--save", ""];

/// A data set of every type, small and large, in two databases, with expiries of keys and fields.
pub(crate) fn fill(client: &mut Client) {
    let numbers = |count: usize, prefix: &str| (0..count).map(|at| format!("{prefix}{at}")).collect::<Vec<_>>();
    let mut run = |words: &[String]| {
        let reply = client.ask(words);
        assert!(!matches!(reply, plinth_testkit::Reply::Error(_)), "{words:?}: {reply:?}");
    };
    let line = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    for text in [
        "SET text hello",
        "SET number 12345",
        "SET expiring x PX 100000000",
        "RPUSH list a 1 -5",
        "SADD integers 1 2 300000",
        "SADD set a b c",
        "HSET hash f v n 12",
        "ZADD zset 1 a 2.5 b -inf c",
        "XADD stream 1-1 f v",
        "XADD stream 2-1 f w g x",
        "XGROUP CREATE stream g 0",
        "XREADGROUP GROUP g alice COUNT 1 STREAMS stream >",
        "HSET fields a 1 b 2",
        "HEXPIRE fields 100000 FIELDS 1 a",
        "PFADD sketch a b c",
        "SELECT 9",
        "SET other database",
        "SELECT 0",
    ] {
        run(&line(text));
    }
    run(&[line("SET long"), vec!["x".repeat(100_000)]].concat());
    run(&[line("RPUSH long-list"), numbers(900, "element")].concat());
    run(&[line("SADD large-set"), numbers(900, "member")].concat());
    run(&[line("HSET large-hash"), numbers(1800, "f")].concat());
    let scored = numbers(900, "").into_iter().flat_map(|score| [score.clone(), format!("m{score}")]);
    run(&[line("ZADD large-zset"), scored.collect()].concat());
    run(&[line("HSET large-fields"), numbers(1800, "f")].concat());
    run(&line("HEXPIRE large-fields 100000 FIELDS 2 f0 f2"));
}

#[test]
fn what_was_saved_is_there_after_the_server_was_killed() {
    let server = Server::with(&QUIET);
    let mut client = server.connect();
    fill(&mut client);
    let (digest, size) = (client.text(&["DEBUG", "DIGEST"]), client.text(&["DBSIZE"]));
    let before: i64 = client.text(&["LASTSAVE"]).parse().unwrap();
    assert_wire(&mut client, &["SAVE"], b"+OK\r\n");
    assert!(client.text(&["LASTSAVE"]).parse::<i64>().unwrap() >= before);
    assert_eq!(client.info("persistence", "rdb_changes_since_last_save").as_deref(), Some("0"));
    assert_wire(&mut client, &["SET", "text", "not saved"], b"+OK\r\n");
    let expiry = client.text(&["PEXPIRETIME", "expiring"]);
    let field_expiry = client.command(&["HPEXPIRETIME", "large-fields", "FIELDS", "3", "f0", "f2", "f4"]);

    let server = server.again("KILL", &QUIET);
    let mut client = server.connect();
    assert_eq!(client.text(&["DEBUG", "DIGEST"]), digest);
    assert_eq!(client.text(&["DBSIZE"]), size);
    assert_eq!(client.text(&["PEXPIRETIME", "expiring"]), expiry);
    assert_eq!(client.command(&["HPEXPIRETIME", "large-fields", "FIELDS", "3", "f0", "f2", "f4"]), field_expiry);
    let keys = size.parse::<u64>().unwrap() + 1;
    assert_eq!(client.info("persistence", "rdb_last_load_keys_loaded"), Some(keys.to_string()));
    let log = server.log();
    assert!(log.contains(&format!("Done loading RDB, keys loaded: {keys}, keys expired: 0.")), "{log}");
    assert!(log.contains("DB loaded from disk: "), "{log}");
}

#[test]
fn the_version_is_the_lowest_that_holds_the_data_and_one_that_does_not_is_refused_by_the_key() {
    let server = Server::with(&QUIET);
    let mut client = server.connect();
    let version = |client: &mut Client| {
        assert_wire(client, &["SAVE"], b"+OK\r\n");
        let file = std::fs::read(server.folder().file("dump.rdb")).unwrap();
        String::from_utf8_lossy(&file[..9]).into_owned()
    };
    assert_wire(&mut client, &["SET", "a", "1"], b"+OK\r\n");
    assert_wire(&mut client, &["HSET", "fields", "f", "v"], b":1\r\n");
    assert_eq!(version(&mut client), "REDIS0011");
    assert_wire(&mut client, &["HEXPIRE", "fields", "1000", "FIELDS", "1", "f"], b"*1\r\n:1\r\n");
    assert_eq!(version(&mut client), "REDIS0012");
    assert_wire(&mut client, &["CONFIG", "SET", "rdb-version", "10"], b"+OK\r\n");
    let refusal = client.text(&["SAVE"]);
    assert!(refusal.contains("'fields'"), "{refusal}");
    assert!(server.folder().path().join("dump.rdb").exists(), "the old file stays");
    assert_wire(&mut client, &["HPERSIST", "fields", "FIELDS", "1", "f"], b"*1\r\n:1\r\n");
    assert_eq!(version(&mut client), "REDIS0010");
}

#[test]
fn keys_that_have_expired_meanwhile_are_left_out() {
    let server = Server::with(&QUIET);
    let mut client = server.connect();
    assert_wire(&mut client, &["DEBUG", "SET-ACTIVE-EXPIRE", "0"], b"+OK\r\n");
    for key in ["a", "b", "c"] {
        assert_wire(&mut client, &["SET", key, "x", "PX", "1"], b"+OK\r\n");
    }
    assert_wire(&mut client, &["SET", "stays", "x"], b"+OK\r\n");
    assert_wire(&mut client, &["SAVE"], b"+OK\r\n");
    let server = server.again("KILL", &QUIET);
    let mut client = server.connect();
    assert_wire(&mut client, &["DBSIZE"], b":1\r\n");
    assert_eq!(client.info("persistence", "rdb_last_load_keys_expired").as_deref(), Some("3"));
}

#[test]
fn values_of_an_absent_module_are_kept_over_restarts() {
    let server = Server::with(&QUIET);
    let mut client = server.connect();
    fill(&mut client);
    let digest = client.text(&["DEBUG", "DIGEST"]);
    assert_wire(&mut client, &["SAVE"], b"+OK\r\n");
    let without = ["--save", "", "--module-exclude", "hash stream zset geo"];
    let server = server.again("KILL", &without);
    let mut client = server.connect();
    assert!(client.text(&["TYPE", "stream"]).starts_with("rdb-type-"));
    assert_wire(&mut client, &["SAVE"], b"+OK\r\n");
    let server = server.again("KILL", &without);
    let mut client = server.connect();
    assert_wire(&mut client, &["SAVE"], b"+OK\r\n");
    let server = server.again("KILL", &QUIET);
    assert_eq!(server.connect().text(&["DEBUG", "DIGEST"]), digest);
}

#[test]
fn a_file_that_is_damaged_is_refused_and_names_what_is() {
    let server = Server::with(&QUIET);
    let mut client = server.connect();
    fill(&mut client);
    assert_wire(&mut client, &["SAVE"], b"+OK\r\n");
    let path = server.folder().file("dump.rdb");
    let whole = std::fs::read(&path).unwrap();
    let digest = client.text(&["DEBUG", "DIGEST"]);
    // Without its checksum, a changed file is one that a type has to refuse, or another data set.
    let mut unchecked = whole.clone();
    let end = unchecked.len() - 8;
    unchecked[end..].fill(0);
    for at in (0..whole.len()).step_by(97) {
        std::fs::write(&path, &whole[..at]).unwrap();
        let reply = client.text(&["DEBUG", "RELOAD", "NOSAVE"]);
        assert!(reply.starts_with("ERR Error trying to load the RDB dump"), "cut off at {at}: {reply}");
        let mut flipped = whole.clone();
        flipped[at] ^= 4;
        std::fs::write(&path, &flipped).unwrap();
        let reply = client.text(&["DEBUG", "RELOAD", "NOSAVE"]);
        assert!(reply.starts_with("ERR Error trying to load the RDB dump"), "flipped at {at}: {reply}");
        let mut flipped = unchecked.clone();
        flipped[at] ^= 0x81;
        std::fs::write(&path, &flipped).unwrap();
        client.command(&["DEBUG", "RELOAD", "NOSAVE"]);
    }
    std::fs::write(&path, &whole).unwrap();
    assert_wire(&mut client, &["DEBUG", "RELOAD", "NOSAVE"], b"+OK\r\n");
    assert_eq!(client.text(&["DEBUG", "DIGEST"]), digest);
}

#[test]
fn a_server_does_not_start_with_a_file_that_it_cannot_read() {
    for (content, reason) in [
        (&b"REDIS0011\xfa\x03ver"[..], "bytes are needed"),
        (b"PLINTH001\xff", "Wrong signature"),
        (b"REDIS0099\xff", "Can't handle RDB format version 99"),
        (b"REDIS0011\xff\x01\x02\x03\x04\x05\x06\x07\x08", "RDB CRC error"),
        (b"REDIS0011\xfe\x40\xc8\xff\0\0\0\0\0\0\0\0", "more than 16 databases"),
        (b"REDIS0011\x00\x01k\x81\x7f\xff\xff\xff\xff\xff\xff\xff", "the key 'k' in database 0"),
        (b"REDIS0011\x00\x01k\x01v\x00\x01k\x01v\xff\0\0\0\0\0\0\0\0", "duplicated key 'k'"),
    ] {
        let folder = TempDir::new();
        let path = folder.write("bad.rdb", content);
        let dir = folder.path().display().to_string();
        let finished = plinth_testkit::server::run_to_end(&["--port", "0", "--dir", &dir, "--dbfilename", "bad.rdb"]);
        assert_eq!(finished.code, Some(1), "{}", finished.output);
        assert!(finished.output.contains(reason), "{reason}:\n{}", finished.output);
        assert!(finished.output.contains("Fatal error loading the DB"), "{}", finished.output);
        assert_eq!(std::fs::read(path).unwrap(), content, "the file stays as it was");
    }
}

#[test]
fn a_reload_keeps_or_replaces_keys_as_it_is_told() {
    let server = Server::with(&QUIET);
    let mut client = server.connect();
    assert_wire(&mut client, &["SET", "a", "saved"], b"+OK\r\n");
    assert_wire(&mut client, &["SAVE"], b"+OK\r\n");
    assert_wire(&mut client, &["SET", "a", "new"], b"+OK\r\n");
    assert_wire(&mut client, &["SET", "b", "new"], b"+OK\r\n");
    let reply = client.text(&["DEBUG", "RELOAD", "NOSAVE", "NOFLUSH"]);
    assert!(reply.starts_with("ERR"), "{reply}");
    assert_wire(&mut client, &["DEBUG", "RELOAD", "NOSAVE", "NOFLUSH", "MERGE"], b"+OK\r\n");
    assert_wire(&mut client, &["MGET", "a", "b"], b"*2\r\n$5\r\nsaved\r\n$3\r\nnew\r\n");
    assert_wire(&mut client, &["DEBUG", "RELOAD", "NOSAVE"], b"+OK\r\n");
    assert_wire(&mut client, &["DBSIZE"], b":1\r\n");
}
