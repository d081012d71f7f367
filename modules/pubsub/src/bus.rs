//! Who has joined what.
//!
//! A client that listens is a *member*, under a number of the bus's own. One that leaves with many topics is
//! taken out of them in steps, and so that nobody need wait for that its member has no client from the first
//! moment on: whoever goes through a topic passes it over.
//!
//! *Invariant*: a member is in a topic at the place that it knows; a member with a client has joined
//! something.

use crate::topics::{KINDS, Kind, Topic, Topics};
use plinth_module::clients::Listening;
use std::collections::{BTreeMap, HashMap};

/// Bytes that a subscription takes beside the topic's name, about: its places in both trees, and a share of
/// the topic.
const SUBSCRIPTION_BYTES: u64 = 80;

/// One who listens.
#[derive(Default)]
struct Member {
    /// Id of the client, 0 when it has left.
    client: u64,
    /// Topics by number, with the place in each. A tree, because it never stops to grow.
    joined: [BTreeMap<u32, u32>; KINDS],
    /// Bytes of memory, about.
    bytes: u64,
}

impl Member {
    fn count(&self) -> usize {
        self.joined.iter().map(BTreeMap::len).sum()
    }
}

/// All who listen, and to what.
#[derive(Default)]
pub struct Bus {
    topics: [Topics; KINDS],
    members: Vec<Member>,
    free: Vec<u32>,
    by_client: HashMap<u64, u32>,
    /// Members without a client, who are in topics still.
    leaving: Vec<u32>,
}

impl Bus {
    /// Topics of a kind. While somebody is [leaving](Bus::is_sweep_due) with many topics, some may have no
    /// listener.
    pub fn topics(&self, kind: Kind) -> &Topics {
        &self.topics[kind as usize]
    }

    /// Ids of all clients who listen.
    pub fn clients(&self) -> impl Iterator<Item = u64> {
        self.by_client.keys().copied()
    }

    /// To what a client listens.
    pub fn joined(&self, client: u64) -> impl Iterator<Item = (Kind, &[u8])> {
        let member = self.member(client).into_iter();
        member.flat_map(|member| [Kind::Channel, Kind::Pattern, Kind::Shard].map(|kind| (kind, member))).flat_map(
            move |(kind, member)| {
                member.joined[kind as usize].keys().map(move |&topic| (kind, self.topics(kind).get(topic).name()))
            },
        )
    }

    /// Number of a client's subscriptions.
    pub fn count(&self, client: u64) -> usize {
        self.member(client).map_or(0, Member::count)
    }

    fn member(&self, client: u64) -> Option<&Member> {
        self.by_client.get(&client).map(|&member| &self.members[member as usize])
    }

    /// To how much a client listens.
    pub fn listening(&self, client: u64) -> Listening {
        let Some(Member { joined: [channels, patterns, shards], bytes, .. }) = self.member(client) else {
            return Listening::default();
        };
        Listening {
            channels: channels.len() as u32,
            patterns: patterns.len() as u32,
            shard_channels: shards.len() as u32,
            bytes: *bytes,
        }
    }

    /// How many clients listen to a topic.
    pub fn listeners(&self, kind: Kind, name: &[u8]) -> usize {
        let topics = self.topics(kind);
        topics.find(name).map_or(0, |number| self.clients_of(topics.get(number)).count())
    }

    /// Ids of the clients who listen to a topic.
    pub fn clients_of<'b>(&'b self, topic: &'b Topic) -> impl Iterator<Item = u64> + 'b {
        topic.members().iter().map(|&member| self.members[member as usize].client).filter(|&client| client != 0)
    }

    /// Topics of a kind to which anybody listens.
    pub fn active(&self, kind: Kind) -> impl Iterator<Item = &Topic> {
        let all_stay = self.leaving.is_empty();
        self.topics(kind).iter().filter(move |topic| all_stay || self.clients_of(topic).next().is_some())
    }

    /// A client joins a topic; whether it had not before.
    pub fn join(&mut self, client: u64, kind: Kind, name: &[u8]) -> bool {
        let number = self.member_of(client);
        let topics = &mut self.topics[kind as usize];
        let topic = topics.find_or_make(name);
        let member = &mut self.members[number as usize];
        if member.joined[kind as usize].contains_key(&topic) {
            return false;
        }
        member.joined[kind as usize].insert(topic, topics.add(topic, number));
        member.bytes += name.len() as u64 + SUBSCRIPTION_BYTES;
        true
    }

    /// The member that a client is, from now on if not before.
    fn member_of(&mut self, client: u64) -> u32 {
        if let Some(&member) = self.by_client.get(&client) {
            return member;
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.members.push(Member::default());
            self.members.len() as u32 - 1
        });
        self.members[number as usize].client = client;
        self.by_client.insert(client, number);
        number
    }

    /// A client leaves a topic; whether it was in it.
    pub fn leave(&mut self, client: u64, kind: Kind, name: &[u8]) -> bool {
        let (Some(topic), Some(&member)) = (self.topics(kind).find(name), self.by_client.get(&client)) else {
            return false;
        };
        self.leave_topic(member, kind, topic)
    }

    /// A client leaves one of its topics of a kind, the oldest as far as numbers tell; its name.
    pub fn leave_next(&mut self, client: u64, kind: Kind) -> Option<Box<[u8]>> {
        let &member = self.by_client.get(&client)?;
        let (&topic, _) = self.members[member as usize].joined[kind as usize].first_key_value()?;
        let name = self.topics(kind).get(topic).name().into();
        self.leave_topic(member, kind, topic);
        Some(name)
    }

    fn leave_topic(&mut self, number: u32, kind: Kind, topic: u32) -> bool {
        let member = &mut self.members[number as usize];
        let Some(place) = member.joined[kind as usize].remove(&topic) else { return false };
        let topics = &mut self.topics[kind as usize];
        member.bytes -= topics.get(topic).name().len() as u64 + SUBSCRIPTION_BYTES;
        if member.count() == 0 {
            self.by_client.remove(&member.client);
            member.client = 0;
            self.free.push(number);
        }
        if let Some(moved) = topics.remove(topic, place) {
            self.members[moved as usize].joined[kind as usize].insert(topic, place);
        }
        true
    }

    /// A client listens to nothing any more; whether it did. With more than `at_once` topics the rest is left
    /// to [`sweep`](Bus::sweep).
    pub fn depart(&mut self, client: u64, at_once: usize) -> bool {
        let Some(member) = self.by_client.remove(&client) else { return false };
        self.members[member as usize].client = 0;
        self.leaving.push(member);
        if self.members[member as usize].count() <= at_once {
            self.leave_some(at_once);
        }
        true
    }

    /// Whether somebody has left who is in topics still.
    pub fn is_sweep_due(&self) -> bool {
        !self.leaving.is_empty()
    }

    /// Take those who have left out of so many topics; whether there is more to do.
    pub fn sweep(&mut self, at_once: usize) -> bool {
        self.leave_some(at_once);
        self.is_sweep_due()
    }

    fn leave_some(&mut self, mut at_once: usize) {
        while let Some(&member) = self.leaving.last() {
            for kind in [Kind::Channel, Kind::Pattern, Kind::Shard] {
                while let Some((&topic, _)) = self.members[member as usize].joined[kind as usize].first_key_value() {
                    if at_once == 0 {
                        return;
                    }
                    at_once -= 1;
                    self.leave_topic(member, kind, topic);
                }
            }
            self.leaving.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const KINDS: [Kind; 3] = [Kind::Channel, Kind::Pattern, Kind::Shard];

    /// What a bus is to hold: client, kind and name of each subscription.
    type Model = BTreeSet<(u64, usize, Vec<u8>)>;

    fn check(bus: &Bus, model: &Model) {
        for kind in KINDS {
            let names: BTreeSet<&[u8]> = bus.active(kind).map(Topic::name).collect();
            let expected: BTreeSet<&[u8]> =
                model.iter().filter(|one| one.1 == kind as usize).map(|one| &one.2[..]).collect();
            assert_eq!(names, expected);
            for name in names {
                let topics = bus.topics(kind);
                let clients: BTreeSet<u64> = bus.clients_of(topics.get(topics.find(name).unwrap())).collect();
                let expected: BTreeSet<u64> =
                    model.iter().filter(|one| one.1 == kind as usize && one.2 == name).map(|one| one.0).collect();
                assert_eq!(clients.len(), bus.listeners(kind, name));
                assert_eq!(clients, expected);
            }
        }
        for client in 1..5 {
            assert_eq!(bus.count(client), model.iter().filter(|one| one.0 == client).count());
            let bytes: u64 =
                model.iter().filter(|one| one.0 == client).map(|one| one.2.len() as u64 + SUBSCRIPTION_BYTES).sum();
            assert_eq!(bus.listening(client).bytes, bytes);
        }
    }

    proptest! {
        #[test]
        fn a_bus_holds_what_was_joined_and_not_left(
            steps in prop::collection::vec((0..6u8, 1..5u64, 0..3usize, 0..6u8), 1..120),
        ) {
            let (mut bus, mut model) = (Bus::default(), Model::new());
            for (step, client, kind, name) in steps {
                let name = vec![b'a' + name; usize::from(name) + 1];
                match step {
                    0..=2 => prop_assert_eq!(
                        bus.join(client, KINDS[kind], &name),
                        model.insert((client, kind, name))
                    ),
                    3 => prop_assert_eq!(
                        bus.leave(client, KINDS[kind], &name),
                        model.remove(&(client, kind, name))
                    ),
                    4 => {
                        // So few at once that most are left in steps, between which others go on.
                        bus.depart(client, 1);
                        model.retain(|one| one.0 != client);
                    }
                    _ => _ = bus.sweep(2),
                }
                check(&bus, &model);
            }
            while bus.sweep(3) {}
            check(&bus, &model);
            let held: usize = KINDS.iter().map(|kind| bus.topics(*kind).len()).sum();
            let names: BTreeSet<_> = model.iter().map(|one| (one.1, &one.2)).collect();
            prop_assert_eq!(held, names.len());
            for client in 1..5 {
                for kind in KINDS {
                    while let Some(name) = bus.leave_next(client, kind) {
                        prop_assert!(model.remove(&(client, kind as usize, name.into_vec())));
                    }
                }
            }
            prop_assert!(model.is_empty() && bus.by_client.is_empty() && bus.free.len() == bus.members.len());
        }
    }
}
