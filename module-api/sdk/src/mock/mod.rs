//! The mock host: a server in a struct, for a module's unit tests under plain `cargo test`.
//!
//! ```
//! # #![allow(missing_docs)]
//! use plinth_module::mock::Mock;
//! use plinth_module::prelude::*;
//!
//! fn double(call: &mut Call<'_>) -> Result {
//!     let value = call.args.integer(1)?;
//!     call.reply.integer(value.checked_mul(2).ok_or(Error::Overflow)?);
//!     Ok(())
//! }
//!
//! export!(Module {
//!     name: "example",
//!     commands: &[Command { name: text("double"), arity: 2, run: run(double), ..Command::NEW }],
//!     ..Module::NEW
//! });
//!
//! # fn main() {
//! let mut host = Mock::new(&plinth_module_entry).unwrap();
//! assert_eq!(host.run(&["DOUBLE", "21"]), b":42\r\n");
//! assert_eq!(host.run(&["double", "x"]), b"-ERR value is not an integer or out of range\r\n");
//! # }
//! ```
//!
//! It goes through the same entry, trampolines and tables as a server, on hash maps instead of a
//! keyspace: `state` (what it keeps), `host` (frames and tables), one file for each of the larger
//! services, `services` for the smaller ones, `dispatch` (loading and running).
//!
//! A module's statics are one per process: mocks on several threads share parameters and type ids.
//! Ids agree by construction; tests that set the same parameter must not run side by side.
//! Everything else is each mock's own, because a table's function finds its state through the
//! call that it is given.

mod block;
mod codec;
mod convert;
mod dispatch;
mod host;
mod keys;
mod reply;
mod services;
mod state;

use self::host::{SendHost, calling, context_of};
use self::keys::Space;
use self::state::{Host, Item, State};
use crate::abi;
use crate::error::{Error, Result};
use std::ptr::NonNull;
use std::sync::PoisonError;

pub use self::block::Waiting;
pub use self::state::KeyEvent;

/// A server with modules in it. See the [module](self).
pub struct Mock {
    state: NonNull<State>,
    host: Host,
}

impl Mock {
    /// A server with one module, loaded without arguments. Fails with the reason that a server
    /// would show.
    pub fn new(module: &'static abi::entry::Module) -> std::result::Result<Mock, String> {
        let mut mock = Mock::empty();
        mock.load(module, &[] as &[&str])?;
        Ok(mock)
    }

    /// A server without modules.
    pub fn empty() -> Mock {
        crate::panic::keep_hook();
        let state = NonNull::from(Box::leak(Box::new(State::new())));
        // SAFETY: the state lives until `drop`, and a mock stays on its thread.
        let host = unsafe { Host::new(state) };
        // SAFETY: the host was made by `State::new`.
        let context = host.with(|state| unsafe { context_of(state.host) });
        *context.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(SendHost(host));
        Mock { state, host }
    }

    /// Loads a module with the arguments of MODULE LOAD. Fails with the reason that a server would
    /// show; then nothing of it is left.
    pub fn load<A: AsRef<[u8]>>(
        &mut self,
        module: &'static abi::entry::Module,
        args: &[A],
    ) -> std::result::Result<(), String> {
        let args: Vec<&[u8]> = args.iter().map(AsRef::as_ref).collect();
        dispatch::load(self.host, module, &args)
    }

    /// Unloads a module by name, with all values of its types.
    pub fn unload(&mut self, name: &str) -> std::result::Result<(), String> {
        dispatch::unload(self.host, name)
    }

    /// Runs a command of client 1 and returns its reply. A command that returns `Ok` without a
    /// reply, or with an open aggregate, panics here.
    ///
    /// For a command that waits there are no bytes: see [`waiting`](Mock::waiting). Those who wait
    /// for keys that the command changed are run again before this returns.
    pub fn run<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Vec<u8> {
        let args: Vec<&[u8]> = args.iter().map(AsRef::as_ref).collect();
        block::run(self.host, &args)
    }

    /// Runs a command as EXEC or a script does: it cannot wait.
    pub fn run_without_waiting<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Vec<u8> {
        self.host.with(|state| state.call_flags = abi::call::CALL_NO_BLOCK);
        let reply = self.run(args);
        self.host.with(|state| state.call_flags = 0);
        reply
    }

    /// The commands that wait, in the order in which they began to.
    pub fn waiting(&self) -> Vec<Waiting> {
        self.host.with(|state| state.waiting.clone())
    }

    /// Runs those again who wait for a key of the selected database, as after a change of it.
    pub fn make_ready(&mut self, key: impl AsRef<[u8]>) {
        self.host.with(|state| state.ready.push((state.db, key.as_ref().to_vec())));
        block::serve(self.host);
    }

    /// Runs those again whom threads have resumed since this was last called; how many.
    pub fn serve_resumed(&mut self) -> usize {
        let served = block::serve_resumed(self.host);
        block::serve(self.host);
        served
    }

    /// What those who waited were sent since this was last asked: the id in
    /// [`Waiting`] and the reply, in order.
    pub fn take_served(&mut self) -> Vec<(u64, Vec<u8>)> {
        self.host.with(|state| std::mem::take(&mut state.served))
    }

    /// Lets time pass: timers fire in order, those who wait are sent their null, keys expire when
    /// they are next looked at.
    pub fn advance_ms(&mut self, ms: u64) {
        let end_ms = self.host.with(|state| state.now_ms.saturating_add_unsigned(ms));
        loop {
            let due = self.host.with(|state| {
                let next = state.timers.iter().enumerate().min_by_key(|(_, timer)| (timer.at_ms, timer.id));
                let (at, timer) = next.filter(|(_, timer)| timer.at_ms <= end_ms)?;
                let at_ms = timer.at_ms;
                state.now_ms = state.now_ms.max(at_ms);
                Some(state.timers.remove(at))
            });
            let Some(timer) = due else { break };
            // SAFETY: whoever started the timer gave data that fits its function.
            calling(self.host, timer.module, std::ptr::null(), &[], |call| unsafe {
                (timer.fire.run)(call, timer.data)
            });
        }
        self.host.with(|state| state.now_ms = end_ms);
        block::serve(self.host);
        block::time_out(self.host);
    }

    /// The clock: Unix time in ms.
    pub fn now_ms(&self) -> i64 {
        self.host.with(|state| state.now_ms)
    }

    /// Whether the client speaks RESP3 from now on.
    pub fn set_resp3(&mut self, resp3: bool) {
        self.host.with(|state| state.resp = if resp3 { 3 } else { 2 });
    }

    /// Selects a database, 0 to 15.
    pub fn select(&mut self, db: u32) {
        assert!((db as usize) < state::DATABASES, "there are {} databases", state::DATABASES);
        self.host.with(|state| state.db = db);
    }

    /// Whether keys that are made or grow fail with `OutOfMemory` from now on.
    pub fn refuse_memory(&mut self, refuses: bool) {
        self.host.with(|state| state.refuses_memory = refuses);
    }

    /// Sets a parameter by its full name, `module.parameter`. Fails with the reason.
    pub fn set_config(&mut self, name: &str, value: &str) -> std::result::Result<(), String> {
        dispatch::set_parameter(self.host, name, value.as_bytes())
    }

    fn space(&self) -> Space {
        Space { host: self.host, db: self.host.with(|state| state.db as usize) }
    }

    fn item(&self, key: &[u8]) -> Option<NonNull<Item>> {
        self.space().find(key)
    }

    /// Whether a key is there.
    pub fn has(&self, key: impl AsRef<[u8]>) -> bool {
        self.item(key.as_ref()).is_some()
    }

    /// Unix time in ms at which a key expires.
    pub fn expire_at_ms(&self, key: impl AsRef<[u8]>) -> Option<i64> {
        // SAFETY: items in a database are alive.
        let at = unsafe { self.item(key.as_ref())?.as_ref() }.expire_at_ms;
        (at != abi::keys::EXPIRE_NONE).then_some(at)
    }

    /// What OBJECT ENCODING answers for a key.
    pub fn encoding(&self, key: impl AsRef<[u8]>) -> Option<String> {
        let mut item = self.item(key.as_ref())?;
        // SAFETY: items in a database are alive.
        let item = unsafe { item.as_mut() };
        let of = self.host.with(|state| state.types.get(&item.type_id).copied())?;
        // SAFETY: the value is of its type, and an encoding's name is a constant.
        let name = of.encoding_name.map_or(b"raw".as_slice(), |name| unsafe { name(&item.value()).as_slice() });
        Some(String::from_utf8_lossy(name).into_owned())
    }

    /// A key's value in the mock's payload form. Fails with `None`, and as the type's `save`.
    pub fn dump(&self, key: impl AsRef<[u8]>) -> Result<Vec<u8>> {
        let item = self.item(key.as_ref()).ok_or(Error::None)?;
        self.space().dump(item).map_err(Error::from_status)
    }

    /// Makes a key from a payload, replacing what is there. Fails as the type's `load`.
    pub fn restore(&mut self, key: impl AsRef<[u8]>, payload: &[u8]) -> Result {
        let none = abi::keys::EXPIRE_NONE;
        self.space().restore(key.as_ref(), payload, none, true).map_err(Error::from_status)
    }

    /// Saves a key's value, frees it, and loads it again. Fails as `save` and `load`.
    pub fn save_and_load(&mut self, key: impl AsRef<[u8]>) -> Result {
        let expire_at_ms = self.expire_at_ms(&key).unwrap_or(abi::keys::EXPIRE_NONE);
        let payload = self.dump(&key)?;
        self.space().take(key.as_ref());
        self.space().restore(key.as_ref(), &payload, expire_at_ms, false).map_err(Error::from_status)
    }

    /// The events of keys since this was last asked.
    pub fn take_events(&mut self) -> Vec<KeyEvent> {
        self.host.with(|state| std::mem::take(&mut state.events))
    }

    /// The names of the events of keys since they were last asked for.
    pub fn take_event_names(&mut self) -> Vec<String> {
        self.take_events().into_iter().map(|event| event.name).collect()
    }

    /// What was passed on to replicas since this was last asked.
    pub fn take_propagated(&mut self) -> Vec<Vec<Vec<u8>>> {
        self.host.with(|state| std::mem::take(&mut state.propagated))
    }

    /// Lets a client connect that can be pushed to; returns its id. Client 1 is always there.
    pub fn connect(&mut self) -> u64 {
        self.host.with(|state| {
            let id = state.next_id() + 1;
            state.pushed.insert(id, Vec::new());
            id
        })
    }

    /// What was pushed to a client since this was last asked; `None` when it is not connected.
    pub fn take_pushed(&mut self, client_id: u64) -> Option<Vec<u8>> {
        self.host.with(|state| state.pushed.get_mut(&client_id).map(std::mem::take))
    }

    /// The lines that were logged since this was last asked.
    pub fn take_log(&mut self) -> Vec<String> {
        let log = self.host.with(|state| state.log);
        std::mem::take(&mut *log.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the modules' sections of INFO show: lines of `name:value`.
    pub fn info(&mut self) -> String {
        let modules: Vec<(usize, &'static abi::entry::Module)> = self.host.with(|state| {
            let loaded = state.modules.iter().enumerate().filter(|(_, module)| !module.is_gone);
            loaded.map(|(at, module)| (at, module.entry)).collect()
        });
        let mut text = String::new();
        for (module, entry) in modules {
            for section in entry.infos.iter() {
                // The mock has no sections of its own: fields for those are shown like all others.
                let sink = (&raw mut text).cast();
                // SAFETY: a section is a constant of its module; call and sink are lent.
                calling(self.host, module, std::ptr::null(), &[], |call| unsafe { ((*section).write)(call, sink) });
            }
        }
        text
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        dispatch::unload_all(self.host);
        // SAFETY: the host was made by `State::new`.
        let context = self.host.with(|state| unsafe { context_of(state.host) });
        *context.state.lock().unwrap_or_else(PoisonError::into_inner) = None;
        // SAFETY: the state was leaked in `empty`, and nothing reaches it any more.
        drop(unsafe { Box::from_raw(self.state.as_ptr()) });
    }
}
