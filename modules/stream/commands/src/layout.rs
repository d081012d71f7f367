//! The parameters of streams, and the layout that they ask for.

use crate::storage::Layout;
use plinth_module::prelude::*;

static NODE_BYTES: ConfigInteger = ConfigInteger::new();
static NODE_ENTRIES: ConfigInteger = ConfigInteger::new();

/// The parameters, for the module's list.
pub const CONFIGS: [Config; 2] = [
    Config { flags: CONFIG_BARE, ..NODE_BYTES.declare_memory("stream-node-max-bytes", "4096", 0, i64::MAX) },
    Config { flags: CONFIG_BARE, ..NODE_ENTRIES.declare("stream-node-max-entries", "100", 0, i64::MAX) },
];

/// The layout that is set.
#[inline]
pub fn now() -> Layout {
    Layout { node_bytes: NODE_BYTES.get() as usize, node_entries: NODE_ENTRIES.get() as usize }
}
