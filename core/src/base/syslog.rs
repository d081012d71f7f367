//! The system's log: a datagram a line, to who listens at `/dev/log`. Nobody waits for it: what it does not take
//! is lost. Format: RFC 3164, as every local daemon takes it.

use std::os::unix::net::UnixDatagram;
use std::path::Path;

/// Where it listens.
pub const PATH: &str = "/dev/log";
/// Bytes of a line, of which more is left out.
const LINE_BYTES_MAX: usize = 1024;
/// Severities of lines by level, debug to warning.
const SEVERITIES: [u32; 4] = [7, 6, 5, 4];
/// The first of the facilities `local0` to `local7`, which stand behind `user`.
const LOCAL0: u32 = 16;
const USER: u32 = 1;

/// A connection to it.
#[derive(Debug)]
pub struct Syslog {
    socket: UnixDatagram,
    ident: String,
    facility: u32,
}

impl Syslog {
    /// Speak to who listens at a path, under a name, as a facility: 0 for `user`, 1 to 8 for `local0` to `local7`.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn connect(path: &Path, ident: &str, facility: usize) -> std::io::Result<Syslog> {
        let socket = UnixDatagram::unbound()?;
        socket.connect(path)?;
        socket.set_nonblocking(true)?;
        let facility = u32::try_from(facility).ok().and_then(|at| at.checked_sub(1)).map_or(USER, |at| LOCAL0 + at);
        Ok(Syslog { socket, ident: ident.to_owned(), facility })
    }

    /// Write a line at a level, 0 (debug) to 3 (warning), with a time such as `Nov 28 09:05:03`.
    pub fn write(&self, level: usize, time: &str, text: &str) {
        let priority = self.facility * 8 + SEVERITIES[level.min(3)];
        let mut line = format!("<{priority}>{time} {}[{}]: {text}", self.ident, std::process::id());
        let mut len = line.len().min(LINE_BYTES_MAX);
        while !line.is_char_boundary(len) {
            len -= 1;
        }
        line.truncate(len);
        let _ = self.socket.send(line.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_carries_its_priority_and_who_writes_it() {
        let path = std::env::temp_dir().join(format!("plinth-syslog-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = UnixDatagram::bind(&path).unwrap();
        let log = Syslog::connect(&path, "me", 3).unwrap();
        let said = |level, text: &str| {
            log.write(level, "Nov 28 09:05:03", text);
            let mut bytes = [0; 2000];
            let count = listener.recv(&mut bytes).unwrap();
            String::from_utf8(bytes[..count].to_vec()).unwrap()
        };
        // 18 is `local2`, 5 a notice.
        assert_eq!(said(2, "hello"), format!("<149>Nov 28 09:05:03 me[{}]: hello", std::process::id()));
        assert!(said(3, "x").starts_with("<148>"));
        assert!(said(0, &"é".repeat(LINE_BYTES_MAX)).len().abs_diff(LINE_BYTES_MAX) <= 1);
        std::fs::remove_file(&path).unwrap();
    }
}
