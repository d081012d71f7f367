//! Hashes.

use super::{Maker, word, words};
use crate::wire::Command;

/// A moment far away, so that two servers say the same of it.
const LATER: &str = "33177117420";

impl Maker<'_> {
    fn pairs(&mut self) -> Vec<Vec<u8>> {
        (0..self.random.below(4) + 1).flat_map(|_| [self.element(), self.element()]).collect()
    }

    /// `FIELDS`, their number, and they.
    fn counted_fields(&mut self) -> Vec<Vec<u8>> {
        let fields = self.elements();
        [vec![word("FIELDS"), word(&fields.len().to_string())], fields].concat()
    }
}

pub(super) fn command(maker: &mut Maker<'_>) -> Command {
    let (field, value) = (maker.element(), maker.element());
    match maker.random.below(20) {
        0..=4 => {
            let (name, pairs) = (maker.random.one(&["HSET", "HSET", "HMSET"]), maker.pairs());
            maker.with_key(name, pairs)
        }
        5 => maker.with_key("HSETNX", [field, value]),
        6 => {
            let name = maker.random.one(&["HGET", "HEXISTS", "HSTRLEN"]);
            maker.with_key(name, [field])
        }
        7 => {
            let fields = maker.elements();
            maker.with_key("HMGET", fields)
        }
        8 | 9 => {
            let fields = maker.elements();
            maker.with_key("HDEL", fields)
        }
        10 => maker.with_key("HLEN", []),
        11 => {
            let by = word(maker.random.one(&["1", "-3", "9223372036854775807", "x"]));
            maker.with_key("HINCRBY", [field, by])
        }
        12 => {
            let by = word(maker.random.one(&["0.5", "-1", "1e3", "x"]));
            maker.with_key("HINCRBYFLOAT", [field, by])
        }
        13 => {
            let name = maker.random.one(&["HGETALL", "HKEYS", "HVALS"]);
            maker.with_key(name, [])
        }
        14 => maker.with_key("HSCAN", words("0 COUNT 100000")),
        15 => maker.with_key("HRANDFIELD", words("100000 WITHVALUES")),
        16 => {
            let name = maker.random.one(&["HEXPIREAT", "HPEXPIREAT"]);
            let at = word(if name == "HEXPIREAT" { LATER } else { "33177117420123" });
            let fields = maker.counted_fields();
            maker.with_key(name, [vec![at], fields].concat())
        }
        17 => {
            let name = maker.random.one(&["HEXPIRETIME", "HPEXPIRETIME", "HPERSIST"]);
            let fields = maker.counted_fields();
            maker.with_key(name, fields)
        }
        18 => {
            let fields = maker.counted_fields();
            maker.with_key("HGETDEL", fields)
        }
        _ => {
            let fields = maker.counted_fields();
            maker.with_key("HGETEX", [vec![word("EXAT"), word(LATER)], fields].concat())
        }
    }
}
