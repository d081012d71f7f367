//! Cases: sequences of commands that find out what a module makes of its type.
//!
//! Few keys, few elements, few scores, so that commands meet: a fault in the order of equal scores
//! needs equal scores. Among them are what is easily forgotten (an empty element, one that looks like
//! a number, a long one, one that is no text), arguments that are wrong, keys of another type, and
//! sizes on both sides of the usual thresholds.

mod hash;
mod list;
mod set;
mod stream;
mod string;
mod zset;

use crate::wire::Command;
use plinth_fuzz::Random;
use std::fmt;
use std::ops::Range;

/// The types that there are generators for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    List,
    Hash,
    Set,
    String,
    Zset,
    Stream,
}

impl Kind {
    /// The type's name, as TYPE answers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::List => "list",
            Kind::Hash => "hash",
            Kind::Set => "set",
            Kind::String => "string",
            Kind::Zset => "zset",
            Kind::Stream => "stream",
        }
    }
}

/// One thing to do on both servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Command(Command),
    /// Wait, so that something expires.
    Pause(u64),
    /// Restore what each server dumps of a key in both.
    RoundTrip(&'static str),
}

impl Step {
    pub(crate) fn command(&self) -> Option<&Command> {
        if let Step::Command(command) = self { Some(command) } else { None }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Pause(time_ms) => write!(out, "(wait {time_ms} ms)"),
            Step::RoundTrip(key) => write!(out, "(DUMP {key}, RESTORE in both)"),
            Step::Command(args) => {
                for (place, arg) in args.iter().enumerate() {
                    let is_plain =
                        !arg.is_empty() && arg.iter().all(|byte| matches!(byte, b'!'..=b'~') && *byte != b'"');
                    let space = if place == 0 { "" } else { " " };
                    if is_plain {
                        write!(out, "{space}{}", String::from_utf8_lossy(arg))?;
                    } else {
                        write!(out, "{space}\"{}\"", arg.escape_ascii())?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// A sequence that begins with empty servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    /// 2 or 3.
    pub(crate) protocol: u32,
    pub(crate) steps: Vec<Step>,
}

impl Case {
    /// Bytes of all arguments.
    pub(crate) fn bytes(&self) -> usize {
        self.steps.iter().filter_map(Step::command).flatten().map(|arg| arg.len() + 1).sum()
    }
}

/// The keys of a case; the last one mostly holds a value of another type.
const KEYS: [&str; 4] = ["a", "b", "c", "other"];
/// Elements: few, so that they meet.
const ELEMENTS: [&[u8]; 16] = [
    b"a",
    b"b",
    b"c",
    b"aa",
    b"ab",
    b"B",
    b"",
    b"1",
    b"10",
    b"9",
    b"-3",
    b"007",
    b"3.0",
    b"\xff\x00\x80",
    LONG,
    LONGER,
];
/// One that is at the usual threshold, and one beyond it.
const LONG: &[u8] = &[b'x'; 64];
const LONGER: &[u8] = &[b'y'; 65];
const COMMANDS_MAX: usize = 120;

/// One argument.
fn word(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// A command of words, split at spaces.
fn words(text: &str) -> Command {
    text.split(' ').map(word).collect()
}

/// Makes commands.
pub(super) struct Maker<'r> {
    pub(super) random: &'r mut Random,
}

impl Maker<'_> {
    fn key(&mut self) -> Vec<u8> {
        // The one of another type seldom.
        let count = if self.random.once_in(20) { 4 } else { 3 };
        word(KEYS[self.random.below(count)])
    }

    fn element(&mut self) -> Vec<u8> {
        // Half of them from the first few, so that most commands hit.
        let count = if self.random.once_in(2) { 6 } else { ELEMENTS.len() };
        ELEMENTS[self.random.below(count)].to_vec()
    }

    fn elements(&mut self) -> Vec<Vec<u8>> {
        (0..self.random.below(5) + 1).map(|_| self.element()).collect()
    }

    fn index(&mut self) -> Vec<u8> {
        word(self.random.one(&["0", "1", "2", "-1", "-2", "5", "-7", "100", "-100", "x"]))
    }

    fn count(&mut self) -> Vec<u8> {
        word(self.random.one(&["1", "2", "3", "10", "0", "1000", "-1"]))
    }

    /// A name, a key, and what follows.
    fn with_key(&mut self, name: &str, rest: impl IntoIterator<Item = Vec<u8>>) -> Command {
        let mut command = words(name);
        command.push(self.key());
        command.extend(rest);
        command
    }

    /// A number of keys and the keys.
    fn counted_keys(&mut self, name: &str) -> Command {
        let mut command = words(name);
        let count = self.random.below(3) + 1;
        command.push(word(&count.to_string()));
        command.extend((0..count).map(|_| self.key()));
        command
    }

    /// Commands on keys that any type must bear.
    fn common(&mut self, kind: Kind) -> Step {
        let key = self.key();
        let text = String::from_utf8_lossy(&key).into_owned();
        Step::Command(match self.random.below(12) {
            0 => words(&format!("TYPE {text}")),
            1 => words(&format!("EXISTS {text}")),
            2 => words(&format!("DEL {text}")),
            3 => words(if kind == Kind::String { "RPUSH other v" } else { "SET other v" }),
            4 => [words(&format!("RENAME {text}")), vec![self.key()]].concat(),
            5 => [words(&format!("COPY {text}")), vec![self.key()], words("REPLACE")].concat(),
            6 => words(&format!("EXPIREAT {text} 33177117420")),
            7 => words(&format!("EXPIRETIME {text}")),
            8 => words(&format!("PERSIST {text}")),
            9 => words(&format!("OBJECT ENCODING {text}")),
            10 if !matches!(kind, Kind::Hash | Kind::Stream) => words(&format!("SORT {text} ALPHA")),
            _ => return Step::RoundTrip(KEYS[self.random.below(3)]),
        })
    }
}

impl Kind {
    /// Commands that show all of a key.
    pub(crate) fn reads(self, key: &str) -> Vec<Command> {
        let all: &[&str] = match self {
            Kind::List => &["LLEN {}", "LRANGE {} 0 -1"],
            Kind::Hash => &["HLEN {}", "HGETALL {}"],
            Kind::Set => &["SCARD {}", "SMEMBERS {}"],
            Kind::String => &["STRLEN {}", "GET {}"],
            Kind::Zset => &["ZCARD {}", "ZRANGE {} 0 -1 WITHSCORES", "ZREVRANGE {} 0 -1"],
            Kind::Stream => &["XLEN {}", "XRANGE {} - +", "XREVRANGE {} + -", "XINFO STREAM {} FULL COUNT 0"],
        };
        all.iter().map(|text| words(&text.replace("{}", key))).collect()
    }

    /// Commands that add the elements of these numbers: one, unless each takes its own.
    pub(crate) fn fill(self, key: &str, numbers: Range<usize>) -> Vec<Command> {
        let name = match self {
            Kind::List => "RPUSH",
            Kind::Hash => "HSET",
            Kind::Set => "SADD",
            Kind::String => "APPEND",
            Kind::Zset => "ZADD",
            Kind::Stream => {
                let entry = |number| words(&format!("XADD {key} 1-{} f v-{number:09}", number + 1));
                return numbers.map(entry).collect();
            }
        };
        let mut command = words(name);
        command.push(word(key));
        if self == Kind::String {
            command.push(Vec::new());
        }
        for number in numbers {
            match self {
                Kind::String => command[2].extend(word(&format!("element-{number:06}"))),
                Kind::List | Kind::Set | Kind::Stream => command.push(word(&format!("element-{number:06}"))),
                Kind::Hash => command.extend([word(&format!("f-{number:06}")), word(&format!("v{number:05}"))]),
                Kind::Zset => command.extend([word(&(number / 3).to_string()), word(&format!("member-{number:06}"))]),
            }
        }
        vec![command]
    }

    fn command(self, maker: &mut Maker<'_>) -> Command {
        match self {
            Kind::List => list::command(maker),
            Kind::Hash => hash::command(maker),
            Kind::Set => set::command(maker),
            Kind::String => string::command(maker),
            Kind::Zset => zset::command(maker),
            Kind::Stream => stream::command(maker),
        }
    }
}

/// A case of a type.
pub(crate) fn case(kind: Kind, random: &mut Random) -> Case {
    let mut steps = Vec::new();
    let protocol = if random.once_in(2) { 3 } else { 2 };
    let mut maker = Maker { random };
    // Some cases begin just below, at or above the sizes where forms change.
    if maker.random.once_in(4) {
        let sizes = [126, 127, 128, 129, 511, 512, 513, 1100];
        let size = sizes[maker.random.below(sizes.len())];
        steps.extend(kind.fill("a", 0..size).into_iter().map(Step::Command));
    }
    for _ in 0..maker.random.below(COMMANDS_MAX) + 2 {
        match maker.random.below(40) {
            0..=3 => steps.push(maker.common(kind)),
            4 => expiry(&mut maker, &mut steps),
            _ => steps.push(Step::Command(kind.command(&mut maker))),
        }
    }
    let own: &[&'static str] = if kind == Kind::Zset { &[zset::LEX] } else { &[] };
    for key in KEYS[..3].iter().chain(own) {
        steps.extend(kind.reads(key).into_iter().map(Step::Command));
        steps.push(Step::RoundTrip(key));
    }
    Case { protocol, steps }
}

/// A key that is gone after a moment.
fn expiry(maker: &mut Maker<'_>, steps: &mut Vec<Step>) {
    let key = maker.random.one(&["a", "b", "c"]).to_owned();
    steps.push(Step::Command(words(&format!("PEXPIRE {key} 1"))));
    steps.push(Step::Pause(4));
    steps.push(Step::Command(words(&format!("EXISTS {key}"))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_case_each_time_and_another_one_another() {
        for kind in [Kind::List, Kind::Hash, Kind::Set, Kind::String, Kind::Zset, Kind::Stream] {
            let make = |seed| case(kind, &mut Random::new(seed));
            assert_eq!(make(7), make(7));
            assert_ne!(make(7), make(8));
        }
    }

    #[test]
    fn a_command_is_shown_so_that_it_can_be_typed() {
        let step = Step::Command(vec![b"SADD".to_vec(), b"k".to_vec(), b"".to_vec(), b"\xff a".to_vec()]);
        assert_eq!(step.to_string(), r#"SADD k "" "\xff a""#);
    }
}
