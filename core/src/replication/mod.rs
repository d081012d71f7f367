//! Replication: one stream of changes, written once, read by any number of replicas.
//!
//! ```text
//!   units of propagation ── observe ──> text ──┐
//!                                              ├── feed ──> backlog ── cursor of each replica ──> socket
//!   a primary's stream, on a chained replica ──┘
//! ```
//!
//! - [`state`]: what there is of it, and what befalls the stream; [`backlog`]: its last bytes.
//! - [`info`]: how it is shown.
//!
//! What other rooms may know (role, offsets) lies in [`registry::replication`](crate::registry::replication).

pub mod backlog;
pub mod info;
pub mod state;
pub mod upstream;
