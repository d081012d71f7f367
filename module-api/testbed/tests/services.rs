//! The smaller services, in one module that uses all of them.
#![allow(missing_docs)]

use plinth_module::abi::status::Status;
use plinth_module::prelude::*;
use plinth_testbed::Testbed;
use std::cell::{Cell, RefCell};

static LIMIT: ConfigInteger = ConfigInteger::checked(check_limit);
static LOUD: ConfigBool = ConfigBool::new();
static MODE: ConfigInteger = ConfigInteger::new();
static SIZE: ConfigInteger = ConfigInteger::new();
static MOTTO: ConfigText = ConfigText::new();

fn check_limit(call: &mut Call<'_>, value: i64) -> Result {
    if value == 13 { Err(call.reply.error("ERR not that one")) } else { Ok(()) }
}

/// What `start` keeps.
#[derive(Default)]
struct Memory {
    changes: Cell<u64>,
    timer: RefCell<Option<Timer<&'static str>>>,
    subscription: RefCell<Option<plinth_module::events::Subscription<u64>>>,
}

fn start(call: &mut Call<'_>) -> Result {
    if call.args.word(0, "refuse") {
        return Err(call.reply.error("ERR refused"));
    }
    call.set_data(Memory::default())?;
    assert_eq!(call.set_data(1u8), Err(Error::Exists));
    assert!(call.data::<u8>().is_none());
    let subscription = call.events.subscribe(ON_KEY, 2u64, count)?;
    let memory: &Memory = call.data().ok_or(Error::None)?;
    *memory.subscription.borrow_mut() = Some(subscription);
    call.log(LOG_NOTICE, "started");
    Ok(())
}

fn count(call: &mut Call<'_>, event: &Event<'_>, step: &u64) {
    assert_eq!((event.kind(), event.db(), event.client_id()), (ON_KEY, Some(0), 0));
    // Counted, a look at a key that is not there would be an event of its own.
    assert!(call.keys.get_any(event.key(), GET_NO_TOUCH | GET_NO_STATS).is_ok());
    assert_eq!(call.keys.remove(event.key(), 0), Err(Error::NotAllowed));
    if let Some(memory) = call.data::<Memory>() {
        memory.changes.set(memory.changes.get() + step);
    }
}

fn touch(call: &mut Call<'_>) -> Result {
    call.keys.modified(call.args.bytes(1), EVENT_GENERIC, "touch");
    match call.args.bytes(2) {
        b"quiet" => call.propagate.nothing()?,
        b"other" => call.propagate.instead(&[b"x", b"y"])?,
        _ => {}
    }
    let memory: &Memory = call.data().ok_or(Error::None)?;
    call.reply.integer(memory.changes.get() as i64);
    Ok(())
}

fn unsubscribe(call: &mut Call<'_>) -> Result {
    let memory: &Memory = call.data().ok_or(Error::None)?;
    let subscription = memory.subscription.borrow_mut().take().ok_or(Error::None)?;
    call.events.unsubscribe(subscription)?;
    call.reply.ok();
    Ok(())
}

fn later(call: &mut Call<'_>) -> Result {
    let timer = call.timers.start(50, "later", |call, text| {
        assert!(call.client_id().is_none());
        call.log(LOG_NOTICE, text);
        let _ = call.clients.push(1, b"+later\r\n");
    })?;
    let remaining_ms = call.timers.remaining_ms(&timer)?;
    let memory: &Memory = call.data().ok_or(Error::None)?;
    *memory.timer.borrow_mut() = Some(timer);
    call.reply.integer(remaining_ms as i64);
    Ok(())
}

fn never(call: &mut Call<'_>) -> Result {
    let memory: &Memory = call.data().ok_or(Error::None)?;
    let timer = memory.timer.borrow_mut().take().ok_or(Error::None)?;
    call.reply.bulk(call.timers.stop(timer)?);
    Ok(())
}

fn ask(call: &mut Call<'_>) -> Result {
    let client = call.clients.info(call.client_id().ok_or(Error::NotAllowed)?)?;
    call.reply.array(3);
    call.reply.bulk(&client.user);
    call.reply.bulk(call.config.get("services.motto")?);
    call.reply.integer(call.config.number("services.limit")?);
    assert_eq!(call.config.number("services.motto"), Err(Error::NotInteger));
    assert_eq!(call.config.get("services.manner"), call.config.get("services.mode"));
    assert_eq!(call.config.number("services.manner"), Ok(MODE.get()));
    assert_eq!(call.config.get("nothing"), Err(Error::None));
    call.config.set(&mut call.keys, "services.limit", b"7")?;
    assert_eq!(call.config.set(&mut call.keys, "services.limit", b"x"), Err(Error::Syntax));
    Ok(())
}

fn nest(call: &mut Call<'_>) -> Result {
    let depth = call.args.integer(1)?;
    let next = (depth - 1).to_string();
    if depth == 0 {
        call.reply.bulk("bottom");
        return Ok(());
    }
    let resolved = call.run.resolve(b"nest").ok_or(Error::None)?;
    let reply = &mut call.reply;
    call.run.resolved(&mut call.keys, resolved, &[b"nest", next.as_bytes()], 0, |bytes| reply.raw(bytes))?;
    assert_eq!(call.run.command(&mut call.keys, &[b"no.such"], 0, |_| ()), Err(Error::None));
    Ok(())
}

fn length(call: &mut Call<'_>) -> Result {
    let table = STRINGS.get(call).ok_or(Error::Unsupported)?;
    assert!(call.service::<Lengths>().is_some());
    let bytes = plinth_module::abi::bytes::Bytes::of(call.args.bytes(1));
    // SAFETY: the table's function wants a valid call and bytes for the call.
    let status = unsafe { (table.function(|table| table.length))(call.as_raw(), bytes) };
    if status == 0 { Ok(()) } else { Err(Error::from_status(status)) }
}

/// A service that this module provides, and uses itself.
#[repr(C)]
struct Lengths {
    size: u32,
    reserved: u32,
    length: unsafe extern "C" fn(*mut plinth_module::abi::call::Call, plinth_module::abi::bytes::Bytes) -> Status,
}

// SAFETY: `repr(C)`, begins with its size, used nowhere else.
unsafe impl Service for Lengths {
    const ID: &'static str = "test.lengths/1";
}

unsafe extern "C" fn length_of(
    call: *mut plinth_module::abi::call::Call,
    bytes: plinth_module::abi::bytes::Bytes,
) -> Status {
    // SAFETY: the caller hands over a call and bytes for the call.
    unsafe {
        plinth_module::service::answer(call, |call| {
            let bytes = bytes.as_slice();
            assert!(!bytes.is_empty(), "nothing to measure");
            call.reply.count(bytes.len());
            Ok(())
        })
    }
}

static LENGTHS: Lengths = Lengths { size: size_of::<Lengths>() as u32, reserved: 0, length: length_of };
static STRINGS: ServiceHandle<Lengths> = ServiceHandle::new();

fn resolve(call: &mut Call<'_>) -> Result {
    STRINGS.resolve(call)?;
    call.reply.ok();
    Ok(())
}

const fn command(name: &'static str, arity: i32, handler: HandlerFn) -> Command {
    Command { name: text(name), arity, run: run(handler), ..Command::NEW }
}

static CHOICES: [plinth_module::abi::bytes::Bytes; 2] = [text("slow"), text("fast")];

export!(Module {
    name: "services",
    version: "1.2.3",
    provides: &[provided(&LENGTHS)],
    configs: &[
        LIMIT.declare("limit", "10", 0, 100),
        LOUD.declare("loud", true),
        Config { alias: text("manner"), ..MODE.declare_choice("mode", "fast", &CHOICES) },
        SIZE.declare_memory("size", "64kb", 0, 1 << 40),
        MOTTO.declare("motto", "steady"),
    ],
    infos: &[section("", |_call, out| {
        out.integer("limit", LIMIT.get());
        out.text("motto", "steady");
        out.double("half", 0.5);
    })],
    commands: &[
        command("touch", -2, touch),
        command("later", 1, later),
        command("never", 1, never),
        command("ask", 1, ask),
        command("nest", 2, nest),
        command("resolve", 1, resolve),
        command("length", 2, length),
        command("unsubscribe", 1, unsubscribe),
    ],
    start: Some(start),
    stop: Some(|call| call.log(LOG_NOTICE, "stopped")),
    ..Module::NEW
});

fn host() -> Testbed {
    Testbed::new(&plinth_module_entry).expect("the module loads")
}

/// What the module itself has logged.
fn logged(host: &mut Testbed) -> Vec<String> {
    let lines = host.take_log().into_iter();
    lines.filter_map(|line| line.strip_prefix("<services> ").map(str::to_owned)).collect()
}

#[test]
fn parameters_have_their_defaults_and_can_be_set() {
    let mut host = host();
    assert_eq!((LIMIT.get(), LOUD.get(), MODE.get(), SIZE.get()), (10, true, 1, 64 << 10));
    assert_eq!(MOTTO.get(), b"steady");
    host.set_config("services.manner", "SLOW").unwrap();
    host.set_config("services.loud", "no").unwrap();
    assert_eq!((LOUD.get(), MODE.get()), (false, 0));
    assert!(host.set_config("services.limit", "101").is_err());
    assert_eq!(
        host.set_config("services.limit", "13"),
        Err("-ERR CONFIG SET failed (possibly related to argument 'services.limit') - ERR not that one".into())
    );
    assert_eq!(LIMIT.get(), 10);
    assert_eq!(host.run(&["ask"]), b"*3\r\n$7\r\ndefault\r\n$6\r\nsteady\r\n:10\r\n");
    assert_eq!(LIMIT.get(), 7);
    assert_eq!(host.info("services"), "# services\r\nservices_limit:7\r\nservices_motto:steady\r\nservices_half:0.5");
}

#[test]
fn hooks_are_told_and_may_not_write() {
    let mut host = host();
    // When a command is over, so that its own change is not counted yet when it replies.
    assert_eq!(host.run(&["touch", "k"]), b":0\r\n");
    assert_eq!(host.run(&["touch", "k"]), b":2\r\n");
    host.run(&["unsubscribe"]);
    assert_eq!(host.run(&["touch", "k"]), b":4\r\n");
    assert_eq!(host.run(&["touch", "k"]), b":4\r\n");
    assert!(!host.take_log().iter().any(|line| line.contains("panic")));
}

#[test]
fn a_command_says_what_is_passed_on() {
    let mut host = host();
    host.run(&["touch", "k"]);
    host.run(&["touch", "k", "quiet"]);
    host.run(&["touch", "k", "other"]);
    let passed: Vec<String> =
        host.take_propagated().iter().map(|args| String::from_utf8(args.join(&b' ')).unwrap()).collect();
    assert_eq!(passed, ["touch k", "x y"]);
}

#[test]
fn a_timer_fires_once_or_is_stopped() {
    let mut host = host();
    assert_eq!(host.run(&["later"]), b":50\r\n");
    host.advance_ms(49);
    assert_eq!(host.take_pushed(1).unwrap(), b"");
    host.advance_ms(500);
    assert_eq!(host.take_pushed(1).unwrap(), b"+later\r\n");
    assert_eq!(host.run(&["never"]), b"-ERR no such key\r\n");
    host.run(&["later"]);
    assert_eq!(host.run(&["never"]), b"$5\r\nlater\r\n");
    host.advance_ms(500);
    assert_eq!(logged(&mut host), ["started", "later"]);
}

#[test]
fn commands_run_commands_to_a_depth() {
    let mut host = host();
    assert_eq!(host.run(&["nest", "5"]), b"$6\r\nbottom\r\n");
    assert_eq!(host.run(&["nest", "16"]), b"$6\r\nbottom\r\n");
    assert_eq!(host.run(&["nest", "17"]), b"-ERR index out of range\r\n");
}

#[test]
fn a_service_is_provided_and_a_panic_in_it_is_caught() {
    let mut host = host();
    assert_eq!(host.run(&["resolve"]), b"+OK\r\n");
    assert_eq!(host.run(&["length", "four"]), b":4\r\n");
    assert!(host.run(&["length", ""]).starts_with(b"-ERR the module failed while it ran 'length'"));
    // The handle is the process's, and its table goes with nothing: it is a static of this test.
}

#[test]
fn a_start_that_fails_leaves_nothing() {
    let mut host = host();
    host.unload("services").unwrap();
    assert_eq!(logged(&mut host), ["started", "stopped"]);
    assert_eq!(host.load(&plinth_module_entry, &["refuse"]), Err("its start failed: ERR refused".into()));
    assert!(host.run(&["touch", "k"]).starts_with(b"-ERR unknown command 'touch'"));
    assert_eq!(host.info("services"), "");
    host.load(&plinth_module_entry, &[] as &[&str]).unwrap();
    host.run(&["touch", "k"]);
    assert_eq!(host.run(&["touch", "k"]), b":2\r\n", "one hook is told");
}
