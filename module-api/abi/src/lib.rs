//! The stable ABI between the Plinth host and its modules.
//!
//! This crate holds `repr(C)` structs, tables of C functions and constants, and
//! no logic: the little code here builds constants. The C headers under
//! `module-api/include/plinth/` are generated from it, one header per file, so
//! header, ABI mirror and host side of a service share a stem (`keys.h`,
//! `abi/src/keys.rs`, `core/src/modules/services/keys.rs`).
//!
//! Reading order: [`bytes`] and [`status`] (the two words everything is said
//! in), [`entry`] (what a module exports), [`host`] (how it gets the rest),
//! [`call`] and [`reply`] (one command's run), [`command`] and [`value`] (what a
//! module registers), then one file per service.
//!
//! Rules that hold for every struct and table:
//! - it begins with its `size` in bytes (except the plain pairs [`bytes::Bytes`],
//!   [`bytes::Slice`]) and only grows at the end;
//! - whoever allocated memory frees it; a call that fails transfers nothing;
//! - every function's comment ends with `Thread:` (who may call it), `Borrow:`
//!   (how long what it hands over stays valid) and `Fails:`.
//!
//! `module-api/ABI.md` is the contract in prose.

pub mod acl;
pub mod block;
pub mod bus;
pub mod busy;
pub mod bytes;
pub mod call;
pub mod clients;
pub mod codec;
pub mod command;
pub mod config;
pub mod convert;
pub mod digest;
pub mod directives;
pub mod entry;
pub mod event_loop;
pub mod events;
pub mod hash;
pub mod host;
pub mod info;
pub mod keys;
pub mod language;
pub mod layout;
pub mod list;
pub mod mode;
pub mod process;
pub mod propagate;
pub mod rdb;
pub mod replication;
pub mod reply;
pub mod rewrite;
pub mod run;
pub mod set;
pub mod set_storage;
pub mod socket;
pub mod status;
pub mod stream;
pub mod string;
pub mod timers;
pub mod value;
pub mod zset;

/// Version of the ABI that breaks: a module of another major version is refused.
pub const ABI_MAJOR: u16 = 1;
/// Version of the ABI that grows: a module of a newer minor version is refused.
pub const ABI_MINOR: u16 = 0;
