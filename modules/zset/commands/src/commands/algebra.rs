//! Algebra: ZUNION, ZINTER, ZDIFF, each with a command that stores the result, and ZINTERCARD.
//!
//! What is computed is copied out of the inputs first: the destination may be one of them. A union
//! copies all of them, an intersection the smallest and a difference the first; the others are only
//! asked for each member of that. Inputs are taken from the smallest on, which decides the order in
//! which scores are added up.

use super::input::Input;
use super::range::store;
use super::{CATEGORIES, GROUP, WITHSCORES, reply_head, reply_pair};
use crate::codec::sort;
use crate::score;
use crate::storage::Storage;
use plinth_module::prelude::*;
use std::collections::HashMap;
use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::marker::PhantomData;

pub(super) struct Family<S>(PhantomData<S>);

impl<S: Storage> Family<S> {
    pub(super) const COMMANDS: [Command; 7] = [
        Command { run: run(zunion::<S>), ..ZUNION },
        Command { run: run(zinter::<S>), ..ZINTER },
        Command { run: run(zdiff::<S>), ..ZDIFF },
        Command { run: run(zunionstore::<S>), ..ZUNIONSTORE },
        Command { run: run(zinterstore::<S>), ..ZINTERSTORE },
        Command { run: run(zdiffstore::<S>), ..ZDIFFSTORE },
        Command { run: run(zintercard::<S>), ..ZINTERCARD },
    ];
}

/// As many keys as the argument at `index` says, behind it.
const fn counted(index: i32) -> KeySpec {
    KeySpec { find: KEY_FIND_KEYNUM, last: 0, limit: 1, ..KeySpec::at(KEY_RO | KEY_ACCESS, index) }
}

const READ: Command = Command {
    arity: -3,
    flags: COMMAND_READONLY | COMMAND_MOVABLE_KEYS,
    category_names: CATEGORIES,
    keys: list(&[counted(1)]),
    ..Command::NEW
};

const STORE: Command = Command {
    arity: -4,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_MOVABLE_KEYS,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_OW | KEY_UPDATE, 1), counted(2)]),
    ..Command::NEW
};

const NUMKEYS: Arg = Arg::new(ARG_INTEGER, "numkeys");
const DESTINATION: Arg = Arg::key("destination", 0);
const KEYS_READ: Arg = Arg::key("key", 0).flags(ARG_MULTIPLE);
const KEYS_STORE: Arg = Arg::key("key", 1).flags(ARG_MULTIPLE);
const WEIGHTS: Arg = Arg::new(ARG_INTEGER, "weight").token("WEIGHTS").flags(ARG_OPTIONAL | ARG_MULTIPLE);
const AGGREGATE: Arg =
    Arg::group(ARG_ONE_OF, "aggregate", &[Arg::word("sum", "SUM"), Arg::word("min", "MIN"), Arg::word("max", "MAX")])
        .token("AGGREGATE")
        .flags(ARG_OPTIONAL);

const UNION_DOCS: Docs = Docs {
    group: GROUP,
    complexity: text("O(N)+O(M*log(M)) where N is the number of members of all inputs and M of the result"),
    ..Docs::NEW
};

const INTER_DOCS: Docs = Docs {
    group: GROUP,
    complexity: text(
        "O(N*K)+O(M*log(M)) where N is the number of members of the smallest input, K of inputs and M of the result's members",
    ),
    ..Docs::NEW
};

const DIFF_DOCS: Docs = Docs {
    since: text("6.2.0"),
    group: GROUP,
    complexity: text("O(N*K) where N is the number of members of the first input and K of inputs"),
    ..Docs::NEW
};

const ZUNION: Command = Command {
    name: text("zunion"),
    docs: docs(&Docs {
        summary: text("Lists the members of any of several sorted sets."),
        since: text("6.2.0"),
        args: list(&[NUMKEYS, KEYS_READ, WEIGHTS, AGGREGATE, WITHSCORES]),
        ..UNION_DOCS
    }),
    ..READ
};

const ZINTER: Command = Command {
    name: text("zinter"),
    docs: docs(&Docs {
        summary: text("Lists the members that several sorted sets have in common."),
        since: text("6.2.0"),
        args: list(&[NUMKEYS, KEYS_READ, WEIGHTS, AGGREGATE, WITHSCORES]),
        ..INTER_DOCS
    }),
    ..READ
};

const ZDIFF: Command = Command {
    name: text("zdiff"),
    docs: docs(&Docs {
        summary: text("Lists the members of a sorted set that others do not have."),
        args: list(&[NUMKEYS, KEYS_READ, WITHSCORES]),
        ..DIFF_DOCS
    }),
    ..READ
};

const ZUNIONSTORE: Command = Command {
    name: text("zunionstore"),
    docs: docs(&Docs {
        summary: text("Stores the members of any of several sorted sets."),
        since: text("2.0.0"),
        args: list(&[DESTINATION, NUMKEYS, KEYS_STORE, WEIGHTS, AGGREGATE]),
        ..UNION_DOCS
    }),
    ..STORE
};

const ZINTERSTORE: Command = Command {
    name: text("zinterstore"),
    docs: docs(&Docs {
        summary: text("Stores the members that several sorted sets have in common."),
        since: text("2.0.0"),
        args: list(&[DESTINATION, NUMKEYS, KEYS_STORE, WEIGHTS, AGGREGATE]),
        ..INTER_DOCS
    }),
    ..STORE
};

const ZDIFFSTORE: Command = Command {
    name: text("zdiffstore"),
    docs: docs(&Docs {
        summary: text("Stores the members of a sorted set that others do not have."),
        args: list(&[DESTINATION, NUMKEYS, KEYS_STORE]),
        ..DIFF_DOCS
    }),
    ..STORE
};

const ZINTERCARD: Command = Command {
    name: text("zintercard"),
    docs: docs(&Docs {
        summary: text("Counts the members that several sorted sets have in common."),
        since: text("7.0.0"),
        group: GROUP,
        complexity: text("O(N*K) where N is the number of members of the smallest input and K of inputs"),
        args: list(&[NUMKEYS, KEYS_READ, Arg::new(ARG_INTEGER, "limit").token("LIMIT").flags(ARG_OPTIONAL)]),
        ..Docs::NEW
    }),
    ..READ
};

/// Elements of a result, which are brought into their order at last.
type Elements = Vec<(Box<[u8]>, f64)>;

#[derive(Clone, Copy, PartialEq)]
enum Operation {
    Union,
    Inter,
    Diff,
}

impl Operation {
    /// The command's name, which is also that of the event.
    fn name(self, stores: bool) -> &'static str {
        match (self, stores) {
            (Operation::Union, false) => "zunion",
            (Operation::Union, true) => "zunionstore",
            (Operation::Inter, false) => "zinter",
            (Operation::Inter, true) => "zinterstore",
            (Operation::Diff, false) => "zdiff",
            (Operation::Diff, true) => "zdiffstore",
        }
    }
}

/// What becomes of two scores of one member.
#[derive(Clone, Copy)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

impl Aggregate {
    /// Of the same two the first stays, and of a number and a NaN the number.
    fn of(self, one: f64, other: f64) -> f64 {
        match self {
            Aggregate::Sum => score::add(one, other),
            Aggregate::Min if other < one => other,
            Aggregate::Max if other > one => other,
            _ => one,
        }
    }
}

/// What is asked for.
struct Query<'a> {
    inputs: Vec<Input<'a>>,
    aggregate: Aggregate,
    with_scores: bool,
}

/// Reads the inputs, whose number is at argument `at`; returns them and where the options begin.
fn read_inputs<'a, S: Storage>(call: &mut Call<'a>, at: usize, name: &str) -> Result<(Vec<Input<'a>>, usize)> {
    let count = call.args.integer(at)?;
    if count < 1 {
        return Err(call.reply.error(format!("ERR at least 1 input key is needed for '{name}' command")));
    }
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count > call.args.len() - at - 1 {
        return Err(Error::Syntax);
    }
    let mut inputs = Vec::with_capacity(count);
    for index in at + 1..=at + count {
        inputs.push(Input::find::<S>(call, call.args.bytes(index))?);
    }
    Ok((inputs, at + 1 + count))
}

impl<'a> Query<'a> {
    fn read<S: Storage>(call: &mut Call<'a>, operation: Operation, stores: bool) -> Result<Query<'a>> {
        let (mut inputs, mut at) = read_inputs::<S>(call, if stores { 2 } else { 1 }, operation.name(stores))?;
        let (mut aggregate, mut with_scores) = (Aggregate::Sum, false);
        let is_weighed = operation != Operation::Diff;
        while at < call.args.len() {
            let left = call.args.len() - at - 1;
            if is_weighed && left >= inputs.len() && call.args.word(at, "weights") {
                for (index, input) in inputs.iter_mut().enumerate() {
                    let Some(weight) = score::parse(call.args.bytes(at + 1 + index)) else {
                        return Err(call.reply.error("ERR weight value is not a float"));
                    };
                    input.weight = weight;
                }
                at += inputs.len();
            } else if is_weighed && left >= 1 && call.args.word(at, "aggregate") {
                at += 1;
                aggregate = match call.args.bytes(at) {
                    word if word.eq_ignore_ascii_case(b"sum") => Aggregate::Sum,
                    word if word.eq_ignore_ascii_case(b"min") => Aggregate::Min,
                    word if word.eq_ignore_ascii_case(b"max") => Aggregate::Max,
                    _ => return Err(Error::Syntax),
                };
            } else if !stores && call.args.word(at, "withscores") {
                with_scores = true;
            } else {
                return Err(Error::Syntax);
            }
            at += 1;
        }
        Ok(Query { inputs, aggregate, with_scores })
    }

    fn run<S: Storage>(&mut self, keys: &mut Keys<'_>, operation: Operation) -> Result<Elements> {
        let mut elements = match operation {
            Operation::Union => self.union::<S>(keys),
            Operation::Inter => self.inter::<S>(keys),
            Operation::Diff => self.diff::<S>(keys),
        }?;
        sort(&mut elements);
        Ok(elements)
    }

    fn union<S: Storage>(&mut self, keys: &mut Keys<'_>) -> Result<Elements> {
        self.inputs.sort_by_key(|input| input.len);
        let mut sums: HashMap<Box<[u8]>, f64> = HashMap::new();
        for input in &self.inputs {
            input.visit::<S>(keys, &mut |member, own| {
                let own = score::scale(own, input.weight);
                match sums.entry(member.into()) {
                    Occupied(mut sum) => *sum.get_mut() = self.aggregate.of(*sum.get(), own),
                    Vacant(place) => drop(place.insert(own)),
                }
            })?;
        }
        Ok(sums.into_iter().collect())
    }

    fn inter<S: Storage>(&mut self, keys: &mut Keys<'_>) -> Result<Elements> {
        self.inputs.sort_by_key(|input| input.len);
        let aggregate = self.aggregate;
        let mut elements = Elements::new();
        let [smallest, others @ ..] = &self.inputs[..] else { return Ok(elements) };
        smallest.visit::<S>(keys, &mut |member, own| {
            elements.push((member.into(), score::scale(own, smallest.weight)));
        })?;
        for input in others {
            input.retain::<S>(keys, &mut elements, |sum, own| {
                let Some(own) = own else { return false };
                // Infinity times 0 is NaN here, of which a sum makes 0.
                *sum = aggregate.of(*sum, own * input.weight);
                true
            })?;
        }
        Ok(elements)
    }

    fn diff<S: Storage>(&mut self, keys: &mut Keys<'_>) -> Result<Elements> {
        let mut elements = Elements::new();
        let [first, others @ ..] = &self.inputs[..] else { return Ok(elements) };
        first.visit::<S>(keys, &mut |member, own| elements.push((member.into(), own)))?;
        for input in others {
            if elements.is_empty() {
                break;
            }
            input.retain::<S>(keys, &mut elements, |_, own| own.is_none())?;
        }
        Ok(elements)
    }
}

fn zunion<S: Storage>(call: &mut Call<'_>) -> Result {
    list_result::<S>(call, Operation::Union)
}

fn zinter<S: Storage>(call: &mut Call<'_>) -> Result {
    list_result::<S>(call, Operation::Inter)
}

fn zdiff<S: Storage>(call: &mut Call<'_>) -> Result {
    list_result::<S>(call, Operation::Diff)
}

fn zunionstore<S: Storage>(call: &mut Call<'_>) -> Result {
    store_result::<S>(call, Operation::Union)
}

fn zinterstore<S: Storage>(call: &mut Call<'_>) -> Result {
    store_result::<S>(call, Operation::Inter)
}

fn zdiffstore<S: Storage>(call: &mut Call<'_>) -> Result {
    store_result::<S>(call, Operation::Diff)
}

fn list_result<S: Storage>(call: &mut Call<'_>, operation: Operation) -> Result {
    let mut query = Query::read::<S>(call, operation, false)?;
    let elements = query.run::<S>(&mut call.keys, operation)?;
    let resp3 = call.resp() >= 3;
    reply_head(&mut call.reply, resp3, elements.len(), query.with_scores);
    for (member, score) in &elements {
        if query.with_scores {
            reply_pair(&mut call.reply, resp3, member, *score);
        } else {
            call.reply.bulk(member);
        }
    }
    Ok(())
}

fn store_result<S: Storage>(call: &mut Call<'_>, operation: Operation) -> Result {
    let mut query = Query::read::<S>(call, operation, true)?;
    let elements = query.run::<S>(&mut call.keys, operation)?;
    store::<S>(call, call.args.bytes(1), &elements, operation.name(true))
}

fn zintercard<S: Storage>(call: &mut Call<'_>) -> Result {
    let (inputs, mut at) = read_inputs::<S>(call, 1, "zintercard")?;
    let mut limit = usize::MAX;
    while at < call.args.len() {
        if at + 1 == call.args.len() || !call.args.word(at, "limit") {
            return Err(Error::Syntax);
        }
        limit = match call.args.integer(at + 1) {
            Ok(0) => usize::MAX,
            Ok(limit @ 1..) => limit as usize,
            _ => return Err(call.reply.error("ERR LIMIT can't be negative")),
        };
        at += 2;
    }
    let mut query = Query { inputs, aggregate: Aggregate::Sum, with_scores: false };
    let count = query.inter::<S>(&mut call.keys)?.len();
    call.reply.count(count.min(limit));
    Ok(())
}
