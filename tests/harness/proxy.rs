//! A way between two servers that can be bad: it breaks, refuses, holds back, delays, and stops in the middle.
//!
//! ```text
//!   one who connects ──> port ── a thread for each direction ──> target
//! ```
//!
//! The target may change, as a server does that comes back on another port: what is connected stays as it is.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes that are passed on at once.
const PIECE_BYTES: usize = 16 * 1024;
/// What is shorter is never halved, so that two servers come to speak to each other.
const HALVED_BYTES_MIN: usize = 256;

/// What becomes of bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// They pass.
    Pass,
    /// There is no way: who connects is cut off.
    Refuse,
    /// They wait, and nobody is told, until the way is another.
    Hold,
    /// Each piece passes after so long.
    Delay(Duration),
    /// Half of a piece passes, and the connection breaks.
    Halve,
}

struct State {
    target: u16,
    way: Way,
    links: Vec<(u64, TcpStream, TcpStream)>,
    count: u64,
    ends: bool,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// A way to a server on this machine; it ends when this is dropped.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    /// A good way to a port.
    ///
    /// # Panics
    /// When there is no port to listen on.
    pub fn to(target: u16) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("no port: {error}"));
        let port = listener.local_addr().map_or_else(|error| panic!("no port: {error}"), |address| address.port());
        let state = State { target, way: Way::Pass, links: Vec::new(), count: 0, ends: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let own = shared.clone();
        std::thread::spawn(move || own.accept(&listener));
        Proxy { port, shared }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Who connects from now on is led to another port.
    pub fn lead_to(&self, target: u16) {
        self.shared.lock().target = target;
    }

    /// Let the way be another. [`Way::Refuse`] breaks what is connected.
    pub fn set(&self, way: Way) {
        self.shared.lock().way = way;
        self.shared.changed.notify_all();
        if way == Way::Refuse {
            self.cut();
        }
    }

    /// Break what is connected.
    pub fn cut(&self) {
        self.shared.lock().cut();
        self.shared.changed.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.ends = true;
        state.cut();
        drop(state);
        self.shared.changed.notify_all();
        // The thread that accepts looks up.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl State {
    fn cut(&mut self) {
        for (_, one, other) in self.links.drain(..) {
            let _ = one.shutdown(Shutdown::Both);
            let _ = other.shutdown(Shutdown::Both);
        }
    }

    fn has(&self, link: u64) -> bool {
        self.links.iter().any(|(number, ..)| *number == link)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            let (target, way) = match self.lock() {
                state if state.ends => return,
                state => (state.target, state.way),
            };
            let Ok(one) = stream else { continue };
            if way == Way::Refuse {
                continue;
            }
            let Ok(other) = TcpStream::connect(("127.0.0.1", target)) else { continue };
            let _ = (one.set_nodelay(true), other.set_nodelay(true));
            let (Ok(from), Ok(to)) = (one.try_clone(), other.try_clone()) else { continue };
            let mut state = self.lock();
            state.count += 1;
            let number = state.count;
            let (Ok(first), Ok(second)) = (one.try_clone(), other.try_clone()) else { continue };
            state.links.push((number, first, second));
            drop(state);
            for (from, to) in [(one, other), (to, from)] {
                let own = self.clone();
                std::thread::spawn(move || own.pass(number, from, to));
            }
        }
    }

    /// Pass bytes on, one direction of a link, until it breaks.
    fn pass(&self, link: u64, mut from: TcpStream, mut to: TcpStream) {
        let mut piece = vec![0; PIECE_BYTES];
        while let Ok(count @ 1..) = from.read(&mut piece) {
            let way = self.way(link);
            let passes = match way {
                Way::Pass => count,
                Way::Delay(time) => {
                    std::thread::sleep(time);
                    count
                }
                Way::Halve if count >= HALVED_BYTES_MIN => count / 2,
                Way::Halve => count,
                Way::Refuse | Way::Hold => 0,
            };
            if to.write_all(&piece[..passes]).is_err() || passes < count {
                break;
            }
        }
        self.lock().links.retain(|(number, ..)| *number != link);
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }

    /// The way that bytes of a link go, once they go on; [`Way::Refuse`] if it is broken.
    fn way(&self, link: u64) -> Way {
        let mut state = self.lock();
        loop {
            match state.way {
                _ if !state.has(link) => return Way::Refuse,
                Way::Hold => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                way => return way,
            }
        }
    }
}
