//! Answers that come as bytes lent for a moment: the host calls a function with them, and here
//! that function is a closure.

use crate::abi::bytes::{Bytes, Opaque, Take};
use crate::abi::status::Status;
use crate::error::{Error, Result, check};
use crate::panic::guard;

/// The closure before, and its result after.
enum Slot<F, R> {
    Waiting(F),
    Done(R),
    Empty,
}

/// Has `ask` call the ABI with a function and its data, and `take` called with the bytes. Fails
/// with what `ask` fails with, and with `Panic` when `take` panicked.
pub(crate) fn taking<F: FnOnce(&[u8]) -> R, R>(take: F, ask: impl FnOnce(Take, Opaque) -> Status) -> Result<R> {
    unsafe extern "C" fn run<F: FnOnce(&[u8]) -> R, R>(data: Opaque, bytes: Bytes) {
        guard(|| {
            // SAFETY: `data` is the slot of the `taking` that is on the stack, and nobody else
            // looks at it now; the bytes are lent for this call.
            let (slot, bytes) = unsafe { (&mut *data.cast::<Slot<F, R>>(), bytes.as_slice()) };
            if let Slot::Waiting(take) = std::mem::replace(slot, Slot::Empty) {
                *slot = Slot::Done(take(bytes));
            }
        });
    }
    let mut slot = Slot::Waiting(take);
    check(ask(Take { run: run::<F, R> }, (&raw mut slot).cast()))?;
    match slot {
        Slot::Done(result) => Ok(result),
        _ => Err(Error::Panic),
    }
}
