//! What the process is to the system: title, supervisor, score, processors, SIGHUP.

use plinth_testkit::{Client, Server, TempDir, assert_wire, wait_until};
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::time::Duration;

fn of_process(pid: u32, what: &str) -> String {
    let path = format!("/proc/{pid}/{what}");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What `ps` shows.
fn title(server: &Server) -> String {
    of_process(server.pid(), "cmdline").trim_end_matches('\0').replace('\0', " ")
}

#[test]
fn the_process_is_called_by_what_it_does() {
    let server = Server::with(&["--bind", "127.0.0.1"]);
    let mut client = server.connect();
    let port = server.port();
    wait_until("the title is there", || title(&server).ends_with(&format!("plinth-server 127.0.0.1:{port}")));
    let template = "X {port}|{tls-port}|{unixsocket}|{config-file}|{server-mode}| {{ ";
    assert_wire(&mut client, &["CONFIG", "SET", "proc-title-template", template], b"+OK\r\n");
    assert_eq!(title(&server), format!("X {port}|0|||| {{"));
    let long = "x".repeat(200_000);
    assert_wire(&mut client, &["CONFIG", "SET", "proc-title-template", &long], b"+OK\r\n");
    assert!(title(&server).len() > 100 && title(&server).chars().all(|letter| letter == 'x'));
    // The environment has moved, and is still read.
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
    for wrong in ["", "{what}", "{port"] {
        let said = client.text(&["CONFIG", "SET", "proc-title-template", wrong]);
        assert!(said.ends_with("template format is invalid or contains unknown variables"), "{said}");
    }
    let plain = Server::with(&["--set-proc-title", "no"]);
    assert!(title(&plain).contains("--enable-debug-command local"), "{}", title(&plain));
}

#[test]
fn a_child_is_called_by_its_task_and_has_its_score() {
    let server = Server::with(&["--oom-score-adj", "yes", "--oom-score-adj-values", "10 20 30"]);
    let mut client = server.connect();
    let base: i64 = of_process(std::process::id(), "oom_score_adj").trim().parse().unwrap();
    let score = |pid| of_process(pid, "oom_score_adj").trim().parse::<i64>().unwrap();
    assert_eq!(score(server.pid()), base + 10);
    assert_wire(&mut client, &["SET", "k", "v"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "rdb-key-save-delay", "10000000"], b"+OK\r\n");
    client.command(&["BGSAVE"]);
    let children = of_process(server.pid(), &format!("task/{}/children", server.pid()));
    let child: u32 = children.trim().parse().expect("one child");
    wait_until("the child has its title", || of_process(child, "cmdline").starts_with("redis-rdb-bgsave "));
    wait_until("the child has its score", || score(child) == base + 30);
    assert_wire(&mut client, &["CONFIG", "SET", "oom-score-adj", "absolute"], b"+OK\r\n");
    assert_eq!(score(server.pid()), 10);
    // What fails behind it takes it back.
    let pairs = ["CONFIG", "SET", "oom-score-adj-values", "11 1 1", "locale-collate", "no_SUCH"];
    assert!(client.text(&pairs).ends_with("Invalid locale name"));
    assert_eq!(score(server.pid()), 10);
    assert_wire(&mut client, &["CONFIG", "SET", "oom-score-adj", "no"], b"+OK\r\n");
    assert_eq!(score(server.pid()), base);
}

#[test]
fn systemd_is_told_when_the_server_serves_and_when_it_stops() {
    let folder = TempDir::new();
    let path = folder.file("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    let said = || {
        let mut bytes = [0; 256];
        let count = socket.recv(&mut bytes).expect("something is said");
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    };
    let mut server = Server::under(&format!("export NOTIFY_SOCKET={path}"), &["--supervised", "auto"]);
    assert_eq!(said(), "STATUS=Ready to accept connections\nREADY=1\n");
    assert_eq!(server.connect().info("server", "process_supervised").as_deref(), Some("systemd"));
    server.signal("TERM");
    assert_eq!(said(), "STOPPING=1\n");
    assert_eq!(server.wait(), Some(0));
    let alone = Server::with(&["--supervised", "systemd"]);
    alone.wait_for_log("systemd supervision requested, but NOTIFY_SOCKET not found");
    assert_eq!(alone.connect().info("server", "process_supervised").as_deref(), Some("no"));
}

#[test]
fn sockets_that_the_supervisor_listens_on_are_taken_over() {
    let folder = TempDir::new();
    let path = folder.file("handed");
    let (tcp, unix) = (TcpListener::bind("127.0.0.1:0").expect("a port"), UnixListener::bind(&path).expect("a path"));
    let port = tcp.local_addr().expect("bound").port();
    // Somebody connects before there is a server.
    let early = std::net::TcpStream::connect(("127.0.0.1", port)).expect("it is listened on");
    // Handles that a child gets too; the shell gives them the numbers that are agreed on.
    let numbers = [tcp.as_fd(), unix.as_fd()].map(|socket| rustix::io::dup(socket).expect("a handle"));
    let [first, second] = numbers.each_ref().map(AsRawFd::as_raw_fd);
    let hand = format!("exec 8<&{first} 9<&{second}; exec 3<&8 4<&9; export LISTEN_PID=$$ LISTEN_FDS=2");
    let server = Server::under(&hand, &[] as &[&str]);
    drop((tcp, unix, numbers));
    let mut first = Client::new(early);
    assert_wire(&mut first, &["SET", "k", "v"], b"+OK\r\n");
    let unix = std::os::unix::net::UnixStream::connect(&path).expect("it is listened on");
    assert_wire(&mut Client::new(unix), &["GET", "k"], b"$1\r\nv\r\n");
    // Beside those that the configuration names.
    assert_wire(&mut server.connect(), &["GET", "k"], b"$1\r\nv\r\n");
    // A variable that is meant for another process is none for this one.
    let other = Server::under("export LISTEN_PID=1 LISTEN_FDS=2", &[] as &[&str]);
    assert_wire(&mut other.connect(), &["PING"], b"+PONG\r\n");
}

#[test]
fn threads_run_on_the_processors_that_are_theirs() {
    let server = Server::with(&["--server-cpulist", "0", "--bio-cpulist", "0-1", "--appendonly", "yes"]);
    let allowed = |thread: &str| {
        let status = of_process(server.pid(), &format!("task/{thread}/status"));
        let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default();
        line.trim().to_owned()
    };
    assert_eq!(allowed(&server.pid().to_string()), "0");
    // The thread that syncs begins with the first that there is to sync.
    assert_wire(&mut server.connect(), &["SET", "k", "v"], b"+OK\r\n");
    let names = || std::fs::read_dir(format!("/proc/{}/task", server.pid())).unwrap().flatten();
    for name in ["lazy-free", "aof-sync"] {
        let is = |id: &String| of_process(server.pid(), &format!("task/{id}/comm")).trim() == name;
        let find = || names().map(|entry| entry.file_name().to_string_lossy().into_owned()).find(is);
        wait_until("the thread is there", || find().is_some());
        let thread = find().unwrap_or_default();
        let all = std::thread::available_parallelism().map_or(1, usize::from);
        assert_eq!(allowed(&thread), if all > 1 { "0-1" } else { "0" }, "{name}");
    }
}

#[test]
fn sighup_has_users_read_anew() {
    let folder = TempDir::new();
    let path = folder.file("users.acl");
    std::fs::write(&path, "user default on nopass ~* &* +@all\n").unwrap();
    let server = Server::within(folder, &["--aclfile", &path]);
    let mut client = server.connect();
    assert_wire(&mut client, &["ACL", "USERS"], b"*1\r\n$7\r\ndefault\r\n");
    std::fs::write(&path, "user default on nopass ~* &* +@all\nuser new on nopass\n").unwrap();
    server.signal("HUP");
    wait_until("the user is there", || client.command(&["ACL", "GETUSER", "new"]) != b"*-1\r\n");
    std::fs::write(&path, "user default on nopass ~* &* +@all\nuser new what\n").unwrap();
    server.signal("HUP");
    server.wait_for_log("Received SIGHUP: ");
    wait_until("the fault is told", || server.log().contains("Nothing was changed."));
    assert_ne!(client.command(&["ACL", "GETUSER", "new"]), b"*-1\r\n");
}

#[test]
fn lolwut_draws_the_same_for_the_same_numbers_and_tells_the_version() {
    let server = Server::start();
    let mut client = server.connect();
    let drawn = client.text(&["LOLWUT", "VERSION", "5", "40", "4", "7"]);
    assert!(drawn.contains("Redis ver. 7."), "{drawn}");
    assert_eq!(client.text(&["LOLWUT", "40", "4", "7"]), drawn);
    assert_wire(&mut client, &["LOLWUT", "VERSION", "x"], b"-ERR value is not an integer or out of range\r\n");
}
