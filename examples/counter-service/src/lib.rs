//! A module that other modules use: it has counters, and offers them as `com.example.counter/1`.
//!
//! ```text
//! counter.next key [step]   counts up, replies with the new value
//! counter.read key          replies with the value, 0 without a key
//! ```
//!
//! The commands and the service do the same through the same two functions.
#![deny(unsafe_code)]

use counter_api::{CounterProvider, CounterService, table};
use plinth_module::prelude::*;
use std::ffi::CStr;

#[derive(Default)]
struct Counter(i64);

impl DataType for Counter {
    const NAME: &'static CStr = c"com.example.counter";
    const ENCODING: u32 = 1;

    fn save(&self, out: &mut Saver<'_>) {
        out.put(self.0);
    }

    fn load(from: &mut Loader<'_>, _encoding: u32) -> Result<Self> {
        from.i64().map(Counter)
    }
}

/// What this module does for others.
enum Provider {}

impl CounterProvider for Provider {
    fn next(call: &mut Call<'_>, key: &[u8], step: i64) -> Result<i64> {
        let counter: &mut Counter = call.keys.get_or_create(key)?;
        counter.0 = counter.0.checked_add(step).ok_or(Error::Overflow)?;
        let value = counter.0;
        call.keys.modified(key, EVENT_MODULE, "counter.next");
        Ok(value)
    }

    fn read(call: &mut Call<'_>, key: &[u8]) -> Result<i64> {
        Ok(call.keys.read_value::<Counter>(key)?.map_or(0, |counter| counter.0))
    }
}

static TABLE: CounterService = table::<Provider>();

fn next(call: &mut Call<'_>) -> Result {
    if call.args.len() > 3 {
        return Err(Error::Arity);
    }
    let step = if call.args.len() == 3 { call.args.integer(2)? } else { 1 };
    let value = Provider::next(call, call.args.bytes(1), step)?;
    call.reply.integer(value);
    Ok(())
}

fn read(call: &mut Call<'_>) -> Result {
    let value = Provider::read(call, call.args.bytes(1))?;
    call.reply.integer(value);
    Ok(())
}

export!(Module {
    name: "counter",
    version: "0.1.0",
    types: &[Type::of::<Counter>()],
    provides: &[provided(&TABLE)],
    commands: &[
        Command {
            name: text("counter.next"),
            arity: -2,
            flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
            keys: list(&[KeySpec::at(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1)]),
            run: run(next),
            ..Command::NEW
        },
        Command {
            name: text("counter.read"),
            arity: 2,
            flags: COMMAND_READONLY | COMMAND_FAST,
            keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]),
            run: run(read),
            ..Command::NEW
        },
    ],
    ..Module::NEW
});

#[cfg(test)]
mod tests {
    use super::plinth_module_entry;
    use plinth_testbed::Testbed;

    #[test]
    fn a_counter_counts_in_steps() {
        let mut host = Testbed::new(&plinth_module_entry).expect("the module loads");
        assert_eq!(host.run(&["counter.read", "k"]), b":0\r\n");
        assert_eq!(host.run(&["counter.next", "k"]), b":1\r\n");
        assert_eq!(host.run(&["counter.next", "k", "9223372036854775806"]), b":9223372036854775807\r\n");
        assert_eq!(host.run(&["counter.next", "k"]), b"-ERR increment or decrement would overflow\r\n");
        assert_eq!(host.run(&["counter.read", "k"]), b":9223372036854775807\r\n");
    }
}
