//! Generated values through what scripts have beside Lua: `cjson`, `cmsgpack`, `struct`, numbers as texts, and the
//! conversions between Lua and RESP2 and RESP3; compared with Redis 7.0 and 8.2 in one run.
//!
//! A value is an expression of Lua's, and what comes of it a text that says all about it, or the error. What may differ
//! is how many digits a number has (`NUMBERS`), and nothing else.
//! `cargo xtask scripts --values 200000` runs as many.
//!
//! Left out is what `cjson` and `cmsgpack` make of the tables of the API themselves (`redis`, `string`): with Plinth
//! these are locked ones in front of the real ones, and empty to whoever does not ask by name or `pairs`. Left out are
//! keys of tables from 32 bytes on: Redis's Lua hashes them whole, and stock Lua in part, so that pairs come in another
//! order, of which nothing is promised.

use crate::peer::{Peer, find};
use plinth_fuzz::Random;
use plinth_testkit::{Client, Server};

/// Differences that are shown.
const SHOWN_MAX: usize = 40;
/// Expressions in a command.
const AT_ONCE: usize = 50;
/// Expressions of a run that nobody has asked for more of.
const VALUES: usize = 4000;

/// Evaluates each argument, and answers with a text for each. Numbers are shown with all digits, keys in order.
const SHOW: &str = r"
local function show(value, depth)
    local kind = type(value)
    if kind == 'number' then
        if value ~= value then return 'nan' end
        return string.format('%.17g', value)
    end
    if kind == 'string' then return string.format('%q', value) end
    if kind ~= 'table' then
        if cjson.null == value then return 'null' end
        if kind == 'function' or kind == 'userdata' or kind == 'thread' then return kind end
        return tostring(value)
    end
    if depth > 40 then return '...' end
    local parts = {}
    for key, inner in pairs(value) do
        parts[#parts + 1] = show(key, depth + 1) .. '=' .. show(inner, depth + 1)
    end
    table.sort(parts)
    return '{' .. table.concat(parts, ',') .. '}#' .. #value
end
local answers = {}
for at, text in ipairs(ARGV) do
    local made, why = loadstring('return ' .. text, '=value')
    if not made then
        answers[at] = 'LOAD ' .. why
    else
        local results = {pcall(made)}
        local parts = {}
        for index = 1, table.maxn(results) do parts[index] = show(results[index], 0) end
        answers[at] = table.concat(parts, ' ')
    end
end
return answers";

/// Where a number's text may be another than Plinth's, if it is the same number: 7.0 writes 17 digits, and 8.2 the
/// fewest that read back (and no sign of what is no number), but for a few numbers of which it finds one more, as does 92000000000000010000000 for 9.2e22.
const NUMBERS: [&str; 2] = ["redis.call('echo', ", "double="];

/// Whether two replies are the same but for the texts of numbers, and their lengths.
fn have_the_same_numbers(one: &[u8], other: &[u8]) -> bool {
    let number = |line: &[u8]| {
        let text = std::str::from_utf8(line)
            .ok()?
            .trim_start_matches("true ")
            .trim_start_matches([',', '"'])
            .trim_end_matches(['\r', '"']);
        text.parse::<f64>().ok()
    };
    let (mut ones, mut others) = (one.split(|byte| *byte == b'\n'), other.split(|byte| *byte == b'\n'));
    loop {
        match (ones.next(), others.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) if one == other => {}
            (Some([b'$', ..]), Some([b'$', ..])) => {}
            (Some(one), Some(other)) => match (number(one), number(other)) {
                (Some(one), Some(other)) if one == other || one.is_nan() && other.is_nan() => {}
                _ => return false,
            },
            _ => return false,
        }
    }
}

/// Makes expressions.
struct Maker {
    random: Random,
}

impl Maker {
    fn one<'a>(&mut self, all: &[&'a str]) -> &'a str {
        self.random.one(all)
    }

    fn number(&mut self) -> String {
        match self.random.below(9) {
            0 => self.random.below(300).to_string(),
            1 => format!("-{}", self.random.below(70_000)),
            2 => format!("{}", self.random.below(1 << 33) as u64 * 7919),
            3 => format!("{}.{}", self.random.below(1000), self.random.below(100_000)),
            4 => format!("{}e{}", self.random.below(100), self.random.below(40)),
            5 => format!("{}.5e-{}", self.random.below(100), self.random.below(330)),
            6 => format!("2^{}", self.random.below(70)),
            7 => format!("-(2^{}) - 1", self.random.below(66)),
            _ => self
                .one(&["0", "-0", "1/0", "-1/0", "0/0", "1e308*10", "4503599627370497.5", "9007199254740993", "0.1"])
                .into(),
        }
    }

    /// A literal of any bytes.
    fn string(&mut self) -> String {
        let len = if self.random.once_in(12) { self.random.below(300) } else { self.random.below(9) };
        self.string_of(len)
    }

    fn string_of(&mut self, len: usize) -> String {
        let mut text = String::from("'");
        for _ in 0..len {
            match self.random.below(5) {
                0 => text.push_str(&format!("\\{:03}", self.random.below(256))),
                1 => text.push_str(self.one(&[
                    "\\\"",
                    "\\\\",
                    "/",
                    "\\n",
                    "\\127",
                    "\\000",
                    "é",
                    "€",
                    "\\240\\159\\146\\150",
                ])),
                _ => text.push((b'a' + self.random.below(26) as u8) as char),
            }
        }
        text.push('\'');
        text
    }

    fn scalar(&mut self) -> String {
        match self.random.below(8) {
            0..3 => self.number(),
            3..6 => self.string(),
            6 => self.one(&["true", "false", "nil", "cjson.null"]).into(),
            _ => self.one(&["print", "pairs", "redis.call", "{}"]).into(),
        }
    }

    fn table(&mut self, depth: usize) -> String {
        let count = self.random.below(5);
        let parts: Vec<String> = (0..count)
            .map(|_| {
                let value = self.value(depth);
                match self.random.below(6) {
                    0..3 => value,
                    3 => format!("[{}]={value}", self.random.below(14)),
                    4 => {
                        let len = self.random.below(7);
                        format!("[{}]={value}", self.string_of(len))
                    }
                    _ => format!("[{}]={value}", self.one(&["-1", "1.5", "true", "2^40", "100", "3"])),
                }
            })
            .collect();
        format!("{{{}}}", parts.join(","))
    }

    fn value(&mut self, depth: usize) -> String {
        if depth == 0 || self.random.below(5) < 2 { self.scalar() } else { self.table(depth - 1) }
    }

    /// JSON as text, some of it broken.
    fn json(&mut self, depth: usize) -> String {
        match self.random.below(if depth == 0 { 5 } else { 9 }) {
            0 => self.one(&["null", "true", "false", "NaN", "Infinity", "-inf", "nul", "tru", ""]).into(),
            1 => self.number(),
            2 | 3 => {
                let inner = self.one(&[
                    "",
                    "a",
                    "\\\\n",
                    "\\\\u00e9",
                    "\\\\ud83d\\\\ude00",
                    "\\\\ud83d",
                    "\\\\x",
                    "\\001",
                    "\\\\u12",
                    "é",
                    "\\\\/",
                ]);
                format!("\"{inner}{}\"", self.random.below(9))
            }
            4 => self
                .one(&["0x10", "01", "1.", ".5", "-", "1e5", "1E+2", "-0", "0e", "12345678901234567890", "1e400"])
                .into(),
            5 | 6 => {
                let parts: Vec<String> = (0..self.random.below(4)).map(|_| self.json(depth - 1)).collect();
                let end = if self.random.once_in(15) { "" } else { "]" };
                format!("[{}{end}", parts.join(self.one(&[",", ", ", " ,"])))
            }
            _ => {
                let parts: Vec<String> =
                    (0..self.random.below(4)).map(|at| format!("\"k{at}\": {}", self.json(depth - 1))).collect();
                let end = if self.random.once_in(15) { "]" } else { "}" };
                format!("{{{}{end}", parts.join(","))
            }
        }
    }

    /// Bytes that may be MessagePack, as a literal.
    fn packed(&mut self) -> String {
        let mut text = String::from("'");
        for _ in 0..1 + self.random.below(12) {
            let byte = match self.random.below(4) {
                0 => 0x80 + self.random.below(0x30),
                1 => 0xc0 + self.random.below(0x20),
                2 => self.random.below(8),
                _ => self.random.below(256),
            };
            text.push_str(&format!("\\{byte:03}"));
        }
        text.push('\'');
        text
    }

    fn format(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..1 + self.random.below(5) {
            let what = self.one(&[
                ">", "<", "=", "!4", "!2", "b", "B", "h", "H", "i4", "I4", "i8", "I8", "l", "L", "f", "d", "s", "c0",
                "c3", "x", "i3", "I1", "T", " ", "I", "i", "!8", "z", "i33",
            ]);
            text.push_str(what);
        }
        format!("'{text}'")
    }

    fn expression(&mut self) -> String {
        let depth = if self.random.once_in(12) { 20 } else { 3 };
        match self.random.below(16) {
            0 => format!("cjson.encode({})", self.value(depth)),
            1 => format!("cjson.decode('{}')", self.json(3)),
            2 => format!("cjson.encode(cjson.decode('{}'))", self.json(3)),
            3 => format!("cjson.decode(cjson.encode({}))", self.value(3)),
            4 => format!("cmsgpack.pack({}, {})", self.value(depth), self.value(2)),
            5 => format!("cmsgpack.unpack(cmsgpack.pack({}))", self.value(depth)),
            6 => format!("cmsgpack.unpack({})", self.packed()),
            7 => format!(
                "cmsgpack.{}({}, {})",
                self.one(&["unpack_one", "unpack_limit"]),
                self.packed(),
                self.random.below(4)
            ),
            8 => format!("struct.pack({}, {}, {}, {})", self.format(), self.scalar(), self.number(), self.string()),
            9 => format!("struct.unpack({}, {}, {})", self.format(), self.string(), 1 + self.random.below(3)),
            10 => format!("struct.size({})", self.format()),
            11 => format!("tostring({})", self.number()),
            12 => {
                let text = self.one(&[
                    "0x1f", " 12 ", "1e3", "1e", "0x", "", " ", "inf", "nan", "1_0", "0b1", "12a", "z", "-0x10",
                ]);
                let base = self.one(&["", "", ", 2", ", 16", ", 36", ", 1", ", 37"]);
                format!("tonumber('{text}'{base})")
            }
            13 => format!("redis.call('echo', {})", self.number()),
            14 => {
                let function = self.one(&["band", "bor", "bxor", "lshift", "rshift", "arshift", "rol", "ror", "tohex"]);
                format!("bit.{function}({}, {})", self.number(), self.random.below(40))
            }
            _ => format!(
                "string.format('{}', {})",
                self.one(&["%d", "%5.2f", "%g", "%x", "%s", "%.14g", "%q", "%c", "%i"]),
                self.number()
            ),
        }
    }
}

/// What was found: how many numbers have another text, and what else differs.
#[derive(Default)]
struct Findings {
    numbers: usize,
    unknown: Vec<String>,
}

impl Findings {
    /// Whether Plinth answers as both others that are here.
    fn judge(&mut self, text: &str, plinth: &[u8], theirs: [Option<Vec<u8>>; 2]) {
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let may_differ = NUMBERS.iter().any(|part| text.contains(part));
        for (theirs, name) in theirs.into_iter().zip(["Redis 7.0", "Redis 8.2"]) {
            let Some(theirs) = theirs.filter(|theirs| theirs != plinth) else { continue };
            if may_differ && have_the_same_numbers(plinth, &theirs) {
                self.numbers += 1;
            } else {
                self.unknown.push(format!("{text}\n  Plinth    {}\n  {name} {}", shown(plinth), shown(&theirs)));
            }
        }
    }

    #[track_caller]
    fn report(self, values: usize) {
        println!("{values} values; {} numbers have other digits elsewhere", self.numbers);
        let all = self.unknown.len();
        let some: Vec<String> = self.unknown.into_iter().take(SHOWN_MAX).collect();
        assert!(some.is_empty(), "{all} differ, such as:\n{}", some.join("\n"));
    }
}

/// The two servers that are compared with, as far as they are here, and their clients.
fn peers() -> [Option<(Peer, Client)>; 2] {
    ["Redis 7.0", "Redis 8.2"].map(|name| {
        let peer = find(name)?;
        let client = peer.connect();
        Some((peer, client))
    })
}

fn asked(peers: &mut [Option<(Peer, Client)>; 2], words: &[&str]) -> [Option<Vec<u8>>; 2] {
    peers.each_mut().map(|peer| peer.as_mut().map(|(_, client)| client.command(words)))
}

fn values() -> usize {
    std::env::var("PLINTH_VALUES").ok().and_then(|text| text.parse().ok()).unwrap_or(VALUES)
}

#[test]
fn generated_values_come_out_as_they_do_elsewhere() {
    let plinth = Server::start();
    let (mut ours, mut peers) = (plinth.connect(), peers());
    let mut maker = Maker { random: Random::new(14) };
    let mut findings = Findings::default();
    let mut done = 0;
    while done < values() {
        let texts: Vec<String> = (0..AT_ONCE).map(|_| maker.expression()).collect();
        let words: Vec<&str> = ["EVAL", SHOW, "0"].into_iter().chain(texts.iter().map(String::as_str)).collect();
        let answers = ours.ask(&words);
        let theirs = peers.each_mut().map(|peer| peer.as_mut().map(|(_, client)| client.ask(&words)));
        for (at, text) in texts.iter().enumerate() {
            let of = |reply: &plinth_testkit::Reply| match reply {
                plinth_testkit::Reply::Array(all) => bytes(&all[at]),
                other => format!("{other:?}").into_bytes(),
            };
            findings.judge(text, &of(&answers), theirs.each_ref().map(|reply| reply.as_ref().map(of)));
        }
        done += AT_ONCE;
    }
    findings.report(done);
}

fn bytes(reply: &plinth_testkit::Reply) -> Vec<u8> {
    match reply {
        plinth_testkit::Reply::Bulk(text) => text.clone(),
        other => format!("{other:?}").into_bytes(),
    }
}

/// What a script returns, as a value that conversion knows.
fn returned(maker: &mut Maker, depth: usize) -> String {
    match maker.random.below(if depth == 0 { 3 } else { 11 }) {
        0 => maker.scalar(),
        1 => maker.number(),
        2 => maker.string(),
        3 => format!("{{ok={}}}", maker.one(&["'fine'", "7", "{}", "''"])),
        4 => format!("{{err={}}}", maker.one(&["'BAD thing'", "'thing'", "7", "''"])),
        5 => format!("{{double={}}}", maker.number()),
        6 => format!("{{big_number={}}}", maker.one(&["'123'", "123", "'-1'", "''"])),
        7 => format!("{{verbatim_string={{format='txt',string={}}}}}", maker.string()),
        8 => format!("{{map={{[{}]={}}}}}", returned(maker, 0), returned(maker, depth - 1)),
        9 => format!("{{set={{[{}]=true}}}}", returned(maker, 0)),
        _ => {
            let parts: Vec<String> = (0..maker.random.below(4)).map(|_| returned(maker, depth - 1)).collect();
            format!("{{{}}}", parts.join(","))
        }
    }
}

#[test]
fn what_scripts_return_becomes_the_same_replies_in_both_protocols() {
    let plinth = Server::start();
    let (mut ours, mut peers) = (plinth.connect(), peers());
    let mut maker = Maker { random: Random::new(15) };
    let mut findings = Findings::default();
    let setup = "redis.call('del', 'h', 's', 'z', 'l') redis.call('hset', 'h', 'f', 'v', 'g', '1')
        redis.call('sadd', 's', 'm') redis.call('zadd', 'z', 1.5, 'm') redis.call('rpush', 'l', 1, 2)";
    for protocol in ["2", "3"] {
        let hello = ["HELLO", protocol];
        let filled = ["EVAL", setup, "0"];
        for words in [&hello[..], &filled] {
            ours.command(words);
            asked(&mut peers, words);
        }
        for _ in 0..values() / 8 {
            let body = match maker.random.below(4) {
                0 => {
                    let command = maker.one(&[
                        "'hgetall','h'",
                        "'smembers','s'",
                        "'zscore','z','m'",
                        "'lrange','l',0,-1",
                        "'get','none'",
                        "'lpush','s',1",
                        "'zrange','z',0,-1,'withscores'",
                        "'mget','none','s'",
                        "'exists','h'",
                        "'ping'",
                        "'hmget','h','none','f'",
                        "'zmscore','z','m','none'",
                        "'nosuch'",
                        "'get'",
                    ]);
                    format!("redis.pcall({command})")
                }
                _ => returned(&mut maker, 3),
            };
            // A key that is nil or NaN is an error of the script's, whose text has the script's SHA.
            let script = format!("redis.setresp({}) return {body}", maker.one(&["2", "3"]));
            let words = ["EVAL", script.as_str(), "0"];
            let answer = ours.command(&words);
            findings.judge(&format!("RESP{protocol}: {script}"), &answer, asked(&mut peers, &words));
        }
    }
    findings.report(values() / 4);
}
