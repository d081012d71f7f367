//! Interop: values that move between Plinth and real servers, both ways.
//!
//! A type that says it is kept as Redis keeps it is held to that here, by DUMP and RESTORE, and by
//! what both sides then answer. Each type has a file; [`append`] compares what is kept of commands;
//! [`peer`] starts the other servers.

mod acl;
mod append;
mod changes;
mod files;
mod geo;
mod golden;
mod golden_files;
mod hyperloglog;
mod keyspecs;
mod parameters;
mod payloads;
mod peer;
mod pubsub;
mod replica;
mod replication;
mod scripts;
mod sentinel;
mod stream;
mod watched;
