//! The commands as a client sees them: arguments in, RESP out, with the encodings, the events, and
//! what is passed on to replicas.

#![deny(unsafe_code)]
#![allow(missing_docs, clippy::unwrap_used)]

use plinth_module::abi;
use plinth_module::prelude::*;
use plinth_module::string::{Opened, Scratch, Strings};
use plinth_testbed::{KeyEvent, Testbed};
use proptest::prelude::{Strategy, any, prop, prop_oneof, proptest};
use std::ffi::CStr;

static BAG: TypeHandle = TypeHandle::new();
static STRINGS: Strings = Strings::new();

/// A type of another module.
struct Bag;

impl InlineType for Bag {
    const NAME: &'static CStr = c"bag";

    fn save(_tag: u32, bytes: &[u8], out: &mut Saver<'_>) {
        out.put(bytes);
    }

    fn load<'l>(from: &'l mut Loader<'_>, _encoding: u32) -> Result<Loaded<'l>> {
        Ok(Loaded::bytes(0, from.bytes()?))
    }
}

fn bag(call: &mut Call<'_>) -> Result {
    call.keys.put_bytes(&BAG, call.args.bytes(1), 0, b"x", 0)?;
    call.reply.ok();
    Ok(())
}

fn lend(call: &mut Call<'_>) -> Result {
    STRINGS.resolve(call)?;
    let bytes = STRINGS.get(&mut call.keys, call.args.bytes(1), &mut Scratch::default())?.map(<[u8]>::to_vec);
    match bytes {
        Some(bytes) => call.reply.bulk(bytes),
        None => call.reply.null(),
    }
    Ok(())
}

fn give(call: &mut Call<'_>) -> Result {
    STRINGS.resolve(call)?;
    STRINGS.set(&mut call.keys, call.args.bytes(1), call.args.bytes(2))?;
    call.reply.ok();
    Ok(())
}

fn edit(call: &mut Call<'_>) -> Result {
    STRINGS.resolve(call)?;
    let len_min = call.args.integer(2)? as usize;
    let bytes = STRINGS.edit(&mut call.keys, call.args.bytes(1), len_min)?;
    if let Some(first) = bytes.first_mut() {
        *first = b'#';
    }
    call.reply.bulk(bytes);
    Ok(())
}

fn open(call: &mut Call<'_>) -> Result {
    STRINGS.resolve(call)?;
    let len_min = call.args.integer(2)? as usize;
    let opened = STRINGS.open(&mut call.keys, call.args.bytes(1), len_min)?;
    reply_opened(&mut call.reply, &opened);
    Ok(())
}

fn resize(call: &mut Call<'_>) -> Result {
    STRINGS.resolve(call)?;
    let len = call.args.integer(2)? as usize;
    let opened = STRINGS.resize(&mut call.keys, call.args.bytes(1), len)?;
    reply_opened(&mut call.reply, &opened);
    Ok(())
}

/// Length before, and the bytes with `.` for zero bytes.
fn reply_opened(reply: &mut ReplyBuffer<'_>, opened: &Opened<'_>) {
    let shown: Vec<u8> = opened.bytes.iter().map(|&byte| if byte == 0 { b'.' } else { byte }).collect();
    reply.array(2);
    match opened.len_before {
        Some(len) => reply.count(len),
        None => reply.null(),
    }
    reply.bulk(shown);
}

fn hold(call: &mut Call<'_>) -> Result {
    STRINGS.resolve(call)?;
    let strings = STRINGS.hold(&mut call.keys, call.args.from(1))?;
    call.reply.array(strings.len());
    for string in &strings {
        match string {
            Some(string) => call.reply.bulk(&**string),
            None => call.reply.null(),
        }
    }
    Ok(())
}

/// The module that uses the service. `export!` makes one symbol per binary, and that is the tested
/// module's: what every Rust module has in its entry is taken from there.
static OTHER: abi::entry::Module = abi::entry::Module {
    name: text("other"),
    types: list(&[Type::inline::<Bag>(&BAG).description()]),
    commands: list(&[
        Command { name: text("bag"), arity: 2, flags: COMMAND_WRITE, run: run(bag), ..Command::NEW },
        Command { name: text("lend"), arity: 2, flags: COMMAND_READONLY, run: run(lend), ..Command::NEW },
        Command { name: text("give"), arity: 3, flags: COMMAND_WRITE, run: run(give), ..Command::NEW },
        Command { name: text("open"), arity: 3, flags: COMMAND_WRITE, run: run(open), ..Command::NEW },
        Command { name: text("resize"), arity: 3, flags: COMMAND_WRITE, run: run(resize), ..Command::NEW },
        Command { name: text("hold"), arity: -2, flags: COMMAND_READONLY, run: run(hold), ..Command::NEW },
        Command { name: text("edit"), arity: 3, flags: COMMAND_WRITE, run: run(edit), ..Command::NEW },
    ]),
    provides: list(&[]),
    ..plinth_string::plinth_module_entry
};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value|";

struct Server(Testbed);

impl Server {
    fn new() -> Server {
        let mut host = Testbed::new(&plinth_string::plinth_module_entry).unwrap();
        host.load(&OTHER, &[] as &[&str]).unwrap();
        Server(host)
    }

    /// Runs a line of words and returns the reply, with `|` for line ends. `''` is the empty word.
    fn run(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').map(|word| if word == "''" { "" } else { word }).collect();
        String::from_utf8_lossy(&self.0.run(&words)).replace("\r\n", "|")
    }

    #[track_caller]
    fn expect(&mut self, line: &str, reply: &str) {
        assert_eq!(self.run(line), reply, "{line}");
    }

    #[track_caller]
    fn expect_encoding(&mut self, key: &str, encoding: &str) {
        assert_eq!(self.0.encoding(key).as_deref(), Some(encoding), "{key}");
    }

    /// The events since the last time: name, key, and `!` when it counts as a change.
    fn events(&mut self) -> Vec<String> {
        let show = |event: KeyEvent| {
            let key = String::from_utf8_lossy(&event.key).into_owned();
            let is_string = !matches!(&*event.name, "del" | "expire" | "persist" | "expired");
            assert!(event.name == "expired" || event.class == if is_string { EVENT_STRING } else { EVENT_GENERIC });
            format!("{} {key}{}", event.name, if event.is_modified { "!" } else { "" })
        };
        self.0.take_events().into_iter().map(show).collect()
    }

    /// What replicas were told since the last time.
    fn propagated(&mut self) -> Vec<String> {
        let show = |args: Vec<Vec<u8>>| String::from_utf8_lossy(&args.join(&b' ')).into_owned();
        self.0.take_propagated().into_iter().map(show).collect()
    }

    /// Forgets events and what was passed on.
    fn forget(&mut self) {
        self.0.take_events();
        self.0.take_propagated();
    }
}

#[test]
fn a_string_takes_the_form_that_its_content_allows() {
    let mut server = Server::new();
    let (short, long) = ("x".repeat(44), "x".repeat(45));
    for (value, encoding) in [("12", "int"), ("-9223372036854775808", "int"), ("012", "embstr"), ("", "embstr")] {
        server.0.run(&["set", "k", value]);
        server.expect_encoding("k", encoding);
        assert_eq!(server.0.run(&["get", "k"]), format!("${}\r\n{value}\r\n", value.len()).into_bytes());
        server.0.save_and_load("k").unwrap();
        server.expect_encoding("k", encoding);
    }
    for (value, encoding) in [(short, "embstr"), (long, "raw")] {
        server.expect(&format!("set k {value}"), "+OK|");
        server.expect_encoding("k", encoding);
    }
    server.expect("append n 12", ":2|");
    server.expect_encoding("n", "int");
    server.expect("append n 3", ":3|");
    server.expect_encoding("n", "raw");
    server.expect("incr n", ":124|");
    server.expect_encoding("n", "int");
    server.expect("setrange n 1 9", ":3|");
    server.expect_encoding("n", "raw");
    server.expect("get n", "$3|194|");
    server.0.save_and_load("n").unwrap();
    server.expect_encoding("n", "int");
    server.expect("incrbyfloat n 1", "$3|195|");
    server.expect_encoding("n", "embstr");
}

#[test]
fn set_says_when_it_may() {
    let mut server = Server::new();
    server.expect("set k a xx", "$-1|");
    server.expect("set k a nx", "+OK|");
    server.expect("set k b NX", "$-1|");
    server.expect("set k b Xx", "+OK|");
    server.expect("set k c nx get", "$1|b|");
    server.expect("set k c get", "$1|b|");
    server.expect("set none c xx get", "$-1|");
    server.expect("set k d ifeq b", "$-1|");
    server.expect("set k d ifeq c", "+OK|");
    server.expect("set k 7 ifeq d get", "$1|d|");
    server.expect("set k e ifeq 8 get", "$1|7|");
    server.expect("set k e ifeq 7", "+OK|");
    server.expect("set none e ifeq ''", "$-1|");
    server.expect("setnx k f", ":0|");
    server.expect("setnx l f", ":1|");
    server.expect("getset l g", "$1|f|");
    server.expect("getset none g", "$-1|");
    for options in
        ["nx xx", "xx nx", "ifeq", "ifeq a nx", "xx ifeq a", "ifeq a ifeq b", "persist", "''", "ex", "get get x"]
    {
        server.expect(&format!("set k v {options}"), "-ERR syntax error|");
    }
    server.expect("get k", "$1|e|");
}

#[test]
fn set_says_until_when() {
    let mut server = Server::new();
    let now_ms = server.0.now_ms();
    for (options, at_ms) in [
        ("ex 10", Some(now_ms + 10_000)),
        ("keepttl", Some(now_ms + 10_000)),
        ("px 10 PX 20", Some(now_ms + 20)),
        ("exat 2000000000", Some(2_000_000_000_000)),
        ("get pxat 2000000000001 xx", Some(2_000_000_000_001)),
        ("nx ex 10", Some(2_000_000_000_001)),
        ("get", None),
        ("keepttl keepttl", None),
    ] {
        server.run(&format!("set k v {options}"));
        assert_eq!(server.0.expire_at_ms("k"), at_ms, "{options}");
    }
    for options in ["ex 0", "px -1", "ex 9223372036854775", "ex 9223372036854775807", "px 9223372036854775807"] {
        server.expect(&format!("set k w {options}"), "-ERR invalid expire time in 'set' command|");
    }
    for options in ["ex x", "px 1.5", "exat 9223372036854775808"] {
        server.expect(&format!("set k w {options}"), "-ERR value is not an integer or out of range|");
    }
    for options in ["ex 1 px 1", "ex 1 exat 1", "keepttl ex 1", "px 1 keepttl"] {
        server.expect(&format!("set k w {options}"), "-ERR syntax error|");
    }
    server.expect("setex k 0 w", "-ERR invalid expire time in 'setex' command|");
    server.expect("psetex k -1 w", "-ERR invalid expire time in 'psetex' command|");
    server.expect("get k", "$1|v|");
    server.expect("setex k 10 w", "+OK|");
    assert_eq!(server.0.expire_at_ms("k"), Some(now_ms + 10_000));
    server.expect("psetex k 10 w", "+OK|");
    server.0.advance_ms(11);
    server.expect("set k w keepttl", "+OK|");
    assert_eq!(server.0.expire_at_ms("k"), None);
}

#[test]
fn a_change_is_announced_and_passed_on_without_what_time_decides() {
    let mut server = Server::new();
    let now_ms = server.0.now_ms();
    let at_ms = now_ms + 10_000;
    server.run("set gone v");
    for (line, events, passed_on) in [
        ("set k 5", "set k!", "set k 5".to_owned()),
        ("set k 6 xx get", "set k!", "SET k 6".to_owned()),
        ("set k 6 ex 10", "set k!,expire k", format!("SET k 6 PXAT {at_ms}")),
        ("set k 6 get keepttl", "set k!", "SET k 6 KEEPTTL".to_owned()),
        ("set k 7 nx", "", String::new()),
        ("setex k 10 6", "set k!,expire k", format!("SET k 6 PXAT {at_ms}")),
        ("getset k 6", "set k!", "SET k 6".to_owned()),
        ("incr k", "incrby k!", "incr k".to_owned()),
        ("incrbyfloat k 0.5", "incrbyfloat k!", "SET k 7.5 KEEPTTL".to_owned()),
        ("append k x", "append k!", "append k x".to_owned()),
        ("setrange k 0 y", "setrange k!", "setrange k 0 y".to_owned()),
        ("setrange k 0 ''", "", String::new()),
        ("getex k", "", String::new()),
        ("getex k persist", "", String::new()),
        ("getex k px 10000", "expire k!", format!("PEXPIREAT k {at_ms}")),
        ("getex k persist", "persist k!", "PERSIST k".to_owned()),
        ("getex k exat 1", "del k!", "DEL k".to_owned()),
        ("getdel k", "", String::new()),
        ("getdel gone", "del gone!", "DEL gone".to_owned()),
        ("mset a 1 b 2", "set a!,set b!", "mset a 1 b 2".to_owned()),
        ("msetnx a 1 c 2", "", String::new()),
        (
            "msetex 2 a 1 b 2 ex 10",
            "set a!,expire a,set b!,expire b",
            format!("SET a 1 PXAT {at_ms};SET b 2 PXAT {at_ms}"),
        ),
        ("delifeq a 2", "", String::new()),
        ("delifeq a 1", "del a!", "DEL a".to_owned()),
    ] {
        server.forget();
        server.run(line);
        assert_eq!(server.events().join(","), events, "{line}");
        assert_eq!(server.propagated().join(";"), passed_on, "{line}");
    }
}

#[test]
fn counting_stays_within_64_bits() {
    let mut server = Server::new();
    server.expect("incr n", ":1|");
    server.expect("decrby n 3", ":-2|");
    server.expect("incrby n 9223372036854775807", ":9223372036854775805|");
    server.expect("incrby n 3", "-ERR increment or decrement would overflow|");
    server.expect("incrby n 2", ":9223372036854775807|");
    server.expect("decrby m -9223372036854775808", "-ERR decrement would overflow|");
    server.expect("decrby m 9223372036854775807", ":-9223372036854775807|");
    server.expect("decr m", ":-9223372036854775808|");
    server.expect("decr m", "-ERR increment or decrement would overflow|");
    for value in ["x", "1.0", "9223372036854775808", "''"] {
        server.run(&format!("set k {value}"));
        server.expect("incr k", "-ERR value is not an integer or out of range|");
    }
    server.expect("incrby n x", "-ERR value is not an integer or out of range|");
}

#[test]
fn a_float_reads_as_people_wrote_it() {
    let mut server = Server::new();
    server.expect("incrbyfloat f 10.50", "$4|10.5|");
    server.expect("incrbyfloat f 0.1", "$4|10.6|");
    server.expect("incrbyfloat f -5", "$3|5.6|");
    server.expect("set f 5.0e3", "+OK|");
    server.expect("incrbyfloat f 2.0e2", "$4|5200|");
    server.expect("incrbyfloat f inf", "-ERR increment would produce NaN or Infinity|");
    server.expect("incrbyfloat f nan", "-ERR value is not a valid float|");
    server.expect("set f x", "+OK|");
    server.expect("incrbyfloat f 1", "-ERR value is not a valid float|");
    server.expect("set f 1e4932", "+OK|");
    server.expect("incrbyfloat f 1e4932", "-ERR increment would produce NaN or Infinity|");
}

#[test]
fn parts_are_read_and_written_by_position() {
    let mut server = Server::new();
    server.expect("setrange k 3 abc", ":6|");
    server.expect("get k", "$6|\0\0\0abc|");
    server.expect("setrange k 1 xy", ":6|");
    server.expect("getrange k 1 -2", "$4|xyab|");
    server.expect("substr k -3 -1", "$3|abc|");
    server.expect("getrange none 0 -1", "$0||");
    server.expect("strlen k", ":6|");
    server.expect("set n 12345", "+OK|");
    server.expect("getrange n 1 2", "$2|23|");
    server.expect("strlen n", ":5|");
    server.expect("setrange n 7 x", ":8|");
    server.expect("get n", "$8|12345\0\0x|");
    server.expect("setrange none 5 ''", ":0|");
    server.expect("setrange k -1 x", "-ERR offset is out of range|");
    let too_large = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)|";
    server.expect("setrange k 536870912 x", too_large);
    server.expect("setrange k 9223372036854775807 x", too_large);
    server.expect("setrange new 536870912 x", too_large);
    assert!(!server.0.has("new"));
}

#[test]
fn many_keys_are_read_and_set_at_once() {
    let mut server = Server::new();
    server.run("bag other");
    server.expect("mset a 1 b x", "+OK|");
    server.expect("mget a none other b", "*4|$1|1|$-1|$-1|$1|x|");
    server.expect("mset a", "-ERR wrong number of arguments for 'mset' command|");
    server.expect("mset a 1 b", "-ERR wrong number of arguments for 'mset' command|");
    server.expect("msetnx a 1 b", "-ERR wrong number of arguments for 'msetnx' command|");
    server.expect("msetnx c 1 other 2", ":0|");
    server.expect("msetnx c 1 c 2", ":1|");
    server.expect("get c", "$1|2|");
    server.expect("msetex 2 a 1 d 2 xx", ":0|");
    server.expect("msetex 2 a 1 d 2 nx", ":0|");
    server.expect("msetex 2 d 1 e 2 NX ex 10", ":1|");
    server.expect("msetex 2 d 1 e 2 XX keepttl", ":1|");
    assert!(server.0.expire_at_ms("e").is_some());
    server.expect("msetex 2 d 1 e 2", ":1|");
    assert!(server.0.expire_at_ms("e").is_none());
    for pairs in ["0", "-1", "x", "2147483648"] {
        server.expect(&format!("msetex {pairs} a 1"), "-ERR invalid numkeys value or out of range|");
    }
    for line in ["2 a 1", "2147483647 a 1", "1 a 1 nx xx", "1 a 1 get", "1 a 1 ex", "1 a 1 ifeq 1", "1 a 1 persist"] {
        server.expect(&format!("msetex {line}"), "-ERR syntax error|");
    }
    server.expect("msetex 1 a 1 ex 0", "-ERR invalid expire time in 'msetex' command|");
}

#[test]
fn getex_decides_how_long_a_string_stays() {
    let mut server = Server::new();
    let now_ms = server.0.now_ms();
    server.expect("set k v", "+OK|");
    for (options, at_ms) in [
        ("px 500", Some(now_ms + 500)),
        ("", Some(now_ms + 500)),
        ("persist", None),
        ("exat 2000000000", Some(2_000_000_000_000)),
        ("PXAT 2000000000001", Some(2_000_000_000_001)),
        ("ex 5 ex 6", Some(now_ms + 6000)),
    ] {
        server.expect(format!("getex k {options}").trim_end(), "$1|v|");
        assert_eq!(server.0.expire_at_ms("k"), at_ms, "{options}");
    }
    for options in ["keepttl", "nx", "ex", "ex 1 persist", "persist px 1", "ex 1 px 1"] {
        server.expect(&format!("getex k {options}"), "-ERR syntax error|");
    }
    server.expect("getex k ex 0", "-ERR invalid expire time in 'getex' command|");
    server.expect("getex none ex 0", "$-1|");
    server.expect(&format!("getex k pxat {now_ms}"), "$1|v|");
    assert!(!server.0.has("k"));
}

#[test]
fn lcs_answers_with_text_length_or_matches() {
    let mut server = Server::new();
    server.run("mset a ohmytext b mynewtext n 123");
    server.run("bag other");
    server.expect("lcs a b", "$6|mytext|");
    server.expect("lcs a b len", ":6|");
    server.expect("lcs a none", "$0||");
    server.expect("lcs a none idx", "*4|$7|matches|*0|$3|len|:0|");
    server.expect("lcs n n", "$3|123|");
    let (text, my) = ("*2|*2|:4|:7|*2|:5|:8|", "*2|*2|:2|:3|*2|:0|:1|");
    server.expect("lcs a b idx", &format!("*4|$7|matches|*2|{text}{my}$3|len|:6|"));
    server.expect("lcs a b idx minmatchlen 4", &format!("*4|$7|matches|*1|{text}$3|len|:6|"));
    let text = "*3|*2|:4|:7|*2|:5|:8|:4|";
    server.0.set_resp3(true);
    server.expect("lcs a b IDX MINMATCHLEN 4 WITHMATCHLEN", &format!("%2|$7|matches|*1|{text}$3|len|:6|"));
    server.expect("lcs a other len", "-ERR The specified keys must contain string values|");
    server.expect("lcs a b len idx", "-ERR If you want both the length and indexes, please just use IDX.|");
    server.expect("lcs a b minmatchlen", "-ERR syntax error|");
    server.expect("lcs a b minmatchlen x", "-ERR value is not an integer or out of range|");
    server.run("setrange long 600000 x");
    server.expect("lcs a long len", ":1|");
    server.expect("lcs long long", "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len|");
}

#[test]
fn what_is_no_string_is_left_alone() {
    let mut server = Server::new();
    server.run("bag k");
    for line in [
        "get k",
        "set k v get",
        "set k v ifeq x",
        "getset k v",
        "getdel k",
        "getex k",
        "strlen k",
        "incr k",
        "incrby k 1",
        "incrbyfloat k 1",
        "append k x",
        "setrange k 0 x",
        "setrange k 0 ''",
        "getrange k 0 1",
        "delifeq k x",
        "lend k",
        "edit k 1",
    ] {
        server.expect(line, WRONG_TYPE);
    }
    server.expect("setnx k v", ":0|");
    server.expect("set k v xx", "+OK|");
    server.expect("get k", "$1|v|");
    server.run("bag k");
    server.expect("mset k w", "+OK|");
    server.expect("get k", "$1|w|");
}

#[test]
fn nothing_changes_when_memory_is_refused() {
    let mut server = Server::new();
    server.run("set k v ex 100");
    server.run("set n 1");
    server.forget();
    server.0.refuse_memory(true);
    for line in
        ["set new v", "set k longer", "set k longer get", "append k x", "setrange k 5 x", "incr new", "append n 1"]
    {
        let reply = server.run(line);
        assert!(reply.starts_with("-OOM"), "{line}: {reply}");
    }
    server.0.refuse_memory(false);
    assert_eq!(server.events(), [] as [&str; 0]);
    server.expect("get k", "$1|v|");
    server.expect("get n", "$1|1|");
    assert!(!server.0.has("new") && server.0.expire_at_ms("k").is_some());
}

#[test]
fn other_modules_are_told_what_a_string_was_and_set_its_length() {
    let mut server = Server::new();
    server.expect("open k 2", "*2|$-1|$2|..|");
    server.expect("setrange k 0 ab", ":2|");
    server.expect("open k 1", "*2|:2|$2|ab|");
    server.expect("open k 3", "*2|:2|$3|ab.|");
    server.expect("resize k 1", "*2|:3|$1|a|");
    server.expect("resize k 4", "*2|:1|$4|a...|");
    server.expect("resize k 0", "*2|:4|$0||");
    server.expect("resize n 3", "*2|$-1|$3|...|");
    for (number, len, reply) in [("-1234", 2, "*2|:5|$2|-1|"), ("77", 2, "*2|:2|$2|77|"), ("7", 3, "*2|:1|$3|7..|")] {
        server.expect(&format!("set n {number}"), "+OK|");
        server.expect(&format!("resize n {len}"), reply);
        server.expect_encoding("n", "raw");
    }
    server.expect("set n 5", "+OK|");
    server.expect("open n 1", "*2|:1|$1|5|");
    server.expect_encoding("n", "raw");
    server.expect("bag b", "+OK|");
    for line in ["open b 1", "resize b 0", "hold k b"] {
        server.expect(line, WRONG_TYPE);
    }
    for line in ["open new 536870913", "resize new 536870913", "resize k 536870913"] {
        assert!(server.run(line).starts_with("-ERR string exceeds maximum allowed size"), "{line}");
    }
    server.expect("get new", "$-1|");
}

#[test]
fn several_strings_are_held_at_one_time() {
    let mut server = Server::new();
    let long = "x".repeat(100);
    server.expect(&format!("mset a 12 b text c {long} d -9223372036854775808"), "+OK|");
    let reply = format!("*6|$2|12|$4|text|$100|{long}|$20|-9223372036854775808|$2|12|$-1|");
    server.expect("hold a b c d a none", &reply);
    server.expect("hold none", "*1|$-1|");
}

#[test]
fn other_modules_read_set_and_edit_strings() {
    let mut server = Server::new();
    server.run("mset text abc number -12");
    server.expect("lend text", "$3|abc|");
    server.expect("lend number", "$3|-12|");
    server.expect("lend none", "$-1|");
    server.run("set text abc ex 10");
    server.forget();
    server.expect("give text 77", "+OK|");
    assert_eq!(server.events(), ["set text!"]);
    assert_eq!(server.0.expire_at_ms("text"), None);
    server.expect_encoding("text", "int");
    server.expect("edit text 0", "$2|#7|");
    server.expect_encoding("text", "raw");
    server.expect("edit text 4", "$4|#7\0\0|");
    server.expect("edit number 5", "$5|#12\0\0|");
    server.expect("edit new 2", "$2|#\0|");
    server.expect("edit empty 0", "$0||");
    assert!(server.0.has("empty"));
    server.expect("edit new 536870913", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)|");
}

#[derive(Clone, Debug)]
enum Step {
    Set(Vec<u8>),
    Append(Vec<u8>),
    SetRange(usize, Vec<u8>),
    GetRange(i64, i64),
    Increase(i64),
    Reload,
}

fn step() -> impl Strategy<Value = Step> {
    let bytes =
        || prop_oneof![prop::collection::vec(any::<u8>(), 0..60), any::<i64>().prop_map(|n| n.to_string().into())];
    prop_oneof![
        bytes().prop_map(Step::Set),
        bytes().prop_map(Step::Append),
        (0usize..100, bytes()).prop_map(|(at, part)| Step::SetRange(at, part)),
        (-70i64..70, -70i64..70).prop_map(|(start, end)| Step::GetRange(start, end)),
        any::<i64>().prop_map(Step::Increase),
        proptest::prelude::Just(Step::Reload),
    ]
}

/// What a step does to a plain vector, and the reply.
fn model(value: &mut Vec<u8>, step: &Step) -> Option<Vec<u8>> {
    let bulk = |text: &[u8]| [format!("${}\r\n", text.len()).as_bytes(), text, b"\r\n"].concat();
    let integer = |number: i64| format!(":{number}\r\n").into_bytes();
    Some(match step {
        Step::Set(new) => {
            value.clone_from(new);
            b"+OK\r\n".to_vec()
        }
        Step::Append(tail) => {
            value.extend_from_slice(tail);
            integer(value.len() as i64)
        }
        Step::SetRange(at, part) => {
            if !part.is_empty() {
                value.resize(value.len().max(at + part.len()), 0);
                value[*at..at + part.len()].copy_from_slice(part);
            }
            integer(value.len() as i64)
        }
        Step::GetRange(start, end) => bulk(&value[plinth_string_commands::range::range(value.len(), *start, *end)]),
        Step::Increase(by) => {
            let number: i64 = std::str::from_utf8(value).ok()?.parse().ok()?;
            if number.to_string().as_bytes() != &value[..] {
                return None;
            }
            *value = number.checked_add(*by)?.to_string().into();
            integer(number + by)
        }
        Step::Reload => return None,
    })
}

proptest! {
    #[test]
    fn a_string_is_a_vector_of_bytes_to_all_commands(steps in prop::collection::vec(step(), 1..40)) {
        let mut server = Server::new();
        let mut value = Vec::new();
        server.run("set k ''");
        for step in steps {
            let args: Vec<Vec<u8>> = match &step {
                Step::Set(new) => vec![b"set".to_vec(), b"k".to_vec(), new.clone()],
                Step::Append(tail) => vec![b"append".to_vec(), b"k".to_vec(), tail.clone()],
                Step::SetRange(at, part) => {
                    vec![b"setrange".to_vec(), b"k".to_vec(), at.to_string().into(), part.clone()]
                }
                Step::GetRange(start, end) => {
                    vec![b"getrange".to_vec(), b"k".to_vec(), start.to_string().into(), end.to_string().into()]
                }
                Step::Increase(by) => vec![b"incrby".to_vec(), b"k".to_vec(), by.to_string().into()],
                Step::Reload => {
                    server.0.save_and_load("k").unwrap();
                    continue;
                }
            };
            let reply = server.0.run(&args);
            match model(&mut value, &step) {
                Some(expected) => assert_eq!(reply, expected),
                None => assert_eq!(reply[0], b'-'),
            }
            assert_eq!(server.0.run(&["get", "k"]), [format!("${}\r\n", value.len()).as_bytes(), &value, b"\r\n"].concat());
        }
    }
}
