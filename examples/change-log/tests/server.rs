//! The log of a real server, whatever befalls it: its units run in another one make the same data.

use plinth_testkit::{Client, Server, assert_wire, build, reply, wait_until};
use std::path::Path;

fn args(more: &[&str]) -> Vec<String> {
    let library = build::library("change-log");
    let args = ["--loadmodule", &library, "--save", "", "--change-log.segment-bytes", "20kb"];
    args.iter().chain(more).map(|word| (*word).to_owned()).collect()
}

/// A segment: its history, the unit before it, and the commands of each unit.
type Segment = (String, u64, Vec<Vec<Vec<String>>>);

fn segments(folder: &Path) -> Vec<Segment> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder.join("changes")).unwrap().map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| segment(&std::fs::read(path).unwrap())).collect()
}

fn segment(bytes: &[u8]) -> Segment {
    let mut at = 0;
    let line = |at: &mut usize| {
        let len = bytes[*at..].windows(2).position(|pair| pair == b"\r\n").unwrap();
        let line = String::from_utf8_lossy(&bytes[*at..*at + len]).into_owned();
        *at += len + 2;
        line
    };
    let head = line(&mut at);
    let words: Vec<&str> = head.split(':').collect();
    assert_eq!(words[0], "#HISTORY");
    let (history, before): (String, u64) = (words[1].to_owned(), words[2].parse().unwrap());
    let mut units = Vec::new();
    while at < bytes.len() {
        let mark = line(&mut at);
        let words: Vec<&str> = mark.split(':').collect();
        assert_eq!(words[0], "#UNIT");
        assert_eq!(words[1].parse::<u64>().unwrap(), before + units.len() as u64 + 1);
        let end = at + words[2].parse::<usize>().unwrap();
        let mut commands = Vec::new();
        while at < end {
            let (command, len) = reply::parse(&bytes[at..end]).expect("a whole command");
            commands.push(command.texts());
            at += len;
        }
        units.push(commands);
    }
    (history, before, units)
}

/// The segments are one history from its beginning on, and running them makes what a server holds.
fn assert_whole(server: &Server) {
    let segments = segments(server.folder().path());
    let mut last = 0;
    for (history, before, units) in &segments {
        assert_eq!((history, *before), (&segments[0].0, last), "{}", server.log());
        last += units.len() as u64;
    }
    let other = Server::with(&["--save", ""]);
    let mut client = other.connect();
    for command in segments.iter().flat_map(|(_, _, units)| units.iter().flatten()) {
        client.command(command);
    }
    assert_eq!(client.text(&["DEBUG", "DIGEST"]), server.connect().text(&["DEBUG", "DIGEST"]), "{}", server.log());
}

fn write(client: &mut Client, from: usize, to: usize) -> bool {
    for number in from..to {
        let number = number.to_string();
        for line in [
            "INCR n",
            "RPUSH list N",
            "MULTI",
            "SADD set N",
            "SELECT 3",
            "HSET hash N N",
            "EXEC",
            "SPOP set",
            "SELECT 0",
        ] {
            let words: Vec<&str> = line.split(' ').map(|word| if word == "N" { &number } else { word }).collect();
            if client.try_raw(reply::request(&words)).is_err() || client.reply_if_any().is_none() {
                return false;
            }
        }
    }
    true
}

#[test]
fn a_log_has_every_unit_once_through_kills_and_rewrites() {
    let args = args(&["--appendonly", "yes"]);
    let mut server = Server::with(&args);
    for round in 0..6 {
        let mut client = server.connect();
        assert!(write(&mut client, round * 100, round * 100 + 20));
        if round % 2 == 1 {
            assert_wire(&mut client, &["BGREWRITEAOF"], b"+Background append only file rewriting started\r\n");
        }
        let pid = server.pid();
        let writer = std::thread::spawn(move || write(&mut client, round * 100 + 20, (round + 1) * 100));
        std::thread::sleep(std::time::Duration::from_millis(5 + 17 * round as u64));
        assert_eq!(pid, server.pid());
        server = server.again("KILL", &args);
        let _ = writer.join();
    }
    assert!(write(&mut server.connect(), 600, 605));
    assert_whole(&server);
    let info = |field: &str| server.connect().info("change-log", field);
    assert_eq!(info("change-log_gaps").as_deref(), Some("0"));
    assert_eq!(info("change-log_errors").as_deref(), Some("0"));
}

#[test]
fn a_log_loses_what_the_server_has_lost() {
    let args = args(&[]);
    let server = Server::with(&args);
    let mut client = server.connect();
    assert!(write(&mut client, 0, 100));
    assert_wire(&mut client, &["SAVE"], b"+OK\r\n");
    assert!(write(&mut client, 100, 200));
    let before = segments(server.folder().path()).len();
    let server = server.again("KILL", &args);
    assert!(write(&mut server.connect(), 300, 310));
    assert!(segments(server.folder().path()).len() < before);
    assert_whole(&server);
}

#[test]
fn what_a_log_has_missed_shows() {
    let args = args(&["--appendonly", "yes", "--enable-module-command", "yes"]);
    let server = Server::with(&args);
    let mut client = server.connect();
    assert!(write(&mut client, 0, 5));
    assert_wire(&mut client, &["MODULE", "UNLOAD", "change-log"], b"+OK\r\n");
    assert!(write(&mut client, 5, 10));
    assert_wire(&mut client, &["MODULE", "LOAD", &build::library("change-log")], b"+OK\r\n");
    assert!(write(&mut client, 10, 15));
    let found = segments(server.folder().path());
    assert_eq!(found.len(), 2);
    assert_eq!((&found[0].0, found[0].2.len() as u64 * 2), (&found[1].0, found[1].1), "as many units are missing");
    assert_eq!(client.info("change-log", "change-log_gaps").as_deref(), Some("1"));
}

#[test]
fn a_full_sync_begins_anew_and_a_partial_one_goes_on() {
    let primary = Server::with(&["--save", "", "--repl-diskless-sync-delay", "0"]);
    let mut first = primary.connect();
    assert!(write(&mut first, 0, 5));
    let replica = Server::with(&args(&["--appendonly", "yes"]));
    let mut client = replica.connect();
    assert!(write(&mut client, 0, 3));
    assert_wire(&mut client, &["REPLICAOF", "127.0.0.1", &primary.port().to_string()], b"+OK\r\n");
    let level = |first: &mut Client| {
        first.command(&["INCR", "level"]);
        wait_until("the replica has all", || first.ask(&["WAIT", "1", "100"]).integer() == 1);
    };
    level(&mut first);
    assert!(write(&mut first, 5, 10));
    level(&mut first);
    let segment_count = segments(replica.folder().path()).len();
    assert_eq!(segment_count, 2);
    assert_wire(&mut client, &["CLIENT", "KILL", "TYPE", "master"], b":1\r\n");
    assert!(write(&mut first, 10, 15));
    level(&mut first);
    let found = segments(replica.folder().path());
    assert_eq!(found.len(), segment_count);
    assert!(found[0].0 != found[1].0, "the histories differ");
    // All that came behind the snapshot.
    let increments = found[1].2.iter().flatten().filter(|words| words[..] == ["INCR", "n"]).count();
    assert_eq!(increments, 10);
}
