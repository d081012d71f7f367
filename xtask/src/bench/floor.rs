//! What the kernel takes: simple commands against a loop that is no server.
//!
//! The loop receives, counts the commands in what came by their first byte, and sends as many
//! constant replies: one `epoll_wait`, one `recv` and one `send` a round trip, and nothing to
//! save. Its share of the best peer's figure is the least that a server of one thread can reach
//! with these system calls on this machine, so it says how much of a row is anybody's to win:
//! `table.rs` eases the bar of a row that leaves next to nothing.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::epoll;

use super::workload::Workload;
use super::{cpu, cputime, pin};

/// Bytes read at once, as many as a server reads.
const READ_BYTES: usize = 16 * 1024;
/// Workloads, and what the loop answers each command of theirs.
const REPLIES: [(&str, &[u8]); 11] = [
    ("PING", b"+PONG\r\n"),
    ("GET", b"$3\r\nxxx\r\n"),
    ("SET", b"+OK\r\n"),
    ("SETBIT", b":1\r\n"),
    ("GETBIT", b":1\r\n"),
    ("INCR", b":1000000000001\r\n"),
    ("XADD, 2 fields, MAXLEN ~", b"$20\r\n1700000000000-100000\r\n"),
    ("SETBIT in 1 MiB", b":1\r\n"),
    ("GETBIT in 1 MiB", b":1\r\n"),
    ("PFADD to a dense key", b":0\r\n"),
    ("PFADD to 1M keys", b":1\r\n"),
];
const LISTENER: u64 = u64::MAX;

/// Answers a command of [`REPLIES`], and everything else likewise, until it is killed.
///
/// # Errors
/// When the command, the port or the kernel's readiness queue is not to be had.
pub(crate) fn serve(port: u16, command: &str) -> Result<(), String> {
    let reply = REPLIES.iter().find(|(name, _)| *name == command).ok_or("the bare loop has no such command")?.1;
    let text = |error: std::io::Error| format!("the bare loop: {error}");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(text)?;
    listener.set_nonblocking(true).map_err(text)?;
    let queue = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(|error| text(error.into()))?;
    let watch = |socket: &dyn AsFd, token: u64| {
        epoll::add(&queue, socket.as_fd(), epoll::EventData::new_u64(token), epoll::EventFlags::IN)
            .map_err(|error| text(error.into()))
    };
    watch(&listener, LISTENER)?;
    let mut streams: HashMap<u64, TcpStream> = HashMap::new();
    let replies = reply.repeat(READ_BYTES);
    let mut buffer = vec![0; READ_BYTES];
    let mut events = Vec::with_capacity(1024);
    for token in 0.. {
        events.clear();
        epoll::wait(&queue, rustix::buffer::spare_capacity(&mut events), None).map_err(|error| text(error.into()))?;
        for event in &events {
            let from = event.data.u64();
            if from == LISTENER {
                if let Ok((stream, _)) = listener.accept() {
                    stream.set_nonblocking(true).map_err(text)?;
                    stream.set_nodelay(true).map_err(text)?;
                    watch(&stream, token)?;
                    streams.insert(token, stream);
                }
            } else if !streams.get_mut(&from).is_some_and(|stream| answer(stream, &mut buffer, &replies, reply.len())) {
                streams.remove(&from);
            }
        }
    }
    Ok(())
}

/// Answers what has come; false when the connection is over.
fn answer(stream: &mut TcpStream, buffer: &mut [u8], replies: &[u8], reply_len: usize) -> bool {
    match stream.read(buffer) {
        Ok(0) => false,
        Ok(count) => {
            let commands = buffer[..count].iter().filter(|byte| **byte == b'*').count();
            stream.write(&replies[..commands * reply_len]).is_ok()
        }
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}

/// The loop as a process on the server's core.
pub(crate) struct Loop {
    child: Child,
    address: SocketAddr,
}

impl Loop {
    /// Starts the loop for a workload whose replies it knows.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn start(workload: &Workload) -> Result<Option<Loop>, String> {
        if !REPLIES.iter().any(|(name, _)| *name == workload.name) {
            return Ok(None);
        }
        let address = super::server::free_address()?;
        let own = std::env::current_exe().map_err(|error| format!("where am I? {error}"))?;
        let mut command = Command::new(own);
        command.args(["bare-loop", &address.port().to_string(), workload.name]).stdin(Stdio::null());
        let bare = Loop { child: pin::spawn_on_server_core(&mut command)?, address };
        for _ in 0..200 {
            if TcpStream::connect(address).is_ok() {
                return Ok(Some(bare));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err("the bare loop does not listen".to_owned())
    }

    /// Its processor nanoseconds per command, over one run.
    ///
    /// # Errors
    /// When the driver or the loop fails as a process.
    pub(crate) fn run(&self, workload: &Workload, pipeline: u64, commands: u64) -> Result<f64, String> {
        let before = cputime::process_ns(self.child.id())?;
        if let Some(complaint) = cpu::send(self.address, workload, pipeline, commands)? {
            return Err(complaint);
        }
        std::thread::sleep(Duration::from_millis(20));
        Ok((cputime::process_ns(self.child.id())? - before) as f64 / commands as f64)
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
