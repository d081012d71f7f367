#!/usr/bin/env bash
# tikv-jemallocator 0.7.0, tikv-jemalloc-ctl 0.7.0, tikv-jemalloc-sys 0.7.1, seen 2026-11-28.
#
# `stats.allocated` is described as the bytes that the application has allocated. Small blocks that were freed
# lie in the cache of the thread that freed them, and are counted as allocated all the same; so are blocks that
# jemalloc fetched into a cache with the first one of a size. A program that frees all it has sees the figure stay
# up until the caches are flushed (`thread.tcache.flush`); advancing `epoch`, which is what makes the figures
# new, does not do it.
#
# Why a good guess is wrong: the difference of two readings is taken for what a piece of code keeps, as a memory
# limit or a leak test does. It is off by up to the size of the caches, in either direction.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
mkdir "$dir/src"
cat > "$dir/Cargo.toml" <<'TOML'
[package]
name = "look"
version = "0.0.0"
edition = "2021"
[dependencies]
tikv-jemallocator = "=0.7.0"
tikv-jemalloc-ctl = { version = "=0.7.0", features = ["stats"] }
tikv-jemalloc-sys = "=0.7.1"
TOML
cat > "$dir/src/main.rs" <<'RS'
use tikv_jemalloc_ctl::{epoch, stats};
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
fn allocated() -> i64 {
    epoch::advance().unwrap();
    stats::allocated::read().unwrap() as i64
}
fn flush() {
    let none = std::ptr::null_mut();
    let done = unsafe { tikv_jemalloc_sys::mallctl(c"thread.tcache.flush".as_ptr(), none, none.cast(), none, 0) };
    assert_eq!(done, 0);
}
fn main() {
    let mut blocks: Vec<Box<[u8; 4096]>> = Vec::with_capacity(1000);
    flush();
    let before = allocated();
    for _ in 0..1000 {
        blocks.push(Box::new([1; 4096]));
    }
    let full = allocated() - before;
    blocks.clear();
    let freed = allocated() - before;
    flush();
    let flushed = allocated() - before;
    println!("1000 blocks of 4096: {full}; all freed: {freed}; the cache flushed: {flushed}");
    std::process::exit(i32::from(!(full >= 4_096_000 && freed >= 4096 && flushed <= 0)));
}
RS
cargo run --quiet --release --manifest-path "$dir/Cargo.toml"
