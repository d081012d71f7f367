//! What a client listens to: what a module sends it without being asked each time.

use crate::base::id::ModuleId;

/// To how much of which module a client listens.
pub struct Listening {
    /// The module.
    pub module: ModuleId,
    /// Channels.
    pub channels: u32,
    /// Patterns of channels.
    pub patterns: u32,
    /// Channels of a shard.
    pub shard_channels: u32,
    /// Bytes of memory that the module keeps for it.
    pub bytes: u64,
}
