//! Commands on a collection whose replies are known beforehand.
//!
//! A [`Walker`] owns some keys and some elements of one big key, all of which nobody else touches,
//! and keeps what they hold. The load of both is a formula of the running number, so that a model
//! of a key is made when it is first touched. What lists and streams are asked is in
//! [`lists`] and [`streams`].

mod lists;
mod streams;

use std::collections::HashMap;

use super::client::{encode, put_bulk, put_header};
use super::swap::CONNECTIONS;
use lists::Lists;
use streams::Streams;

/// A type that is swapped under load.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Sorted sets.
    Zset,
    /// Sets.
    Set,
    /// Lists.
    List,
    /// Streams.
    Stream,
}

impl Kind {
    /// Name of the module, and of the type.
    pub(crate) fn module(self) -> &'static str {
        match self {
            Kind::Zset => "zset",
            Kind::Set => "set",
            Kind::List => "list",
            Kind::Stream => "stream",
        }
    }

    /// What makes the small values and the big one, see `load.rs`.
    pub(crate) fn templates(self) -> [&'static [&'static str]; 2] {
        match self {
            Kind::Zset => [&["ZADD", "small:{index}", "1", "a", "2", "b"], &["ZADD", "big", "5", "{index}"]],
            Kind::Set => [&["SADD", "small:{index}", "a", "b"], &["SADD", "big", "{index}"]],
            Kind::List => [&["RPUSH", "small:{index}", "a", "b"], &["RPUSH", "big", "{index}"]],
            Kind::Stream => {
                [&["XADD", "small:{index}", "1-1", "field", "1"], &["XADD", "big", "1-{next}", "field", "{index}"]]
            }
        }
    }

    fn initial(self) -> Members {
        let score = |score| if self == Kind::Zset { score } else { 0 };
        HashMap::from([("a".to_owned(), score(1)), ("b".to_owned(), score(2))])
    }
}

/// Members, and their scores (0 in a set).
type Members = HashMap<String, i64>;

/// Members that small values may have.
const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// A source of commands, each with the reply that it must get.
pub(crate) struct Walker {
    kind: Kind,
    number: u64,
    values: u64,
    random: u64,
    small: HashMap<u64, Members>,
    /// Elements of the big value that differ from the load: their score, or `None` if removed.
    big: HashMap<u64, Option<i64>>,
    lists: Lists,
    streams: Streams,
}

impl Walker {
    /// The walker of this number, among as many as there are connections.
    pub(crate) fn new(kind: Kind, number: u64, values: u64) -> Walker {
        let random = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (lists, streams) = (Lists::default(), Streams::default());
        Walker { kind, number, values, random, small: HashMap::new(), big: HashMap::new(), lists, streams }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    /// A number that this walker owns.
    fn own(&mut self) -> u64 {
        let count = self.values / CONNECTIONS;
        self.draw(count) * CONNECTIONS + self.number
    }

    /// Appends the next command; the reply that it must get.
    pub(crate) fn next(&mut self, request: &mut Vec<u8>) -> Vec<u8> {
        // One in five goes to the big value.
        match (self.draw(5) == 0, self.kind) {
            (true, Kind::List) => self.next_big_list(request),
            (false, Kind::List) => self.next_small_list(request),
            (true, Kind::Stream) => self.next_big_stream(request),
            (false, Kind::Stream) => self.next_small_stream(request),
            (true, _) => self.next_big(request),
            (false, _) => self.next_small(request),
        }
    }

    fn next_big(&mut self, request: &mut Vec<u8>) -> Vec<u8> {
        let (member, action, score) = (self.own(), self.draw(4), self.draw(1_000_000) as i64);
        let name = format!("{member:012}");
        let zset = self.kind == Kind::Zset;
        let loaded = if zset { 5 } else { 0 };
        let held = self.big.entry(member).or_insert(Some(loaded));
        let mut reply = Vec::new();
        match action {
            0 => {
                let score = if zset { score } else { 0 };
                integer(i64::from(held.replace(score).is_none()), &mut reply);
                add(zset, "big", score, &name, request);
            }
            1 => {
                integer(i64::from(held.take().is_some()), &mut reply);
                encode(&[if zset { "ZREM" } else { "SREM" }, "big", &name], request);
            }
            _ => {
                look(zset, *held, &mut reply);
                encode(&[if zset { "ZSCORE" } else { "SISMEMBER" }, "big", &name], request);
            }
        }
        reply
    }

    fn next_small(&mut self, request: &mut Vec<u8>) -> Vec<u8> {
        let number = self.own();
        let (action, name) = (self.draw(7), NAMES[self.draw(NAMES.len() as u64) as usize]);
        let score = self.draw(50) as i64;
        let zset = self.kind == Kind::Zset;
        let key = format!("small:{number:012}");
        let kind = self.kind;
        let members = self.small.entry(number).or_insert_with(|| kind.initial());
        let mut reply = Vec::new();
        match action {
            0 => {
                let score = if zset { score } else { 0 };
                integer(i64::from(members.insert(name.to_owned(), score).is_none()), &mut reply);
                add(zset, &key, score, name, request);
            }
            1 => {
                integer(i64::from(members.remove(name).is_some()), &mut reply);
                encode(&[if zset { "ZREM" } else { "SREM" }, &key, name], request);
            }
            2 => {
                integer(members.len() as i64, &mut reply);
                encode(&[if zset { "ZCARD" } else { "SCARD" }, &key], request);
            }
            3 if zset => {
                let held = members.entry(name.to_owned()).or_insert(0);
                *held += score;
                put_bulk(held.to_string().as_bytes(), &mut reply);
                encode(&["ZINCRBY", &key, &score.to_string(), name], request);
            }
            4 if zset => {
                let rank = ranked(members).iter().position(|(_, other)| *other == name);
                match rank {
                    Some(rank) => integer(rank as i64, &mut reply),
                    None => reply.extend(b"$-1\r\n"),
                }
                encode(&["ZRANK", &key, name], request);
            }
            5 if zset => {
                let ranked = ranked(members);
                put_header(b'*', ranked.len() * 2, &mut reply);
                for (score, name) in ranked {
                    put_bulk(name.as_bytes(), &mut reply);
                    put_bulk(score.to_string().as_bytes(), &mut reply);
                }
                encode(&["ZRANGE", &key, "0", "-1", "WITHSCORES"], request);
            }
            3 => {
                // A set cut with itself.
                integer(members.len() as i64, &mut reply);
                encode(&["SINTERCARD", "2", &key, &key], request);
            }
            _ => {
                look(zset, members.get(name).copied(), &mut reply);
                encode(&[if zset { "ZSCORE" } else { "SISMEMBER" }, &key, name], request);
            }
        }
        reply
    }
}

fn add(zset: bool, key: &str, score: i64, name: &str, request: &mut Vec<u8>) {
    if zset {
        encode(&["ZADD", key, &score.to_string(), name], request);
    } else {
        encode(&["SADD", key, name], request);
    }
}

/// The reply to ZSCORE or SISMEMBER.
fn look(zset: bool, held: Option<i64>, reply: &mut Vec<u8>) {
    match (zset, held) {
        (false, held) => integer(i64::from(held.is_some()), reply),
        (true, Some(score)) => put_bulk(score.to_string().as_bytes(), reply),
        (true, None) => reply.extend(b"$-1\r\n"),
    }
}

fn integer(value: i64, reply: &mut Vec<u8>) {
    reply.extend_from_slice(format!(":{value}\r\n").as_bytes());
}

/// Members by score, then by name.
fn ranked(members: &Members) -> Vec<(i64, &str)> {
    let mut all: Vec<(i64, &str)> = members.iter().map(|(name, score)| (*score, name.as_str())).collect();
    all.sort_unstable();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walkers_own_different_keys_and_know_what_the_load_has_made() {
        let mut first = Walker::new(Kind::Zset, 0, 1000);
        let mut second = Walker::new(Kind::Zset, 1, 1000);
        for _ in 0..100 {
            assert_eq!(first.own() % CONNECTIONS, 0);
            assert_eq!(second.own() % CONNECTIONS, 1);
        }
        let members = first.kind.initial();
        assert_eq!(ranked(&members), [(1, "a"), (2, "b")]);
        let (mut request, mut seen) = (Vec::new(), 0);
        for _ in 0..1000 {
            request.clear();
            let reply = first.next(&mut request);
            assert!(reply.ends_with(b"\r\n") && request.starts_with(b"*"));
            seen += usize::from(request.windows(6).any(|part| part == b"ZRANGE"));
        }
        assert!(seen > 50, "{seen}");
    }
    #[test]
    fn only_the_first_walker_makes_the_big_list_longer() {
        for (number, may_push) in [(0, true), (1, false)] {
            let mut walker = Walker::new(Kind::List, number, 1000);
            let (mut request, mut pushes) = (Vec::new(), 0);
            for _ in 0..1000 {
                request.clear();
                walker.next_big_list(&mut request);
                pushes += usize::from(request.windows(5).any(|part| part == b"RPUSH"));
            }
            assert_eq!(pushes > 0, may_push, "walker {number}");
        }
    }
}
