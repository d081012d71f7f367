//! The context of a call: what the host keeps beside the struct that a module
//! sees.
//!
//! `call` is the first field, so that a service that is given the call's address
//! finds the context behind it.

use crate::base::id::ModuleId;
use crate::command::status;
use crate::engine::server::Server;
use crate::session::client::Client;
use crate::socket::output::{Mark, Output};
use plinth_abi::bytes::Bytes;
use plinth_abi::call::{CALL_KEY_HASHED, CALL_NO_CLIENT, Call};
use plinth_abi::host::Host;
use plinth_abi::status::{STATUS_OK, STATUS_REPLIED, Status};

/// A command of the core, written in safe Rust.
pub type CoreHandler = fn(&mut Context) -> Status;
/// A command of a module.
pub type ModuleHandler = unsafe extern "C" fn(*mut plinth_abi::call::Call) -> Status;

/// What runs a command.
#[derive(Clone, Copy)]
pub enum Run {
    /// The core.
    Core(CoreHandler),
    /// A module.
    Module(ModuleHandler),
    /// Nothing: only its subcommands run.
    Container,
}

/// A registered command.
pub type Registered = crate::command::table::Registered<Run>;
/// All commands.
pub type CommandTable = crate::command::table::Table<Run>;
/// What modules have registered.
pub type Registry = crate::registry::Registry<Run>;
/// A module that is taking the place of another.
pub type Replacement = crate::registry::replacement::Replacement<Run>;
/// What a module has while it is active.
pub type Stash = crate::registry::replacement::Stash<Run>;

/// One call.
#[repr(C)]
pub struct Context {
    /// What the module sees.
    pub call: Call,
    pub(super) server: *mut Server,
    /// Token of the client, when there is one.
    pub client: Option<usize>,
    /// Selected database; the module is told by `call`, and believed nothing of it.
    pub db: u32,
    /// The module that runs.
    pub module: ModuleId,
    /// Where the reply of this call begins.
    pub mark: Mark,
    /// The entry that was handed out last, unless it may be gone.
    pub last: Option<crate::store::entry::EntryPtr>,
}

/// What a call is made of.
pub struct CallParts<'a> {
    /// Arguments.
    pub args: &'a [Bytes],
    /// Where the reply goes.
    pub output: *mut Output,
    /// Token of the client, its id, database and protocol.
    pub client: Option<(usize, u64)>,
    /// Selected database.
    pub db: u32,
    /// Protocol version.
    pub resp: u8,
    /// `CALL_*` bits.
    pub flags: u32,
    /// The module that runs.
    pub module: ModuleId,
    /// Its host.
    pub host: *const Host,
}

impl Context {
    /// The context of a call into a module or a handler.
    ///
    /// # Safety
    /// `output` is valid, and neither it nor the server is used by the caller until the
    /// context is dropped.
    #[inline]
    pub unsafe fn new(server: &mut Server, parts: CallParts<'_>) -> Context {
        // SAFETY: promised by the caller.
        let (reply, mark) = unsafe { ((*parts.output).as_reply(), (*parts.output).mark()) };
        let module_data = server.registry.modules.data(parts.module);
        Context {
            call: Call {
                size: size_of::<Call>() as u32,
                flags: parts.flags | if parts.client.is_none() { CALL_NO_CLIENT } else { 0 },
                args: parts.args.as_ptr(),
                argc: parts.args.len() as u32,
                resp: u32::from(parts.resp),
                reply,
                module_data,
                command: std::ptr::null(),
                db: parts.db,
                key_index: 0,
                key_hash: 0,
                now_ms: server.clock.now_ms,
                client_id: parts.client.map_or(0, |(_, id)| id),
                host: parts.host,
            },
            server,
            client: parts.client.map(|(token, _)| token),
            db: parts.db,
            module: parts.module,
            mark,
            last: None,
        }
    }

    /// The context behind a call's address.
    ///
    /// # Safety
    /// `call` is the address that the host gave to a module for the call that runs.
    #[inline]
    pub unsafe fn of<'a>(call: *mut Call) -> &'a mut Context {
        // SAFETY: every call that the host makes is the first field of a context.
        unsafe { &mut *call.cast::<Context>() }
    }

    /// The address that a module is given: of the call, from which the whole context may be reached.
    #[inline]
    pub fn as_call(&mut self) -> *mut Call {
        (&raw mut *self).cast()
    }

    /// Name the command, and the hash of its first key.
    #[inline]
    pub fn set_command(&mut self, command: &Registered, key_hash: Option<u64>) {
        self.call.command = &raw const command.spec;
        if let Some(hash) = key_hash {
            self.call.flags |= CALL_KEY_HASHED;
            self.call.key_index = command.first_key;
            self.call.key_hash = hash;
        }
    }

    /// The server.
    #[inline]
    pub fn server(&mut self) -> &mut Server {
        // SAFETY: the context was made from an exclusive reference, which the maker does
        // not use while the context lives.
        unsafe { &mut *self.server }
    }

    /// The arguments; the first is the command's name.
    #[inline]
    pub fn args(&self) -> &[Bytes] {
        // SAFETY: they live as long as the call.
        unsafe { std::slice::from_raw_parts(self.call.args, self.call.argc as usize) }
    }

    /// Number of arguments.
    #[inline]
    pub fn argc(&self) -> usize {
        self.call.argc as usize
    }

    /// An argument; empty when there are not so many. Arguments live as long as the
    /// call, and nothing that a handler can reach changes them.
    #[inline]
    pub fn arg<'a>(&self, at: usize) -> &'a [u8] {
        // SAFETY: as above.
        self.args().get(at).map_or(&[], |bytes| unsafe { bytes.as_slice() })
    }

    /// An argument as text, with bytes that are not UTF-8 replaced.
    pub fn arg_text<'a>(&self, at: usize) -> std::borrow::Cow<'a, str> {
        String::from_utf8_lossy(self.arg(at))
    }

    /// An argument as an error shows it.
    pub fn arg_shown<'a>(&self, at: usize) -> &'a [u8] {
        status::shown(self.arg(at))
    }

    /// Whether an argument is a word, in any case.
    pub fn arg_is(&self, at: usize, word: &str) -> bool {
        self.arg(at).eq_ignore_ascii_case(word.as_bytes())
    }

    /// The client that sent the command.
    pub fn client(&mut self) -> Option<&mut Client> {
        let token = self.client?;
        self.server().sessions.clients.get(token)
    }

    /// Hash of a key, taken from the call when it is the first.
    #[inline]
    pub fn hash(&mut self, key: &[u8]) -> u64 {
        if self.call.flags & CALL_KEY_HASHED != 0 {
            let first = self.args().get(self.call.key_index as usize);
            if first.is_some_and(|first| std::ptr::eq(first.data, key.as_ptr()) && first.len == key.len()) {
                return self.call.key_hash;
            }
        }
        self.server().store.hash(key)
    }

    /// The output buffer that the reply goes to.
    #[inline]
    pub fn output(&mut self) -> &mut Output {
        // SAFETY: every reply that the host hands out is the first field of an output
        // buffer, which lives as long as the call.
        unsafe { &mut *self.call.reply.cast::<Output>() }
    }

    /// Whether the reply is RESP3.
    #[inline]
    pub fn is_resp3(&self) -> bool {
        self.call.resp == 3
    }

    /// Write an error reply; returns what the handler returns then.
    pub fn error(&mut self, text: impl AsRef<[u8]>) -> Status {
        let resp3 = self.is_resp3();
        crate::wire::write::Writer::new(self.output(), resp3).error(text.as_ref());
        STATUS_REPLIED
    }

    /// Write `+OK`; returns what the handler returns then.
    pub fn ok(&mut self) -> Status {
        self.output().write(b"+OK\r\n");
        STATUS_OK
    }

    /// A writer of replies in the call's protocol.
    pub fn reply(&mut self) -> crate::wire::write::Writer<'_> {
        let resp3 = self.is_resp3();
        crate::wire::write::Writer::new(self.output(), resp3)
    }
}
