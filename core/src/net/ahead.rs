//! Looking ahead: what the commands of a window are going to look at is fetched before
//! the first of them runs, so that they wait for memory together and not one by one.
//!
//! ```text
//! entries of first keys                           ──> for each command of the window
//! buckets that go on elsewhere, and their entries ──> for each that has none yet
//! boxes of first keys, where the command asks     ──> for each such
//! the command's own stages, 0, 1, ...             ──> for each that has a further one
//! ```
//!
//! Buckets have been fetched while requests were parsed, see [`crate::net::batch`].

use crate::net::batch::Pending;
use crate::store::Store;
use crate::store::entry::EntryPtr;
use plinth_abi::bytes::Bytes;
use plinth_abi::command::Ahead;
use plinth_table::Table;
use plinth_table::prefetch::prefetch;

/// Most stages of a command.
const STAGES: u32 = 4;
/// Bytes that come with one prefetch.
const LINE_BYTES: usize = 64;

/// A command that looks ahead in a boxed value.
pub(super) struct Looking {
    pending: usize,
    ahead: Ahead,
}

/// Fetches what the commands of a window are going to look at. `looking` is room for the
/// time of the call.
#[inline]
pub(super) fn look_ahead(store: &Store, window: &mut [Pending], args: &[Bytes], looking: &mut Vec<Looking>) {
    let table = |db: u32| store.databases.get(db as usize).map(|database| &database.table);
    let (mut overflowing, mut asked) = (false, false);
    for pending in window.iter_mut().filter(|pending| pending.keyed) {
        if let Some(table) = table(pending.db) {
            pending.overflows = table.prefetch_entries(pending.hash);
            overflowing |= pending.overflows;
            asked |= pending.looks_ahead;
        }
    }
    if overflowing {
        for pending in window.iter().filter(|pending| pending.overflows) {
            if let Some(table) = table(pending.db) {
                table.prefetch_overflow(pending.hash);
            }
        }
    }
    if asked {
        for (at, pending) in window.iter().enumerate().filter(|(_, pending)| pending.keyed && pending.looks_ahead) {
            if let Some(table) = table(pending.db) {
                let args = &args[pending.first_arg..pending.first_arg + pending.argc];
                if let Some(entry) = find_box(table, pending.hash, key_of(pending, args)) {
                    looking.push(Looking { pending: at, ahead: begin(entry, args) });
                }
            }
        }
        run_stages(window, looking);
    }
}

/// The first key of a command that is keyed.
#[inline]
fn key_of<'a>(pending: &Pending, args: &'a [Bytes]) -> &'a [u8] {
    // SAFETY: the table has given the pointer, and has not changed since.
    let first_key = pending.command.map_or(0, |command| unsafe { command.as_ref().first_key });
    // SAFETY: arguments point into query buffers, see `crate::net::batch`.
    args.get(first_key as usize).map_or(&[], |key| unsafe { key.as_slice() })
}

/// The entry of a key whose value is boxed, if its bucket has it; the box is fetched.
#[inline]
fn find_box(table: &Table<EntryPtr>, hash: u64, key: &[u8]) -> Option<EntryPtr> {
    let mut found = None;
    table.candidates(hash, |entry| {
        // SAFETY: the entry is in the table, and nothing runs meanwhile.
        if entry.is_boxed() && unsafe { entry.key() } == key {
            let address = entry.boxed().addr();
            prefetch(address as u64);
            prefetch((address + LINE_BYTES) as u64);
            found = Some(entry);
        }
    });
    found
}

fn begin(entry: EntryPtr, args: &[Bytes]) -> Ahead {
    Ahead {
        size: size_of::<Ahead>() as u32,
        stage: 0,
        type_id: u32::from(entry.type_id()),
        argc: args.len() as u32,
        args: args.as_ptr(),
        boxed: entry.boxed(),
        memo: 0,
    }
}

/// Runs each stage for all commands that have it, before the next.
fn run_stages(window: &[Pending], looking: &mut Vec<Looking>) {
    for stage in 0..STAGES {
        if looking.is_empty() {
            return;
        }
        looking.retain_mut(|one| {
            // SAFETY: the table has given the pointer, and has not changed since.
            let spec = window[one.pending].command.map(|command| unsafe { &command.as_ref().spec });
            let Some(look_ahead) = spec.and_then(|spec| spec.look_ahead) else { return false };
            one.ahead.stage = stage;
            // SAFETY: the function belongs to a loaded module; the value and the arguments
            // are there until a command runs, which is after this.
            unsafe { look_ahead(&raw mut one.ahead) != 0 }
        });
    }
    looking.clear();
}
