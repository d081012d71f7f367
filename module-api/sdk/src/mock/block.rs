//! The mock's waiting: every run that waits becomes a client of its own, so that a test goes on
//! running commands as client 1, and looks at who waits and at what they were sent.

use super::dispatch::{self, Ran};
use super::host::context_of;
use super::keys::{Space, frame_of};
use super::services::owned_args;
use super::state::Host;
use crate::abi::block::{BlockService, WAIT_NULL, WAIT_NULL_ARRAY, WAIT_REMOVAL, Wait};
use crate::abi::bytes::Bytes;
use crate::abi::call::{CALL_NO_BLOCK, CALL_NO_CLIENT, CALL_RETRY, Call};
use crate::abi::host::Host as AbiHost;
use crate::abi::status::{
    STATUS_EXISTS, STATUS_NONE, STATUS_NOT_ALLOWED, STATUS_OK, STATUS_OUT_OF_RANGE, STATUS_UNSUPPORTED, Status,
};
use crate::block::WaitReply;
use std::sync::{MutexGuard, PoisonError};

/// Rounds of keys that become ready by what others were served, after which a test is wrong.
const ROUNDS_MAX: u32 = 10_000;

/// A command that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Number of the client that waits; later ones are higher.
    pub id: u64,
    /// Database of the keys.
    pub db: u32,
    /// Keys that it waits for; none when it waits for a thread.
    pub keys: Vec<Vec<u8>>,
    /// Number of the ticket under which it waits for a thread.
    pub ticket: Option<u64>,
    /// Id of the type that it waits for, 0 for any.
    pub type_id: u32,
    /// For how long it said that it would wait, 0 for ever.
    pub timeout_ms: u64,
    /// What it is sent when the time is up.
    pub reply: WaitReply,
    /// Whether it is run when a key is gone, too.
    pub on_removal: bool,
    /// The arguments with which it is run again.
    pub args: Vec<Vec<u8>>,
    pub(super) end_ms: Option<i64>,
    pub(super) resp: u32,
}

impl Waiting {
    fn is_up(&self, now_ms: i64) -> bool {
        self.end_ms.is_some_and(|end_ms| end_ms <= now_ms)
    }
}

/// Tickets of commands that wait for threads; the one part of a mock that any thread may touch.
#[derive(Default)]
pub(super) struct Tickets {
    last: u64,
    waiting: Vec<u64>,
    ready: Vec<u64>,
}

fn tickets<'h>(host: *const AbiHost) -> MutexGuard<'h, Tickets> {
    // SAFETY: the host is a mock's, which is never freed.
    unsafe { context_of(host) }.tickets.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a run asks for that may wait so, with nothing to wait for yet.
///
/// # Safety
/// As the table's comments ask of the caller of `wait`.
unsafe fn asked(call: *mut Call, how: *const Wait, flags_known: u32) -> Result<Waiting, Status> {
    // SAFETY: as the caller vouches.
    let (frame, how) = unsafe { (frame_of(call), &*how) };
    if frame.call.command.is_null() || frame.call.flags & (CALL_NO_BLOCK | CALL_NO_CLIENT) != 0 {
        return Err(STATUS_NOT_ALLOWED);
    }
    let reply = match how.reply {
        WAIT_NULL => WaitReply::Null,
        WAIT_NULL_ARRAY => WaitReply::NullArray,
        _ => return Err(STATUS_UNSUPPORTED),
    };
    if how.flags & !flags_known != 0 {
        return Err(STATUS_UNSUPPORTED);
    }
    // SAFETY: as the caller vouches.
    let args = (!how.args.is_null()).then(|| unsafe { owned_args(how.args, how.argc) });
    let now_ms = frame.call.now_ms;
    Ok(Waiting {
        id: 0,
        db: frame.call.db,
        keys: Vec::new(),
        ticket: None,
        type_id: how.type_id,
        timeout_ms: how.timeout_ms,
        reply,
        on_removal: how.flags & WAIT_REMOVAL != 0,
        args: args.unwrap_or_else(|| frame.args.clone()),
        end_ms: (how.timeout_ms > 0).then(|| now_ms.saturating_add_unsigned(how.timeout_ms)),
        resp: frame.call.resp,
    })
}

unsafe extern "C" fn wait(call: *mut Call, keys: *const Bytes, count: u32, how: *const Wait) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (frame, asked) = unsafe { (frame_of(call), asked(call, how, WAIT_REMOVAL)) };
    let waiting = match asked {
        Ok(_) if frame.state.with(|state| state.resumed.is_some()) => return STATUS_NOT_ALLOWED,
        Ok(_) if count == 0 => return STATUS_OUT_OF_RANGE,
        Ok(_) if frame.waits.is_some() => return STATUS_EXISTS,
        Ok(waiting) => waiting,
        Err(status) => return status,
    };
    // SAFETY: as the table's comments ask of the caller.
    frame.waits = Some(Waiting { keys: unsafe { owned_args(keys, count) }, ..waiting });
    STATUS_OK
}

unsafe extern "C" fn suspend(call: *mut Call, how: *const Wait, ticket_out: *mut u64) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (frame, asked) = unsafe { (frame_of(call), asked(call, how, 0)) };
    let is_retry = frame.call.flags & CALL_RETRY != 0;
    let waiting = match asked {
        Ok(_) if is_retry && frame.state.with(|state| state.resumed.is_none()) => return STATUS_NOT_ALLOWED,
        Ok(waiting) if waiting.type_id != 0 => return STATUS_UNSUPPORTED,
        Ok(_) if frame.waits.is_some() => return STATUS_EXISTS,
        Ok(waiting) => waiting,
        Err(status) => return status,
    };
    let mut tickets = tickets(frame.call.host);
    tickets.last += 1;
    let ticket = tickets.last;
    tickets.waiting.push(ticket);
    frame.waits = Some(Waiting { ticket: Some(ticket), ..waiting });
    // SAFETY: as the table's comments ask of the caller.
    unsafe { ticket_out.write(ticket) };
    STATUS_OK
}

unsafe extern "C" fn ticket(call: *mut Call, ticket_out: *mut u64) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let frame = unsafe { frame_of(call) };
    let resumed = frame.state.with(|state| state.resumed).filter(|_| frame.call.flags & CALL_RETRY != 0);
    let Some(ticket) = resumed else { return STATUS_NONE };
    // SAFETY: as above.
    unsafe { ticket_out.write(ticket) };
    STATUS_OK
}

unsafe extern "C" fn resume(host: *const AbiHost, ticket: u64) -> Status {
    let mut tickets = tickets(host);
    if !tickets.waiting.contains(&ticket) {
        return STATUS_NONE;
    }
    if !tickets.ready.contains(&ticket) {
        tickets.ready.push(ticket);
    }
    STATUS_OK
}

/// The table.
pub(super) static TABLE: BlockService =
    BlockService { size: size_of::<BlockService>() as u32, reserved: 0, wait, suspend, ticket, resume };

/// Nobody waits under a ticket any more.
pub(super) fn withdraw(host: Host, ticket: Option<u64>) {
    let Some(ticket) = ticket else { return };
    let host = host.with(|state| state.host);
    let mut tickets = tickets(host);
    tickets.waiting.retain(|other| *other != ticket);
    tickets.ready.retain(|other| *other != ticket);
}

/// Runs those again whom threads have resumed by now; how many.
pub(super) fn serve_resumed(host: Host) -> usize {
    let abi_host = host.with(|state| state.host);
    let ready = std::mem::take(&mut tickets(abi_host).ready);
    for ticket in &ready {
        withdraw(host, Some(*ticket));
        let waits = |one: &&Waiting| one.ticket == Some(*ticket);
        let Some(id) = host.with(|state| state.waiting.iter().find(waits).map(|one| one.id)) else { continue };
        host.with(|state| state.resumed = Some(*ticket));
        run_again(host, id);
        host.with(|state| state.resumed = None);
    }
    ready.len()
}

/// Runs a command of client 1, and those that it makes ready. No bytes when it waits.
pub(super) fn run(host: Host, args: &[&[u8]]) -> Vec<u8> {
    let reply = match dispatch::run(host, args) {
        Ran::Replied(reply) => reply,
        Ran::Waits(waiting) => {
            host.with(|state| {
                let id = state.next_id() + 1;
                state.waiting.push(Waiting { id, ..waiting });
            });
            Vec::new()
        }
    };
    serve(host);
    reply
}

/// Runs those again who wait for keys that are ready.
pub(super) fn serve(host: Host) {
    for _ in 0..ROUNDS_MAX {
        let ready = host.with(|state| std::mem::take(&mut state.ready));
        if ready.is_empty() {
            return;
        }
        for (db, key) in ready {
            let waits = |one: &Waiting| one.db == db && one.keys.contains(&key);
            let ids: Vec<u64> =
                host.with(|state| state.waiting.iter().filter(|one| waits(one)).map(|one| one.id).collect());
            for id in ids {
                serve_one(host, db, &key, id);
            }
        }
    }
    panic!("those who wait make each other ready for ever");
}

fn serve_one(host: Host, db: u32, key: &[u8], id: u64) {
    let Some(one) = host.with(|state| state.waiting.iter().find(|one| one.id == id).cloned()) else { return };
    // SAFETY: items in a database are alive.
    let type_id = Space { host, db: db as usize }.find(key).map(|item| unsafe { item.as_ref() }.type_id);
    let is_wanted = type_id.is_some_and(|type_id| one.type_id == 0 || one.type_id == type_id);
    if is_wanted || one.on_removal {
        run_again(host, id);
    }
}

/// Runs a command again that waits.
fn run_again(host: Host, id: u64) {
    let Some(one) = host.with(|state| state.waiting.iter().find(|one| one.id == id).cloned()) else { return };
    let args: Vec<&[u8]> = one.args.iter().map(Vec::as_slice).collect();
    let before = host.with(|state| {
        let before = (state.db, state.resp, state.call_flags);
        (state.db, state.resp, state.call_flags) = (one.db, one.resp, CALL_RETRY);
        before
    });
    let ran = dispatch::run(host, &args);
    host.with(|state| {
        (state.db, state.resp, state.call_flags) = before;
        match ran {
            Ran::Waits(again) => {
                if let Some(one) = state.waiting.iter_mut().find(|one| one.id == id) {
                    (one.args, one.ticket) = (again.args, again.ticket);
                }
            }
            Ran::Replied(reply) => {
                state.waiting.retain(|one| one.id != id);
                state.served.push((id, reply));
            }
        }
    });
}

/// Sends those the null whose time is up.
pub(super) fn time_out(host: Host) {
    let up: Vec<Waiting> = host.with(|state| {
        let now_ms = state.now_ms;
        state.waiting.extract_if(.., |one| one.is_up(now_ms)).collect()
    });
    up.iter().for_each(|one| withdraw(host, one.ticket));
    host.with(|state| {
        for one in up {
            let null: &[u8] = match (one.resp, one.reply) {
                (3, _) => b"_\r\n",
                (_, WaitReply::Null) => b"$-1\r\n",
                (_, WaitReply::NullArray) => b"*-1\r\n",
            };
            state.served.push((one.id, null.to_vec()));
        }
    });
}
