//! The command: one function, with its spec beside it.
//!
//! ```
//! use plinth_module::prelude::*;
//!
//! const PING: Command = Command {
//!     name: text("example.ping"),
//!     arity: -1,
//!     flags: COMMAND_READONLY | COMMAND_FAST,
//!     run: run(ping),
//!     ..Command::NEW
//! };
//!
//! fn ping(call: &mut Call<'_>) -> Result {
//!     match call.args.get(1) {
//!         Some(text) => call.reply.bulk(text),
//!         None => call.reply.simple("PONG"),
//!     }
//!     Ok(())
//! }
//! ```
//!
//! The structs are the ABI's own, since they are plain constants; [`text`] and [`list`] make the
//! pointers in them. `run` keeps the safe function in the spec's `data`, and one function for
//! all commands calls it: between the host and the handler lie two loads and a call.

use crate::abi;
use crate::abi::bytes::{Bytes, Opaque, Slice};
use crate::abi::status::Status;
use crate::call::Call;
use crate::error::{Error, Result, status_of};
use crate::panic::{guard, guard_command};
use std::mem::transmute;

pub use crate::abi::command::*;

/// What runs a command: reads `call.args` and `call.keys`, writes `call.reply`.
pub type HandlerFn = fn(&mut Call<'_>) -> Result;

/// The bytes of a constant text.
pub const fn text(text: &'static str) -> Bytes {
    Bytes::new(text)
}

/// The array behind a constant slice.
pub const fn list<T>(items: &'static [T]) -> Slice<T> {
    Slice::new(items)
}

/// The address of constant docs, for [`Command::docs`].
pub const fn docs(docs: &'static Docs) -> *const Docs {
    docs
}

/// The handler of a command, from a safe function.
pub const fn run(handler: HandlerFn) -> Handler {
    // SAFETY: `invoke` takes it for the function that it is.
    Handler { invoke: Some(invoke), data: unsafe { HandlerData::new(handler as Opaque) } }
}

/// One change of a command in its past, for [`Docs::history`].
pub const fn change(version: &'static str, what: &'static str) -> Change {
    Change { version: text(version), what: text(what) }
}

/// Number of commands in all families.
pub const fn count_of(families: &[&[Command]]) -> usize {
    let (mut count, mut family) = (0, 0);
    while family < families.len() {
        count += families[family].len();
        family += 1;
    }
    count
}

/// The commands of all families in one array of `N`, which must be their number.
pub const fn join<const N: usize>(families: &[&[Command]]) -> [Command; N] {
    assert!(N == count_of(families), "N is the number of commands");
    let mut all = [Command::NEW; N];
    let (mut family, mut at) = (0, 0);
    while family < families.len() {
        let mut one = 0;
        while one < families[family].len() {
            all[at] = families[family][one];
            at += 1;
            one += 1;
        }
        family += 1;
    }
    all
}

/// Runs the safe function of whatever command the call is for.
unsafe extern "C" fn invoke(raw: *mut abi::call::Call) -> Status {
    // SAFETY: the host calls this with a valid call whose `command` is the spec that holds this
    // function, and beside it is what only `run` makes: a `HandlerFn`, since nothing is refused at compile
    // time (`constants`).
    let (handler, mut call) = unsafe {
        let data = (*(*raw).command).run.data.get();
        (transmute::<Opaque, HandlerFn>(data), Call::from_raw(raw))
    };
    match guard_command(|| handler(&mut call)) {
        Some(result) => status_of(result),
        None => Error::Panic.status(),
    }
}

/// The keys that [`find_keys`]'s function reports.
pub struct FoundKeys {
    out: *mut abi::command::FoundKey,
    count: usize,
    max: usize,
}

impl FoundKeys {
    /// Reports that the argument at `index` is a key, with which is done what its spec says. An index
    /// behind the last argument is ignored.
    pub fn push(&mut self, index: usize) {
        self.push_with(index, 0);
    }

    /// Reports that the argument at `index` is a key, with which is done what `flags` (`KEY_*` bits) say.
    pub fn push_with(&mut self, index: usize, flags: u64) {
        if index < self.max && self.count < self.max {
            let found = abi::command::FoundKey { flags, position: index as u32, reserved: 0 };
            // SAFETY: there is room for as many keys as there are arguments.
            unsafe { self.out.add(self.count).write(found) };
            self.count += 1;
        }
    }
}

/// The arguments that [`find_keys`]'s function looks at, in which there are no keys yet.
pub struct FindArgs<'a> {
    args: *const Bytes,
    count: usize,
    marker: std::marker::PhantomData<&'a Bytes>,
}

impl<'a> FindArgs<'a> {
    /// Number of arguments, with the command's name.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.count
    }

    /// The argument at `index`; empty behind the last.
    pub fn bytes(&self, index: usize) -> &'a [u8] {
        if index >= self.count {
            return &[];
        }
        // SAFETY: the host gave `count` arguments, valid for the call.
        unsafe { (*self.args.add(index)).as_slice() }
    }
}

/// The C function of [`Command::find_keys`].
pub type FindKeysFn = unsafe extern "C" fn(*const Bytes, u32, *mut abi::command::FoundKey) -> u32;

/// A key finder for [`Command::find_keys`], from a safe function or a closure that captures
/// nothing, for commands whose keys, or what becomes of them, no spec describes.
pub const fn find_keys<F>(_find: F) -> Option<FindKeysFn>
where
    F: Fn(FindArgs<'_>, &mut FoundKeys) + Copy + 'static,
{
    const { assert!(size_of::<F>() == 0, "a key finder captures nothing") };
    Some(find::<F>)
}

unsafe extern "C" fn find<F>(args: *const Bytes, argc: u32, keys_out: *mut abi::command::FoundKey) -> u32
where
    F: Fn(FindArgs<'_>, &mut FoundKeys) + Copy + 'static,
{
    let max = argc as usize;
    let mut keys = FoundKeys { out: keys_out, count: 0, max };
    let found = guard(|| {
        let args = FindArgs { args, count: max, marker: std::marker::PhantomData };
        zero_sized::<F>()(args, &mut keys);
    });
    if found.is_some() { keys.count as u32 } else { 0 }
}

/// The C function of [`Command::find_flags`].
pub type FindFlagsFn = unsafe extern "C" fn(*const Bytes, u32) -> u64;

/// For [`Command::find_flags`]: a safe function or a closure that captures nothing, which says what flags the command
/// has with these arguments.
pub const fn find_flags<F>(_find: F) -> Option<FindFlagsFn>
where
    F: Fn(FindArgs<'_>) -> u64 + Copy + 'static,
{
    const { assert!(size_of::<F>() == 0, "what finds flags captures nothing") };
    Some(flags_found::<F>)
}

unsafe extern "C" fn flags_found<F>(args: *const Bytes, argc: u32) -> u64
where
    F: Fn(FindArgs<'_>) -> u64 + Copy + 'static,
{
    let args = FindArgs { args, count: argc as usize, marker: std::marker::PhantomData };
    guard(|| zero_sized::<F>()(args)).unwrap_or(0)
}

/// The value of a type without size of which a copy was given away at compile time.
pub(crate) fn zero_sized<F: Copy + 'static>() -> F {
    const { assert!(size_of::<F>() == 0) };
    // SAFETY: a `Copy` type without size has nothing to read, and whoever got this function's
    // address has shown a value of it.
    unsafe { std::ptr::NonNull::<F>::dangling().read() }
}
