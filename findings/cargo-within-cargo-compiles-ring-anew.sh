#!/usr/bin/env bash
# cargo 1.95.0 (rustup, stable) with ring 0.17.14 from crates.io, seen 2026-11-28.
#
# A program that cargo runs (`cargo run`, `cargo test`) and that calls `cargo build` itself, in the same target
# folder, with the same profile and features, finds everything fresh but ring and all that depends on it: ring's
# build script runs again and its C and assembly are compiled anew, once for each package whose program asks.
#
# Why a good guess is wrong: nothing has changed, and the two builds differ by nothing that was said to cargo.
# But ring's build script names CARGO_MANIFEST_DIR and CARGO_PKG_* in `rerun-if-env-changed`. cargo compares
# these with its own environment, not with what it gives to build scripts; by hand they are not set, while
# within `cargo run` they are those of the package that runs. Test harnesses that have cargo look whether a
# server is fresh then pay a minute for each package. Removing these variables before the inner call mends it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/src"; cd "$dir"
cat > Cargo.toml <<'TOML'
[package]
name = "asks"
version = "0.1.0"
edition = "2021"
[dependencies]
ring = "=0.17.14"
TOML
cat > src/main.rs <<'RUST'
use std::process::Command;

fn compiles_ring(strip: bool) -> bool {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap());
    cargo.args(["build", "--color", "never"]);
    for (name, _) in std::env::vars().filter(|_| strip) {
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name);
        }
    }
    let said = String::from_utf8(cargo.output().unwrap().stderr).unwrap();
    said.contains("Compiling ring v0.17.14")
}

fn main() {
    // Each state of the environment is asked for twice: once it is new, once it is as before.
    let seen = [false, false, true, true].map(compiles_ring);
    println!("within cargo: {} then {}; without its variables: {} then {}", seen[0], seen[1], seen[2], seen[3]);
    std::process::exit(i32::from(seen != [true, false, true, false]));
}
RUST
export CARGO_TARGET_DIR="$dir/target"
cargo build --quiet
cargo run --quiet
