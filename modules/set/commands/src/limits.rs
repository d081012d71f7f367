//! The limits: up to where a set is kept small. Read by every command that adds members.

use plinth_module::prelude::*;

static INTSET_ENTRIES: ConfigInteger = ConfigInteger::new();
static PACK_ENTRIES: ConfigInteger = ConfigInteger::new();
static PACK_VALUE: ConfigInteger = ConfigInteger::new();

/// The module's parameters.
pub static PARAMETERS: [Config; 3] = [
    bare(INTSET_ENTRIES.declare("set-max-intset-entries", "512", 0, i64::MAX)),
    bare(PACK_ENTRIES.declare("set-max-listpack-entries", "128", 0, i64::MAX)),
    bare(PACK_VALUE.declare("set-max-listpack-value", "64", 0, i64::MAX)),
];

const fn bare(config: Config) -> Config {
    Config { flags: CONFIG_BARE, ..config }
}

/// Most bytes of a small set, whatever the parameters say: a change moves what is behind it.
pub const SMALL_BYTES_MAX: usize = 16 << 10;

/// Up to where a set is kept small.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most members of an intset.
    pub intset_entries: usize,
    /// Most members of a pack.
    pub pack_entries: usize,
    /// Most bytes of a pack's member.
    pub pack_value: usize,
}

impl Limits {
    /// What Redis 7.2 has unless told otherwise.
    pub const DEFAULT: Limits = Limits { intset_entries: 512, pack_entries: 128, pack_value: 64 };

    /// What the parameters say.
    #[inline]
    pub fn now() -> Limits {
        Limits {
            intset_entries: INTSET_ENTRIES.get() as usize,
            pack_entries: PACK_ENTRIES.get() as usize,
            pack_value: PACK_VALUE.get() as usize,
        }
    }
}
