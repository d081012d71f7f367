//! Streams.
//!
//! Ids are written out, and times with them: two servers do not add in the same millisecond. What shows the
//! clock all the same is left out by [`compare`](crate::compare).

use super::{Maker, word, words};
use crate::wire::Command;

/// Consumers, few, so that entries change hands.
const CONSUMERS: [&str; 3] = ["alice", "bob", "c"];
/// A moment long ago.
const DELIVERED_MS: &str = "1700000000000";

impl Maker<'_> {
    /// An id that may be there.
    fn id(&mut self) -> Vec<u8> {
        let (ms, seq) = (self.random.below(9), self.random.below(12));
        word(&format!("{ms}-{seq}"))
    }

    fn ids(&mut self) -> Vec<Vec<u8>> {
        (0..self.random.below(4) + 1).map(|_| self.id()).collect()
    }

    /// An id of a new entry: mostly the next of some millisecond.
    fn new_id(&mut self) -> Vec<u8> {
        match self.random.below(12) {
            0 => word(self.random.one(&["0-0", "x", "7", "18446744073709551615-*", "5-18446744073709551615"])),
            1 | 2 => self.id(),
            _ => word(&format!("{}-*", self.random.below(3) + self.random.below(3) + self.random.below(5))),
        }
    }

    fn pairs_of_entry(&mut self) -> Vec<Vec<u8>> {
        // The same names mostly.
        match self.random.below(6) {
            0 => (0..self.random.below(3) + 1).flat_map(|_| [self.element(), self.element()]).collect(),
            1 => vec![word("name")],
            _ => vec![word("name"), self.element(), word("other"), self.element()],
        }
    }

    /// An end of a range.
    fn range_end(&mut self, end: &str) -> Vec<u8> {
        match self.random.below(5) {
            0 => [b"(".to_vec(), self.id()].concat(),
            1 | 2 => word(end),
            3 => word(self.random.one(&["3", "5-18446744073709551615", "(-", "y"])),
            _ => self.id(),
        }
    }

    /// What is trimmed. How much about so many entries are depends on the layout, so that is only asked for
    /// where it is none.
    fn trim(&mut self) -> Vec<Vec<u8>> {
        let about = self.random.once_in(4);
        let mut rest = match (self.random.once_in(2), about) {
            (true, true) => words("MAXLEN ~ 100000"),
            (false, true) => words("MINID ~ 0"),
            (true, false) => vec![word("MAXLEN"), self.count()],
            (false, false) => vec![word("MINID"), word("="), self.id()],
        };
        if self.random.once_in(3) {
            rest.extend([word("LIMIT"), self.count()]);
        }
        rest
    }

    fn counted_ids(&mut self) -> Vec<Vec<u8>> {
        let ids = self.ids();
        [vec![word("IDS"), word(&ids.len().to_string())], ids].concat()
    }

    fn group(&mut self) -> Vec<u8> {
        word(if self.random.once_in(8) { "h" } else { "g" })
    }

    fn consumer(&mut self) -> Vec<u8> {
        word(CONSUMERS[self.random.below(CONSUMERS.len())])
    }

    fn references(&mut self) -> Vec<u8> {
        word(self.random.one(&["KEEPREF", "DELREF", "ACKED"]))
    }
}

pub(super) fn command(maker: &mut Maker<'_>) -> Command {
    match maker.random.below(34) {
        0..=9 => {
            let mut rest = if maker.random.once_in(8) { maker.trim() } else { Vec::new() };
            if maker.random.once_in(12) {
                rest.insert(0, word("NOMKSTREAM"));
            }
            rest.push(maker.new_id());
            let pairs = maker.pairs_of_entry();
            maker.with_key("XADD", [rest, pairs].concat())
        }
        10 => maker.with_key("XLEN", []),
        11 | 12 => {
            let mut rest = vec![maker.range_end("-"), maker.range_end("+")];
            let name = maker.random.one(&["XRANGE", "XREVRANGE"]);
            if name == "XREVRANGE" {
                rest.reverse();
            }
            if maker.random.once_in(2) {
                rest.extend([word("COUNT"), maker.count()]);
            }
            maker.with_key(name, rest)
        }
        13 | 14 => {
            let ids = maker.ids();
            maker.with_key("XDEL", ids)
        }
        15 => {
            let trim = maker.trim();
            maker.with_key("XTRIM", trim)
        }
        16 => {
            let rest = [vec![maker.references()], maker.counted_ids()].concat();
            maker.with_key("XDELEX", rest)
        }
        17 => {
            let rest = [vec![maker.group(), maker.references()], maker.counted_ids()].concat();
            maker.with_key("XACKDEL", rest)
        }
        18 => {
            let rest = vec![maker.id(), word("ENTRIESADDED"), maker.count(), word("MAXDELETEDID"), maker.id()];
            maker.with_key("XSETID", rest)
        }
        19 => {
            let (key, from) = (maker.key(), maker.id());
            [words("XREAD COUNT"), vec![maker.count()], words("STREAMS"), vec![key, from]].concat()
        }
        _ => of_group(maker),
    }
}

/// Commands on groups.
fn of_group(maker: &mut Maker<'_>) -> Command {
    let group = maker.group();
    match maker.random.below(18) {
        0 | 1 => {
            let mut rest = vec![group, maker.id()];
            if maker.random.once_in(2) {
                rest.push(word("MKSTREAM"));
            }
            if maker.random.once_in(2) {
                rest.extend([word("ENTRIESREAD"), maker.count()]);
            }
            maker.with_key("XGROUP CREATE", rest)
        }
        2 => {
            let id = word(maker.random.one(&["0", "$", "3-3"]));
            maker.with_key("XGROUP SETID", [group, id])
        }
        3 => {
            let name = maker.random.one(&["XGROUP CREATECONSUMER", "XGROUP DELCONSUMER"]);
            let consumer = maker.consumer();
            maker.with_key(name, [group, consumer])
        }
        4 if maker.random.once_in(3) => maker.with_key("XGROUP DESTROY", [group]),
        4..=8 => {
            let mut command = [words("XREADGROUP GROUP"), vec![group, maker.consumer()]].concat();
            command.extend([word("COUNT"), maker.count()]);
            if maker.random.once_in(6) {
                command.push(word("NOACK"));
            }
            let from = if maker.random.once_in(4) { maker.id() } else { word(">") };
            [command, words("STREAMS"), vec![maker.key(), from]].concat()
        }
        9 | 10 => {
            let ids = maker.ids();
            maker.with_key("XACK", [vec![group], ids].concat())
        }
        11 => maker.with_key("XPENDING", [group]),
        12 => {
            let mut rest = vec![group, maker.range_end("-"), maker.range_end("+"), maker.count()];
            if maker.random.once_in(2) {
                rest.push(maker.consumer());
            }
            maker.with_key("XPENDING", rest)
        }
        13 | 14 => {
            let mut rest = vec![group, maker.consumer(), word("0")];
            rest.extend(maker.ids());
            rest.extend([word("TIME"), word(DELIVERED_MS)]);
            for option in ["FORCE", "JUSTID"] {
                if maker.random.once_in(3) {
                    rest.push(word(option));
                }
            }
            if maker.random.once_in(3) {
                rest.extend([word("RETRYCOUNT"), maker.count()]);
            }
            maker.with_key("XCLAIM", rest)
        }
        15 => {
            let rest = vec![group, maker.consumer(), word("0"), maker.id(), word("COUNT"), maker.count()];
            maker.with_key("XAUTOCLAIM", rest)
        }
        16 => maker.with_key("XINFO CONSUMERS", [group]),
        _ => {
            let name = maker.random.one(&["XINFO GROUPS", "XINFO STREAM"]);
            maker.with_key(name, [])
        }
    }
}
