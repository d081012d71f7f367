//! The Plinth server: a single-threaded host for data type modules.
//!
//! The core knows keys, clients, commands and modules; it knows no data type.
//! `core/ARCHITECTURE.md` follows one command through it; in reading order:
//!
//! - [`command_line`], [`startup`]: from the command line to a server that serves.
//! - [`net`]: the loop, connections, batches.
//! - [`engine`]: all state, in one value owned by one thread, and what runs a command in it.
//! - [`modules`]: loading, and the services that modules ask for.
//! - [`persist`]: the data set in a file, and back; [`replication`]: on other servers.
//! - [`store`]: databases of entries.
//! - [`admin`]: the core's own commands.
//! - [`acl`]: users and what each of them may do.
//! - [`session`], [`registry`], [`command`]: who is connected, what modules have registered, what is
//!   known of each command.
//! - [`wire`], [`socket`], [`durable`], [`settings`], [`stats`], [`base`]: what all that stands on.
//!
//! Imports go downward only; `cargo xtask tidy` has the order.

pub mod acl;
pub mod admin;
pub mod base;
pub mod command;
pub mod command_line;
pub mod durable;
pub mod engine;
pub mod modules;
pub mod net;
pub mod persist;
pub mod registry;
pub mod replication;
pub mod session;
pub mod settings;
pub mod socket;
pub mod startup;
pub mod stats;
pub mod store;
pub mod wire;
