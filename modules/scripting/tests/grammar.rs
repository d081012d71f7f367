//! Scripts that a grammar over the API makes: with errors, deep nesting, odd arguments, what others left in the
//! globals. The server lives, answers each with one reply, and has its memory back at the end.
//!
//! `cargo xtask scripts --seconds 1200` runs it for long; `PLINTH_SEED` makes others.

#![allow(missing_docs)]

use plinth_fuzz::Random;
use plinth_testkit::{Client, Server, assert_wire};
use std::time::{Duration, Instant};

/// Seconds of a run that nobody has asked for more of.
const SECONDS: u64 = 3;
/// Scripts between two looks at the memory.
const ROUND: usize = 500;

struct Grammar {
    random: Random,
}

/// Expressions without others in them.
const LEAVES: &[&str] = &[
    "nil",
    "true",
    "1",
    "-0.5",
    "1e308",
    "0/0",
    "'x'",
    "''",
    "ARGV[1]",
    "KEYS[1]",
    "KEYS",
    "ARGV",
    "a",
    "b",
    "{}",
    "cjson.null",
    "redis.REPL_ALL",
    "string",
    "redis",
    "2^53",
    "'\\0\\255'",
    "_G",
    "nosuch",
];

/// Commands that scripts run.
const COMMANDS: &[&str] = &[
    "set",
    "get",
    "incr",
    "lpush",
    "lrange",
    "hset",
    "hgetall",
    "del",
    "zadd",
    "eval",
    "nosuch",
    "expire",
    "type",
    "mget",
    "config",
    "select",
    "subscribe",
    "blpop",
    "multi",
    "spop",
    "info",
    "debug",
    "sort",
];

impl Grammar {
    fn one<'a>(&mut self, all: &[&'a str]) -> &'a str {
        self.random.one(all)
    }

    fn expression(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.one(LEAVES).into();
        }
        let mut inner = || self.expression(depth - 1);
        let (one, other) = (inner(), inner());
        match self.random.below(24) {
            0 => format!("({one} {} {other})", self.one(&["+", "-", "*", "/", "%", "^", "..", "==", "<", "and", "or"])),
            1 => format!("{{{one}, {other}, k = {one}}}"),
            2 => format!("{{[{one}] = {other}}}"),
            3 => format!("pcall(function() return {one} end)"),
            4 => {
                let command = self.one(COMMANDS);
                format!("redis.{}('{command}', {one}, {other})", self.one(&["call", "pcall", "pcall"]))
            }
            5 => format!("redis.pcall('set', {}, {one})", self.one(&["KEYS[1]", "'k2'", "ARGV[1]"])),
            6 => format!("cjson.encode({one})"),
            7 => format!("cjson.decode({one})"),
            8 => format!("cmsgpack.pack({one}, {other})"),
            9 => format!("cmsgpack.unpack({one})"),
            10 => format!("struct.{}({one}, {other})", self.one(&["pack", "unpack", "size"])),
            11 => format!(
                "string.{}({one}, {other})",
                self.one(&["rep", "find", "gsub", "format", "byte", "sub", "match", "char"])
            ),
            12 => format!("string.rep('ab', {})", self.one(&["3", "1000", "1e5", "-1", "1e9"])),
            13 => format!("tostring({one})"),
            14 => format!("tonumber({one}, {other})"),
            15 => format!(
                "redis.{}({one})",
                self.one(&["error_reply", "status_reply", "sha1hex", "setresp", "set_repl", "acl_check_cmd"])
            ),
            16 => format!("setmetatable({one}, {other})"),
            17 => format!("rawset({one}, {other}, 1)"),
            18 => format!("loadstring({one})"),
            19 => format!("(function(...) local a = ... return a, {one} end)({other})"),
            20 => {
                format!("table.{}({one}, {other})", self.one(&["concat", "insert", "remove", "sort", "getn", "maxn"]))
            }
            21 => format!("select({}, {one}, {other})", self.one(&["1", "-1", "'#'", "9", "0"])),
            22 => format!("unpack({one}, 1, {})", self.one(&["3", "8000", "1e6", "2^31", "-1"])),
            _ => format!("bit.{}({one}, {other})", self.one(&["band", "lshift", "tohex", "bnot", "rol"])),
        }
    }

    fn statement(&mut self, depth: usize) -> String {
        let value = self.expression(depth);
        match self.random.below(12) {
            0..4 => format!("local a = {value}"),
            4 => format!("local b = {value}"),
            5 => format!("for at = 1, 20 do local c = {value} end"),
            6 => format!("if {value} then a = 1 else local d = 2 end"),
            7 => format!("error({value})"),
            8 => format!("redis.log(redis.LOG_DEBUG, {value})"),
            9 => format!("local function f(n) if n == 0 then return {value} end return f(n - 1) end f(50)"),
            10 => "local function deep() return 1 + deep() end pcall(deep)".into(),
            _ => format!("local made = coroutine.wrap(function() coroutine.yield({value}) end) made()"),
        }
    }

    fn script(&mut self) -> String {
        let depth = self.random.below(4);
        let mut lines: Vec<String> = vec!["local a, b".into()];
        lines.extend((0..self.random.below(5)).map(|_| self.statement(depth)));
        let value = match self.random.below(12) {
            0 => {
                let levels = 1 + self.random.below(400);
                format!("{}1{}", "{".repeat(levels), "}".repeat(levels))
            }
            1 => "(function() local t = {} t[1] = t return t end)()".into(),
            2 => "(function() local t = {} for at = 1, 300 do t = {t, map = at % 7 == 0 and {k = t} or nil} end return t end)()".into(),
            _ => self.expression(depth),
        };
        lines.push(format!("return {value}"));
        let mut text = lines.join("\n");
        if self.random.once_in(20) {
            let at = self.random.below(text.len());
            text.truncate(if text.is_char_boundary(at) { at } else { 0 });
        }
        text
    }
}

fn asked(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Bytes in use once all that scripts left is gone.
fn settled(client: &mut Client) -> u64 {
    for words in [&["SCRIPT", "FLUSH", "SYNC"][..], &["FUNCTION", "FLUSH", "SYNC"], &["FLUSHALL", "SYNC"]] {
        assert_wire(client, words, b"+OK\r\n");
    }
    client.info("memory", "used_memory").and_then(|text| text.parse().ok()).expect("memory in use")
}

/// Runs so many scripts, by EVAL in either protocol, EVAL_RO, and as functions.
fn round(client: &mut Client, grammar: &mut Grammar) {
    for number in 0..ROUND {
        let script = grammar.script();
        match number % 5 {
            0 => {
                let library = format!(
                    "#!lua name=lib{}\nredis.register_function('f{}', function(KEYS, ARGV) {script}\nend)",
                    number % 7,
                    number % 7
                );
                client.command(&["FUNCTION", "LOAD", "REPLACE", &library]);
                client.command(&["FCALL", &format!("f{}", number % 7), "1", "k", "v"]);
            }
            1 => drop(client.command(&["EVAL_RO", &script, "1", "k", "v"])),
            2 => {
                client.command(&["HELLO", "3"]);
                client.command(&["EVAL", &script, "1", "k", "v"]);
                client.command(&["HELLO", "2"]);
            }
            _ => drop(client.command(&["EVAL", &script, "2", "k", "l", "v", "w"])),
        }
        assert_wire(client, &["ECHO", "here"], b"$4\r\nhere\r\n");
    }
}

/// What tables may have grown by.
const GROWN_BYTES: u64 = 64 * 1024;
/// Stack of the thread that reads replies: some are thousands of levels deep, and are taken apart level by level.
const STACK_BYTES: usize = 256 << 20;

#[test]
fn generated_scripts_leave_a_server_as_it_was() {
    let run = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(run_generated).expect("a thread");
    run.join().expect("as it was");
}

fn run_generated() {
    let server = Server::with(&["--scripting.memory-max", "64mb"]);
    let mut client = server.connect();
    let mut grammar = Grammar { random: Random::new(asked("PLINTH_SEED", 1)) };
    // The first round makes what stays for good: tables, buffers, counters of errors.
    // What each command takes at its first run is among it.
    for command in COMMANDS {
        client.command(&["EVAL", &format!("return redis.pcall('{command}', 'k', 'v')"), "0"]);
    }
    round(&mut client, &mut grammar);
    round(&mut client, &mut grammar);
    let begin = settled(&mut client);
    let end = Instant::now() + Duration::from_secs(asked("PLINTH_SECONDS", SECONDS));
    let mut rounds = 0;
    while Instant::now() < end {
        round(&mut client, &mut grammar);
        rounds += 1;
    }
    let left = settled(&mut client);
    println!("{} scripts: {begin} bytes before, {left} behind", rounds * ROUND);
    // Tables that have grown once, of the interpreter's strings and of the counters of errors, are within the rest.
    assert!(left < begin + begin / 100 + GROWN_BYTES, "{begin} bytes before, {left} behind {} scripts", rounds * ROUND);
}
