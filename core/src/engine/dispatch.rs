//! Dispatch: the gates before a command runs, the run, and what follows it.
//!
//! Where nothing is special about the session, nor about the server as far as the command
//! minds it, the short way is taken: arity, run. Everything else is looked at on the other
//! way only.

use crate::acl::log::Place;
use crate::base::clock::ticks;
use crate::command::status;
use crate::command::table::{MINDS_MEMORY, add};
use crate::engine::call::{CallParts, Context};
use crate::engine::call::{Registered, Run};
use crate::engine::gates::Verdict;
use crate::engine::server::{SPECIAL_REPLACED, SPECIAL_TOLD, Server};
use crate::session::client::{Client, ReplyMode};
use crate::session::transaction::is_exec;
use crate::socket::output::{Mark, Output};
use crate::wire::replies::{self, Held};
use plinth_abi::bytes::Bytes;
use plinth_abi::call::{CALL_NESTED, CALL_NO_BLOCK, CALL_RETRY, CALL_UNTOLD};
use plinth_abi::command::COMMAND_MANY_REPLIES;
use plinth_abi::status::{
    STATUS_ARITY, STATUS_GHOST, STATUS_NONE, STATUS_OK, STATUS_PANIC, STATUS_REPLIED, STATUS_REPLIED_AGAIN, Status,
};
use std::ptr::NonNull;
use std::rc::Rc;

/// What EXEC's error begins with when it did not run for a reason that follows.
pub const ABORTED: &str = "EXECABORT Transaction discarded because of: ";

/// What became of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It ran, was queued, or was refused: it is consumed.
    Done,
    /// It must wait: it is to be put back and parsed again.
    Wait,
    /// It was one of this server's primary's: it is consumed, and counts as read.
    Streamed,
}

/// Who runs a command.
#[derive(Clone, Copy)]
pub struct Caller {
    /// Token and id of the client.
    pub client: Option<(usize, u64)>,
    /// Where the reply goes.
    pub output: *mut Output,
    /// Selected database.
    pub db: u32,
    /// Protocol version.
    pub resp: u8,
    /// `CALL_*` bits.
    pub flags: u32,
}

/// The word that an error begins with.
fn error_code(text: &[u8]) -> String {
    let word = text.split(|byte| matches!(byte, b' ' | b'\r')).next().unwrap_or_default();
    String::from_utf8_lossy(word).into_owned()
}

/// Why arguments name nothing that can run.
pub(super) struct Unresolved {
    /// The error.
    text: Vec<u8>,
    /// Whether there is no such subcommand.
    is_unknown: bool,
}

impl Unresolved {
    /// In whose statistics the refusal is counted: a command that is not there has none.
    fn counted<'c>(&self, command: &'c Registered) -> Option<&'c Registered> {
        (!self.is_unknown).then_some(command)
    }
}

impl Server {
    /// Run a command that a client has sent.
    ///
    /// `command` was looked up by the batch; `None` is an unknown name.
    ///
    /// # Safety
    /// The client is alive, and nobody holds a reference to it: a handler may look any
    /// client up, so none is held here across the run either.
    #[inline(always)]
    pub unsafe fn execute(
        &mut self,
        client: NonNull<Client>,
        command: Option<NonNull<Registered>>,
        args: &[Bytes],
        hash: Option<u64>,
    ) -> Outcome {
        let at = client.as_ptr();
        // SAFETY: promised by the caller; the reference ends before the run.
        let client = unsafe { &mut *at };
        client.active_s = self.clock.now_s;
        client.commands += 1;
        let token = client.token;
        let Some(command) = command else {
            return self.run_unknown(token, args);
        };
        // SAFETY: the batch looks a command up again when the table has changed.
        let command = unsafe { command.as_ref() };
        let (of_session, of_server) = (client.standing.special(), self.special & command.minds);
        let gated = of_session | of_server;
        if gated != 0 && !self.is_only_limited(of_session, of_server) || !command.takes(args.len()) {
            return self.execute_gated(token, command, args, hash);
        }
        if !Rc::ptr_eq(&client.last_command, &command.shared_name) {
            client.last_command = command.shared_name.clone();
        }
        if self.special & (SPECIAL_TOLD | SPECIAL_REPLACED) != 0 {
            return self.execute_told(token, command, args, hash);
        }
        let (id, db, resp) = (client.id, client.db, client.resp);
        // SAFETY: as above; the output is reached through the pointer, not the reference.
        let output = unsafe { &raw mut (*at).output };
        let caller = Caller { client: Some((token, id)), output, db, resp, flags: CALL_UNTOLD };
        let begun = self.last_ticks;
        self.invoke_this(command, args, hash, caller);
        // SAFETY: as above. Asked for seldom, so that nothing is kept for it across the run.
        self.count_run(command, args, begun, || Some(unsafe { (*at).token }), CALL_UNTOLD);
        Outcome::Done
    }

    /// Whether all that is special is that there is a limit on memory, which is far.
    #[inline]
    fn is_only_limited(&self, of_session: u32, of_server: u32) -> bool {
        of_session == 0 && of_server == MINDS_MEMORY && self.excess_bytes() == 0
    }

    /// Run a command that passes all gates, while somebody is told of changes or a module replaces another.
    /// By itself, so that the way past it has nothing to keep for it in memory.
    #[cold]
    fn execute_told(&mut self, token: usize, command: &Registered, args: &[Bytes], hash: Option<u64>) -> Outcome {
        let Some(client) = self.sessions.clients.get(token) else { return Outcome::Done };
        let (id, db, resp, output) = (client.id, client.db, client.resp, &raw mut client.output);
        self.run(command, args, hash, Caller { client: Some((token, id)), output, db, resp, flags: 0 });
        Outcome::Done
    }

    #[cold]
    fn run_unknown(&mut self, token: usize, args: &[Bytes]) -> Outcome {
        if self.sessions.clients.peek(token).is_some_and(|client| client.standing.is_primary()) {
            return self.pass_over(token, args);
        }
        self.refuse_unknown(token, args)
    }

    fn refuse_unknown(&mut self, token: usize, args: &[Bytes]) -> Outcome {
        // SAFETY: arguments live as long as the batch.
        let slices: Vec<&[u8]> = args.iter().map(|arg| unsafe { arg.as_slice() }).collect();
        if slices.first().is_some_and(|name| matches!(name.to_ascii_lowercase().as_slice(), b"post" | b"host:")) {
            crate::base::log::warning(
                "Possible SECURITY ATTACK detected: an HTTP request arrived; the connection is closed.",
            );
            if let Some(client) = self.sessions.clients.get(token) {
                client.closing = crate::session::client::Closing::Now;
            }
            return Outcome::Done;
        }
        let text = status::unknown(&slices);
        self.note_command(token, None);
        self.refuse(token, None, &text);
        Outcome::Done
    }

    /// Note which command a client has sent, whether it runs or not; none if there is no such command.
    fn note_command(&mut self, token: usize, command: Option<&Registered>) {
        if let Some(client) = self.sessions.clients.get(token) {
            client.last_command = command.map_or_else(|| "".into(), |command| command.shared_name.clone());
        }
    }

    #[cold]
    fn execute_gated(&mut self, token: usize, command: &Registered, args: &[Bytes], hash: Option<u64>) -> Outcome {
        if self.sessions.clients.peek(token).is_some_and(|client| client.standing.is_primary()) {
            return self.execute_streamed(token, command, args, hash);
        }
        let command = match self.resolve_subcommand(command, args) {
            Ok(command) => command,
            Err(unresolved) => {
                // SAFETY: arguments live as long as the batch.
                let sub = args.get(1).and_then(|name| command.subcommand(unsafe { name.as_slice() }));
                self.note_command(token, unresolved.counted(sub.unwrap_or(command)));
                self.refuse(token, unresolved.counted(command), &unresolved.text);
                return Outcome::Done;
            }
        };
        self.note_command(token, Some(command));
        let verdict = self.pass_gates(token, command, args);
        if let Verdict::Refuse(text) = &verdict {
            self.refuse(token, Some(command), text.as_bytes());
            return Outcome::Done;
        }
        let Some(client) = self.sessions.clients.get(token) else { return Outcome::Done };
        if verdict == Verdict::Wait {
            client.commands -= 1;
            return Outcome::Wait;
        }
        let mode = client.standing.reply_mode();
        match mode {
            _ if verdict == Verdict::Queued => {
                if mode == ReplyMode::On {
                    client.output.write(b"+QUEUED\r\n");
                }
            }
            ReplyMode::On => {
                let caller = Caller {
                    client: Some((token, client.id)),
                    output: &raw mut client.output,
                    db: client.db,
                    resp: client.resp,
                    flags: 0,
                };
                self.run(command, args, hash, caller);
            }
            _ => self.run_silent(token, command, args, hash),
        }
        self.settle_skip(token, mode);
        self.settle_caching(token, command);
        Outcome::Done
    }

    /// Run a command whose reply is thrown away, or sent after all when the command
    /// itself turned replies on.
    fn run_silent(&mut self, token: usize, command: &Registered, args: &[Bytes], hash: Option<u64>) {
        let Some(client) = self.sessions.clients.get(token) else { return };
        let (id, db, resp) = (client.id, client.db, client.resp);
        let mut output = std::mem::take(&mut self.sink);
        let begin = output.mark();
        let caller = Caller { client: Some((token, id)), output: &raw mut output, db, resp, flags: 0 };
        self.run(command, args, hash, caller);
        if let Some(client) = self.sessions.clients.get(token)
            && (client.standing.reply_mode() == ReplyMode::On || command.is(COMMAND_MANY_REPLIES))
        {
            client.output.write(&output.copy_after(begin));
        }
        output.rewind(begin);
        self.sink = output;
    }

    /// After a command, given the mode before it: `CLIENT REPLY SKIP` silences the next
    /// command, and only that.
    fn settle_skip(&mut self, token: usize, before: ReplyMode) {
        let Some(client) = self.sessions.clients.get(token) else { return };
        match (before, client.standing.reply_mode()) {
            (_, ReplyMode::SkipNext) => client.standing.set_reply_mode(ReplyMode::Skip),
            (ReplyMode::Skip, ReplyMode::Skip) => client.standing.set_reply_mode(ReplyMode::On),
            _ => {}
        }
    }

    /// The subcommand that the arguments name, or the command itself; the error when
    /// there is none, or when their number does not fit.
    pub(super) fn resolve_subcommand<'c>(
        &self,
        command: &'c Registered,
        args: &[Bytes],
    ) -> Result<&'c Registered, Unresolved> {
        let mut found = command;
        if !command.subcommands.is_empty() {
            if let Some(name) = args.get(1) {
                // SAFETY: arguments live as long as the batch.
                let name = unsafe { name.as_slice() };
                if let Some(sub) = command.subcommand(name) {
                    found = sub;
                } else {
                    let container = command.name.to_ascii_uppercase();
                    let text =
                        [b"ERR unknown subcommand '", status::shown(name), b"'. Try ", container.as_bytes(), b" HELP."];
                    let text = text.concat();
                    return Err(Unresolved { text, is_unknown: true });
                }
            } else if matches!(command.run, Run::Container) {
                return Err(Unresolved { text: status::arity(&command.name).into(), is_unknown: false });
            }
        }
        if found.takes(args.len()) {
            Ok(found)
        } else {
            Err(Unresolved { text: status::arity(&found.name).into(), is_unknown: false })
        }
    }

    /// The same for a script, which has words of its own for what is wrong: `NONE` or `ARITY`.
    pub fn named<'c>(&self, command: &'c Registered, args: &[Bytes]) -> Result<&'c Registered, Status> {
        self.resolve_subcommand(command, args)
            .map_err(|unresolved| if unresolved.is_unknown { STATUS_NONE } else { STATUS_ARITY })
    }

    /// What becomes of a command at the gates: that of the first which does not let it pass.
    fn pass_gates(&mut self, token: usize, command: &Registered, args: &[Bytes]) -> Verdict {
        for gate in self.lists.gates {
            let verdict = gate(self, token, command, args);
            if verdict != Verdict::Pass {
                return verdict;
            }
        }
        Verdict::Pass
    }

    /// Send an error without a run; inside MULTI the transaction fails, and EXEC ends it so, as in Redis even
    /// where there is none.
    #[cold]
    pub fn refuse(&mut self, token: usize, command: Option<&Registered>, text: &[u8]) {
        let is_exec = command.as_ref().is_some_and(|command| is_exec(&command.name));
        let aborted = is_exec.then(|| [ABORTED.as_bytes(), text.strip_prefix(b"ERR ").unwrap_or(text)].concat());
        let text = aborted.as_deref().unwrap_or(text);
        if let Some(command) = command {
            add(&command.stats.rejected, 1);
        }
        self.stats.count_error(&error_code(text));
        if is_exec {
            self.unwatch(token);
        }
        let Some(client) = self.sessions.clients.get(token) else { return };
        if is_exec {
            client.standing.take_transaction();
        } else if let Some(transaction) = client.standing.transaction_mut() {
            transaction.failed = true;
        }
        if client.standing.reply_mode() == ReplyMode::On {
            let resp3 = client.resp == 3;
            crate::wire::write::Writer::new(&mut client.output, resp3).error(text);
        } else if client.standing.reply_mode() == ReplyMode::Skip {
            client.standing.set_reply_mode(ReplyMode::On);
        } else if client.standing.reply_mode() == ReplyMode::SkipNext {
            client.standing.set_reply_mode(ReplyMode::Skip);
        }
    }

    /// Run a command, past all gates, and count it.
    pub fn run(&mut self, command: &Registered, args: &[Bytes], hash: Option<u64>, caller: Caller) -> Status {
        let begun = self.last_ticks;
        let status = self.invoke(command, args, hash, caller);
        self.count_run(command, args, begun, || caller.client.map(|(token, _)| token), caller.flags);
        self.note_reads_of(caller.client, command, args);
        status
    }

    /// Count a command that has run since the counter was at `begun`, and record what it brought about.
    #[inline(always)]
    fn count_run(
        &mut self,
        command: &Registered,
        args: &[Bytes],
        begun: u64,
        token: impl Fn() -> Option<usize>,
        flags: u32,
    ) {
        // One look at the counter per command: the end of one is the begin of the next.
        self.last_ticks = ticks();
        let taken = self.last_ticks.wrapping_sub(begun);
        command.count(taken);
        self.stats.commands += 1;
        if self.settings.latency_tracking {
            command.stats.durations.record(self.clock.ticks_to_ns(taken));
        }
        if taken >= self.looks_from {
            self.look_back(command, args, token(), taken, false);
        }
        if self.clock.is_stale(self.last_ticks) {
            self.tick_after(flags);
        }
        if self.store.effects.is_due {
            self.record_by(token());
        }
    }

    fn invoke(&mut self, command: &Registered, args: &[Bytes], hash: Option<u64>, caller: Caller) -> Status {
        if self.special & (SPECIAL_TOLD | SPECIAL_REPLACED) != 0 {
            return self.invoke_told(command, args, hash, caller);
        }
        self.invoke_this(command, args, hash, Caller { flags: caller.flags | CALL_UNTOLD, ..caller })
    }

    /// Run a command by whom it is for, and tell nobody.
    pub(super) fn invoke_untold(
        &mut self,
        command: &Registered,
        args: &[Bytes],
        hash: Option<u64>,
        caller: Caller,
    ) -> Status {
        if !self.registry.replacements.is_empty() {
            return self.invoke_routed(command, args, hash, caller);
        }
        self.invoke_this(command, args, hash, caller)
    }

    /// Run this very command.
    #[inline(always)]
    pub fn invoke_this(&mut self, command: &Registered, args: &[Bytes], hash: Option<u64>, caller: Caller) -> Status {
        let Caller { client, output, db, resp, flags } = caller;
        let parts = CallParts { args, output, client, db, resp, flags, module: command.module, host: command.host };
        // SAFETY: the output belongs to a client, which is not freed before the turn
        // ends, or to the caller, who waits; the server is not used in the meantime.
        let mut context = unsafe { Context::new(self, parts) };
        context.set_command(command, hash);
        let status = match command.run {
            Run::Core(handler) => handler(&mut context),
            // SAFETY: the handler belongs to a loaded module and gets a whole call.
            Run::Module(handler) => unsafe { handler(context.as_call()) },
            Run::Container => STATUS_OK,
        };
        let mark = context.mark;
        if status != STATUS_OK {
            self.finish_error(command, status, mark, output, resp, flags);
        } else if matches!(command.run, Run::Module(_)) && !self.is_one_reply(mark, output) {
            self.finish_wrong(command, mark, context.client, output, resp, flags);
        }
        status
    }

    /// Whether a handler has written one reply. A long one of several elements is believed, unless it is to be
    /// looked at as a whole.
    #[inline(always)]
    fn is_one_reply(&self, mark: Mark, output: *mut Output) -> bool {
        // SAFETY: as in `invoke_this`; the context is gone.
        let output = unsafe { &*output };
        output.since(mark).is_some_and(replies::is_plainly_one) || self.is_one_at_leisure(output, mark)
    }

    #[inline(never)]
    fn is_one_at_leisure(&self, output: &Output, mark: Mark) -> bool {
        let is_whole = self.settings.check_module_replies;
        match output.since(mark) {
            Some(bytes) => replies::held(bytes, is_whole) == Held::One,
            None => {
                !is_whole && output.is_longer_than(mark, replies::GLANCE_BYTES_MAX)
                    || replies::held(&output.copy_after(mark), is_whole) == Held::One
            }
        }
    }

    /// A handler has written no reply, or more than one: unless it may, its client is sent one that says so.
    #[cold]
    #[allow(clippy::too_many_arguments, reason = "as for finish_error")]
    fn finish_wrong(
        &mut self,
        command: &Registered,
        mark: Mark,
        client: Option<usize>,
        output: *mut Output,
        resp: u8,
        flags: u32,
    ) {
        let begun = self.sessions.blocking.begun.map(|(token, _)| token);
        let waits = client.is_some_and(|token| {
            begun == Some(token)
                || flags & CALL_RETRY != 0
                    && self.sessions.clients.peek(token).is_some_and(|client| client.waits_again())
        });
        if waits || command.is(COMMAND_MANY_REPLIES) {
            return;
        }
        // SAFETY: as in `is_one_reply`.
        let output = unsafe { &mut *output };
        let what = match replies::held(&output.copy_after(mark), true) {
            Held::None => "no reply",
            Held::More => "more than one reply",
            Held::One | Held::Broken => "a reply that is not whole",
        };
        let module = self.registry.modules.name(command.module);
        let text = format!("ERR the module '{module}' has answered '{}' with {what}", command.name);
        crate::base::log::warning(&text);
        output.rewind(mark);
        crate::wire::write::Writer::new(output, resp == 3).error(text.as_bytes());
        self.stats.count_error("ERR");
        add(&command.stats.failed, 1);
    }

    /// Send the standard error for a status, and count the error.
    #[cold]
    #[allow(
        clippy::too_many_arguments,
        reason = "a caller whose address is taken would lie in memory for each command"
    )]
    fn finish_error(
        &mut self,
        command: &Registered,
        status: Status,
        mark: Mark,
        output: *mut Output,
        resp: u8,
        flags: u32,
    ) {
        if flags & (CALL_NO_BLOCK | CALL_RETRY) == 0 {
            self.give_up_wait();
        }
        // SAFETY: as in `invoke`; the context is gone.
        let output = unsafe { &mut *output };
        let is_again = status == STATUS_REPLIED_AGAIN;
        let status = if is_again { STATUS_REPLIED } else { status };
        let text = if status == STATUS_GHOST && !self.store.ghost_note.is_empty() {
            Some(std::mem::take(&mut self.store.ghost_note))
        } else {
            status::error_text(status, &command.name)
        };
        if let Some(text) = text {
            output.rewind(mark);
            crate::wire::write::Writer::new(output, resp == 3).error(text.as_bytes());
        }
        if status == STATUS_PANIC {
            add(&command.stats.panics, 1);
            self.stats.panics += 1;
            crate::base::log::warning(&format!(
                "The module '{}' panicked while it ran '{}'; the error is contained.",
                self.registry.modules.name(command.module),
                command.name
            ));
        }
        if status == STATUS_REPLIED && matches!(command.run, Run::Module(_)) && !self.is_one_reply(mark, output) {
            return self.finish_wrong(command, mark, None, output, resp, flags);
        }
        if status != STATUS_REPLIED || output.byte_after(mark) == Some(b'-') {
            if !is_again {
                self.stats.count_error(&error_code(output.copy_after(mark).get(1..).unwrap_or_default()));
            }
            add(&command.stats.failed, 1);
        }
    }

    /// Run a command in a caller's stead (EXEC, or a module): all gates but those of
    /// the session.
    pub fn run_nested(&mut self, args: &[Bytes], caller: Caller) -> Status {
        // SAFETY: the caller keeps the arguments.
        let slices: Vec<&[u8]> = args.iter().map(|arg| unsafe { arg.as_slice() }).collect();
        let Some(command) = slices.first().and_then(|name| self.commands.find(name)) else {
            return self.nested_error(None, &status::unknown(&slices), &caller);
        };
        // SAFETY: the table has just given the pointer.
        unsafe { self.run_found(command, args, caller) }
    }

    /// The same for a command that the table has given.
    ///
    /// # Safety
    /// The table has not changed since it gave the pointer.
    pub unsafe fn run_found(&mut self, command: *const Registered, args: &[Bytes], caller: Caller) -> Status {
        // SAFETY: promised by the caller.
        match unsafe { self.checked(command, args, &caller) } {
            Ok(resolved) => self.run(resolved, args, None, Caller { flags: caller.flags | CALL_NO_BLOCK, ..caller }),
            Err(status) => status,
        }
    }

    /// Run the command of a client again that has waited, unless CLIENT PAUSE holds it
    /// back. It was counted when it began to wait.
    pub fn run_waiting(&mut self, token: usize, name: &[u8], args: &[Bytes], caller: Caller) -> Option<Status> {
        let Some(command) = self.commands.find(name) else {
            return Some(self.nested_error(None, &status::unknown(&[name]), &caller));
        };
        // SAFETY: the table has just given the pointer.
        let command = match unsafe { self.checked(command, args, &caller) } {
            Ok(resolved) => resolved,
            Err(status) => return Some(status),
        };
        if self.is_held_back(token, command, args) {
            return None;
        }
        let begun = ticks();
        let status = self.invoke(command, args, None, caller);
        self.last_ticks = ticks();
        let taken = self.last_ticks.wrapping_sub(begun);
        add(&command.stats.ticks, taken);
        if taken >= self.looks_from {
            self.look_back(command, args, Some(token), taken, true);
        }
        if self.clock.is_stale(self.last_ticks) {
            self.tick_after(caller.flags);
        }
        if self.store.effects.is_due {
            self.record_by(caller.client.map(|(token, _)| token));
        }
        self.note_reads_of(caller.client, command, args);
        self.end_unit();
        Some(status)
    }

    /// The command or subcommand that arguments name, if it may run now; else the error
    /// has been sent.
    ///
    /// # Safety
    /// The table has not changed since it gave the pointer.
    unsafe fn checked<'c>(
        &mut self,
        command: *const Registered,
        args: &[Bytes],
        caller: &Caller,
    ) -> Result<&'c Registered, Status> {
        // SAFETY: promised by the caller; no command changes the table under itself,
        // because unloading a module that runs is refused.
        let command = unsafe { &*command };
        let resolved = match self.resolve_subcommand(command, args) {
            Ok(found) => found,
            Err(unresolved) => {
                return Err(self.nested_error(unresolved.counted(command), &unresolved.text, caller));
            }
        };
        if self.stream.is_running {
            self.stream_time(resolved, args);
            return Ok(resolved);
        }
        let is_nested = caller.flags & CALL_NESTED != 0;
        if let Some(text) = self.refused_to_replica(resolved.spec.flags, is_nested).filter(|_| caller.client.is_some())
        {
            return Err(self.nested_error(Some(resolved), text.as_bytes(), caller));
        }
        if let Err(text) = self.allowed_again(resolved, args, caller) {
            return Err(self.nested_error(Some(resolved), &text, caller));
        }
        if self.lacks_memory_for(resolved.spec.flags) {
            return Err(self.nested_error(Some(resolved), status::OUT_OF_MEMORY.as_bytes(), caller));
        }
        Ok(resolved)
    }

    /// Whether a client may run what EXEC runs for it, or what has waited: its user's rules may be others than
    /// they were when it was sent. What a module runs is the module's to check.
    fn allowed_again(&mut self, command: &Registered, args: &[Bytes], caller: &Caller) -> Result<(), Vec<u8>> {
        let Some((token, _)) = caller.client.filter(|_| caller.flags & CALL_NESTED == 0) else { return Ok(()) };
        let Some(client) = self.sessions.clients.peek(token) else { return Ok(()) };
        let has_waited = caller.flags & CALL_RETRY != 0;
        if has_waited && !client.standing.is_known() {
            return Err("NOAUTH Authentication required.".into());
        }
        if !client.standing.is_restricted() {
            return Ok(());
        }
        let Err(denial) = self.may_run(client.user, command, args, caller.db, false) else { return Ok(()) };
        let place = if has_waited { Place::TopLevel } else { Place::Multi };
        let text = self.deny(token, command, args, denial, place);
        let code = if has_waited { "NOPERM " } else { "NOPERM The rules changed between the queueing and EXEC: " };
        Err([code.as_bytes(), &text].concat())
    }

    /// Count a command that a script has asked for, and that does not run.
    pub fn count_refused(&self, command: &Registered) {
        add(&command.stats.rejected, 1);
    }

    /// Answer a command that is run in a caller's stead, and does not run.
    pub fn nested_error(&mut self, command: Option<&Registered>, text: &[u8], caller: &Caller) -> Status {
        if let Some(command) = command {
            add(&command.stats.rejected, 1);
        }
        self.stats.count_error(&error_code(text));
        // SAFETY: the caller's output is valid while it waits.
        crate::wire::write::Writer::new(unsafe { &mut *caller.output }, caller.resp == 3).error(text);
        STATUS_REPLIED
    }
}
