//! LCS: a longest common subsequence of two strings.

use super::{CATEGORIES, GROUP, LIMIT_MIN, limit, with};
use crate::storage::Storage;
use crate::subsequence::{self, Subsequence};
use plinth_module::prelude::*;

/// The commands of this file over a storage.
pub(super) const fn commands<S: Storage>() -> [Command; 1] {
    [with(LCS, lcs::<S>)]
}

/// Bytes that Redis needs for a cell of its table. Ours takes a bit, but the limit on the table's
/// size is also one on time, and clients know it.
const CELL_BYTES: u64 = 4;

const LCS: Command = Command {
    name: text("lcs"),
    arity: -3,
    flags: COMMAND_READONLY,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::range(KEY_RO | KEY_ACCESS, 1, 1, 1)]),
    docs: docs(&Docs {
        summary: text("Finds a longest common subsequence of two strings."),
        since: text("7.0.0"),
        group: GROUP,
        complexity: text("O(N*M) where N and M are the lengths of the strings"),
        args: list(&[
            Arg::key("key1", 0),
            Arg::key("key2", 0),
            Arg::word("len", "LEN").flags(ARG_OPTIONAL),
            Arg::word("idx", "IDX").flags(ARG_OPTIONAL),
            Arg::new(ARG_INTEGER, "min-match-len").token("MINMATCHLEN").flags(ARG_OPTIONAL),
            Arg::word("withmatchlen", "WITHMATCHLEN").flags(ARG_OPTIONAL),
        ]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

/// What is to be answered.
struct Wanted {
    len: bool,
    matches: bool,
    match_len_min: i64,
    match_len: bool,
}

impl Wanted {
    /// Reads the options. Fails with `Syntax` and `NotInteger`.
    fn read(args: &Args<'_>) -> Result<Wanted> {
        let mut wanted = Wanted { len: false, matches: false, match_len_min: 0, match_len: false };
        let mut at = 3;
        while at < args.len() {
            if args.word(at, "IDX") {
                wanted.matches = true;
            } else if args.word(at, "LEN") {
                wanted.len = true;
            } else if args.word(at, "WITHMATCHLEN") {
                wanted.match_len = true;
            } else if args.word(at, "MINMATCHLEN") && at + 1 < args.len() {
                at += 1;
                wanted.match_len_min = args.integer(at)?;
            } else {
                return Err(Error::Syntax);
            }
            at += 1;
        }
        Ok(wanted)
    }
}

fn lcs<S: Storage>(call: &mut Call<'_>) -> Result {
    let (a, b) = (copy_of::<S>(call, 1), copy_of::<S>(call, 2));
    let (a, b) = match (a, b) {
        (Err(Error::WrongType), _) | (_, Err(Error::WrongType)) => {
            return Err(call.reply.error("ERR The specified keys must contain string values"));
        }
        (a, b) => (a?, b?),
    };
    let wanted = Wanted::read(&call.args)?;
    if wanted.matches && wanted.len {
        let text = "ERR If you want both the length and indexes, please just use IDX.";
        return Err(call.reply.error(text));
    }
    let cells = (a.len() as u64 + 1).saturating_mul(b.len() as u64 + 1);
    let table_bytes = cells.saturating_mul(CELL_BYTES);
    if table_bytes > LIMIT_MIN && table_bytes > limit(&call.config) {
        let text = "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len";
        return Err(call.reply.error(text));
    }
    if wanted.matches {
        reply_matches(&mut call.reply, &Subsequence::new(&a, &b), &wanted);
    } else if wanted.len {
        call.reply.count(subsequence::len(&a, &b));
    } else {
        call.reply.bulk(Subsequence::new(&a, &b).text());
    }
    Ok(())
}

/// A string that is kept while another is looked at; empty when it is not there.
fn copy_of<S: Storage>(call: &mut Call<'_>, index: usize) -> Result<Vec<u8>> {
    let entry = call.keys.get(S::handle()?, call.args.bytes(index))?;
    Ok(entry.map_or(Vec::new(), |entry| S::value(&entry).to_vec()))
}

fn reply_matches(reply: &mut ReplyBuffer<'_>, found: &Subsequence<'_>, wanted: &Wanted) {
    reply.map(2);
    reply.bulk("matches");
    let mark = reply.open();
    let mut count = 0;
    found.matches(|one| {
        if (one.len as i64) < wanted.match_len_min {
            return;
        }
        reply.array(if wanted.match_len { 3 } else { 2 });
        for begin in [one.a, one.b] {
            reply.array(2);
            reply.count(begin);
            reply.count(begin + one.len - 1);
        }
        if wanted.match_len {
            reply.count(one.len);
        }
        count += 1;
    });
    reply.close_array(mark, count);
    reply.bulk("len");
    reply.count(found.common_len());
}
