//! The same bags as `tests/modules/bag`, in a tree by a hash of the member.
//!
//! With the argument `fail` its `start` fails; with `refuse` it takes in no element whose
//! name begins with `bad`.
#![deny(unsafe_code)]

use plinth_module::config::ConfigInteger;
use plinth_module::convert::{Conversion, Convert, Journal, Visit};
use plinth_module::prelude::*;
use std::collections::BTreeMap;
use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

struct Bag {
    /// By a hash that is never 0 and then by member, so that a hash is a cursor.
    tree: BTreeMap<(u64, Vec<u8>), i64>,
    journal: Journal,
}

fn place(member: &[u8]) -> (u64, Vec<u8>) {
    let hash = member.iter().fold(0xcbf2_9ce4u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    (hash >> 1 | 1, member.to_vec())
}

impl Bag {
    fn new() -> Bag {
        Bag { tree: BTreeMap::new(), journal: Journal::NEW }
    }

    fn count(&self, member: &[u8]) -> i64 {
        self.tree.get(&place(member)).copied().unwrap_or(0)
    }

    fn set(&mut self, member: &[u8], count: i64) {
        self.journal.note(member);
        if count == 0 {
            self.tree.remove(&place(member));
        } else {
            self.tree.insert(place(member), count);
        }
    }

    fn members(&self) -> impl Iterator<Item = (&Vec<u8>, &i64)> {
        self.tree.iter().map(|((_, member), count)| (member, count))
    }
}

impl DataType for Bag {
    const NAME: &'static CStr = c"com.example.bag";
    const ENCODING: u32 = 1;
    const CONVERT: Option<Conversion<Self>> = Some(Conversion::new());

    fn save(&self, out: &mut Saver<'_>) {
        out.put(self.tree.len() as u64);
        for (member, count) in self.members() {
            out.put(member.as_slice());
            out.put(*count);
        }
    }

    fn load(from: &mut Loader<'_>, _encoding: u32) -> Result<Self> {
        let mut bag = Bag::new();
        for _ in 0..from.u64()? {
            let member = from.bytes()?.to_vec();
            if REFUSES.load(Relaxed) && member.starts_with(b"bad") {
                return Err(Error::BadData);
            }
            bag.set(&member, from.i64()?);
        }
        Ok(bag)
    }

    fn memory(&self) -> usize {
        size_of::<Self>() + self.tree.len() * 64
    }

    fn free_effort(&self) -> usize {
        self.tree.len()
    }

    fn encoding_name(&self) -> &'static str {
        "tree"
    }
}

impl Convert for Bag {
    fn journal(&mut self) -> &mut Journal {
        &mut self.journal
    }

    fn export_some(&self, cursor: u64, budget: usize, visit: &mut Visit<'_>) -> Result<u64> {
        for (seen, ((hash, member), count)) in self.tree.range((cursor, Vec::new())..).enumerate() {
            // All members of one hash are in one slice.
            if seen >= budget && *hash > cursor {
                return Ok(*hash);
            }
            visit.put(member, &count.to_le_bytes())?;
        }
        Ok(0)
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
        if REFUSES.load(Relaxed) && element.starts_with(b"bad") {
            return Err(Error::BadData);
        }
        let count = payload.try_into().map_err(|_| Error::BadData)?;
        self.set(element, i64::from_le_bytes(count));
        Ok(())
    }

    fn import_remove(&mut self, element: &[u8]) -> Result {
        self.set(element, 0);
        Ok(())
    }
}

static REFUSES: AtomicBool = AtomicBool::new(false);

fn start(call: &mut Call<'_>) -> Result {
    if call.args.word(0, "fail") {
        return Err(call.reply.error("ERR told to fail"));
    }
    REFUSES.store(call.args.word(0, "refuse"), Relaxed);
    Ok(())
}

static STEP: ConfigInteger = ConfigInteger::new();

fn add(call: &mut Call<'_>) -> Result {
    let (key, member) = (call.args.bytes(1), call.args.bytes(2));
    let by = call.args.integer(3)? * STEP.get();
    let bag = call.keys.get_or_create_with(key, Bag::new)?;
    let count = bag.count(member) + by;
    bag.set(member, count);
    let is_empty = bag.tree.is_empty();
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
    let len = call.keys.read_value::<Bag>(call.args.bytes(1))?.map_or(0, |bag| bag.tree.len());
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
    let len = bag.tree.len();
    call.keys.modified(key, EVENT_MODULE, "bag.fill");
    call.reply.integer(len as i64);
    Ok(())
}

fn merge(call: &mut Call<'_>) -> Result {
    let (to, from) = (call.args.bytes(1), call.args.bytes(2));
    let members: Vec<(Vec<u8>, i64)> = call
        .keys
        .read_value::<Bag>(from)?
        .map_or(Vec::new(), |bag| bag.members().map(|(m, c)| (m.clone(), *c)).collect());
    let bag = call.keys.get_or_create_with(to, Bag::new)?;
    for (member, count) in members {
        let sum = bag.count(&member) + count;
        bag.set(&member, sum);
    }
    let len = bag.tree.len();
    call.keys.modified(to, EVENT_MODULE, "bag.merge");
    call.reply.integer(len as i64);
    Ok(())
}

fn which(call: &mut Call<'_>) -> Result {
    call.reply.bulk("tree");
    Ok(())
}

const fn command(name: &'static str, arity: i32, handler: HandlerFn) -> Command {
    Command { name: text(name), arity, flags: COMMAND_WRITE, run: run(handler), ..Command::NEW }
}

export!(Module {
    name: "bag",
    version: "2.0.0",
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
    start: Some(start),
    ..Module::NEW
});
