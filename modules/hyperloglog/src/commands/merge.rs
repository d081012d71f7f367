//! PFMERGE.

use super::{ADDED, CATEGORIES, GROUP, put_dense, put_sparse, read, refuse};
use crate::limit::runs_bytes_max;
use crate::registers::Registers;
use crate::sparse::{Raised, Raiser};
use crate::value::{Checked, Form, Sketch};
use plinth_module::prelude::*;
use plinth_module::string::Scratch;

pub(super) const COMMANDS: [Command; 1] = [Command {
    name: text("pfmerge"),
    arity: -2,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_ACCESS | KEY_INSERT, 1), KeySpec::range(KEY_RO | KEY_ACCESS, 2, -1, 1)]),
    docs: docs(&Docs {
        summary: text("Adds what other HyperLogLogs have seen to one, which is made when it is not there."),
        since: text("2.8.9"),
        group: GROUP,
        complexity: text("O(N) where N is the number of keys, whose registers are gone through"),
        args: list(&[Arg::key("destkey", 0), Arg::key("sourcekey", 1).flags(ARG_OPTIONAL | ARG_MULTIPLE)]),
        ..Docs::NEW
    }),
    run: run(pfmerge),
    ..Command::NEW
}];

fn pfmerge(call: &mut Call<'_>) -> Result {
    let mut registers = Registers::new();
    let mut any_dense = false;
    // The destination is one of them.
    for key in call.args.from(1) {
        let mut scratch = Scratch::default();
        if let Some(sketch) = read(&mut call.keys, &mut call.reply, key, 0, &mut scratch)? {
            any_dense |= sketch.is_dense();
            sketch.merge_into(&mut registers).map_err(|refusal| refuse(&mut call.reply, refusal))?;
        }
    }
    let key = call.args.bytes(1);
    let mut scratch = Scratch::default();
    let Sketch { header, form } =
        read(&mut call.keys, &mut call.reply, key, GET_WRITE, &mut scratch)?.unwrap_or(Sketch::NEW);
    let runs = match form {
        Form::Sparse(runs) if !any_dense => {
            raise_all(runs, &registers).map_err(|refusal| refuse(&mut call.reply, refusal))?
        }
        _ => None,
    };
    match runs {
        Some(runs) => put_sparse(&mut call.keys, key, header.changed(), &runs)?,
        None => put_dense(&mut call.keys, key, header.changed(), &registers)?,
    }
    call.keys.modified(key, EVENT_STRING, ADDED);
    call.reply.ok();
    Ok(())
}

/// The runs with all registers raised to these; `None` when the sparse form cannot hold them.
fn raise_all(runs: &[u8], registers: &Registers) -> Checked<Option<Vec<u8>>> {
    let mut raiser = Raiser::new(runs, runs_bytes_max());
    for seen in registers.raised() {
        if raiser.raise(seen)? == Raised::Outgrown {
            return Ok(None);
        }
    }
    Ok(Some(raiser.into_changed().unwrap_or_else(|| runs.to_vec())))
}
