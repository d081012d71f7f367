//! Settings: the file, the command line, and the parameters, as values that know no server.
//!
//! - [`file`], [`value`]: text to directives and values.
//! - [`parameters`], [`inert`]: the core's parameters, with and without effect.
//! - [`durability`]: those that concern files; [`aof`]: those of the append-only file; [`memory`]: of memory;
//!   [`replication`]: of replication; [`tls`]: of connections that speak TLS.
//! - [`of_module`]: parameters of modules.
//! - [`rewrite`]: what the file is to say of them.

pub mod acl;
pub mod aof;
pub mod defrag;
pub mod durability;
pub mod file;
pub mod inert;
pub mod memory;
pub mod of_module;
pub mod parameters;
pub mod replication;
pub mod rewrite;
pub mod tls;
pub mod value;
