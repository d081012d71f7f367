//! PFADD.

use super::{ADDED, CATEGORIES, GROUP, KEY, put_dense, put_sparse, read, refuse};
use crate::STRINGS;
use crate::dense;
use crate::hash::Observation;
use crate::limit::runs_bytes_max;
use crate::registers::Registers;
use crate::sparse::{EMPTY, Raised, Raiser};
use crate::value::{Checked, DENSE_VALUE_BYTES, Form, Sketch, change_dense};
use plinth_module::prelude::*;
use plinth_module::string::Scratch;

pub(super) const COMMANDS: [Command; 1] = [Command {
    name: text("pfadd"),
    arity: -2,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_INSERT, 1)]),
    docs: docs(&Docs {
        summary: text("Adds elements to a HyperLogLog, which is made when it is not there."),
        since: text("2.8.9"),
        group: GROUP,
        complexity: text("O(1) for each element"),
        args: list(&[KEY, Arg::new(ARG_STRING, "element").flags(ARG_OPTIONAL | ARG_MULTIPLE)]),
        ..Docs::NEW
    }),
    run: run(pfadd),
    ..Command::NEW
}];

fn pfadd(call: &mut Call<'_>) -> Result {
    let key = call.args.bytes(1);
    let mut scratch = Scratch::default();
    let found = read(&mut call.keys, &mut call.reply, key, GET_WRITE, &mut scratch)?;
    let is_new = found.is_none();
    let Sketch { header, form } = found.unwrap_or(Sketch::NEW);
    let mut elements = call.args.from(2).map(Observation::of);
    let raised = match form {
        // Most elements of a large value change nothing, and then nothing is written.
        Form::Dense(registers) => match elements.find(|seen| dense::get(registers, seen.index) < seen.rank) {
            None => 0,
            Some(first) => raise_dense(&mut call.keys, key, first, elements)?,
        },
        Form::Sparse(runs) => {
            let (grown, raised) = raise_sparse(runs, elements).map_err(|refusal| refuse(&mut call.reply, refusal))?;
            match &grown {
                Some(Grown::Sparse(runs)) => put_sparse(&mut call.keys, key, header.changed(), runs)?,
                Some(Grown::Dense(registers)) => put_dense(&mut call.keys, key, header.changed(), registers)?,
                // A key that is made without elements.
                None if is_new => put_sparse(&mut call.keys, key, header.changed(), &EMPTY)?,
                None => {}
            }
            raised
        }
    };
    let changes = raised + usize::from(is_new);
    if changes > 0 {
        call.keys.modified(key, EVENT_STRING, ADDED);
        call.keys.count_elements(changes);
    }
    call.reply.integer(i64::from(changes > 0));
    Ok(())
}

/// Raises registers of a dense value in place, of which the first is lower; how often one was raised.
fn raise_dense(
    keys: &mut Keys<'_>,
    key: &[u8],
    first: Observation,
    others: impl Iterator<Item = Observation>,
) -> Result<usize> {
    let value = STRINGS.edit(keys, key, DENSE_VALUE_BYTES)?;
    let registers = change_dense(value).ok_or(Error::BadData)?;
    dense::raise(registers, first);
    Ok(1 + others.filter(|seen| dense::raise(registers, *seen)).count())
}

/// What became of a sparse value.
enum Grown {
    /// Other runs.
    Sparse(Vec<u8>),
    /// More than the sparse form holds.
    Dense(Box<Registers>),
}

/// Raises registers of a sparse value, `None` when they are as high already; how often one was raised.
fn raise_sparse(runs: &[u8], mut elements: impl Iterator<Item = Observation>) -> Checked<(Option<Grown>, usize)> {
    let (mut raiser, mut raised) = (Raiser::new(runs, runs_bytes_max()), 0);
    while let Some(seen) = elements.next() {
        match raiser.raise(seen)? {
            Raised::No => {}
            Raised::Yes => raised += 1,
            Raised::Outgrown => {
                let mut registers = Box::new(Registers::new());
                registers.merge_sparse(raiser.bytes())?;
                raised += std::iter::once(seen).chain(elements).filter(|seen| registers.raise(*seen)).count();
                return Ok((Some(Grown::Dense(registers)), raised));
            }
        }
    }
    Ok((raiser.into_changed().map(Grown::Sparse), raised))
}
