//! Queueing for EXEC, and what spoils it.

use crate::engine::call::Registered;
use crate::engine::server::Server;
use crate::session::transaction::{Queued, Transaction, is_exec};
use crate::session::watch::Watch;
use plinth_abi::bytes::Bytes;

impl Server {
    /// What a command is: its flags, and of EXEC those of all that is queued as well.
    pub fn flags_of(&self, token: usize, command: &Registered) -> u64 {
        let client = self.sessions.clients.peek(token).filter(|_| is_exec(&command.name));
        let queued = client.and_then(|client| client.standing.transaction()).map_or(0, |open| open.flags);
        command.spec.flags | queued
    }

    /// The flags that a command has with its arguments.
    pub fn flags_with(command: &Registered, args: &[Bytes]) -> u64 {
        let Some(find) = command.spec.find_flags else { return command.spec.flags };
        // SAFETY: the function belongs to a loaded module, and arguments live as long as the call.
        unsafe { find(args.as_ptr(), args.len() as u32) }
    }

    /// Keep a command for EXEC.
    pub fn queue(&mut self, token: usize, command: &Registered, args: &[Bytes]) {
        let Some(client) = self.sessions.clients.get(token) else { return };
        let Some(transaction) = client.standing.transaction_mut() else { return };
        if transaction.failed {
            return;
        }
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        let len = args.iter().map(|arg| arg.len).sum();
        let reserved = bytes.try_reserve_exact(len).and_then(|()| ends.try_reserve_exact(args.len()));
        if reserved.and_then(|()| transaction.queue.try_reserve(1)).is_err() {
            return self.close_without_memory(token);
        }
        for arg in args {
            // SAFETY: arguments live as long as the batch.
            bytes.extend_from_slice(unsafe { arg.as_slice() });
            ends.push(bytes.len());
        }
        remember(
            transaction,
            Queued { bytes, ends, name: command.name.clone(), module: command.module },
            Server::flags_with(command, args),
        );
    }

    /// A client watches nothing any more.
    pub fn unwatch(&mut self, token: usize) {
        let Some(client) = self.sessions.clients.get(token) else { return };
        client.watch_spoiled = false;
        let (watched, id) = (std::mem::take(&mut client.watched), client.id);
        for watch in &watched {
            self.sessions.watches.remove(&watch.key, id);
        }
        self.observe();
    }

    /// Whether a watched key of a client has changed, or expired since the watch began.
    pub fn is_spoiled(&mut self, token: usize) -> bool {
        let now_ms = self.clock.now_ms;
        let Some(client) = self.sessions.clients.peek(token) else { return false };
        client.watch_spoiled
            || client.watched.iter().any(|Watch { key: (db, key), stale }| {
                let hash = self.store.hash(key);
                let entry = self.store.databases[*db as usize].find(hash, key);
                !stale && entry.is_some_and(|entry| entry.has_expired(now_ms))
            })
    }
}

fn remember(transaction: &mut Transaction, queued: Queued, flags: u64) {
    transaction.bytes +=
        queued.bytes.len() + queued.ends.len() * size_of::<usize>() + queued.name.len() + size_of::<Queued>();
    transaction.flags |= flags;
    transaction.queue.push(queued);
}
