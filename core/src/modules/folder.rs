//! Where modules are looked for that load by themselves.

use crate::engine::server::Server;
use std::path::{Path, PathBuf};

/// A module that does not load by itself: the start option is named like it.
pub const SENTINEL: &str = "sentinel";

/// What stands for the path of a module that has no library.
pub const LINKED: &str = "linked";

/// The module's name, if a file is named as first-party modules are.
pub fn first_party(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()?.strip_prefix("libplinth_")?.strip_suffix(".so")
}

/// Whether a module's library is one that is found without being named.
pub fn loads_by_itself(server: &Server, path: &Path) -> bool {
    path == Path::new(LINKED)
        || first_party(path).is_some()
            && path.parent().is_some_and(|at| module_folders(server).iter().any(|folder| folder == at))
}

/// Where modules are looked for.
pub fn module_folders(server: &Server) -> Vec<PathBuf> {
    let beside = server.executable.parent().unwrap_or(Path::new(".")).to_owned();
    if server.settings.module_dir.is_empty() {
        vec![beside.join("modules"), beside.join("deps"), beside]
    } else {
        vec![PathBuf::from(&server.settings.module_dir)]
    }
}
