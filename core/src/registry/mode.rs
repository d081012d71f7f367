//! What a module has made of the server: one that does something else than keep data.

use crate::base::id::ModuleId;
use plinth_abi::command::Command;
use std::collections::HashSet;

/// It.
pub struct Mode {
    /// Whose it is.
    pub module: ModuleId,
    /// Its name.
    pub name: String,
    /// Commands that stay, in lower case.
    pub commands: HashSet<String>,
    /// Commands that take the place of others.
    pub instead: Vec<Command>,
    /// Sections of INFO that are shown, in lower case.
    pub sections: Vec<String>,
}
