//! What a Sentinel answers, as bytes in and out of a real server. Expected replies are those of Redis 7.0.

#![deny(unsafe_code)]

use plinth_testkit::{Server, TempDir, assert_wire, wait_until};

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
    assert_wire(&mut client, &["SENTINEL", "FAILOVER", "m"], b"-NOGOODSLAVE No suitable replica to promote\r\n");
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
