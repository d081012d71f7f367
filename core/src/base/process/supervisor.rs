//! Who looks after the process, and is told how it stands: systemd by a datagram, upstart by a stop.
//! Protocol: <https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html>.

use rustix::process::{Signal, getpid, kill_process};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Where systemd listens, in the environment.
const SOCKET: &str = "NOTIFY_SOCKET";
/// What upstart started, in the environment.
const JOB: &str = "UPSTART_JOB";

/// Who looks after the process.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Supervisor {
    /// Nobody.
    #[default]
    None,
    /// upstart, which waits until the process stops itself.
    Upstart,
    /// systemd.
    Systemd,
}

impl Supervisor {
    /// Who it is by the parameter's name, found out by the environment for `auto`; nobody where the environment
    /// does not say how to reach it, of which the log tells.
    pub fn named(name: &str) -> Supervisor {
        let is_set = |name| std::env::var_os(name).is_some();
        match name {
            "systemd" | "auto" if is_set(SOCKET) => Supervisor::Systemd,
            "upstart" | "auto" if is_set(JOB) => Supervisor::Upstart,
            "systemd" => missing(name, SOCKET),
            "upstart" => missing(name, JOB),
            _ => Supervisor::None,
        }
    }

    /// Its name, `no` for nobody's.
    pub fn name(self) -> &'static str {
        match self {
            Supervisor::None => "no",
            Supervisor::Upstart => "upstart",
            Supervisor::Systemd => "systemd",
        }
    }

    /// The process has begun, and does not serve yet.
    pub fn begun(self) {
        match self {
            Supervisor::Upstart => {
                crate::base::log::notice("supervised by upstart, will stop to signal readiness");
                let _ = kill_process(getpid(), Signal::STOP);
            }
            Supervisor::Systemd => {
                crate::base::log::notice(
                    "supervised by systemd. Please make sure you set appropriate values for TimeoutStartSec and TimeoutStopSec in your service unit.",
                );
            }
            Supervisor::None => {}
        }
    }

    /// Tell how it stands, in lines of `NAME=value`.
    pub fn tell(self, lines: &str) {
        if self == Supervisor::Systemd
            && let Err(error) = send(lines)
        {
            crate::base::log::warning(&format!("systemd cannot be told: {error}"));
        }
    }
}

fn missing(name: &str, variable: &str) -> Supervisor {
    crate::base::log::warning(&format!("{name} supervision requested, but {variable} not found"));
    Supervisor::None
}

fn send(lines: &str) -> std::io::Result<()> {
    let path = std::env::var(SOCKET).map_err(std::io::Error::other)?;
    let address = match path.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(&path)?,
    };
    let socket = UnixDatagram::unbound()?;
    // Nobody waits for who does not listen.
    socket.set_nonblocking(true)?;
    socket.send_to_addr(lines.as_bytes(), &address).map(|_| ())
}
