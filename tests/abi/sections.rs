//! What a module keeps in RDB files beside keys: `sections.c`.

use plinth_testkit::{Client, Server, TempDir, assert_wire, cc, server, wait_until};

/// Without the module whose libraries of functions are what `sections.c` has its own for.
const ALLOWED: [&str; 6] =
    ["--enable-module-command", "yes", "--enable-debug-command", "yes", "--module-exclude", "scripting"];

fn module(folder: &TempDir) -> String {
    cc::module(folder, "tests/abi/sections.c", &[])
}

fn with_module(folder: TempDir, more: &[&str]) -> Server {
    let path = module(&folder);
    Server::within(folder, &[&ALLOWED[..], &["--loadmodule", &path], more].concat())
}

#[track_caller]
fn assert_shows(client: &mut Client, shown: &str) {
    assert_eq!(client.text(&["SECTIONS.SHOW"]), shown);
}

fn fill(client: &mut Client) {
    for command in [["SECTIONS.ADD", "one"], ["SECTIONS.ADD", "two"], ["SECTIONS.MOTTO", "onward"]] {
        assert_wire(client, &command, b"+OK\r\n");
    }
}

const FILLED: &str = "one two | onward";

#[test]
fn what_a_module_claims_is_in_the_file_and_given_back() {
    let server = with_module(TempDir::new(), &[]);
    let mut client = server.connect();
    fill(&mut client);
    assert_wire(&mut client, &["DEBUG", "RELOAD"], b"+OK\r\n");
    assert_shows(&mut client, FILLED);
    assert_wire(&mut client, &["DEBUG", "RELOAD", "NOFLUSH", "MERGE"], b"+OK\r\n");
    assert_shows(&mut client, "one two one two | onward");
    assert_wire(&mut client, &["DEBUG", "RELOAD", "NOSAVE"], b"+OK\r\n");
    assert_shows(&mut client, FILLED);
    assert_wire(&mut client, &["BGSAVE"], b"+Background saving started\r\n");
    wait_until("it is saved", || client.info("persistence", "rdb_bgsave_in_progress").as_deref() == Some("0"));
    let server = with_module(server.end("KILL"), &[]);
    assert_shows(&mut server.connect(), FILLED);
}

#[test]
fn it_is_kept_while_nobody_claims_it() {
    let server = with_module(TempDir::new(), &[]);
    fill(&mut server.connect());
    assert_wire(&mut server.connect(), &["SAVE"], b"+OK\r\n");
    let folder = server.end("KILL");
    let path = module(&folder);
    let server = Server::within(folder, &ALLOWED);
    let mut client = server.connect();
    assert_wire(&mut client, &["DEBUG", "RELOAD", "NOFLUSH"], b"+OK\r\n");
    for _ in 0..2 {
        assert_wire(&mut client, &["MODULE", "LOAD", &path], b"+OK\r\n");
        assert_shows(&mut client, FILLED);
        assert_wire(&mut client, &["MODULE", "REPLACE", "sections", &path], b"+OK\r\n");
        assert_shows(&mut client, FILLED);
        wait_until("the first is gone", || client.text(&["MODULE", "UNLOAD", "sections"]) == "OK");
        assert_wire(&mut client, &["DEBUG", "RELOAD"], b"+OK\r\n");
    }
}

#[test]
fn an_append_only_file_has_it_as_commands_or_with_a_preamble() {
    for argument in ["loud", "mute"] {
        let folder = TempDir::new();
        let path = module(&folder);
        let options = ["--appendonly", "yes", "--aof-use-rdb-preamble", "no", "--loadmodule", &path, argument];
        let server = Server::within(folder, &[&ALLOWED[..], &options].concat());
        let mut client = server.connect();
        fill(&mut client);
        assert_wire(&mut client, &["SET", "k", "v"], b"+OK\r\n");
        assert_wire(&mut client, &["BGREWRITEAOF"], b"+Background append only file rewriting started\r\n");
        wait_until("it is rewritten", || client.info("persistence", "aof_rewrite_in_progress").as_deref() == Some("0"));
        let folder = server.end("KILL");
        let names: Vec<String> = std::fs::read_dir(folder.file("appendonlydir"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        let ending = if argument == "mute" { ".base.rdb" } else { ".base.aof" };
        assert!(names.iter().any(|name| name.ends_with(&format!("2{ending}"))), "{names:?}");
        let server = Server::within(folder, &[&ALLOWED[..], &options].concat());
        let mut client = server.connect();
        assert_shows(&mut client, FILLED);
        assert_wire(&mut client, &["GET", "k"], b"$1\r\nv\r\n");
    }
}

#[test]
fn what_a_module_does_not_take_or_give_is_said() {
    let server = with_module(TempDir::new(), &[]);
    let mut client = server.connect();
    assert_wire(&mut client, &["SECTIONS.ADD", "broken"], b"+OK\r\n");
    let refused = client.text(&["SAVE"]);
    assert!(refused.contains("module 'sections', functions: status 12"), "{refused}");
    let server = with_module(server.end("KILL"), &[]);
    let mut client = server.connect();
    assert_wire(&mut client, &["SECTIONS.ADD", "bad"], b"+OK\r\n");
    assert_wire(&mut client, &["SAVE"], b"+OK\r\n");
    let folder = server.end("KILL");
    let path = module(&folder);
    let dir = folder.path().display().to_string();
    let arguments =
        ["--dir", &dir, "--port", "0", "--module-exclude", "scripting", "--loadmodule", &path].map(str::to_owned);
    let finished = server::run_to_end(&arguments);
    assert_eq!(finished.code, Some(1), "{}", finished.output);
    assert!(finished.output.contains("module 'sections', functions: ERR this is no library"), "{}", finished.output);
    // Without the module it is kept, and it is kept as well when the module does not take it.
    let server = Server::within(folder, &ALLOWED);
    let mut client = server.connect();
    assert_wire(&mut client, &["MODULE", "LOAD", &path], b"+OK\r\n");
    server.wait_for_log("A library of functions that is kept cannot be loaded");
    assert_shows(&mut client, "| ");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "sections"], b"+OK\r\n");
    assert_wire(&mut client, &["SAVE"], b"+OK\r\n");
    let file = std::fs::read(server.folder().file("dump.rdb")).unwrap();
    assert!(file.windows(5).any(|bytes| bytes == [245, 3, b'b', b'a', b'd']), "kept, once more");
}
