//! Waiting, for keys or for a thread: commands that answer later.
//!
//! A handler that finds nothing calls [`Block::wait`] and returns without a reply. It is run again,
//! from its beginning, when one of the keys was changed and holds a value of the type; then it
//! replies, or it waits again and keeps its place. When the time is up the host sends the null.
//!
//! ```
//! use plinth_module::prelude::*;
//!
//! static JOBS: TypeHandle = TypeHandle::new();
//!
//! // JOBS.TAKE key timeout
//! fn take(call: &mut Call<'_>) -> Result {
//!     let key = call.args.bytes(1);
//!     let timeout_ms = block::timeout_ms(call.args.bytes(2)).map_err(|text| call.reply.error(text))?;
//!     if call.keys.get_write(&JOBS, key)?.is_some() {
//!         call.keys.remove(key, 0)?;
//!         call.keys.modified(key, EVENT_MODULE, "jobs.take");
//!         call.reply.ok();
//!         Ok(())
//!     } else if call.block.may_wait() {
//!         call.block.wait(&[key], Wait { of: Some(&JOBS), timeout_ms, ..Wait::NEW })
//!     } else {
//!         call.reply.null();
//!         Ok(())
//!     }
//! }
//! ```
//!
//! A command that leaves its work to a thread calls [`Block::suspend`], gives the [`Ticket`] to the
//! thread and returns without a reply. When the thread is done it says [`Ticket::resume`], and the
//! command is run again; [`Block::ticket`] says for which of them, so that it finds what the thread has
//! left. [`thread::spawn`](crate::thread::spawn) has the thread end before the module is unmapped.
//!
//! ```
//! use plinth_module::prelude::*;
//! use std::sync::Mutex;
//!
//! static DONE: Mutex<Vec<(Ticket, u64)>> = Mutex::new(Vec::new());
//!
//! // SUM.TO limit
//! fn sum(call: &mut Call<'_>) -> Result {
//!     if let Some(ticket) = call.block.ticket() {
//!         let mut done = DONE.lock().unwrap();
//!         let at = done.iter().position(|(whose, _)| *whose == ticket).ok_or(Error::None)?;
//!         call.reply.integer(done.swap_remove(at).1 as i64);
//!         return Ok(());
//!     }
//!     let limit = call.args.integer(1)? as u64;
//!     let ticket = call.block.suspend(Wait::NEW)?;
//!     plinth_module::thread::spawn(move || {
//!         DONE.lock().unwrap().push((ticket, (1..=limit).sum()));
//!         let _ = ticket.resume();
//!     })
//! }
//! ```
//!
//! The second run is a run like the first, errors included: of several keys that are waited for, one
//! that has come to hold another type meanwhile is a WRONGTYPE error when another key makes the
//! command run, as in Redis since 7.2. The timeout is looked at on the first run only. The arguments
//! are those that the client sent, unless [`Wait::args`] replaced them.

use crate::abi;
use crate::abi::bytes::Bytes;
use crate::abi::call::{CALL_NO_BLOCK, CALL_NO_CLIENT, CALL_RETRY};
use crate::call::{Call, part};
use crate::error::{Result, check};
use crate::host;
use crate::number::parse_hexadecimal;
use crate::propagate::with_args;
use crate::types::TypeHandle;
use std::marker::PhantomData;
use std::ops::Range;
use std::ptr::{NonNull, null};

/// Waiting for keys and threads, in [`Call::block`](crate::call::Call::block).
pub struct Block<'a> {
    call: NonNull<abi::call::Call>,
    marker: PhantomData<&'a mut ()>,
}

part!(Block);

/// Under which a command waits for a thread. No two waits have the same.
#[derive(Clone, Copy)]
pub struct Ticket {
    id: u64,
    host: &'static abi::host::Host,
}

impl Ticket {
    /// The number.
    pub fn id(self) -> u64 {
        self.id
    }

    /// Has the command run again that waits under this ticket, soon, on the main thread. May be
    /// called from any thread of the module, also before the handler has returned. Fails with
    /// `None` when nobody waits under it any more: the time is up, CLIENT UNBLOCK has ended the
    /// wait, the client is gone, or it was resumed before.
    pub fn resume(self) -> Result {
        // SAFETY: the host lives until the module's `stop` has returned, and with it the code that
        // could get here; its function may be called from any thread.
        check(unsafe { (host::block().resume)(self.host, self.id) })
    }

    /// Whether the command waits under this ticket still. If not, [`resume`](Ticket::resume) would fail,
    /// and work for it is of no use. May be called from any thread of the module.
    pub fn is_waiting(self) -> bool {
        // SAFETY: as in `resume`.
        unsafe { (host::block().is_waiting)(self.host, self.id) == abi::status::STATUS_OK }
    }
}

impl PartialEq for Ticket {
    fn eq(&self, other: &Ticket) -> bool {
        self.id == other.id
    }
}

impl Eq for Ticket {}

impl std::hash::Hash for Ticket {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Ticket").field(&self.id).finish()
    }
}

/// What a client is sent that has waited in vain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum WaitReply {
    /// A null: `$-1`, or `_` in RESP3.
    #[default]
    Null = abi::block::WAIT_NULL,
    /// A null in place of an array: `*-1`, or `_` in RESP3.
    NullArray = abi::block::WAIT_NULL_ARRAY,
}

/// How to wait.
#[derive(Clone, Copy)]
pub struct Wait<'w> {
    /// Type of the values that are waited for; `None` takes any.
    pub of: Option<&'w TypeHandle>,
    /// For how long; 0 is for ever. See [`timeout_ms`].
    pub timeout_ms: u64,
    /// What is sent when the time is up.
    pub reply: WaitReply,
    /// Run again, too, when a key is gone or holds another type than `of` after a change.
    pub on_removal: bool,
    /// Arguments for the next run in place of those of this one, the command's name first.
    pub args: Option<&'w [&'w [u8]]>,
}

impl Wait<'_> {
    /// For any type, for ever, with a plain null, to be completed with `..Wait::NEW`.
    pub const NEW: Wait<'static> =
        Wait { of: None, timeout_ms: 0, reply: WaitReply::Null, on_removal: false, args: None };
}

impl Block<'_> {
    fn flags(&self) -> u32 {
        // SAFETY: the call is valid for as long as its parts, and its flags stay as they are.
        unsafe { (*self.call.as_ptr()).flags }
    }

    /// Whether the command can wait: not in EXEC or a script, and not without a client. Where it
    /// cannot, the handler answers as if the time were up.
    #[inline]
    pub fn may_wait(&self) -> bool {
        self.flags() & (CALL_NO_BLOCK | CALL_NO_CLIENT) == 0
    }

    /// Whether the command has waited and is run again, because a key changed or a thread has
    /// [resumed](Ticket::resume) it.
    #[inline]
    pub fn is_retry(&self) -> bool {
        self.flags() & CALL_RETRY != 0
    }

    /// Waits for a change of one of these keys of the call's database. The handler returns right
    /// after, with `Ok` and without a reply; an error that it returns ends the wait.
    ///
    /// In a run that is a [retry](Block::is_retry) the client goes on waiting: keys, type, time and
    /// reply are those of the first run, and only `args` of `how` are looked at.
    ///
    /// Fails with `NotAllowed` where nothing can wait ([`may_wait`](Block::may_wait) says
    /// so beforehand), with `Exists` the second time in one run, with `OutOfRange` without a
    /// key, and with `Unsupported` when the type's module is not loaded.
    pub fn wait(&mut self, keys: &[&[u8]], how: Wait<'_>) -> Result {
        let call = self.call.as_ptr();
        with_args(keys, |keys, count| {
            // SAFETY: the call is valid; keys and arguments are borrowed for the call.
            with_how(how, |how| check(unsafe { (host::block().wait)(call, keys, count, how) }))
        })
    }

    /// Waits for a thread of the module, until it [resumes](Ticket::resume) the ticket. The handler
    /// returns right after, with `Ok` and without a reply; an error that it returns ends the wait.
    /// `of` and `on_removal` of `how` are for keys and stay as in [`Wait::NEW`].
    ///
    /// In a run that is a [retry](Block::is_retry) the client goes on waiting, under a new ticket:
    /// time and reply are those of the first run, and only `args` of `how` are looked at. While a
    /// client waits so, the module is neither unloaded nor replaced.
    ///
    /// Fails with `NotAllowed` where nothing can wait ([`may_wait`](Block::may_wait) says so
    /// beforehand), in the retry of one that waited for keys, and when another module has taken
    /// this one's place; with `Exists` the second time in one run; with `Unsupported` for a type.
    pub fn suspend(&mut self, how: Wait<'_>) -> Result<Ticket> {
        let call = self.call.as_ptr();
        let mut id = 0;
        // SAFETY: the call is valid; the arguments are borrowed for the call.
        with_how(how, |how| check(unsafe { (host::block().suspend)(call, how, &mut id) }))?;
        Ok(self.ticket_of(id))
    }

    /// The ticket for which this run is made; `None` when no thread has caused it.
    pub fn ticket(&self) -> Option<Ticket> {
        let mut id = 0;
        // SAFETY: the call is valid.
        let status = unsafe { (host::block().ticket)(self.call.as_ptr(), &mut id) };
        (status == abi::status::STATUS_OK).then(|| self.ticket_of(id))
    }

    fn ticket_of(&self, id: u64) -> Ticket {
        // SAFETY: a call carries its host, which lives until the module's `stop` has returned.
        Ticket { id, host: unsafe { &*(*self.call.as_ptr()).host } }
    }
}

/// Has `work` called with what the ABI wants to know of a wait. Fails with `Unsupported` when the
/// type's module is not loaded.
fn with_how<R>(how: Wait<'_>, work: impl FnOnce(&abi::block::Wait) -> Result<R>) -> Result<R> {
    let type_id = how.of.map_or(Ok(0), TypeHandle::loaded)?;
    with_args(how.args.unwrap_or_default(), |args, argc| {
        let args: *const Bytes = if argc == 0 { null() } else { args };
        work(&abi::block::Wait {
            size: size_of::<abi::block::Wait>() as u32,
            type_id,
            flags: if how.on_removal { abi::block::WAIT_REMOVAL } else { 0 },
            reply: how.reply as u32,
            timeout_ms: how.timeout_ms,
            args,
            argc,
            reserved: 0,
        })
    })
}

impl Call<'_> {
    /// The timeout in the argument at `index`, as [`timeout_ms`] reads it. Fails with the reply for
    /// what is none.
    pub fn timeout_ms(&mut self, index: usize) -> Result<u64> {
        timeout_ms(self.args.bytes(index)).map_err(|refusal| self.reply.error(refusal))
    }

    /// [Waits](Block::wait) for the keys that are the arguments `keys`, or answers `at_once` where
    /// nothing can wait.
    pub fn wait(&mut self, keys: Range<usize>, how: Wait<'_>, at_once: WaitReply) -> Result {
        if self.block.may_wait() {
            let keys: Vec<&[u8]> = self.args.from(keys.start).take(keys.len()).collect();
            return self.block.wait(&keys, how);
        }
        match at_once {
            WaitReply::Null => self.reply.null(),
            WaitReply::NullArray => self.reply.null_array(),
        }
        Ok(())
    }
}

/// Longest timeout: what is added to the clock, Unix time in ms, stays within an `i64` until 2039.
const TIMEOUT_MS_MAX: f64 = (i64::MAX - (1 << 41)) as f64;

/// The time that a blocking command's argument stands for: seconds with a fraction, rounded up to
/// milliseconds, decimal or hexadecimal; 0 is for ever. Fails with the text of the error reply.
pub fn timeout_ms(seconds: &[u8]) -> std::result::Result<u64, &'static str> {
    let decimal: Option<f64> = std::str::from_utf8(seconds).ok().and_then(|text| text.parse().ok());
    let Some(seconds) = decimal.or_else(|| parse_hexadecimal(seconds)).filter(|seconds| !seconds.is_nan()) else {
        return Err("ERR timeout is not a float or out of range");
    };
    match (seconds * 1000.0).ceil() {
        late if late > TIMEOUT_MS_MAX => Err("ERR timeout is out of range"),
        early if early < 0.0 => Err("ERR timeout is negative"),
        timeout_ms => Ok(timeout_ms as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::timeout_ms;

    #[test]
    fn a_timeout_is_rounded_up_to_milliseconds() {
        assert_eq!(timeout_ms(b"0"), Ok(0));
        assert_eq!(timeout_ms(b"1.5"), Ok(1500));
        assert_eq!(timeout_ms(b"0.0001"), Ok(1));
        assert_eq!(timeout_ms(b"-0.0001"), Ok(0));
        assert_eq!(timeout_ms(b"9.2e15"), Ok(9_200_000_000_000_000_000));
        assert_eq!(timeout_ms(b"1e3"), Ok(1_000_000));
        assert_eq!(timeout_ms(b"0x1p-7"), Ok(8));
    }

    #[test]
    fn a_timeout_that_is_none_is_refused() {
        assert_eq!(timeout_ms(b"-1"), Err("ERR timeout is negative"));
        assert_eq!(timeout_ms(b"-0x1"), Err("ERR timeout is negative"));
        assert_eq!(timeout_ms(b"soon"), Err("ERR timeout is not a float or out of range"));
        assert_eq!(timeout_ms(b"nan"), Err("ERR timeout is not a float or out of range"));
        assert_eq!(timeout_ms(b" 1"), Err("ERR timeout is not a float or out of range"));
        assert_eq!(timeout_ms(b"-inf"), Err("ERR timeout is negative"));
        assert_eq!(timeout_ms(b"inf"), Err("ERR timeout is out of range"));
        assert_eq!(timeout_ms(b"9223372036854775807"), Err("ERR timeout is out of range"));
    }
}
