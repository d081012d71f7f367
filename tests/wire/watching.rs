//! Watching the server work: SLOWLOG, LATENCY, MONITOR, latencystats.

use plinth_testkit::{Client, Server, assert_wire, wait_until};

/// The words of the entries of the slow log, the newest first.
fn slow(client: &mut Client) -> Vec<Vec<String>> {
    client.ask(&["SLOWLOG", "GET", "-1"]).items().iter().map(|entry| entry.items()[3].texts()).collect()
}

fn server() -> Server {
    Server::with(&["--enable-debug-command", "yes"])
}

#[test]
fn what_is_slow_is_logged_and_the_oldest_go() {
    let server = server();
    let mut client = server.connect();
    assert_wire(&mut client, &["CLIENT", "SETNAME", "me"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "slowlog-log-slower-than", "20000"], b"+OK\r\n");
    assert_wire(&mut client, &["DEBUG", "SLEEP", "0.03"], b"+OK\r\n");
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
    let entries = client.ask(&["SLOWLOG", "GET"]);
    assert_eq!(entries.items().len(), 1);
    let fields = entries.items()[0].items();
    assert_eq!(fields[3].texts(), ["DEBUG", "SLEEP", "0.03"]);
    assert_eq!((fields.len(), fields[5].text()), (6, "me".to_owned()));
    let us: u64 = fields[2].text().parse().unwrap();
    assert!((30_000..3_000_000).contains(&us), "{us}");
    assert_wire(&mut client, &["CONFIG", "SET", "slowlog-log-slower-than", "0", "slowlog-max-len", "2"], b"+OK\r\n");
    for key in ["a", "b", "c"] {
        assert_wire(&mut client, &["GET", key], b"$-1\r\n");
    }
    assert_eq!(slow(&mut client), [["GET", "c"], ["GET", "b"]]);
    assert_wire(&mut client, &["SLOWLOG", "LEN"], b":2\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "slowlog-log-slower-than", "-1"], b"+OK\r\n");
    assert_wire(&mut client, &["SLOWLOG", "RESET"], b"+OK\r\n");
    assert_wire(&mut client, &["SLOWLOG", "LEN"], b":0\r\n");
    let refused = b"-ERR count should be greater than or equal to -1\r\n";
    assert_wire(&mut client, &["SLOWLOG", "GET", "-2"], refused);
    assert_wire(&mut client, &["SLOWLOG", "GET", "x"], refused);
}

#[test]
fn secrets_are_not_logged_and_a_transaction_is_its_commands() {
    let server = server();
    let mut client = server.connect();
    assert_wire(&mut client, &["CONFIG", "SET", "slowlog-log-slower-than", "0"], b"+OK\r\n");
    assert_wire(&mut client, &["SLOWLOG", "RESET"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "requirepass", "open", "timeout", "0"], b"+OK\r\n");
    assert_wire(&mut client, &["AUTH", "open"], b"+OK\r\n");
    client.command(&["HELLO", "2", "AUTH", "default", "open", "SETNAME", "x"]);
    client.command(&["MIGRATE", "127.0.0.1", "1", "none", "0", "1", "AUTH2", "me", "open"]);
    assert_wire(&mut client, &["ACL", "SETUSER", "me", ">open"], b"+OK\r\n");
    assert_wire(&mut client, &["MULTI"], b"+OK\r\n");
    assert_wire(&mut client, &["GET", "k"], b"+QUEUED\r\n");
    assert_wire(&mut client, &["EXEC"], b"*1\r\n$-1\r\n");
    let shown: Vec<String> = slow(&mut client).iter().map(|words| words.join(" ")).collect();
    let expected = [
        "GET k",
        "MULTI",
        "ACL SETUSER (redacted) (redacted)",
        "MIGRATE 127.0.0.1 1 none 0 1 AUTH2 (redacted) (redacted)",
        "HELLO 2 AUTH (redacted) (redacted) SETNAME x",
        "AUTH (redacted)",
        "CONFIG SET requirepass (redacted) timeout 0",
    ];
    assert_eq!(shown[..expected.len()], expected);
}

#[test]
fn a_command_that_waits_is_logged_once_when_it_has_ended() {
    let server = server();
    let (mut client, mut other, mut monitor) = (server.connect(), server.connect(), server.connect());
    assert_wire(&mut monitor, &["MONITOR"], b"+OK\r\n");
    assert_wire(&mut other, &["CONFIG", "SET", "slowlog-log-slower-than", "0"], b"+OK\r\n");
    client.send(&["BLPOP", "l", "0"]);
    // It is shown when it comes.
    assert!(String::from_utf8(monitor.read()).unwrap().contains("\"BLPOP\" \"l\" \"0\""));
    wait_until("the client waits", || other.info("clients", "blocked_clients").as_deref() == Some("1"));
    let is_logged = |client: &mut Client| slow(client).iter().filter(|words| words[0] == "BLPOP").count();
    assert_eq!(is_logged(&mut other), 0);
    assert_wire(&mut other, &["RPUSH", "l", "a"], b":1\r\n");
    client.read();
    assert_eq!(is_logged(&mut other), 1);
}

#[test]
fn what_is_late_is_kept_by_event() {
    let server = server();
    let mut client = server.connect();
    let none = b"-ERR No samples available for event 'command'\r\n";
    assert_wire(&mut client, &["LATENCY", "GRAPH", "command"], none);
    assert!(client.text(&["LATENCY", "DOCTOR"]).contains("latency-monitor-threshold is 0"));
    assert_wire(&mut client, &["CONFIG", "SET", "latency-monitor-threshold", "20"], b"+OK\r\n");
    assert_wire(&mut client, &["DEBUG", "SLEEP", "0.03"], b"+OK\r\n");
    let latest = client.ask(&["LATENCY", "LATEST"]);
    let of = latest.items()[0].texts();
    assert_eq!((latest.items().len(), &of[0][..]), (1, "command"));
    assert!(of[2] == of[3] && (30..3000).contains(&of[2].parse::<u64>().unwrap()), "{of:?}");
    let history = client.ask(&["LATENCY", "HISTORY", "command"]);
    assert_eq!(history.items()[0].texts(), of[1..3]);
    assert!(client.text(&["LATENCY", "GRAPH", "command"]).starts_with(&format!("command - high {} ms", of[2])));
    assert!(client.text(&["LATENCY", "DOCTOR"]).starts_with("command: late in 1 seconds"));
    assert_wire(&mut client, &["LATENCY", "RESET", "fork", "command"], b":1\r\n");
    assert_wire(&mut client, &["LATENCY", "LATEST"], b"*0\r\n");
}

#[test]
fn runs_of_commands_are_told_by_how_long_they_took() {
    let server = server();
    let mut client = server.connect();
    for _ in 0..5 {
        assert_wire(&mut client, &["GET", "k"], b"$-1\r\n");
    }
    assert_wire(&mut client, &["DEBUG", "SLEEP", "0.03"], b"+OK\r\n");
    let histogram = client.ask(&["LATENCY", "HISTOGRAM", "get", "config", "nonsense"]);
    let (name, of) = (histogram.items()[0].text(), histogram.items()[1].items());
    assert_eq!((histogram.items().len(), &name[..], &of[1].text()[..]), (2, "get", "5"));
    let steps = of[3].texts();
    assert_eq!(steps.last().map(String::as_str), Some("5"), "{steps:?}");
    let percentile = |client: &mut Client| {
        let line = client.info("latencystats", "latency_percentiles_usec_debug")?;
        line.strip_prefix("p50=")?.split(',').next()?.parse::<f64>().ok()
    };
    assert!(percentile(&mut client).is_some_and(|us| (30_000.0..3_000_000.0).contains(&us)));
    assert_wire(&mut client, &["CONFIG", "SET", "latency-tracking-info-percentiles", "99.5 50"], b"+OK\r\n");
    let line = client.info("latencystats", "latency_percentiles_usec_get").unwrap();
    assert!(line.starts_with("p99.5=") && line.contains(",p50="), "{line}");
    assert_wire(&mut client, &["CONFIG", "RESETSTAT"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "latency-tracking", "no"], b"+OK\r\n");
    assert_wire(&mut client, &["GET", "k"], b"$-1\r\n");
    assert_wire(&mut client, &["LATENCY", "HISTOGRAM", "get"], b"*0\r\n");
}

#[test]
fn a_monitor_is_shown_what_the_others_do() {
    let server = server();
    let (mut monitor, mut client) = (server.connect(), server.connect());
    assert_wire(&mut monitor, &["MONITOR"], b"+OK\r\n");
    assert_wire(&mut client, &["SELECT", "3"], b"+OK\r\n");
    assert_wire(&mut client, &["SET", "k", "a\"\n"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "GET", "none"], b"*0\r\n");
    assert_wire(&mut client, &["AUTH", "secret"], client_auth_error());
    assert_wire(&mut client, &["MULTI"], b"+OK\r\n");
    assert_wire(&mut client, &["INCR", "n"], b"+QUEUED\r\n");
    assert_wire(&mut client, &["EXEC"], b"*1\r\n:1\r\n");
    let mut seen = Vec::new();
    while seen.last().is_none_or(|line: &String| !line.ends_with("\"INCR\" \"n\"")) {
        seen.push(String::from_utf8(monitor.read()).unwrap().trim_end().to_owned());
    }
    let after = |line: &String| line.split_once("] ").map(|(_, words)| words.to_owned()).unwrap();
    let shown: Vec<String> = seen.iter().map(after).collect();
    assert_eq!(
        shown,
        [r#""SELECT" "3""#, r#""SET" "k" "a\"\n""#, r#""AUTH" "(redacted)""#, r#""MULTI""#, r#""INCR" "n""#]
    );
    assert!(seen[1].contains(" [3 127.0.0.1:"), "{}", seen[1]);
    // It may go on as a client, and sees itself; RESET ends it.
    assert!(String::from_utf8(monitor.read()).unwrap().contains("EXEC"));
    assert_wire(&mut monitor, &["PING"], b"+PONG\r\n");
    assert!(String::from_utf8(monitor.read()).unwrap().contains("PING"));
    assert!(client.text(&["CLIENT", "LIST"]).contains(" flags=O "));
    assert_wire(&mut monitor, &["RESET"], b"+RESET\r\n");
    assert_wire(&mut client, &["GET", "k"], b"$3\r\na\"\n\r\n");
    assert_wire(&mut monitor, &["PING"], b"+PONG\r\n");
}

fn client_auth_error() -> &'static str {
    "-ERR AUTH <password> called without any password configured for the default user. Are you sure your \
     configuration is correct?\r\n"
}

#[test]
fn a_monitor_has_nothing_to_do_with_keys() {
    let server = server();
    let mut monitor = server.connect();
    for command in [&["MULTI"][..], &["MONITOR"]] {
        monitor.command(command);
    }
    assert_wire(&mut monitor, &["EXEC"], b"*1\r\n-ERR MONITOR isn't allowed for DENY BLOCKING client\r\n");
    assert_wire(&mut monitor, &["MONITOR"], b"+OK\r\n");
    for command in [&["GET", "k"][..], &["SET", "k", "v"]] {
        assert_wire(&mut monitor, command, b"-ERR Replica can't interact with the keyspace\r\n");
    }
    assert_wire(&mut monitor, &["RESET"], b"+RESET\r\n");
    assert_wire(&mut monitor, &["GET", "k"], b"$-1\r\n");
}
