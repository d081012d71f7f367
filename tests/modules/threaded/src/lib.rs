//! A module that has a thread run while it starts, and has it end. Nothing of it outlives `start`, and yet
//! the dynamic linker keeps the library: the thread had values with destructors. Its own thread's handle
//! costs the process a key of threads.

use plinth_module::prelude::*;
use std::sync::atomic::{AtomicI64, Ordering};

static ASKED: AtomicI64 = AtomicI64::new(0);

fn count(call: &mut Call<'_>) -> Result {
    call.reply.integer(ASKED.fetch_add(1, Ordering::Relaxed) + 1);
    Ok(())
}

fn start(_call: &mut Call<'_>) -> Result {
    let here = std::thread::current().id();
    let there = std::thread::spawn(|| std::thread::current().id()).join();
    assert!(there.is_ok_and(|there| there != here), "the thread is another one");
    Ok(())
}

export!(Module {
    name: "threaded",
    version: "1.0.0",
    commands: &[Command { name: text("threaded.count"), arity: 1, run: run(count), ..Command::NEW }],
    start: Some(start),
    ..Module::NEW
});
