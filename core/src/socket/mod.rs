//! Sockets: what comes in and goes out of them, and where connections come from; no protocol.
//!
//! - [`listener`]: listening sockets.
//! - [`stream`]: connected ones.
//! - [`peer`]: connected ones with what has come and what is to go, for those who speak to others.
//! - [`output`]: what is to go, which is also what replies are written into.
//! - [`poller`]: which of them are ready.
//! - [`tls`]: those that speak TLS.

pub mod listener;
pub mod output;
pub mod peer;
pub mod poller;
pub mod stream;
pub mod tls;
