//! What is published of a change to a hash, what is passed on to replicas, and what other modules see.

#![deny(unsafe_code)]
#![allow(missing_docs, clippy::unwrap_used)]

use plinth_hash::plinth_module_entry;
use plinth_module::abi;
use plinth_module::hash::{HashScratch, Hashes};
use plinth_module::prelude::*;
use plinth_testbed::Testbed;
use std::ops::ControlFlow;

static HASHES: Hashes = Hashes::new();

/// Answers with the number of fields, one of them, and the sum of all lengths.
fn lend(call: &mut Call<'_>) -> Result {
    HASHES.resolve(call)?;
    let key = call.args.bytes(1);
    let len = HASHES.len(&mut call.keys, key)?;
    let value = HASHES.get(&mut call.keys, key, call.args.bytes(2), &mut HashScratch::default())?.map(<[u8]>::to_vec);
    let mut sum = 0;
    let found = HASHES.visit(&mut call.keys, key, |field, value| {
        sum += field.len() + value.len();
        ControlFlow::Continue(())
    })?;
    call.reply
        .bulk(format!("{len:?} {:?} {found} {sum}", value.map(|value| String::from_utf8_lossy(&value).into_owned())));
    Ok(())
}

fn give(call: &mut Call<'_>) -> Result {
    HASHES.resolve(call)?;
    HASHES.set(&mut call.keys, call.args.bytes(1), call.args.bytes(2), call.args.bytes(3))?;
    call.reply.ok();
    Ok(())
}

/// The module that uses the service. `export!` makes one symbol per binary, and that is the tested
/// module's: what every Rust module has in its entry is taken from there.
static OTHER: abi::entry::Module = abi::entry::Module {
    name: text("other"),
    types: list(&[]),
    commands: list(&[
        Command { name: text("lend"), arity: 3, flags: COMMAND_READONLY, run: run_command(lend), ..Command::NEW },
        Command { name: text("give"), arity: 4, flags: COMMAND_WRITE, run: run_command(give), ..Command::NEW },
    ]),
    provides: list(&[]),
    configs: list(&[]),
    ..plinth_module_entry
};

const fn run_command(handler: plinth_module::command::HandlerFn) -> Handler {
    plinth_module::command::run(handler)
}

#[test]
fn other_modules_reach_hashes_through_the_service() {
    let mut host = host();
    host.load(&OTHER, &[] as &[&str]).unwrap();
    assert_eq!(run(&mut host, "LEND h a"), b"$17\r\nNone None false 0\r\n");
    assert_eq!(run(&mut host, "GIVE h a 123456"), b"+OK\r\n");
    assert_eq!(host.take_event_names(), ["hset"]);
    assert_eq!(run(&mut host, "LEND h a"), b"$29\r\nSome(1) Some(\"123456\") true 7\r\n");
    for number in 0..600 {
        run(&mut host, &format!("GIVE h {number} {number}"));
    }
    assert!(run(&mut host, "LEND h 599").starts_with(b"$31\r\nSome(601) Some(\"599\") true "));
    assert!(run(&mut host, "LEND h none").starts_with(b"$24\r\nSome(601) None true "));
    run(&mut host, "HPEXPIRE h 5 FIELDS 1 a");
    host.advance_ms(6);
    passed_on(&mut host);
    run(&mut host, "GIVE h a 9");
    assert_eq!(passed_on(&mut host), ["HDEL h a", "GIVE h a 9"], "a field that has expired goes first");
}

fn host() -> Testbed {
    Testbed::new(&plinth_module_entry).unwrap()
}

fn run(host: &mut Testbed, command: &str) -> Vec<u8> {
    host.run(&command.split(' ').collect::<Vec<_>>())
}

/// What was passed on, as lines.
fn passed_on(host: &mut Testbed) -> Vec<String> {
    let commands = host.take_propagated();
    let line = |args: Vec<Vec<u8>>| args.iter().map(|arg| String::from_utf8_lossy(arg)).collect::<Vec<_>>().join(" ");
    commands.into_iter().map(line).collect()
}

#[test]
fn every_change_publishes_what_redis_publishes() {
    let mut host = host();
    for (command, events) in [
        ("HSET h a 1 b 2 c 3 d 4", &["hset"][..]),
        ("HSET h a 1", &["hset"]),
        ("HSETNX h a 1", &[]),
        ("HINCRBY h a 1", &["hincrby"]),
        ("HINCRBYFLOAT h a 1", &["hincrbyfloat"]),
        ("HEXPIRE h 100 FIELDS 2 a b", &["hexpire"]),
        ("HEXPIRE h 100 NX FIELDS 2 a b", &[]),
        ("HPERSIST h FIELDS 2 a b", &["hpersist"]),
        ("HPERSIST h FIELDS 2 a b", &[]),
        ("HGETEX h FIELDS 1 a", &[]),
        ("HGETEX h EX 100 FIELDS 1 a", &["hexpire"]),
        ("HGETEX h PERSIST FIELDS 1 a", &["hpersist"]),
        ("HGETEX h EXAT 1 FIELDS 1 a", &["hdel"]),
        ("HSETEX h FIELDS 1 a 1", &["hset"]),
        ("HSETEX h EX 100 FIELDS 1 a 1", &["hset", "hexpire"]),
        ("HSETEX h EXAT 1 FIELDS 1 a 1", &["hset", "hdel"]),
        ("HGETDEL h FIELDS 2 b none", &["hdel"]),
        ("HDEL h none", &[]),
        ("HDEL h c", &["hdel"]),
        ("HEXPIRE h 0 FIELDS 1 d", &["hdel", "del"]),
    ] {
        run(&mut host, command);
        assert_eq!(host.take_event_names(), events, "{command}");
    }
    assert!(!host.has("h"));
}

#[test]
fn what_depends_on_the_clock_is_passed_on_as_what_does_not() {
    let mut host = host();
    run(&mut host, "HSET h a 1 b 2");
    passed_on(&mut host);
    let at = host.now_ms() + 100_000;
    for (command, expected) in [
        ("HEXPIRE h 100 FIELDS 2 a none".to_owned(), vec![format!("HPEXPIREAT h {at} FIELDS 1 a")]),
        ("HGETEX h EX 100 FIELDS 1 b".to_owned(), vec![format!("HPEXPIREAT h {at} FIELDS 1 b")]),
        ("HINCRBYFLOAT h a 1.5".to_owned(), vec!["HSETEX h KEEPTTL FIELDS 1 a 2.5".to_owned()]),
        ("HGETEX h PERSIST FIELDS 1 b".to_owned(), vec!["HPERSIST h FIELDS 1 b".to_owned()]),
        ("HSETEX h EX 100 FIELDS 1 c 3".to_owned(), vec!["HSET h c 3".into(), format!("HPEXPIREAT h {at} FIELDS 1 c")]),
        ("HEXPIRE h 0 FIELDS 1 c".to_owned(), vec!["HDEL h c".to_owned()]),
        ("HGETDEL h FIELDS 1 b".to_owned(), vec!["HDEL h b".to_owned()]),
    ] {
        run(&mut host, &command);
        assert_eq!(passed_on(&mut host), expected, "{command}");
    }
}

/// Each command meets `a`, which has expired; what is passed on when the hash is small, and when it is large: a
/// small one loses all such fields at once, a large one those that the command names.
#[test]
fn a_field_found_expired_is_passed_on_as_removed_first() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        ("HINCRBY h a 7", &["HDEL h a", "HINCRBY h a 7"], &["HDEL h a", "HINCRBY h a 7"]),
        ("HINCRBY h b 7", &["HDEL h a", "HINCRBY h b 7"], &["HINCRBY h b 7"]),
        ("HINCRBY h c 7", &["HDEL h a"], &[]),
        ("HINCRBYFLOAT h a 1.5", &["HDEL h a", "HSET h a 1.5"], &["HDEL h a", "HSET h a 1.5"]),
        ("HINCRBYFLOAT h c 1.5", &["HDEL h a"], &[]),
        ("HSET h a 9", &["HDEL h a", "HSET h a 9"], &["HDEL h a", "HSET h a 9"]),
        ("HMSET h a 9", &["HDEL h a", "HMSET h a 9"], &["HDEL h a", "HMSET h a 9"]),
        ("HSETNX h a 9", &["HDEL h a", "HSETNX h a 9"], &["HDEL h a", "HSETNX h a 9"]),
        ("HSETNX h b 9", &["HDEL h a", "HSETNX h b 9"], &[]),
        ("HDEL h a", &["HDEL h a", "HDEL h a"], &["HDEL h a", "HDEL h a"]),
        ("HDEL h b", &["HDEL h a", "HDEL h b"], &["HDEL h b"]),
        ("HGETDEL h FIELDS 1 a", &["HDEL h a"], &["HDEL h a"]),
        ("HGETDEL h FIELDS 2 a b", &["HDEL h a", "HDEL h b"], &["HDEL h a", "HDEL h b"]),
        ("HGETEX h FIELDS 2 a b", &["HDEL h a"], &[]),
        ("HGETEX h PERSIST FIELDS 2 a d", &["HDEL h a", "HPERSIST h FIELDS 1 d"], &["HPERSIST h FIELDS 1 d"]),
        ("HPERSIST h FIELDS 2 a d", &["HDEL h a", "HPERSIST h FIELDS 1 d"], &["HPERSIST h FIELDS 1 d"]),
        ("HEXPIRE h 0 FIELDS 2 a b", &["HDEL h a", "HDEL h b"], &["HDEL h b"]),
        ("HSETEX h FNX FIELDS 1 a 9", &["HDEL h a", "HSET h a 9"], &["HDEL h a", "HSET h a 9"]),
        ("HSETEX h KEEPTTL FIELDS 1 a 9", &["HDEL h a", "HSET h a 9"], &["HDEL h a", "HSET h a 9"]),
        ("HSETEX h EXAT 1 FIELDS 1 a 9", &["HDEL h a", "HDEL h a"], &["HDEL h a", "HDEL h a"]),
        ("HGET h a", &[], &[]),
        ("HMGET h a b", &[], &[]),
        ("HTTL h FIELDS 1 a", &[], &[]),
        ("HSCAN h 0", &[], &[]),
    ];
    let mut host = host();
    for (number, (command, small, large)) in cases.iter().enumerate() {
        for (size, expected) in [("small", small), ("large", large)] {
            let key = format!("{size}{number}");
            let named = |line: &str| line.replacen(" h ", &format!(" {key} "), 1);
            run(&mut host, &named("HSET h a 1 b 2 c x d 4"));
            if size == "large" {
                let fields: Vec<String> = (0..600).map(|field| format!("f{field} 1")).collect();
                run(&mut host, &named(&format!("HSET h {}", fields.join(" "))));
            }
            run(&mut host, &named("HEXPIRE h 100 FIELDS 1 d"));
            run(&mut host, &named("HPEXPIRE h 5 FIELDS 1 a"));
            // The timer comes 10 ms after at the earliest.
            host.advance_ms(6);
            passed_on(&mut host);
            run(&mut host, &named(command));
            let expected: Vec<String> = expected.iter().map(|line| named(line)).collect();
            assert_eq!(passed_on(&mut host), expected, "{command}, {size}");
            host.advance_ms(200);
        }
    }
}

#[test]
fn a_hash_whose_last_field_is_found_expired_is_passed_on_without_it() {
    let mut host = host();
    for (key, command, expected) in [
        ("one", "HINCRBY one a 7", &["HDEL one a", "HINCRBY one a 7"][..]),
        ("two", "HGETDEL two FIELDS 1 a", &["HDEL two a"]),
        ("three", "HEXPIRE three 100 FIELDS 1 a", &["HDEL three a"]),
    ] {
        run(&mut host, &format!("HSET {key} a 1"));
        run(&mut host, &format!("HPEXPIRE {key} 5 FIELDS 1 a"));
        host.advance_ms(6);
        passed_on(&mut host);
        run(&mut host, command);
        assert_eq!(passed_on(&mut host), expected, "{command}");
        assert_eq!(host.has(key), key == "one");
        host.advance_ms(200);
    }
}

#[test]
fn fields_that_the_timer_removes_are_passed_on_together() {
    let mut host = host();
    // As many as the timer looks at in one turn.
    for count in [3, 300] {
        let fields: Vec<String> = (0..count).map(|field| format!("f{field} 1")).collect();
        run(&mut host, &format!("HSET h {}", fields.join(" ")));
        run(&mut host, "HPEXPIRE h 5 FIELDS 2 f0 f1");
        passed_on(&mut host);
        host.advance_ms(200);
        let told = passed_on(&mut host);
        assert!(told == ["HDEL h f0 f1"] || told == ["HDEL h f1 f0"], "{told:?}");
        run(&mut host, "DEL h");
    }
}

#[test]
fn expired_fields_are_removed_by_the_timer_and_announced() {
    let mut host = host();
    run(&mut host, "HSET h a 1 b 2");
    run(&mut host, "HPEXPIRE h 50 FIELDS 1 a");
    run(&mut host, "HSET gone a 1");
    run(&mut host, "HPEXPIRE gone 50 FIELDS 1 a");
    host.take_event_names();
    host.advance_ms(200);
    let mut events = host.take_event_names();
    events.sort();
    assert_eq!(events, ["del", "hexpired", "hexpired"]);
    assert!(!host.has("gone"));
    assert_eq!(run(&mut host, "HLEN h"), b":1\r\n");
}

#[test]
fn a_write_meets_expired_fields_as_absent() {
    let mut host = host();
    for count in [2, 600] {
        for number in 0..count {
            run(&mut host, &format!("HSET h f{number} 1"));
        }
        run(&mut host, "HPEXPIRE h 5 FIELDS 2 f0 f1");
        host.take_event_names();
        host.advance_ms(6);
        assert_eq!(run(&mut host, "HSET h f0 2 new 1"), b":2\r\n");
        assert!(host.take_event_names().ends_with(&["hset".to_owned()]));
        assert_eq!(run(&mut host, "HINCRBY h f1 7"), b":7\r\n");
        run(&mut host, "HDEL h f0 f1 new");
        for number in 2..count {
            run(&mut host, &format!("HDEL h f{number}"));
        }
        assert!(!host.has("h"));
    }
}

#[test]
fn a_saved_hash_is_loaded_as_it_was() {
    let mut host = host();
    for (count, deadlines) in [(4, 0), (4, 2), (600, 0), (600, 100)] {
        for number in 0..count {
            run(&mut host, &format!("HSET h f{number} v{number}"));
        }
        for number in 0..deadlines {
            run(&mut host, &format!("HEXPIRE h {} FIELDS 1 f{number}", 100 + number));
        }
        let before = run(&mut host, "HPEXPIRETIME h FIELDS 3 f0 f1 f3");
        host.save_and_load("h").unwrap();
        assert_eq!(run(&mut host, "HPEXPIRETIME h FIELDS 3 f0 f1 f3"), before);
        assert_eq!(run(&mut host, "HLEN h"), format!(":{count}\r\n").into_bytes());
        assert_eq!(run(&mut host, "HGET h f3"), b"$2\r\nv3\r\n");
        for number in 0..count {
            run(&mut host, &format!("HDEL h f{number}"));
        }
    }
}
