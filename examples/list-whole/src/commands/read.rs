//! LLEN, LRANGE, LINDEX, LPOS.

use super::{CATEGORIES, READ_KEY, about};
use crate::list::List;
use crate::value;
use plinth_module::prelude::*;

pub(super) const LLEN: Command = Command {
    name: text("llen"),
    arity: 2,
    flags: COMMAND_READONLY | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RO, 1)]),
    docs: &about("Counts the elements.", "1.0.0", "O(1)"),
    run: run(llen),
    ..Command::NEW
};

pub(super) const LRANGE: Command = Command {
    name: text("lrange"),
    arity: 4,
    flags: COMMAND_READONLY,
    category_names: CATEGORIES,
    keys: list(&[READ_KEY]),
    docs: &about("Shows the elements at some positions.", "1.0.0", "O(N) for N elements shown."),
    run: run(lrange),
    ..Command::NEW
};

pub(super) const LINDEX: Command = Command {
    name: text("lindex"),
    arity: 3,
    docs: &about("Shows the element at a position.", "1.0.0", "O(1)"),
    run: run(lindex),
    ..LRANGE
};

pub(super) const LPOS: Command = Command {
    name: text("lpos"),
    arity: -3,
    docs: &about("Finds the positions of an element.", "6.0.6", "O(N) for N elements."),
    run: run(lpos),
    ..LRANGE
};

fn llen(call: &mut Call<'_>) -> Result {
    let len = value::read(&mut call.keys, call.args.bytes(1))?.map_or(0, List::len);
    call.reply.count(len);
    Ok(())
}

fn lrange(call: &mut Call<'_>) -> Result {
    let (start, stop) = (call.args.integer(2)?, call.args.integer(3)?);
    match value::read(&mut call.keys, call.args.bytes(1))? {
        None => call.reply.array(0),
        Some(list) => {
            let range = list.positions(start, stop);
            call.reply.array(range.len());
            list.range(range).for_each(|element| call.reply.bulk(element));
        }
    }
    Ok(())
}

fn lindex(call: &mut Call<'_>) -> Result {
    let list = value::read(&mut call.keys, call.args.bytes(1))?;
    let Some(list) = list else {
        call.reply.null();
        return Ok(());
    };
    match list.position(call.args.integer(2)?).and_then(|at| list.get(at)) {
        Some(element) => call.reply.bulk(element),
        None => call.reply.null(),
    }
    Ok(())
}

/// The words behind the element.
struct Options {
    /// Which match to begin with, counted from the left or, negative, from the right.
    rank: i64,
    /// How many positions to show, 0 for all; without it one, not in an array.
    count: Option<usize>,
    /// How many elements to look at, 0 for all.
    looks_max: usize,
}

impl Options {
    fn read(call: &mut Call<'_>) -> Result<Options> {
        let mut options = Options { rank: 1, count: None, looks_max: 0 };
        let mut at = 3;
        while at < call.args.len() {
            call.args.expect(at + 1)?;
            let number = call.args.integer(at + 1);
            if call.args.word(at, "rank") {
                options.rank = rank(call, number?)?;
            } else if call.args.word(at, "count") {
                let count = number.ok().and_then(|number| usize::try_from(number).ok());
                options.count = Some(count.ok_or_else(|| call.reply.error("ERR COUNT can't be negative"))?);
            } else if call.args.word(at, "maxlen") {
                let looks_max = number.ok().and_then(|number| usize::try_from(number).ok());
                options.looks_max = looks_max.ok_or_else(|| call.reply.error("ERR MAXLEN can't be negative"))?;
            } else {
                return Err(Error::Syntax);
            }
            at += 2;
        }
        Ok(options)
    }

    fn matches(&self, list: &List, wanted: &[u8]) -> Vec<usize> {
        let looks = if self.looks_max == 0 { list.len() } else { self.looks_max.min(list.len()) };
        let skipped = usize::try_from(self.rank.unsigned_abs() - 1).unwrap_or(usize::MAX);
        let wanted_count = match self.count {
            None => 1,
            Some(0) => usize::MAX,
            Some(count) => count,
        };
        let is_match = |&(_, element): &(usize, &[u8])| element == wanted;
        if self.rank > 0 {
            let found = list.iter().enumerate().take(looks).filter(is_match);
            found.skip(skipped).take(wanted_count).map(|(at, _)| at).collect()
        } else {
            let found = list.iter().enumerate().rev().take(looks).filter(is_match);
            found.skip(skipped).take(wanted_count).map(|(at, _)| at).collect()
        }
    }
}

/// The error for a number that is no rank is written.
fn rank(call: &mut Call<'_>, number: i64) -> Result<i64> {
    match number {
        0 => Err(call.reply.error(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to \
             start from the end of the list",
        )),
        i64::MIN => {
            let (min, max) = (-i64::MAX, i64::MAX);
            Err(call.reply.error(format!("ERR value is out of range, value must between {min} and {max}")))
        }
        rank => Ok(rank),
    }
}

fn lpos(call: &mut Call<'_>) -> Result {
    let options = Options::read(call)?;
    let wanted = call.args.bytes(2);
    let list = value::read(&mut call.keys, call.args.bytes(1))?;
    let found = list.map_or_else(Vec::new, |list| options.matches(list, wanted));
    match (options.count, found.first()) {
        (Some(_), _) => {
            call.reply.array(found.len());
            found.iter().for_each(|&at| call.reply.count(at));
        }
        (None, Some(&at)) => call.reply.count(at),
        (None, None) => call.reply.null(),
    }
    Ok(())
}
