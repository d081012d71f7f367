//! HRANDFIELD: fields by chance.
//!
//! ```text
//!   no count         one field
//!   count >= 0       so many different fields, or all
//!   count < 0        so many picks, each of all fields
//! ```

use super::get::open;
use super::{DOCS, KEY, READING, now, with};
use crate::small::{self, Shown, is_past};
use crate::storage::Storage;
use crate::value::View;
use plinth_module::chance::{REPEAT_MAX, below, number, picks};
use plinth_module::prelude::*;
use std::collections::HashSet;

pub(super) const fn commands<S: Storage>() -> [Command; 1] {
    [with(HRANDFIELD, hrandfield::<S>)]
}

/// Picks of a large hash that may meet expired fields before all fields are looked at instead.
const TRIES: usize = 100;

const HRANDFIELD: Command = Command {
    name: text("hrandfield"),
    arity: -2,
    flags: COMMAND_READONLY,
    tips: list(&[text("nondeterministic_output")]),
    docs: docs(&Docs {
        summary: text("Picks fields of a hash at random."),
        since: text("6.2.0"),
        complexity: text("O(N) where N is the number of fields returned"),
        args: list(&[
            KEY,
            Arg::group(
                ARG_BLOCK,
                "options",
                &[Arg::new(ARG_INTEGER, "count"), Arg::word("withvalues", "WITHVALUES").flags(ARG_OPTIONAL)],
            )
            .flags(ARG_OPTIONAL),
        ]),
        ..DOCS
    }),
    ..READING
};

fn hrandfield<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, now, resp3) = (call.args.bytes(1), now(call), call.resp() >= 3);
    if call.args.len() == 2 {
        let entry = open::<S>(&mut call.keys, key)?;
        match Picker::new(View::<S>::of(&entry), now).pick() {
            Some(shown) => call.reply.bulk_value(shown.field),
            None => call.reply.null(),
        }
        return Ok(());
    }
    let (count, with_values) = picks(call, "withvalues")?;
    let entry = open::<S>(&mut call.keys, key)?;
    let mut picker = Picker::new(View::<S>::of(&entry), now);
    let mut out = Out { reply: &mut call.reply, with_values, nested: resp3 };
    let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if count >= 0 {
        picker.different(wanted, &mut out);
        return Ok(());
    }
    match picker.pick() {
        None => out.begin(0),
        Some(_) if count.unsigned_abs() > REPEAT_MAX => return Err(out.reply.error("ERR value is out of range")),
        Some(first) => {
            out.begin(wanted);
            out.field(first);
            for _ in 1..wanted {
                out.field(picker.pick().unwrap_or(first));
            }
        }
    }
    Ok(())
}

/// How the fields are answered.
struct Out<'o, 'a> {
    reply: &'o mut ReplyBuffer<'a>,
    with_values: bool,
    nested: bool,
}

impl Out<'_, '_> {
    fn begin(&mut self, count: usize) {
        self.reply.array(if self.with_values && !self.nested { count * 2 } else { count });
    }

    fn field(&mut self, shown: Shown<'_>) {
        if self.with_values && self.nested {
            self.reply.array(2);
        }
        self.reply.bulk_value(shown.field);
        if self.with_values {
            self.reply.bulk_value(shown.value);
        }
    }
}

/// Picks fields of one hash.
struct Picker<'v, S> {
    view: View<'v, S>,
    now: u64,
    /// All fields that are there, once they had to be looked at.
    all: Option<Vec<Shown<'v>>>,
}

impl<'v, S: Storage> Picker<'v, S> {
    fn new(view: View<'v, S>, now: u64) -> Picker<'v, S> {
        Picker { view, now, all: None }
    }

    fn all(&mut self) -> &mut Vec<Shown<'v>> {
        let (view, now) = (self.view, self.now);
        self.all.get_or_insert_with(|| {
            let mut all = Vec::new();
            view.for_each(now, |shown| all.push(shown));
            all
        })
    }

    /// One field, each with nearly the same chance.
    fn pick(&mut self) -> Option<Shown<'v>> {
        if self.all.is_none() {
            match self.view {
                View::Absent => return None,
                View::Small(tag, pack) if tag == small::PLAIN && pack.len() < 64 => {
                    return small::iter(tag, pack).nth(below(small::len(pack).max(1)));
                }
                View::Small(..) => {}
                View::Large(large) => {
                    for _ in 0..TRIES {
                        let item = large.store().random(number)?;
                        if !is_past(item.deadline, self.now) {
                            return Some(item.into());
                        }
                    }
                }
            }
        }
        let all = self.all();
        if all.is_empty() { None } else { Some(all[below(all.len())]) }
    }

    /// So many different fields, or all.
    fn different(&mut self, wanted: usize, out: &mut Out<'_, '_>) {
        if let View::Large(large) = self.view
            && !self.view.may_have_expired(self.now)
            && wanted < large.store().len() / 3
        {
            let mut seen = HashSet::with_capacity(wanted);
            out.begin(wanted);
            while seen.len() < wanted {
                let Some(item) = large.store().random(number) else { break };
                if seen.insert(item.field) {
                    out.field(item.into());
                }
            }
            return;
        }
        if wanted >= self.view.live(self.now) {
            out.begin(self.view.live(self.now));
            return self.view.for_each(self.now, |shown| out.field(shown));
        }
        let all = self.all();
        out.begin(wanted);
        for at in 0..wanted {
            let other = at + below(all.len() - at);
            all.swap(at, other);
            out.field(all[at]);
        }
    }
}
