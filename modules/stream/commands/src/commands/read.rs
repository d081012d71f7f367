//! Reading what is new, and waiting for it: XREAD.
//!
//! The id `$` stands for what the stream is when the command comes. One that waits is run again with
//! the id that it stood for, so that it misses nothing that is added meanwhile; one that waits for a
//! stream's last entry (`+`) gets the last that there is then.

use super::{CATEGORIES, COUNT_ARG, GROUP, read_id, reply_range};
use crate::id::{Id, TEXT_MAX};
use crate::storage::Storage;
use crate::value;
use plinth_module::prelude::*;
use std::ops::Range;

pub(super) const fn commands<S: Storage>() -> [Command; 1] {
    [Command { run: run(xread::<S>), ..XREAD }]
}

/// The keys behind the word STREAMS, which is looked for from the argument `from` on.
pub(super) const fn keys_behind_streams(from: i32) -> KeySpec {
    KeySpec {
        begin: KEY_BEGIN_KEYWORD,
        keyword: text("STREAMS"),
        last: -1,
        limit: 2,
        ..KeySpec::at(KEY_RO | KEY_ACCESS, from)
    }
}

/// The option `BLOCK milliseconds`.
pub(super) const BLOCK: Arg = Arg::new(ARG_INTEGER, "milliseconds").token("BLOCK").flags(ARG_OPTIONAL);
/// The keys and ids.
pub(super) const STREAMS: Arg = Arg::group(
    ARG_BLOCK,
    "streams",
    &[Arg::key("key", 0).flags(ARG_MULTIPLE), Arg::new(ARG_STRING, "id").flags(ARG_MULTIPLE)],
)
.token("STREAMS");

const XREAD: Command = Command {
    name: text("xread"),
    arity: -4,
    flags: COMMAND_READONLY | COMMAND_BLOCKING | COMMAND_MOVABLE_KEYS,
    category_names: CATEGORIES,
    keys: list(&[keys_behind_streams(1)]),
    docs: docs(&Docs {
        summary: text("Answers with the entries of streams behind an id each, and waits for one if there is none."),
        since: text("5.0.0"),
        group: GROUP,
        complexity: text(
            "O(log N) for each stream, where N is its number of entries, and O(M) for M that are answered",
        ),
        args: list(&[COUNT_ARG, BLOCK, STREAMS]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

/// What is to be read.
pub(super) struct Wanted {
    /// Where the name of the group is, with the consumer's behind it.
    pub(super) group: Option<usize>,
    pub(super) no_ack: bool,
    /// Most entries of each stream.
    pub(super) count: usize,
    /// How long to wait; 0 is for ever.
    pub(super) timeout_ms: Option<u64>,
    /// Arguments that are keys; the ids are as many behind.
    pub(super) keys: Range<usize>,
}

const NO_GROUP_OPTION: &str = "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.";
const NO_NOACK_OPTION: &str = "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.";

impl Wanted {
    /// Reads the arguments of XREADGROUP, or of XREAD.
    pub(super) fn read(call: &mut Call<'_>, in_group: bool) -> Result<Wanted> {
        let now_ms = crate::now_ms(call);
        let Call { args, reply, .. } = call;
        let mut wanted = Wanted { group: None, no_ack: false, count: usize::MAX, timeout_ms: None, keys: 0..0 };
        let mut at = 1;
        while at < args.len() {
            let more = args.len() - at - 1;
            if args.word(at, "STREAMS") && more > 0 {
                wanted.keys = at + 1..at + 1 + more / 2;
                break;
            } else if args.word(at, "COUNT") && more > 0 {
                wanted.count =
                    usize::try_from(args.integer(at + 1)?).ok().filter(|count| *count > 0).unwrap_or(usize::MAX);
                at += 2;
            } else if args.word(at, "BLOCK") && more > 0 {
                wanted.timeout_ms = Some(read_timeout(reply, args.integer(at + 1).ok(), now_ms)?);
                at += 2;
            } else if args.word(at, "GROUP") && more > 1 {
                if !in_group {
                    return Err(reply.error(NO_GROUP_OPTION));
                }
                wanted.group = Some(at + 1);
                at += 3;
            } else if args.word(at, "NOACK") {
                if !in_group {
                    return Err(reply.error(NO_NOACK_OPTION));
                }
                wanted.no_ack = true;
                at += 1;
            } else {
                return Err(Error::Syntax);
            }
        }
        if at == args.len() {
            return Err(Error::Syntax);
        }
        if !(args.len() - at - 1).is_multiple_of(2) {
            return Err(reply.error(if in_group {
                "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified."
            } else {
                "ERR Unbalanced 'xread' list of streams: for each stream key an ID, '+', or '$' must be specified."
            }));
        }
        Ok(wanted)
    }

    /// The keys, each with the argument that is its id.
    pub(super) fn streams(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        self.keys.clone().zip(self.keys.end..)
    }

    /// How to wait, where there is something to wait for.
    pub(super) fn wait<S: Storage>(&self, call: &mut Call<'_>, on_removal: bool, args: Option<&[&[u8]]>) -> Result {
        let Some(timeout_ms) = self.timeout_ms else {
            call.reply.null_array();
            return Ok(());
        };
        let of = Some(value::handle::<S>()?);
        let how = Wait { of, timeout_ms, reply: WaitReply::NullArray, on_removal, args };
        call.wait(self.keys.clone(), how, WaitReply::NullArray)
    }
}

fn read_timeout(reply: &mut ReplyBuffer<'_>, timeout_ms: Option<i64>, now_ms: i64) -> Result<u64> {
    match timeout_ms {
        None => Err(reply.error("ERR timeout is not an integer or out of range")),
        Some(..0) => Err(reply.error("ERR timeout is negative")),
        Some(timeout_ms) if timeout_ms.checked_add(now_ms).is_none() => Err(reply.error("ERR timeout is out of range")),
        Some(timeout_ms) => Ok(timeout_ms as u64),
    }
}

/// The streams that are answered: begun with the first one, so that a reply without any is none.
pub(super) struct Answer {
    is_map: bool,
    begun: Option<Mark>,
    streams: usize,
}

impl Answer {
    /// For a client that speaks a version of the protocol.
    pub(super) fn new(resp: u32) -> Answer {
        Answer { is_map: resp >= 3, begun: None, streams: 0 }
    }

    /// Begins with the entries of a stream, which are to follow.
    pub(super) fn stream(&mut self, reply: &mut ReplyBuffer<'_>, key: &[u8]) {
        if self.begun.is_none() {
            self.begun = Some(reply.open());
        }
        self.streams += 1;
        if !self.is_map {
            reply.array(2);
        }
        reply.bulk(key);
    }

    /// Ends the reply; returns whether there was a stream.
    pub(super) fn finish(self, reply: &mut ReplyBuffer<'_>) -> bool {
        let Some(mark) = self.begun else { return false };
        if self.is_map {
            reply.close_map(mark, self.streams)
        } else {
            reply.close_array(mark, self.streams)
        }
        true
    }
}

/// The id behind which a stream is to be read.
fn start<S: Storage>(keys: &mut Keys<'_>, reply: &mut ReplyBuffer<'_>, key: &[u8], text: &[u8]) -> Result<Id> {
    if text == b">" {
        let text =
            "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.";
        return Err(reply.error(text));
    }
    if text != b"$" && text != b"+" {
        return read_id(reply, text, 0);
    }
    let Some(entry) = keys.get(value::handle::<S>()?, key)? else { return Ok(Id::MIN) };
    let stream = value::of::<S>(&entry)?;
    let before_last = stream.log().last().and_then(Id::previous).filter(|_| text == b"+");
    Ok(before_last.unwrap_or(stream.last_id()))
}

fn xread<S: Storage>(call: &mut Call<'_>) -> Result {
    let wanted = Wanted::read(call, false)?;
    let mut answer = Answer::new(call.resp());
    let Call { args, keys, reply, .. } = call;
    let mut starts = Vec::with_capacity(wanted.keys.len());
    for (key, id) in wanted.streams() {
        starts.push(start::<S>(keys, reply, args.bytes(key), args.bytes(id))?);
    }
    for (key, start) in wanted.keys.clone().zip(&starts) {
        let key = args.bytes(key);
        let Some(entry) = keys.get(value::handle::<S>()?, key)? else { continue };
        let log = value::of::<S>(&entry)?.log();
        let Some(from) = start.next().filter(|from| log.last().is_some_and(|last| last >= *from)) else { continue };
        answer.stream(reply, key);
        reply_range(reply, log, from..=Id::MAX, wanted.count, false);
    }
    if answer.finish(reply) {
        return Ok(());
    }
    // Who asks for the last entry of a stream that has none waits for the last that there is then.
    let is_fixed = wanted.streams().all(|(_, id)| args.bytes(id) != b"$");
    if is_fixed || wanted.timeout_ms.is_none() {
        return wanted.wait::<S>(call, false, None);
    }
    let mut rooms = vec![[0; TEXT_MAX]; starts.len()];
    let ids = wanted
        .streams()
        .zip(starts.iter().zip(&mut rooms))
        .map(|((_, text), (id, room))| if args.bytes(text) == b"+" { &b"+"[..] } else { id.text(room) });
    let fixed: Vec<&[u8]> = args.iter().take(wanted.keys.end).chain(ids).collect();
    wanted.wait::<S>(call, false, Some(&fixed))
}
