//! Configuration: the file, the command line, and the parameters.
//!
//! - [`file`], [`words`], [`value`]: text to directives, words, and values.
//! - [`settings`]: the core's parameters.
//! - [`registry`]: parameters of modules.

pub mod access;
pub mod file;
pub mod registry;
pub mod settings;
pub mod value;
pub mod words;
