//! What commands say besides their replies: events, what is passed on to replicas, and what another
//! module sees through the service.

#![deny(unsafe_code)]
#![allow(missing_docs, clippy::unwrap_used)]

use plinth_module::abi;
use plinth_module::prelude::*;
use plinth_module::set::Sets;
use plinth_testbed::Testbed;

static SETS: Sets = Sets::new();

/// `LEND key member`: the length, whether the member is there, and up to three members.
fn lend(call: &mut Call<'_>) -> Result {
    SETS.resolve(call)?;
    let (key, member) = (call.args.bytes(1), call.args.bytes(2));
    let len = SETS.len(&mut call.keys, key)?;
    let contains = SETS.contains(&mut call.keys, key, member)?;
    let mut some = Vec::new();
    let found = SETS.visit(&mut call.keys, key, |member| {
        some.push(String::from_utf8_lossy(member).into_owned());
        some.len() < 3
    })?;
    assert_eq!(found, len.is_some());
    call.reply.bulk(format!("{len:?} {contains} {}", some.join(",")));
    Ok(())
}

/// The module that uses the service; see the same in the tests of strings.
static OTHER: abi::entry::Module = abi::entry::Module {
    name: text("other"),
    types: list(&[]),
    configs: list(&[]),
    commands: list(&[Command { name: text("lend"), arity: 3, run: run(lend), ..Command::NEW }]),
    provides: list(&[]),
    ..plinth_set::plinth_module_entry
};

fn host() -> Testbed {
    let mut host = Testbed::new(&plinth_set::plinth_module_entry).unwrap();
    host.load(&OTHER, &[] as &[&str]).unwrap();
    host
}

fn ask(host: &mut Testbed, line: &str) -> String {
    let args: Vec<&str> = line.split(' ').collect();
    String::from_utf8_lossy(&host.run(&args)).into_owned()
}

fn propagated(host: &mut Testbed) -> Vec<String> {
    let show = |args: Vec<Vec<u8>>| -> String {
        args.iter().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect::<Vec<_>>().join(" ")
    };
    host.take_propagated().into_iter().map(show).collect()
}

#[test]
fn every_change_is_announced_and_nothing_else_is() {
    let mut host = host();
    for (line, events) in [
        ("SADD s a b c 1", "sadd"),
        ("SADD s a", ""),
        ("SREM s x", ""),
        ("SREM s a", "srem"),
        ("SMOVE s t x", ""),
        ("SMOVE s t b", "srem sadd"),
        ("SMOVE s s c", ""),
        ("SADD u c", "sadd"),
        ("SMOVE s u c", "srem"),
        ("SINTERSTORE d s s", "sinterstore"),
        ("SINTERSTORE d s none", "del"),
        ("SINTERSTORE d s none", ""),
        ("SUNIONSTORE d s t", "sunionstore"),
        ("SDIFFSTORE d d t", "sdiffstore"),
        ("SREM t b", "srem del"),
        ("SPOP s 5", "spop del"),
        ("SPOP u", "spop del"),
        ("SMEMBERS d", ""),
    ] {
        ask(&mut host, line);
        assert_eq!(host.take_event_names().join(" "), events, "{line}");
    }
}

#[test]
fn replicas_are_told_which_members_were_popped() {
    let mut host = host();
    ask(&mut host, "SADD one a");
    propagated(&mut host);
    ask(&mut host, "SPOP one");
    assert_eq!(propagated(&mut host), ["SREM one a"]);
    ask(&mut host, "SADD all a b");
    propagated(&mut host);
    ask(&mut host, "SPOP all 7");
    assert_eq!(propagated(&mut host), ["DEL all"]);
    for (count, popped) in [(3000u32, 10u32), (3000, 2990)] {
        let members: Vec<String> = (0..count).map(|n| format!("m{n}")).collect();
        ask(&mut host, &format!("SADD many {}", members.join(" ")));
        propagated(&mut host);
        ask(&mut host, &format!("SPOP many {popped}"));
        let told = propagated(&mut host);
        let named: usize = told.iter().map(|line| line.split(' ').count() - 2).sum();
        assert!(told.iter().all(|line| line.starts_with("SREM many m")));
        assert_eq!(named as u32, popped);
        assert_eq!(ask(&mut host, "SCARD many"), format!(":{}\r\n", count - popped));
        ask(&mut host, "SPOP many 100000");
        propagated(&mut host);
    }
}

#[test]
fn other_modules_see_sets_in_every_form() {
    let mut host = host();
    assert_eq!(ask(&mut host, "LEND none a"), "$11\r\nNone false \r\n");
    ask(&mut host, "SADD ints 3 1 2");
    assert_eq!(ask(&mut host, "LEND ints 2"), "$18\r\nSome(3) true 1,2,3\r\n");
    ask(&mut host, "SADD few a 7");
    assert_eq!(ask(&mut host, "LEND few 8"), "$17\r\nSome(2) false a,7\r\n");
    let members: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
    ask(&mut host, &format!("SADD large {}", members.join(" ")));
    assert!(ask(&mut host, "LEND large 999").contains("Some(1000) true "));
}

#[test]
fn without_memory_nothing_is_changed() {
    let mut host = host();
    ask(&mut host, "SADD s a b");
    host.refuse_memory(true);
    assert!(ask(&mut host, "SADD s c").starts_with("-OOM"));
    assert!(ask(&mut host, "SADD new c").starts_with("-OOM"));
    host.refuse_memory(false);
    assert_eq!(ask(&mut host, "SCARD s"), ":2\r\n");
    assert_eq!(ask(&mut host, "SCARD new"), ":0\r\n");
}
