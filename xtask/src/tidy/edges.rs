//! Which crate may depend on which.
//!
//! ```text
//!   abi   table   pack   lzf    nothing of ours
//!    ^      ^      ^      ^
//!    +------+-- sdk +-----+     abi, table, pack, lzf
//!                ^
//!   modules, examples     sdk; a module, the crate of its own commands; an example, crates of
//!                         other examples and of modules' commands; modules of tests, the latter
//!
//!   core                  abi, table, lzf; the modules only to have them built, never in its code
//!   testbed               core, sdk, abi
//!   checker of files      core, pack
//! ```
//!
//! Nobody depends on the core but the testbed and the checker, which reads files by the core's readers, and nobody on the testbed but tests: a module's run on
//! the core within their own process. What tests a server from outside starts it (`plinth-tests`).

use super::Fault;
use super::source::File;
use std::path::Path;

/// A crate of the workspace.
struct Crate {
    name: String,
    /// Its folder from the workspace's root.
    folder: String,
    /// Crates of the workspace that it depends on.
    depends: Vec<String>,
}

/// Checks the edges that cargo knows, and the names that the core's code uses.
///
/// # Errors
/// When cargo does not answer.
pub(super) fn check(root: &Path, files: &[File]) -> Result<Vec<Fault>, String> {
    let normal = crates(&tree(root, "normal,build")?, root);
    let dev = crates(&tree(root, "dev")?, root);
    let mut faults = Vec::new();
    for one in &normal {
        let wrong = one.depends.iter().filter(|to| !may_depend(one, to, &normal));
        faults.extend(wrong.map(|to| fault(one, to, "such an edge is not in the architecture")));
    }
    for one in &dev {
        let to_core = one.depends.iter().filter(|to| *to == "plinth" && one.name != "plinth");
        faults.extend(to_core.map(|to| fault(one, to, "a module's tests use the testbed, others start the server")));
    }
    faults.extend(uses_of_modules(&normal, files));
    Ok(faults)
}

fn tree(root: &Path, edges: &str) -> Result<String, String> {
    let args = ["tree", "--workspace", "--prefix", "depth", "--depth", "1", "--format", " {p}", "--edges", edges];
    let output = crate::cargo::cargo()
        .current_dir(root)
        .args(args)
        .output()
        .map_err(|error| format!("cargo tree does not run: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo tree: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Reads lines such as `0 plinth v0.1.0 (/path/core)`, each followed by its dependencies' with 1.
fn crates(tree: &str, root: &Path) -> Vec<Crate> {
    let root = format!("{}/", root.display());
    let mut all: Vec<Crate> = Vec::new();
    for line in tree.lines() {
        let Some((depth, package)) = line.split_once(' ') else { continue };
        let name = package.split(' ').next().unwrap_or_default().to_owned();
        let inside = package.split_once(&root).map(|(_, rest)| rest.split(')').next().unwrap_or_default().to_owned());
        let Some(folder) = inside else { continue };
        match depth {
            "0" => all.push(Crate { name, folder, depends: Vec::new() }),
            _ => {
                if let Some(one) = all.last_mut() {
                    one.depends.push(name);
                }
            }
        }
    }
    all
}

/// What the SDK puts together.
const LIBRARIES: [&str; 4] = ["plinth-abi", "plinth-table", "plinth-pack", "plinth-lzf"];

/// What reads the server's files as the server does.
const CHECKER: &str = "plinth-check";

/// The server within a test.
const TESTBED: &str = "plinth-testbed";

fn may_depend(one: &Crate, to: &str, all: &[Crate]) -> bool {
    let in_folder = |folder: &str| all.iter().any(|other| other.name == to && other.folder.starts_with(folder));
    match one.folder.split('/').next().unwrap_or_default() {
        "core" => ["plinth-abi", "plinth-table", "plinth-lzf"].contains(&to) || in_folder("modules/"),
        "modules" => to == "plinth-module" || in_folder(&format!("{}/commands", one.folder)),
        "examples" => to == "plinth-module" || in_folder("examples/") || is_commands(to, all),
        "tests" => to == "plinth-module" || is_commands(to, all),
        "xtask" => to == "plinth-table",
        "tools" if one.name == CHECKER => ["plinth", "plinth-pack"].contains(&to),
        "tools" => to == "plinth-fuzz",
        "module-api" if one.name == TESTBED => ["plinth", "plinth-module", "plinth-abi"].contains(&to),
        "module-api" => one.name == "plinth-module" && LIBRARIES.contains(&to),
        _ => false,
    }
}

/// Whether a crate is the commands of a type, which others may put over a storage of theirs.
fn is_commands(name: &str, all: &[Crate]) -> bool {
    all.iter().any(|one| one.name == name && one.folder.starts_with("modules/") && one.folder.ends_with("/commands"))
}

fn fault(one: &Crate, to: &str, advice: &str) -> Fault {
    let path = format!("{}/Cargo.toml", one.folder);
    Fault { rule: "edges", path, line: 0, word: format!("{} -> {to}", one.name), advice: advice.into() }
}

/// Names of the SDK's and the modules' crates in the core's code.
fn uses_of_modules(all: &[Crate], files: &[File]) -> Vec<Fault> {
    let outside = |one: &&Crate| one.name == "plinth-module" || one.folder.starts_with("modules/");
    let names: Vec<String> = all.iter().filter(outside).map(|one| one.name.replace('-', "_")).collect();
    let core = files.iter().filter(|file| file.path.starts_with("core/src/"));
    core.flat_map(|file| {
        let found = file.words.iter().filter(|word| word.is_name && names.contains(&word.text));
        found.map(|word| Fault {
            rule: "edges",
            path: file.path.clone(),
            line: word.line,
            word: word.text.clone(),
            advice: "the core never uses the SDK or a module's code".into(),
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "0 plinth v0.1.0 (/w/core)\n1 mio v1.2.1\n1 plinth-string v0.1.0 (/w/modules/string)\n\
        1 plinth-module v0.1.0 (/w/module-api/sdk)\n\n0 plinth-string v0.1.0 (/w/modules/string)\n\
        1 plinth v0.1.0 (/w/core)\n\n0 plinth-testbed v0.1.0 (/w/module-api/testbed)\n1 plinth v0.1.0 (/w/core)\n";

    #[test]
    fn edges_are_read_and_judged() {
        let all = crates(TREE, Path::new("/w"));
        assert_eq!((all.len(), all[0].depends.len()), (3, 2));
        assert!(may_depend(&all[0], "plinth-string", &all));
        assert!(!may_depend(&all[0], "plinth-module", &all));
        assert!(!may_depend(&all[1], "plinth", &all) && !may_depend(&all[1], TESTBED, &all));
        assert!(may_depend(&all[2], "plinth", &all) && !may_depend(&all[2], "plinth-string", &all));
    }
}
