//! Programs of others that live by scripts: queues, locks and rate limiters out of their registries, each of which runs
//! a flow of its own against Plinth and against Redis 7.0, and prints a line for each step. The lines are the same.
//! [`sentinel`] has clients that ask Sentinels.
//!
//! `cargo xtask clients` installs what they need in `target/clients`, in the versions of `package-lock.json` and
//! `requirements.txt`, and runs this. Without it a test says what it did without.

#[allow(dead_code, reason = "of peers only the start is of use here")]
#[path = "../interop/peer.rs"]
mod peer;
mod sentinel;
#[allow(dead_code, reason = "files of Sentinels are looked at elsewhere")]
#[path = "../interop/watched.rs"]
mod watched;

use plinth_testkit::{Server, build, workspace};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Where programs find the packages.
fn packages(kind: &str) -> Option<PathBuf> {
    let folder = build::profile_folder().parent()?.join("clients").join(kind);
    folder.exists().then_some(folder)
}

/// What a program prints against the server of a port.
fn said(program: &str, packages: &PathBuf, port: u16) -> String {
    let runtime = if program.ends_with(".js") { "node" } else { "python3" };
    let output = Command::new(runtime)
        .arg(workspace().join("tests/clients").join(program))
        .arg(port.to_string())
        .env("NODE_PATH", packages)
        .env("PYTHONPATH", packages)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{runtime}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} against port {port}:\n{text}{errors}");
    text
}

fn compare(program: &str) {
    let kind = if program.ends_with(".js") { "node_modules" } else { "python" };
    let Some(packages) = packages(kind) else {
        return println!("WITHOUT {program}: its packages are not here (`cargo xtask clients`)");
    };
    let Some(redis) = peer::find("Redis 7.0") else { return };
    let plinth = Server::start();
    let expected = said(program, &packages, redis.port());
    let found = said(program, &packages, plinth.port());
    let steps = expected.lines().count();
    assert!(steps > 3, "{program} does next to nothing:\n{expected}");
    for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert!(found == expected, "{program}, step {}\n  Plinth    {found}\n  Redis 7.0 {expected}", number + 1);
    }
    assert_eq!(found.lines().count(), steps, "{program}: {found}");
    println!("{program:<26} {steps:>3} steps, the same");
}

/// A test for each program.
macro_rules! programs {
    ($($name:ident: $program:literal;)*) => {$(
        #[test]
        fn $name() {
            compare($program);
        }
    )*};
}

programs! {
    bee_queue: "bee_queue.js";
    bullmq: "bullmq.js";
    celery: "celery_py.py";
    dramatiq: "dramatiq_py.py";
    ioredis: "ioredis.js";
    limits: "limits_py.py";
    rate_limiter_flexible: "rate_limiter_flexible.js";
    redis_py: "redis_py.py";
    redlock: "redlock.js";
    rq: "rq_py.py";
}
