//! What a module keeps from its start on, with timers that hold parts of it, when it is unloaded. Hash tables
//! of small elements are read with instructions that trap on memory which is not aligned: once the process's
//! allocator gave them such memory.
#![deny(unsafe_code)]
#![allow(missing_docs, clippy::unwrap_used)]

use plinth_module::prelude::*;
use plinth_testbed::Testbed;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;

thread_local! {
    /// Values that were dropped.
    static DROPPED: Cell<usize> = const { Cell::new(0) };
}

#[derive(PartialEq, Eq, Hash)]
struct Name(Vec<u8>);

impl Drop for Name {
    fn drop(&mut self) {
        DROPPED.set(DROPPED.get() + 1);
    }
}

/// Who waits for a timer.
#[derive(Default)]
struct Waiting(RefCell<HashSet<Rc<Name>>>);

fn later(call: &mut Call<'_>) -> Result {
    let name = Rc::new(Name(call.args.bytes(1).to_vec()));
    let waiting: &Waiting = call.data().ok_or(Error::None)?;
    if waiting.0.borrow_mut().insert(name.clone()) {
        call.timers.start(1000, name, fire)?;
    }
    call.reply.integer(waiting.0.borrow().iter().map(|name| name.0.len()).sum::<usize>() as i64);
    Ok(())
}

fn fire(call: &mut Call<'_>, name: Rc<Name>) {
    if let Some(waiting) = call.data::<Waiting>() {
        waiting.0.borrow_mut().remove(&name);
    }
}

export!(Module {
    name: "data",
    commands: &[Command { name: text("data.later"), arity: 2, run: run(later), ..Command::NEW }],
    start: Some(|call| call.set_data(Waiting::default())),
    ..Module::NEW
});

#[test]
fn a_module_may_keep_small_hash_tables_and_leave_while_timers_go_on() {
    for names in 0..20 {
        for fires in [false, true] {
            let mut host = Testbed::new(&plinth_module_entry).unwrap();
            DROPPED.set(0);
            for name in 0..names {
                let reply = host.run(&["DATA.LATER", &format!("n{name:02}")]);
                assert_eq!(String::from_utf8_lossy(&reply), format!(":{}\r\n", 3 * (name + 1)));
            }
            if fires {
                host.advance_ms(1000);
                assert_eq!((host.timers(), DROPPED.get()), (0, names));
            }
            host.unload("data").unwrap();
            // Values of timers that did not fire are not dropped, and these are those.
            assert_eq!(DROPPED.get(), if fires { names } else { 0 });
        }
    }
}
