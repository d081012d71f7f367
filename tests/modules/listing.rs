//! MODULE LIST, `--loadmodule`, `module-dir`, `--inspect`, COMMAND and INFO: how a module is seen.

use plinth_testkit::server::run_to_end;
use plinth_testkit::{Server, TempDir, assert_wire, build};

#[test]
fn a_loaded_module_is_listed_with_version_path_and_arguments() {
    let path = build::library("gauge");
    let server = Server::with(&["--loadmodule", &path, "first", "second"]);
    let mut client = server.connect();
    let list = client.ask(&["MODULE", "LIST"]);
    let gauge = list.items().iter().find(|one| one.field("name").is_some_and(|name| name.text() == "gauge"));
    let gauge = gauge.expect("it is listed");
    assert_eq!(gauge.field("ver").map(|version| version.integer()), Some(100));
    assert_eq!(gauge.field("path").map(|path| path.text()), Some(path));
    assert_eq!(gauge.field("args").map(|args| args.texts()), Some(vec!["first".to_owned(), "second".to_owned()]));
}

#[test]
fn in_resp3_a_listed_module_is_a_map() {
    let server = Server::start();
    let mut client = server.connect();
    client.command(&["HELLO", "3"]);
    let bytes = client.command(&["MODULE", "LIST"]);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert!(text.contains("\r\n%4\r\n$4\r\nname\r\n"), "{text}");
}

#[test]
fn loadex_takes_parameters_and_arguments() {
    let server = Server::start();
    let mut client = server.connect();
    let path = build::library("hello");
    let load = ["MODULE", "LOADEX", &path, "CONFIG", "hello.greeting", "Servus", "ARGS", "a", "b"];
    assert_wire(&mut client, &load, b"+OK\r\n");
    assert_wire(&mut client, &["HELLO.WORLD"], b"$13\r\nServus, world\r\n");
    let list = client.ask(&["MODULE", "LIST"]);
    let hello = list.items().iter().find(|one| one.field("name").is_some_and(|name| name.text() == "hello"));
    assert_eq!(hello.and_then(|one| one.field("args")).map(|args| args.texts().concat()), Some("ab".to_owned()));
    assert_wire(&mut client, &["MODULE", "LOADEX", &path, "NONSENSE"], b"-ERR syntax error\r\n");
}

#[test]
fn a_module_is_loaded_from_the_configuration_file() {
    let folder = TempDir::new();
    let text = format!("loadmodule {}\nhello.greeting \"Good evening\"\n", build::library("hello"));
    let file = folder.write("redis.conf", text);
    let server = Server::within(folder, &[file]);
    let mut client = server.connect();
    assert_wire(&mut client, &["HELLO.WORLD"], b"$19\r\nGood evening, world\r\n");
}

#[test]
fn module_dir_says_where_the_modules_are() {
    let folder = TempDir::new();
    let server = Server::with(&["--module-dir", &folder.path().display().to_string()]);
    let mut client = server.connect();
    // An empty folder: a server without data types, which says so and serves.
    server.wait_for_log("no data types");
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
    let said = client.text(&["GET", "k"]);
    assert!(said.starts_with("ERR unknown command 'GET'"), "{said}");
    for name in ["plinth-string", "plinth-keys"] {
        let path = build::library(name);
        std::fs::copy(&path, folder.path().join(path.rsplit('/').next().unwrap())).unwrap();
    }
    let server = Server::with(&["--module-dir", &folder.path().display().to_string()]);
    let mut client = server.connect();
    assert_wire(&mut client, &["SET", "k", "v"], b"+OK\r\n");
    assert_wire(&mut client, &["GET", "k"], b"$1\r\nv\r\n");
}

#[test]
fn inspect_prints_an_entry_without_running_it() {
    let finished = run_to_end(&["--inspect", &build::library("counter-user")]);
    assert_eq!(finished.code, Some(0), "{}", finished.output);
    for line in ["ticket 0.1.0", "1.0", "com.example.counter/1", "plinth.keys/1", "ticket.take", "ticket.last"] {
        assert!(finished.output.contains(line), "no '{line}' in\n{}", finished.output);
    }
    let finished = run_to_end(&["--inspect", &build::library("gauge")]);
    assert!(finished.output.contains("com.example.gauge"), "{}", finished.output);
}

#[test]
fn inspect_says_what_is_wrong_with_a_file() {
    let folder = TempDir::new();
    let finished = run_to_end(&["--inspect", &folder.write("text.so", "text")]);
    assert_eq!(finished.code, Some(1));
    assert!(finished.output.contains("cannot open it as a shared library"), "{}", finished.output);
    let finished = run_to_end(&["--inspect", &build::library("bad-layout")]);
    assert_eq!(finished.code, Some(1));
    assert!(finished.output.contains("Everything"), "abi_stable's report is missing:\n{}", finished.output);
}

#[test]
fn commands_of_a_module_show_in_command() {
    let server = Server::with(&["--loadmodule", &build::library("gauge")]);
    let mut client = server.connect();
    let info = client.ask(&["COMMAND", "INFO", "gauge.push"]);
    let push = info.items()[0].items();
    assert_eq!((push[0].text(), push[1].integer()), ("gauge.push".to_owned(), 3));
    let flags = push[2].texts();
    for flag in ["write", "denyoom", "fast", "module"] {
        assert!(flags.iter().any(|one| one == flag), "no {flag} in {flags:?}");
    }
    assert_eq!((push[3].integer(), push[4].integer(), push[5].integer()), (1, 1, 1));
    assert_wire(&mut client, &["COMMAND", "GETKEYS", "gauge.push", "room", "1"], b"*1\r\n$4\r\nroom\r\n");
    let listed = client.ask(&["COMMAND", "LIST", "FILTERBY", "MODULE", "gauge"]);
    let mut listed = listed.texts();
    listed.sort();
    assert_eq!(listed, ["gauge.get", "gauge.push"]);
}

#[test]
fn info_modules_shows_what_a_module_provides_and_does() {
    let service = build::library("counter-service");
    let server = Server::with(&["--loadmodule", &service, "--loadmodule", &build::library("counter-user")]);
    let mut client = server.connect();
    for _ in 0..3 {
        client.command(&["TICKET.TAKE", "q"]);
    }
    let info = client.text(&["INFO", "modules"]);
    let line = |name: &str| {
        let begin = format!("plinth_module_{name}:");
        let found = info.lines().find(|line| line.starts_with(&begin));
        found.unwrap_or_else(|| panic!("no {begin} in\n{info}"))
    };
    for text in
        ["version=0.1.0", "types=[com.example.counter]", "services=[com.example.counter/1]", "commands=2", "values=1"]
    {
        assert!(line("counter").contains(text), "no '{text}' in\n{info}");
    }
    for text in ["com.example.counter/1", "calls=3", "panics=0", "values=0"] {
        assert!(line("ticket").contains(text), "no '{text}' in\n{info}");
    }
    // The form that tools know from Redis.
    assert!(info.contains("module:name=ticket,ver=100,"), "{info}");
}
