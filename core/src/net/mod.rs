//! The network: sockets, buffers, and the loop.
//!
//! - [`event_loop`]: the one thread's turns.
//! - [`batch`]: parsing, prefetching and running commands of many clients.
//! - `ahead`: what is prefetched beyond the bucket of a key.
//! - [`listener`], [`client`], [`clients`]: sockets and sessions.
//! - [`query`], [`output`]: what came and what is to go.

mod ahead;
pub mod batch;
pub mod client;
pub mod clients;
pub mod event_loop;
pub mod listener;
pub mod output;
pub mod query;
