//! Programs over the clients of others, out of their registries: the clients themselves in every way in which they
//! speak, and queues, locks and rate limiters that live by scripts. Each runs a flow of its own against Plinth and
//! against Redis, and prints a line for each step. The lines are the same.
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

use plinth_testkit::{Server, TempDir, build, workspace};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// In what a program is written, which its file's name says.
#[derive(Clone, Copy)]
enum Language {
    Node,
    Python,
}

impl Language {
    fn of(program: &str) -> Language {
        if program.ends_with(".js") { Language::Node } else { Language::Python }
    }

    /// Where programs find the packages.
    fn packages(self) -> Option<PathBuf> {
        let folder = match self {
            Language::Node => "node_modules",
            Language::Python => "python",
        };
        let folder = build::profile_folder().parent()?.join("clients").join(folder);
        folder.exists().then_some(folder)
    }

    /// What runs a program.
    fn command(self, program: &str, packages: &Path) -> Command {
        let runtime = match self {
            Language::Node => "node",
            Language::Python => "python3",
        };
        let mut command = Command::new(runtime);
        command.arg(workspace().join("tests/clients").join(program));
        command.env("NODE_PATH", packages).env("PYTHONPATH", packages).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}

/// A folder with `server.crt` and `server.key`, of a server that is `localhost`, and who vouches for it, `ca.crt`.
fn certificates() -> TempDir {
    let mut params = CertificateParams::default();
    // By one name for both, the server's certificate would pass for one that it has signed itself.
    params.distinguished_name.push(DnType::CommonName, "An authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("made for a test"));
    let issuer = issuer.expect("made for a test");
    let key = KeyPair::generate().expect("made for a test");
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("made for a test");
    params.use_authority_key_identifier_extension = true;
    let folder = TempDir::new();
    folder.write("ca.crt", issuer.pem());
    folder.write("server.crt", params.signed_by(&key, &issuer).expect("made for a test").pem());
    folder.write("server.key", key.serialize_pem());
    folder
}

/// What a program prints against the server of a port.
fn said(program: &str, packages: &Path, certificates: &TempDir, port: u16) -> String {
    let output = Language::of(program)
        .command(program, packages)
        .arg(port.to_string())
        .env("CERTIFICATES", certificates.file("").trim_end_matches('/'))
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} against port {port}:\n{text}{errors}");
    text
}

/// Runs a program against Plinth and against a peer.
fn compare(program: &str, peer: &str) {
    let Some(packages) = Language::of(program).packages() else {
        return println!("WITHOUT {program}: its packages are not here (`cargo xtask clients`)");
    };
    let Some(redis) = peer::find(peer) else { return };
    let (plinth, certificates) = (Server::start(), certificates());
    let expected = said(program, &packages, &certificates, redis.port());
    let found = said(program, &packages, &certificates, plinth.port());
    let steps = expected.lines().count();
    assert!(steps > 3, "{program} does next to nothing:\n{expected}");
    for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert!(found == expected, "{program}, step {}\n  Plinth    {found}\n  {peer} {expected}", number + 1);
    }
    assert_eq!(found.lines().count(), steps, "{program}: {found}");
    println!("{program:<26} {steps:>3} steps, the same");
}

/// A test for each program.
macro_rules! programs {
    ($($name:ident: $program:literal $(with $peer:literal)?;)*) => {$(
        #[test]
        fn $name() {
            compare($program, [$($peer,)? "Redis 7.0"][0]);
        }
    )*};
}

programs! {
    bee_queue: "bee_queue.js";
    bullmq: "bullmq.js";
    celery: "celery_py.py";
    dramatiq: "dramatiq_py.py";
    ioredis: "ioredis.js";
    ioredis_session: "ioredis_session.js";
    limits: "limits_py.py";
    node_redis: "node_redis.js";
    others: "others_py.py";
    rate_limiter_flexible: "rate_limiter_flexible.js";
    redis_cli: "redis_cli.py";
    redis_py: "redis_py.py";
    // It asks for a version of at least 7.4.
    redis_py_cache: "redis_py_cache.py" with "Redis 8.2";
    redis_py_session: "redis_py_session.py";
    redlock: "redlock.js";
    rq: "rq_py.py";
}
