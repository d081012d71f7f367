//! Lists.

use super::{Maker, word, words};
use crate::wire::Command;

impl Maker<'_> {
    fn end(&mut self) -> Vec<u8> {
        word(self.random.one(&["LEFT", "RIGHT", "left"]))
    }
}

pub(super) fn command(maker: &mut Maker<'_>) -> Command {
    let (element, index) = (maker.element(), maker.index());
    match maker.random.below(22) {
        0..=3 => {
            let (name, elements) = (maker.random.one(&["LPUSH", "RPUSH", "LPUSHX", "RPUSHX"]), maker.elements());
            maker.with_key(name, elements)
        }
        4 => maker.with_key("LPOP", []),
        5 => maker.with_key("RPOP", [index]),
        6 => maker.with_key("LLEN", []),
        7 | 8 => {
            let stop = maker.index();
            maker.with_key("LRANGE", [index, stop])
        }
        9 => maker.with_key("LINDEX", [index]),
        10 => maker.with_key("LSET", [index, element]),
        11 => {
            let (side, new) = (word(maker.random.one(&["BEFORE", "AFTER"])), maker.element());
            maker.with_key("LINSERT", [side, element, new])
        }
        12 => maker.with_key("LREM", [index, element]),
        13 => {
            let stop = word(maker.random.one(&["-1", "-2", "9", "300"]));
            let start = word(maker.random.one(&["0", "1", "-100"]));
            maker.with_key("LTRIM", [start, stop])
        }
        14 | 15 => {
            let mut rest = vec![element];
            for option in ["RANK", "COUNT", "MAXLEN"] {
                if maker.random.once_in(3) {
                    rest.extend([word(option), maker.index()]);
                }
            }
            maker.with_key("LPOS", rest)
        }
        16 => {
            let rest = [maker.key(), maker.end(), maker.end()];
            maker.with_key("LMOVE", rest)
        }
        17 => {
            let to = maker.key();
            maker.with_key("RPOPLPUSH", [to])
        }
        18 => {
            let mut command = maker.counted_keys("LMPOP");
            command.push(maker.end());
            if maker.random.once_in(2) {
                command.extend([word("COUNT"), maker.count()]);
            }
            command
        }
        19 => {
            let second = maker.key();
            let name = maker.random.one(&["BLPOP", "BRPOP"]);
            maker.with_key(name, [second, word("0.001")])
        }
        20 => {
            let rest = [maker.key(), maker.end(), maker.end(), word("0.001")];
            maker.with_key("BLMOVE", rest)
        }
        _ => {
            let mut command = maker.counted_keys("BLMPOP 0.001");
            command.extend(words("LEFT COUNT 2"));
            command
        }
    }
}
