//! `plinth.process/1`: running other programs.

use crate::engine::call::Context;
use crate::registry::watches::Watched;
use plinth_abi::bytes::{Bytes, Opaque, Slice};
use plinth_abi::call::Call;
use plinth_abi::process::{ProcessEnded, ProcessService};
use plinth_abi::status::{STATUS_BAD_DATA, STATUS_NONE, STATUS_OK, STATUS_TOO_LARGE, Status};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command, Stdio};

/// The table.
pub static TABLE: ProcessService =
    ProcessService { size: size_of::<ProcessService>() as u32, reserved: 0, spawn, signal, pid };

fn run(words: &[&[u8]]) -> io::Result<Child> {
    let words: Vec<&OsStr> = words.iter().map(|word| OsStr::from_bytes(word)).collect();
    let (program, args) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    Command::new(program).args(args).stdin(Stdio::null()).spawn()
}

// Every function below is called by a loaded module with the call that runs, with words that are valid
// for it, and with out-parameters that are writable or null.

unsafe extern "C" fn spawn(
    call: *mut Call,
    words: Slice<Bytes>,
    ended: ProcessEnded,
    data: Opaque,
    process_out: *mut u64,
) -> Status {
    // SAFETY: see above.
    let (context, words) = unsafe {
        let words: Vec<&[u8]> = words.iter().map(|word| (*word).as_slice()).collect();
        (Context::of(call), words)
    };
    if words.is_empty() || words.iter().any(|word| word.contains(&0)) {
        return STATUS_BAD_DATA;
    }
    let mut child = match run(&words) {
        Ok(child) => child,
        Err(error) => {
            let path = String::from_utf8_lossy(words[0]).into_owned();
            crate::base::log::warning(&format!("Running {path}: {error}"));
            return STATUS_NONE;
        }
    };
    let end = Pid::from_raw(child.id() as i32).ok_or(rustix::io::Errno::SRCH);
    let Ok(end) = end.and_then(|pid| pidfd_open(pid, PidfdFlags::empty())) else {
        let _ = child.kill();
        let _ = child.wait();
        return STATUS_NONE;
    };
    let module = context.module;
    let watches = &mut context.server().registry.watches;
    let pid = child.id() as i32;
    match watches.add(module, Watched::Process { child, end, ended, data }) {
        Ok(id) => {
            if !process_out.is_null() {
                // SAFETY: see above.
                unsafe { process_out.write(id) };
            }
            STATUS_OK
        }
        Err(_) => {
            if let Some(pid) = Pid::from_raw(pid) {
                // Nobody will be told of its end.
                let _ = kill_process(pid, Signal::KILL);
                let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
            }
            STATUS_TOO_LARGE
        }
    }
}

unsafe extern "C" fn signal(call: *mut Call, process: u64, signal: i32) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let module = context.module;
    let Some(signal) = Signal::from_named_raw(signal) else { return STATUS_BAD_DATA };
    match context.server().registry.watches.own(module, process) {
        // It has not been waited for, so the number is its own.
        Some(Watched::Process { child, .. }) => match Pid::from_raw(child.id() as i32) {
            Some(pid) if kill_process(pid, signal).is_ok() => STATUS_OK,
            _ => STATUS_NONE,
        },
        _ => STATUS_NONE,
    }
}

unsafe extern "C" fn pid(call: *mut Call, process: u64, pid_out: *mut u32) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let module = context.module;
    match context.server().registry.watches.own(module, process) {
        Some(Watched::Process { child, .. }) => {
            if !pid_out.is_null() {
                // SAFETY: see above.
                unsafe { pid_out.write(child.id()) };
            }
            STATUS_OK
        }
        _ => STATUS_NONE,
    }
}
