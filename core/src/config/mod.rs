//! Configuration: the file, the command line, and the parameters.
//!
//! - [`file`], [`words`], [`value`]: text to directives, words, and values.
//! - [`settings`], [`inert`]: the core's parameters, with and without effect.
//! - [`registry`]: parameters of modules.
//! - [`access`], [`rewrite`]: reading and setting them while the server runs, and
//!   writing them back to the file.

pub mod access;
pub mod file;
pub mod inert;
pub mod registry;
pub mod rewrite;
pub mod settings;
pub mod value;
pub mod words;
