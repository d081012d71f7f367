//! Random commands against a model that is a row of bits.

#![deny(unsafe_code)]
#![allow(missing_docs, clippy::unwrap_used)]

mod texts;

use plinth_testbed::Testbed;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::HashMap;
use texts::{host, run};

/// Bits of each key, whole bytes of them.
type Model = HashMap<&'static str, Vec<bool>>;

const KEYS: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Debug)]
enum Step {
    Set { key: usize, offset: usize, is_set: bool },
    Get { key: usize, offset: usize },
    Count { key: usize, range: Option<(i64, i64, bool)> },
    Position { key: usize, is_set: bool, range: Option<(i64, Option<(i64, bool)>)> },
    Combine { operation: usize, to: usize, from: Vec<usize> },
    Write { key: usize, is_signed: bool, width: usize, offset: usize, value: i64, adds: bool },
}

const OPERATIONS: [&str; 8] = ["AND", "OR", "XOR", "NOT", "DIFF", "DIFF1", "ANDOR", "ONE"];

fn steps() -> impl Strategy<Value = Step> {
    let key = || 0..KEYS.len();
    let end = || -70..70i64;
    prop_oneof![
        4 => (key(), 0..200usize, any::<bool>()).prop_map(|(key, offset, is_set)| Step::Set { key, offset, is_set }),
        1 => (key(), 0..250usize).prop_map(|(key, offset)| Step::Get { key, offset }),
        2 => (key(), proptest::option::of((end(), end(), any::<bool>())))
            .prop_map(|(key, range)| Step::Count { key, range }),
        2 => (
            key(),
            any::<bool>(),
            proptest::option::of((end(), proptest::option::of((end(), any::<bool>())))),
        )
            .prop_map(|(key, is_set, range)| Step::Position { key, is_set, range }),
        1 => (0..8usize, key(), vec(key(), 1..4))
            .prop_map(|(operation, to, from)| Step::Combine { operation, to, from }),
        2 => (key(), any::<bool>(), 1..64usize, 0..200usize, any::<i64>(), any::<bool>())
            .prop_map(|(key, is_signed, width, offset, value, adds)| {
                Step::Write { key, is_signed, width, offset, value, adds }
            }),
    ]
}

fn grow(bits: &mut Vec<bool>, end: usize) {
    let len = bits.len().max(end.div_ceil(8) * 8);
    bits.resize(len, false);
}

fn integer(host: &mut Testbed, command: &str) -> i64 {
    let reply = String::from_utf8(run(host, command)).unwrap();
    reply.trim_start_matches(':').trim_end().parse().unwrap_or_else(|_| panic!("{command}: {reply}"))
}

/// The bits of a range of units of `width` bits.
fn span(len: usize, start: i64, end: i64, width: usize) -> std::ops::Range<usize> {
    let units = (len / width) as i64;
    let from_end = |at: i64| if at < 0 { (at + units).max(0) } else { at };
    let (start, end) = (from_end(start), from_end(end).min(units - 1));
    if start > end { 0..0 } else { start as usize * width..(end as usize + 1) * width }
}

fn unit(of_bits: bool) -> (&'static str, usize) {
    if of_bits { ("BIT", 1) } else { ("BYTE", 8) }
}

fn count(host: &mut Testbed, model: &Model, key: &str, range: Option<(i64, i64, bool)>) {
    let bits = model.get(key).cloned().unwrap_or_default();
    let (command, range) = match range {
        None => (format!("BITCOUNT {key}"), 0..bits.len()),
        Some((start, end, of_bits)) => {
            let (word, width) = unit(of_bits);
            let crossed = start < 0 && end < 0 && start > end;
            let range = if crossed { 0..0 } else { span(bits.len(), start, end, width) };
            (format!("BITCOUNT {key} {start} {end} {word}"), range)
        }
    };
    let expected = bits[range].iter().filter(|bit| **bit).count();
    assert_eq!(integer(host, &command), expected as i64, "{command} of {bits:?}");
}

fn position(host: &mut Testbed, model: &Model, key: &str, is_set: bool, range: Option<(i64, Option<(i64, bool)>)>) {
    let mut command = format!("BITPOS {key} {}", u8::from(is_set));
    let Some(bits) = model.get(key) else {
        assert_eq!(integer(host, &command), if is_set { -1 } else { 0 });
        return;
    };
    let (start, rest) = range.unwrap_or((0, None));
    let (end, of_bits) = rest.unwrap_or((-1, false));
    let (word, width) = unit(of_bits);
    if range.is_some() {
        command += &format!(" {start}");
    }
    if rest.is_some() {
        command += &format!(" {end} {word}");
    }
    let range = span(bits.len(), start, end, width);
    let beyond = if is_set || rest.is_some() || range.is_empty() { -1 } else { range.end as i64 };
    let found = range.clone().find(|at| bits[*at] == is_set);
    assert_eq!(integer(host, &command), found.map_or(beyond, |at| at as i64), "{command} of {bits:?}");
}

fn combine(host: &mut Testbed, model: &mut Model, operation: &str, to: &'static str, from: &[usize]) {
    let from = if operation == "NOT" { &from[..1] } else { from };
    let names: Vec<&str> = from.iter().map(|key| KEYS[*key]).collect();
    let command = format!("BITOP {operation} {to} {}", names.join(" "));
    if from.len() < 2 && ["DIFF", "DIFF1", "ANDOR"].contains(&operation) {
        assert!(run(host, &command).starts_with(b"-ERR BITOP"));
        return;
    }
    let sources: Vec<Vec<bool>> = names.iter().map(|key| model.get(key).cloned().unwrap_or_default()).collect();
    let len = sources.iter().map(Vec::len).max().unwrap_or(0);
    let bit = |at: usize| {
        let of: Vec<bool> = sources.iter().map(|bits| bits.get(at).copied().unwrap_or(false)).collect();
        let (first, others) = (of[0], of[1..].contains(&true));
        match operation {
            "AND" => !of.contains(&false),
            "OR" => first || others,
            "XOR" => of.iter().fold(false, |odd, bit| odd ^ bit),
            "NOT" => !first,
            "DIFF" => first && !others,
            "DIFF1" => !first && others,
            "ANDOR" => first && others,
            _ => of.iter().filter(|bit| **bit).count() == 1,
        }
    };
    let result: Vec<bool> = (0..len).map(bit).collect();
    assert_eq!(integer(host, &command), len as i64 / 8, "{command}");
    if result.is_empty() {
        model.remove(to)
    } else {
        model.insert(to, result)
    };
}

/// SET or INCRBY that wraps, in 128 bits.
fn write(host: &mut Testbed, model: &mut Model, key: &'static str, step: &Step) {
    let Step::Write { is_signed, width, offset, value, adds, .. } = *step else { return };
    let bits = model.entry(key).or_default();
    grow(bits, offset + width);
    let own = offset..offset + width;
    let weigh = |bits: &[bool]| {
        let raw = bits.iter().fold(0i128, |number, bit| number * 2 + i128::from(*bit));
        if is_signed && bits[0] { raw - (1 << width) } else { raw }
    };
    let old = weigh(&bits[own.clone()]);
    let new = if adds { old + i128::from(value) } else { i128::from(value) };
    own.clone().for_each(|at| bits[at] = new >> (own.end - 1 - at) & 1 == 1);
    let answer = if adds { weigh(&bits[own]) } else { old };
    let word = if adds { "INCRBY" } else { "SET" };
    let kind = if is_signed { 'i' } else { 'u' };
    let command = format!("BITFIELD {key} {word} {kind}{width} {offset} {value}");
    assert_eq!(run(host, &command), format!("*1\r\n:{answer}\r\n").into_bytes(), "{command}");
}

fn apply(host: &mut Testbed, model: &mut Model, step: &Step) {
    match step {
        Step::Set { key, offset, is_set } => {
            let bits = model.entry(KEYS[*key]).or_default();
            grow(bits, offset + 1);
            let old = std::mem::replace(&mut bits[*offset], *is_set);
            let command = format!("SETBIT {} {offset} {}", KEYS[*key], u8::from(*is_set));
            assert_eq!(integer(host, &command), i64::from(old), "{command}");
        }
        Step::Get { key, offset } => {
            let bit = model.get(KEYS[*key]).and_then(|bits| bits.get(*offset)).copied().unwrap_or(false);
            assert_eq!(integer(host, &format!("GETBIT {} {offset}", KEYS[*key])), i64::from(bit));
        }
        Step::Count { key, range } => count(host, model, KEYS[*key], *range),
        Step::Position { key, is_set, range } => position(host, model, KEYS[*key], *is_set, *range),
        Step::Combine { operation, to, from } => combine(host, model, OPERATIONS[*operation], KEYS[*to], from),
        Step::Write { key, .. } => write(host, model, KEYS[*key], step),
    }
}

proptest! {
    #[test]
    fn bitmaps_are_rows_of_bits(steps in vec(steps(), 1..60)) {
        let (mut host, mut model) = (host(), Model::new());
        for step in &steps {
            apply(&mut host, &mut model, step);
        }
    }
}
