//! What modules watch: descriptors, sockets that the host reads and writes for them, child processes. All have ids of
//! one kind, never given twice, under which the poller tells of them.
//!
//! *Invariant*: what is registered with the poller is in the table, but for what rests, and for what belongs to a
//! module whose place another has taken.

use crate::base::id::ModuleId;
use crate::socket::peer::Peer;
use crate::socket::poller::{Interests, Ready, Registrar, Which};
use mio::net::TcpListener;
use plinth_abi::bytes::Opaque;
use plinth_abi::event_loop::{FdReady, LOOP_WATCHES_MAX};
use plinth_abi::process::ProcessEnded;
use plinth_abi::socket::{Peer as Handlers, SocketAccepted};
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::process::Child;

const READ: Interests = Interests { read: true, write: false };
const BOTH: Interests = Interests { read: true, write: true };

/// What is watched.
pub enum Watched {
    /// A descriptor of the module's own.
    Fd {
        /// Its number.
        fd: RawFd,
        /// What is asked for.
        interests: Interests,
        /// Who is told.
        ready: FdReady,
        /// What it gets.
        data: Opaque,
    },
    /// A connected socket, or one that is about to be.
    Peer {
        /// The socket.
        peer: Box<Peer>,
        /// What is done with it.
        handlers: Handlers,
        /// Whether it is among those that have something to send.
        is_unsent: bool,
    },
    /// A socket that listens.
    Listener {
        /// The socket.
        listener: TcpListener,
        /// Who is told.
        accepted: SocketAccepted,
        /// What it gets.
        data: Opaque,
    },
    /// A program that runs.
    Process {
        /// The child.
        child: Child,
        /// What is ready when it has ended.
        end: OwnedFd,
        /// Who is told.
        ended: ProcessEnded,
        /// What it gets.
        data: Opaque,
    },
}

impl Watched {
    fn place(&self) -> (RawFd, Interests) {
        match self {
            Watched::Fd { fd, interests, .. } => (*fd, *interests),
            Watched::Peer { peer, .. } => (peer.fd(), BOTH),
            Watched::Listener { listener, .. } => (listener.as_raw_fd(), READ),
            Watched::Process { end, .. } => (end.as_raw_fd(), READ),
        }
    }
}

/// All that is watched.
#[derive(Default)]
pub struct Watches {
    registrar: Option<Registrar>,
    all: HashMap<u64, (ModuleId, Watched)>,
    last_id: u64,
    ready: Vec<(u64, Ready)>,
    unsent: Vec<u64>,
}

impl Watches {
    /// Register with a loop from now on.
    pub fn register_at(&mut self, registrar: Registrar) {
        self.registrar = Some(registrar);
    }

    /// Watch something; its id.
    ///
    /// # Errors
    /// `QuotaExceeded` when the module watches as much as it may, and those of the system.
    pub fn add(&mut self, module: ModuleId, watched: Watched) -> io::Result<u64> {
        if self.all.values().filter(|(owner, _)| *owner == module).count() >= LOOP_WATCHES_MAX as usize {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        let id = self.last_id + 1;
        let (fd, interests) = watched.place();
        if let Some(registrar) = &self.registrar {
            registrar.add(fd, id, interests)?;
        }
        self.last_id = id;
        self.all.insert(id, (module, watched));
        Ok(id)
    }

    /// What is watched under an id, and for whom.
    pub fn get(&mut self, id: u64) -> Option<(ModuleId, &mut Watched)> {
        self.all.get_mut(&id).map(|(module, watched)| (*module, watched))
    }

    /// The same, if it is of a module.
    pub fn own(&mut self, module: ModuleId, id: u64) -> Option<&mut Watched> {
        self.all.get_mut(&id).filter(|(owner, _)| *owner == module).map(|(_, watched)| watched)
    }

    /// Have a peer be another one of the same descriptor.
    pub fn turn_peer(&mut self, id: u64, turn: impl FnOnce(Peer) -> Peer) {
        let Some((module, watched)) = self.all.remove(&id) else { return };
        let watched = match watched {
            Watched::Peer { peer, handlers, is_unsent } => {
                Watched::Peer { peer: Box::new(turn(*peer)), handlers, is_unsent }
            }
            other => other,
        };
        self.all.insert(id, (module, watched));
    }

    /// Watch something no more.
    pub fn remove(&mut self, id: u64) -> Option<Watched> {
        let (_, watched) = self.all.remove(&id)?;
        self.deregister(watched.place().0);
        Some(watched)
    }

    fn deregister(&self, fd: RawFd) {
        if let Some(registrar) = &self.registrar {
            registrar.remove(fd);
        }
    }

    /// Ask for something else of a descriptor; whether it is one of the module.
    pub fn change_fd(&mut self, module: ModuleId, id: u64, wanted: Interests) -> bool {
        let Some(Watched::Fd { fd, interests, .. }) = self.own(module, id) else { return false };
        let fd = *fd;
        *interests = wanted;
        if let Some(registrar) = &self.registrar {
            registrar.remove(fd);
            // It could be registered before.
            let _ = registrar.add(fd, id, wanted);
        }
        true
    }

    /// Be told of a descriptor again while it is ready.
    pub fn again(&mut self, id: u64) {
        let Some((_, watched)) = self.all.get(&id) else { return };
        let (fd, interests) = watched.place();
        if let Some(registrar) = &self.registrar {
            // The module may have closed it, which it should not.
            let _ = registrar.again(fd, id, interests);
        }
    }

    /// Forget all that a module watches; its programs are killed.
    pub fn remove_module(&mut self, module: ModuleId) {
        let own: Vec<u64> = self.all.iter().filter(|(_, (owner, _))| *owner == module).map(|(id, _)| *id).collect();
        for id in own {
            if let Some(Watched::Process { mut child, .. }) = self.remove(id) {
                // It may have ended by itself.
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }

    /// Tell a module of nothing for a while, or again; what happens meanwhile is not lost.
    pub fn set_asleep(&mut self, module: ModuleId, is_asleep: bool) {
        for (id, (_, watched)) in self.all.iter().filter(|(_, (owner, _))| *owner == module) {
            let (fd, interests) = watched.place();
            if let Some(registrar) = &self.registrar {
                registrar.remove(fd);
                if !is_asleep {
                    let _ = registrar.add(fd, *id, interests);
                }
            }
        }
        if is_asleep {
            let all = &self.all;
            self.ready.retain(|(id, _)| all.get(id).is_none_or(|(owner, _)| *owner != module));
        }
    }

    /// Something has become ready.
    pub fn note(&mut self, id: u64, ready: Ready) {
        self.ready.push((id, ready));
    }

    /// Look at a socket again with the next turn, as if it had become readable.
    pub fn note_readable(&mut self, id: u64) {
        let which = Which::Watched(id);
        self.note(id, Ready { which, readable: true, writable: false, hung_up: false, failed: false });
    }

    /// A socket of a module has something to send; the peer, if it is one.
    pub fn unsent(&mut self, module: ModuleId, id: u64) -> Option<&mut Peer> {
        let Some((_, Watched::Peer { peer, is_unsent, .. })) =
            self.all.get_mut(&id).filter(|(owner, _)| *owner == module)
        else {
            return None;
        };
        if !std::mem::replace(is_unsent, true) {
            self.unsent.push(id);
        }
        Some(peer)
    }

    /// Whether there is something to do.
    pub fn is_due(&self) -> bool {
        !self.ready.is_empty() || !self.unsent.is_empty()
    }

    /// What has become ready.
    pub fn take_ready(&mut self) -> Vec<(u64, Ready)> {
        std::mem::take(&mut self.ready)
    }

    /// Which sockets have something to send.
    pub fn take_unsent(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.unsent)
    }
}
