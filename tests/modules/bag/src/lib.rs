//! A bag: members with counts, in hash buckets whose number is fixed.
//!
//! ```text
//! bag.add key member by    adds to a member's count, which is gone at 0; replies the count
//! bag.get key member       the count, 0 without one
//! bag.len key              number of members
//! bag.fill key n           gives the members m:0 to m:n-1 their number plus one
//! bag.merge to from        adds all counts of one bag to another's; replies the number of members
//! bag.which                what this module is called by its author
//! ```
//!
//! `tests/modules/bag-tree` has the same type and commands over another structure. The
//! parameter `bag.step` scales what is added.
#![deny(unsafe_code)]

use plinth_module::config::ConfigInteger;
use plinth_module::convert::{Conversion, Convert, Journal, Visit};
use plinth_module::prelude::*;
use std::ffi::CStr;

const BUCKETS: usize = 4096;

struct Bag {
    buckets: Vec<Vec<(Vec<u8>, i64)>>,
    len: usize,
    journal: Journal,
}

fn bucket(member: &[u8]) -> usize {
    let hash = member.iter().fold(5381u64, |hash, byte| hash.wrapping_mul(33) ^ u64::from(*byte));
    (hash ^ hash >> 17) as usize % BUCKETS
}

impl Bag {
    fn new() -> Bag {
        Bag { buckets: vec![Vec::new(); BUCKETS], len: 0, journal: Journal::NEW }
    }

    fn count(&self, member: &[u8]) -> i64 {
        self.buckets[bucket(member)].iter().find(|(other, _)| other == member).map_or(0, |(_, count)| *count)
    }

    fn set(&mut self, member: &[u8], count: i64) {
        self.journal.note(member);
        let all = &mut self.buckets[bucket(member)];
        let at = all.iter().position(|(other, _)| other == member);
        match (at, count) {
            (Some(at), 0) => {
                all.swap_remove(at);
                self.len -= 1;
            }
            (Some(at), _) => all[at].1 = count,
            (None, 0) => {}
            (None, _) => {
                all.push((member.to_vec(), count));
                self.len += 1;
            }
        }
    }

    fn members(&self) -> impl Iterator<Item = &(Vec<u8>, i64)> {
        self.buckets.iter().flatten()
    }
}

impl DataType for Bag {
    const NAME: &'static CStr = c"com.example.bag";
    const ENCODING: u32 = 1;
    const CONVERT: Option<Conversion<Self>> = Some(Conversion::new());

    fn save(&self, out: &mut Saver<'_>) {
        out.put(self.len as u64);
        for (member, count) in self.members() {
            out.put(member.as_slice());
            out.put(*count);
        }
    }

    fn load(from: &mut Loader<'_>, _encoding: u32) -> Result<Self> {
        let mut bag = Bag::new();
        for _ in 0..from.u64()? {
            let member = from.bytes()?.to_vec();
            bag.set(&member, from.i64()?);
        }
        Ok(bag)
    }

    fn memory(&self) -> usize {
        size_of::<Self>() + self.len * 64
    }

    fn free_effort(&self) -> usize {
        self.len
    }

    fn encoding_name(&self) -> &'static str {
        "buckets"
    }
}

impl Convert for Bag {
    fn journal(&mut self) -> &mut Journal {
        &mut self.journal
    }

    fn export_some(&self, cursor: u64, budget: usize, visit: &mut Visit<'_>) -> Result<u64> {
        let (mut at, mut seen) = (cursor as usize, 0);
        while at < BUCKETS && seen < budget {
            for (member, count) in &self.buckets[at] {
                visit.put(member, &count.to_le_bytes())?;
                seen += 1;
            }
            at += 1;
        }
        Ok(if at < BUCKETS { at as u64 } else { 0 })
    }

    fn export_one(&self, element: &[u8], visit: &mut Visit<'_>) -> Result {
        match self.count(element) {
            0 => visit.remove(element),
            count => visit.put(element, &count.to_le_bytes()),
        }
    }

    fn import_new() -> Self {
        Bag::new()
    }

    fn import_put(&mut self, element: &[u8], payload: &[u8]) -> Result {
        let count = payload.try_into().map_err(|_| Error::BadData)?;
        self.set(element, i64::from_le_bytes(count));
        Ok(())
    }

    fn import_remove(&mut self, element: &[u8]) -> Result {
        self.set(element, 0);
        Ok(())
    }
}

static STEP: ConfigInteger = ConfigInteger::new();

fn add(call: &mut Call<'_>) -> Result {
    let (key, member) = (call.args.bytes(1), call.args.bytes(2));
    let by = call.args.integer(3)? * STEP.get();
    let bag = call.keys.get_or_create_with(key, Bag::new)?;
    let count = bag.count(member) + by;
    bag.set(member, count);
    let is_empty = bag.len == 0;
    if is_empty {
        call.keys.remove(key, 0)?;
    }
    call.keys.modified(key, EVENT_MODULE, "bag.add");
    call.reply.integer(count);
    Ok(())
}

fn get(call: &mut Call<'_>) -> Result {
    let (key, member) = (call.args.bytes(1), call.args.bytes(2));
    let count = call.keys.read_value::<Bag>(key)?.map_or(0, |bag| bag.count(member));
    call.reply.integer(count);
    Ok(())
}

fn len(call: &mut Call<'_>) -> Result {
    let len = call.keys.read_value::<Bag>(call.args.bytes(1))?.map_or(0, |bag| bag.len);
    call.reply.integer(len as i64);
    Ok(())
}

fn fill(call: &mut Call<'_>) -> Result {
    let key = call.args.bytes(1);
    let count = call.args.integer(2)?;
    let bag = call.keys.get_or_create_with(key, Bag::new)?;
    for at in 0..count {
        bag.set(format!("m:{at}").as_bytes(), at + 1);
    }
    let len = bag.len;
    call.keys.modified(key, EVENT_MODULE, "bag.fill");
    call.reply.integer(len as i64);
    Ok(())
}

fn merge(call: &mut Call<'_>) -> Result {
    let (to, from) = (call.args.bytes(1), call.args.bytes(2));
    let members: Vec<(Vec<u8>, i64)> =
        call.keys.read_value::<Bag>(from)?.map_or(Vec::new(), |bag| bag.members().cloned().collect());
    let bag = call.keys.get_or_create_with(to, Bag::new)?;
    for (member, count) in members {
        let sum = bag.count(&member) + count;
        bag.set(&member, sum);
    }
    let len = bag.len;
    call.keys.modified(to, EVENT_MODULE, "bag.merge");
    call.reply.integer(len as i64);
    Ok(())
}

fn which(call: &mut Call<'_>) -> Result {
    call.reply.bulk("buckets");
    Ok(())
}

const fn command(name: &'static str, arity: i32, handler: HandlerFn) -> Command {
    Command { name: text(name), arity, flags: COMMAND_WRITE, run: run(handler), ..Command::NEW }
}

export!(Module {
    name: "bag",
    version: "1.0.0",
    types: &[Type::of::<Bag>()],
    configs: &[STEP.declare("step", "1", 1, 1000)],
    commands: &[
        Command { keys: list(&[KeySpec::at(KEY_RW | KEY_UPDATE, 1)]), ..command("bag.add", 4, add) },
        Command { keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]), ..command("bag.get", 3, get) },
        Command { keys: list(&[KeySpec::at(KEY_RO, 1)]), ..command("bag.len", 2, len) },
        Command { keys: list(&[KeySpec::at(KEY_OW | KEY_UPDATE, 1)]), ..command("bag.fill", 3, fill) },
        Command {
            keys: list(&[KeySpec::at(KEY_RW | KEY_UPDATE, 1), KeySpec::at(KEY_RO | KEY_ACCESS, 2)]),
            ..command("bag.merge", 3, merge)
        },
        command("bag.which", 1, which),
    ],
    ..Module::NEW
});
