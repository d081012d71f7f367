//! A stream as the commands that make it anew, and as what it is.
//!
//! ```text
//!   XADD ...            the entries, and one in the place of each that is pending and gone
//!   XSETID              last id, entries ever added, greatest removed id
//!   XGROUP, XCLAIM      each group, its consumers, what is pending there
//!   XTRIM, XDEL         the stand-ins go, and what is pending of them stays
//! ```
//!
//! When a consumer last asked for something is not said by any command, so it is no part of a digest
//! either. What no command brings about (pending ids behind the last id, counters that contradict
//! each other, times in the future), and only a file can have, is left out.

use crate::codec::ADDED_MAX;
use crate::group::Group;
use crate::id::{Id, TEXT_MAX};
use crate::nack::Nack;
use crate::storage::Storage;
use crate::stream::Stream;
use plinth_module::pack::Digits;
use plinth_module::prelude::*;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Ids in one XCLAIM.
const CLAIMED_MAX: usize = 100;

/// Gives the commands that make a stream.
pub(crate) fn rewrite<S: Storage>(stream: &Stream<S>, out: &mut Rewriter<'_>) -> Result {
    let gone = gone(stream);
    rewrite_log(stream, &gone, out)?;
    rewrite_counters(stream, out)?;
    for (name, group) in stream.groups() {
        rewrite_group(stream.log(), name, group, &gone, out)?;
    }
    remove_stand_ins(stream, &gone, out)
}

/// The ids that are pending in any group and gone from the log, as far as they can have a stand-in.
fn gone<S: Storage>(stream: &Stream<S>) -> BTreeSet<Id> {
    let pending = stream.groups().flat_map(|(_, group)| group.pending_from(Id::MIN));
    let ids = pending.map(|(id, _)| id);
    let gone: BTreeSet<Id> =
        ids.filter(|id| *id > Id::MIN && *id <= stream.last_id() && !stream.log().contains(*id)).collect();
    // Each was added once.
    if gone.len() as u64 <= stream.added().saturating_sub(stream.len() as u64) { gone } else { BTreeSet::new() }
}

fn rewrite_log<S: Storage>(stream: &Stream<S>, gone: &BTreeSet<Id>, out: &mut Rewriter<'_>) -> Result {
    let mut gone = gone.iter().copied().peekable();
    let key = out.key();
    let stand_in = |id: Id, out: &mut Rewriter<'_>| out.emit(&[b"XADD", key, id.text(&mut [0; TEXT_MAX]), b"_", b"_"]);
    let mut done = Ok(());
    let _ = stream.log().visit(Id::MIN..=Id::MAX, |id, fields| {
        while done.is_ok()
            && let Some(before) = gone.next_if(|gone| *gone < id)
        {
            done = stand_in(before, out);
        }
        if done.is_ok() {
            let mut id_room = [0; TEXT_MAX];
            let texts: Vec<Vec<u8>> = fields.map(|value| value.to_vec()).collect();
            let mut words: Vec<&[u8]> = vec![b"XADD", key, id.text(&mut id_room)];
            words.extend(texts.iter().map(Vec::as_slice));
            done = out.emit(&words);
        }
        if done.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    done?;
    let has_gone = gone.peek().is_some();
    for id in gone {
        stand_in(id, out)?;
    }
    if stream.is_empty() && !has_gone {
        // A key of its own, without an entry.
        let id = stream.last_id().max(Id::new(0, 1));
        out.emit(&[b"XADD", key, b"MAXLEN", b"0", id.text(&mut [0; TEXT_MAX]), b"_", b"_"])?;
    }
    Ok(())
}

fn rewrite_counters<S: Storage>(stream: &Stream<S>, out: &mut Rewriter<'_>) -> Result {
    let (mut last, mut max_deleted, mut added) = ([0; TEXT_MAX], [0; TEXT_MAX], itoa::Buffer::new());
    let added = added.format(stream.added().min(ADDED_MAX)).as_bytes();
    let words: [&[u8]; 7] = [
        b"XSETID",
        out.key(),
        stream.last_id().text(&mut last),
        b"ENTRIESADDED",
        added,
        b"MAXDELETEDID",
        stream.max_deleted().text(&mut max_deleted),
    ];
    let is_told = stream.max_deleted() <= stream.last_id();
    out.emit(if is_told { &words } else { &words[..5] })
}

fn rewrite_group<S: Storage>(
    log: &S,
    name: &[u8],
    group: &Group,
    gone: &BTreeSet<Id>,
    out: &mut Rewriter<'_>,
) -> Result {
    let key = out.key();
    let read = group.entries_read().map_or(-1, |read| read.min(ADDED_MAX) as i64);
    let (mut last, mut digits) = ([0; TEXT_MAX], itoa::Buffer::new());
    let (last, read) = (group.last().text(&mut last), digits.format(read).as_bytes());
    out.emit(&[b"XGROUP", b"CREATE", key, name, last, b"ENTRIESREAD", read])?;
    for (_, consumer) in group.consumers() {
        out.emit(&[b"XGROUP", b"CREATECONSUMER", key, name, consumer.name()])?;
    }
    let mut claim: Option<(Nack, Vec<Id>)> = None;
    for (id, nack) in group.pending_from(Id::MIN) {
        if !gone.contains(&id) && !log.contains(id) {
            continue;
        }
        match &mut claim {
            Some((of_all, ids)) if *of_all == nack && ids.len() < CLAIMED_MAX => ids.push(id),
            _ => {
                let before = claim.replace((nack, vec![id]));
                before.map_or(Ok(()), |(nack, ids)| rewrite_claim(name, group, nack, &ids, out))?;
            }
        }
    }
    claim.map_or(Ok(()), |(nack, ids)| rewrite_claim(name, group, nack, &ids, out))
}

/// Entries that one consumer was given at one moment, equally often.
fn rewrite_claim(name: &[u8], group: &Group, nack: Nack, ids: &[Id], out: &mut Rewriter<'_>) -> Result {
    let Some(consumer) = group.consumer(nack.consumer) else { return Ok(()) };
    let ids: Vec<Vec<u8>> = ids.iter().map(|id| id.text(&mut [0; TEXT_MAX]).to_vec()).collect();
    let (mut time, mut count) = (itoa::Buffer::new(), itoa::Buffer::new());
    let time = time.format(nack.delivered_ms).as_bytes();
    let count = count.format(nack.deliveries.min(i64::MAX as u64)).as_bytes();
    let mut words: Vec<&[u8]> = vec![b"XCLAIM", out.key(), name, consumer.name(), b"0"];
    words.extend(ids.iter().map(Vec::as_slice));
    words.extend([&b"TIME"[..], time, b"RETRYCOUNT", count, b"FORCE", b"JUSTID"]);
    out.emit(&words)
}

/// Takes those away that stood in for entries that are gone. Those in front go as trimmed ones do, which
/// leaves no trace in the greatest removed id.
fn remove_stand_ins<S: Storage>(stream: &Stream<S>, gone: &BTreeSet<Id>, out: &mut Rewriter<'_>) -> Result {
    let Some(least) = gone.first() else { return Ok(()) };
    let first = stream.log().first();
    let key = out.key();
    match first {
        None => out.emit(&[b"XTRIM", key, b"MAXLEN", b"0"])?,
        Some(first) if *least < first => {
            out.emit(&[b"XTRIM", key, b"MINID", first.text(&mut [0; TEXT_MAX])])?;
        }
        Some(_) => {}
    }
    let Some(first) = first else { return Ok(()) };
    let mut pieces = out.pieces("XDEL");
    gone.range(first..).for_each(|id| pieces.push(&[id.text(&mut [0; TEXT_MAX])]));
    pieces.finish()
}

/// Shows what a stream is.
pub(crate) fn digest<S: Storage>(stream: &Stream<S>, out: &mut Digester<'_>) {
    let number = |number: u64| number.to_le_bytes();
    out.element(&[
        b"stream",
        &stream.last_id().to_bytes(),
        &number(stream.added().min(ADDED_MAX)),
        &stream.max_deleted().to_bytes(),
    ]);
    let _ = stream.log().visit(Id::MIN..=Id::MAX, |id, fields| {
        out.add(b"entry");
        out.add(&id.to_bytes());
        fields.for_each(|value| out.add(value.text(&mut Digits::new())));
        out.end();
        ControlFlow::<()>::Continue(())
    });
    for (name, group) in stream.groups() {
        let read = group.entries_read().map_or(u64::MAX, |read| read.min(ADDED_MAX));
        out.element(&[b"group", name, &group.last().to_bytes(), &number(read)]);
        group.consumers().for_each(|(_, consumer)| out.element(&[b"consumer", name, consumer.name()]));
        for (id, nack) in group.pending_from(Id::MIN) {
            let Some(consumer) = group.consumer(nack.consumer) else { continue };
            let (time, count) = (nack.delivered_ms.to_le_bytes(), number(nack.deliveries));
            out.element(&[b"pending", name, &id.to_bytes(), consumer.name(), &time, &count]);
        }
    }
}
