//! Observers: who is told of each effect when it is recorded, one file each.
//!
//! They write in tables and run nobody's code. Start-up gives their list to the server; each leaves
//! the others alone, so that their order does not matter.

pub mod hooks;
pub mod propagation;
pub mod ready;
pub mod tracking;
pub mod watch;
