//! The engine: the server put together, and what runs a command in it.
//!
//! - [`server`]: all state, in one value owned by one thread.
//! - [`dispatch`]: from a command that was looked up to its end.
//! - [`call`]: a call into a handler or a module; [`hooks`], [`timers`]: calls outside commands.
//! - [`handover`]: which of two modules runs a command while one takes over from the other.
//! - [`wait`]: running those again who wait.
//! - [`transaction`]: queueing for EXEC.
//! - [`parameters`]: reading and setting parameters.

pub mod call;
pub mod dispatch;
pub mod handover;
pub mod hooks;
pub mod parameters;
pub mod server;
pub mod timers;
pub mod transaction;
pub mod wait;
