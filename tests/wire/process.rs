//! The process: signals, SHUTDOWN, unix socket, daemon, pidfile, the log.

use plinth_testkit::server::{connect_unix, run_to_end};
use plinth_testkit::{Server, TempDir, assert_wire, wait_until};
use std::io::{BufRead, BufReader};
use std::time::Instant;

#[test]
fn sigterm_and_sigint_end_the_server() {
    for name in ["TERM", "INT"] {
        let mut server = Server::start();
        let mut client = server.connect();
        assert_wire(&mut client, &["PING"], b"+PONG\r\n");
        server.signal(name);
        assert_eq!(server.wait(), Some(0));
        client.assert_closed();
        server.wait_for_log("scheduling shutdown");
        server.wait_for_log("ready to exit, bye bye");
    }
}

#[test]
fn sighup_stops_nobody() {
    let server = Server::start();
    server.signal("HUP");
    let mut client = server.connect();
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
}

#[test]
fn shutdown_ends_the_server_without_a_reply() {
    let mut server = Server::start();
    let mut client = server.connect();
    client.send(&["SHUTDOWN", "NOSAVE"]);
    client.assert_closed();
    assert_eq!(server.wait(), Some(0));
    server.wait_for_log("User requested shutdown");
}

#[test]
fn shutdown_with_wrong_words_goes_on() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["SHUTDOWN", "SOON"], b"-ERR syntax error\r\n");
    assert_wire(&mut client, &["SHUTDOWN", "SAVE", "NOSAVE"], b"-ERR syntax error\r\n");
    assert_wire(&mut client, &["SHUTDOWN", "ABORT"], b"-ERR No shutdown in progress.\r\n");
}

#[test]
fn a_unix_socket_is_served_and_removed() {
    let folder = TempDir::new();
    let path = folder.file("server.sock");
    let mut server = Server::within(folder, &["--unixsocket", &path, "--unixsocketperm", "700"]);
    let mut client = connect_unix(&path);
    assert_wire(&mut client, &["SET", "k", "v"], b"+OK\r\n");
    assert_wire(&mut server.connect(), &["GET", "k"], b"$1\r\nv\r\n");
    let info = client.text(&["CLIENT", "INFO"]);
    assert!(info.contains(&format!("addr={path}:0 ")), "{info}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o700);
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    assert!(!std::path::Path::new(&path).exists());
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let server = Server::start();
    let finished = run_to_end(&["--port".to_owned(), server.port().to_string()]);
    assert_eq!(finished.code, Some(1));
    assert!(finished.output.contains("in use"), "{}", finished.output);
    assert_wire(&mut server.connect(), &["PING"], b"+PONG\r\n");
}

#[test]
fn plinth_logs_the_lines_that_tools_wait_for() {
    let server = Server::start();
    for line in [format!("PID: {}", server.pid()), "Server initialized".into(), "Ready to accept connections".into()] {
        server.wait_for_log(&line);
    }
}

#[test]
fn the_log_goes_to_its_file() {
    let folder = TempDir::new();
    let path = folder.file("server.log");
    let port = plinth_testkit::server::free_port().to_string();
    let child = run_in_background(&folder, &["--port", &port, "--logfile", &path]);
    wait_until("the log file says it", || {
        std::fs::read_to_string(&path).is_ok_and(|log| log.contains("Ready to accept connections"))
    });
    end(child);
}

fn run_in_background(folder: &TempDir, args: &[&str]) -> std::process::Child {
    std::process::Command::new(plinth_testkit::build::server())
        .args(args)
        .current_dir(folder.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts")
}

fn end(mut child: std::process::Child) {
    let _ = child.kill();
    let _ = child.wait();
}

#[test]
fn a_daemon_writes_its_pidfile_and_removes_it() {
    let folder = TempDir::new();
    let pidfile = folder.file("server.pid");
    let log = folder.file("server.log");
    let socket = folder.file("server.sock");
    let args = ["--daemonize", "yes", "--pidfile", &pidfile, "--logfile", &log, "--port", "0", "--unixsocket", &socket];
    let mut child = run_in_background(&folder, &args);
    // The first process ends at once; the server is another one.
    wait_until("the first process has ended", || matches!(child.try_wait(), Ok(Some(_))));
    assert!(child.wait().is_ok_and(|status| status.success()));
    let mut client = connect_unix(&socket);
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
    let pid: u32 = std::fs::read_to_string(&pidfile).unwrap().trim().parse().unwrap();
    assert_ne!(pid, child.id());
    assert_eq!(client.info("server", "process_id"), Some(pid.to_string()));
    client.send(&["SHUTDOWN", "NOSAVE"]);
    client.assert_closed();
    wait_until("the pidfile is gone", || !std::path::Path::new(&pidfile).exists());
}

#[test]
fn protected_mode_and_bind_are_what_config_says() {
    let server = Server::with(&["--bind", "127.0.0.1", "--protected-mode", "yes"]);
    let mut client = server.connect();
    assert_wire(&mut client, &["CONFIG", "GET", "bind"], b"*2\r\n$4\r\nbind\r\n$9\r\n127.0.0.1\r\n");
}

#[test]
fn info_names_the_server_and_its_clients() {
    let server = Server::start();
    let mut client = server.connect();
    assert_eq!(client.info("server", "tcp_port"), Some(server.port().to_string()));
    assert_eq!(client.info("server", "process_id"), Some(server.pid().to_string()));
    assert!(client.info("server", "redis_version").is_some_and(|version| version.starts_with("7.")));
    assert!(client.info("clients", "connected_clients").is_some());
    assert!(client.info("memory", "used_memory").is_some_and(|bytes| bytes.parse::<u64>().unwrap() > 100_000));
}

#[test]
fn plinth_info_says_what_it_is() {
    let server = Server::start();
    let mut client = server.connect();
    assert_eq!(client.info("server", "server_name").as_deref(), Some("plinth"));
    assert!(client.info("server", "plinth_version").is_some());
}

#[test]
fn what_a_client_sends_cannot_write_lines_into_the_log() {
    let server = Server::with(&["--loglevel", "verbose"]);
    let mut client = server.connect();
    client.raw("*1\r\n\x1b[2J\r\n");
    assert!(client.read_to_end().starts_with(b"-ERR Protocol error"));
    server.wait_for_log("expected '$', got '\\x1b'");
    assert!(!server.log().contains('\x1b'));
}

#[test]
fn a_log_that_nobody_reads_stops_nobody() {
    let (server, log) = Server::piped(&["--loglevel", "verbose"]);
    // Each client that goes is a line: more than a pipe holds.
    for _ in 0..3000 {
        drop(server.connect());
    }
    let mut client = server.connect();
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
    // When it is read again, it says what is missing.
    let mut lines = BufReader::new(log).lines();
    let mut next = || lines.next().and_then(Result::ok).expect("the log goes on");
    assert!((0..100).any(|_| next().contains("Client closed connection")));
    let deadline = Instant::now() + plinth_testkit::PATIENCE;
    while !next().contains("lines of this log were lost.") {
        assert!(Instant::now() < deadline, "nothing is said of what is missing");
        drop(server.connect());
        assert_wire(&mut client, &["PING"], b"+PONG\r\n");
    }
}
