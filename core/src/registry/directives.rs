//! Lines of the configuration file that modules have taken over.

use crate::base::id::ModuleId;
use crate::settings::file::Directive;
use plinth_abi::bytes::Opaque;
use plinth_abi::directives::DirectiveWrite;

/// A name that a module has.
#[derive(Clone)]
pub struct Claim {
    /// Whose it is.
    pub module: ModuleId,
    /// In lower case.
    pub name: String,
    /// Tells the lines that the file is to have.
    pub write: DirectiveWrite,
    /// What that gets.
    pub data: Opaque,
}

/// All of them.
#[derive(Default)]
pub struct Directives {
    /// Lines that nobody knows yet, while the server starts.
    pub waiting: Vec<Directive>,
    /// Names that modules have.
    pub claims: Vec<Claim>,
}

impl Directives {
    /// Who has a name.
    pub fn claim(&self, name: &str) -> Option<&Claim> {
        self.claims.iter().find(|claim| claim.name == name)
    }

    /// The lines of a name, in order, which wait no longer.
    pub fn take_lines(&mut self, name: &str) -> Vec<Directive> {
        self.waiting.extract_if(.., |line| line.name == name).collect()
    }

    /// Forget the names of a module.
    pub fn remove_module(&mut self, module: ModuleId) {
        self.claims.retain(|claim| claim.module != module);
    }
}
