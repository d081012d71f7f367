//! Giving way: a command that takes long has others served meanwhile.

use crate::abi;
use crate::abi::bytes::Bytes;
use crate::call::part;
use crate::error::{Result, check};
use crate::host;
use crate::keys::Keys;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::time::Duration;

use crate::abi::busy::{BUSY_END, BUSY_SERVED};

/// Giving way, in [`Call::busy`](crate::call::Call::busy).
pub struct Busy<'a> {
    call: NonNull<abi::call::Call>,
    marker: PhantomData<&'a mut ()>,
}

part!(Busy);

/// What came of giving way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GaveWay {
    /// Nobody was served: it is too early, or not possible here.
    Not,
    /// Others were served.
    Served,
    /// The command is to end as soon as it can, with an error.
    End,
}

impl Busy<'_> {
    /// Serves others once, if the command that has begun so long ago has run for long enough
    /// (`busy-reply-threshold`). Commands with `COMMAND_ALLOW_BUSY` that do not write run meanwhile, also of this
    /// module; all others are answered `refusal`, an error that begins with its code.
    ///
    /// Takes the keys because no entry or value is held across it; nor is a lock of the module's.
    pub fn give_way(&mut self, _keys: &mut Keys<'_>, running: Duration, refusal: &str) -> GaveWay {
        let running_ms = u64::try_from(running.as_millis()).unwrap_or(u64::MAX);
        // SAFETY: the call is valid, the text is borrowed for it, and nobody holds an entry.
        let bits = unsafe { (host::busy().give_way)(self.call.as_ptr(), running_ms, Bytes::of(refusal.as_bytes())) };
        match bits {
            bits if bits & BUSY_END != 0 => GaveWay::End,
            bits if bits & BUSY_SERVED != 0 => GaveWay::Served,
            _ => GaveWay::Not,
        }
    }

    /// For a command that runs meanwhile: the one that gives way is to end. Fails with `None` when none does.
    pub fn end(&mut self) -> Result {
        // SAFETY: the call is valid.
        check(unsafe { (host::busy().end)(self.call.as_ptr()) })
    }
}
