//! RESP, the wire protocol: bytes from a client become argument views here.
//!
//! ```text
//!   query buffer ──> request::Parser ──┬─ multibulk ──> spans into the query buffer
//!                                      └─ inline    ──> spans into a small owned text
//! ```
//!
//! Nothing in this folder reads a socket, knows a command or keeps a clock: the
//! functions are pure, so that fuzzers and benches can drive them directly.
//!
//! - [`command`]: a command as it is passed on.
//! - [`node`]: replies, read part by part.
//! - [`replies`]: how many replies bytes hold.
//! - [`request`]: the request parser, its limits and its errors.
//! - [`inline`]: the telnet form of a request.
//! - [`mod@write`], which writes replies.

pub mod command;
pub mod inline;
pub mod node;
pub mod replies;
pub mod request;
pub mod write;
