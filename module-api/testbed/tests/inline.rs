//! The low level: inline values, everything that can be done to keys, and a type of two forms.
#![deny(unsafe_code)]
#![allow(missing_docs)]

use plinth_module::prelude::*;
use plinth_module::string::{Len, Opened, STRING_SERVICE, Scratch, StringProvider, StringService, Strings, table};
use plinth_testbed::Testbed;
use std::ffi::CStr;

static WORD: TypeHandle = TypeHandle::new();
const RAW: u32 = 0;
const INT: u32 = 1;

struct Word;

impl InlineType for Word {
    const NAME: &'static CStr = c"word";
    const RDB_TAGS: &'static [u8] = &[0];

    fn save(tag: u32, bytes: &[u8], out: &mut Saver<'_>) {
        out.tag(0);
        match <[u8; 8]>::try_from(bytes) {
            Ok(bytes) if tag == INT => out.bytes(i64::from_le_bytes(bytes).to_string().as_bytes()),
            _ => out.bytes(bytes),
        }
    }

    fn load<'l>(from: &'l mut Loader<'_>, encoding: u32) -> Result<Loaded<'l>> {
        assert_eq!(encoding, 0);
        let bytes = from.bytes()?;
        Ok(match plinth_module::number::parse_integer(bytes) {
            Some(value) => Loaded::small(INT, &value.to_le_bytes()),
            None => Loaded::bytes(RAW, bytes),
        })
    }

    fn encoding_name(tag: u32, _bytes: &[u8]) -> &'static str {
        if tag == INT { "int" } else { "raw" }
    }
}

/// Numbers, as bytes while they are few.
struct Bag;

impl MixedType for Bag {
    type Boxed = Vec<u8>;
    const NAME: &'static CStr = c"bag";

    fn save(value: Stored<'_, Vec<u8>>, out: &mut Saver<'_>) {
        out.put(match value {
            Stored::Inline { bytes, .. } => bytes,
            Stored::Boxed { value, .. } => value,
        });
    }

    fn load<'l>(from: &'l mut Loader<'_>, _encoding: u32) -> Result<Loaded<'l, Vec<u8>>> {
        let bytes = from.bytes()?;
        Ok(if bytes.len() > 4 { Loaded::boxed(1, bytes.to_vec()) } else { Loaded::bytes(0, bytes) })
    }

    fn memory(value: &Vec<u8>) -> usize {
        value.capacity()
    }

    fn encoding_name(value: Stored<'_, Vec<u8>>) -> &'static str {
        match value {
            Stored::Inline { .. } => "listpack",
            Stored::Boxed { .. } => "table",
        }
    }

    fn copy(value: &Vec<u8>) -> Option<Vec<u8>> {
        Some(value.clone())
    }
}

fn add(call: &mut Call<'_>) -> Result {
    let key = call.args.bytes(1);
    let number = u8::try_from(call.args.integer(2)?).map_err(|_| Error::OutOfRange)?;
    let handle = TypeHandle::of::<Bag>()?;
    let Some(mut entry) = call.keys.get_write(handle, key)? else {
        call.keys.put_bytes(handle, key, 0, &[number], 0)?;
        call.reply.count(1);
        return Ok(());
    };
    if entry.is_inline() && entry.bytes().len() == 4 {
        let all = [entry.bytes(), &[number]].concat();
        entry.set_boxed::<Bag>(1, all)?;
    } else if let Some(many) = entry.boxed::<Bag>() {
        many.push(number);
    } else {
        let len = entry.bytes().len();
        entry.resize(0, len + 1, true)?;
        entry.bytes_mut()[len] = number;
    }
    entry.modified(EVENT_MODULE, "add");
    let count = match entry.stored::<Bag>() {
        Some(Stored::Inline { bytes, .. }) => bytes.len(),
        Some(Stored::Boxed { value, tag }) => value.len() * tag as usize,
        None => 0,
    };
    call.reply.count(count);
    Ok(())
}

fn set(call: &mut Call<'_>) -> Result {
    let (key, value) = (call.args.bytes(1), call.args.bytes(2));
    match plinth_module::number::parse_integer(value) {
        Some(number) => call.keys.put_bytes(&WORD, key, INT, &number.to_le_bytes(), 0)?.modified(EVENT_STRING, "set"),
        None => call.keys.put_bytes(&WORD, key, RAW, value, PUT_KEEP_EXPIRY)?.modified(EVENT_STRING, "set"),
    }
    if call.args.word(3, "PX") {
        let at_ms = call.now_ms() + call.args.integer(4)?;
        let mut entry = call.keys.get_write(&WORD, key)?.ok_or(Error::None)?;
        entry.set_expire(Some(at_ms))?;
        assert_eq!(entry.expire_at_ms(), Some(at_ms));
    }
    call.reply.ok();
    Ok(())
}

fn get(call: &mut Call<'_>) -> Result {
    match call.keys.get(&WORD, call.args.bytes(1))? {
        None => call.reply.null(),
        Some(entry) if entry.tag() == INT => {
            let bytes = entry.bytes().try_into().map_err(|_| Error::BadData)?;
            call.reply.bulk_integer(i64::from_le_bytes(bytes));
        }
        Some(entry) => call.reply.bulk(entry.bytes()),
    }
    Ok(())
}

fn keys(call: &mut Call<'_>) -> Result {
    let mut cursor = 0;
    let mark = call.reply.open();
    let mut count = 0;
    loop {
        cursor = call.keys.scan(cursor, 3, |visited| {
            if !visited.is_expired {
                call.reply.bulk(visited.key);
                count += 1;
            }
        })?;
        if cursor == 0 {
            break;
        }
    }
    call.reply.close_set(mark, count);
    Ok(())
}

/// Every other function of the service, in one go.
fn all(call: &mut Call<'_>) -> Result {
    let keys = &mut call.keys;
    assert_eq!(keys.rename(b"a", b"b", true), Err(Error::Exists));
    keys.rename(b"a", b"b", false)?;
    assert_eq!(keys.rename(b"a", b"b", false), Err(Error::None));
    assert!(!keys.exists(b"a", GET_NO_TOUCH) && keys.exists(b"b", GET_NO_TOUCH));
    keys.copy(b"b", b"c", 3, false)?;
    assert_eq!(keys.copy(b"b", b"c", 3, false), Err(Error::Exists));
    assert_eq!(keys.copy(b"b", b"c", 99, false), Err(Error::DbRange));
    assert_eq!((keys.count(0), keys.count(3), keys.count(99)), (1, 1, 0));
    keys.move_to(b"b", 3)?;
    assert_eq!(keys.random(), None);
    keys.swap(0, 3)?;
    assert!(keys.random().is_some());
    let entry = keys.get_any(b"b", 0)?.ok_or(Error::None)?;
    let type_id = entry.type_id();
    let payload = entry.dump(<[u8]>::to_vec)?;
    assert_eq!(keys.type_name(type_id), b"word");
    assert_eq!(keys.type_id(b"word"), Some(type_id));
    assert_eq!(keys.type_id(b"nothing"), None);
    assert_eq!(keys.restore(b"b", &payload, Restore::default()), Err(Error::Exists));
    keys.restore(b"b", &payload, Restore { replace: true, expire_at_ms: Some(i64::MAX), ..Restore::default() })?;
    assert!(keys.remove(b"b", REMOVE_LAZY)? && !keys.remove(b"b", 0)?);
    keys.notify(b"b", EVENT_GENERIC, "del");
    assert_eq!(keys.flush(None, true), 1);
    assert_eq!(keys.scan(0, 10, |_| panic!("nothing is there")), Ok(0));
    call.reply.ok();
    Ok(())
}

/// Strings for others, out of words.
struct Provider;

impl StringProvider for Provider {
    fn get<'k>(
        call: &'k mut Call<'_>,
        key: &'k [u8],
        flags: u32,
        scratch: &'k mut Scratch,
    ) -> Result<Option<&'k [u8]>> {
        let Some(entry) = call.keys.get_with(&WORD, key, flags)? else { return Ok(None) };
        if entry.tag() == RAW {
            return Ok(Some(entry.into_bytes()));
        }
        let value = i64::from_le_bytes(entry.bytes().try_into().map_err(|_| Error::BadData)?).to_string();
        scratch[..value.len()].copy_from_slice(value.as_bytes());
        Ok(Some(&scratch[..value.len()]))
    }

    fn set(call: &mut Call<'_>, key: &[u8], bytes: &[u8]) -> Result {
        call.keys.put_bytes(&WORD, key, RAW, bytes, 0)?.modified(EVENT_STRING, "set");
        Ok(())
    }

    fn open<'k>(call: &'k mut Call<'_>, key: &'k [u8], len: Len) -> Result<Opened<'k>> {
        let (mut entry, is_new) = call.keys.get_or_put(&WORD, key, RAW, || Ok(len.from(0)))?;
        let before = if is_new { 0 } else { entry.bytes().len() };
        entry.resize(RAW, len.from(before), false)?;
        if let Some(added) = entry.bytes_mut().get_mut(before..) {
            added.fill(0);
        }
        Ok(Opened { bytes: entry.into_bytes_mut(), len_before: (!is_new).then_some(before) })
    }
}

static TABLE: StringService = table::<Provider>();
static STRINGS: Strings = Strings::new();

fn others(call: &mut Call<'_>) -> Result {
    STRINGS.resolve(call)?;
    let (keys, mut scratch) = (&mut call.keys, Scratch::default());
    assert_eq!(STRINGS.get(keys, b"none", &mut scratch), Ok(None));
    assert_eq!(STRINGS.get(keys, b"number", &mut scratch), Ok(Some(&b"12"[..])));
    STRINGS.set(keys, b"text", b"hello")?;
    assert_eq!(STRINGS.get(keys, b"text", &mut scratch), Ok(Some(&b"hello"[..])));
    STRINGS.edit(keys, b"bits", 3)?[1] = b'x';
    assert_eq!(STRINGS.edit(keys, b"empty", 0)?, b"");
    assert_eq!(STRINGS.open(keys, b"empty", 0)?.len_before, Some(0));
    assert_eq!(STRINGS.open(keys, b"new", 2)?.len_before, None);
    let cut = STRINGS.resize(keys, b"text", 4)?;
    assert_eq!((&*cut.bytes, cut.len_before), (&b"hell"[..], Some(5)));
    assert_eq!(STRINGS.resize(keys, b"text", 5)?.bytes, b"hell\0");
    let names: [&[u8]; 5] = [b"text", b"number", b"none", b"text", b"empty"];
    let held = STRINGS.hold(keys, names)?;
    let held: Vec<Option<&[u8]>> = held.iter().map(Option::as_deref).collect();
    assert_eq!(held, [Some(&b"hell\0"[..]), Some(b"12"), None, Some(b"hell\0"), Some(b"")]);
    call.reply.bulk(STRINGS.get(keys, b"bits", &mut scratch)?.ok_or(Error::None)?);
    Ok(())
}

const fn command(name: &'static str, arity: i32, handler: HandlerFn) -> Command {
    Command { name: text(name), arity, run: run(handler), ..Command::NEW }
}

export!(Module {
    name: "word",
    provides: &[provided(&TABLE)],
    types: &[Type::inline::<Word>(&WORD), Type::mixed::<Bag>()],
    commands: &[
        command("set", -3, set),
        command("get", 2, get),
        command("keys", 1, keys),
        command("all", 1, all),
        command("add", 3, add),
        command("others", 1, others),
    ],
    ..Module::NEW
});

fn host() -> Testbed {
    Testbed::new(&plinth_module_entry).expect("the module loads")
}

#[test]
fn inline_values_keep_bytes_and_tag() {
    let mut host = host();
    host.run(&["set", "k", "hello"]);
    assert_eq!(host.run(&["get", "k"]), b"$5\r\nhello\r\n");
    assert_eq!(host.encoding("k").as_deref(), Some("raw"));
    host.run(&["set", "k", "-12"]);
    assert_eq!(host.run(&["get", "k"]), b"$3\r\n-12\r\n");
    host.save_and_load("k").unwrap();
    assert_eq!(host.encoding("k").as_deref(), Some("int"));
    assert_eq!(host.run(&["get", "k"]), b"$3\r\n-12\r\n");
    host.run(&["set", "empty", ""]);
    assert_eq!(host.run(&["get", "empty"]), b"$0\r\n\r\n");
    host.save_and_load("empty").unwrap();
}

#[test]
fn a_key_expires_when_time_has_passed() {
    let mut host = host();
    host.run(&["set", "k", "v", "px", "100"]);
    host.advance_ms(100);
    assert_eq!(host.run(&["get", "k"]), b"$1\r\nv\r\n");
    // Its last millisecond is over.
    host.advance_ms(1);
    host.take_events();
    assert_eq!(host.run(&["get", "k"]), b"$-1\r\n");
    assert_eq!(host.take_event_names(), ["expired"]);
}

#[test]
fn a_scan_visits_every_key_once() {
    let mut host = host();
    for number in 0..20 {
        host.run(&["set", &format!("k{number}"), "v"]);
    }
    host.set_resp3(true);
    let reply = host.run(&["keys"]);
    assert!(reply.starts_with(b"~20\r\n"));
    let text = String::from_utf8(reply).unwrap();
    assert!((0..20).all(|number| text.matches(&format!("k{number}\r\n")).count() == 1));
}

#[test]
fn every_function_of_the_service_is_reached() {
    let mut host = host();
    host.run(&["set", "a", "1"]);
    host.run(&["set", "b", "2"]);
    assert_eq!(String::from_utf8(host.run(&["all"])).unwrap(), "+OK\r\n", "{:?}", host.take_log());
}

#[test]
fn strings_serve_other_modules() {
    let mut host = host();
    assert_eq!(STRING_SERVICE, "plinth.string/1");
    host.run(&["set", "number", "12"]);
    assert_eq!(host.run(&["others"]), b"$3\r\n\0x\0\r\n", "{:?}", host.take_log());
}

#[test]
fn a_mixed_value_moves_to_a_box_and_back_through_a_file() {
    let mut host = host();
    for number in 0..6 {
        let encoding = if number < 5 { "listpack" } else { "table" };
        if number > 0 {
            assert_eq!(host.encoding("b").as_deref(), Some(encoding), "{number}");
        }
        let reply = host.run(&["add", "b", &number.to_string()]);
        assert_eq!(reply, format!(":{}\r\n", number + 1).into_bytes());
        host.save_and_load("b").unwrap();
    }
    host.run(&["set", "w", "x"]);
    assert!(host.run(&["add", "w", "1"]).starts_with(b"-WRONGTYPE"));
}
