//! What a Sentinel answers, as bytes in and out of a real server. Expected replies are those of Redis 7.0.

#![deny(unsafe_code)]

use plinth_testkit::{Reply, Server, TempDir, assert_wire, wait_until};

const NO_MASTER: &[u8] = b"-ERR No such master with that name\r\n";

/// A Sentinel with these lines in its file.
fn sentinel(lines: &str) -> Server {
    let folder = TempDir::new();
    let file = folder.write("sentinel.conf", lines);
    Server::within(folder, &[&file, "--sentinel"])
}

#[test]
fn a_sentinel_has_the_commands_of_one_and_no_others() {
    let server = sentinel("sentinel myid 0123456789012345678901234567890123456789\n");
    let mut client = server.connect();
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
    for command in ["GET", "CONFIG", "DEBUG", "MODULE", "SAVE"] {
        assert!(client.text(&[command, "x"]).starts_with("ERR unknown command"), "{command}");
    }
    assert_wire(&mut client, &["ROLE"], b"*2\r\n$8\r\nsentinel\r\n*0\r\n");
    assert_wire(&mut client, &["SENTINEL", "MYID"], b"$40\r\n0123456789012345678901234567890123456789\r\n");
    assert_wire(&mut client, &["SENTINEL", "MASTERS"], b"*0\r\n");
    assert_wire(&mut client, &["SENTINEL", "MASTER", "x"], NO_MASTER);
    assert_wire(&mut client, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "x"], b"*-1\r\n");
    // As Valkey has it, too.
    assert_wire(&mut client, &["SENTINEL", "PRIMARIES"], b"*0\r\n");
    assert_wire(&mut client, &["SENTINEL", "PRIMARY", "x"], NO_MASTER);
    assert_wire(&mut client, &["SENTINEL", "GET-PRIMARY-ADDR-BY-NAME", "x"], b"*-1\r\n");
    let no = b"*3\r\n:0\r\n$1\r\n*\r\n:0\r\n";
    assert_wire(&mut client, &["SENTINEL", "IS-PRIMARY-DOWN-BY-ADDR", "127.0.0.1", "1", "0", "*"], no);
    let refusal: &[u8] = b"-ERR Only HELLO messages are accepted by Sentinel instances.\r\n";
    assert_wire(&mut client, &["PUBLISH", "c", "m"], refusal);
    assert_wire(&mut client, &["PUBLISH", "__sentinel__:hello", "nonsense,,,,,,,"], b":1\r\n");
    let info = client.text(&["INFO"]);
    assert!(
        info.contains("redis_mode:sentinel\r\n") && info.contains("# Sentinel\r\nsentinel_masters:0\r\n"),
        "{info}"
    );
    assert!(!info.contains("used_memory:") && !info.contains("# Keyspace"), "{info}");
}

#[test]
fn a_group_is_watched_changed_and_forgotten_and_the_file_follows() {
    let server = sentinel("");
    let mut client = server.connect();
    let file = || std::fs::read_to_string(server.folder().file("sentinel.conf")).unwrap_or_default();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    assert_wire(&mut client, &["SENTINEL", "MONITOR", "m", "127.0.0.1", "0", "2"], b"-ERR Invalid port number.\r\n");
    assert_wire(
        &mut client,
        &["SENTINEL", "MONITOR", "m", "127.0.0.1", &port, "0"],
        b"-ERR Quorum must be 1 or greater.\r\n",
    );
    let refusal = b"-ERR Invalid IP address or hostname specified\r\n";
    assert_wire(&mut client, &["SENTINEL", "MONITOR", "m", "localhost", &port, "1"], refusal);
    assert_wire(&mut client, &["SENTINEL", "MONITOR", "m", "127.0.0.1", &port, "2"], b"+OK\r\n");
    assert_wire(
        &mut client,
        &["SENTINEL", "MONITOR", "m", "127.0.0.1", &port, "2"],
        b"-ERR Duplicate master name.\r\n",
    );
    assert_wire(&mut client, &["SENTINEL", "FAILOVER", "m"], b"-NOGOODSLAVE No suitable replica to promote\r\n");
    assert_wire(&mut client, &["SENTINEL", "SET", "m", "down-after-milliseconds", "100", "quorum", "1"], b"+OK\r\n");
    let refusal = b"-ERR Unknown option or number of arguments for SENTINEL SET 'x'\r\n";
    assert_wire(&mut client, &["SENTINEL", "SET", "m", "x", "1"], refusal);
    let refusal = b"-ERR Invalid argument '-1' for SENTINEL SET 'quorum'\r\n";
    assert_wire(&mut client, &["SENTINEL", "SET", "m", "quorum", "-1"], refusal);
    assert_wire(&mut client, &["SENTINEL", "SET", "m", "auth-pass", "two words"], b"+OK\r\n");
    assert_wire(&mut client, &["SENTINEL", "CONFIG", "SET", "announce-port", "7"], b"+OK\r\n");
    assert_wire(
        &mut client,
        &["SENTINEL", "CONFIG", "GET", "announce-p*"],
        b"*2\r\n$13\r\nannounce-port\r\n$1\r\n7\r\n",
    );
    // Nobody is there, and one Sentinel is enough to say so.
    wait_until("it is down", || {
        let status = client.info("sentinel", "master0").unwrap_or_default();
        status == format!("name=m,status=odown,address=127.0.0.1:{port},slaves=0,sentinels=1")
    });
    for line in
        ["monitor m 127.0.0.1 {} 1", "down-after-milliseconds m 100", "auth-pass m \"two words\"", "announce-port 7"]
    {
        let line = format!("sentinel {}\n", line.replace("{}", &port));
        assert!(file().contains(&line), "{line} is not in\n{}", file());
    }
    assert_wire(&mut client, &["SENTINEL", "RESET", "*"], b":1\r\n");
    assert_wire(&mut client, &["SENTINEL", "REMOVE", "m"], b"+OK\r\n");
    assert_wire(&mut client, &["SENTINEL", "REMOVE", "m"], NO_MASTER);
    assert!(!file().contains("monitor") && file().contains("sentinel myid "), "{}", file());
}

#[test]
fn a_file_with_a_wrong_line_and_no_file_at_all_are_refused() {
    let folder = TempDir::new();
    let file = folder.write("sentinel.conf", "sentinel monitor m 127.0.0.1 6379 2\nsentinel quorum x 3\n");
    let said = plinth_testkit::server::run_to_end(&[&file, "--sentinel", "--port", "0"]);
    assert!(said.output.contains("sentinel quorum x 3: No such master with specified name."), "{}", said.output);
    let said = plinth_testkit::server::run_to_end(&["--sentinel", "--port", "0"]);
    assert!(said.output.contains("Sentinel needs a config file"), "{}", said.output);
}

#[test]
fn several_options_of_all_groups_are_set_at_once_or_none() {
    let server = sentinel("");
    let mut client = server.connect();
    // As Redis 7.2 and 8.2 answer.
    let usage: &[u8] = b"-ERR Only SENTINEL CONFIG GET <param> [<param> <param> ...] / SET <param> <value> [<param> <value> ...] are supported.\r\n";
    let mut config = |words: &[&str], expected: &[u8]| {
        assert_wire(&mut client, &[&["SENTINEL", "CONFIG"], words].concat(), expected);
    };
    config(&["SET", "announce-ip"], usage);
    config(&["FOO", "a", "b"], usage);
    config(&["GET"], b"-ERR wrong number of arguments for 'sentinel|config' command\r\n");
    config(&["SET", "announce-ip", "1.1.1.1", "Announce-Port"], b"-ERR Missing argument 'Announce-Port' value\r\n");
    let fault = b"-ERR Invalid value 'x' to SENTINEL CONFIG SET 'announce-port'\r\n";
    config(&["SET", "announce-ip", "1.1.1.1", "announce-port", "x"], fault);
    let fault = b"-ERR Duplicate argument 'announce-ip' to SENTINEL CONFIG SET\r\n";
    config(&["SET", "announce-ip", "1.1.1.1", "announce-ip", "1.1.1.2"], fault);
    let fault = b"-ERR Invalid argument 'nosuch' to SENTINEL CONFIG SET\r\n";
    config(&["SET", "announce-ip", "1.1.1.1", "nosuch", "1"], fault);
    let fault = b"-ERR Invalid value 'foo' to SENTINEL CONFIG SET 'loglevel'\r\n";
    config(&["SET", "announce-ip", "1.1.1.1", "loglevel", "foo"], fault);
    config(&["GET", "announce-ip"], b"*2\r\n$11\r\nannounce-ip\r\n$0\r\n\r\n");
    config(&["SET", "loglevel", "DEBUG", "announce-ip", "1.1.1.1", "announce-port", "5"], b"+OK\r\n");
    let both = b"*4\r\n$13\r\nannounce-port\r\n$1\r\n5\r\n$11\r\nannounce-ip\r\n$7\r\n1.1.1.1\r\n";
    config(&["GET", "announce-p*", "announce-port", "announce-ip"], both);
    config(&["GET", "loglevel"], b"*2\r\n$8\r\nloglevel\r\n$5\r\ndebug\r\n");
    let text = std::fs::read_to_string(server.folder().file("sentinel.conf")).unwrap();
    for line in ["sentinel announce-ip 1.1.1.1", "sentinel announce-port 5", "loglevel debug"] {
        assert!(text.lines().any(|one| one.replace('"', "") == line), "{line} is not in\n{text}");
    }
}

#[test]
fn odd_words_are_answered_as_redis_answers_them() {
    let server = sentinel("sentinel monitor m 127.0.0.1 1 1\n");
    let mut client = server.connect();
    let mut is_down = |words: [&str; 4], expected: &[u8]| {
        assert_wire(&mut client, &[&["SENTINEL", "IS-MASTER-DOWN-BY-ADDR"], &words[..]].concat(), expected);
    };
    let no = b"*3\r\n:0\r\n$1\r\n*\r\n:0\r\n";
    let fault = b"-ERR value is not an integer or out of range\r\n";
    is_down(["127.0.0.1", "b", "1", "d"], fault);
    is_down(["127.0.0.1", "1", "x", "d"], fault);
    for (host, port) in [("host", "1"), ("127.0.0.1", "-1"), ("127.0.0.1", "99999999")] {
        is_down([host, port, "1", "*"], no);
    }
    is_down(["127.0.0.1", "1", "0", "*"], no);
    let vote = "1".repeat(40);
    let voted = format!("*3\r\n:0\r\n$40\r\n{vote}\r\n:7\r\n").into_bytes();
    is_down(["127.0.0.1", "1", "7", &vote], &voted);
    is_down(["127.0.0.1", "1", "7", "abc"], &voted);
    is_down(["127.0.0.1", "1", "8", "abc"], b"*3\r\n:0\r\n$3\r\nabc\r\n:8\r\n");
    // The last epoch of all: another failover does not begin before the first.
    is_down(["127.0.0.1", "1", "9223372036854775807", "abc"], b"*3\r\n:0\r\n$3\r\nabc\r\n:9223372036854775807\r\n");
    let names = client.ask(&["SENTINEL", "DEBUG"]).texts();
    let expected = "INFO-PERIOD PING-PERIOD ASK-PERIOD PUBLISH-PERIOD DEFAULT-DOWN-AFTER DEFAULT-FAILOVER-TIMEOUT TILT-TRIGGER TILT-PERIOD SLAVE-RECONF-TIMEOUT MIN-LINK-RECONNECT-PERIOD ELECTION-TIMEOUT SCRIPT-MAX-RUNTIME SCRIPT-RETRY-DELAY";
    assert_eq!(names.iter().step_by(2).map(String::as_str).collect::<Vec<_>>().join(" "), expected);
    let mut debug = |words: &[&str], expected: &[u8]| {
        assert_wire(&mut client, &[&["SENTINEL", "DEBUG"], words].concat(), expected);
    };
    let fault = "-ERR Unknown option or number of arguments for SENTINEL DEBUG";
    debug(&["info-period"], format!("{fault} 'info-period'\r\n").as_bytes());
    debug(&["INFO-PERIOD", "100", "nosuch", "5"], format!("{fault} 'nosuch'\r\n").as_bytes());
    debug(&["info-period", "0"], b"-ERR Invalid argument '0' for SENTINEL DEBUG 'info-period'\r\n");
    debug(&["info-period", "99999999999999", "ping-period", "500"], b"+OK\r\n");
    let said = client.ask(&["SENTINEL", "DEBUG"]);
    assert_eq!(said.field("INFO-PERIOD").map(Reply::text).as_deref(), Some("99999999999999"));
}

#[test]
fn scripts_are_run_tried_again_and_killed() {
    let folder = TempDir::new();
    let said = folder.file("said");
    let script = folder.write(
        "notify.sh",
        format!(
            "#!/bin/sh\necho \"$1 $2\" >> {said}\ncase \"$2\" in\n*'quorum 2') exit 3;;\n*'quorum 3') exec sleep 100;;\n\
             *'quorum 4') [ \"$(grep -c 'quorum 4' {said})\" -ge 3 ] || exit 1;;\nesac\n"
        ),
    );
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let lines = format!("sentinel monitor m 127.0.0.1 1 1\nsentinel notification-script m {script}\n");
    let file = folder.write("sentinel.conf", lines);
    let server = Server::within(folder, &[&file, "--sentinel"]);
    let mut client = server.connect();
    let mut listener = server.connect();
    listener.command(&["PSUBSCRIBE", "-script*"]);
    let mut set = |quorum: &str| {
        assert_wire(&mut client, &["SENTINEL", "SET", "m", "quorum", quorum], b"+OK\r\n");
    };
    // One that fails is told of, and one that asks for it is tried again.
    set("2");
    let event = listener.reply().texts();
    assert_eq!(event[2..], ["-script-error".to_owned(), format!("{script} 0 3")]);
    let refusal = client.text(&["SENTINEL", "SET", "m", "notification-script", "/bin/sh"]);
    assert!(refusal.starts_with("ERR Reconfiguration of scripts path is denied"), "{refusal}");
    assert_wire(&mut client, &["SENTINEL", "DEBUG", "SCRIPT-RETRY-DELAY", "1"], b"+OK\r\n");
    assert_wire(&mut client, &["SENTINEL", "SET", "m", "quorum", "4"], b"+OK\r\n");
    let count = |text: &str| std::fs::read_to_string(&said).unwrap_or_default().matches(text).count();
    wait_until("it was tried three times", || count("+set master m 127.0.0.1 1 quorum 4") == 3);
    wait_until("none waits", || client.ask(&["SENTINEL", "PENDING-SCRIPTS"]) == Reply::Array(Vec::new()));
    // One that takes too long shows whom to look at, and is killed, time and again.
    assert_wire(&mut client, &["SENTINEL", "SET", "m", "quorum", "3"], b"+OK\r\n");
    let mut pid = 0;
    wait_until("it runs", || {
        let pending = client.ask(&["SENTINEL", "PENDING-SCRIPTS"]);
        let field = |name: &str| pending.items().first().and_then(|one| one.field(name).map(Reply::text));
        pid = field("pid").and_then(|pid| pid.parse().ok()).unwrap_or(0);
        field("flags").as_deref() == Some("running") && pid != 0
    });
    assert!(std::path::Path::new(&format!("/proc/{pid}")).exists());
    assert_wire(&mut client, &["SENTINEL", "DEBUG", "SCRIPT-MAX-RUNTIME", "1"], b"+OK\r\n");
    let event = listener.reply().texts();
    assert_eq!(event[2..], ["-script-timeout".to_owned(), format!("{script} {pid}")]);
    let mut last = Vec::new();
    wait_until("it is given up", || {
        last = listener.reply().texts();
        last[2] == "-script-error"
    });
    assert_eq!(last[3], format!("{script} 9 0"));
    assert_eq!(count("quorum 3"), 10);
}

#[test]
fn a_new_primary_is_told_to_events_and_scripts() {
    let primary = Server::with(&["--save", "", "--repl-diskless-sync-delay", "0"]);
    let old = primary.port();
    let replica = Server::with(&["--save", "", "--replicaof", "127.0.0.1", &old.to_string()]);
    let new = replica.port();
    let mut client = replica.connect();
    wait_until("it follows", || client.info("replication", "master_link_status").as_deref() == Some("up"));
    let folder = TempDir::new();
    let said = folder.file("said");
    let script = folder.write("reconfigure.sh", format!("#!/bin/sh\necho \"$*\" >> {said}\n"));
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let lines = format!(
        "SENTINEL monitor m 127.0.0.1 {old} 1\nsentinel down-after-milliseconds m 500\nsentinel failover-timeout m 3000\nsentinel client-reconfig-script m {script}\n"
    );
    let file = folder.write("sentinel.conf", lines);
    let server = Server::within(folder, &[&file, "--sentinel"]);
    let mut client = server.connect();
    wait_until("the replica is known", || {
        let known = client.ask(&["SENTINEL", "REPLICAS", "m"]);
        known.items().first().and_then(|one| one.field("master-link-status")).map(Reply::text).as_deref() == Some("ok")
    });
    let mut listener = server.connect();
    listener.command(&["SUBSCRIBE", "+switch-master"]);
    drop(primary);
    assert_eq!(listener.reply().texts()[2], format!("m 127.0.0.1 {old} 127.0.0.1 {new}"));
    wait_until("clients are told", || {
        std::fs::read_to_string(&said)
            .is_ok_and(|text| text == format!("m leader start 127.0.0.1 {old} 127.0.0.1 {new}\n"))
    });
}

#[test]
fn a_clock_that_is_not_believed_keeps_the_sentinel_from_judging() {
    let server = sentinel("sentinel monitor m 127.0.0.1 1 1\nsentinel down-after-milliseconds m 300\n");
    let mut client = server.connect();
    let mut status = |field: &str| client.info("sentinel", field).unwrap_or_default();
    // A tick takes at least 50 ms, which is a jump now.
    let mut other = server.connect();
    assert_wire(&mut other, &["SENTINEL", "DEBUG", "TILT-TRIGGER", "1"], b"+OK\r\n");
    wait_until("it tilts", || status("sentinel_tilt") == "1");
    let is_down = ["SENTINEL", "IS-MASTER-DOWN-BY-ADDR", "127.0.0.1", "1", "0", "*"];
    assert_wire(&mut other, &is_down, b"*3\r\n:0\r\n$1\r\n*\r\n:0\r\n");
    assert_eq!(status("sentinel_tilt_since_seconds"), "0");
    assert!(status("sentinel_total_tilt").parse::<u64>().unwrap() > 0);
    assert_wire(&mut other, &["SENTINEL", "DEBUG", "TILT-TRIGGER", "20000", "TILT-PERIOD", "1"], b"+OK\r\n");
    wait_until("it judges again", || status("sentinel_tilt") == "0" && status("master0").contains("status=odown"));
    assert_wire(&mut other, &is_down, b"*3\r\n:1\r\n$1\r\n*\r\n:0\r\n");
}
