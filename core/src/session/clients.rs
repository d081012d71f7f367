//! All connections: a slab by token, and an index by id.

use crate::session::client::{Client, Closing};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A hash of ids, which the server gives out one after the other, so that nobody can choose them to collide. A
/// message to a thousand clients looks up as many.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(self.0 << 8 | u64::from(*byte)));
    }

    fn write_u64(&mut self, id: u64) {
        // An odd factor spreads successive ids over the low bits and the high ones.
        self.0 = id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// All connections.
#[derive(Default)]
pub struct Clients {
    slots: Vec<Option<Box<Client>>>,
    free: Vec<usize>,
    by_id: HashMap<u64, usize, BuildHasherDefault<IdHasher>>,
    last_id: u64,
    /// What all clients take, as far as they were weighed.
    bytes: usize,
    /// Most bytes that all together may take, 0 for any number; they are weighed only if there is a limit.
    pub bytes_max: usize,
    /// Tokens of clients with something to send.
    pub to_write: Vec<usize>,
    /// Tokens of clients that are to be closed.
    pub to_close: Vec<usize>,
    /// Tokens of clients with unread or unparsed bytes, besides what events say.
    pub to_read: Vec<usize>,
}

impl Clients {
    /// The next id.
    pub fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Number of connections.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Take in a connection; its token.
    pub fn insert(&mut self, mut client: Client) -> usize {
        let token = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.by_id.insert(client.id, token);
        client.token = token;
        self.slots[token] = Some(Box::new(client));
        token
    }

    /// Let a connection go.
    pub fn remove(&mut self, token: usize) -> Option<Box<Client>> {
        self.forget_weight(token);
        let client = self.slots.get_mut(token)?.take()?;
        self.by_id.remove(&client.id);
        self.free.push(token);
        Some(client)
    }

    /// A connection by token.
    #[inline]
    pub fn get(&mut self, token: usize) -> Option<&mut Client> {
        self.slots.get_mut(token)?.as_deref_mut()
    }

    /// A connection by token, to look at.
    pub fn peek(&self, token: usize) -> Option<&Client> {
        self.slots.get(token)?.as_deref()
    }

    /// Token of a client's id.
    pub fn token(&self, id: u64) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    /// A connection by id.
    pub fn by_id(&mut self, id: u64) -> Option<&mut Client> {
        let token = self.token(id)?;
        self.get(token)
    }

    /// Tokens of all connections, oldest first.
    pub fn tokens(&self) -> Vec<usize> {
        let mut all: Vec<(u64, usize)> = self.by_id.iter().map(|(id, token)| (*id, *token)).collect();
        all.sort_unstable();
        all.into_iter().map(|(_, token)| token).collect()
    }

    /// Bytes that all clients take, as they were weighed last.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Look anew at what a client takes. One that is to be closed counts no more.
    pub fn weigh(&mut self, token: usize) {
        let Some(client) = self.slots.get_mut(token).and_then(|slot| slot.as_deref_mut()) else { return };
        let bytes = if client.closing == Closing::Now { 0 } else { client.memory_bytes() };
        self.bytes = self.bytes - client.weighed_bytes + bytes;
        client.weighed_bytes = bytes;
    }

    /// A client counts no more.
    pub fn forget_weight(&mut self, token: usize) {
        let Some(client) = self.slots.get_mut(token).and_then(|slot| slot.as_deref_mut()) else { return };
        self.bytes -= std::mem::take(&mut client.weighed_bytes);
    }

    /// Number of slots, for going round in steps.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Note that a client has something to send.
    #[inline]
    pub fn list_write(&mut self, token: usize) {
        if let Some(client) = self.get(token)
            && !client.write_listed
        {
            client.write_listed = true;
            self.to_write.push(token);
        }
    }

    /// Note that a client has something to read or to run.
    #[inline]
    pub fn list_read(&mut self, token: usize) {
        if let Some(client) = self.get(token)
            && !client.read_listed
        {
            client.read_listed = true;
            self.to_read.push(token);
        }
    }

    /// All connections, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Client> {
        self.slots.iter().filter_map(|slot| slot.as_deref())
    }

    /// All connections, to be changed, in no order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Client> {
        self.slots.iter_mut().filter_map(|slot| slot.as_deref_mut())
    }

    /// Close a client when the turn ends.
    pub fn close(&mut self, token: usize) {
        if let Some(client) = self.get(token) {
            client.closing = crate::session::client::Closing::Now;
            self.list_close(token);
        }
    }

    /// Note that a client is to be closed when the turn ends.
    pub fn list_close(&mut self, token: usize) {
        self.to_close.push(token);
    }
}
