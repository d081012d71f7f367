//! `cargo xtask clients`: programs over the clients of others, out of npm and PyPI, against Plinth and Redis.
//!
//! ```text
//! target/clients/node_modules/...    what npm installs of tests/clients/package-lock.json, running no scripts
//! target/clients/python/...          what pip installs of tests/clients/requirements.txt
//! ```
//!
//! The programs are in `tests/clients`, and what they print is compared by the tests there.

use std::path::Path;
use std::process::{Command, ExitCode};

/// Which programs.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Names of programs, as the tests have them, with commas between; all by default.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Install what they need, for `cargo test`, and run nothing.
    #[arg(long)]
    install: bool,
}

/// Programs that Node runs.
const NODE: &[&str] =
    &["bee_queue", "bullmq", "ioredis", "ioredis_session", "node_redis", "rate_limiter_flexible", "redlock"];
/// Programs that Python runs.
const PYTHON: &[&str] =
    &["celery", "dramatiq", "limits", "others", "redis_cli", "redis_py", "redis_py_cache", "redis_py_session", "rq"];

/// Installs what is missing, runs the programs and prints a line for each.
///
/// # Errors
/// For a name that is no program's, and when npm, pip or cargo cannot be run, or an installation fails.
pub(crate) fn run(args: Args) -> Result<ExitCode, String> {
    let all = [NODE, PYTHON].concat();
    if let Some(name) = args.only.iter().find(|name| !all.contains(&name.as_str())) {
        return Err(format!("there is no program '{name}'; there are {}", all.join(", ")));
    }
    let wanted =
        |programs: &[&str]| args.only.is_empty() || args.only.iter().any(|one| programs.contains(&one.as_str()));
    let root = crate::tidy::workspace()?;
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let (folder, sources) = (root.join(target).join("clients"), root.join("tests/clients"));
    std::fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    if wanted(NODE) {
        install_node(&sources, &folder)?;
    }
    if wanted(PYTHON) {
        install_python(&sources, &folder)?;
    }
    if args.install {
        return Ok(ExitCode::SUCCESS);
    }
    let status = crate::cargo::cargo()
        .current_dir(root)
        .args(["test", "--package", "plinth-tests", "--test", "clients", "--"])
        .args(["--nocapture", "--test-threads", "1", "--exact"])
        .args(&args.only)
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether a file is in the folder as it is among the sources, which says that what it names is installed.
fn is_installed(sources: &Path, folder: &Path, file: &str) -> bool {
    let read = |path: &Path| std::fs::read(path.join(file)).ok();
    read(folder).is_some_and(|there| Some(there) == read(sources))
}

fn copy(sources: &Path, folder: &Path, file: &str) -> Result<(), String> {
    std::fs::copy(sources.join(file), folder.join(file)).map(drop).map_err(|error| format!("{file}: {error}"))
}

fn succeed(command: &mut Command, what: &str) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{what} does not run: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{what} ended with {status}")) }
}

fn install_node(sources: &Path, folder: &Path) -> Result<(), String> {
    if is_installed(sources, folder, "package-lock.json") && folder.join("node_modules").exists() {
        return Ok(());
    }
    copy(sources, folder, "package.json")?;
    let _ = std::fs::remove_file(folder.join("package-lock.json"));
    let lock = folder.join("npm-shrinkwrap.json");
    std::fs::copy(sources.join("package-lock.json"), &lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    let mut npm = Command::new("npm");
    npm.current_dir(folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    succeed(&mut npm, "npm ci")?;
    copy(sources, folder, "package-lock.json")
}

fn install_python(sources: &Path, folder: &Path) -> Result<(), String> {
    if is_installed(sources, folder, "requirements.txt") {
        return Ok(());
    }
    let packages = folder.join("python");
    let _ = std::fs::remove_dir_all(&packages);
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target"]);
    pip.arg(&packages).arg("-r").arg(sources.join("requirements.txt"));
    // Root is who runs this in a container, and the folder is ours.
    pip.env("PIP_ROOT_USER_ACTION", "ignore");
    succeed(&mut pip, "pip install")?;
    copy(sources, folder, "requirements.txt")
}
