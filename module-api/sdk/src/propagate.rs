//! Propagation: what replicas and the append-only file are told of a command.
//!
//! Without a word from the handler a command that changed something is passed on as the client
//! sent it. A command whose effect depends on more than its arguments (time, chance, what was
//! there) passes on one that does not.

use crate::abi;
use crate::abi::bytes::{Bytes, Slice};
use crate::call::part;
use crate::error::{Result, check};
use crate::host;
use std::marker::PhantomData;
use std::ptr::NonNull;

pub use crate::abi::propagate::{PROPAGATE_TO_FILE, PROPAGATE_TO_REPLICAS, UNIT_REPLAYED};

/// What belongs together of what was passed on, for the run of a hook for
/// [`ON_UNIT`](crate::events::ON_UNIT). See `plinth_unit` for what its number tells.
#[derive(Clone, Copy)]
pub struct Unit<'e> {
    raw: &'e abi::propagate::Unit,
}

impl<'e> Unit<'e> {
    pub(crate) fn new(raw: &'e abi::propagate::Unit) -> Unit<'e> {
        Unit { raw }
    }

    /// Which one it is.
    pub fn number(self) -> u64 {
        self.raw.number
    }

    /// The history that it is counted in, 40 hex digits.
    pub fn history(self) -> &'e [u8] {
        // SAFETY: the host lends the unit and its texts for the hook's run.
        unsafe { self.raw.history.as_slice() }
    }

    /// Whether it was read from the append-only file.
    pub fn is_replayed(self) -> bool {
        self.raw.flags & UNIT_REPLAYED != 0
    }

    /// Its commands: the database, and a RESP array of the words.
    pub fn commands(self) -> impl ExactSizeIterator<Item = (u32, &'e [u8])> {
        let Slice { items, count, stride } = self.raw.commands;
        (0..count as usize).map(move |at| {
            // SAFETY: the host lends so many commands, each that far from the last, for the hook's run.
            unsafe {
                let command = items.byte_add(at * stride as usize);
                ((*command).db, (*command).text.as_slice())
            }
        })
    }
}

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

    /// Passes on this command too, in a database and to some of those who are told (`PROPAGATE_TO_*`), behind all else
    /// that is passed on of the outermost command, timer or hook. Fails with `Unsupported` without a target, with
    /// `DbRange`, and with `NotAllowed` elsewhere.
    pub fn also(&mut self, db: u32, args: &[&[u8]], targets: u32) -> Result {
        let also = host::propagate().also;
        // SAFETY: the call is valid; the arguments are borrowed for the call.
        with_args(args, |args, argc| check(unsafe { also(self.call.as_ptr(), db, args, argc, targets) }))
    }

    /// Passes on nothing. Fails with `NotAllowed` outside a command.
    pub fn nothing(&mut self) -> Result {
        // SAFETY: the call is valid.
        check(unsafe { (host::propagate().nothing)(self.call.as_ptr()) })
    }
}
