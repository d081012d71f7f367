//! What every room uses and nothing of ours is under: time, the log, memory, text, numbers, identities, the process.

pub mod allocator;
pub mod clock;
pub mod crash;
pub mod foreign;
pub mod fork;
pub mod id;
pub mod log;
pub mod memory;
pub mod number;
pub mod pace;
pub mod pattern;
pub mod process;
pub mod random;
pub mod signals;
pub mod syslog;
pub mod version;
pub mod words;
