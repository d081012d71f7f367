//! Waiting for keys: a box of slips, taken one at a time, newest first.
#![deny(unsafe_code)]
#![allow(missing_docs)]

use plinth_module::prelude::*;
use plinth_testbed::Testbed;
use std::ffi::CStr;
use std::sync::{Mutex, PoisonError};

static SLIPS: TypeHandle = TypeHandle::new();
static OTHER: TypeHandle = TypeHandle::new();

struct Slips;
struct Other;

macro_rules! bytes_type {
    ($name:ident, $text:literal) => {
        impl InlineType for $name {
            const NAME: &'static CStr = $text;

            fn save(_tag: u32, bytes: &[u8], out: &mut Saver<'_>) {
                out.put(bytes);
            }

            fn load<'l>(from: &'l mut Loader<'_>, _encoding: u32) -> Result<Loaded<'l>> {
                from.bytes().map(|bytes| Loaded::bytes(0, bytes))
            }
        }
    };
}

bytes_type!(Slips, c"slips");
bytes_type!(Other, c"other");

/// Takes a slip of a key, or `None` when there is none.
fn take_slip(call: &mut Call<'_>, key: &[u8]) -> Result<Option<u8>> {
    let Some(mut entry) = call.keys.get_write(&SLIPS, key)? else { return Ok(None) };
    let Some((last, rest)) = entry.bytes().split_last() else { return Ok(None) };
    let (last, left) = (*last, rest.len());
    entry.resize(0, left, false)?;
    if left == 0 {
        call.keys.remove(key, 0)?;
    }
    call.keys.modified(key, EVENT_MODULE, "slips.take");
    Ok(Some(last))
}

fn put_slip(call: &mut Call<'_>, key: &[u8], slip: u8) -> Result {
    let mut bytes = call.keys.get(&SLIPS, key)?.map_or(Vec::new(), |entry| entry.bytes().to_vec());
    bytes.push(slip);
    call.keys.put_bytes(&SLIPS, key, 0, &bytes, 0)?;
    call.keys.modified(key, EVENT_MODULE, "slips.put");
    Ok(())
}

/// SLIPS.PUT key slip
fn put(call: &mut Call<'_>) -> Result {
    put_slip(call, call.args.bytes(1), call.args.bytes(2)[0])?;
    call.reply.ok();
    Ok(())
}

/// SLIPS.OTHER key
fn put_other(call: &mut Call<'_>) -> Result {
    let key = call.args.bytes(1);
    call.keys.put_bytes(&OTHER, key, 0, b"", 0)?;
    call.keys.modified(key, EVENT_MODULE, "slips.other");
    call.reply.ok();
    Ok(())
}

/// SLIPS.TAKE key [key ...] timeout
fn take(call: &mut Call<'_>) -> Result {
    let last = call.args.len() - 1;
    let timeout_ms = block::timeout_ms(call.args.bytes(last)).map_err(|text| call.reply.error(text))?;
    let keys: Vec<&[u8]> = (1..last).map(|at| call.args.bytes(at)).collect();
    for key in &keys {
        if let Some(slip) = take_slip(call, key)? {
            call.reply.bulk([slip]);
            return Ok(());
        }
    }
    if !call.block.may_wait() {
        call.reply.null_array();
        return Ok(());
    }
    call.block.wait(&keys, Wait { of: Some(&SLIPS), timeout_ms, reply: WaitReply::NullArray, ..Wait::NEW })
}

/// SLIPS.PASS from to: waits for ever.
fn pass(call: &mut Call<'_>) -> Result {
    let (from, to) = (call.args.bytes(1), call.args.bytes(2));
    let Some(slip) = take_slip(call, from)? else {
        return call.block.wait(&[from], Wait { of: Some(&SLIPS), ..Wait::NEW });
    };
    put_slip(call, to, slip)?;
    call.reply.bulk([slip]);
    Ok(())
}

/// SLIPS.GONE key word: replies once the key is gone, with how often it has looked; waits for 0.1 s.
fn gone(call: &mut Call<'_>) -> Result {
    let key = call.args.bytes(1);
    if !call.keys.exists(key, 0) {
        call.reply.bulk(call.args.bytes(2));
        return Ok(());
    }
    let word = [call.args.bytes(2), b"."].concat();
    let args: [&[u8]; 3] = [b"slips.gone", key, &word];
    let how = Wait { of: Some(&SLIPS), timeout_ms: 100, on_removal: true, args: Some(&args), ..Wait::NEW };
    call.block.wait(&[key], how)
}

/// SLIPS.WRONG key: uses the service wrongly.
fn wrong(call: &mut Call<'_>) -> Result {
    assert_eq!(call.block.wait(&[], Wait::NEW), Err(Error::OutOfRange));
    call.block.wait(&[call.args.bytes(1)], Wait::NEW)?;
    assert_eq!(call.block.wait(&[b"k"], Wait::NEW), Err(Error::Exists));
    Err(Error::Syntax)
}

/// Tickets in the hands of threads.
static SUSPENDED: Mutex<Vec<Ticket>> = Mutex::new(Vec::new());

/// SLIPS.THREAD rounds: waits so many times for whoever takes the tickets.
fn thread(call: &mut Call<'_>) -> Result {
    let rounds = call.args.integer(1)?;
    if call.block.ticket().is_some() {
        assert_eq!(call.block.wait(&[b"k"], Wait::NEW), Err(Error::NotAllowed));
    } else if call.block.may_wait() {
        assert_eq!(call.block.suspend(Wait { of: Some(&SLIPS), ..Wait::NEW }), Err(Error::Unsupported));
    } else {
        assert_eq!(call.block.suspend(Wait::NEW), Err(Error::NotAllowed));
    }
    if rounds == 0 || !call.block.may_wait() {
        call.reply.integer(rounds);
        return Ok(());
    }
    let left = (rounds - 1).to_string();
    let args: [&[u8]; 2] = [b"slips.thread", left.as_bytes()];
    let ticket = call.block.suspend(Wait { timeout_ms: 500, args: Some(&args), ..Wait::NEW })?;
    assert_eq!(call.block.suspend(Wait::NEW), Err(Error::Exists));
    SUSPENDED.lock().unwrap_or_else(PoisonError::into_inner).push(ticket);
    Ok(())
}

const fn command(name: &'static str, arity: i32, function: HandlerFn) -> Command {
    Command { name: text(name), arity, run: run(function), ..Command::NEW }
}

export!(Module {
    name: "slips",
    types: &[Type::inline::<Slips>(&SLIPS), Type::inline::<Other>(&OTHER)],
    commands: &[
        command("slips.put", 3, put),
        command("slips.other", 2, put_other),
        command("slips.take", -3, take),
        command("slips.pass", 3, pass),
        command("slips.gone", 3, gone),
        command("slips.wrong", 2, wrong),
        command("slips.thread", 2, thread),
    ],
    ..Module::NEW
});

fn host() -> Testbed {
    Testbed::new(&plinth_module_entry).unwrap_or_else(|reason| panic!("{reason}"))
}

/// What those were sent who waited, without their ids.
fn served(host: &mut Testbed) -> Vec<Vec<u8>> {
    host.take_served().into_iter().map(|(_, reply)| reply).collect()
}

#[test]
fn a_command_that_finds_nothing_waits_and_is_served_in_order() {
    let mut host = host();
    assert_eq!(host.run(&["slips.take", "a", "b", "0"]), b"");
    assert_eq!(host.run(&["slips.take", "b", "1.5"]), b"");
    let waiting = host.waiting();
    assert_eq!((waiting.len(), waiting[0].timeout_ms, waiting[1].timeout_ms), (2, 0, 1500));
    assert_eq!(waiting[0].keys, [b"a", b"b"]);
    assert_eq!(host.run(&["slips.put", "b", "x"]), b"+OK\r\n");
    assert_eq!(host.take_served(), [(waiting[0].id, b"$1\r\nx\r\n".to_vec())]);
    assert_eq!(host.run(&["slips.put", "b", "y"]), b"+OK\r\n");
    assert_eq!(host.take_served(), [(waiting[1].id, b"$1\r\ny\r\n".to_vec())]);
    assert!(host.waiting().is_empty());
}

#[test]
fn who_waits_in_vain_is_sent_the_null_that_was_asked_for() {
    let mut host = host();
    host.run(&["slips.take", "a", "0.1"]);
    host.advance_ms(99);
    assert!(host.take_served().is_empty());
    host.advance_ms(1);
    assert_eq!(served(&mut host), [b"*-1\r\n"]);
    host.set_resp3(true);
    host.run(&["slips.take", "a", "0.1"]);
    host.advance_ms(100);
    assert_eq!(served(&mut host), [b"_\r\n"]);
}

#[test]
fn a_run_after_a_wait_does_not_begin_the_time_anew() {
    let mut host = host();
    host.run(&["slips.put", "a", "x"]);
    host.run(&["slips.gone", "a", ""]);
    host.advance_ms(60);
    host.run(&["slips.put", "a", "y"]);
    assert_eq!(host.waiting()[0].args[2], b"..", "it has looked once more");
    host.advance_ms(39);
    assert!(served(&mut host).is_empty());
    host.advance_ms(1);
    assert_eq!(served(&mut host), [b"$-1\r\n"]);
}

#[test]
fn a_value_of_another_type_wakes_nobody() {
    let mut host = host();
    host.run(&["slips.take", "a", "b", "0"]);
    assert_eq!(host.run(&["slips.other", "a"]), b"+OK\r\n");
    assert_eq!(host.waiting().len(), 1);
    // It is an error once the command runs because of another key.
    host.run(&["slips.put", "b", "x"]);
    assert!(served(&mut host)[0].starts_with(b"-WRONGTYPE"));
}

#[test]
fn what_one_is_served_makes_the_next_ready() {
    let mut host = host();
    host.run(&["slips.pass", "c", "d"]);
    host.run(&["slips.pass", "b", "c"]);
    host.run(&["slips.pass", "a", "b"]);
    host.run(&["slips.put", "a", "x"]);
    assert_eq!(served(&mut host).len(), 3);
    assert!(host.has("d") && !host.has("a"));
}

#[test]
fn a_removal_is_told_to_who_asked_for_it_with_the_arguments_of_the_last_wait() {
    let mut host = host();
    host.run(&["slips.put", "a", "x"]);
    host.run(&["slips.gone", "a", ""]);
    host.run(&["slips.put", "a", "y"]);
    assert_eq!(host.waiting()[0].args[2], b"..");
    host.run(&["slips.take", "a", "0"]);
    host.run(&["slips.take", "a", "0"]);
    assert_eq!(served(&mut host), [b"$3\r\n...\r\n"]);
}

#[test]
fn nothing_waits_in_a_transaction() {
    let mut host = host();
    assert_eq!(host.run_without_waiting(&["slips.take", "a", "0"]), b"*-1\r\n");
    let refused = host.run_without_waiting(&["slips.pass", "a", "b"]);
    assert!(refused.starts_with(b"-"));
    assert!(host.waiting().is_empty());
}

#[test]
fn an_error_ends_the_wait() {
    let mut host = host();
    assert_eq!(host.run(&["slips.wrong", "a"]), b"-ERR syntax error\r\n");
    assert!(host.waiting().is_empty());
}

#[test]
fn a_command_waits_for_a_thread_and_is_run_once_for_each_ticket() {
    let mut host = host();
    let take = || SUSPENDED.lock().unwrap_or_else(PoisonError::into_inner).pop();
    assert_eq!(host.run_without_waiting(&["slips.thread", "2"]), b":2\r\n");
    assert_eq!(host.run(&["slips.thread", "2"]), b"");
    // No key wakes it.
    host.run(&["slips.put", "k", "x"]);
    assert_eq!((served(&mut host).len(), host.waiting().len()), (0, 1));
    let mut spent = Vec::new();
    for left in [1, 0] {
        let ticket = take().expect("it has a ticket");
        assert_eq!(host.waiting()[0].ticket, Some(ticket.id()));
        let resumed = std::thread::spawn(move || (ticket.resume(), ticket.resume())).join();
        assert!(matches!(resumed, Ok((Ok(()), Ok(())))));
        host.turn();
        assert_eq!(host.waiting().len(), left);
        assert!(ticket.resume().is_err() && !spent.contains(&ticket));
        spent.push(ticket);
    }
    assert_eq!(served(&mut host), [b":0\r\n"]);
    host.run(&["slips.thread", "1"]);
    host.advance_ms(500);
    assert_eq!(served(&mut host), [b"$-1\r\n"]);
    assert!(take().is_some_and(|ticket| ticket.resume() == Err(Error::None)));
}
