//! Sorted sets. The scores are few: what is wrong with equal ones shows only where there are some.

use super::{Maker, word, words};
use crate::wire::Command;

const SCORES: [&str; 12] = ["0", "1", "1", "1", "2", "-1", "0.5", "-0", "inf", "-inf", "1e300", "x"];
const BOUNDS: [&str; 9] = ["-inf", "+inf", "0", "1", "(1", "2", "(0.5", "-1", "x"];
const TEXT_BOUNDS: [&str; 8] = ["-", "+", "[a", "(a", "[b", "(c", "[", "x"];

impl Maker<'_> {
    fn score(&mut self) -> Vec<u8> {
        // The last one is none, and the one that means not many of them.
        let count = if self.random.once_in(30) { SCORES.len() } else { SCORES.len() - 1 };
        word(SCORES[self.random.below(count)])
    }

    fn bound(&mut self) -> Vec<u8> {
        word(self.random.one(&BOUNDS))
    }

    fn text_bound(&mut self) -> Vec<u8> {
        word(self.random.one(&TEXT_BOUNDS))
    }

    fn scored(&mut self) -> Vec<Vec<u8>> {
        (0..self.random.below(4) + 1).flat_map(|_| [self.score(), self.element()]).collect()
    }

    fn limit(&mut self) -> Vec<Vec<u8>> {
        if self.random.once_in(3) { vec![word("LIMIT"), self.index(), self.index()] } else { Vec::new() }
    }

    fn with_scores(&mut self) -> Vec<Vec<u8>> {
        if self.random.once_in(2) { vec![word("WITHSCORES")] } else { Vec::new() }
    }
}

pub(super) fn command(maker: &mut Maker<'_>) -> Command {
    match maker.random.below(24) {
        0..=5 => {
            let words: [&[&str]; 9] = [&[], &[], &[], &[], &["NX"], &["XX"], &["GT", "CH"], &["LT"], &["INCR"]];
            let flags = words[maker.random.below(words.len())];
            let mut rest: Vec<Vec<u8>> = flags.iter().map(|flag| word(flag)).collect();
            rest.extend(maker.scored());
            maker.with_key("ZADD", rest)
        }
        6 => {
            let members = maker.elements();
            maker.with_key("ZREM", members)
        }
        7 => {
            let rest = [maker.score(), maker.element()];
            maker.with_key("ZINCRBY", rest)
        }
        8 => {
            let (name, member) = (maker.random.one(&["ZSCORE", "ZRANK", "ZREVRANK"]), maker.element());
            maker.with_key(name, [member])
        }
        9 => {
            let members = maker.elements();
            maker.with_key("ZMSCORE", members)
        }
        10..=15 => range(maker),
        16 => {
            let name = maker.random.one(&["ZPOPMIN", "ZPOPMAX"]);
            let rest = if maker.random.once_in(2) { vec![maker.count()] } else { Vec::new() };
            maker.with_key(name, rest)
        }
        17 => match maker.random.below(3) {
            0 => {
                let rest = [maker.index(), word("3")];
                maker.with_key("ZREMRANGEBYRANK", rest)
            }
            1 => {
                let rest = [maker.bound(), word("1")];
                maker.with_key("ZREMRANGEBYSCORE", rest)
            }
            _ => {
                let rest = [maker.text_bound(), word("[aa")];
                maker.with_key("ZREMRANGEBYLEX", rest)
            }
        },
        18 => stored(maker),
        19 => {
            let name = maker.random.one(&["ZUNION", "ZINTER", "ZDIFF"]);
            let mut command = maker.counted_keys(name);
            command.extend(maker.with_scores());
            command
        }
        20 => maker.counted_keys("ZINTERCARD"),
        21 => maker.with_key("ZSCAN", words("0 COUNT 100000")),
        22 => {
            let mut command = maker.counted_keys("ZMPOP");
            command.extend(words(maker.random.one(&["MIN", "MAX COUNT 2"])));
            command
        }
        _ => {
            let (name, second) = (maker.random.one(&["BZPOPMIN", "BZPOPMAX"]), maker.key());
            maker.with_key(name, [second, word("0.001")])
        }
    }
}

/// The many ways to ask for a part.
fn range(maker: &mut Maker<'_>) -> Command {
    match maker.random.below(8) {
        0 | 1 => {
            let name = maker.random.one(&["ZRANGE", "ZREVRANGE"]);
            let rest = [vec![maker.index(), maker.index()], maker.with_scores()].concat();
            maker.with_key(name, rest)
        }
        2 => {
            let name = maker.random.one(&["ZRANGEBYSCORE", "ZREVRANGEBYSCORE"]);
            let rest = [vec![maker.bound(), maker.bound()], maker.with_scores(), maker.limit()].concat();
            maker.with_key(name, rest)
        }
        3 => {
            let name = maker.random.one(&["ZRANGEBYLEX", "ZREVRANGEBYLEX"]);
            let rest = [vec![maker.text_bound(), maker.text_bound()], maker.limit()].concat();
            maker.with_key(name, rest)
        }
        4 => {
            let rest = [maker.bound(), maker.bound()];
            maker.with_key("ZCOUNT", rest)
        }
        5 => {
            let rest = [maker.text_bound(), maker.text_bound()];
            maker.with_key("ZLEXCOUNT", rest)
        }
        6 => {
            let rest = [vec![maker.bound(), maker.bound()], words("BYSCORE REV"), maker.limit()].concat();
            maker.with_key("ZRANGE", rest)
        }
        _ => {
            let rest = [vec![maker.key(), maker.index(), maker.index()], words("REV")].concat();
            maker.with_key("ZRANGESTORE", rest)
        }
    }
}

fn stored(maker: &mut Maker<'_>) -> Command {
    let name = maker.random.one(&["ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE"]);
    let rest = [word("2"), maker.key(), maker.key()];
    let mut command = maker.with_key(name, rest);
    if name != "ZDIFFSTORE" && maker.random.once_in(2) {
        command.extend(words("WEIGHTS 2 -1 AGGREGATE"));
        command.push(word(maker.random.one(&["SUM", "MIN", "MAX"])));
    }
    command
}
