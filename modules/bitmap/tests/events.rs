//! What is published of a change to a bitmap, and what is passed on to replicas; over strings that
//! are not the first-party ones.

#![deny(unsafe_code)]
#![allow(missing_docs, clippy::unwrap_used)]

mod texts;

use texts::{host, run};

#[test]
fn a_change_is_announced_and_nothing_else_is() {
    let mut host = host();
    for (command, events) in [
        ("SETBIT s 1 0", &["setbit"][..]),
        ("SETBIT s 1 0", &[]),
        ("SETBIT s 1 1", &["setbit"]),
        ("SETBIT s 1 1", &[]),
        ("SETBIT s 100 0", &["setbit"]),
        ("SETBIT s 100 0", &[]),
        ("GETBIT s 1", &[]),
        ("BITFIELD s GET u8 0", &[]),
        ("BITFIELD s SET u8 0 97", &["setbit"]),
        ("BITFIELD s SET u8 0 97", &[]),
        ("BITFIELD s INCRBY u8 0 0", &[]),
        ("BITFIELD s OVERFLOW FAIL INCRBY u8 0 300", &[]),
        ("BITFIELD s SET u8 1000 0", &["setbit"]),
        ("BITFIELD s SET u8 0 1 SET u8 1 2 INCRBY u8 8 1", &["setbit"]),
        ("BITFIELD none GET u8 0", &[]),
        ("BITFIELD_RO s GET u8 0", &[]),
        ("BITOP AND d s", &["set"]),
        ("BITOP NOT d s", &["set"]),
        ("BITOP OR d none", &["del"]),
        ("BITOP OR d none", &[]),
        ("BITCOUNT s", &[]),
        ("BITPOS s 1", &[]),
    ] {
        host.take_event_names();
        run(&mut host, command);
        assert_eq!(host.take_event_names(), events, "{command}");
    }
}

#[test]
fn a_string_that_a_failed_operation_lengthens_is_announced() {
    let mut host = host();
    assert_eq!(run(&mut host, "BITFIELD s OVERFLOW FAIL SET u8 0 300"), b"*1\r\n$-1\r\n");
    assert!(host.has("s"));
    assert_eq!(host.take_event_names(), ["setbit"]);
}

#[test]
fn what_changes_something_is_passed_on_as_it_is_and_nothing_else() {
    let mut host = host();
    for (command, is_passed_on) in [
        ("SETBIT s 5 1", true),
        ("SETBIT s 5 1", false),
        ("BITFIELD s GET u8 0", false),
        ("BITFIELD s GET u8 0 INCRBY u8 0 1", true),
        ("BITFIELD s OVERFLOW FAIL INCRBY u8 0 300", false),
        ("BITOP NOT d s", true),
        ("BITOP AND d none", true),
        ("BITOP AND d none", false),
    ] {
        host.take_propagated();
        run(&mut host, command);
        let expected: Vec<Vec<Vec<u8>>> = is_passed_on
            .then(|| command.split(' ').map(|word| word.as_bytes().to_vec()).collect())
            .into_iter()
            .collect();
        assert_eq!(host.take_propagated(), expected, "{command}");
    }
}

#[test]
fn the_bits_are_those_of_whoever_has_strings() {
    let mut host = host();
    run(&mut host, "SETBIT s 7 1");
    run(&mut host, "SETBIT s 15 1");
    assert_eq!(run(&mut host, "BITCOUNT s"), b":2\r\n");
    assert_eq!(run(&mut host, "BITPOS s 1 1"), b":15\r\n");
    assert_eq!(run(&mut host, "BITOP NOT d s"), b":2\r\n");
    assert_eq!(run(&mut host, "BITFIELD d GET u16 0"), format!("*1\r\n:{}\r\n", 0xfefe).into_bytes());
    assert_eq!(host.encoding("d"), host.encoding("s"));
}
