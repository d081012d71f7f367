//! Element-wise conversion of a large value.
#![allow(missing_docs)]

use plinth_module::convert::{Conversion, Convert, Journal, Visit};
use plinth_module::prelude::*;
use plinth_testbed::Testbed;
use std::collections::BTreeMap;
use std::ffi::CStr;

#[derive(Default)]
struct Tally {
    counts: BTreeMap<u64, i64>,
    journal: Journal,
}

fn number(element: &[u8]) -> Result<u64> {
    element.try_into().map(u64::from_be_bytes).map_err(|_| Error::BadData)
}

impl DataType for Tally {
    const NAME: &'static CStr = c"com.example.tally";
    const ENCODING: u32 = 1;
    const CONVERT: Option<Conversion<Self>> = Some(Conversion::new());

    fn save(&self, out: &mut Saver<'_>) {
        out.put(self.counts.len() as u64);
    }

    fn load(from: &mut Loader<'_>, _encoding: u32) -> Result<Self> {
        from.u64().map(|_| Tally::default())
    }
}

impl Convert for Tally {
    fn journal(&mut self) -> &mut Journal {
        &mut self.journal
    }

    fn export_some(&self, cursor: u64, budget: usize, visit: &mut Visit<'_>) -> Result<u64> {
        for (seen, (element, count)) in self.counts.range(cursor..).enumerate() {
            if seen == budget {
                return Ok(*element);
            }
            visit.put(&element.to_be_bytes(), &count.to_le_bytes())?;
        }
        Ok(0)
    }

    fn export_one(&self, element: &[u8], visit: &mut Visit<'_>) -> Result {
        match self.counts.get(&number(element)?) {
            Some(count) => visit.put(element, &count.to_le_bytes()),
            None => visit.remove(element),
        }
    }

    fn import_new() -> Self {
        Tally::default()
    }

    fn import_put(&mut self, element: &[u8], payload: &[u8]) -> Result {
        let count = payload.try_into().map(i64::from_le_bytes).map_err(|_| Error::BadData)?;
        if count < 0 {
            return Err(Error::BadData);
        }
        self.counts.insert(number(element)?, count);
        Ok(())
    }

    fn import_remove(&mut self, element: &[u8]) -> Result {
        self.counts.remove(&number(element)?);
        Ok(())
    }

    fn import_finish(&mut self) -> Result<u32> {
        assert!(!self.journal.is_on(), "a new value notes nothing");
        Ok(3)
    }
}

fn set(call: &mut Call<'_>) -> Result {
    let (element, count) = (call.args.integer(2)?, call.args.integer(3)?);
    let tally = call.keys.get_or_create_with(call.args.bytes(1), Tally::default)?;
    tally.journal.note(&element.cast_unsigned().to_be_bytes());
    if count == 0 {
        tally.counts.remove(&element.cast_unsigned());
    } else {
        tally.counts.insert(element.cast_unsigned(), count);
    }
    call.reply.integer(tally.counts.len() as i64);
    Ok(())
}

fn sum(call: &mut Call<'_>) -> Result {
    let tally = call.keys.read_value::<Tally>(call.args.bytes(1))?.ok_or(Error::None)?;
    call.reply.integer(tally.counts.values().sum());
    Ok(())
}

export!(Module {
    name: "tally",
    types: &[Type::of::<Tally>()],
    commands: &[
        Command { name: text("tally.set"), arity: 4, run: run(set), ..Command::NEW },
        Command { name: text("tally.sum"), arity: 2, run: run(sum), ..Command::NEW },
    ],
    ..Module::NEW
});

fn filled() -> Testbed {
    let mut host = Testbed::new(&plinth_module_entry).expect("the module loads");
    for element in 1..=100 {
        host.run(&["tally.set", "k", &element.to_string(), "1"]);
    }
    host
}

#[test]
fn what_changes_between_slices_arrives_as_it_is_at_the_end() {
    for budget in [1, 7, 1000] {
        let mut host = filled();
        let mut round = 0;
        let done = host.convert_in_slices("k", budget, |host| {
            round += 1;
            if round < 60 {
                // Behind the cursor and before it; taken away, changed, and new.
                host.run(&["tally.set", "k", &(101 - round).to_string(), "0"]);
                host.run(&["tally.set", "k", &round.to_string(), "5"]);
                host.run(&["tally.set", "k", &(1000 + round).to_string(), "2"]);
            }
        });
        assert_eq!(done, Ok(()), "budget {budget}");
        let mut expected = vec![1; 101];
        let mut extra = 0;
        for round in 1..=round.min(59) {
            expected[101 - round] = 0;
            expected[round] = 5;
            extra += 2;
        }
        let sum: i64 = expected[1..].iter().sum::<i64>() + extra;
        assert_eq!(host.run(&["tally.sum", "k"]), format!(":{sum}\r\n").into_bytes(), "budget {budget}");
    }
}

#[test]
fn a_value_that_goes_meanwhile_ends_the_conversion() {
    let mut host = filled();
    let payload = host.dump("k").expect("it is saved");
    let done = host.convert_in_slices("k", 10, |host| host.restore("k", &payload).expect("it is loaded"));
    assert_eq!(done, Err(Error::None));
    assert_eq!(host.run(&["tally.sum", "k"]), b":0\r\n");
    assert_eq!(host.convert_in_slices("absent", 10, |_| {}), Err(Error::None));
}

#[test]
fn a_refused_element_leaves_the_old_value_as_it_was() {
    let mut host = filled();
    host.run(&["tally.set", "k", "50", "-1"]);
    assert_eq!(host.convert_in_slices("k", 10, |_| {}), Err(Error::BadData));
    assert_eq!(host.run(&["tally.sum", "k"]), b":98\r\n");
    host.run(&["tally.set", "k", "50", "1"]);
    assert_eq!(host.convert_in_slices("k", 10, |_| {}), Ok(()));
    assert_eq!(host.run(&["tally.sum", "k"]), b":100\r\n");
}
