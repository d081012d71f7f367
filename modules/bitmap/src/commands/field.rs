//! Integers of any width: BITFIELD and BITFIELD_RO.
//!
//! All operations of a command are read before the first is done, so that a mistake in the last one
//! leaves everything as it was. One that writes has the string reach as far as the furthest of them
//! before the first is done, also when it then fails by OVERFLOW FAIL.

use super::{BAD_OFFSET, CATEGORIES, GROUP, KEY, OFFSET};
use crate::field::{Kind, Overflow, WINDOW_BYTES};
use crate::range::bytes_of;
use crate::work::Change;
use crate::{STRINGS, limit, scan};
use plinth_module::number::parse_integer;
use plinth_module::prelude::*;
use plinth_module::string::Scratch;

pub(super) const COMMANDS: [Command; 2] = [BITFIELD, BITFIELD_RO];

/// The argument `encoding`, such as `u8`.
const ENCODING: Arg = Arg::new(ARG_STRING, "encoding");
/// GET with its arguments.
const GET: Arg = Arg::group(ARG_BLOCK, "get-block", &[ENCODING, OFFSET]).token("GET");

const BITFIELD: Command = Command {
    name: text("bitfield"),
    arity: -2,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    category_names: CATEGORIES,
    keys: list(&[KeySpec {
        notes: text("Both reads and changes the key, or only reads it when all operations are GET"),
        ..KeySpec::at(KEY_RW | KEY_ACCESS | KEY_UPDATE | KEY_VARIABLE_FLAGS, 1)
    }]),
    docs: docs(&Docs {
        summary: text("Reads, sets and increments integers of any width at any bit of a string."),
        since: text("3.2.0"),
        group: GROUP,
        complexity: text("O(1) for each operation"),
        args: list(&[
            KEY,
            Arg::group(
                ARG_ONE_OF,
                "operation",
                &[
                    GET,
                    Arg::group(
                        ARG_BLOCK,
                        "write",
                        &[
                            Arg::group(
                                ARG_ONE_OF,
                                "overflow-block",
                                &[Arg::word("wrap", "WRAP"), Arg::word("sat", "SAT"), Arg::word("fail", "FAIL")],
                            )
                            .token("OVERFLOW")
                            .flags(ARG_OPTIONAL),
                            Arg::group(
                                ARG_ONE_OF,
                                "write-operation",
                                &[
                                    Arg::group(
                                        ARG_BLOCK,
                                        "set-block",
                                        &[ENCODING, OFFSET, Arg::new(ARG_INTEGER, "value")],
                                    )
                                    .token("SET"),
                                    Arg::group(
                                        ARG_BLOCK,
                                        "incrby-block",
                                        &[ENCODING, OFFSET, Arg::new(ARG_INTEGER, "increment")],
                                    )
                                    .token("INCRBY"),
                                ],
                            ),
                        ],
                    ),
                ],
            )
            .flags(ARG_OPTIONAL | ARG_MULTIPLE),
        ]),
        ..Docs::NEW
    }),
    find_keys: find_keys(|args, found| {
        let only_reads = (2..args.len()).step_by(3).all(|at| args.bytes(at).eq_ignore_ascii_case(b"GET"));
        found.push_with(1, if only_reads { KEY_RO | KEY_ACCESS } else { KEY_RW | KEY_ACCESS | KEY_UPDATE });
    }),
    run: run(bitfield),
    ..Command::NEW
};

const BITFIELD_RO: Command = Command {
    name: text("bitfield_ro"),
    arity: -2,
    flags: COMMAND_READONLY | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]),
    docs: docs(&Docs {
        summary: text("Reads integers of any width at any bit of a string."),
        since: text("6.0.0"),
        group: GROUP,
        complexity: text("O(1) for each operation"),
        args: list(&[KEY, GET.flags(ARG_OPTIONAL | ARG_MULTIPLE | ARG_MULTIPLE_TOKEN)]),
        ..Docs::NEW
    }),
    run: run(bitfield_ro),
    ..Command::NEW
};

/// One operation.
#[derive(Clone, Copy)]
struct Step {
    kind: Kind,
    position: u64,
    action: Action,
}

#[derive(Clone, Copy)]
enum Action {
    Get,
    Set(i64, Overflow),
    Add(i64, Overflow),
}

impl Step {
    /// What is answered and what is written, for the integer that is there.
    fn outcome(self, old: i64) -> (Option<i64>, Option<i64>) {
        match self.action {
            Action::Get => (Some(old), None),
            Action::Set(value, overflow) => match self.kind.assign(value, overflow) {
                Some(new) => (Some(old), Some(new)),
                None => (None, None),
            },
            Action::Add(increment, overflow) => {
                let new = self.kind.add(old, increment, overflow);
                (new, new)
            }
        }
    }

    /// Writes an integer, and tells what that has changed.
    fn put(self, bytes: &mut [u8], new: i64) -> Change {
        let own = bytes_of(&(self.position..self.position + u64::from(self.kind.bits())));
        let mut before = [0; WINDOW_BYTES];
        let before = &mut before[..own.len()];
        before.copy_from_slice(&bytes[own.clone()]);
        self.kind.put(bytes, self.position, new);
        Change::new(own.start, before, &bytes[own])
    }

    /// Number of bytes that the string must have to hold the integer.
    fn reach(self) -> usize {
        (self.position + u64::from(self.kind.bits())).div_ceil(8) as usize
    }
}

/// The operations in the arguments. Fails with the reply for the first that is none.
fn steps(call: &mut Call<'_>) -> Result<Vec<Step>> {
    let (mut at, mut overflow) = (2, Overflow::Wrap);
    let mut steps = Vec::new();
    while at < call.args.len() {
        let args = &call.args;
        let left = args.len() - at - 1;
        let action: fn(i64, Overflow) -> Action = match args.bytes(at) {
            word if word.eq_ignore_ascii_case(b"GET") && left >= 2 => |_, _| Action::Get,
            word if word.eq_ignore_ascii_case(b"SET") && left >= 3 => Action::Set,
            word if word.eq_ignore_ascii_case(b"INCRBY") && left >= 3 => Action::Add,
            word if word.eq_ignore_ascii_case(b"OVERFLOW") && left >= 1 => {
                overflow = Overflow::read(args.bytes(at + 1))
                    .ok_or_else(|| call.reply.error("ERR Invalid OVERFLOW type specified"))?;
                at += 2;
                continue;
            }
            _ => return Err(Error::Syntax),
        };
        let Some(kind) = Kind::read(args.bytes(at + 1)) else {
            return Err(call.reply.error(
                "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
            ));
        };
        let position = position(call, at + 2, kind)?;
        let is_get = matches!(action(0, overflow), Action::Get);
        let operand = if is_get { 0 } else { call.args.integer(at + 3)? };
        steps.push(Step { kind, position, action: action(operand, overflow) });
        at += if is_get { 3 } else { 4 };
    }
    Ok(steps)
}

/// The position in an argument: of a bit, or with `#` in front of an integer in a row of them.
fn position(call: &mut Call<'_>, index: usize, kind: Kind) -> Result<u64> {
    let word = call.args.bytes(index);
    let (digits, width) = match word.strip_prefix(b"#") {
        Some(digits) => (digits, u64::from(kind.bits())),
        None => (word, 1),
    };
    let position = parse_integer(digits).and_then(|count| u64::try_from(count).ok()?.checked_mul(width));
    position.filter(|position| *position < limit::bits()).ok_or_else(|| call.reply.error(BAD_OFFSET))
}

fn bitfield(call: &mut Call<'_>) -> Result {
    let steps = steps(call)?;
    let writes = steps.iter().filter(|step| !matches!(step.action, Action::Get));
    match writes.map(|step| step.reach()).max() {
        None => read(call, &steps),
        Some(reach) => write(call, &steps, reach),
    }
}

fn bitfield_ro(call: &mut Call<'_>) -> Result {
    let steps = steps(call)?;
    if steps.iter().any(|step| !matches!(step.action, Action::Get)) {
        return Err(call.reply.error("ERR BITFIELD_RO only supports the GET subcommand"));
    }
    read(call, &steps)
}

/// Does operations that only read.
fn read(call: &mut Call<'_>, steps: &[Step]) -> Result {
    let mut scratch = Scratch::default();
    let string = STRINGS.get(&mut call.keys, call.args.bytes(1), &mut scratch)?.unwrap_or_default();
    call.reply.array(steps.len());
    steps.iter().for_each(|step| call.reply.integer(step.kind.get(string, step.position)));
    Ok(())
}

/// Does operations of which the furthest that writes needs `reach` bytes.
fn write(call: &mut Call<'_>, steps: &[Step], reach: usize) -> Result {
    let key = call.args.bytes(1);
    let opened = STRINGS.open(&mut call.keys, key, reach)?;
    let is_longer = opened.len_before.is_none_or(|len| len < reach);
    let (mut written, mut changes) = (0, Vec::new());
    let is_followed = !is_longer && scan::any();
    call.reply.array(steps.len());
    for step in steps {
        let old = step.kind.get(opened.bytes, step.position);
        let (answer, new) = step.outcome(old);
        if let Some(new) = new.filter(|new| *new != old) {
            written += 1;
            let change = step.put(opened.bytes, new);
            if is_followed {
                changes.push(change);
            }
        }
        match answer {
            Some(answer) => call.reply.integer(answer),
            None => call.reply.null(),
        }
    }
    if is_longer || written > 0 {
        scan::modified(call, key, is_followed.then_some(&changes));
        call.keys.count_elements(written);
    }
    Ok(())
}
