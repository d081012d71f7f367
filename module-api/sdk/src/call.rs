//! The call: one run of a command handler, a timer, an event hook, `start` or `stop`.
//!
//! [`Call`] is a view of the ABI's call in parts that borrow separately, so that a value from
//! `call.keys` can be held while `call.reply` is written and `call.args` is read:
//!
//! ```text
//!   Call ─┬─ args       what the client sent
//!         ├─ keys       the keyspace; what it hands out borrows it exclusively
//!         ├─ reply      what is answered
//!         └─ run, events, timers, block, clients, acl, config, propagate, rdb   the other services
//! ```
//!
//! *Invariant*: a call belongs to the main thread and ends with the handler. It is neither `Send`
//! nor `Sync`, a handler must accept any lifetime of it, and so nothing taken from it can be kept.
//! What may run other modules' code (commands, `CONFIG SET`) takes `&mut Keys`, so that no
//! value is held across it.

use crate::abi;
use crate::abi::bytes::Opaque;
use crate::acl::Acl;
use crate::args::Args;
use crate::block::Block;
use crate::busy::Busy;
use crate::clients::Clients;
use crate::config::Configs;
use crate::error::{Error, Result};
use crate::events::Events;
use crate::host;
use crate::keys::Keys;
use crate::propagate::Propagate;
use crate::rdb::Rdb;
use crate::reply::ReplyBuffer;
use crate::run::Run;
use crate::service::{Service, Table};
use crate::timers::Timers;
use std::any::Any;
use std::marker::PhantomData;
use std::ptr::NonNull;

pub use crate::abi::call::{CALL_KEY_HASHED, CALL_NESTED, CALL_NO_BLOCK, CALL_NO_CLIENT, CALL_RETRY};

/// One run of a handler. See the [module](self).
pub struct Call<'a> {
    /// The arguments.
    pub args: Args<'a>,
    /// The keyspace.
    pub keys: Keys<'a>,
    /// The reply.
    pub reply: ReplyBuffer<'a>,
    /// Running other commands.
    pub run: Run<'a>,
    /// Subscribing to events.
    pub events: Events<'a>,
    /// Calling back later.
    pub timers: Timers<'a>,
    /// Waiting for keys.
    pub block: Block<'a>,
    /// Serving others meanwhile.
    pub busy: Busy<'a>,
    /// Who is connected.
    pub clients: Clients<'a>,
    /// Users.
    pub acl: Acl<'a>,
    /// The server's parameters.
    pub config: Configs<'a>,
    /// What replicas and the append-only file are told.
    pub propagate: Propagate<'a>,
    /// What RDB files have beside keys.
    pub rdb: Rdb<'a>,
    raw: NonNull<abi::call::Call>,
    marker: PhantomData<&'a mut ()>,
}

/// A part of the call that is one pointer to it.
macro_rules! part {
    ($name:ident) => {
        impl<'a> $name<'a> {
            /// # Safety
            /// `call` is valid for `'a`, on the main thread, and the module has started.
            #[inline(always)]
            pub(crate) unsafe fn new(call: std::ptr::NonNull<crate::abi::call::Call>) -> $name<'a> {
                $name { call, marker: std::marker::PhantomData }
            }
        }
    };
}
pub(crate) use part;

impl<'a> Call<'a> {
    /// The safe view of a call of the ABI, for functions of a service that a module provides.
    ///
    /// # Safety
    /// `call` is what the host handed over, it stays valid for `'a`, this is the main thread, the
    /// module has started, and no other `Call` of the same call is in use meanwhile.
    #[inline(always)]
    pub unsafe fn from_raw(call: *mut abi::call::Call) -> Call<'a> {
        // SAFETY: the host never hands over a null call; all else is vouched for by the caller.
        unsafe {
            let raw = NonNull::new_unchecked(call);
            Call {
                args: Args::new(raw),
                keys: Keys::new(raw),
                reply: ReplyBuffer::new(raw),
                run: Run::new(raw),
                events: Events::new(raw),
                timers: Timers::new(raw),
                block: Block::new(raw),
                busy: Busy::new(raw),
                clients: Clients::new(raw),
                acl: Acl::new(raw),
                config: Configs::new(raw),
                propagate: Propagate::new(raw),
                rdb: Rdb::new(raw),
                raw,
                marker: PhantomData,
            }
        }
    }

    /// The call of the ABI, to be handed to functions of a service. What such a function does to
    /// keys must not meet an entry or a value that is still held: hence the exclusive borrow.
    #[inline(always)]
    pub fn as_raw(&mut self) -> *mut abi::call::Call {
        self.raw.as_ptr()
    }

    /// A field of the ABI's call.
    #[inline(always)]
    fn raw(&self) -> &abi::call::Call {
        // SAFETY: the call is valid for `'a`; the host changes its fields only while it is called,
        // which needs `&mut` of some part, and this reference is never kept across that.
        unsafe { self.raw.as_ref() }
    }

    /// The argument at `index` as an integer of at least `min`. Anything else is answered with
    /// `refusal`, an error with its code.
    pub fn at_least(&mut self, index: usize, min: usize, refusal: &str) -> Result<usize> {
        let count = self.args.integer(index).ok().and_then(|count| usize::try_from(count).ok());
        count.filter(|count| *count >= min).ok_or_else(|| self.reply.error(refusal))
    }

    /// Number of the selected database.
    #[inline(always)]
    pub fn db(&self) -> u32 {
        self.raw().db
    }

    /// Version of the protocol that the client speaks, 2 or 3.
    #[inline(always)]
    pub fn resp(&self) -> u32 {
        self.raw().resp
    }

    /// The server's clock when the batch of commands began: Unix time in ms.
    #[inline(always)]
    pub fn now_ms(&self) -> i64 {
        self.raw().now_ms
    }

    /// Id of the client, or `None` where there is none (timers, events, `start`).
    #[inline]
    pub fn client_id(&self) -> Option<u64> {
        (self.raw().client_id != 0).then_some(self.raw().client_id)
    }

    /// `CALL_*` bits: what is special about this run.
    #[inline(always)]
    pub fn flags(&self) -> u32 {
        self.raw().flags
    }

    /// Spec of the command that runs; `None` outside a command.
    pub fn command(&self) -> Option<&'a abi::command::Command> {
        // SAFETY: null, or a spec that outlives the call.
        unsafe { self.raw().command.as_ref() }
    }

    /// Writes a line to the server's log at a `LOG_*` level.
    pub fn log(&self, level: u32, text: &str) {
        let host = self.raw().host;
        // SAFETY: a call carries its host, which lives longer; the text is borrowed for the call.
        unsafe { ((*host).log)(host, level, abi::bytes::Bytes::of(text.as_bytes())) }
    }

    /// A table of functions that another module provides, or `None` when none does.
    ///
    /// This is a look-up by name: a module that needs the service on each command names it in
    /// [`Module::requires`](crate::export::Module::requires) and keeps the table in a
    /// [`ServiceHandle`](crate::service::ServiceHandle).
    pub fn service<S: Service>(&self) -> Option<Table<'a, S>> {
        // SAFETY: the host is this module's, and `Service` vouches that a table found under its id
        // has the layout of `S`, of which the host checks the size.
        unsafe { Table::new(host::find(self.raw().host, S::ID, size_of::<S>() as u32).cast::<S>()) }
    }

    /// What [`Call::set_data`] was given, or `None` if nothing or something of another type. In a function of a
    /// service that this module provides, too, it is `None`: the call is that of the module which uses it.
    pub fn data<T: 'static>(&self) -> Option<&'a T> {
        if !host::is_own(self.raw().host) {
            return None;
        }
        let data = self.raw().module_data.cast::<Box<dyn Any>>();
        // SAFETY: the call is this module's own, where only `set_data` writes this field, once; what it points
        // at lives until the module's `stop` has returned, which is longer than any call.
        unsafe { data.as_ref().and_then(|data| data.downcast_ref()) }
    }

    /// Keeps a value for the module's life, to be read in every later call with [`Call::data`];
    /// it is dropped after `stop`. Calls may nest, so it is handed out shared: state that
    /// changes goes in `Cell`s. For `start`; fails with `Exists` the second time.
    pub fn set_data<T: 'static>(&mut self, value: T) -> Result {
        if !self.raw().module_data.is_null() || !host::is_own(self.raw().host) {
            return Err(Error::Exists);
        }
        let data: Box<Box<dyn Any>> = Box::new(Box::new(value));
        // SAFETY: the call is valid, and `&mut self` excludes readers.
        unsafe { (*self.raw.as_ptr()).module_data = Box::into_raw(data).cast() };
        Ok(())
    }
}

/// Drops what [`Call::set_data`] kept.
///
/// # Safety
/// `data` is null or came from `set_data`, and nobody uses it any more.
pub(crate) unsafe fn drop_data(data: Opaque) {
    if !data.is_null() {
        // SAFETY: as the caller vouches.
        drop(unsafe { Box::from_raw(data.cast::<Box<dyn Any>>()) });
    }
}
