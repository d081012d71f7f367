//! A second process with this one's memory as it is now, and its end.
//!
//! The child is this program with one thread, the one that forked. What other threads held at that
//! moment is held for ever in it: so it takes no lock that they take. Of the locks that it cannot avoid, the
//! allocator's and the C library's are seen to by their own handlers around a fork. It does not write
//! to the log (whose file has a lock), tells its parent instead, and ends by [`end`], which runs
//! nothing.

use std::io;

/// Who one is after a fork.
pub enum Fork {
    /// The parent; the child's process id.
    Parent(i32),
    /// The child.
    Child,
}

/// The signal by which a parent ends its child without that being an error.
pub const CANCEL: i32 = libc::SIGUSR1;

/// Fork.
///
/// In the child the only thread is the caller's. It may read memory, allocate, and use files; it may not log,
/// wait for a thread or lock what a thread of the parent locks, and it has to end by [`end`].
///
/// # Errors
/// Those of the system: no memory, too many processes.
pub fn fork() -> io::Result<Fork> {
    // SAFETY: the child goes on with the memory of this thread, all of which is in order because the thread is
    // here. Whatever else it touches is what the page above allows: the allocator, which has handlers that
    // make it whole in the child, and system calls. The one place that calls this keeps the child to it.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            begin_child();
            Ok(Fork::Child)
        }
        pid => Ok(Fork::Parent(pid)),
    }
}

/// What a child does first: signals end it as they end any process, but that of a terminal, which the parent
/// follows; and sockets are closed, so that a connection and a port are free when the parent lets them go.
fn begin_child() {
    // A thread may have held the log's lock when the process was copied.
    crate::base::log::set_level(usize::MAX);
    for (signal, action) in [
        (libc::SIGTERM, libc::SIG_DFL),
        (CANCEL, libc::SIG_DFL),
        (libc::SIGHUP, libc::SIG_IGN),
        (libc::SIGINT, libc::SIG_IGN),
    ] {
        // SAFETY: changes what the system does on a signal, and nothing of ours counts on the handlers here.
        unsafe { libc::signal(signal, action) };
    }
    let Ok(listed) = std::fs::read_dir("/proc/self/fd") else { return };
    let open: Vec<i32> = listed.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for descriptor in open.into_iter().filter(|descriptor| *descriptor > 2) {
        // SAFETY: `fstat` writes a whole struct where it succeeds, and the zeroes before are one too.
        let is_socket = unsafe {
            let mut status: libc::stat = std::mem::zeroed();
            libc::fstat(descriptor, &raw mut status) == 0 && status.st_mode & libc::S_IFMT == libc::S_IFSOCK
        };
        if is_socket {
            // SAFETY: whoever owns it in memory is never dropped nor used in the child, which ends by `end`.
            unsafe { libc::close(descriptor) };
        }
    }
}

/// End the child at once: nothing is dropped, flushed or called.
pub fn end(code: i32) -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(code) }
}
