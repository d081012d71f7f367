//! DEBUG DISK: what is written goes through a disk that logs it, or that fails when it is told to.
//!
//! `LOG path` logs, `FAIL calls error [LASTING]` has the call behind so many others fail with `EIO`, `ENOSPC` or as
//! a `SHORT` write, and `REAL` is as always.

use crate::durable::disk::{Disk, Failing, Failure, Logged, Real};
use crate::engine::call::Context;
use plinth_abi::status::{STATUS_NOT_INTEGER, Status};
use rustix::io::Errno;
use std::path::Path;
use std::sync::Arc;

pub(super) fn run(context: &mut Context) -> Status {
    let disk: Arc<dyn Disk> = if context.arg_is(2, "REAL") && context.argc() == 3 {
        Arc::new(Real)
    } else if context.arg_is(2, "LOG") && context.argc() == 4 {
        match Logged::new(Path::new(&*context.arg_text(3))) {
            Ok(disk) => Arc::new(disk),
            Err(error) => return context.error(format!("ERR the log cannot be written: {error}")),
        }
    } else if context.arg_is(2, "FAIL") && (5..=6).contains(&context.argc()) {
        let Some(calls) = crate::base::number::parse_i64(context.arg(3)) else { return STATUS_NOT_INTEGER };
        let failure = match context.arg(4).to_ascii_uppercase().as_slice() {
            b"EIO" => Failure::Error(Errno::IO.raw_os_error()),
            b"ENOSPC" => Failure::Error(Errno::NOSPC.raw_os_error()),
            b"SHORT" => Failure::Short,
            _ => return context.error("ERR the error is EIO, ENOSPC or SHORT"),
        };
        Arc::new(Failing::new(failure, calls, context.argc() == 6 && context.arg_is(5, "LASTING")))
    } else {
        return context.error("ERR syntax error");
    };
    context.server().disk = disk;
    context.ok()
}
