//! The Plinth server: a single-threaded host for data type modules.
//!
//! The core knows keys, clients, commands and modules; it knows no data type.
//! `core/ARCHITECTURE.md` follows one command through it; in reading order:
//!
//! - [`startup`]: from the command line to a server that serves.
//! - [`server`]: all state, in one value owned by one thread.
//! - [`net`]: the loop, connections, batches.
//! - [`resp`]: requests and replies.
//! - [`command`]: the table, dispatch, transactions.
//! - [`keyspace`]: databases of entries.
//! - [`module`]: loading, and the services that modules ask for.
//! - [`admin`]: the core's own commands.
//! - [`config`], [`pattern`], [`persist`], [`stats`], [`memory`], [`clock`], [`log`], [`signals`].

pub mod admin;
pub mod clock;
pub mod command;
pub mod config;
pub mod keyspace;
pub mod log;
pub mod memory;
pub mod module;
pub mod net;
pub mod pattern;
pub mod persist;
pub mod resp;
pub mod server;
pub mod signals;
pub mod startup;
pub mod stats;
