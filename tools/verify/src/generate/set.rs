//! Sets. Those commands that draw by chance are asked for more than there is, and so for all.

use super::{Maker, word, words};
use crate::wire::Command;

pub(super) fn command(maker: &mut Maker<'_>) -> Command {
    let element = maker.element();
    match maker.random.below(18) {
        0..=4 => {
            let elements = maker.elements();
            maker.with_key("SADD", elements)
        }
        5 | 6 => {
            let elements = maker.elements();
            maker.with_key("SREM", elements)
        }
        7 => maker.with_key("SISMEMBER", [element]),
        8 => {
            let elements = maker.elements();
            maker.with_key("SMISMEMBER", elements)
        }
        9 => maker.with_key("SCARD", []),
        10 => maker.with_key("SMEMBERS", []),
        11 => {
            let to = maker.key();
            maker.with_key("SMOVE", [to, element])
        }
        12 | 13 => {
            let name = maker.random.one(&["SINTER", "SUNION", "SDIFF"]);
            let rest = [maker.key(), maker.key()];
            maker.with_key(name, rest)
        }
        14 => {
            let name = maker.random.one(&["SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"]);
            let rest = [maker.key(), maker.key()];
            maker.with_key(name, rest)
        }
        15 => {
            let mut command = maker.counted_keys("SINTERCARD");
            if maker.random.once_in(2) {
                command.extend([word("LIMIT"), maker.count()]);
            }
            command
        }
        16 => maker.with_key("SSCAN", words("0 COUNT 100000")),
        _ => {
            let (name, count) = (maker.random.one(&["SRANDMEMBER", "SPOP"]), word("100000"));
            // Taking all away each time would leave little to compare.
            if name == "SPOP" && !maker.random.once_in(4) {
                maker.with_key("SPOP", [word("0")])
            } else {
                maker.with_key(name, [count])
            }
        }
    }
}
