//! `cargo xtask new-module NAME`: a module that builds, loads and passes its tests, to begin with.
//!
//! It has one data type and two commands, unit tests on the server's core within the test, a test that
//! loads it into the real server, and a README. Inside the workspace it becomes a member; outside (`--path`) it
//! is a workspace of its own that finds the SDK and the testbed by path, which is how a third party begins.
//!
//! `--try` makes one in the target folder, runs its tests, and removes it: that the template works
//! is tested like everything else.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What to make, and where.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Its name: lower-case letters, digits and dashes.
    #[arg(required_unless_present = "try_one")]
    name: Option<String>,
    /// The folder in which its own is made.
    #[arg(long, value_name = "DIR", default_value = "examples")]
    path: PathBuf,
    /// Make one in the target folder, test it and remove it.
    #[arg(long = "try")]
    try_one: bool,
}

const FILES: [(&str, &str); 5] = [
    ("Cargo.toml", include_str!("template/Cargo.toml.txt")),
    ("README.md", include_str!("template/README.md.txt")),
    ("src/lib.rs", include_str!("template/lib.rs.txt")),
    ("src/commands/mod.rs", include_str!("template/commands.rs.txt")),
    ("tests/wire.rs", include_str!("template/wire.rs.txt")),
];

/// Makes the module and says what to do next.
///
/// # Errors
/// When the name cannot be one, the folder exists, or a file cannot be written.
pub(crate) fn run(args: Args) -> Result<ExitCode, String> {
    let root = crate::tidy::workspace()?;
    if args.try_one {
        return try_one(&root);
    }
    let name = args.name.unwrap_or_default();
    let path = if args.path.is_absolute() { args.path } else { root.join(args.path) };
    let folder = make(&root, &path, &name)?;
    if let Ok(member) = folder.strip_prefix(&root) {
        let manifest = root.join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).map_err(|error| format!("Cargo.toml: {error}"))?;
        let text = with_member(&text, &member.display().to_string())?;
        std::fs::write(&manifest, text).map_err(|error| format!("Cargo.toml: {error}"))?;
    }
    println!("new-module: {} is there. Next:\n\n    cargo test -p {name}", folder.display());
    println!("    plinth-server --loadmodule <target>/debug/lib{}.so", name.replace('-', "_"));
    Ok(ExitCode::SUCCESS)
}

/// Writes a module's files; its folder.
fn make(root: &Path, parent: &Path, name: &str) -> Result<PathBuf, String> {
    let fits = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.len() <= 40
        && name.chars().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '-')
        && !name.ends_with('-');
    if !fits {
        return Err(format!("'{name}' is not a name: lower-case letters, digits and dashes, a letter first"));
    }
    let folder = parent.join(name);
    if folder.exists() {
        return Err(format!("{} exists already", folder.display()));
    }
    let inside = folder.starts_with(root) && !folder.starts_with(root.join("target"));
    for (file, template) in FILES {
        let path = folder.join(file);
        let text = filled(template, name, root, inside);
        path.parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(folder)
}

/// A template with its `{{places}}` filled.
fn filled(template: &str, name: &str, root: &Path, inside: bool) -> String {
    let mut manifest = [
        "version.workspace = true\nedition.workspace = true\nrust-version.workspace = true\nlicense.workspace = true\npublish.workspace = true\n\n[lints]\nworkspace = true".to_owned(),
        "plinth-module.workspace = true".to_owned(),
        "plinth-testbed.workspace = true\nplinth-tests.workspace = true".to_owned(),
    ];
    let mut own = String::new();
    if !inside {
        let at = |folder: &str| root.join(folder).display().to_string();
        manifest = [
            "version = \"0.1.0\"\nedition = \"2024\"\npublish = false".to_owned(),
            format!("plinth-module = {{ path = \"{}\" }}", at("module-api/sdk")),
            format!(
                "plinth-testbed = {{ path = \"{}\" }}\nplinth-tests = {{ path = \"{}\" }}",
                at("module-api/testbed"),
                at("tests")
            ),
        ];
        let _ = write!(own, "\n[workspace]\n");
    }
    template
        .replace("{{package}}", &manifest[0])
        .replace("{{sdk}}", &manifest[1])
        .replace("{{testkit}}", &manifest[2])
        .replace("{{workspace}}", &own)
        .replace("{{library}}", &name.replace('-', "_"))
        .replace("{{Type}}", &type_name(name))
        .replace("{{name}}", name)
}

/// `ring-buffer` as `RingBuffer`.
fn type_name(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    name.split('-').map(word).collect()
}

/// The workspace's manifest with one more member, in order after its neighbours.
fn with_member(manifest: &str, member: &str) -> Result<String, String> {
    let line = format!("    \"{member}\",");
    let mut lines: Vec<&str> = manifest.lines().collect();
    if lines.contains(&line.as_str()) {
        return Ok(manifest.to_owned());
    }
    let begin = lines.iter().position(|line| *line == "members = [").ok_or("Cargo.toml has no list of members")?;
    let end = begin + lines[begin..].iter().position(|line| *line == "]").ok_or("the list of members has no end")?;
    let folder = format!("    \"{}/", member.split('/').next().unwrap_or_default());
    let neighbours: Vec<usize> = (begin + 1..end).filter(|at| lines[*at].starts_with(&folder)).collect();
    let first_behind = neighbours.iter().find(|at| lines[**at] > line.as_str()).copied();
    let at = first_behind.or(neighbours.last().map(|at| at + 1)).unwrap_or(end);
    lines.insert(at, &line);
    Ok(lines.join("\n") + "\n")
}

/// Makes a module, runs its tests against the server that is built, and removes it.
fn try_one(root: &Path) -> Result<ExitCode, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let profile = own.parent().ok_or("this program is nowhere")?;
    let parent = profile.join("new-module");
    let _ = std::fs::remove_dir_all(parent.join("sample-thing"));
    let folder = make(root, &parent, "sample-thing")?;
    // The same versions as ours, so that nothing has to be fetched.
    std::fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).map_err(|error| error.to_string())?;
    let run = |folder: &Path, args: &[&str]| {
        let mut command = crate::cargo::cargo();
        command.current_dir(folder).args(args).env("PLINTH_SERVER", profile.join("plinth-server"));
        command.status().map(|status| status.success()).map_err(|error| format!("cargo: {error}"))
    };
    let target = profile.parent().unwrap_or(profile).display().to_string();
    // With a test selected, as the tests' own harness does it and for its reason.
    let server =
        ["build", "--quiet", "--workspace", "--bin", "plinth-server", "--test", "abi", "--target-dir", &target];
    let beside = parent.join("target").display().to_string();
    let tested = run(root, &server)? && run(&folder, &["test", "--offline", "--target-dir", &beside])?;
    let _ = std::fs::remove_dir_all(&folder);
    println!("new-module: a fresh module {} its tests", if tested { "passes" } else { "FAILS" });
    Ok(if tested { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_goes_among_its_neighbours() {
        let manifest = "[workspace]\nmembers = [\n    \"core\",\n    \"examples/b\",\n    \"xtask\",\n]\n";
        let with = |member: &str| with_member(manifest, member).unwrap();
        assert_eq!(
            with("examples/a"),
            manifest.replace("    \"examples/b\"", "    \"examples/a\",\n    \"examples/b\"")
        );
        assert_eq!(with("examples/c"), manifest.replace("    \"xtask\"", "    \"examples/c\",\n    \"xtask\""));
        assert_eq!(with("other/c"), manifest.replace("    \"xtask\",", "    \"xtask\",\n    \"other/c\","));
        assert_eq!(with("examples/b"), manifest);
    }

    #[test]
    fn a_template_has_no_places_left() {
        let folder = tempfile::tempdir().unwrap();
        let root = crate::tidy::workspace().unwrap();
        let made = make(&root, folder.path(), "ring-buffer").unwrap();
        for (file, _) in FILES {
            let text = std::fs::read_to_string(made.join(file)).unwrap();
            assert!(!text.contains("{{") && !text.is_empty(), "{file}:\n{text}");
        }
        let text = std::fs::read_to_string(made.join("src/lib.rs")).unwrap();
        assert!(text.contains("struct RingBuffer"), "{text}");
        assert!(make(&root, folder.path(), "ring-buffer").is_err());
        for name in ["", "Ring", "1ring", "ring_buffer", "../ring", "ring-"] {
            assert!(make(&root, folder.path(), name).is_err(), "{name}");
        }
    }
}
