//! Identities that several rooms know.

/// Identity of one loading of a module; 0 is the core.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct ModuleId(pub u32);

impl ModuleId {
    /// The core's own commands.
    pub const CORE: ModuleId = ModuleId(0);
}

/// A user, for as long as there is one: when it is deleted, whoever was it becomes [`UserId::DEFAULT`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct UserId(pub u32);

impl UserId {
    /// The user that everybody is at first; it is never deleted.
    pub const DEFAULT: UserId = UserId(0);
}
