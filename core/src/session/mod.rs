//! Sessions: who is connected, what each has sent, is to be sent, and waits for: state, no calls.
//!
//! - [`client`], [`clients`]: one connection, and all.
//! - [`query`]: what came and was not run yet.
//! - [`transaction`], [`watch`]: MULTI and WATCH.
//! - [`block`]: who waits for which keys; [`resume`]: who waits for which thread; [`pause`]: until
//!   when all wait.

pub mod block;
pub mod client;
pub mod clients;
pub mod pause;
pub mod query;
pub mod resume;
pub mod transaction;
pub mod watch;
