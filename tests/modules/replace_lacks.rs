//! MODULE REPLACE by a module that has less than the one before.

use crate::registered;
use crate::replace::wait_until_replaced;
use plinth_testkit::{Server, TempDir, assert_wire, build, cc};

fn part(folder: &TempDir, flags: &[&str]) -> String {
    cc::module(folder, "tests/modules/libraries/part.c", flags)
}

#[test]
fn a_module_that_lacks_a_type_or_a_command_takes_no_place_unless_forced_to() {
    let folder = TempDir::new();
    let server = Server::with(&["--loadmodule", &part(&folder, &[])]);
    let mut client = server.connect();
    let smaller = part(&folder, &["-DSMALLER"]);
    let before = registered(&mut client);
    let said = client.text(&["MODULE", "REPLACE", "part", &smaller]);
    assert!(said.contains("it lacks the type 'com.example.part', which FORCE gives up"), "{said}");
    assert_eq!(registered(&mut client), before);
    assert_wire(&mut client, &["PART.MORE"], b":101\r\n");
    assert_wire(&mut client, &["MODULE", "REPLACE", "FORCE", "part", &smaller], b"+OK\r\n");
    wait_until_replaced(&mut client);
    let said = client.text(&["PART.MORE"]);
    assert!(said.starts_with("ERR unknown command"), "{said}");
    assert_wire(&mut client, &["PART.BUILD"], b":1\r\n");
    // The other way round nothing is lacking.
    assert_wire(&mut client, &["MODULE", "REPLACE", "part", &part(&folder, &[])], b"+OK\r\n");
}

#[test]
fn a_mixed_up_path_does_not_take_the_commands_away() {
    let server = Server::with(&["--loadmodule", &build::library("gauge")]);
    let mut client = server.connect();
    let hello = build::library("hello");
    let said = client.text(&["MODULE", "REPLACE", "gauge", &hello]);
    assert!(said.contains("it lacks the type 'com.example.gauge'"), "{said}");
    assert_wire(&mut client, &["GAUGE.PUSH", "k", "1"], b":1\r\n");
    // Values are never given up.
    let said = client.text(&["MODULE", "REPLACE", "FORCE", "gauge", &hello]);
    assert!(said.contains("it lacks the type 'com.example.gauge', of which there are 1 values"), "{said}");
    let said = client.text(&["MODULE", "REPLACE", "FORCE", "gauge"]);
    assert!(said.starts_with("ERR wrong number of arguments"), "{said}");
}
