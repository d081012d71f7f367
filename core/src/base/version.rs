//! Versions.

/// The version of Redis whose behaviour is the reference, for clients that look.
pub const REDIS_VERSION: &str = "7.4.7";
/// Our own version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
