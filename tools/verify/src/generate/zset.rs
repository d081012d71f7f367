//! Sorted sets. The scores are few: what is wrong with equal ones shows only where there are some.
//!
//! Ranges by member have an answer only where all scores are the same, so they have a key of their
//! own, [`LEX`], which nothing gives another score than 0, not even a command that lost arguments:
//! none of its members is a number.

use super::{LONG, LONGER, Maker, word, words};
use crate::wire::Command;

const SCORES: [&str; 12] = ["0", "1", "1", "1", "2", "-1", "0.5", "-0", "inf", "-inf", "1e300", "x"];
const BOUNDS: [&str; 9] = ["-inf", "+inf", "0", "1", "(1", "2", "(0.5", "-1", "x"];
/// The key whose members all have the score 0.
pub(super) const LEX: &str = "lex";
/// Its members.
const TEXTS: [&[u8]; 10] = [b"a", b"b", b"c", b"aa", b"ab", b"B", b"", b"\xff\x00\x80", LONG, LONGER];
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
    match maker.random.below(28) {
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
        17 if maker.random.once_in(2) => {
            let rest = [maker.index(), word("3")];
            maker.with_key("ZREMRANGEBYRANK", rest)
        }
        17 => {
            let rest = [maker.bound(), word("1")];
            maker.with_key("ZREMRANGEBYSCORE", rest)
        }
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
        23..=26 => by_member(maker),
        _ => {
            let (name, second) = (maker.random.one(&["BZPOPMIN", "BZPOPMAX"]), maker.key());
            maker.with_key(name, [second, word("0.001")])
        }
    }
}

/// The many ways to ask for a part.
fn range(maker: &mut Maker<'_>) -> Command {
    match maker.random.below(6) {
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
            let rest = [maker.bound(), maker.bound()];
            maker.with_key("ZCOUNT", rest)
        }
        4 => {
            let rest = [vec![maker.bound(), maker.bound()], words("BYSCORE REV"), maker.limit()].concat();
            maker.with_key("ZRANGE", rest)
        }
        _ => {
            let rest = [vec![maker.key(), maker.index(), maker.index()], words("REV")].concat();
            maker.with_key("ZRANGESTORE", rest)
        }
    }
}

/// What changes the key of equal scores, and ranges by member.
fn by_member(maker: &mut Maker<'_>) -> Command {
    let text = |maker: &mut Maker<'_>| TEXTS[maker.random.below(TEXTS.len())].to_vec();
    // Seldom a key that is of another type, or not there.
    let key = if maker.random.once_in(20) { maker.random.one(&["other", "absent"]) } else { LEX };
    let on_key = |name: &str| vec![word(name), word(key)];
    let bounds = [maker.text_bound(), maker.text_bound()];
    match maker.random.below(10) {
        0..=3 => {
            let count = maker.random.below(4) + 1;
            [words("ZADD lex"), (0..count).flat_map(|_| [word("0"), text(maker)]).collect()].concat()
        }
        4 => [on_key("ZREM"), vec![text(maker)]].concat(),
        5 => [on_key("ZLEXCOUNT"), bounds.to_vec()].concat(),
        6 => [on_key("ZREMRANGEBYLEX"), bounds.to_vec()].concat(),
        7 => [words("ZRANGESTORE b"), vec![word(key)], bounds.to_vec(), words("BYLEX"), maker.limit()].concat(),
        8 => {
            let name = maker.random.one(&["ZRANGEBYLEX", "ZREVRANGEBYLEX"]);
            [on_key(name), bounds.to_vec(), maker.limit()].concat()
        }
        _ => {
            let how = words(maker.random.one(&["BYLEX", "BYLEX REV"]));
            [on_key("ZRANGE"), bounds.to_vec(), how, maker.limit()].concat()
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
