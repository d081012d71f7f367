//! Propagation: which commands bring about elsewhere what a command has done here.
//!
//! ```text
//!   a client's command, one of EXEC, one that waited    ── changed something ──> as it was sent,
//!   or the outermost that a timer or a hook runs                                  or what its handler said instead
//!     └─ commands that it runs in turn: part of it, they propagate nothing
//!   a key that expires                                  ──> its removal, alone where SCAN or RANDOMKEY has met it
//!   a command that fails when it has changed something  ──> what its keys are then
//!   a timer's or a hook's own changes                   ──> what the keys are then
//!     └─ what any of these says to be told also         ──> behind it, to whom it says
//!   the outermost command or EXEC, with its hooks, ends ──> the unit's end
//! ```
//!
//! The core's own commands stand for nothing: those that they run do. So EXEC's are told one by one, and its end
//! is that of their unit.
//!
//! Invariants:
//! - Nothing is kept while nobody passes commands on.
//! - A change is propagated once: what is counted in `Effects::propagated` is part of no other command.

use crate::engine::call::{Registered, Run};
use crate::engine::dispatch::Caller;
use crate::engine::server::{SPECIAL_TOLD, Server};
use crate::registry::propagation::Said;
use plinth_abi::bytes::Bytes;
use plinth_abi::call::{CALL_NO_BLOCK, CALL_UNTOLD};
use plinth_abi::command::{COMMAND_READONLY, COMMAND_TOUCHES_ARBITRARY_KEYS};
use plinth_abi::status::{STATUS_OK, STATUS_PANIC, Status};

impl Server {
    /// Run a command, and have others told of what it changed, if there are any.
    #[cold]
    pub(super) fn invoke_told(
        &mut self,
        command: &Registered,
        args: &[Bytes],
        hash: Option<u64>,
        caller: Caller,
    ) -> Status {
        let is_module = matches!(command.run, Run::Module(_));
        let is_told = self.special & SPECIAL_TOLD != 0 && !self.propagation.is_part && is_module;
        if !is_told {
            return self.invoke_untold(command, args, hash, Caller { flags: caller.flags | CALL_UNTOLD, ..caller });
        }
        self.propagation.take_said();
        let (dirty, propagated) = (self.store.dirty, self.store.effects.propagated);
        // Within EXEC it is part of that.
        let meets_any = command.is(COMMAND_READONLY) && command.is(COMMAND_TOUCHES_ARBITRARY_KEYS);
        self.store.effects.keeps_apart = meets_any && caller.flags & CALL_NO_BLOCK == 0;
        let status = self.invoke_untold(command, args, hash, caller);
        self.store.effects.keeps_apart = false;
        let changed = self.store.dirty.wrapping_sub(dirty);
        let own = changed > self.store.effects.propagated.wrapping_sub(propagated);
        self.store.effects.propagated = propagated.wrapping_add(changed);
        let said = self.propagation.take_said();
        // What a handler says is told even if nothing was there to be changed: a FLUSHALL.
        if own || matches!(&said, Said::Instead(commands) if !commands.is_empty()) && status == STATUS_OK {
            self.propagate(command, args, caller.db, said, status);
        }
        self.propagate_also();
        status
    }

    /// Pass on what is to be told beside the command, timer or hook that has run.
    pub(super) fn propagate_also(&mut self) {
        if self.propagation.also.is_empty() {
            return;
        }
        for ((db, command), targets) in std::mem::take(&mut self.propagation.also) {
            self.store.effects.propagate_to(db, command, targets);
        }
        self.pending.is_due = true;
    }

    fn propagate(&mut self, command: &Registered, args: &[Bytes], db: u32, said: Said, status: Status) {
        match said {
            Said::Instead(commands) if status != STATUS_PANIC => {
                commands.into_iter().for_each(|one| self.store.effects.propagate(db, one));
            }
            _ if status != STATUS_OK && self.restate_named(command, args, db) => {}
            _ if status == STATUS_PANIC => {}
            // SAFETY: arguments live as long as the call, whose caller still has them.
            _ => self.store.effects.propagate_words(db, args.iter().map(|arg| unsafe { arg.as_slice() })),
        }
    }

    /// A module runs a command, within its own if it runs one: both are one then for those who are told.
    /// Whether it is so already, to be given back to [`leave_part`](Self::leave_part).
    pub fn enter_part(&mut self, within_command: bool) -> bool {
        let before = self.propagation.is_part;
        self.propagation.is_part |= within_command;
        before
    }

    /// The command has ended.
    pub fn leave_part(&mut self, before: bool) {
        self.propagation.is_part = before;
    }

    /// What has been propagated until now belongs together. Of what was cut off, because the server stops, nobody
    /// is told.
    pub(super) fn end_unit(&mut self) {
        if self.store.effects.unit_is_open && !self.is_quiet {
            self.store.effects.end_unit();
            self.record();
        }
    }
}
