//! Sockets: what comes in and goes out of them, and where connections come from; no protocol.
//!
//! - [`listener`]: listening sockets.
//! - [`stream`]: connected ones.
//! - [`output`]: what is to go, which is also what replies are written into.

pub mod listener;
pub mod output;
pub mod stream;
