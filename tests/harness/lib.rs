//! The harness: starts the real server, talks RESP to it, compiles modules in C.
//!
//! ```no_run
//! use plinth_testkit::{Server, assert_wire};
//!
//! let server = Server::start();
//! let mut client = server.connect();
//! assert_wire(&mut client, &["SET", "a", "1"], b"+OK\r\n");
//! ```
//!
//! - [`server`]: one server process, on a free port, in a folder of its own, ended on drop.
//! - [`build`]: where the executable is, and that it is fresh.
//! - [`client`]: commands or bytes out, exactly one reply in.
//! - [`reply`]: where a reply ends, and a reply as a tree for those who want a part of it.
//! - [`data`]: values of every type and encoding.
//! - [`cc`]: C modules, against the public headers only.
//! - [`append`]: what an append-only file holds.
//! - [`proxy`]: a way between two servers that can be bad.
//! - [`temp`]: folders that are removed.
//!
//! It uses the standard library only, so that a module's `tests/wire.rs` can depend on it without
//! a cost. Everything in it panics with a reason: what fails here fails the test.

pub mod append;
pub mod build;
pub mod cc;
pub mod client;
pub mod data;
pub mod proxy;
pub mod reply;
pub mod server;
pub mod temp;

pub use client::{Client, assert_wire};
pub use reply::Reply;
pub use server::Server;
pub use temp::TempDir;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Wait until something is so; panics with `what` when it does not come.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "gave up waiting until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
