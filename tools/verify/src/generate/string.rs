//! Strings. Expiry is said as a point in time only, since the servers get a command at different times.

use super::{Maker, word, words};
use crate::wire::Command;

/// A point in time that no test sees, in ms; and wrong ones.
const TIMES_MS: [&str; 4] = ["33177117420000", "33177117420000", "0", "-1"];

impl Maker<'_> {
    /// A string, a number among them.
    fn string(&mut self) -> Vec<u8> {
        let numbers = ["0", "7", "-12", "9223372036854775807", "-9223372036854775808", "1.5", "-0", " 1"];
        if self.random.once_in(2) { word(self.random.one(&numbers)) } else { self.element() }
    }

    fn offset(&mut self) -> Vec<u8> {
        word(self.random.one(&["0", "1", "5", "63", "64", "70", "1000", "40000", "-1", "536870912", "x"]))
    }

    /// What stands behind a key and a value in SET.
    fn options(&mut self) -> Vec<Vec<u8>> {
        let mut options = Vec::new();
        if self.random.once_in(3) {
            options.push(word(self.random.one(&["NX", "XX", "nx", "GET"])));
        }
        if self.random.once_in(6) {
            options.extend([word("IFEQ"), self.string()]);
        }
        match self.random.below(6) {
            0 => options.push(word("KEEPTTL")),
            1 => options.extend([word("PXAT"), word(self.random.one(&TIMES_MS))]),
            2 => options.push(word("GET")),
            _ => {}
        }
        options
    }

    /// Keys, each with a value.
    fn keys_and_values(&mut self) -> Vec<Vec<u8>> {
        (0..self.random.below(3) + 1).flat_map(|_| [self.key(), self.string()]).collect()
    }
}

pub(super) fn command(maker: &mut Maker<'_>) -> Command {
    match maker.random.below(30) {
        0..=4 => {
            let rest = [vec![maker.string()], maker.options()].concat();
            maker.with_key("SET", rest)
        }
        5 => {
            let (name, value) = (maker.random.one(&["SETNX", "GETSET", "DELIFEQ"]), maker.string());
            maker.with_key(name, [value])
        }
        6 => maker.with_key("SETEX", words("0 v")),
        7 | 8 => maker.with_key("GET", []),
        9 => maker.with_key("STRLEN", []),
        10 => maker.with_key("GETDEL", []),
        11 => {
            let rest = match maker.random.below(3) {
                0 => words("PERSIST"),
                1 => [words("PXAT"), vec![word(maker.random.one(&TIMES_MS))]].concat(),
                _ => Vec::new(),
            };
            maker.with_key("GETEX", rest)
        }
        12..=14 => {
            let tail = maker.string();
            maker.with_key("APPEND", [tail])
        }
        15..=17 => {
            let rest = [maker.offset(), maker.element()];
            maker.with_key("SETRANGE", rest)
        }
        18 | 19 => {
            let (name, rest) = (maker.random.one(&["GETRANGE", "SUBSTR"]), [maker.index(), maker.index()]);
            maker.with_key(name, rest)
        }
        20..=22 => {
            let name = maker.random.one(&["INCR", "DECR"]);
            maker.with_key(name, [])
        }
        23 => {
            let (name, by) = (maker.random.one(&["INCRBY", "DECRBY"]), maker.string());
            maker.with_key(name, [by])
        }
        24 => {
            let by = word(maker.random.one(&["0.1", "-3", "1e3", "3.0e-5", "nan", "x"]));
            maker.with_key("INCRBYFLOAT", [by])
        }
        25 => {
            let rest = [maker.key(), maker.key()];
            maker.with_key("MGET", rest)
        }
        26 | 27 => [words(maker.random.one(&["MSET", "MSETNX"])), maker.keys_and_values()].concat(),
        28 => {
            let pairs = maker.keys_and_values();
            let count = word(&(pairs.len() / 2).to_string());
            let options = words(maker.random.one(&["NX", "XX", "KEEPTTL", "PXAT 33177117420000"]));
            [words("MSETEX"), vec![count], pairs, options].concat()
        }
        _ => {
            let second = maker.key();
            let options = words(maker.random.one(&["LEN", "IDX", "IDX MINMATCHLEN 2 WITHMATCHLEN"]));
            maker.with_key("LCS", [vec![second], options].concat())
        }
    }
}
