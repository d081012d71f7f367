//! Commands without a data type: a greeting, with a parameter, a section of INFO and a subcommand.
//!
//! ```text
//! hello.world [name]    greets
//! hello.to count name   greets so many times, as an array
//! ```
//!
//! `hello.greeting` is a parameter: what the greeting begins with.
#![deny(unsafe_code)]

use plinth_module::prelude::*;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

static GREETING: ConfigText = ConfigText::checked(|call, text| {
    if text.is_empty() { Err(call.reply.error("ERR a greeting has at least one letter")) } else { Ok(()) }
});

static GREETED: AtomicI64 = AtomicI64::new(0);

fn greeting(name: &[u8]) -> Vec<u8> {
    GREETED.fetch_add(1, Relaxed);
    let mut text = GREETING.get();
    text.extend_from_slice(b", ");
    text.extend_from_slice(name);
    text
}

fn world(call: &mut Call<'_>) -> Result {
    if call.args.len() > 2 {
        return Err(Error::Arity);
    }
    call.reply.bulk(greeting(call.args.get(1).unwrap_or(b"world")));
    Ok(())
}

/// Most greetings at once.
const COUNT_MAX: i64 = 1_000;

fn to(call: &mut Call<'_>) -> Result {
    let count = call.args.integer(1)?;
    if !(0..=COUNT_MAX).contains(&count) {
        return Err(Error::OutOfRange);
    }
    call.reply.array(count as usize);
    for _ in 0..count {
        call.reply.bulk(greeting(call.args.bytes(2)));
    }
    Ok(())
}

export!(Module {
    name: "hello",
    version: "0.1.0",
    commands: &[
        Command {
            name: text("hello.world"),
            arity: -1,
            flags: COMMAND_FAST,
            run: run(world),
            docs: docs(&Docs { summary: text("Greets."), group: text("hello"), ..Docs::NEW }),
            ..Command::NEW
        },
        Command { name: text("hello.to"), arity: 3, run: run(to), ..Command::NEW },
    ],
    configs: &[GREETING.declare("greeting", "Hello")],
    infos: &[section("", |_call, out| out.integer("greeted", GREETED.load(Relaxed)))],
    ..Module::NEW
});

#[cfg(test)]
mod tests {
    use super::plinth_module_entry;
    use plinth_testbed::Testbed;

    #[test]
    fn a_greeting_can_be_changed() {
        let mut host = Testbed::new(&plinth_module_entry).expect("the module loads");
        assert_eq!(host.run(&["hello.world"]), b"$12\r\nHello, world\r\n");
        host.set_config("hello.greeting", "Good day").expect("it is a greeting");
        assert_eq!(host.run(&["hello.to", "1", "you"]), b"*1\r\n$13\r\nGood day, you\r\n");
        assert_eq!(host.set_config("hello.greeting", ""), Err("-ERR CONFIG SET failed (possibly related to argument 'hello.greeting') - ERR a greeting has at least one letter".into()));
        assert_eq!(host.run(&["hello.to", "-1", "you"]), b"-ERR index out of range\r\n");
    }
}
