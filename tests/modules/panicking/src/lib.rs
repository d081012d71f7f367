//! A module that panics: in a command, in a timer, in a hook, in what a value's type does, in `start`, and
//! in the check of its parameter.

use plinth_module::prelude::*;
use std::ffi::CStr;

#[derive(Default)]
struct Bomb;

impl DataType for Bomb {
    const NAME: &'static CStr = c"com.example.bomb";
    const ENCODING: u32 = 1;

    fn save(&self, _out: &mut Saver<'_>) {
        panic!("no bomb is saved");
    }

    fn load(_from: &mut Loader<'_>, _encoding: u32) -> Result<Self> {
        panic!("no bomb is loaded");
    }

    fn copy(&self) -> Option<Self> {
        panic!("no bomb is copied");
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("no bomb is dropped");
    }
}

fn command(call: &mut Call<'_>) -> Result {
    call.reply.bulk("half a reply, never to be seen");
    panic!("this command panics on purpose");
}

fn later(call: &mut Call<'_>) -> Result {
    call.timers.start(1, (), |_call, ()| panic!("this timer panics on purpose"))?;
    call.reply.ok();
    Ok(())
}

fn hook(call: &mut Call<'_>) -> Result {
    call.events.subscribe(ON_CONFIG, (), |_call, _event, ()| panic!("this hook panics on purpose"))?;
    call.reply.ok();
    Ok(())
}

fn place(call: &mut Call<'_>) -> Result {
    let key = call.args.bytes(1);
    call.keys.put_value(key, Bomb)?;
    call.keys.modified(key, EVENT_MODULE, "panic.place");
    call.reply.ok();
    Ok(())
}

static LEVEL: ConfigInteger = ConfigInteger::checked(|_call, level| {
    assert!(level < 13, "this level panics on purpose");
    Ok(())
});

fn start(call: &mut Call<'_>) -> Result {
    assert!(!call.args.word(0, "now"), "this start panics on purpose");
    Ok(())
}

const fn simple(name: &'static str, arity: i32, handler: HandlerFn) -> Command {
    Command { name: text(name), arity, run: run(handler), ..Command::NEW }
}

export!(Module {
    name: "panicking",
    version: "1.0.0",
    types: &[Type::of::<Bomb>()],
    commands: &[
        simple("panic.now", 1, command),
        simple("panic.later", 1, later),
        simple("panic.hook", 1, hook),
        Command {
            flags: COMMAND_WRITE,
            keys: list(&[KeySpec::at(KEY_OW | KEY_UPDATE, 1)]),
            ..simple("panic.place", 2, place)
        },
    ],
    configs: &[LEVEL.declare("level", "0", 0, 100)],
    start: Some(start),
    ..Module::NEW
});
