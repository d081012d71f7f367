//! Random calls of all commands on a few keys, while hooks and timers of a module do what they please,
//! keys and fields expire, types change their modules, and modules come and go: the server goes on, each
//! reply is well formed, and there are as many as there were calls.
//!
//! What a command takes is known from COMMAND DOCS, so that a new one takes part by itself; one argument
//! in a few is not what is asked for. A few thousand calls with every run of the tests;
//!
//! ```text
//!   PLINTH_CALLS=1000000   makes so many; `cargo xtask asan` does, under AddressSanitizer
//!   PLINTH_FUZZ_SEED=123   begins with that seed, which a failure prints
//! ```

use crate::replace::wait_until_replaced;
use crate::replace_types::path_of;
use plinth_fuzz::Random;
use plinth_testkit::{Client, Reply, Server, TempDir, assert_wire, build, cc};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Commands sent before their replies are read.
const PIPELINE: usize = 16;
/// Calls between two changes of modules, about.
const CALLS_PER_CHANGE: usize = 400;

/// Commands that end a connection, put it out of step or wait for somebody, or whose words mean the server's
/// own state; and those that take long for what they are given (LCS is quadratic).
const LEFT_OUT: &[&str] = &[
    "auth",
    "client",
    "command",
    "config",
    "debug",
    "hello",
    "lcs",
    "migrate",
    "module",
    "failover",
    "psync",
    "replconf",
    "sync",
    "monitor",
    "pfselftest",
    "psubscribe",
    "punsubscribe",
    "quit",
    "replicaof",
    "reset",
    "shutdown",
    "slaveof",
    "ssubscribe",
    "subscribe",
    "sunsubscribe",
    "unsubscribe",
    "wait",
    "waitaof",
];
/// What of those may be called.
const LET_IN: &[&str] = &[
    "client|list",
    "client|info",
    "client|getname",
    "client|id",
    "client|unblock",
    "command|count",
    "command|getkeys",
    "command|getkeysandflags",
    "debug|object",
];

const TEXTS: &[&str] = &[
    "",
    "a",
    "b",
    "c",
    "field",
    "member",
    "0",
    "1",
    "-1",
    "7",
    "2.5",
    "inf",
    "-inf",
    "(1",
    "[a",
    "[c",
    "-",
    "+",
    "*",
    "$",
    ">",
    "1-1",
    "2-0",
    "5-*",
    "a longer text that is none of the short ones, by far: 0123456789012345678901234567",
    "u8",
    "i5",
    "BYTE",
    "m",
    "km",
    "LEFT",
    "RIGHT",
    "\u{e9}\0\r\n",
];
const INTEGERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "5",
    "10",
    "100",
    "-1",
    "-2",
    "-100",
    "1000",
    "20000",
    "2147483648",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "nan",
];
const DOUBLES: &[&str] =
    &["0", "1", "-1", "0.5", "2.5e3", "inf", "-inf", "1e300", "13.361389", "38.115556", "nan", "x"];
const PATTERNS: &[&str] = &["*", "k*", "?:1", "[a-k]*", "", "none"];
const KINDS: &[&str] = &["n", "h", "s", "z", "l", "x", "b", "any"];

/// Parameters that decide which form values have.
const PARAMETERS: &[&str] = &[
    "hash-max-listpack-entries",
    "hash-max-listpack-value",
    "list-max-listpack-size",
    "set-max-intset-entries",
    "set-max-listpack-entries",
    "zset-max-listpack-entries",
    "zset-max-listpack-value",
    "stream-node-max-entries",
    "hll-sparse-max-bytes",
    "storm.every",
];

/// An argument, as COMMAND DOCS describes it.
struct Arg {
    name: String,
    kind: String,
    token: Option<String>,
    flags: Vec<String>,
    members: Vec<Arg>,
}

impl Arg {
    fn of(docs: &Reply) -> Arg {
        let text = |name| docs.field(name).map(Reply::text);
        Arg {
            name: text("name").unwrap_or_default(),
            kind: text("type").unwrap_or_default(),
            token: text("token"),
            flags: docs.field("flags").map(Reply::texts).unwrap_or_default(),
            members: docs.field("arguments").map_or_else(Vec::new, |list| list.items().iter().map(Arg::of).collect()),
        }
    }

    fn is(&self, flag: &str) -> bool {
        self.flags.iter().any(|one| one == flag)
    }
}

/// A command: its words, and what follows.
struct Spec {
    words: Vec<String>,
    args: Vec<Arg>,
    /// A wrong argument may be a wait without an end.
    may_wait: bool,
}

fn specs(client: &mut Client) -> Vec<Spec> {
    let waiting: BTreeSet<String> =
        client.ask(&["COMMAND", "LIST", "FILTERBY", "ACLCAT", "blocking"]).texts().into_iter().collect();
    assert!(waiting.contains("blpop"), "{waiting:?}");
    let mut specs = Vec::new();
    let docs = client.ask(&["COMMAND", "DOCS"]);
    for pair in docs.items().chunks(2) {
        let (name, docs) = (pair[0].text(), &pair[1]);
        add_spec(&mut specs, &name, docs, waiting.contains(&name));
    }
    assert!(specs.len() > 200, "{} commands", specs.len());
    specs
}

fn add_spec(specs: &mut Vec<Spec>, name: &str, docs: &Reply, may_wait: bool) {
    if let Some(subcommands) = docs.field("subcommands") {
        for pair in subcommands.items().chunks(2) {
            add_spec(specs, &pair[0].text(), &pair[1], may_wait);
        }
        return;
    }
    let words: Vec<String> = name.split('|').map(str::to_owned).collect();
    if LEFT_OUT.contains(&words[0].as_str()) && !LET_IN.contains(&name) {
        return;
    }
    let args = docs.field("arguments").map_or_else(Vec::new, |list| list.items().iter().map(Arg::of).collect());
    specs.push(Spec { words, args, may_wait });
}

/// What calls are made of.
struct Storm {
    random: Random,
    specs: Vec<Spec>,
    /// What DUMP answered last.
    payload: Vec<u8>,
    /// How many elements the last number that counts some has announced.
    announced: Option<usize>,
}

impl Storm {
    fn call(&mut self) -> Vec<Vec<u8>> {
        let at = self.random.below(self.specs.len());
        let specs = std::mem::take(&mut self.specs);
        let spec = &specs[at];
        let mut call: Vec<Vec<u8>> = spec.words.iter().map(|word| word.clone().into_bytes()).collect();
        // Those that empty everything leave the others little to do.
        if spec.words[0].starts_with("flush") && !self.random.once_in(20) {
            call = vec![b"dbsize".to_vec()];
        } else {
            self.announced = None;
            spec.args.iter().for_each(|arg| self.put(&mut call, arg));
            // Modules of tests have no docs.
            if spec.args.is_empty() && spec.words[0].contains('.') {
                let key = self.key();
                call.extend([key, b"m".to_vec(), b"3".to_vec()].into_iter().take(self.random.below(4)));
            }
            if !spec.may_wait && self.random.once_in(8) {
                self.damage(&mut call);
            }
        }
        self.specs = specs;
        call
    }

    fn put(&mut self, call: &mut Vec<Vec<u8>>, arg: &Arg) {
        if arg.is("optional") && !self.random.once_in(3) {
            return;
        }
        let count = match self.announced {
            _ if !arg.is("multiple") => 1,
            Some(count) => count,
            None => 1 + self.random.below(4),
        };
        for round in 0..count {
            if let Some(token) = arg.token.as_ref().filter(|_| round == 0 || arg.is("multiple_token")) {
                call.push(token.clone().into_bytes());
            }
            match arg.kind.as_str() {
                "oneof" if !arg.members.is_empty() => {
                    let at = self.random.below(arg.members.len());
                    self.put(call, &arg.members[at]);
                }
                "block" => arg.members.iter().for_each(|member| self.put(call, member)),
                "pure-token" => {}
                _ => {
                    let word = self.word(arg);
                    call.push(word);
                }
            }
        }
    }

    fn word(&mut self, arg: &Arg) -> Vec<u8> {
        let random = &mut self.random;
        let text = match (arg.kind.as_str(), arg.name.as_str()) {
            ("key", _) => return self.key(),
            (_, "serialized-value") => return self.payload(),
            // Waits end by themselves.
            (_, "timeout") => "0.004",
            (_, "milliseconds") => random.one(&["1", "2", "5", "30"]),
            (_, "seconds") => random.one(&["0", "1", "2"]),
            ("integer", name) if name.starts_with("num") => {
                let count = 1 + random.below(3);
                self.announced = Some(count);
                return count.to_string().into_bytes();
            }
            (_, "index" | "db" | "index1" | "index2" | "destination-db") => random.one(&["0", "0", "0", "1"]),
            ("integer" | "unix-time", _) => random.one(INTEGERS),
            ("double", _) => random.one(DOUBLES),
            ("pattern", _) => random.one(PATTERNS),
            _ => random.one(TEXTS),
        };
        text.as_bytes().to_vec()
    }

    fn key(&mut self) -> Vec<u8> {
        let kind = self.random.one(KINDS);
        format!("{kind}:{}", self.random.below(4)).into_bytes()
    }

    fn payload(&mut self) -> Vec<u8> {
        let mut payload = self.payload.clone();
        // Checksums are not looked at.
        if !payload.is_empty() && self.random.once_in(2) {
            self.random.damage(&mut payload, &[0, 1, 127, 128, 255]);
        }
        payload
    }

    fn damage(&mut self, call: &mut Vec<Vec<u8>>) {
        let at = 1 + self.random.below(call.len());
        let words = if self.random.once_in(2) { TEXTS } else { INTEGERS };
        let word = self.random.one(words).as_bytes().to_vec();
        match self.random.below(3) {
            0 if at < call.len() => _ = call.remove(at),
            1 if at < call.len() => call[at] = word,
            _ => call.insert(at.min(call.len()), word),
        }
    }
}

/// The modules that come and go.
struct Changes {
    /// Name, and the libraries that take each other's place.
    pairs: Vec<(&'static str, [String; 2])>,
    /// Name and library of those that are loaded and unloaded.
    loose: Vec<(&'static str, String)>,
}

impl Changes {
    fn of(folder: &TempDir, client: &mut Client) -> Changes {
        let pair = |client: &mut Client, name, other: &str| (name, [path_of(client, name), build::library(other)]);
        Changes {
            pairs: vec![
                pair(client, "zset", "zset-skiplist"),
                pair(client, "string", "string-plain"),
                pair(client, "stream", "stream-log"),
                ("bag", [build::library("bag"), build::library("bag-tree")]),
            ],
            loose: vec![
                ("storm", cc::module(folder, "tests/modules/storm.c", &[])),
                ("gauge", build::library("gauge")),
                ("panicking", build::library("panicking")),
                ("bag", build::library("bag")),
            ],
        }
    }

    /// Something else than a call on keys. What it answers is an error where it does not suit.
    fn make(&self, random: &mut Random, client: &mut Client) {
        match random.below(8) {
            0..=2 => {
                let (name, libraries) = &self.pairs[random.below(self.pairs.len())];
                client.ask(&["MODULE", "REPLACE", name, &libraries[random.below(2)]]);
                if random.once_in(4) && client.ask(&["MODULE", "REPLACE", "STATUS"]).items().len() > 1 {
                    client.ask(&["MODULE", "REPLACE", "ROLLBACK", name]);
                }
            }
            3 | 4 => {
                let (name, library) = &self.loose[random.below(self.loose.len())];
                client.ask(&["MODULE", "LOAD", library]);
                if random.once_in(2) {
                    client.ask(&["MODULE", "UNLOAD", name, "GHOST"]);
                }
            }
            5 => {
                let (name, _) = &self.loose[random.below(self.loose.len())];
                client.ask(&["MODULE", "UNLOAD", name]);
            }
            6 => {
                let (name, value) = (random.one(PARAMETERS), random.one(&["1", "2", "8", "128"]));
                client.ask(&["CONFIG", "SET", name, value]);
            }
            _ => _ = client.ask(&["INFO", "everything"]),
        }
    }
}

fn storm(seed: u64, calls: usize) {
    let folder = TempDir::new();
    // Values stay small, and so does the whole.
    let options = ["--proto-max-bulk-len", "1048576", "--maxmemory", "1500mb", "--check-module-replies", "yes"];
    let server = Server::within(
        TempDir::new(),
        &[&options[..], &["--enable-module-command", "yes", "--stop-writes-on-bgsave-error", "no"]].concat(),
    );
    let mut clients: Vec<Client> = (0..4).map(|_| server.connect()).collect();
    clients[1].ask(&["HELLO", "3"]);
    let mut admin = server.connect();
    assert_wire(&mut admin, &["DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", "1"], b"+OK\r\n");
    let changes = Changes::of(&folder, &mut admin);
    for (_, library) in &changes.loose {
        assert_wire(&mut admin, &["MODULE", "LOAD", library], b"+OK\r\n");
    }
    let mut storm = Storm { random: Random::new(seed), specs: specs(&mut admin), payload: Vec::new(), announced: None };
    let (mut made, mut errors) = (0, 0);
    while made < calls {
        let client = storm.random.below(clients.len());
        let sent: Vec<Vec<Vec<u8>>> = (0..PIPELINE).map(|_| storm.call()).collect();
        sent.iter().for_each(|call| clients[client].send(call));
        for call in &sent {
            let shown = || call.iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" ");
            let reply = catch_unwind(AssertUnwindSafe(|| clients[client].reply())).unwrap_or_else(|panic| {
                eprintln!("seed {seed}, after {made} calls: {}", shown());
                resume_unwind(panic)
            });
            errors += usize::from(matches!(reply, Reply::Error(_)));
            if let Reply::Bulk(payload) = reply
                && call[0].eq_ignore_ascii_case(b"dump")
            {
                storm.payload = payload;
            }
        }
        made += PIPELINE;
        if storm.random.once_in(CALLS_PER_CHANGE / PIPELINE) {
            changes.make(&mut storm.random, &mut admin);
        }
    }
    println!("{made} calls, of which {errors} failed; seed {seed}");
    // Each client is in step.
    for client in &mut clients {
        client.ask(&["DISCARD"]);
        assert_wire(client, &["ECHO", "in step"], b"$7\r\nin step\r\n");
    }
    wait_until_replaced(&mut admin);
    assert!(errors < made * 9 / 10, "{errors} of {made} calls failed");
    assert_wire(&mut admin, &["FLUSHALL"], b"+OK\r\n");
}

#[test]
fn random_calls_are_answered_while_modules_come_and_go() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    storm(number("PLINTH_FUZZ_SEED").unwrap_or(1), number("PLINTH_CALLS").unwrap_or(6_000) as usize);
}
