//! PFDEBUG, which shows and changes the form of a value, and PFSELFTEST.

use super::{CATEGORIES, GROUP, KEY, put_dense, read, refuse};
use crate::dense::{self, DENSE_BYTES, Dense};
use crate::estimate::cardinality;
use crate::hash::{Observation, REGISTERS};
use crate::registers::{Registers, histogram};
use crate::sparse::{EMPTY, Raised, Raiser, Run, Runs, SPARSE_BYTES_MAX};
use crate::value::{Checked, Form, Refusal};
use crate::vector;
use plinth_module::prelude::*;
use plinth_module::string::Scratch;

pub(super) const COMMANDS: [Command; 2] = [PFDEBUG, PFSELFTEST];

const PFDEBUG: Command = Command {
    name: text("pfdebug"),
    arity: 3,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_ADMIN,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_ACCESS, 2)]),
    docs: docs(&Docs {
        summary: text("Shows or changes the form of a HyperLogLog, for tests."),
        since: text("2.8.9"),
        group: GROUP,
        complexity: text("N/A"),
        args: list(&[Arg::new(ARG_STRING, "subcommand"), KEY]),
        ..Docs::NEW
    }),
    run: run(pfdebug),
    ..Command::NEW
};

fn pfdebug(call: &mut Call<'_>) -> Result {
    if call.args.word(1, "simd") {
        return switch(call);
    }
    let (word, key) = (call.args.bytes(1), call.args.bytes(2));
    let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    let mut scratch = Scratch::default();
    let Some(sketch) = read(&mut call.keys, &mut call.reply, key, GET_WRITE, &mut scratch)? else {
        return Err(call.reply.error("ERR The specified key does not exist"));
    };
    if is("getreg") || is("todense") {
        let (header, was_dense) = (sketch.header, sketch.is_dense());
        let registers = sketch.registers().map_err(|refusal| refuse(&mut call.reply, refusal))?;
        if !was_dense {
            put_dense(&mut call.keys, key, header, &registers)?;
            // The value is the same in another form, so users are not told.
            call.keys.modified(key, EVENT_UNPUBLISHED, "pfdebug");
        }
        if is("todense") {
            call.reply.integer(i64::from(!was_dense));
        } else {
            call.reply.array(REGISTERS);
            registers.iter().for_each(|register| call.reply.integer(register.into()));
        }
    } else if is("encoding") {
        call.reply.simple(if sketch.is_dense() { "dense" } else { "sparse" });
    } else if is("decode") {
        let Form::Sparse(runs) = sketch.form else {
            return Err(call.reply.error("ERR HLL encoding is not sparse"));
        };
        let text = decode(runs).map_err(|refusal| refuse(&mut call.reply, refusal))?;
        call.reply.bulk(text);
    } else {
        return Err(call.reply.error(format!("ERR Unknown PFDEBUG subcommand '{}'", String::from_utf8_lossy(word))));
    }
    Ok(())
}

/// PFDEBUG SIMD: what follows is no key.
fn switch(call: &mut Call<'_>) -> Result {
    let on = call.args.word(2, "on");
    if !on && !call.args.word(2, "off") {
        return Err(call.reply.error("ERR Argument must be ON or OFF"));
    }
    vector::allow(on);
    call.reply.simple(if on { "enabled" } else { "disabled" });
    Ok(())
}

/// The runs as text. Runs that are no value are shown too, but for one that is cut off.
fn decode(runs: &[u8]) -> Checked<String> {
    let mut words = Vec::new();
    let mut runs = Runs::of(runs);
    for run in &mut runs {
        words.push(match run {
            Run { value: 0, len, width: 1 } => format!("z:{len}"),
            Run { value: 0, len, .. } => format!("Z:{len}"),
            Run { value, len, .. } => format!("v:{value},{len}"),
        });
    }
    if runs.rest().is_empty() { Ok(words.join(" ")) } else { Err(Refusal::Corrupt) }
}

const PFSELFTEST: Command = Command {
    name: text("pfselftest"),
    arity: 1,
    flags: COMMAND_ADMIN,
    category_names: CATEGORIES,
    docs: docs(&Docs {
        summary: text("Checks the forms and the estimate against each other, for tests."),
        since: text("2.8.9"),
        group: GROUP,
        complexity: text("N/A"),
        ..Docs::NEW
    }),
    run: run(pfselftest),
    ..Command::NEW
};

/// Elements that the self-test adds to the sparse form, and to the others: some milliseconds.
const FEW: u64 = 2_000;
const MANY: u64 = 100_000;
/// The standard error of an estimate, and how many of them it may be off.
const STANDARD_ERROR: f64 = 0.0081;
const ERRORS_MAX: f64 = 5.0;

fn pfselftest(call: &mut Call<'_>) -> Result {
    match self_test() {
        Ok(()) => call.reply.ok(),
        Err(what) => return Err(call.reply.error(format!("ERR TESTFAILED {what}"))),
    }
    Ok(())
}

/// Adds elements to all forms, and compares registers and estimates on the way.
fn self_test() -> std::result::Result<(), String> {
    let (mut dense, mut plain) = (Box::new([0; DENSE_BYTES]), Box::new(Registers::new()));
    let mut raiser = Raiser::new(&EMPTY, SPARSE_BYTES_MAX);
    for element in 1..=MANY {
        let seen = Observation::of(&element.to_le_bytes());
        plain.raise(seen);
        dense::raise(&mut dense, seen);
        if element <= FEW && !matches!(raiser.raise(seen), Ok(Raised::Yes | Raised::No)) {
            return Err(format!("the sparse form does not take element {element}"));
        }
        if element == FEW {
            let mut merged = Box::new(Registers::new());
            merged.merge_sparse(raiser.bytes()).map_err(|_| "the runs are no value")?;
            if !merged.iter().eq(plain.iter()) {
                return Err("the sparse registers differ".into());
            }
        }
        if element == FEW || element == MANY {
            check(element, &dense, &plain)?;
        }
    }
    Ok(())
}

fn check(elements: u64, dense: &Dense, plain: &Registers) -> std::result::Result<(), String> {
    let mut merged = Box::new(Registers::new());
    merged.merge_dense(dense);
    if !merged.iter().eq(plain.iter()) || histogram(dense) != plain.histogram() {
        return Err("the dense registers differ".into());
    }
    let count = cardinality(&plain.histogram());
    if count.abs_diff(elements) as f64 > elements as f64 * STANDARD_ERROR * ERRORS_MAX {
        return Err(format!("{elements} elements are estimated as {count}"));
    }
    Ok(())
}
