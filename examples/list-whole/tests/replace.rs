//! The library takes the place of the server's own lists and gives it back, in slices, while clients
//! change large lists from both ends and in their middle.

use plinth_testkit::{Client, PATIENCE, Server, assert_wire, build, wait_until};
use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Elements of the lists, one for each client.
const LENS: [usize; 3] = [300_000, 40_000, 40_000];
/// Elements are few, so that LREM and LINSERT find some not far from either end.
const TEXTS: u64 = 4000;

/// A client, and a list that nobody else touches.
struct Owner {
    client: Client,
    key: String,
    /// Element `n` is the text `e:<n>`.
    model: VecDeque<u64>,
    random: u64,
    worst: Duration,
}

fn bulk(number: u64) -> String {
    let text = format!("e:{number}");
    format!("${}\r\n{text}\r\n", text.len())
}

fn array(numbers: impl ExactSizeIterator<Item = u64>) -> String {
    let mut reply = format!("*{}\r\n", numbers.len());
    numbers.for_each(|number| reply += &bulk(number));
    reply
}

fn integer(number: usize) -> String {
    format!(":{number}\r\n")
}

impl Owner {
    fn new(server: &Server, number: usize) -> Owner {
        let (client, key, random) = (server.connect(), format!("list:{number}"), number as u64 * 7919 + 1);
        let mut owner = Owner { client, key, model: VecDeque::new(), random, worst: Duration::ZERO };
        for _ in (0..LENS[number]).step_by(1000) {
            owner.push(true, 1000);
        }
        owner
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    fn text(&mut self) -> (u64, String) {
        let number = self.draw(TEXTS);
        (number, format!("e:{number}"))
    }

    /// A position of an element.
    fn place(&mut self) -> usize {
        self.draw(self.model.len() as u64) as usize
    }

    /// Sends a command on the list, and asserts the reply.
    fn expect(&mut self, name: &str, args: &[&str], expected: &str) {
        let words: Vec<&str> = [name, &self.key].into_iter().chain(args.iter().copied()).collect();
        let begin = Instant::now();
        let reply = self.client.command(&words);
        self.worst = self.worst.max(begin.elapsed());
        assert!(reply == expected.as_bytes(), "{words:?}: {:?}, and not {expected:?}", String::from_utf8_lossy(&reply));
    }

    fn push(&mut self, right: bool, count: usize) {
        let mut texts = Vec::new();
        for _ in 0..count {
            let (number, text) = self.text();
            if right {
                self.model.push_back(number)
            } else {
                self.model.push_front(number)
            }
            texts.push(text);
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        self.expect(if right { "RPUSH" } else { "LPUSH" }, &texts, &integer(self.model.len()));
    }

    fn pop(&mut self, right: bool) {
        let taken = if right { self.model.pop_back() } else { self.model.pop_front() };
        self.expect(if right { "RPOP" } else { "LPOP" }, &[], &bulk(taken.expect("it never gets short")));
    }

    fn insert(&mut self, behind: bool) {
        let ((pivot, pivot_text), (number, text)) = (self.text(), self.text());
        let at = self.model.iter().position(|&element| element == pivot);
        at.into_iter().for_each(|at| self.model.insert(at + usize::from(behind), number));
        let expected = at.map_or(":-1\r\n".to_owned(), |_| integer(self.model.len()));
        self.expect("LINSERT", &[if behind { "AFTER" } else { "BEFORE" }, &pivot_text, &text], &expected);
    }

    /// Removes up to two of a text, from either end.
    fn remove(&mut self, right: bool) {
        let (number, text) = self.text();
        let mut removed = 0;
        while removed < 2 {
            let is_it = |&element: &u64| element == number;
            let len = self.model.len();
            let found = match right {
                true => self.model.iter().rev().position(is_it).map(|at| len - 1 - at),
                false => self.model.iter().position(is_it),
            };
            let Some(at) = found else { break };
            self.model.remove(at);
            removed += 1;
        }
        self.expect("LREM", &[if right { "-2" } else { "2" }, &text], &integer(removed));
    }

    fn trim(&mut self, left: usize, right: usize) {
        self.model.drain(..left);
        self.model.truncate(self.model.len() - right);
        self.expect("LTRIM", &[&left.to_string(), &format!("-{}", right + 1)], "+OK\r\n");
    }

    fn read(&mut self) {
        let at = self.place();
        self.expect("LINDEX", &[&at.to_string()], &bulk(self.model[at]));
        let end = (at + 10).min(self.model.len());
        let range: Vec<u64> = self.model.range(at..end).copied().collect();
        self.expect("LRANGE", &[&at.to_string(), &(at + 9).to_string()], &array(range.into_iter()));
    }

    /// Some command.
    fn step(&mut self) {
        let (action, right) = (self.draw(24), self.draw(2) == 0);
        match action {
            0..=3 => {
                let count = 1 + self.draw(4) as usize;
                self.push(right, count);
            }
            4..=7 => self.pop(right),
            8..=11 => {
                let (at, (number, text)) = (self.place(), self.text());
                self.model[at] = number;
                self.expect("LSET", &[&at.to_string(), &text], "+OK\r\n");
            }
            12 | 13 => self.insert(right),
            14 | 15 => self.remove(right),
            16 => self.trim(1, 2),
            17 if self.model.len() > 20_000 => self.trim(if right { 0 } else { 70 }, if right { 100 } else { 0 }),
            18 => {
                let number = self.model.pop_front().expect("it never gets short");
                self.model.push_back(number);
                let key = self.key.clone();
                self.expect("LMOVE", &[&key, "LEFT", "RIGHT"], &bulk(number));
            }
            19 => self.expect("LLEN", &[], &integer(self.model.len())),
            _ => self.read(),
        }
    }

    fn compare(&mut self) {
        let numbers: Vec<u64> = self.model.iter().copied().collect();
        let reply = self.client.command(&["LRANGE", &self.key, "0", "-1"]);
        assert!(reply == array(numbers.into_iter()).into_bytes(), "{} differs from its model", self.key);
    }
}

/// Path of the library that has lists now.
fn path(client: &mut Client) -> String {
    let line = client.info("modules", "plinth_module_list").expect("lists are there");
    line.split("path=").nth(1).expect("it says where from").to_owned()
}

#[test]
fn large_lists_go_over_and_back_in_slices_while_clients_change_them() {
    let server = Server::start();
    let mut client = server.connect();
    let mut owners: Vec<Owner> = (0..LENS.len()).map(|number| Owner::new(&server, number)).collect();
    let libraries = [build::library("list-whole"), path(&mut client)];
    let said = "'list' has taken all values over: 3 converted, 3 of them in slices, 0 attempts failed";
    for (round, library) in libraries.iter().enumerate() {
        let (is_over, commands) = (AtomicBool::new(false), AtomicU64::new(0));
        let (mut seen, began) = (String::new(), Instant::now());
        std::thread::scope(|scope| {
            for owner in &mut owners {
                owner.worst = Duration::ZERO;
                let (is_over, commands) = (&is_over, &commands);
                scope.spawn(move || {
                    while !is_over.load(Relaxed) && began.elapsed() < PATIENCE * 2 {
                        owner.step();
                        commands.fetch_add(1, Relaxed);
                    }
                });
            }
            wait_until("all clients work", || commands.load(Relaxed) > 100);
            let before = commands.load(Relaxed);
            assert_wire(&mut client, &["MODULE", "REPLACE", "list", library], b"+OK\r\n");
            let begin = Instant::now();
            wait_until("lists are converted", || !client.text(&["INFO", "modules"]).contains("plinth_replacement_"));
            let meanwhile = commands.load(Relaxed) - before;
            let _ = write!(seen, "{:?}, {meanwhile} commands meanwhile", begin.elapsed());
            is_over.store(true, Relaxed);
        });
        let worst: Vec<Duration> = owners.iter().map(|owner| owner.worst).collect();
        println!("{library}: {seen}, worst replies {worst:?}");
        assert_eq!(path(&mut client), *library);
        wait_until("all were done in slices", || server.log().matches(said).count() == round + 1);
        owners.iter_mut().for_each(Owner::compare);
    }
}
