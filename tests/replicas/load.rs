//! Clients that write to the primary, whichever server that is, and note what WAIT has told them to be in a replica too.
//!
//! Each adds numbers to a list of its own, from 1 on and none twice, besides commands of all kinds, whose loss the
//! digests show. It never fails: who is cut off, refused or left without an answer goes on with the next number.

use plinth_fuzz::Random;
use plinth_testkit::reply::{self, Reply};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

/// Clients.
const WRITERS: usize = 3;
/// Keys of each kind and writer.
const KEYS: usize = 20;
/// How long an answer may take; then the client looks for the primary anew.
const PATIENCE: Duration = Duration::from_millis(700);
/// What WAIT waits for a replica, in ms.
const WAIT_MS: &str = "400";

/// What a writer knows.
pub(crate) struct Known {
    /// Its list.
    pub(crate) list: String,
    /// Numbers that are in two servers.
    pub(crate) confirmed: Vec<u64>,
    /// The last number that it has sent.
    pub(crate) sent: u64,
}

/// Clients at work.
pub(crate) struct Load {
    ends: Arc<AtomicBool>,
    writers: Vec<JoinHandle<Known>>,
}

impl Load {
    /// Write to the server whose port is there.
    pub(crate) fn begin(primary: &Arc<AtomicU16>, seed: u64) -> Load {
        let ends = Arc::new(AtomicBool::new(false));
        let writer = |number: usize| {
            let (primary, ends) = (primary.clone(), ends.clone());
            let random = Random::new(seed.wrapping_add(number as u64));
            std::thread::spawn(move || write(&primary, &ends, number, random))
        };
        Load { writers: (0..WRITERS).map(writer).collect(), ends }
    }

    /// Write no more; what the clients know.
    pub(crate) fn end(self) -> Vec<Known> {
        self.ends.store(true, Relaxed);
        self.writers.into_iter().map(|writer| writer.join().expect("a writer goes on")).collect()
    }
}

/// A connection that may break.
struct Link {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Link {
    fn to(port: u16) -> Option<Link> {
        let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.set_nodelay(true).ok()?;
        Some(Link { stream, read: Vec::new() })
    }

    /// The answers to commands, if all of them come.
    fn ask(&mut self, commands: &[Vec<String>]) -> Option<Vec<Reply>> {
        let bytes: Vec<u8> = commands.iter().flat_map(|words| reply::request(words)).collect();
        self.stream.write_all(&bytes).ok()?;
        let mut replies = Vec::new();
        while replies.len() < commands.len() {
            if let Some((reply, len)) = reply::parse(&self.read) {
                self.read.drain(..len);
                replies.push(reply);
                continue;
            }
            let mut more = [0; 4096];
            match self.stream.read(&mut more) {
                Ok(count @ 1..) => self.read.extend_from_slice(&more[..count]),
                _ => return None,
            }
        }
        Some(replies)
    }
}

fn write(primary: &AtomicU16, ends: &AtomicBool, number: usize, mut random: Random) -> Known {
    let mut known = Known { list: format!("told:{number}"), confirmed: Vec::new(), sent: 0 };
    let mut link = None;
    while !ends.load(Relaxed) {
        let Some(open) = link.as_mut() else {
            link = Link::to(primary.load(Relaxed));
            if link.is_none() {
                std::thread::sleep(Duration::from_millis(2));
            }
            continue;
        };
        known.sent += 1;
        let mut commands: Vec<Vec<String>> = Vec::new();
        for _ in 0..random.below(6) {
            commands.extend(any(number, &mut random));
        }
        commands.push(words(&format!("RPUSH {} {}", known.list, known.sent)));
        commands.push(words(&format!("WAIT 1 {WAIT_MS}")));
        match open.ask(&commands).as_deref() {
            Some([.., Reply::Integer(_), Reply::Integer(1..)]) => known.confirmed.push(known.sent),
            Some([.., Reply::Integer(_), Reply::Integer(_)]) => {}
            _ => link = None,
        }
    }
    known
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

/// Commands of any kind, on keys of the writer's.
fn any(writer: usize, random: &mut Random) -> Vec<Vec<String>> {
    let key = format!("{writer}:{}", random.below(KEYS));
    let (some, other) = (random.below(100), random.below(100));
    let lines = match random.below(18) {
        0 => format!("SET s:{key} {some}"),
        1 => format!("SET s:{key} {some} PX {}", 1 + random.below(300)),
        2 => format!("SET s:{key} {some} EX 100"),
        3 => format!("INCR n:{key}"),
        4 => format!("RPUSH l:{key} {some} {other}|LTRIM l:{key} 0 50"),
        5 => format!("LPOP l:{key} 2"),
        6 => format!("SADD set:{key} {some} {other}"),
        7 => format!("SPOP set:{key} 2"),
        8 => format!("ZADD z:{key} {some} {other}"),
        9 => format!("ZPOPMIN z:{key}"),
        10 => format!("HSET h:{key} {some} {other}"),
        11 => format!("HDEL h:{key} {some} {other}"),
        12 => format!("XADD x:{key} MAXLEN 30 * f {some}"),
        13 => format!("MULTI|INCR n:{key}|APPEND a:{key} {some}|SELECT 3|SET s:{key} {some}|SELECT 0|EXEC"),
        14 => format!("SELECT 9|INCR n:{key}|RENAME n:{key} m:{key}|SELECT 0"),
        15 => format!("DEL s:{key} a:{key} l:{key}"),
        16 => format!("PEXPIRE h:{key} {}", 1 + random.below(300)),
        _ => format!("EVAL redis.call('incr',KEYS[1]);redis.call('hincrby',KEYS[2],ARGV[1],1) 2 n:{key} h:{key} e"),
    };
    lines.split('|').map(words).collect()
}
