//! A data type in safe Rust: a gauge remembers the last value pushed, and the lowest and highest so
//! far.
//!
//! ```text
//! gauge.push key value    pushes an integer, replies with the highest
//! gauge.get key           replies with last, lowest and highest, or null without a key
//! ```
//!
//! `examples/gauge-c` is the same in C: the same commands, the same type name and the same saved
//! form, so that each loads what the other saved.
#![deny(unsafe_code)]

use plinth_module::prelude::*;
use std::ffi::CStr;

struct Gauge {
    last: i64,
    low: i64,
    high: i64,
}

impl DataType for Gauge {
    const NAME: &'static CStr = c"com.example.gauge";
    const ENCODING: u32 = 1;

    fn save(&self, out: &mut Saver<'_>) {
        for value in [self.last, self.low, self.high] {
            out.put(value);
        }
    }

    fn load(from: &mut Loader<'_>, _encoding: u32) -> Result<Self> {
        Ok(Gauge { last: from.i64()?, low: from.i64()?, high: from.i64()? })
    }

    fn rewrite(&self, out: &mut Rewriter<'_>) -> Result {
        [self.low, self.high, self.last].iter().try_for_each(|value| {
            let digits = value.to_string();
            out.emit(&[b"GAUGE.PUSH", out.key(), digits.as_bytes()])
        })
    }

    fn digest(&self, out: &mut Digester<'_>) -> Result {
        [self.last, self.low, self.high].iter().for_each(|value| out.add(value.to_string().as_bytes()));
        Ok(())
    }
}

fn push(call: &mut Call<'_>) -> Result {
    let key = call.args.bytes(1);
    let value = call.args.integer(2)?;
    let gauge = call.keys.get_or_create_with(key, || Gauge { last: value, low: value, high: value })?;
    gauge.last = value;
    gauge.low = gauge.low.min(value);
    gauge.high = gauge.high.max(value);
    call.reply.integer(gauge.high);
    call.keys.modified(key, EVENT_MODULE, "gauge.push");
    Ok(())
}

fn get(call: &mut Call<'_>) -> Result {
    let Some(gauge) = call.keys.read_value::<Gauge>(call.args.bytes(1))? else {
        call.reply.null();
        return Ok(());
    };
    call.reply.array(3);
    call.reply.integer(gauge.last);
    call.reply.integer(gauge.low);
    call.reply.integer(gauge.high);
    Ok(())
}

export!(Module {
    name: "gauge",
    version: "0.1.0",
    types: &[Type::of::<Gauge>()],
    commands: &[
        Command {
            name: text("gauge.push"),
            arity: 3,
            flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
            categories: CATEGORY_WRITE,
            keys: list(&[KeySpec::at(KEY_RW | KEY_UPDATE, 1)]),
            run: run(push),
            ..Command::NEW
        },
        Command {
            name: text("gauge.get"),
            arity: 2,
            flags: COMMAND_READONLY | COMMAND_FAST,
            categories: CATEGORY_READ,
            keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]),
            run: run(get),
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
    fn a_gauge_keeps_last_lowest_and_highest() {
        let mut host = Testbed::new(&plinth_module_entry).expect("the module loads");
        assert_eq!(host.run(&["gauge.push", "room", "21"]), b":21\r\n");
        assert_eq!(host.run(&["gauge.push", "room", "17"]), b":21\r\n");
        assert_eq!(host.run(&["gauge.get", "room"]), b"*3\r\n:17\r\n:17\r\n:21\r\n");
        assert_eq!(host.run(&["gauge.get", "attic"]), b"$-1\r\n");
        host.save_and_load("room").expect("a gauge is saved and loaded");
        assert_eq!(host.run(&["gauge.get", "room"]), b"*3\r\n:17\r\n:17\r\n:21\r\n");
        assert_eq!(host.take_event_names(), ["gauge.push", "gauge.push"]);
    }
}
