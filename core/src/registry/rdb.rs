//! What RDB files have beside keys, and who has claimed which part of it (`plinth.rdb/1`).
//!
//! Invariant: what was in a file is with the module that has claimed it, or kept here, or both where the
//! module would not take it; never in neither place.

use crate::base::id::ModuleId;
use crate::durable::rdb::Section;
use plinth_abi::rdb::RdbClaim;

/// Libraries and sections that are kept of a file, and that a module may give; a file that has more is not
/// read.
pub const PARTS_MAX: usize = 1 << 16;

/// What there is beside keys.
#[derive(Default)]
pub struct Beside {
    /// What modules have claimed, in that order.
    pub claims: Vec<Claim>,
    /// What is in no module.
    pub kept: Kept,
}

/// A part that a module has claimed.
#[derive(Clone, Copy)]
pub struct Claim {
    /// Which.
    pub module: ModuleId,
    /// The part, and the module's functions.
    pub raw: RdbClaim,
}

/// Parts of a file, as they are in it.
#[derive(Clone, Default, Debug)]
pub struct Kept {
    /// Libraries of functions.
    pub functions: Vec<Vec<u8>>,
    /// Sections of modules.
    pub sections: Vec<Section>,
}

impl Kept {
    /// How many parts they are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.functions.len() + self.sections.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Beside {
    /// What a module has claimed of a kind.
    #[must_use]
    pub fn of(&self, module: ModuleId, kind: u32) -> Option<Claim> {
        self.claims.iter().find(|claim| claim.module == module && claim.raw.kind == kind).copied()
    }

    /// Forget what a module has claimed.
    pub fn remove_module(&mut self, module: ModuleId) {
        self.claims.retain(|claim| claim.module != module);
    }
}
