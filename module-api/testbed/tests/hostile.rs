//! What a module in safe Rust cannot do to the server or to other modules, however it tries.
#![deny(unsafe_code)]
#![allow(missing_docs)]

use plinth_module::prelude::*;
use plinth_module::thread;
use plinth_testbed::Testbed;
use std::ffi::CStr;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

static WORD: TypeHandle = TypeHandle::new();
static DONE: AtomicU32 = AtomicU32::new(0);

struct Word;

impl InlineType for Word {
    const NAME: &'static CStr = c"com.example.word";

    fn save(_tag: u32, bytes: &[u8], out: &mut Saver<'_>) {
        out.bytes(bytes);
    }

    fn load<'l>(from: &'l mut Loader<'_>, _encoding: u32) -> Result<Loaded<'l>> {
        Ok(Loaded::bytes(0, from.bytes()?))
    }
}

/// Leaves bytes behind where the next value of this length will lie.
fn dirty(call: &mut Call<'_>, len: usize) -> Result {
    for number in 0..64 {
        call.keys.put_bytes(&WORD, format!("dirt:{number}").as_bytes(), 0, &vec![0xaa; len], 0)?;
    }
    for number in 0..64 {
        call.keys.remove(format!("dirt:{number}").as_bytes(), 0)?;
    }
    Ok(())
}

fn blank(call: &mut Call<'_>) -> Result {
    let len = call.args.integer(1)? as usize;
    dirty(call, len)?;
    // What was removed is freed when the handler ends.
    call.reply.ok();
    Ok(())
}

fn zeros(call: &mut Call<'_>) -> Result {
    let len = call.args.integer(1)? as usize;
    let mut dirt = 0;
    for number in 0..64 {
        let key = format!("key:{number}");
        let mut entry = call.keys.put(&WORD, key.as_bytes(), 0, len, 0)?;
        dirt += entry.bytes().iter().filter(|byte| **byte != 0).count();
        entry.resize(0, len / 2, false)?;
        entry.bytes_mut().fill(1);
        entry.resize(0, len, number % 2 == 0)?;
        dirt += entry.bytes()[len / 2..].iter().filter(|byte| **byte != 0).count();
        assert!(entry.bytes()[..len / 2].iter().all(|byte| *byte == 1));
        let other = format!("other:{number}");
        let (entry, is_new) = call.keys.get_or_put(&WORD, other.as_bytes(), 0, || Ok(len))?;
        assert!(is_new);
        dirt += entry.bytes().iter().filter(|byte| **byte != 0).count();
    }
    for number in 0..64 {
        call.keys.remove(format!("key:{number}").as_bytes(), 0)?;
        call.keys.remove(format!("other:{number}").as_bytes(), 0)?;
    }
    call.reply.count(dirt);
    Ok(())
}

/// Takes whatever there is, and tries to write it.
fn scribble(call: &mut Call<'_>) -> Result {
    let key = call.args.bytes(1);
    let mut entry = call.keys.get_any(key, GET_WRITE)?.ok_or(Error::None)?;
    assert!(!entry.bytes().is_empty());
    assert!(entry.bytes_mut().is_empty());
    assert_eq!(entry.resize(0, 100, false), Err(Error::NotAllowed));
    assert_eq!(entry.replace(0, b"other"), Err(Error::NotAllowed));
    assert!(entry.into_bytes_mut().is_empty());
    call.reply.ok();
    Ok(())
}

fn absent(call: &mut Call<'_>) -> Result {
    call.keys.put_bytes(&WORD, b"there", 0, b"a", 0)?;
    assert_eq!(call.keys.put_bytes(&WORD, b"there", 0, b"b", PUT_ABSENT).err(), Some(Error::Exists));
    assert_eq!(call.keys.get(&WORD, b"there")?.map(|entry| entry.bytes().to_vec()), Some(b"a".to_vec()));
    call.keys.remove(b"there", 0)?;
    call.reply.ok();
    Ok(())
}

/// A thread that is not done when the module leaves.
fn work(call: &mut Call<'_>) -> Result {
    thread::spawn(|| {
        while !thread::is_stopping() {
            std::thread::yield_now();
        }
        // Long enough for a module that does not wait to be gone.
        std::thread::sleep(Duration::from_millis(50));
        DONE.store(1, SeqCst);
    })?;
    call.reply.ok();
    Ok(())
}

fn many(call: &mut Call<'_>) -> Result {
    let spawned = (0..thread::THREADS_MAX + 1).map(|_| {
        thread::spawn(|| {
            while !thread::is_stopping() {
                std::thread::park_timeout(Duration::from_millis(5));
            }
        })
    });
    let refused: Vec<_> = spawned.filter_map(std::result::Result::err).collect();
    assert_eq!(refused, [Error::OutOfRange]);
    call.reply.ok();
    Ok(())
}

const fn command(name: &'static str, arity: i32, handler: HandlerFn) -> Command {
    Command { name: text(name), arity, flags: COMMAND_WRITE, run: run(handler), ..Command::NEW }
}

export!(Module {
    name: "safe",
    version: "1.0.0",
    types: &[Type::inline::<Word>(&WORD)],
    commands: &[
        command("safe.blank", 2, blank),
        command("safe.zeros", 2, zeros),
        command("safe.scribble", 2, scribble),
        command("safe.absent", 1, absent),
        command("safe.work", 1, work),
        command("safe.many", 1, many),
    ],
    ..Module::NEW
});

#[test]
fn memory_that_a_value_grows_by_is_zero() {
    let mut host = Testbed::new(&plinth_module_entry).unwrap();
    for len in ["8", "40", "200", "3000", "70000"] {
        assert_eq!(host.run(&["SAFE.BLANK", len]), b"+OK\r\n");
        assert_eq!(host.run(&["SAFE.ZEROS", len]), b":0\r\n", "{len} bytes");
    }
}

#[test]
fn a_value_that_was_not_asked_for_as_ones_own_is_not_written() {
    let mut host = Testbed::new(&plinth_module_entry).unwrap();
    host.call(|call| call.keys.put_bytes(&WORD, b"k", 0, b"value", 0).map(|_| ())).unwrap();
    assert_eq!(host.run(&["SAFE.SCRIBBLE", "k"]), b"+OK\r\n");
    assert_eq!(host.run(&["SAFE.ABSENT"]), b"+OK\r\n");
}

#[test]
fn a_module_leaves_when_its_threads_have_ended() {
    let mut host = Testbed::new(&plinth_module_entry).unwrap();
    assert_eq!(host.run(&["SAFE.WORK"]), b"+OK\r\n");
    host.unload("safe").unwrap();
    assert_eq!(DONE.load(SeqCst), 1);
    host.load(&plinth_module_entry, &[] as &[&str]).unwrap();
    assert_eq!(host.run(&["SAFE.MANY"]), b"+OK\r\n");
}
