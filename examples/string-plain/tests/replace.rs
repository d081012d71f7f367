//! Strings go over to the heap and back while clients change them, by commands and by way of a C module
//! that uses `plinth.string/1` as bitmaps and HyperLogLogs do.

use plinth_testkit::{Client, PATIENCE, Server, assert_wire, build, cc, wait_until};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// Clients at work.
const CLIENTS: usize = 3;
/// Strings of each client.
const STRINGS: usize = 40;
/// Bytes of the long ones: above 32 KiB a value is left to the sweep, and its commands are run by the
/// module that it is of.
const LONG: usize = 100_000;
/// Strings that nobody touches meanwhile.
const QUIET: usize = 20_000;

/// A client, and strings that nobody else touches.
struct Owner {
    client: Client,
    number: usize,
    /// `None` where there is no key.
    model: Vec<Option<Vec<u8>>>,
    random: u64,
}

/// An integer as a reply.
fn integer(number: impl std::fmt::Display) -> Vec<u8> {
    format!(":{number}\r\n").into_bytes()
}

/// A bulk string as a reply.
fn bulk(text: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", text.len()).as_bytes(), text, b"\r\n"].concat()
}

fn number(text: &[u8]) -> Option<i64> {
    let number: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (number.to_string().as_bytes() == text).then_some(number)
}

impl Owner {
    fn new(server: &Server, number: usize) -> Owner {
        let random = number as u64 * 7919 + 1;
        let mut owner = Owner { client: server.connect(), number, model: vec![None; STRINGS], random };
        for at in 0..STRINGS {
            let text = match at % 4 {
                0 => at.to_string().into_bytes(),
                1 => b"some text".to_vec(),
                2 => vec![b'x'; 1000],
                _ => vec![b'y'; LONG],
            };
            owner.set(at, text);
        }
        owner
    }

    fn draw(&mut self, below: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % below as u64) as usize
    }

    fn key(&self, at: usize) -> String {
        format!("owner:{}:{at}", self.number)
    }

    /// Sends a command on a key, and asserts the reply.
    fn expect(&mut self, name: &str, at: usize, args: &[&[u8]], expected: &[u8]) {
        let key = self.key(at);
        let words = [&[name.as_bytes(), key.as_bytes()], args].concat();
        let reply = self.client.command(&words);
        let show = |bytes: &[u8]| bytes[..bytes.len().min(60)].escape_ascii().to_string();
        assert!(reply == expected, "{name} {key}: {}, and not {}", show(&reply), show(expected));
    }

    fn set(&mut self, at: usize, text: Vec<u8>) {
        self.expect("SET", at, &[&text], b"+OK\r\n");
        self.model[at] = Some(text);
    }

    fn text(&self, at: usize) -> Vec<u8> {
        self.model[at].clone().unwrap_or_default()
    }

    fn increment(&mut self, at: usize) {
        match number(self.model[at].as_deref().unwrap_or(b"0")) {
            Some(before) if before < i64::MAX => {
                self.expect("INCR", at, &[], &integer(before + 1));
                self.model[at] = Some((before + 1).to_string().into_bytes());
            }
            _ => self.expect("INCR", at, &[], b"-ERR value is not an integer or out of range\r\n"),
        }
    }

    fn append(&mut self, at: usize) {
        let tail: &[u8] = if self.draw(2) == 0 { b"7" } else { b"tail" };
        let text = [&self.text(at), tail].concat();
        self.expect("APPEND", at, &[tail], &integer(text.len()));
        self.model[at] = Some(text);
    }

    fn write_over(&mut self, at: usize) {
        let mut text = self.text(at);
        let offset = self.draw(text.len() + 20);
        text.resize(text.len().max(offset + 3), 0);
        text[offset..offset + 3].copy_from_slice(b"123");
        self.expect("SETRANGE", at, &[offset.to_string().as_bytes(), b"123"], &integer(text.len()));
        self.model[at] = Some(text);
    }

    /// By way of `open`.
    fn set_bit(&mut self, at: usize) {
        let (mut text, bit) = (self.text(at), self.draw(2) as u8);
        let offset = self.draw(8 * (text.len() + 4));
        text.resize(text.len().max(offset / 8 + 1), 0);
        let (byte, mask) = (&mut text[offset / 8], 0x80 >> (offset % 8));
        let was = *byte & mask != 0;
        *byte = if bit == 1 { *byte | mask } else { *byte & !mask };
        let args = [offset.to_string(), bit.to_string()];
        self.expect("BITS.SET", at, &[args[0].as_bytes(), args[1].as_bytes()], &integer(u8::from(was)));
        self.model[at] = Some(text);
    }

    /// By way of `resize`.
    fn cut(&mut self, at: usize) {
        let before = self.model[at].as_ref().map_or(-1, |text| text.len() as i64);
        let mut text = self.text(at);
        // Long ones stay long.
        let len = if text.len() > LONG / 2 { text.len() - self.draw(5) } else { self.draw(text.len() + 10) };
        text.resize(len, 0);
        self.expect("BITS.CUT", at, &[len.to_string().as_bytes()], &integer(before));
        self.model[at] = Some(text);
    }

    /// By way of `hold`: a number, a text and a long one, in any order.
    fn compare_bits(&mut self) {
        let places = [self.draw(STRINGS), self.draw(STRINGS), self.draw(STRINGS)];
        let texts = places.map(|at| self.text(at));
        let common = |at: usize| texts.iter().fold(0xff, |all, text| all & text.get(at).copied().unwrap_or(0));
        let bits: u32 = (0..texts[0].len()).map(|at| common(at).count_ones()).sum();
        let (second, third) = (self.key(places[1]), self.key(places[2]));
        self.expect("BITS.AND", places[0], &[second.as_bytes(), third.as_bytes()], &integer(bits));
    }

    fn read(&mut self, at: usize) {
        let text = self.model[at].clone();
        match text {
            Some(text) if text.len() > 5000 => {
                let start = self.draw(text.len() - 10);
                let range = [start.to_string(), (start + 9).to_string()];
                let part = bulk(&text[start..start + 10]);
                self.expect("GETRANGE", at, &[range[0].as_bytes(), range[1].as_bytes()], &part);
            }
            Some(text) => {
                let name = if self.draw(2) == 0 { "GET" } else { "BITS.GET" };
                self.expect(name, at, &[], &bulk(&text));
            }
            None => self.expect("GET", at, &[], b"$-1\r\n"),
        }
    }

    /// A key goes, is set with an expiry, or loses one.
    fn expire(&mut self, at: usize) {
        match self.draw(3) {
            0 => {
                let there = self.model[at].take().is_some();
                self.expect("DEL", at, &[], &integer(u8::from(there)));
            }
            1 => {
                let text = self.text(at);
                self.expect("SET", at, &[&text, b"PX", b"900000"], b"+OK\r\n");
                self.model[at] = Some(text);
                // Its expiry stays when it is counted or changed in part.
                self.append(at);
                self.cut(at);
                self.expect("PERSIST", at, &[], b":1\r\n");
            }
            _ => {
                let there = self.model[at].take().is_some();
                self.expect("PEXPIRE", at, &[b"-1"], &integer(u8::from(there)));
            }
        }
    }

    /// Some command.
    fn step(&mut self) {
        let at = self.draw(STRINGS);
        match self.draw(20) {
            0..=3 => self.increment(at),
            4..=6 => self.append(at),
            7 | 8 => self.write_over(at),
            9..=11 => self.set_bit(at),
            12 => self.cut(at),
            13 | 14 => self.compare_bits(),
            15 => self.expire(at),
            16 if at % 4 < 3 => {
                let number = self.draw(1000).to_string().into_bytes();
                self.set(at, number);
            }
            16 => self.set(at, vec![b'z'; LONG]),
            _ => self.read(at),
        }
    }

    fn compare(&mut self) {
        for at in 0..STRINGS {
            let expected = self.model[at].as_ref().map_or(b"$-1\r\n".to_vec(), |text| bulk(text));
            self.expect("GET", at, &[], &expected);
        }
    }
}

fn is_replacing(client: &mut Client) -> bool {
    client.text(&["INFO", "modules"]).contains("plinth_replacement_")
}

/// Path of the library that has strings now.
fn path(client: &mut Client) -> String {
    let line = client.info("modules", "plinth_module_string").expect("strings are there");
    line.split("path=").nth(1).expect("it says where from").to_owned()
}

/// A server with the C module that uses strings, and a client of it.
fn connected() -> (Server, Client) {
    let server = Server::with(&["--enable-module-command", "yes"]);
    let mut client = server.connect();
    let user = cc::module(server.folder(), "examples/string-plain/tests/user.c", &[]);
    assert_wire(&mut client, &["MODULE", "LOAD", &user], b"+OK\r\n");
    (server, client)
}

/// Sets the strings that nobody touches: numbers, texts, and every tenth with an expiry.
fn set_quiet(client: &mut Client) {
    for at in 0..QUIET {
        let (key, text) = (format!("quiet:{at}"), quiet(at));
        match at % 10 {
            0 => assert_wire(client, &["SET", &key, &text, "EX", "9000"], b"+OK\r\n"),
            1 => assert_wire(client, &["APPEND", &key, &text], integer(text.len())),
            _ => assert_wire(client, &["SET", &key, &text], b"+OK\r\n"),
        }
    }
}

fn quiet(at: usize) -> String {
    if at.is_multiple_of(2) { format!("-{}", at + 1) } else { format!("text {at}") }
}

fn compare_quiet(client: &mut Client) {
    for at in 0..QUIET {
        let key = format!("quiet:{at}");
        assert_wire(client, &["GET", &key], bulk(quiet(at).as_bytes()));
        if at % 10 == 0 {
            assert!(client.ask(&["TTL", &key]).integer() > 8000, "{key} expires");
        }
    }
}

#[test]
fn strings_go_over_and_back_while_clients_and_another_module_change_them() {
    let (server, mut client) = connected();
    set_quiet(&mut client);
    let mut owners: Vec<Owner> = (0..CLIENTS).map(|number| Owner::new(&server, number)).collect();
    let libraries = [build::library("string-plain"), path(&mut client)];
    for (round, library) in libraries.iter().enumerate() {
        let (is_over, commands, began) = (AtomicBool::new(false), AtomicU64::new(0), Instant::now());
        let done = || commands.load(Relaxed);
        std::thread::scope(|scope| {
            for owner in &mut owners {
                let (is_over, commands) = (&is_over, &commands);
                scope.spawn(move || {
                    while !is_over.load(Relaxed) && began.elapsed() < PATIENCE * 2 {
                        owner.step();
                        commands.fetch_add(1, Relaxed);
                    }
                });
            }
            wait_until("all clients work", || done() > 1000);
            // Paused first, so that commands meet values of both modules for a while.
            client.raw(format!("MODULE REPLACE string {library}\r\nMODULE REPLACE PAUSE string\r\n"));
            assert_eq!((client.read(), client.read()), (b"+OK\r\n".to_vec(), b"+OK\r\n".to_vec()));
            let before = done();
            wait_until("clients have met values of both", || done() > before + 3000);
            assert_wire(&mut client, &["MODULE", "REPLACE", "RESUME", "string"], b"+OK\r\n");
            wait_until("strings are converted", || !is_replacing(&mut client));
            let before = done();
            wait_until("clients go on", || done() > before + 1000);
            is_over.store(true, Relaxed);
        });
        assert_eq!(path(&mut client), *library);
        let said = "of them in slices, 0 attempts failed";
        wait_until("it says that none failed", || server.log().matches(said).count() == round + 1);
        owners.iter_mut().for_each(Owner::compare);
        compare_quiet(&mut client);
    }
}

#[test]
fn the_encoding_is_what_setting_a_string_as_a_whole_would_have_made() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["SET", "number", "12"], b"+OK\r\n");
    assert_wire(&mut client, &["SET", "text", "some"], b"+OK\r\n");
    assert_wire(&mut client, &["APPEND", "part", "x"], b":1\r\n");
    assert_wire(&mut client, &["APPEND", "part", "y"], b":2\r\n");
    let encodings =
        |client: &mut Client| ["number", "text", "part"].map(|key| client.text(&["OBJECT", "ENCODING", key]));
    assert_eq!(encodings(&mut client), ["int", "embstr", "raw"]);
    assert_wire(&mut client, &["MODULE", "REPLACE", "string", &build::library("string-plain")], b"+OK\r\n");
    wait_until("strings are converted", || !is_replacing(&mut client));
    assert_eq!(encodings(&mut client), ["int", "embstr", "embstr"]);
    assert_wire(&mut client, &["BITS.SET", "number", "0", "0"], b":0\r\n");
    assert_eq!(encodings(&mut client), ["raw", "embstr", "embstr"]);
    assert_wire(&mut client, &["INCR", "number"], b":13\r\n");
    assert_eq!(encodings(&mut client), ["int", "embstr", "embstr"]);
}

#[test]
fn a_rollback_gives_strings_back() {
    let (_server, mut client) = connected();
    let long = "l".repeat(LONG);
    assert_wire(&mut client, &["SET", "number", "12", "EX", "9000"], b"+OK\r\n");
    assert_wire(&mut client, &["SET", "long", &long], b"+OK\r\n");
    let before = path(&mut client);
    client.raw(format!("MODULE REPLACE string {}\r\nMODULE REPLACE PAUSE string\r\n", build::library("string-plain")));
    assert_eq!((client.read(), client.read()), (b"+OK\r\n".to_vec(), b"+OK\r\n".to_vec()));
    assert_wire(&mut client, &["INCR", "number"], b":13\r\n");
    assert_wire(&mut client, &["BITS.AND", "long", "number"], b":2\r\n");
    assert_wire(&mut client, &["MODULE", "REPLACE", "ROLLBACK", "string"], b"+OK\r\n");
    assert_wire(&mut client, &["APPEND", "long", "!"], integer(LONG + 1));
    wait_until("strings are back", || !is_replacing(&mut client));
    assert_eq!(path(&mut client), before);
    assert_wire(&mut client, &["GET", "number"], b"$2\r\n13\r\n");
    assert!(client.ask(&["TTL", "number"]).integer() > 8000);
    assert_wire(&mut client, &["STRLEN", "long"], integer(LONG + 1));
}
