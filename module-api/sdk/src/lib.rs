//! The safe Rust SDK for Plinth modules.
//!
//! A module is a `cdylib` that exports one constant. It registers commands and data types, and
//! reaches the server through a [`Call`](call::Call):
//!
//! ```
//! # #![allow(missing_docs)]
//! use plinth_module::prelude::*;
//! use std::ffi::CStr;
//!
//! #[derive(Default)]
//! struct Gauge { last: i64, low: i64, high: i64 }
//!
//! impl DataType for Gauge {
//!     const NAME: &'static CStr = c"com.example.gauge";
//!     const ENCODING: u32 = 1;
//!     fn save(&self, out: &mut Saver<'_>) {
//!         for v in [self.last, self.low, self.high] { out.put(v) }
//!     }
//!     fn load(from: &mut Loader<'_>, _encoding: u32) -> Result<Self> {
//!         Ok(Gauge { last: from.i64()?, low: from.i64()?, high: from.i64()? })
//!     }
//! }
//!
//! fn push(call: &mut Call<'_>) -> Result {
//!     let value = call.args.integer(2)?;
//!     let gauge: &mut Gauge = call.keys.get_or_create(call.args.bytes(1))?;
//!     gauge.last = value;
//!     gauge.low = gauge.low.min(value);
//!     gauge.high = gauge.high.max(value);
//!     call.reply.integer(gauge.high);
//!     call.keys.modified(call.args.bytes(1), EVENT_MODULE, "gauge.push");
//!     Ok(())
//! }
//!
//! export!(Module {
//!     name: "gauge",
//!     version: "0.1.0",
//!     types: &[Type::of::<Gauge>()],
//!     commands: &[Command {
//!         name: text("gauge.push"),
//!         arity: 3,
//!         flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
//!         keys: list(&[KeySpec::at(KEY_RW | KEY_UPDATE, 1)]),
//!         run: run(push),
//!         ..Command::NEW
//!     }],
//!     ..Module::NEW
//! });
//! # fn main() {}
//! ```
//!
//! Reading order: [`call`] (what a handler gets) with [`args`], [`keys`], [`entry`] and [`reply`];
//! [`command`] and [`mod@export`] (how it is registered); [`datatype`], [`codec`] and [`types`] (values
//! of one's own); then [`config`], [`info`], [`events`], [`timers`], [`block`], [`thread`], [`clients`], [`acl`], [`propagate`],
//! [`run`], [`service`], [`string`], [`list`], [`hash`], [`set`], [`set_storage`], [`zset`], [`stream`], [`bus`],
//! [`language`] and [`replied`] (what functions are written in, and what their commands answer);
//! [`replication`] for whose copy the data are, [`event_loop`], [`socket`] and [`process`] for speaking to others, [`mode`] and [`directives`] for making the server
//! something else; [`busy`] for giving way; [`glob`]
//! patterns and [`number`]s are texts that several modules read alike, [`scan`] and
//! [`condition`] read options, and [`chance`] picks at random; [`ahead`] is about speed. [`host`] is how it works
//! underneath. A module is tested on the server itself, within the test: `plinth-testbed`, in
//! `module-api/testbed`, where the tests of the SDK are that need a server.
//!
//! *What is deliberately absent*: an allocator (a module's `malloc` is the server's), threads that
//! nobody asked for, and any way to keep a key's value beyond the handler.

pub mod acl;
pub mod ahead;
pub mod args;
pub mod block;
pub mod bus;
pub mod busy;
pub mod call;
pub mod chance;
pub mod clients;
pub mod codec;
pub mod command;
pub mod condition;
pub mod config;
mod constants;
pub mod convert;
pub mod datatype;
pub mod digest;
pub mod directives;
pub mod entry;
pub mod error;
pub mod event_loop;
pub mod events;
pub mod export;
pub mod extended;
pub mod glob;
pub mod hash;
pub mod host;
pub mod info;
pub mod keys;
pub mod language;
pub mod list;
pub mod mode;
pub mod natural;
pub mod number;
mod panic;
pub mod process;
pub mod propagate;
pub mod rdb;
pub mod replication;
pub mod replied;
pub mod reply;
pub mod rewrite;
pub mod run;
pub mod scan;
pub mod service;
pub mod set;
pub mod set_storage;
pub mod socket;
pub mod stream;
pub mod string;
mod take;
pub mod thread;
pub mod timers;
pub mod types;
mod visit;
pub mod zset;

pub use panic::keep_panic_hook;
/// The ABI underneath.
pub use plinth_abi as abi;
/// The compression of strings in RDB files, for what is rarely looked at.
pub use plinth_lzf as lzf;
/// The compact form of small collections.
pub use plinth_pack as pack;
/// The hash table that the keyspace and large collections are made of.
pub use plinth_table as table;
/// For a `drop` that takes long: lets the server run, where it shares this thread's core. To be
/// called every few dozen steps, on whatever thread.
pub use plinth_table::give_way;

/// All that a module usually needs.
pub mod prelude {
    pub use crate::ahead::{LookAhead, look_ahead};
    pub use crate::args::Args;
    pub use crate::block::{self, Block, Ticket, Wait, WaitReply};
    pub use crate::busy::GaveWay;
    pub use crate::call::{
        CALL_KEY_HASHED, CALL_NESTED, CALL_NO_BLOCK, CALL_NO_CLIENT, CALL_REPLICA, CALL_RETRY, Call,
    };
    pub use crate::clients::{Client, Listening};
    pub use crate::codec::{Loader, Saver};
    pub use crate::command::*;
    pub use crate::config::{
        CONFIG_BARE, CONFIG_HIDDEN, CONFIG_IMMUTABLE, CONFIG_SENSITIVE, Config, ConfigBool, ConfigInteger, ConfigText,
    };
    pub use crate::datatype::{Boxed, DataType, InlineType, Loaded, MixedType, Stored};
    pub use crate::digest::Digester;
    pub use crate::entry::{Entry, EntryStat, Held};
    pub use crate::error::{Error, Result};
    pub use crate::events::*;
    pub use crate::export;
    pub use crate::export::Module;
    pub use crate::host::{LOG_DEBUG, LOG_NOTICE, LOG_VERBOSE, LOG_WARNING};
    pub use crate::info::{InfoWriter, Section, fields_of, section};
    pub use crate::keys::*;
    pub use crate::reply::{Mark, ReplyBuffer};
    pub use crate::rewrite::Rewriter;
    pub use crate::run::{RUN_READ_ONLY, RUN_RESP3, Resolved};
    pub use crate::service::{Service, ServiceHandle, provided};
    pub use crate::timers::Timer;
    pub use crate::types::{Type, TypeHandle};
}
