//! Identities that several rooms know.

/// Identity of one loading of a module; 0 is the core.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct ModuleId(pub u32);

impl ModuleId {
    /// The core's own commands.
    pub const CORE: ModuleId = ModuleId(0);
}
