//! A large list that is handed over in slices while commands change it arrives as it is at the end:
//! every element, and each in its place.

#![deny(unsafe_code)]
#![allow(missing_docs, clippy::unwrap_used)]

use plinth_testbed::Testbed;
use proptest::prelude::*;
use proptest::sample::Index;

/// Elements at the start.
const LEN: usize = 1500;
/// A list stays large while it has so many.
const LEN_MIN: usize = 300;
/// Texts are few, so that LREM and LINSERT find some.
const TEXTS: u32 = 60;

type Model = Vec<String>;

#[derive(Clone, Debug)]
enum Change {
    Push { right: bool, texts: Vec<String> },
    Pop { right: bool, count: usize },
    Set(Index, String),
    Insert { behind: bool, pivot: String, text: String },
    Remove { count: i64, text: String },
    Trim { left: usize, right: usize },
    Move { from_right: bool, to_right: bool },
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (0..TEXTS).prop_map(|text| text.to_string()),
        3 => (0..TEXTS).prop_map(|text| format!("text:{text}")),
        1 => (100usize..5000).prop_map(|len| "x".repeat(len)),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    // Most trims take a few elements, some a good part of the list.
    let cut = || prop_oneof![3 => 0usize..8, 1 => 60usize..400];
    let texts = proptest::collection::vec(text(), 1..6);
    prop_oneof![
        4 => (any::<bool>(), texts).prop_map(|(right, texts)| Change::Push { right, texts }),
        3 => (any::<bool>(), 1usize..8).prop_map(|(right, count)| Change::Pop { right, count }),
        3 => (any::<Index>(), text()).prop_map(|(at, text)| Change::Set(at, text)),
        3 => (any::<bool>(), text(), text()).prop_map(|(behind, pivot, text)| Change::Insert { behind, pivot, text }),
        2 => (-4i64..5, text()).prop_map(|(count, text)| Change::Remove { count, text }),
        2 => (cut(), cut()).prop_map(|(left, right)| Change::Trim { left, right }),
        1 => any::<(bool, bool)>().prop_map(|(from_right, to_right)| Change::Move { from_right, to_right }),
    ]
}

/// The word for an end.
fn end(right: bool) -> &'static str {
    if right { "RIGHT" } else { "LEFT" }
}

fn insert(model: &mut Model, right: bool, text: String) {
    model.insert(if right { model.len() } else { 0 }, text);
}

fn take(model: &mut Model, right: bool) -> String {
    model.remove(if right { model.len() - 1 } else { 0 })
}

/// Positions of a text that LREM takes away.
fn found(model: &[String], count: i64, text: &str) -> Vec<usize> {
    let all = (0..model.len()).filter(|&at| model[at] == text);
    let max = if count == 0 { usize::MAX } else { count.unsigned_abs() as usize };
    let mut found: Vec<usize> = if count < 0 { all.rev().take(max).collect() } else { all.take(max).collect() };
    found.sort_unstable();
    found
}

/// Makes a change, and asserts that the command says what the model does.
fn apply(host: &mut Testbed, model: &mut Model, change: Change) {
    let (args, expected): (Vec<String>, String) = match change {
        Change::Push { right, texts } => {
            texts.iter().for_each(|text| insert(model, right, text.clone()));
            let name = if right { "RPUSH" } else { "LPUSH" };
            ([name, "k"].map(str::to_owned).into_iter().chain(texts).collect(), integer(model.len()))
        }
        Change::Pop { right, count } => {
            let count = count.min(model.len().saturating_sub(LEN_MIN));
            let taken: Vec<String> = (0..count).map(|_| take(model, right)).collect();
            (words(&[if right { "RPOP" } else { "LPOP" }, "k", &count.to_string()]), array(&taken))
        }
        Change::Set(at, text) => {
            let at = at.index(model.len());
            model[at] = text;
            (words(&["LSET", "k", &at.to_string(), &model[at]]), "+OK\r\n".to_owned())
        }
        Change::Insert { behind, pivot, text } => {
            let at = model.iter().position(|element| *element == pivot);
            let args = words(&["LINSERT", "k", if behind { "AFTER" } else { "BEFORE" }, &pivot, &text]);
            at.into_iter().for_each(|at| model.insert(at + usize::from(behind), text.clone()));
            (args, at.map_or(":-1\r\n".to_owned(), |_| integer(model.len())))
        }
        Change::Remove { count, text } => {
            let found = if model.len() < LEN_MIN * 2 { Vec::new() } else { found(model, count, &text) };
            if found.is_empty() {
                return;
            }
            found.iter().rev().for_each(|&at| drop(model.remove(at)));
            (words(&["LREM", "k", &count.to_string(), &text]), integer(found.len()))
        }
        Change::Trim { left, right } => {
            let most = model.len().saturating_sub(LEN_MIN) / 2;
            let (left, right) = (left.min(most), right.min(most));
            *model = model[left..model.len() - right].to_vec();
            let stop = -1 - right as i64;
            (words(&["LTRIM", "k", &left.to_string(), &stop.to_string()]), "+OK\r\n".to_owned())
        }
        Change::Move { from_right, to_right } => {
            let text = take(model, from_right);
            insert(model, to_right, text.clone());
            (words(&["LMOVE", "k", "k", end(from_right), end(to_right)]), bulk(&text))
        }
    };
    assert_eq!(String::from_utf8_lossy(&host.run(&args)), expected, "{args:?}");
}

fn words(args: &[&str]) -> Vec<String> {
    args.iter().map(|&word| word.to_owned()).collect()
}

fn integer(number: usize) -> String {
    format!(":{number}\r\n")
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

fn array(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| bulk(text)).collect();
    format!("*{}\r\n{}", texts.len(), texts.concat())
}

fn filled() -> (Testbed, Model) {
    let (mut host, mut model) = (Testbed::new(&plinth_list::plinth_module_entry).unwrap(), Model::new());
    let texts: Vec<String> = (0..LEN).map(|at| (at as u32 % TEXTS).to_string()).collect();
    apply(&mut host, &mut model, Change::Push { right: true, texts });
    (host, model)
}

/// The list is what the model says, from either end and from the middle.
fn compare(host: &mut Testbed, model: &[String]) {
    assert_eq!(String::from_utf8_lossy(&host.run(&["LRANGE", "k", "0", "-1"])), array(model));
    assert_eq!(host.run(&["LLEN", "k"]), integer(model.len()).into_bytes());
    for at in (0..model.len()).step_by(97) {
        assert_eq!(host.run(&["LINDEX", "k", &at.to_string()]), bulk(&model[at]).into_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_changes_between_slices_arrives_in_its_place(
        budget in prop_oneof![Just(1usize), 2usize..100, Just(10_000)],
        depth in 0u32..3,
        rounds in proptest::collection::vec(proptest::collection::vec(change(), 0..6), 0..80),
    ) {
        let (mut host, mut model) = filled();
        host.set_config("list-compress-depth", &depth.to_string()).unwrap();
        prop_assert_eq!(host.convert_twice("k", budget, &mut model, rounds, apply, |host, model| compare(host, model)), Ok(()));
    }
}

#[test]
fn a_list_shows_itself_as_its_size_says_when_it_was_handed_over() {
    for (elements, shown) in [(400, "listpack"), (2000, "quicklist")] {
        let (mut host, mut model) = (Testbed::new(&plinth_list::plinth_module_entry).unwrap(), Model::new());
        let texts: Vec<String> = (0..elements).map(|at| format!("element:{at}")).collect();
        apply(&mut host, &mut model, Change::Push { right: true, texts });
        assert_eq!(host.encoding("k").unwrap(), shown);
        assert_eq!(host.convert_in_slices("k", 32, |_| ()), Ok(()));
        assert_eq!(host.encoding("k").unwrap(), shown);
        // One more makes it what it is beyond the limit, and few are as small as ever.
        let texts = vec!["x".repeat(100); 100];
        apply(&mut host, &mut model, Change::Push { right: false, texts });
        assert_eq!(host.encoding("k").unwrap(), "quicklist");
        host.run(&["LTRIM", "k", "0", "3"]);
        assert_eq!(host.encoding("k").unwrap(), "listpack");
    }
}

#[test]
fn trims_in_the_middle_of_a_conversion_do_not_end_it() {
    let (mut host, mut model) = filled();
    let done = host.convert_in_slices("k", 100, |host| {
        // Before the frontier and behind it; twice much, then little.
        for (left, right) in [(150, 200), (70, 0), (1, 1)] {
            if model.len() > LEN / 2 {
                apply(host, &mut model, Change::Trim { left, right });
            }
        }
    });
    assert_eq!(done, Ok(()));
    assert!(model.len() < LEN / 2 + 150);
    compare(&mut host, &model);
}
