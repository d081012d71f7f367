//! The commands, one file per family, each spec beside its handler.

mod edit;
mod pop;
mod push;
mod read;
mod transfer;
mod wait;

use crate::list::End;
use plinth_module::abi::bytes::{Bytes, Slice};
use plinth_module::prelude::*;

/// All commands.
pub(crate) static ALL: &[Command] = &[
    push::LPUSH,
    push::RPUSH,
    push::LPUSHX,
    push::RPUSHX,
    pop::LPOP,
    pop::RPOP,
    pop::LMPOP,
    read::LLEN,
    read::LRANGE,
    read::LINDEX,
    read::LPOS,
    edit::LSET,
    edit::LINSERT,
    edit::LREM,
    edit::LTRIM,
    transfer::LMOVE,
    transfer::RPOPLPUSH,
    wait::BLPOP,
    wait::BRPOP,
    wait::BLMPOP,
    wait::BLMOVE,
    wait::BRPOPLPUSH,
];

const READ_KEY: KeySpec = KeySpec::at(KEY_RO | KEY_ACCESS, 1);
/// ACL categories, beside those that follow from flags.
const CATEGORIES: Slice<Bytes> = list(&[text("list")]);
const GROUP: Bytes = text("list");

/// What all docs here begin with.
const fn about(summary: &'static str, since: &'static str, complexity: &'static str) -> Docs {
    Docs { summary: text(summary), since: text(since), group: GROUP, complexity: text(complexity), ..Docs::NEW }
}

/// The end that an argument names.
fn end(call: &Call<'_>, index: usize) -> Result<End> {
    if call.args.word(index, "left") {
        Ok(End::Left)
    } else if call.args.word(index, "right") {
        Ok(End::Right)
    } else {
        Err(Error::Syntax)
    }
}

/// What taking from an end is called.
fn pop_event(end: End) -> &'static str {
    match end {
        End::Left => "lpop",
        End::Right => "rpop",
    }
}

/// What putting to an end is called.
fn push_event(end: End) -> &'static str {
    match end {
        End::Left => "lpush",
        End::Right => "rpush",
    }
}
