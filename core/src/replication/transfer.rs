//! Sending a snapshot: a thread copies it from the file or the pipe to the sockets, and the loop does nothing
//! of it.
//!
//! ```text
//!   child ── pipe ──┐                    ┌── socket of a replica
//!                   ├── a thread's copy ─┼── socket
//!   file ───────────┘                    └── socket         what became of each ──> Post ──> the loop
//! ```
//!
//! The thread has sockets of its own, which lead to the same connections; meanwhile the loop writes nothing to
//! them. It waits for a slow one up to `repl-timeout`; who fails is left out. The loop ends a transfer by
//! shutting the connection down, at which the thread's write fails.

use crate::session::resume::Resumes;
use crate::socket::tls::session::Session;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs::File;
use std::io::{ErrorKind, IoSlice, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Bytes that are copied at a time.
const COPY_BYTES: usize = 64 * 1024;
/// Longest wait without a look at the time that is allowed.
const POLL_MS: u64 = 200;

/// What a thread says.
#[derive(Debug)]
pub enum Word {
    /// A client was sent a whole file.
    Sent(u64),
    /// A client could not be sent more, and why.
    Lost(u64, String),
    /// A pipe of this round has ended, or nobody reads it any more.
    PipeEnded(u64),
}

/// Where threads leave their words for the loop.
#[derive(Default)]
pub struct Post {
    words: Mutex<Vec<Word>>,
    any: AtomicBool,
    /// Milliseconds that a write may wait.
    timeout_ms: AtomicU64,
}

impl Post {
    /// Whether there is a word.
    pub fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// All words, which are taken away.
    pub fn take(&self) -> Vec<Word> {
        self.any.store(false, Ordering::Relaxed);
        std::mem::take(&mut *self.words.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How long a write may wait from now on.
    pub fn set_timeout(&self, timeout: Duration) {
        self.timeout_ms.store(timeout.as_millis() as u64, Ordering::Relaxed);
    }

    fn put(&self, word: Word, resumes: &Resumes) {
        self.words.lock().unwrap_or_else(PoisonError::into_inner).push(word);
        self.any.store(true, Ordering::Release);
        resumes.wake();
    }
}

/// A replica that is sent something.
pub struct Target {
    /// Id of its client.
    pub client: u64,
    /// A handle of its socket, which does not block.
    pub socket: OwnedFd,
    /// The session, if TLS is spoken on it.
    pub session: Option<Session>,
}

/// A socket as something that is written to.
struct Raw<'s>(&'s OwnedFd);

impl Write for Raw<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(rustix::io::write(self.0, bytes)?)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Target {
    /// Write some bytes, or with none what is encrypted and waits.
    fn write(&self, bytes: &[u8]) -> std::io::Result<usize> {
        match &self.session {
            Some(session) if bytes.is_empty() => session.push_out(&mut Raw(&self.socket)).map(|()| 0),
            Some(session) => match session.write(&[IoSlice::new(bytes)], &mut Raw(&self.socket)) {
                Ok(0) => Err(ErrorKind::WriteZero.into()),
                other => other,
            },
            None if bytes.is_empty() => Ok(0),
            None => match Raw(&self.socket).write(bytes) {
                Ok(0) => Err(ErrorKind::WriteZero.into()),
                other => other,
            },
        }
    }
}

/// What a transfer is made of.
pub struct Transfer {
    /// Where it says what became of it.
    pub post: Arc<Post>,
    /// By what the loop is woken.
    pub resumes: Arc<Resumes>,
}

impl Transfer {
    /// Send a file behind its length, in a thread.
    ///
    /// # Errors
    /// When there is no thread.
    pub fn send_file(self, mut file: File, bytes: u64, target: Target) -> std::io::Result<()> {
        let work = move || {
            let sent = self.copy_file(&mut file, bytes, &target);
            let word = match sent {
                Ok(()) => Word::Sent(target.client),
                Err(reason) => Word::Lost(target.client, reason),
            };
            self.post.put(word, &self.resumes);
        };
        std::thread::Builder::new().name("send-file".into()).spawn(work).map(drop)
    }

    fn copy_file(&self, file: &mut File, bytes: u64, target: &Target) -> Result<(), String> {
        self.write_all(target, format!("${bytes}\r\n").as_bytes())?;
        let mut buffer = vec![0; COPY_BYTES];
        let mut left = bytes;
        while left > 0 {
            let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            match file.read(&mut buffer[..most]) {
                Ok(0) => return Err("the file is shorter than it was".into()),
                Ok(count) => {
                    self.write_all(target, &buffer[..count])?;
                    left -= count as u64;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(())
    }

    /// Send all that comes out of a pipe to several, in a thread.
    ///
    /// # Errors
    /// When there is no thread.
    pub fn send_pipe(
        self,
        mut pipe: impl Read + Send + 'static,
        mut targets: Vec<Target>,
        round: u64,
    ) -> std::io::Result<()> {
        let work = move || {
            let mut buffer = vec![0; COPY_BYTES];
            while !targets.is_empty() {
                let count = match pipe.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => count,
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                    Err(_) => break,
                };
                targets.retain(|target| {
                    let sent = self.write_all(target, &buffer[..count]);
                    let lost = sent.err().map(|reason| Word::Lost(target.client, reason));
                    lost.is_none_or(|word| {
                        self.post.put(word, &self.resumes);
                        false
                    })
                });
            }
            // The child finds out by this that nobody reads.
            drop(pipe);
            self.post.put(Word::PipeEnded(round), &self.resumes);
        };
        std::thread::Builder::new().name("send-snapshot".into()).spawn(work).map(drop)
    }

    /// Write all bytes to a socket that does not block.
    fn write_all(&self, target: &Target, mut bytes: &[u8]) -> Result<(), String> {
        let mut moved = Instant::now();
        loop {
            match target.write(bytes) {
                Ok(_) if bytes.is_empty() => return Ok(()),
                Ok(count) => {
                    bytes = &bytes[count..];
                    moved = Instant::now();
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if moved.elapsed() >= Duration::from_millis(self.post.timeout_ms.load(Ordering::Relaxed)) {
                        return Err(TIMED_OUT.into());
                    }
                    let wait = Timespec { tv_sec: 0, tv_nsec: (POLL_MS * 1_000_000) as i64 };
                    let _ = poll(&mut [PollFd::new(&target.socket, PollFlags::OUT)], Some(&wait));
                }
                Err(error) if error.kind() == ErrorKind::WriteZero => return Err("the connection is closed".into()),
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}

/// Why somebody was left out who took nothing for too long.
pub const TIMED_OUT: &str = "it takes nothing";

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    fn transfer(timeout: Duration) -> (Transfer, Arc<Post>) {
        let post = Arc::new(Post::default());
        post.set_timeout(timeout);
        (Transfer { post: post.clone(), resumes: Arc::default() }, post)
    }

    fn words(post: &Post, count: usize) -> Vec<Word> {
        let mut all = Vec::new();
        while all.len() < count {
            all.extend(post.take());
            std::thread::yield_now();
        }
        all
    }

    #[test]
    fn a_pipe_goes_to_all_but_to_who_has_left_or_takes_nothing() {
        let (transfer, post) = transfer(Duration::from_millis(20));
        let (reader, mut writer) = std::io::pipe().unwrap();
        let pairs: Vec<(UnixStream, UnixStream)> = (0..3).map(|_| UnixStream::pair().unwrap()).collect();
        let mut targets = Vec::new();
        let mut others = Vec::new();
        for (client, (own, other)) in pairs.into_iter().enumerate() {
            own.set_nonblocking(true).unwrap();
            targets.push(Target { client: client as u64, socket: own.into(), session: None });
            others.push(other);
        }
        drop(others.remove(2));
        transfer.send_pipe(reader, targets, 7).unwrap();
        let mut first = others.remove(0);
        let all = vec![b'x'; 4 << 20];
        let sent = all.clone();
        let child = std::thread::spawn(move || writer.write_all(&sent));
        let mut got = Vec::new();
        first.read_to_end(&mut got).unwrap();
        child.join().unwrap().unwrap();
        assert!(got == all);
        let words = words(&post, 3);
        assert!(words.iter().any(|word| matches!(word, Word::Lost(1, reason) if reason == TIMED_OUT)), "{words:?}");
        assert!(words.iter().any(|word| matches!(word, Word::Lost(2, _))), "{words:?}");
        assert!(matches!(words.last(), Some(Word::PipeEnded(7))), "{words:?}");
    }
}
