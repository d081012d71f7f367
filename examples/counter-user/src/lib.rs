//! A module that uses another's service: numbered tickets, counted by `com.example.counter/1`.
//!
//! ```text
//! ticket.take queue    replies with the next ticket of a queue, such as "bakery-0007"
//! ticket.last queue    replies with the last ticket taken, or null before the first
//! ```
//!
//! It has no data type. What a queue is kept as is the business of whoever provides the service.
#![deny(unsafe_code)]

use counter_api::{COUNTER_SERVICE, Counters};
use plinth_module::prelude::*;

static COUNTERS: Counters = Counters::new();

fn start(call: &mut Call<'_>) -> Result {
    COUNTERS.resolve(call)
}

fn ticket(queue: &[u8], number: i64) -> Vec<u8> {
    let mut text = queue.to_vec();
    text.extend_from_slice(format!("-{number:04}").as_bytes());
    text
}

fn take(call: &mut Call<'_>) -> Result {
    let queue = call.args.bytes(1);
    let number = COUNTERS.next(call, queue, 1)?;
    call.reply.bulk(ticket(queue, number));
    Ok(())
}

fn last(call: &mut Call<'_>) -> Result {
    let queue = call.args.bytes(1);
    match COUNTERS.read(call, queue)? {
        0 => call.reply.null(),
        number => call.reply.bulk(ticket(queue, number)),
    }
    Ok(())
}

export!(Module {
    name: "ticket",
    version: "0.1.0",
    requires: &[COUNTER_SERVICE],
    commands: &[
        Command {
            name: text("ticket.take"),
            arity: 2,
            flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
            keys: list(&[KeySpec::at(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1)]),
            run: run(take),
            ..Command::NEW
        },
        Command {
            name: text("ticket.last"),
            arity: 2,
            flags: COMMAND_READONLY | COMMAND_FAST,
            keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]),
            run: run(last),
            ..Command::NEW
        },
    ],
    start: Some(start),
    ..Module::NEW
});

#[cfg(test)]
mod tests {
    use super::plinth_module_entry;
    use plinth_testbed::Testbed;

    #[test]
    fn without_the_service_the_load_is_refused() {
        let refused = Testbed::new(&plinth_module_entry).err().expect("nobody provides counters here");
        assert!(refused.contains("com.example.counter/1"), "{refused}");
    }
}
