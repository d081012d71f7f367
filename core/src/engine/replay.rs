//! Replay: commands of a file are run again, which nobody has sent, sees or is told of.
//!
//! While a file is replayed it is the beginning of 1970: nothing has expired. What has expired since was
//! written to as long as it had not, and its removal stands in the file if it was removed.

use crate::engine::call::Registered;
use crate::engine::dispatch::Caller;
use crate::engine::server::Server;
use crate::socket::output::Output;
use crate::wire::command;
use plinth_abi::bytes::Bytes;
use plinth_abi::call::{CALL_NO_BLOCK, CALL_UNTOLD};
use plinth_abi::events::ON_UNIT;

/// What became of a command that was replayed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Replayed {
    /// It has run.
    Done,
    /// It has answered with an error.
    Failed(String),
    /// There is no such command.
    Unknown,
    /// It takes another number of words.
    Arity,
}

impl Server {
    /// Let no time have passed, for what is replayed until [`tick`](Server::tick).
    pub fn stop_time(&mut self) {
        self.clock.now_ms = 0;
        self.store.now_ms = 0;
    }

    /// Run a command of a file.
    pub fn replay(&mut self, words: &[&[u8]], db: u32, sink: &mut Output) -> Replayed {
        let Some(command) = words.first().and_then(|name| self.commands.find(name)) else { return Replayed::Unknown };
        let args: Vec<Bytes> = words.iter().map(|word| Bytes::of(word)).collect();
        // SAFETY: the table has just given the pointer, and no command of a file changes the table.
        let command: &Registered = unsafe { &*command };
        let Ok(command) = self.resolve_subcommand(command, &args) else { return Replayed::Arity };
        let begin = sink.mark();
        let caller = Caller { client: None, output: sink, db, resp: 2, flags: CALL_NO_BLOCK | CALL_UNTOLD };
        self.invoke_untold(command, &args, None, caller);
        let failed = sink.byte_after(begin) == Some(b'-');
        let outcome = if failed {
            Replayed::Failed(String::from_utf8_lossy(&sink.copy_after(begin)).trim_end().to_owned())
        } else {
            Replayed::Done
        };
        sink.rewind(begin);
        if self.store.effects.is_due {
            self.record();
        }
        if outcome == Replayed::Done || matches!(outcome, Replayed::Failed(_)) {
            self.count_replayed(db, words);
        }
        outcome
    }

    /// A command of a file has run: hooks are to be told of its unit.
    fn count_replayed(&mut self, db: u32, words: &[&[u8]]) {
        let are_told = self.registry.hooks.wants(ON_UNIT);
        let text = if are_told { command::encode(words) } else { Default::default() };
        self.propagation.units.add(db, &text, are_told);
    }

    /// A unit of a file has run.
    pub fn end_replayed(&mut self) {
        self.propagation.units.end();
        if !self.propagation.units.ended.is_empty() {
            self.tell_replayed();
        }
    }
}
