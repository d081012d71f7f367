//! Sockets that are listened on already by whoever started the process: systemd's, which starts a service when
//! somebody connects. Protocol: <https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html>.
//!
//! ```text
//!   LISTEN_PID=this process   LISTEN_FDS=2   LISTEN_FDNAMES=plain:tls      descriptors 3 and 4
//! ```

use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// The first of the descriptors.
const FIRST: RawFd = 3;
/// Most of them that are taken.
const SOCKETS_MAX: RawFd = 64;

/// A socket, and what it is called there.
pub struct Handed {
    /// The socket.
    pub socket: OwnedFd,
    /// Its name, empty if it has none.
    pub name: String,
}

/// The sockets, at the first call; whoever takes them owns them.
pub fn take() -> Vec<Handed> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    let text = |name: &str| std::env::var(name).unwrap_or_default();
    // Variables that another process was meant by may have come down to this one.
    let is_meant = text("LISTEN_PID") == std::process::id().to_string();
    if !is_meant || TAKEN.swap(true, Ordering::Relaxed) {
        return Vec::new();
    }
    let count = text("LISTEN_FDS").parse::<RawFd>().unwrap_or(0).clamp(0, SOCKETS_MAX);
    let names = text("LISTEN_FDNAMES");
    let mut names = names.split(':');
    // More may be said than there are: what is no socket is nobody's, or another's.
    // SAFETY: a number is looked at, for the moment.
    let borrow = |descriptor: RawFd| unsafe { BorrowedFd::borrow_raw(descriptor) };
    let is_socket = |descriptor: &RawFd| rustix::net::sockopt::socket_type(borrow(*descriptor)).is_ok();
    let handed = (FIRST..FIRST + count).take_while(is_socket).map(|descriptor| {
        // SAFETY: whoever set the variables says that the descriptor is this process's, it is a socket, and nobody
        // else in it knows of it: no other socket is made before these are looked for; they are taken once.
        let socket = unsafe { OwnedFd::from_raw_fd(descriptor) };
        let _ = rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC);
        Handed { socket, name: names.next().unwrap_or_default().to_owned() }
    });
    handed.collect()
}
