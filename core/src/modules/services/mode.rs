//! `plinth.mode/1`: a module makes the server one of another kind.

use crate::engine::call::Context;
use crate::registry::mode::Mode as Set;
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::call::Call;
use plinth_abi::command::Command;
use plinth_abi::mode::{Mode, ModeService};
use plinth_abi::status::{STATUS_BAD_DATA, STATUS_EXISTS, STATUS_NOT_ALLOWED, STATUS_OK, Status};

/// The table.
pub static TABLE: ModeService = ModeService { size: size_of::<ModeService>() as u32, reserved: 0, set };

const NOTHING: Mode = Mode {
    size: size_of::<Mode>() as u32,
    reserved: 0,
    name: Bytes::EMPTY,
    commands: Slice::EMPTY,
    instead: Slice::EMPTY,
    sections: Slice::EMPTY,
};

unsafe extern "C" fn set(call: *mut Call, mode: *const Mode) -> Status {
    // SAFETY: called by a loaded module with the call that runs, and a struct that begins with its size and
    // names constants.
    let (context, mode) = unsafe { (Context::of(call), crate::base::foreign::widened(mode, NOTHING)) };
    let module = context.module;
    let server = context.server();
    if server.registry.mode.is_some() {
        return STATUS_EXISTS;
    }
    if server.registry.modules.get(module).is_none_or(|module| module.has_started) {
        return STATUS_NOT_ALLOWED;
    }
    // SAFETY: as above.
    let text = |bytes: Bytes| unsafe { crate::base::foreign::text(bytes) }.to_ascii_lowercase();
    // SAFETY: as above.
    let texts = |slice: Slice<Bytes>| slice.iter().map(|bytes| text(unsafe { *bytes })).collect::<Vec<_>>();
    // SAFETY: as above.
    let commands = mode.instead.iter().map(|at| unsafe { crate::base::foreign::widened(at, Command::NEW) });
    let instead: Vec<Command> = commands.collect();
    let is_whole = |command: &Command| command.name.len > 0 && command.run.invoke.is_some();
    if !instead.iter().all(is_whole) {
        return STATUS_BAD_DATA;
    }
    server.registry.mode = Some(Set {
        module,
        name: text(mode.name),
        commands: texts(mode.commands).into_iter().collect(),
        instead,
        sections: texts(mode.sections),
    });
    STATUS_OK
}
