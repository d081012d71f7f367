//! A large sequence that is handed over in slices while its elements change places arrives as it is at
//! the end.
#![allow(missing_docs)]

use plinth_module::convert::Conversion;
use plinth_module::convert::sequence::{ConvertSequence, Edits};
use plinth_module::prelude::*;
use plinth_testbed::Testbed;
use proptest::prelude::*;
use std::ffi::CStr;

/// Numbers in a row.
#[derive(Default)]
struct Row {
    numbers: Vec<u64>,
    edits: Edits,
}

fn number(element: &[u8]) -> Result<u64> {
    element.try_into().map(u64::from_be_bytes).map_err(|_| Error::BadData)
}

impl DataType for Row {
    const NAME: &'static CStr = c"com.example.row";
    const ENCODING: u32 = 1;
    const CONVERT: Option<Conversion<Self>> = Some(Conversion::of_sequence());

    fn save(&self, out: &mut Saver<'_>) {
        out.put(self.numbers.len() as u64);
    }

    fn load(_: &mut Loader<'_>, _: u32) -> Result<Self> {
        Err(Error::Unsupported)
    }
}

/// A number that is no number of a row.
const REFUSED: u64 = u64::MAX;

impl ConvertSequence for Row {
    fn edits(&mut self) -> &mut Edits {
        &mut self.edits
    }

    fn count(&self) -> usize {
        self.numbers.len()
    }

    fn export_some(&self, from: usize, count: usize, give: &mut dyn FnMut(&[u8]) -> Result) -> Result {
        self.numbers[from..].iter().take(count).try_for_each(|number| give(&number.to_be_bytes()))
    }

    fn import_new() -> Self {
        Row::default()
    }

    fn import_insert(&mut self, at: usize, element: &[u8]) -> Result {
        match number(element)? {
            REFUSED => Err(Error::BadData),
            number => {
                self.numbers.insert(at, number);
                Ok(())
            }
        }
    }

    fn import_set(&mut self, at: usize, element: &[u8]) -> Result {
        self.numbers[at] = number(element)?;
        Ok(())
    }

    fn import_remove(&mut self, at: usize, count: usize) -> Result {
        assert!(count <= LARGEST_SLICE, "{count} elements go at once");
        self.numbers.drain(at..at + count);
        Ok(())
    }

    fn import_finish(&mut self) -> Result<u32> {
        assert!(!self.edits.is_on(), "a new value notes nothing");
        Ok(2)
    }
}

/// `row.splice key at count number ...`: takes elements away, and puts others in their place.
fn splice(call: &mut Call<'_>) -> Result {
    let (at, count) = (call.args.integer(2)? as usize, call.args.integer(3)? as usize);
    let numbers: Vec<u64> = (4..call.args.len()).map(|index| call.args.integer(index).unwrap_or(-1) as u64).collect();
    let row = call.keys.get_or_create_with(call.args.bytes(1), Row::default)?;
    let numbers = if let ([number], 1) = (&numbers[..], count) {
        row.edits.note_set(at, &number.to_be_bytes());
        row.numbers[at] = *number;
        &[]
    } else {
        row.edits.note_remove(at, count);
        row.numbers.drain(at..at + count);
        &numbers[..]
    };
    for (index, number) in numbers.iter().enumerate() {
        row.edits.note_insert(at + index, &number.to_be_bytes());
        row.numbers.insert(at + index, *number);
    }
    call.reply.count(row.numbers.len());
    Ok(())
}

fn all(call: &mut Call<'_>) -> Result {
    let row = call.keys.read_value::<Row>(call.args.bytes(1))?.ok_or(Error::None)?;
    let texts: Vec<String> = row.numbers.iter().map(u64::to_string).collect();
    call.reply.bulk(texts.join(" "));
    Ok(())
}

fn memory(call: &mut Call<'_>) -> Result {
    let row = call.keys.read_value::<Row>(call.args.bytes(1))?.ok_or(Error::None)?;
    call.reply.count(row.edits.memory());
    Ok(())
}

export!(Module {
    name: "row",
    types: &[Type::of::<Row>()],
    commands: &[
        Command { name: text("row.splice"), arity: -4, run: run(splice), ..Command::NEW },
        Command { name: text("row.all"), arity: 2, run: run(all), ..Command::NEW },
        Command { name: text("row.memory"), arity: 2, run: run(memory), ..Command::NEW },
    ],
    ..Module::NEW
});

/// Numbers at the start.
const LEN: usize = 100;
/// Elements of the largest slice that is asked for below.
const LARGEST_SLICE: usize = 64;

fn change(host: &mut Testbed, model: &mut Vec<u64>, at: usize, count: usize, numbers: &[u64]) {
    let words = ["row.splice", "k"].map(str::to_owned).into_iter();
    let args = words.chain([at, count].map(|number| number.to_string()));
    let args: Vec<String> = args.chain(numbers.iter().map(u64::to_string)).collect();
    model.splice(at..at + count, numbers.iter().copied());
    assert_eq!(host.run(&args), format!(":{}\r\n", model.len()).into_bytes());
}

fn filled() -> (Testbed, Vec<u64>) {
    let (mut host, mut model) = (Testbed::new(&plinth_module_entry).expect("the module loads"), Vec::new());
    change(&mut host, &mut model, 0, 0, &(0..LEN as u64).collect::<Vec<_>>());
    (host, model)
}

fn compare(host: &mut Testbed, model: &[u64]) {
    let texts: Vec<String> = model.iter().map(u64::to_string).collect();
    let text = texts.join(" ");
    assert_eq!(String::from_utf8_lossy(&host.run(&["row.all", "k"])), format!("${}\r\n{text}\r\n", text.len()));
}

proptest! {
    #[test]
    fn edits_between_slices_arrive_in_their_order(
        budget in prop_oneof![Just(1usize), 2usize..16, Just(LARGEST_SLICE)],
        rounds in proptest::collection::vec(
            proptest::collection::vec((any::<prop::sample::Index>(), 0usize..40, 0usize..4, 0u64..1000), 0..4),
            0..60,
        ),
    ) {
        let (mut host, mut model) = filled();
        let one = |host: &mut Testbed, model: &mut Vec<u64>, (at, count, inserted, first): (prop::sample::Index, usize, usize, u64)| {
            let at = at.index(model.len() + 1);
            // Long removals are rare, or nothing would be left.
            let count = if count < 36 { count % 3 } else { count };
            let numbers: Vec<u64> = (first..).take(inserted).collect();
            change(host, model, at, count.min(model.len() - at), &numbers);
        };
        prop_assert_eq!(host.convert_twice("k", budget, &mut model, rounds, one, |host, model| compare(host, model)), Ok(()));
    }
}

#[test]
fn both_ends_and_the_frontier_itself_may_change_at_any_time() {
    for budget in 1..12 {
        let (mut host, mut model) = filled();
        let mut round = 0;
        let done = host.convert_in_slices("k", budget, |host| {
            round += 1;
            if round < 80 {
                // It moves with what is inserted before it, so it is hit in one of these rounds.
                let frontier = (round * budget).min(model.len());
                change(host, &mut model, 0, round % 2, &[500]);
                change(host, &mut model, frontier, 0, &[1000]);
                let last = model.len() - 1;
                change(host, &mut model, last, 1, &[]);
                change(host, &mut model, last, 0, &[2000, 3000]);
            }
        });
        assert_eq!(done, Ok(()), "budget {budget}");
        compare(&mut host, &model);
    }
}

#[test]
fn a_removal_of_nearly_all_straddles_the_frontier_and_is_handed_out_in_parts() {
    for (at, count) in [(0, 95), (3, 95), (40, 60), (50, 20), (0, 100)] {
        let (mut host, mut model) = filled();
        let mut round = 0;
        let done = host.convert_in_slices("k", 8, |host| {
            round += 1;
            if round == 7 {
                change(host, &mut model, at, count, &[]);
                change(host, &mut model, at, 0, &[7, 8]);
            }
        });
        assert_eq!(done, Ok(()), "{at} {count}");
        compare(&mut host, &model);
    }
}

#[test]
fn a_refused_element_leaves_the_old_sequence_as_it_was() {
    let (mut host, mut model) = filled();
    change(&mut host, &mut model, 50, 0, &[REFUSED]);
    assert_eq!(host.convert_in_slices("k", 10, |_| {}), Err(Error::BadData));
    change(&mut host, &mut model, 50, 1, &[]);
    compare(&mut host, &model);
    assert_eq!(host.convert_in_slices("k", 10, |_| {}), Ok(()));
    compare(&mut host, &model);
}

#[test]
fn what_is_noted_is_counted_until_it_is_handed_out() {
    let (mut host, mut model) = filled();
    let mut seen = Vec::new();
    let done = host.convert_in_slices("k", 50, |host| {
        if model.len() < 1000 {
            (0..1000).for_each(|_| change(host, &mut model, 0, 0, &[5]));
        }
        seen.push(host.run(&["row.memory", "k"]));
    });
    assert_eq!(done, Ok(()));
    let bytes = |reply: &[u8]| String::from_utf8_lossy(reply)[1..].trim_end().parse::<usize>().expect("an integer");
    let (first, last) = (bytes(&seen[0]), bytes(seen.last().expect("there are slices")));
    assert!(first > 1000 * 8 + last, "{first}, then {last}");
    assert_eq!(host.run(&["row.memory", "k"]), b":0\r\n");
    compare(&mut host, &model);
}
