//! Running commands of any module from inside a handler.

use crate::abi;
use crate::abi::bytes::{Bytes, Opaque};
use crate::call::part;
use crate::error::Result;
use crate::host;
use crate::keys::Keys;
use crate::propagate::with_args;
use std::marker::PhantomData;
use std::ptr::{NonNull, null_mut};

pub use crate::abi::run::{
    RUN_ALLOW_OOM, RUN_EFFECT, RUN_READ_ONLY, RUN_RESP2, RUN_RESP3, RUN_UNTOLD, RUN_UNTOLD_FILE, RUN_UNTOLD_REPLICAS,
    RunRequest,
};

/// Running commands, in [`Call::run`](crate::call::Call::run).
pub struct Run<'a> {
    call: NonNull<abi::call::Call>,
    marker: PhantomData<&'a mut ()>,
}

part!(Run);

/// A command that was looked up, to be run many times in this call.
#[derive(Clone, Copy)]
pub struct Resolved<'a> {
    command: Opaque,
    marker: PhantomData<&'a ()>,
}

impl<'a> Run<'a> {
    /// Looks a command up; `None` when there is none.
    pub fn resolve(&mut self, name: &[u8]) -> Option<Resolved<'a>> {
        // SAFETY: the call is valid; the name is borrowed for the call.
        let command = unsafe { (host::run().resolve)(self.call.as_ptr(), Bytes::of(name)) };
        (!command.is_null()).then_some(Resolved { command, marker: PhantomData })
    }

    /// Runs a command in the call's database and hands its reply, as RESP bytes, to `take`;
    /// `args[0]` is the command's name. An error of the command is a reply like any other.
    /// `flags`: `RUN_*`.
    ///
    /// Takes the keys because the command may change any: no entry or value is held across it.
    /// `take` may write to `call.reply`.
    ///
    /// Fails with `None` for no such command, `NotAllowed` for one that may not be run from a
    /// module, `OutOfRange` when calls nest too deep.
    pub fn command<R>(
        &mut self,
        _keys: &mut Keys<'_>,
        args: &[&[u8]],
        flags: u32,
        take: impl FnOnce(&[u8]) -> R,
    ) -> Result<R> {
        self.run(null_mut(), args, flags, take)
    }

    /// Runs a command that was looked up. As [`command`](Run::command).
    pub fn resolved<R>(
        &mut self,
        _keys: &mut Keys<'_>,
        command: Resolved<'a>,
        args: &[&[u8]],
        flags: u32,
        take: impl FnOnce(&[u8]) -> R,
    ) -> Result<R> {
        self.run(command.command, args, flags, take)
    }

    /// Runs a command for a script: as [`command`](Run::command), by `flags`, as a user unless `user` is empty.
    /// What came of it, and `COMMAND_*` bits of the command, 0 when there is none or the reply says that the user
    /// may not run it, or that memory is short. Internal commands are not there.
    ///
    /// Fails with `None` for no such command or subcommand, `Arity`, `NotAllowed` for one that is not for scripts
    /// or, as its bits tell, writes where `RUN_READ_ONLY` refuses it, `OutOfRange` when calls nest too deep, and
    /// `Unsupported` for a user that the host does not know.
    pub fn scripted<R>(
        &mut self,
        _keys: &mut Keys<'_>,
        args: &[&[u8]],
        flags: u32,
        user: &[u8],
        take: impl FnOnce(&[u8]) -> R,
    ) -> (Result<R>, u64) {
        let size = size_of::<RunRequest>() as u32;
        let mut request = RunRequest { size, flags, user: Bytes::of(user), command_flags: 0 };
        let answer = with_args(args, |args, argc| {
            crate::take::taking(take, |function, data| {
                // SAFETY: the call is valid, arguments and request are borrowed for it, `data` fits `function` for
                // it, and nobody holds an entry.
                unsafe {
                    (host::run().run_as)(self.call.as_ptr(), null_mut(), args, argc, &raw mut request, function, data)
                }
            })
        });
        (answer, request.command_flags)
    }

    /// Why a script may not begin that says what it does, as a command with these `COMMAND_*` bits (`WRITE`,
    /// `DENY_OOM`, `STALE`) might not: an error that begins with its code. `None` when it may.
    pub fn refuses_to_begin(&mut self, command_flags: u64) -> Option<Vec<u8>> {
        let mut text = None;
        let _ = crate::take::taking(
            |bytes| text = Some(bytes.to_vec()),
            // SAFETY: the call is valid, and `data` fits `function` for it.
            |function, data| unsafe { (host::run().may_begin)(self.call.as_ptr(), command_flags, function, data) },
        );
        text
    }

    fn run<R>(&mut self, command: Opaque, args: &[&[u8]], flags: u32, take: impl FnOnce(&[u8]) -> R) -> Result<R> {
        with_args(args, |args, argc| {
            crate::take::taking(take, |function, data| {
                // SAFETY: the call is valid, the arguments are borrowed for it, `data` fits
                // `function` for it, and nobody holds an entry.
                unsafe { (host::run().run)(self.call.as_ptr(), command, args, argc, flags, function, data) }
            })
        })
    }
}
