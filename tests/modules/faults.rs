//! Faulty modules: each is refused with a clear error, and leaves nothing.

use crate::{assert_refused, fault, registered};
use plinth_testkit::{Server, TempDir, assert_wire, build, cc};

/// Load a faulty module in C, and read why not.
#[track_caller]
fn assert_fault(name: &str, expected: &str) {
    let folder = TempDir::new();
    let path = fault(&folder, name, &[]);
    assert_refused(&Server::start(), &["MODULE", "LOAD", &path], expected);
}

#[test]
fn a_file_that_is_not_there_is_refused() {
    assert_refused(&Server::start(), &["MODULE", "LOAD", "/nowhere/absent.so"], "No such file");
}

#[test]
fn a_text_file_is_refused() {
    let folder = TempDir::new();
    let path =
        folder.write("text.so", "This is not a shared library, and it is longer than an ELF header is.\n".repeat(9));
    assert_refused(&Server::start(), &["MODULE", "LOAD", &path], "cannot open it as a shared library");
}

#[test]
fn an_empty_file_and_a_folder_are_refused() {
    let folder = TempDir::new();
    let server = Server::start();
    let path = folder.write("empty.so", "");
    assert_refused(&server, &["MODULE", "LOAD", &path], "cannot open it as a shared library");
    let path = folder.path().display().to_string();
    assert_refused(&server, &["MODULE", "LOAD", &path], "cannot open it as a shared library");
}

#[test]
fn a_library_without_the_entry_is_refused() {
    assert_fault("no_entry", "does not export 'plinth_module_entry'");
}

#[test]
fn an_entry_with_another_magic_is_refused() {
    assert_fault("wrong_magic", "begins with 0x464c457f instead of 0x544e4c50");
}

#[test]
fn a_module_for_another_major_version_is_refused() {
    assert_fault("other_major", "it was built for ABI 2.0, and this server offers 1.0");
}

#[test]
fn a_module_for_a_later_minor_version_is_refused() {
    assert_fault("newer_minor", "it was built for ABI 1.1, and this server offers 1.0");
}

#[test]
fn a_missing_service_is_named() {
    assert_fault("missing_service", "it requires the service 'com.example.absent/3'");
}

#[test]
fn an_entry_that_is_too_short_is_refused() {
    assert_fault("small_entry", "its entry has 48 bytes");
}

#[test]
fn a_struct_that_is_too_short_is_named() {
    assert_fault("small_command", "command 'fault.run' has a struct of 40 bytes");
}

#[test]
fn a_command_that_exists_is_named_with_its_owner() {
    assert_fault("duplicate_command", "the command 'ping' exists already, from 'core'");
}

#[test]
fn a_command_that_is_brought_twice_is_named() {
    assert_fault("command_twice", "the command 'fault.run' exists already");
}

#[test]
fn a_name_that_cannot_be_one_is_refused() {
    assert_fault("bad_name", "'config|get' is not a valid name for a command");
    assert_fault("bad_category", "'@read' is not a valid name for an ACL category");
}

#[test]
fn more_acl_categories_than_there_are_bits_are_refused() {
    let folder = TempDir::new();
    let server = Server::start();
    let path = fault(&folder, "bad_category", &["-DMANY"]);
    assert_refused(&server, &["MODULE", "LOAD", &path], "more ACL categories than the 48 there can be");
}

#[test]
fn a_command_that_nothing_runs_is_refused() {
    let (folder, server) = (TempDir::new(), Server::start());
    for (flags, name) in [(&[][..], "fault.run"), (&["-DSUBCOMMAND"], "fault.run|sub")] {
        let path = fault(&folder, "idle_command", flags);
        let expected = format!("command '{name}' has neither a function nor subcommands");
        assert_refused(&server, &["MODULE", "LOAD", &path], &expected);
    }
}

#[test]
fn a_type_a_service_or_a_section_without_what_makes_it_one_is_refused() {
    let (folder, server) = (TempDir::new(), Server::start());
    for (flags, expected) in [
        (&["-Wno-unused"][..], "type 'com.example.fault' has no save"),
        (&["-Wno-unused", "-DSERVICE"], "service 'com.example.fault/1' has no table"),
        (&["-Wno-unused", "-DSECTION", "-O1"], "section 'half' has no write"),
    ] {
        let path = fault(&folder, "no_save", flags);
        assert_refused(&server, &["MODULE", "LOAD", &path], expected);
    }
}

#[test]
fn a_damaged_list_is_refused() {
    assert_fault("damaged_list", "its list of command");
}

#[test]
fn a_type_that_exists_is_named_with_its_owner() {
    let folder = TempDir::new();
    let server = Server::with(&["--loadmodule", &build::library("gauge")]);
    let path = fault(&folder, "duplicate_type", &[]);
    assert_refused(&server, &["MODULE", "LOAD", &path], "the type 'com.example.gauge' exists already, from 'gauge'");
}

#[test]
fn a_module_of_the_same_name_is_refused() {
    let folder = TempDir::new();
    let server = Server::with(&["--loadmodule", &build::library("gauge")]);
    let path = cc::module(&folder, "examples/gauge-c/gauge.c", &[]);
    assert_refused(&server, &["MODULE", "LOAD", &path], "a module named 'gauge' is loaded already");
}

#[test]
fn other_rust_layouts_are_refused_and_the_report_is_logged() {
    let server = Server::start();
    let path = build::library("bad-layout");
    assert_refused(&server, &["MODULE", "LOAD", &path], "compiled against other struct layouts");
    // abi_stable's own words, with the name of the struct that differs.
    server.wait_for_log("layouts differ");
    server.wait_for_log("Everything");
}

#[test]
fn a_start_that_fails_half_way_leaves_nothing() {
    let folder = TempDir::new();
    let server = Server::start();
    let path = fault(&folder, "half_started", &[]);
    for _ in 0..3 {
        assert_refused(&server, &["MODULE", "LOAD", &path], "its start failed: ERR the tank is empty");
    }
    let path = fault(&folder, "half_started", &["-DUNSUPPORTED"]);
    let expected = "its start failed: ERR 'start' asks for a service or type that is not there";
    assert_refused(&server, &["MODULE", "LOAD", &path], expected);
    // Its timer was due, its hook was for changes of parameters and keys: neither is called, as the
    // library is unmapped.
    let mut client = server.connect();
    assert_wire(&mut client, &["CONFIG", "SET", "timeout", "0"], b"+OK\r\n");
    assert_wire(&mut client, &["SET", "k", "v"], b"+OK\r\n");
    // The server itself sees the time of the timer go by.
    assert_wire(&mut client, &["BLPOP", "absent", "0.02"], b"*-1\r\n");
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
    assert_wire(&mut client, &["CONFIG", "GET", "fault.*"], b"*0\r\n");
}

#[test]
fn a_parameter_that_refuses_its_value_leaves_nothing() {
    let folder = TempDir::new();
    let server = Server::start();
    let path = fault(&folder, "half_started", &["-DBAD_DEFAULT"]);
    assert_refused(&server, &["MODULE", "LOAD", &path], "parameter 'fault.limit': ERR no value is good enough");
    let path = fault(&folder, "half_started", &[]);
    let load = ["MODULE", "LOADEX", &path, "CONFIG", "fault.limit", "11"];
    assert_refused(&server, &load, "argument must be between 0 and 10 inclusive");
    let load = ["MODULE", "LOADEX", &path, "CONFIG", "fault.other", "1"];
    assert_refused(&server, &load, "the module has no parameter 'fault.other'");
}

#[test]
fn a_fault_at_start_ends_the_server_with_the_reason() {
    let folder = TempDir::new();
    let path = fault(&folder, "wrong_magic", &[]);
    let finished = plinth_testkit::server::run_to_end(&["--port", "0", "--loadmodule", &path]);
    assert_eq!(finished.code, Some(1));
    assert!(finished.output.contains("Can't load module from"), "{}", finished.output);
    assert!(finished.output.contains("not a Plinth module"), "{}", finished.output);
}

#[test]
fn a_module_that_failed_can_be_loaded_after_its_want_is_met() {
    let server = Server::start();
    let mut client = server.connect();
    let before = registered(&mut client);
    let (service, user) = (build::library("counter-service"), build::library("counter-user"));
    assert_refused(&server, &["MODULE", "LOAD", &user], "com.example.counter/1");
    assert_wire(&mut client, &["MODULE", "LOAD", &service], b"+OK\r\n");
    assert_wire(&mut client, &["MODULE", "LOAD", &user], b"+OK\r\n");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "ticket"], b"+OK\r\n");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "counter"], b"+OK\r\n");
    assert_eq!(registered(&mut client), before);
}
