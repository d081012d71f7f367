//! Replication: one stream of changes, written once, read by any number of replicas.
//!
//! ```text
//!   units of propagation ── observe ──> text ──┐
//!                                              ├── feed ──> backlog ── cursor of each replica ──> socket
//!   a primary's stream, on a chained replica ──┘
//! ```
//!
//! - [`state`]: what there is of it, and what befalls the stream; [`backlog`]: its last bytes.
//! - [`replica`], [`primary`]: one who reads it, and all; [`sync`]: what one is given who asks for it.
//! - [`transfer`]: the thread that sends a snapshot.
//! - [`wait`], [`farewell`], [`failover`]: until replicas have all; [`held`]: writes that wait meanwhile.
//! - [`upstream`]: the replica's side.
//! - [`gates`]: what is refused to replicas, or for want of them; [`info`]: how it is shown.
//!
//! What other rooms may know (role, offsets) lies in [`registry::replication`](crate::registry::replication).

pub mod backlog;
pub mod failover;
pub mod farewell;
pub mod gates;
pub mod held;
pub mod info;
pub mod primary;
pub mod replica;
pub mod state;
pub mod sync;
pub mod transfer;
pub mod upstream;
pub mod wait;
