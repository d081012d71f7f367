//! ZRANDMEMBER: members at random.
//!
//! Ranks are drawn, so that every member has the same chance in either form. Distinct ones are
//! drawn by Floyd's method (Bentley and Floyd, CACM 1987), which needs memory for those drawn only.

use super::{GROUP, KEY, READER, reply_head, reply_pair};
use crate::storage::Storage;
use crate::value::View;
use plinth_module::chance::{REPEAT_MAX, below, picks};
use plinth_module::prelude::*;
use std::collections::HashSet;
use std::marker::PhantomData;

pub(super) struct Family<S>(PhantomData<S>);

impl<S: Storage> Family<S> {
    pub(super) const COMMANDS: [Command; 1] = [Command { run: run(zrandmember::<S>), ..ZRANDMEMBER }];
}

const ZRANDMEMBER: Command = Command {
    name: text("zrandmember"),
    arity: -2,
    tips: list(&[text("nondeterministic_output")]),
    docs: docs(&Docs {
        summary: text("Picks members at random."),
        since: text("6.2.0"),
        group: GROUP,
        complexity: text("O(M*log(N)) where N is the number of members in the sorted set and M of those picked"),
        args: list(&[
            KEY,
            Arg::group(
                ARG_BLOCK,
                "options",
                &[Arg::new(ARG_INTEGER, "count"), Arg::word("withscores", "WITHSCORES").flags(ARG_OPTIONAL)],
            )
            .flags(ARG_OPTIONAL),
        ]),
        ..Docs::NEW
    }),
    ..READER
};

/// Several distinct ranks below `len`, at most that many.
fn distinct(len: usize, count: usize) -> Vec<usize> {
    let (mut seen, mut ranks) = (HashSet::with_capacity(count), Vec::with_capacity(count));
    for top in len - count..len {
        let drawn = below(top + 1);
        let rank = if seen.insert(drawn) { drawn } else { top };
        if rank == top {
            seen.insert(top);
        }
        ranks.push(rank);
    }
    ranks
}

fn zrandmember<S: Storage>(call: &mut Call<'_>) -> Result {
    if call.args.len() == 2 {
        match View::<S>::find(&mut call.keys, call.args.bytes(1))? {
            Some(view) => {
                let (rank, reply) = (below(view.len()), &mut call.reply);
                view.visit(rank..rank + 1, false, &mut |member, _| reply.bulk(member));
            }
            None => call.reply.null(),
        }
        return Ok(());
    }
    let (count, with_scores) = picks(call, "withscores")?;
    let resp3 = call.resp() >= 3;
    let view = View::<S>::find(&mut call.keys, call.args.bytes(1))?;
    let reply = &mut call.reply;
    let (Some(view), false) = (view, count == 0) else {
        reply.array(0);
        return Ok(());
    };
    if count < 0 && count.unsigned_abs() > REPEAT_MAX {
        return Err(reply.error("ERR value is out of range"));
    }
    let len = view.len();
    let wanted = count.unsigned_abs() as usize;
    let shown = if count < 0 { wanted } else { wanted.min(len) };
    reply_head(reply, resp3, shown, with_scores);
    let mut show = |member: &[u8], score: f64| {
        if with_scores { reply_pair(reply, resp3, member, score) } else { reply.bulk(member) }
    };
    if shown == len && count > 0 {
        view.visit(0..len, false, &mut show);
        return Ok(());
    }
    let mut show_rank = |rank: usize| view.visit(rank..rank + 1, false, &mut show);
    if count < 0 {
        (0..shown).for_each(|_| show_rank(below(len)));
    } else {
        distinct(len, shown).into_iter().for_each(&mut show_rank);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinct_ranks_are_distinct_and_each_comes_up() {
        let mut times = [0; 20];
        for _ in 0..2000 {
            let ranks = distinct(20, 7);
            assert_eq!(ranks.iter().collect::<HashSet<_>>().len(), 7);
            ranks.iter().for_each(|rank| times[*rank] += 1);
        }
        assert!(times.iter().all(|times| (500..900).contains(times)), "{times:?}");
    }
}
