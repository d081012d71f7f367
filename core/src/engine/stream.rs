//! A primary's stream: commands that have run there, and run here because they have.
//!
//! No gate is there to refuse them, nobody reads what they answer, and what has expired is there for them: the
//! primary has written to it as long as it was there, and says when it goes. An error is a sign that the data
//! differ; it is logged and counted, and the stream goes on.

use crate::base::log;
use crate::base::words::shown;
use crate::command::status;
use crate::engine::call::Registered;
use crate::engine::dispatch::{Caller, Outcome};
use crate::engine::gates::{Verdict, pause, queue};
use crate::engine::server::Server;
use crate::registry::replication::{READ_ONLY, STALE};
use plinth_abi::bytes::Bytes;
use plinth_abi::call::CALL_NO_BLOCK;
use plinth_abi::command::{COMMAND_STALE, COMMAND_WRITE};

/// Commands by which consumers are seen: the time is now for them, whatever they say.
const SEE: &[&str] = &["xclaim", "xautoclaim", "xreadgroup", "xgroup"];
/// Most errors of the stream that are logged in full; beyond, one of a thousand.
const ERRORS_LOGGED_MAX: u64 = 100;

impl Server {
    /// Run a command of the primary's, or queue it.
    #[cold]
    pub(super) fn execute_streamed(
        &mut self,
        token: usize,
        command: &Registered,
        args: &[Bytes],
        hash: Option<u64>,
    ) -> Outcome {
        if pause::gate(self, token, command, args) == Verdict::Wait {
            return Outcome::Wait;
        }
        let command = match self.resolve_subcommand(command, args) {
            Ok(command) => command,
            Err(_) => return self.pass_over(token, args),
        };
        if let Some(client) = self.sessions.clients.get(token) {
            client.last_command = command.shared_name.clone();
        }
        if queue::gate(self, token, command, args) == Verdict::Queued {
            return Outcome::Streamed;
        }
        let Some(client) = self.sessions.clients.peek(token) else { return Outcome::Streamed };
        let (id, db, errors) = (client.id, client.db, self.stats.errors);
        let mut output = std::mem::take(&mut self.sink);
        let begin = output.mark();
        let flags = CALL_NO_BLOCK;
        let caller = Caller { client: Some((token, id)), output: &raw mut output, db, resp: 2, flags };
        self.begin_streamed();
        self.stream_time(command, args);
        self.run(command, args, hash, caller);
        self.end_streamed();
        if self.stats.errors != errors {
            let said = String::from_utf8_lossy(&output.copy_after(begin)).trim().to_owned();
            self.note_stream_error(&command.name, &said);
        }
        output.rewind(begin);
        self.sink = output;
        Outcome::Streamed
    }

    /// A command of the primary's cannot run here.
    pub(super) fn pass_over(&mut self, _token: usize, args: &[Bytes]) -> Outcome {
        // SAFETY: arguments live as long as the batch.
        let words: Vec<&[u8]> = args.iter().map(|arg| unsafe { arg.as_slice() }).collect();
        let text = status::unknown(&words);
        self.stats.count_error("ERR");
        let name = words.first().map_or(String::new(), |name| shown(name));
        // What it is called stands in the error, too.
        let said = String::from_utf8_lossy(&text).into_owned();
        let said = said.split(&name).next().unwrap_or_default().trim_end_matches('\'').to_owned();
        self.note_stream_error(&name, &said);
        Outcome::Streamed
    }

    fn note_stream_error(&mut self, name: &str, said: &str) {
        self.stream.errors += 1;
        if self.stream.errors <= ERRORS_LOGGED_MAX || self.stream.errors.is_multiple_of(1000) {
            log::warning(&format!(
                "== CRITICAL == This replica is sending an error to its master: '{said}' after processing the command '{name}'"
            ));
        }
    }

    fn begin_streamed(&mut self) {
        self.stream.is_running = true;
        self.stream.now_ms = self.clock.now_ms;
    }

    fn end_streamed(&mut self) {
        self.stream.is_running = false;
        self.clock.now_ms = self.stream.now_ms.max(self.clock.now_ms);
        self.store.now_ms = self.clock.now_ms;
    }

    /// Let it be the time that a command of the stream, or one that it runs, goes by: for most, the beginning.
    pub fn stream_time(&mut self, command: &Registered, args: &[Bytes]) {
        self.store.now_ms = 0;
        self.clock.now_ms = if goes_by_the_clock(command, args) { self.stream.now_ms } else { 0 };
    }

    /// Why a command of these `COMMAND_*` bits is refused that is run in a client's stead because this is a replica, if it is; one that a
    /// script or a module runs if `is_nested`.
    pub fn refused_to_replica(&self, flags: u64, is_nested: bool) -> Option<&'static str> {
        let known = &self.registry.replication;
        if self.stream.is_running {
            return None;
        }
        if known.refuses_stale && flags & COMMAND_STALE == 0 {
            return Some(if is_nested { "ERR Can not execute the command on a stale replica" } else { STALE });
        }
        (known.refuses_writes && flags & COMMAND_WRITE != 0).then_some(READ_ONLY)
    }
}

/// Whether a command counts from when it runs, where others name a moment.
fn goes_by_the_clock(command: &Registered, args: &[Bytes]) -> bool {
    let of_container = command.name.split('|').next().unwrap_or_default();
    // SAFETY: arguments live as long as the batch.
    let counts_from_now = unsafe { command.lifetime.counts_from_now(args) };
    counts_from_now
        || SEE.contains(&of_container)
        || command.name == "restore"
            // SAFETY: as above.
            && !args.iter().any(|arg| unsafe { arg.as_slice() }.eq_ignore_ascii_case(b"ABSTTL"))
}
