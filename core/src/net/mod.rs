//! The network: the loop, and what clients send.
//!
//! - [`event_loop`]: the one thread's turns.
//! - [`batch`]: parsing, prefetching and running commands of many clients.
//! - [`busy`]: serving others while a command takes long.
//! - [`housekeeping`]: what is done some times a second.
//! - [`listening`]: listening elsewhere, by CONFIG SET.
//! - `ahead`: what is prefetched beyond the bucket of a key.

mod ahead;
pub mod batch;
pub mod busy;
pub mod event_loop;
pub mod housekeeping;
pub mod listening;
