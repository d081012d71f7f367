//! Which modules are asked when a client says who it is.

use crate::base::id::ModuleId;
use plinth_abi::acl::AuthHook;
use plinth_abi::bytes::Opaque;

/// Most hooks of a module.
const OF_MODULE_MAX: usize = 16;

/// One that is asked.
#[derive(Clone, Copy)]
pub struct Asked {
    /// Whose it is.
    pub module: ModuleId,
    /// The function.
    pub hook: AuthHook,
    /// What it gets.
    pub data: Opaque,
}

/// All, in the order in which they are asked.
#[derive(Default)]
pub struct AuthHooks {
    all: Vec<Asked>,
}

impl AuthHooks {
    /// Add one; whether the module may have one more.
    pub fn add(&mut self, asked: Asked) -> bool {
        let has_room = self.all.iter().filter(|one| one.module == asked.module).count() < OF_MODULE_MAX;
        if has_room {
            self.all.push(asked);
        }
        has_room
    }

    /// Ask a module no more.
    pub fn remove_module(&mut self, module: ModuleId) {
        self.all.retain(|one| one.module != module);
    }

    /// All.
    pub fn list(&self) -> Vec<Asked> {
        self.all.clone()
    }
}
