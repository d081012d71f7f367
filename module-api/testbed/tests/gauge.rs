//! A data type of one's own, as its author writes it and tests it: no server, no unsafe code.
#![deny(unsafe_code)]
#![allow(missing_docs)]

use plinth_module::prelude::*;
use plinth_testbed::Testbed;
use std::ffi::CStr;

#[derive(Default)]
struct Gauge {
    last: i64,
    low: i64,
    high: i64,
}

impl DataType for Gauge {
    const NAME: &'static CStr = c"com.example.gauge";
    const ENCODING: u32 = 1;

    fn save(&self, out: &mut Saver<'_>) {
        assert_ne!(self.last, 666, "this one cannot be saved");
        for v in [self.last, self.low, self.high] {
            out.put(v)
        }
    }

    fn load(from: &mut Loader<'_>, _encoding: u32) -> Result<Self> {
        Ok(Gauge { last: from.i64()?, low: from.i64()?, high: from.i64()? })
    }
}

/// Another Rust type under the name of the first, and never registered.
#[derive(Debug, Default)]
struct Impostor;

impl DataType for Impostor {
    const NAME: &'static CStr = Gauge::NAME;
    const ENCODING: u32 = 1;
    fn save(&self, _out: &mut Saver<'_>) {}
    fn load(_from: &mut Loader<'_>, _encoding: u32) -> Result<Self> {
        Ok(Impostor)
    }
}

/// A second type, to be of the wrong one.
#[derive(Debug, Default)]
struct Note(String);

impl DataType for Note {
    const NAME: &'static CStr = c"com.example.note";
    const ENCODING: u32 = 3;
    fn save(&self, out: &mut Saver<'_>) {
        out.put(self.0.as_str());
    }
    fn load(from: &mut Loader<'_>, encoding: u32) -> Result<Self> {
        assert_eq!(encoding, Self::ENCODING);
        Ok(Note(from.text()?.to_owned()))
    }
    fn memory(&self) -> usize {
        size_of::<Self>() + self.0.capacity()
    }
    fn encoding_name(&self) -> &'static str {
        if self.0.is_empty() { "empty" } else { "text" }
    }
    fn copy(&self) -> Option<Self> {
        Some(Note(self.0.to_uppercase()))
    }
}

fn push(call: &mut Call<'_>) -> Result {
    let value = call.args.integer(2)?;
    let gauge: &mut Gauge = call.keys.get_or_create(call.args.bytes(1))?;
    gauge.last = value;
    gauge.low = gauge.low.min(value);
    gauge.high = gauge.high.max(value);
    call.reply.integer(gauge.high);
    call.keys.modified(call.args.bytes(1), EVENT_MODULE, "gauge.push");
    Ok(())
}

fn low(call: &mut Call<'_>) -> Result {
    match call.keys.read_value::<Gauge>(call.args.bytes(1))? {
        Some(gauge) => call.reply.integer(gauge.low),
        None => call.reply.null(),
    }
    Ok(())
}

fn note(call: &mut Call<'_>) -> Result {
    let text = String::from_utf8(call.args.bytes(2).to_vec()).map_err(|_| call.reply.error("ERR not\r\na text"))?;
    call.keys.put_value(call.args.bytes(1), Note(text))?;
    call.reply.ok();
    Ok(())
}

fn impostor(call: &mut Call<'_>) -> Result {
    assert!(call.keys.get_value::<Impostor>(call.args.bytes(1)).is_err());
    assert!(call.keys.put_value(call.args.bytes(1), Impostor).is_err());
    call.reply.ok();
    Ok(())
}

fn fail(_call: &mut Call<'_>) -> Result {
    panic!("on purpose")
}

fn copy(call: &mut Call<'_>) -> Result {
    call.keys.copy(call.args.bytes(1), call.args.bytes(2), call.db(), false)?;
    call.reply.integer(1);
    Ok(())
}

fn stat(call: &mut Call<'_>) -> Result {
    let entry = call.keys.get_any(call.args.bytes(1), GET_NO_TOUCH | GET_NO_STATS)?.ok_or(Error::None)?;
    let stat = entry.stat();
    call.reply.array(2);
    call.reply.bulk(stat.encoding);
    call.reply.boolean(stat.memory > 100);
    Ok(())
}

const fn command(name: &'static str, arity: i32, handler: HandlerFn) -> Command {
    Command { name: text(name), arity, run: run(handler), ..Command::NEW }
}

export!(Module {
    name: "gauge",
    version: "0.1.0",
    types: &[Type::of::<Gauge>(), Type::of::<Note>()],
    commands: &[
        Command {
            name: text("gauge.push"),
            arity: 3,
            flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
            keys: list(&[KeySpec::at(KEY_RW | KEY_UPDATE, 1)]),
            run: run(push),
            ..Command::NEW
        },
        Command {
            name: text("gauge"),
            arity: -2,
            subcommands: list(&[command("low", 3, |call| {
                let key = call.args.bytes(2);
                let low = call.keys.read_value::<Gauge>(key)?.map(|gauge| gauge.low);
                call.reply.integer(low.ok_or(Error::None)?);
                Ok(())
            })]),
            ..Command::NEW
        },
        command("gauge.low", 2, low),
        command("gauge.fail", 1, fail),
        Command { flags: COMMAND_WRITE | COMMAND_DENY_OOM, ..command("note.set", 3, note) },
        command("impostor", 2, impostor),
        command("copy", 3, copy),
        command("stat", 2, stat),
    ],
    ..Module::NEW
});

fn host() -> Testbed {
    Testbed::new(&plinth_module_entry).expect("the module loads")
}

#[test]
fn a_value_is_made_changed_and_read() {
    let mut host = host();
    assert_eq!(host.run(&["gauge.push", "k", "3"]), b":3\r\n");
    assert_eq!(host.run(&["GAUGE.PUSH", "k", "-2"]), b":3\r\n");
    assert_eq!(host.run(&["gauge.low", "k"]), b":-2\r\n");
    assert_eq!(host.run(&["gauge", "LOW", "k"]), b":-2\r\n");
    assert_eq!(host.run(&["gauge.low", "other"]), b"$-1\r\n");
    assert_eq!(host.take_event_names(), ["gauge.push", "gauge.push"]);
    assert_eq!(host.take_propagated().len(), 2);
}

#[test]
fn an_error_reads_as_the_host_says_it() {
    let mut host = host();
    assert_eq!(host.run(&["gauge.push", "k", "x"]), b"-ERR value is not an integer or out of range\r\n");
    assert_eq!(host.run(&["gauge.push", "k"]), b"-ERR wrong number of arguments for 'gauge.push' command\r\n");
    assert_eq!(host.run(&["gauge", "low", "k"]), b"-ERR no such key\r\n");
    assert_eq!(host.run(&["gauge", "low"]), b"-ERR wrong number of arguments for 'gauge|low' command\r\n");
    assert!(host.run(&["gauge", "up", "k"]).starts_with(b"-ERR unknown subcommand 'up'"));
    assert_eq!(host.run(&[&b"note.set"[..], b"k", b"\xff"]), b"-ERR not  a text\r\n");
    host.run(&["note.set", "n", "hello"]);
    assert_eq!(
        host.run(&["gauge.push", "n", "1"]),
        b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"
    );
}

#[test]
fn a_value_survives_saving_and_loading() {
    let mut host = host();
    host.run(&["gauge.push", "k", "9"]);
    host.run(&["gauge.push", "k", "-4"]);
    host.save_and_load("k").unwrap();
    assert_eq!(host.run(&["gauge.low", "k"]), b":-4\r\n");
    let payload = host.dump("k").unwrap();
    assert_eq!(host.restore("copy", &payload[..payload.len() - 1]), Err(Error::NotAllowed));
    host.restore("copy", &payload).unwrap();
    assert_eq!(host.run(&["gauge.low", "copy"]), b":-4\r\n");
}

#[test]
fn a_copy_is_the_types_own_or_saved_and_loaded() {
    let mut host = host();
    host.run(&["note.set", "n", "hello"]);
    assert_eq!(host.run(&["copy", "n", "n2"]), b":1\r\n");
    assert_eq!(host.run(&["copy", "n", "n2"]), b"-BUSYKEY Target key name already exists.\r\n");
    assert_ne!(host.dump("n").unwrap(), host.dump("n2").unwrap());
    host.run(&["gauge.push", "g", "5"]);
    host.run(&["copy", "g", "g2"]);
    assert_eq!(host.dump("g").unwrap(), host.dump("g2").unwrap());
}

#[test]
fn a_panic_is_an_error_reply_and_a_log_line() {
    let mut host = host();
    assert!(host.run(&["gauge.fail"]).starts_with(b"-ERR the module failed while it ran 'gauge.fail'"));
    assert!(host.take_log().contains(&"<gauge> panic: on purpose".to_owned()));
    host.run(&["gauge.push", "k", "666"]);
    assert_eq!(host.save_and_load("k"), Err(Error::Panic));
    assert_eq!(host.run(&["gauge.push", "k", "667"]), b":667\r\n");
}

#[test]
fn a_type_of_the_same_name_does_not_reach_the_value() {
    let mut host = host();
    host.run(&["gauge.push", "k", "1"]);
    assert_eq!(host.run(&["impostor", "k"]), b"+OK\r\n");
    assert_eq!(host.run(&["gauge.low", "k"]), b":0\r\n");
}

#[test]
fn object_and_memory_ask_the_type() {
    let mut host = host();
    host.set_resp3(true);
    host.run(&["note.set", "n", ""]);
    assert_eq!(host.run(&["stat", "n"]), b"*2\r\n$5\r\nempty\r\n#f\r\n");
    host.run(&["note.set", "n", &"x".repeat(200)]);
    assert_eq!(host.run(&["stat", "n"]), b"*2\r\n$4\r\ntext\r\n#t\r\n");
    assert_eq!(host.encoding("n").as_deref(), Some("text"));
}

#[test]
fn no_memory_is_an_error_and_makes_no_key() {
    let mut host = host();
    host.refuse_memory(true);
    assert_eq!(host.run(&["note.set", "n", "x"]), b"-OOM command not allowed when used memory > 'maxmemory'.\r\n");
    assert!(!host.has("n"));
}

#[test]
fn tests_on_several_threads_take_turns() {
    let threads = [1, 2, 3, 4].map(|number: i64| {
        std::thread::spawn(move || {
            let mut host = host();
            for _ in 0..200 {
                let reply = host.run(&["gauge.push", "k", &number.to_string()]);
                assert_eq!(reply, format!(":{number}\r\n").into_bytes());
            }
        })
    });
    for thread in threads {
        thread.join().unwrap();
    }
}
