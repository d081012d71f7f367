//! CONFIG, configuration files, the command line.

use plinth_testkit::server::run_to_end;
use plinth_testkit::{Server, TempDir, assert_wire};

#[test]
fn parameters_are_read_by_name_and_pattern() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["CONFIG", "GET", "maxclients"], b"*2\r\n$10\r\nmaxclients\r\n$5\r\n10000\r\n");
    assert_wire(&mut client, &["CONFIG", "GET", "no-such-parameter"], b"*0\r\n");
    let several = client.ask(&["CONFIG", "GET", "maxmemory", "lfu-*"]);
    for name in ["maxmemory", "lfu-log-factor", "lfu-decay-time"] {
        assert!(several.field(name).is_some(), "no {name} in {several:?}");
    }
    assert_eq!(several.items().len(), 6);
    client.command(&["HELLO", "3"]);
    assert_wire(&mut client, &["CONFIG", "GET", "maxclients"], b"%1\r\n$10\r\nmaxclients\r\n$5\r\n10000\r\n");
}

#[test]
fn several_parameters_are_set_together_or_not_at_all() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["CONFIG", "SET", "maxmemory", "100mb", "lfu-decay-time", "2"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "GET", "maxmemory"], b"*2\r\n$9\r\nmaxmemory\r\n$9\r\n104857600\r\n");
    let said = client.text(&["CONFIG", "SET", "maxmemory", "0", "lfu-decay-time", "-1"]);
    assert!(
        said.starts_with(
            "ERR CONFIG SET failed (possibly related to argument 'lfu-decay-time') - argument must be between 0 and"
        ),
        "{said}"
    );
    assert_wire(&mut client, &["CONFIG", "GET", "maxmemory"], b"*2\r\n$9\r\nmaxmemory\r\n$9\r\n104857600\r\n");
    let said = client.text(&["CONFIG", "SET", "no-such-parameter", "1"]);
    assert_eq!(said, "ERR Unknown option or number of arguments for CONFIG SET - 'no-such-parameter'");
    let said = client.text(&["CONFIG", "SET", "databases", "3"]);
    assert!(said.contains("can't set immutable config"), "{said}");
    let said = client.text(&["CONFIG", "SET", "maxmemory", "1", "maxmemory", "2"]);
    assert!(said.contains("duplicate parameter"), "{said}");
}

#[test]
fn every_parameter_takes_the_value_that_it_is_shown_with_or_is_fixed() {
    let server = Server::start();
    let mut client = server.connect();
    let all = client.ask(&["CONFIG", "GET", "*"]).texts();
    assert!(all.len() > 400, "{}", all.len());
    for pair in all.chunks(2) {
        let said = client.text(&["CONFIG", "SET", &pair[0], &pair[1]]);
        let is_fixed =
            ["can't set immutable config", "can't set protected config"].iter().any(|end| said.ends_with(end));
        assert!(said == "OK" || is_fixed, "{pair:?}: {said}");
    }
    assert_eq!(client.ask(&["CONFIG", "GET", "*"]).texts(), all);
}

#[test]
fn bytes_that_are_no_text_are_kept_or_refused() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &[&b"CONFIG"[..], b"SET", b"primaryuser", b"a\xff"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "GET", "masteruser"], b"*2\r\n$10\r\nmasteruser\r\n$2\r\na\xff\r\n");
    let said = client.text(&[&b"CONFIG"[..], b"SET", b"replica-announce-ip", b"a\xff"]);
    assert!(said.ends_with("(possibly related to argument 'replica-announce-ip') - argument must be UTF-8"), "{said}");
    assert_wire(&mut client, &["CONFIG", "SET", "client-output-buffer-limit", ""], b"+OK\r\n");
}

/// The process's limit on open files, as the system shows it.
fn open_files(server: &Server) -> String {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).expect("of a process that runs");
    limits.lines().find(|line| line.starts_with("Max open files")).expect("a line on open files").to_owned()
}

#[test]
fn a_parameter_that_cannot_take_effect_leaves_those_before_it_as_they_were() {
    let server = Server::with(&["--maxclients", "50"]);
    let taken = std::net::TcpListener::bind(("0.0.0.0", 0)).unwrap();
    let taken = taken.local_addr().map(|address| (address.port().to_string(), taken)).unwrap();
    let mut client = server.connect();
    let files = open_files(&server);
    let said = client.text(&["CONFIG", "SET", "maxclients", "5000", "port", &taken.0, "timeout", "9"]);
    let expected = "ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port.";
    assert!(said.starts_with(expected), "{said}");
    let shown = client.ask(&["CONFIG", "GET", "port", "maxclients", "timeout"]).texts();
    let value = |name: &str| shown[shown.iter().position(|text| text == name).unwrap() + 1].clone();
    assert_eq!([value("port"), value("maxclients"), value("timeout")], [&server.port().to_string(), "50", "0"]);
    assert_eq!(open_files(&server), files);
    assert_wire(&mut server.connect(), &["PING"], b"+PONG\r\n");
}

#[test]
fn resetstat_begins_counting_anew() {
    let server = Server::start();
    let mut client = server.connect();
    client.command(&["GET", "absent"]);
    assert_eq!(client.info("stats", "keyspace_misses").as_deref(), Some("1"));
    assert_wire(&mut client, &["CONFIG", "RESETSTAT"], b"+OK\r\n");
    assert_eq!(client.info("stats", "keyspace_misses").as_deref(), Some("0"));
}

#[test]
fn a_file_includes_others_and_the_command_line_wins() {
    let folder = TempDir::new();
    folder.write("more.conf", "maxclients 77\ntimeout 5\n");
    // Absolute, because a relative one is looked for in the working folder.
    let include = folder.file("more.conf");
    let text = format!("# a comment\n\ninclude {include}\n  TIMEOUT 6 \nrequirepass \"two \\x77ords\"\nhz 20\n");
    let file = folder.write("redis.conf", text);
    let server = Server::within(folder, &[&file, "--hz", "30"]);
    let mut client = server.connect();
    assert_wire(&mut client, &["AUTH", "two words"], b"+OK\r\n");
    assert_eq!(client.ask(&["CONFIG", "GET", "maxclients"]).texts()[1], "77");
    assert_eq!(client.ask(&["CONFIG", "GET", "timeout"]).texts()[1], "6");
    assert_eq!(client.ask(&["CONFIG", "GET", "hz"]).texts()[1], "30");
}

#[test]
fn a_value_of_several_words_may_be_quoted() {
    let server = Server::with(&["--client-output-buffer-limit", "normal 2mb 0 0", "--save", "60 1"]);
    let limits = server.connect().ask(&["CONFIG", "GET", "client-output-buffer-limit"]);
    assert!(limits.texts()[1].starts_with("normal 2097152 0 0 "), "{limits:?}");
}

/// A faulty file ends the server with the line's number, the line, and the reason.
#[track_caller]
fn assert_file_error(text: &str, line: usize, shown: &str, reason: &str) {
    let folder = TempDir::new();
    let finished = run_to_end(&[folder.write("redis.conf", text)]);
    assert_eq!(finished.code, Some(1), "{}", finished.output);
    let expected = format!("Reading the configuration file, at line {line}\n>>> '{shown}'\n{reason}\n");
    assert!(finished.output.contains("*** FATAL CONFIG FILE ERROR ("), "{}", finished.output);
    assert!(finished.output.contains(&expected), "{}\ndoes not say\n{expected}", finished.output);
}

#[test]
fn a_faulty_line_is_shown_with_its_number_and_the_reason() {
    assert_file_error("\n# x\nnonsense 1\n", 3, "nonsense 1", "Bad directive or wrong number of arguments");
    assert_file_error("port 1 2\n", 1, "port 1 2", "wrong number of arguments");
    assert_file_error("port 70000\n", 1, "port 70000", "argument must be between 0 and 65535 inclusive");
    assert_file_error("daemonize perhaps\n", 1, "daemonize perhaps", "argument must be 'yes' or 'no'");
    assert_file_error("dir \"open\n", 1, "dir \"open", "Unbalanced quotes in configuration line");
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let finished = run_to_end(&["/nowhere/redis.conf"]);
    assert_eq!(finished.code, Some(1));
    let expected = "Fatal error, can't open config file '/nowhere/redis.conf': No such file or directory";
    assert!(finished.output.contains(expected), "{}", finished.output);
}

#[test]
fn plinth_check_config_serves_nothing() {
    let folder = TempDir::new();
    let good = folder.write("good.conf", "maxclients 10\n");
    let finished = run_to_end(&["--check-config", &good]);
    assert_eq!(finished.code, Some(0), "{}", finished.output);
    assert!(finished.output.contains("The configuration is correct."), "{}", finished.output);
    let bad = folder.write("bad.conf", "maxclients none\n");
    let finished = run_to_end(&["--check-config", &bad]);
    assert_eq!(finished.code, Some(1), "{}", finished.output);
    assert!(finished.output.contains("at line 1"), "{}", finished.output);
    let unknown = folder.write("unknown.conf", "loglevel notice\ngauge.limit 1\n");
    let finished = run_to_end(&["--check-config", &unknown]);
    assert_eq!(finished.code, Some(1), "{}", finished.output);
    assert!(finished.output.contains("at line 2"), "{}", finished.output);
}

#[test]
fn version_and_help_are_printed() {
    for option in ["-v", "--version"] {
        let finished = run_to_end(&[option, "--port", "x"]);
        assert_eq!(finished.code, Some(0));
        assert!(finished.output.contains(" server v="), "{}", finished.output);
    }
    for option in ["-h", "--help"] {
        let finished = run_to_end(&[option, "x"]);
        assert_eq!(finished.code, Some(1));
        assert!(finished.output.contains("Usage: "), "{}", finished.output);
    }
}

#[test]
fn only_the_first_argument_can_be_an_option_of_the_program() {
    let said = |args: &[&str]| {
        let finished = run_to_end(args);
        assert_eq!(finished.code, Some(1), "{}", finished.output);
        finished.output
    };
    assert!(said(&["--port", "1", "-v"]).contains(">>> 'port \"1\" \"-v\"'\nwrong number of arguments"));
    assert!(said(&["--port", "1", "--help"]).contains("at line 3\n>>> 'help'\nBad directive"));
    assert!(said(&["--port", "-1"]).contains(">>> 'port \"-1\"'\nargument must be between 0 and 65535 inclusive"));
    assert!(said(&["--port"]).contains(">>> 'port'\nwrong number of arguments"));
    let server = Server::with(&["--requirepass", "-v", "--save", "60", "1", "--save", "300", "10"]);
    let mut client = server.connect();
    assert_wire(&mut client, &["AUTH", "-v"], b"+OK\r\n");
    assert_eq!(client.ask(&["CONFIG", "GET", "save"]).texts()[1], "60 1 300 10");
}

#[test]
fn plinth_says_clearly_what_it_has_not() {
    for args in [&["--test-memory", "1"][..], &["--check-system"]] {
        let finished = run_to_end(args);
        assert_eq!(finished.code, Some(1), "{}", finished.output);
        assert!(finished.output.contains(" is not there: "), "{}", finished.output);
    }
}

#[test]
fn plinth_inspect_wants_one_file() {
    let finished = run_to_end(&["--inspect"]);
    assert_eq!(finished.code, Some(1), "{}", finished.output);
    assert!(finished.output.contains("--inspect <MODULE>"), "{}", finished.output);
}

#[test]
fn commands_answer_to_other_names_or_to_none() {
    let folder = TempDir::new();
    let long = "x".repeat(40);
    let text = format!("rename-command GET \"\"\nrename-command set {long}\nrename-command ECHO say\n");
    let file = folder.write("redis.conf", &text);
    let server = Server::with(std::slice::from_ref(&file));
    let mut client = server.connect();
    assert_wire(&mut client, &["SAY", "x"], b"$1\r\nx\r\n");
    assert_wire(&mut client, &["GET", "k"], b"-ERR unknown command 'GET', with args beginning with: 'k' \r\n");
    assert_wire(&mut client, &["SET", "k"], b"-ERR unknown command 'SET', with args beginning with: 'k' \r\n");
    assert_wire(&mut client, &[&long.to_uppercase(), "k", "v"], b"+OK\r\n");
    assert_wire(&mut client, &[&long, "k"], b"-ERR wrong number of arguments for 'set' command\r\n");
    assert_wire(&mut client, &["STRLEN", "k"], b":1\r\n");
    assert_wire(&mut client, &["CONFIG", "REWRITE"], b"+OK\r\n");
    let written = std::fs::read_to_string(&file).expect("the file is there");
    assert!(written.starts_with(&text), "{written}");
    for (line, reason) in [
        ("rename-command NOPE x", "No such command in rename-command"),
        ("rename-command GET set", "Target command name already exists"),
        ("rename-command GET", "Bad directive or wrong number of arguments"),
    ] {
        let file = folder.write("wrong.conf", format!("port 0\n{line}\n"));
        let said = run_to_end(&[file]).output;
        assert!(said.contains(&format!("at line 2\n>>> '{line}'\n{reason}\n")), "{said}");
    }
}

#[test]
fn options_of_shutdown_want_a_value() {
    for line in [&["--shutdown-on-sigint"][..], &["--shutdown-on-sigint", "now", "--shutdown-on-sigterm"]] {
        let finished = run_to_end(line);
        let reason = "argument(s) must be one of the following: default, save, nosave, now, force";
        assert!(finished.code == Some(1) && finished.output.contains(reason), "{}", finished.output);
    }
}

#[test]
fn what_newer_servers_have_in_their_files_is_accepted() {
    let folder = TempDir::new();
    let file = folder
        .write("redis.conf", "hide-user-data-from-log yes\nenable-debug-assert yes\ncluster-ping-interval 1000\n");
    let server = Server::with(&[file]);
    let shown = b"*2\r\n$23\r\nhide-user-data-from-log\r\n$3\r\nyes\r\n";
    assert_wire(&mut server.connect(), &["CONFIG", "GET", "hide-user-data-from-log"], shown);
}

#[test]
fn a_password_is_bytes() {
    const SECRET: &[u8] = b"\xff\x00\xfe";
    let folder = TempDir::new();
    let path = folder.write("redis.conf", "requirepass \"\\xff\\x00\\xfe\"\n");
    let server = Server::within(folder, &[&path]);
    let auth = |password: &[u8]| server.connect().command(&[b"AUTH", password]);
    // Both would be the same as text.
    for wrong in [&b"\xfe\x00\xff"[..], b"\xff\x00", b"\xff\x00\xfe\xff\x00\xfe", b""] {
        let said = auth(wrong);
        assert!(said.starts_with(b"-WRONGPASS"), "{}", String::from_utf8_lossy(&said));
    }
    let mut client = server.connect();
    assert_wire(&mut client, &[&b"AUTH"[..], SECRET], b"+OK\r\n");
    assert_wire(&mut client, &[&b"CONFIG"[..], b"SET", b"masterauth", b"\xfd"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "GET", "requirepass"], b"*2\r\n$11\r\nrequirepass\r\n$3\r\n\xff\x00\xfe\r\n");
    assert_wire(&mut client, &["CONFIG", "REWRITE"], b"+OK\r\n");
    let file = std::fs::read_to_string(&path).expect("the file is text");
    for line in ["requirepass \"\\xff\\x00\\xfe\"", "masterauth \"\\xfd\""] {
        assert!(file.lines().any(|own| own == line), "{file}");
    }
}
