//! LSET, LINSERT, LREM, LTRIM.

use super::{CATEGORIES, about};
use crate::list::End;
use crate::value::{self, taken};
use plinth_module::prelude::*;

pub(super) const LSET: Command = Command {
    name: text("lset"),
    arity: 4,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_UPDATE, 1)]),
    docs: &about("Puts another element at a position.", "1.0.0", "O(1)"),
    run: run(lset),
    ..Command::NEW
};

pub(super) const LINSERT: Command = Command {
    name: text("linsert"),
    arity: 5,
    keys: list(&[KeySpec::at(KEY_RW | KEY_INSERT, 1)]),
    docs: &about("Puts an element before or behind another.", "2.2.0", "O(N) for N elements."),
    run: run(linsert),
    ..LSET
};

pub(super) const LREM: Command = Command {
    name: text("lrem"),
    arity: 4,
    flags: COMMAND_WRITE,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_DELETE, 1)]),
    docs: &about("Removes elements that equal one.", "1.0.0", "O(N) for N elements."),
    run: run(lrem),
    ..Command::NEW
};

pub(super) const LTRIM: Command = Command {
    name: text("ltrim"),
    docs: &about("Keeps the elements at some positions only.", "1.0.0", "O(N) for N elements removed."),
    run: run(ltrim),
    ..LREM
};

fn lset(call: &mut Call<'_>) -> Result {
    let key = call.args.bytes(1);
    let list = value::find(&mut call.keys, key)?.ok_or(Error::None)?;
    let at = list.position(call.args.integer(2)?).ok_or(Error::OutOfRange)?;
    list.replace(at, call.args.bytes(3));
    call.keys.modified(key, EVENT_LIST, "lset");
    call.reply.ok();
    Ok(())
}

fn linsert(call: &mut Call<'_>) -> Result {
    let key = call.args.bytes(1);
    let behind = match (call.args.word(2, "before"), call.args.word(2, "after")) {
        (true, _) => 0,
        (_, true) => 1,
        _ => return Err(Error::Syntax),
    };
    let Some(list) = value::find(&mut call.keys, key)? else {
        call.reply.integer(0);
        return Ok(());
    };
    let pivot = call.args.bytes(3);
    let Some(at) = list.iter().position(|element| element == pivot) else {
        call.reply.integer(-1);
        return Ok(());
    };
    list.insert(at + behind, call.args.bytes(4));
    call.reply.count(list.len());
    call.keys.modified(key, EVENT_LIST, "linsert");
    Ok(())
}

fn lrem(call: &mut Call<'_>) -> Result {
    let key = call.args.bytes(1);
    let count = call.args.integer(2)?;
    let mut removed = 0;
    if let Some(list) = value::find(&mut call.keys, key)? {
        let limit = if count == 0 { usize::MAX } else { usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX) };
        removed = list.remove(if count < 0 { End::Right } else { End::Left }, call.args.bytes(3), limit);
        let is_empty = list.is_empty();
        if removed > 0 {
            taken(&mut call.keys, key, "lrem", is_empty)?;
        }
    }
    call.reply.count(removed);
    Ok(())
}

fn ltrim(call: &mut Call<'_>) -> Result {
    let key = call.args.bytes(1);
    let (start, stop) = (call.args.integer(2)?, call.args.integer(3)?);
    if let Some(list) = value::find(&mut call.keys, key)? {
        list.keep(list.positions(start, stop));
        let is_empty = list.is_empty();
        taken(&mut call.keys, key, "ltrim", is_empty)?;
    }
    call.reply.ok();
    Ok(())
}
