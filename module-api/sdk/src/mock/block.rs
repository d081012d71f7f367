//! The mock's waiting: every run that waits becomes a client of its own, so that a test goes on
//! running commands as client 1, and looks at who waits and at what they were sent.

use super::dispatch::{self, Ran};
use super::keys::{Space, frame_of};
use super::services::owned_args;
use super::state::Host;
use crate::abi::block::{BlockService, WAIT_NULL, WAIT_NULL_ARRAY, WAIT_REMOVAL, Wait};
use crate::abi::bytes::Bytes;
use crate::abi::call::{CALL_NO_BLOCK, CALL_NO_CLIENT, CALL_RETRY, Call};
use crate::abi::status::{
    STATUS_EXISTS, STATUS_NOT_ALLOWED, STATUS_OK, STATUS_OUT_OF_RANGE, STATUS_UNSUPPORTED, Status,
};
use crate::block::WaitReply;

/// Rounds of keys that become ready by what others were served, after which a test is wrong.
const ROUNDS_MAX: u32 = 10_000;

/// A command that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Number of the client that waits; later ones are higher.
    pub id: u64,
    /// Database of the keys.
    pub db: u32,
    /// Keys that it waits for.
    pub keys: Vec<Vec<u8>>,
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

unsafe extern "C" fn wait(call: *mut Call, keys: *const Bytes, count: u32, how: *const Wait) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (frame, how) = unsafe { (frame_of(call), &*how) };
    if frame.call.command.is_null() || frame.call.flags & (CALL_NO_BLOCK | CALL_NO_CLIENT) != 0 {
        return STATUS_NOT_ALLOWED;
    }
    let reply = match how.reply {
        WAIT_NULL => WaitReply::Null,
        WAIT_NULL_ARRAY => WaitReply::NullArray,
        _ => return STATUS_UNSUPPORTED,
    };
    if how.flags & !WAIT_REMOVAL != 0 {
        return STATUS_UNSUPPORTED;
    }
    if count == 0 {
        return STATUS_OUT_OF_RANGE;
    }
    if frame.waits.is_some() {
        return STATUS_EXISTS;
    }
    // SAFETY: as the table's comments ask of the caller.
    let (keys, args) =
        unsafe { (owned_args(keys, count), (!how.args.is_null()).then(|| owned_args(how.args, how.argc))) };
    let now_ms = frame.call.now_ms;
    frame.waits = Some(Waiting {
        id: 0,
        db: frame.call.db,
        keys,
        type_id: how.type_id,
        timeout_ms: how.timeout_ms,
        reply,
        on_removal: how.flags & WAIT_REMOVAL != 0,
        args: args.unwrap_or_else(|| frame.args.clone()),
        end_ms: (how.timeout_ms > 0).then(|| now_ms.saturating_add_unsigned(how.timeout_ms)),
        resp: frame.call.resp,
    });
    STATUS_OK
}

/// The table.
pub(super) static TABLE: BlockService = BlockService { size: size_of::<BlockService>() as u32, reserved: 0, wait };

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
    if !is_wanted && !one.on_removal {
        return;
    }
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
                    one.args = again.args;
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
    host.with(|state| {
        let now_ms = state.now_ms;
        let up: Vec<Waiting> = state.waiting.extract_if(.., |one| one.is_up(now_ms)).collect();
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
