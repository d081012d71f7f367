//! The report of a crash, and the watchdog's of a server that stands still.

use plinth_testkit::{Server, TempDir, assert_wire, cc, wait_until};
use std::os::unix::process::ExitStatusExt;

const END: &str = "PLINTH CRASH REPORT END";

/// The report, of a server that has ended.
fn report(server: &mut Server) -> String {
    server.wait_for_log(END);
    assert_eq!(server.wait(), None, "it ends by the signal");
    let log = server.log();
    log[log.find("PLINTH CRASH REPORT START").expect("it begins")..].to_owned()
}

/// The lines of one of its parts.
fn part<'a>(report: &'a str, title: &str) -> &'a str {
    let begin = report.find(&format!("------ {title}")).unwrap_or_else(|| panic!("no {title}:\n{report}"));
    let rest = &report[begin + 7..];
    &rest[..rest.find("\n------ ").unwrap_or(rest.len())]
}

#[test]
fn plinth_reports_by_which_signal_it_dies_and_dies_by_it() {
    for (name, number) in [("ABRT", 6), ("SEGV", 11), ("BUS", 7), ("FPE", 8), ("ILL", 4)] {
        let mut server = Server::start();
        assert_wire(&mut server.connect(), &["SET", "k", "v"], b"+OK\r\n");
        server.signal(name);
        let report = report(&mut server);
        assert!(report.contains(&format!("crashed by signal: {number} (SIG{name})")), "{report}");
        assert!(report.contains("Sent by process: "), "{report}");
        assert!(part(&report, "STACK TRACE").contains("plinth-server+0x"), "{report}");
        assert!(part(&report, "INFO OUTPUT").contains("cmdstat_set:calls=1"), "{report}");
    }
}

#[test]
fn plinth_reports_what_ran_and_for_whom() {
    let mut server = Server::start();
    let mut client = server.connect();
    client.command(&["CLIENT", "SETNAME", "unlucky"]);
    client.send(&["DEBUG", "SEGFAULT"]);
    client.assert_closed();
    let report = report(&mut server);
    assert!(report.contains("Accessing address: 0x8\n"), "{report}");
    assert!(part(&report, "MODULE").contains("in the server itself"), "{report}");
    assert!(part(&report, "STACK TRACE WITH NAMES").contains("segfault"), "{report}");
    let ran = part(&report, "COMMANDS THAT RAN");
    assert!(ran.contains("debug (db 0) \"SEGFAULT\"") && ran.contains("name=unlucky"), "{ran}");
    assert!(part(&report, "CLIENT LIST OUTPUT").contains("name=unlucky"), "{report}");
}

#[test]
fn plinth_reports_the_module_in_which_it_died() {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/wire/fatal.c", &[]);
    let mut server = Server::within(folder, &["--loadmodule", &path]);
    let mut client = server.connect();
    client.send(&["FATAL.WRITE", "a word"]);
    client.assert_closed();
    let report = report(&mut server);
    let head = report.lines().find(|line| line.starts_with("Died in: ")).unwrap_or_default();
    assert!(head.contains("fatal0.so+0x"), "{report}");
    let module = part(&report, "MODULE");
    assert!(module.contains(&format!("It died in the module 'fatal' 1.2.3, loaded from {path}")), "{module}");
    assert!(part(&report, "COMMANDS THAT RAN").contains("fatal.write (db 0) \"a word\""), "{report}");
}

#[test]
fn plinth_goes_on_with_a_report_of_which_a_part_dies() {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/wire/fatal.c", &[]);
    let mut server = Server::within(folder, &["--loadmodule", &path]);
    let mut client = server.connect();
    assert_wire(&mut client, &["FATAL.TELL"], b"+OK\r\n");
    client.send(&["FATAL.WRITE"]);
    client.assert_closed();
    let report = report(&mut server);
    assert!(part(&report, "INFO OUTPUT").contains("(This part died itself, by signal 11.)"), "{report}");
    assert!(part(&report, "CLIENT LIST OUTPUT").contains("cmd=fatal.write"), "{report}");
}

#[test]
fn plinth_keeps_passwords_and_if_asked_all_words_out_of_reports() {
    for (hides, shown) in [("no", true), ("yes", false)] {
        let folder = TempDir::new();
        let path = cc::module(&folder, "tests/wire/fatal.c", &[]);
        let mut server = Server::within(folder, &["--loadmodule", &path, "--hide-user-data-from-log", hides]);
        let mut client = server.connect();
        client.send(&["FATAL.WRITE", "mine"]);
        client.assert_closed();
        let report = report(&mut server);
        assert_eq!(part(&report, "COMMANDS THAT RAN").contains("mine"), shown, "{report}");
    }
}

#[test]
fn plinth_reports_into_the_log_file_in_which_all_else_is() {
    let folder = TempDir::new();
    let log = folder.file("server.log");
    let port = plinth_testkit::server::free_port().to_string();
    let mut child = std::process::Command::new(plinth_testkit::build::server())
        .args(["--port", &port, "--logfile", &log, "--enable-debug-command", "yes"])
        .current_dir(folder.path())
        .spawn()
        .expect("it starts");
    let text = || std::fs::read_to_string(&log).unwrap_or_default();
    wait_until("it serves", || text().contains("Ready to accept connections"));
    let stream = std::net::TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap();
    plinth_testkit::Client::new(stream).send(&["DEBUG", "PANIC"]);
    let status = child.wait().expect("it ends");
    assert_eq!(status.signal(), Some(6));
    let text = text();
    assert!(text.contains("# DEBUG PANIC") && text.contains(END), "{text}");
}

#[test]
fn no_report_is_written_where_none_is_wanted() {
    let mut server = Server::with(&["--crash-log-enabled", "no"]);
    server.signal("ABRT");
    assert_eq!(server.wait(), None);
    assert!(!server.log().contains("crashed by signal"));
    let mut server = Server::start();
    assert_wire(&mut server.connect(), &["CONFIG", "SET", "crash-log-enabled", "no"], b"+OK\r\n");
    server.signal("SEGV");
    assert_eq!(server.wait(), None);
    assert!(!server.log().contains("crashed by signal"));
}

#[test]
fn the_watchdog_says_where_a_server_stands_still() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["CONFIG", "SET", "watchdog-period", "200"], b"+OK\r\n");
    assert_wire(&mut client, &["DEBUG", "SLEEP", "0.5"], b"+OK\r\n");
    let log = server.log();
    assert!(log.contains("WATCHDOG TIMER EXPIRED") && log.contains("STACK TRACE"), "{log}");
    assert!(log.contains("#0 0x") && log.contains("plinth-server+0x"), "{log}");
    assert_wire(&mut client, &["CONFIG", "SET", "watchdog-period", "0"], b"+OK\r\n");
    assert_wire(&mut client, &["DEBUG", "SLEEP", "0.5"], b"+OK\r\n");
    assert_eq!(server.log().matches("WATCHDOG TIMER EXPIRED").count(), 1);
}
