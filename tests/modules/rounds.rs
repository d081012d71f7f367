//! Loading and unloading again and again: what a process has must not grow, or INFO says what does.
//!
//! A few dozen rounds with every run of the tests; `cargo xtask rounds` has thousands.

use plinth_testkit::{Client, Server, TempDir, assert_wire, build, cc};

/// Rounds before what is there counts as what there has to be.
const FIRST: usize = 8;
/// Growth of memory that is no module's, in KiB, over all rounds: what the allocator and the C library
/// keep, such as their tables of libraries.
const KIB_MAX: u64 = 1024;

fn rounds() -> usize {
    std::env::var("PLINTH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(40)
}

/// What a server has that could grow.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Held {
    mappings: usize,
    kib: u64,
    keys: u64,
    /// Libraries that stayed mapped, as INFO says.
    stayed: u64,
}

fn held(server: &Server, client: &mut Client) -> Held {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("it runs");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the kernel says");
    let number = |text: &str| -> u64 {
        let digits: String =
            text.chars().skip_while(|one| !one.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        digits.parse().expect("a number")
    };
    Held {
        mappings: server.mapped().iter().filter(|path| path.contains("/plinth-modules-")).count(),
        kib: number(resident),
        keys: number(&client.info("modules", "plinth_thread_keys").expect("INFO tells")),
        stayed: client.info("modules", "plinth_still_mapped").map_or(0, |said| number(&said)),
    }
}

/// Have a step done again and again; what the server has then, against what it had after the first rounds.
fn repeat(name: &str, server: &Server, count: usize, mut step: impl FnMut(&mut Client)) -> (Held, Held) {
    let mut client = server.connect();
    (0..FIRST).for_each(|_| step(&mut client));
    let before = held(server, &mut client);
    (0..count).for_each(|_| step(&mut client));
    let after = held(server, &mut client);
    println!("{name}: {count} rounds, {before:?} before and {after:?} after");
    (before, after)
}

fn cycle(path: &str, name: &str, command: &str) -> impl FnMut(&mut Client) {
    move |client| {
        assert_wire(client, &["MODULE", "LOAD", path], b"+OK\r\n");
        assert!(!client.text(&[command, "k", "1"]).starts_with("ERR unknown command"));
        assert_wire(client, &["DEL", "k"], if command == "GAUGE.PUSH" { b":1\r\n" } else { b":0\r\n" });
        assert_wire(client, &["MODULE", "UNLOAD", name], b"+OK\r\n");
    }
}

fn succession(paths: [String; 2], name: &'static str) -> impl FnMut(&mut Client) {
    let mut at = 0;
    move |client| {
        at += 1;
        assert_wire(client, &["MODULE", "REPLACE", name, &paths[at % 2]], b"+OK\r\n");
        crate::replace::wait_until_replaced(client);
    }
}

#[track_caller]
fn assert_flat((before, after): (Held, Held)) {
    assert_eq!((after.mappings, after.keys, after.stayed), (before.mappings, before.keys, before.stayed));
    assert!(after.kib <= before.kib + KIB_MAX, "{before:?} became {after:?}");
}

/// A module in each language, as its author is told to build it.
fn modules(folder: &TempDir) -> [(String, &'static str, &'static str); 3] {
    [
        (build::library("gauge"), "gauge", "GAUGE.PUSH"),
        (cc::module(folder, "tests/modules/libraries/part.c", &[]), "part", "PART.BUILD"),
        (cc::module(folder, "tests/modules/libraries/shared.cpp", &["-fno-gnu-unique"]), "shared", "SHARED.SUM"),
    ]
}

#[test]
fn rounds_of_load_and_unload_leave_nothing() {
    let folder = TempDir::new();
    let server = Server::start();
    for (path, name, command) in modules(&folder) {
        assert_flat(repeat(&format!("load and unload of {name}"), &server, rounds(), cycle(&path, name, command)));
    }
}

#[test]
fn rounds_of_replace_leave_nothing() {
    let folder = TempDir::new();
    let server = Server::start();
    for (path, name, _) in modules(&folder) {
        assert_wire(&mut server.connect(), &["MODULE", "LOAD", &path], b"+OK\r\n");
        let step = succession([path.clone(), path], name);
        assert_flat(repeat(&format!("replace of {name}"), &server, rounds(), step));
        assert_wire(&mut server.connect(), &["MODULE", "UNLOAD", name], b"+OK\r\n");
    }
}

#[test]
fn rounds_of_what_stays_mapped_are_counted_and_end_before_the_process_does() {
    let folder = TempDir::new();
    let server = Server::start();
    let count = rounds();
    // The first build has the unique variables; those after it use them, and go.
    let cpp = cc::module(&folder, "tests/modules/libraries/shared.cpp", &[]);
    let (before, after) = repeat("a build in C++ that stays", &server, count, cycle(&cpp, "shared", "SHARED.SUM"));
    assert_eq!(after.stayed, 1);
    assert_flat((before, after));
    // A key of threads for each load, until there are few.
    let mut client = server.connect();
    let threaded = build::library("threaded");
    let mut loads = 0;
    while loads < count {
        let said = client.text(&["MODULE", "LOAD", &threaded]);
        if said.contains("keys of threads left") {
            break;
        }
        assert_eq!(said, "OK", "after {loads}");
        assert_wire(&mut client, &["MODULE", "UNLOAD", "threaded"], b"+OK\r\n");
        loads += 1;
    }
    let last = held(&server, &mut client);
    println!("a module that takes a key: {loads} loads, {last:?}");
    assert_eq!(last.stayed, after.stayed + loads as u64);
    assert!(last.mappings > after.mappings && last.keys > after.keys, "{last:?}");
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
}
