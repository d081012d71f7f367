//! Propagation: what replicas and the append-only file are told of a command.
//!
//! Without a word from the handler a command that changed something is passed on as the client
//! sent it. A command whose effect depends on more than its arguments (time, chance, what was
//! there) passes on one that does not.

use crate::abi;
use crate::abi::bytes::Bytes;
use crate::call::part;
use crate::error::{Result, check};
use crate::host;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// What is passed on, in [`Call::propagate`](crate::call::Call::propagate).
pub struct Propagate<'a> {
    call: NonNull<abi::call::Call>,
    marker: PhantomData<&'a mut ()>,
}

part!(Propagate);

/// Number of arguments that are passed to the host without an allocation.
const FEW: usize = 16;

/// Has `work` called with byte strings as the ABI wants them.
pub(crate) fn with_args<R>(args: &[&[u8]], work: impl FnOnce(*const Bytes, u32) -> R) -> R {
    if args.len() <= FEW {
        let mut few = [Bytes::EMPTY; FEW];
        for (to, from) in few.iter_mut().zip(args) {
            *to = Bytes::of(from);
        }
        work(few.as_ptr(), args.len() as u32)
    } else {
        let many: Vec<Bytes> = args.iter().map(|arg| Bytes::of(arg)).collect();
        work(many.as_ptr(), many.len() as u32)
    }
}

impl Propagate<'_> {
    /// Whether anybody is told of what the command changes. If nobody is, what is said here is not
    /// kept, and a handler spares itself the trouble of putting it together.
    #[inline]
    pub fn is_wanted(&self) -> bool {
        // SAFETY: the call is valid.
        unsafe { (*self.call.as_ptr()).flags & abi::call::CALL_UNTOLD == 0 }
    }

    /// Passes on this command instead of the one that runs; may be called repeatedly. In a timer or a hook it
    /// stands for what is changed there of the keys that it names. Fails with `NotAllowed` outside these.
    pub fn instead(&mut self, args: &[&[u8]]) -> Result {
        // SAFETY: the call is valid; the arguments are borrowed for the call.
        with_args(args, |args, argc| check(unsafe { (host::propagate().instead)(self.call.as_ptr(), args, argc) }))
    }

    /// Passes on this command before the one that runs, whatever is passed on of that and whoever runs it; for what is
    /// found expired and removed, even where [`is_wanted`](Propagate::is_wanted) says no. In a timer or a
    /// hook nothing is to be said. Fails with `NotAllowed` elsewhere.
    pub fn before(&mut self, args: &[&[u8]]) -> Result {
        // SAFETY: the call is valid; the arguments are borrowed for the call.
        with_args(args, |args, argc| check(unsafe { (host::propagate().before)(self.call.as_ptr(), args, argc) }))
    }

    /// Passes on nothing. Fails with `NotAllowed` outside a command.
    pub fn nothing(&mut self) -> Result {
        // SAFETY: the call is valid.
        check(unsafe { (host::propagate().nothing)(self.call.as_ptr()) })
    }
}
