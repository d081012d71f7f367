//! Propagation: which commands bring about elsewhere what a command has done here.
//!
//! ```text
//!   a client's command, one of EXEC, one that waited    ── changed something ──> as it was sent,
//!   or the outermost that a timer or a hook runs                                  or what its handler said instead
//!     └─ commands that it runs in turn: part of it, they propagate nothing
//!   a key that expires                                  ──> its removal
//!   the outermost command or EXEC, with its hooks, ends ──> the unit's end
//! ```
//!
//! EXEC itself stands for nothing: each of its commands does, and its end is that of their unit.
//!
//! Invariants:
//! - Nothing is kept while nobody passes commands on.
//! - A change is propagated once: what is counted in `Effects::propagated` is part of no other command.

use crate::engine::call::Registered;
use crate::engine::dispatch::Caller;
use crate::engine::observers::propagation::Recorded;
use crate::engine::server::Server;
use crate::session::transaction::is_exec;
use crate::wire::command;
use bytes::Bytes as Shared;
use plinth_abi::bytes::Bytes;
use plinth_abi::status::{STATUS_PANIC, Status};

/// What is known while a command runs.
#[derive(Default)]
pub struct Propagation {
    /// Whether the command that runs is part of one that propagates for both.
    is_part: bool,
    /// What the handler that runs has said.
    said: Said,
    /// What was propagated, while somebody asks for it.
    pub recorded: Option<Box<Recorded>>,
}

/// What a handler says of what is to be told of it.
#[derive(Default)]
enum Said {
    /// Nothing: it is told as it was sent.
    #[default]
    Nought,
    /// That others take its place, if any.
    Instead(Vec<Shared>),
}

impl Propagation {
    /// The handler that runs has another command told in its place; one that says so again has both told.
    pub fn instead(&mut self, words: &[&[u8]]) {
        // What a command says that is part of another is the other's affair.
        if self.is_part {
            return;
        }
        let command = command::encode(words);
        match &mut self.said {
            Said::Instead(commands) => commands.push(command),
            Said::Nought => self.said = Said::Instead(vec![command]),
        }
    }

    /// The handler that runs has nothing told.
    pub fn nothing(&mut self) {
        if !self.is_part {
            self.said = Said::Instead(Vec::new());
        }
    }
}

impl Server {
    /// Run a command, and have others told of what it changed.
    #[cold]
    pub(super) fn invoke_told(
        &mut self,
        command: &mut Registered,
        args: &[Bytes],
        hash: Option<u64>,
        caller: Caller,
    ) -> Status {
        if self.propagation.is_part || is_exec(&command.name) {
            return self.invoke_untold(command, args, hash, caller);
        }
        self.propagation.said = Said::Nought;
        let (dirty, propagated) = (self.store.dirty, self.store.effects.propagated);
        let status = self.invoke_untold(command, args, hash, caller);
        let changed = self.store.dirty.wrapping_sub(dirty);
        let own = changed > self.store.effects.propagated.wrapping_sub(propagated);
        self.store.effects.propagated = propagated.wrapping_add(changed);
        let said = std::mem::take(&mut self.propagation.said);
        if own && status != STATUS_PANIC {
            self.propagate(args, caller.db, said);
        }
        status
    }

    fn propagate(&mut self, args: &[Bytes], db: u32, said: Said) {
        match said {
            Said::Instead(commands) => commands.into_iter().for_each(|one| self.store.effects.propagate(db, one)),
            Said::Nought => {
                // SAFETY: arguments live as long as the call, whose caller still has them.
                let words: Vec<&[u8]> = args.iter().map(|arg| unsafe { arg.as_slice() }).collect();
                self.store.effects.propagate(db, command::encode(&words));
            }
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

    /// What has been propagated until now belongs together.
    pub(super) fn end_unit(&mut self) {
        if self.store.effects.unit_is_open {
            self.store.effects.end_unit();
            self.record();
        }
    }
}
