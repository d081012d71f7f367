//! Commands on streams whose replies are known beforehand.
//!
//! Entries of the big stream are owned by their numbers. Only the first walker adds to it, behind the
//! last entry, because ids rise; all remove and read their own. Small streams are trimmed as well.

use std::collections::{HashMap, HashSet, VecDeque};

use super::super::client::{encode, put_bulk, put_header};
use super::{Walker, integer};

/// Most entries of a small stream.
const SMALL_ENTRIES: usize = 6;
/// Most entries that the first walker adds to the big stream.
const TAIL_ENTRIES: u64 = 1000;

/// What a walker's streams hold, where that differs from the load.
#[derive(Default)]
pub(super) struct Streams {
    small: HashMap<u64, Small>,
    /// Loaded entries of the big stream that are gone.
    removed: HashSet<u64>,
    /// Entries that the first walker has added to it.
    added: u64,
}

/// A small stream: the numbers of its entries, which are their values too, and the last that was given.
struct Small {
    entries: VecDeque<u64>,
    last: u64,
}

fn put_entry(ms: u64, seq: u64, name: &str, value: &str, reply: &mut Vec<u8>) {
    put_header(b'*', 2, reply);
    put_bulk(format!("{ms}-{seq}").as_bytes(), reply);
    put_header(b'*', 2, reply);
    put_bulk(name.as_bytes(), reply);
    put_bulk(value.as_bytes(), reply);
}

impl Walker {
    pub(super) fn next_big_stream(&mut self, request: &mut Vec<u8>) -> Vec<u8> {
        let (at, action) = (self.own(), self.draw(8));
        let streams = &mut self.streams;
        let mut reply = Vec::new();
        match action {
            0 => {
                encode(&["XDEL", "big", &format!("1-{}", at + 1)], request);
                integer(i64::from(streams.removed.insert(at)), &mut reply);
            }
            1 | 2 if self.number == 0 && streams.added < TAIL_ENTRIES => {
                streams.added += 1;
                let id = format!("2-{}", streams.added);
                encode(&["XADD", "big", &id, "added", &id], request);
                put_bulk(id.as_bytes(), &mut reply);
            }
            3 if self.number == 0 && streams.added > 0 => {
                encode(&["XREVRANGE", "big", "+", "2-1", "COUNT", "1"], request);
                put_header(b'*', 1, &mut reply);
                let last = streams.added;
                put_entry(2, last, "added", &format!("2-{last}"), &mut reply);
            }
            _ => {
                let id = format!("1-{}", at + 1);
                encode(&["XRANGE", "big", &id, &id], request);
                let is_there = !streams.removed.contains(&at);
                put_header(b'*', usize::from(is_there), &mut reply);
                if is_there {
                    put_entry(1, at + 1, "field", &format!("{at:012}"), &mut reply);
                }
            }
        }
        reply
    }

    pub(super) fn next_small_stream(&mut self, request: &mut Vec<u8>) -> Vec<u8> {
        let number = self.own();
        let (action, chance) = (self.draw(7), self.draw(1000) as usize);
        let key = format!("small:{number:012}");
        let small = self.streams.small.entry(number).or_insert_with(|| Small { entries: VecDeque::from([1]), last: 1 });
        let mut reply = Vec::new();
        match action {
            0 | 1 if small.entries.len() < SMALL_ENTRIES => {
                small.last += 1;
                small.entries.push_back(small.last);
                let seq = small.last.to_string();
                let id = format!("1-{seq}");
                encode(&["XADD", &key, &id, "field", &seq], request);
                put_bulk(id.as_bytes(), &mut reply);
            }
            2 => {
                let at = chance % SMALL_ENTRIES;
                // One that may be gone, or was never there.
                let seq = small.entries.get(at).copied().unwrap_or(small.last + 1);
                encode(&["XDEL", &key, &format!("1-{seq}")], request);
                integer(i64::from(small.entries.remove(at).is_some()), &mut reply);
            }
            3 => {
                let gone = small.entries.len().saturating_sub(2);
                small.entries.drain(..gone);
                encode(&["XTRIM", &key, "MAXLEN", "2"], request);
                integer(gone as i64, &mut reply);
            }
            4 => {
                encode(&["XLEN", &key], request);
                integer(small.entries.len() as i64, &mut reply);
            }
            _ => {
                encode(&["XRANGE", &key, "-", "+"], request);
                put_header(b'*', small.entries.len(), &mut reply);
                small.entries.iter().for_each(|seq| put_entry(1, *seq, "field", &seq.to_string(), &mut reply));
            }
        }
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    #[test]
    fn only_the_first_walker_adds_to_the_big_stream() {
        for (number, may_add) in [(0, true), (1, false)] {
            let mut walker = Walker::new(Kind::Stream, number, 1000);
            let (mut request, mut additions) = (Vec::new(), 0);
            for _ in 0..1000 {
                request.clear();
                walker.next_big_stream(&mut request);
                additions += usize::from(request.windows(4).any(|part| part == b"XADD"));
            }
            assert_eq!(additions > 0, may_add, "walker {number}");
        }
    }
}
