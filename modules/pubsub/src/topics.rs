//! Topics of one kind: their names, and who has joined each.
//!
//! ```text
//!   names: table of numbers, by the hash of the name        grows a bucket at a time
//!   chunks: [ topic ×1024 ] [ topic ×1024 ] ...             never moved
//!   topic: name, members [ 7, 2, 9 ]                        a place among them is known to the member
//!   in use: [ 0, 3, 1 ]                                     what is gone through, however many there were once
//! ```
//!
//! A member leaves in constant time: the last of the topic's members takes its place, and is told so.
//!
//! *Invariant*: a topic is there as long as it has members; its number is given to another when it is gone.

use plinth_module::table::{Keyed, Table};

/// What a topic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A channel.
    Channel,
    /// A pattern of channels.
    Pattern,
    /// A channel of a shard: of those who are connected to the same node of a cluster.
    Shard,
}

/// Number of kinds.
pub const KINDS: usize = 3;

/// Topics in one piece of memory.
const CHUNK: usize = 1024;

/// A topic.
#[derive(Default)]
pub struct Topic {
    name: Box<[u8]>,
    members: Vec<u32>,
    /// Its place among those in use.
    place: u32,
}

impl Topic {
    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Who has joined it.
    pub fn members(&self) -> &[u32] {
        &self.members
    }
}

/// Topics of a kind, by number and by name.
#[derive(Default)]
pub struct Topics {
    names: Table<u64>,
    hasher: Keyed,
    chunks: Vec<Vec<Topic>>,
    in_use: Vec<u32>,
    free: Vec<u32>,
}

impl Topics {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// A topic by its number.
    pub fn get(&self, number: u32) -> &Topic {
        &self.chunks[number as usize / CHUNK][number as usize % CHUNK]
    }

    fn get_mut(&mut self, number: u32) -> &mut Topic {
        &mut self.chunks[number as usize / CHUNK][number as usize % CHUNK]
    }

    /// Number of the topic of a name.
    pub fn find(&self, name: &[u8]) -> Option<u32> {
        let found = self.names.find(self.hasher.hash(name), |number| *self.get(number as u32).name == *name)?;
        Some(found as u32)
    }

    /// All topics.
    pub fn iter(&self) -> impl Iterator<Item = &Topic> {
        self.in_use.iter().map(|&number| self.get(number))
    }

    /// Number of the topic of a name, which is made if there is none; a member is to be added to it then.
    pub fn find_or_make(&mut self, name: &[u8]) -> u32 {
        if let Some(number) = self.find(name) {
            return number;
        }
        let number = self.free.pop().unwrap_or_else(|| {
            if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
                self.chunks.push(Vec::with_capacity(CHUNK));
            }
            let before = (self.chunks.len() - 1) * CHUNK;
            let last = self.chunks.last_mut().map_or(0, |chunk| {
                chunk.push(Topic::default());
                chunk.len() - 1
            });
            (before + last) as u32
        });
        let place = self.in_use.len() as u32;
        *self.get_mut(number) = Topic { name: name.into(), members: Vec::new(), place };
        self.in_use.push(number);
        let (hasher, chunks) = (self.hasher, &self.chunks);
        self.names.insert_new(hasher.hash(name), u64::from(number), false, |number| {
            hasher.hash(&chunks[number as usize / CHUNK][number as usize % CHUNK].name)
        });
        number
    }

    /// A member joins a topic; its place.
    pub fn add(&mut self, number: u32, member: u32) -> u32 {
        let members = &mut self.get_mut(number).members;
        members.push(member);
        members.len() as u32 - 1
    }

    /// The member at a place leaves a topic; the member that is there now, if any. A topic without members
    /// is gone.
    pub fn remove(&mut self, number: u32, place: u32) -> Option<u32> {
        let topic = self.get_mut(number);
        topic.members.swap_remove(place as usize);
        if topic.members.is_empty() {
            let topic = std::mem::take(topic);
            self.names.remove(self.hasher.hash(&topic.name), |other| other == u64::from(number));
            self.in_use.swap_remove(topic.place as usize);
            if let Some(&moved) = self.in_use.get(topic.place as usize) {
                self.get_mut(moved).place = topic.place;
            }
            self.free.push(number);
            if self.in_use.is_empty() {
                *self = Topics { hasher: self.hasher, ..Topics::default() };
            }
            return None;
        }
        if topic.members.len() * 4 < topic.members.capacity() {
            topic.members.shrink_to(topic.members.len() * 2);
        }
        topic.members.get(place as usize).copied()
    }
}
