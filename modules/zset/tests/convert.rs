//! A large sorted set that is handed over in slices while commands change it arrives as it is at the
//! end: in its order, and with every score.

#![deny(unsafe_code)]
#![allow(missing_docs, clippy::unwrap_used)]

use plinth_testbed::Testbed;
use proptest::prelude::*;
use std::collections::HashMap;

/// Members that changes are about; half of them are there at the start.
const MEMBERS: u32 = 400;

/// A change between two slices: what, which member, which score.
type Change = (u8, u32, i8);

fn change() -> impl Strategy<Value = Change> {
    // Scores are few, so that many elements have the same.
    (0u8..8, 0..MEMBERS, -3i8..4)
}

fn run(host: &mut Testbed, args: &[&str]) -> Vec<u8> {
    host.run(args)
}

/// Makes a change, and asserts that the command says what the model does.
fn apply(host: &mut Testbed, model: &mut HashMap<String, f64>, (what, member, score): Change) {
    let member = format!("m:{member}");
    let score = f64::from(score);
    match what {
        0..=2 => {
            let reply = run(host, &["ZADD", "k", &score.to_string(), &member]);
            let added = u8::from(model.insert(member, score).is_none());
            assert_eq!(reply, format!(":{added}\r\n").into_bytes());
        }
        3 => {
            run(host, &["ZINCRBY", "k", "0.5", &member]);
            *model.entry(member).or_default() += 0.5;
        }
        4 | 5 => {
            let reply = run(host, &["ZREM", "k", &member]);
            assert_eq!(reply, format!(":{}\r\n", u8::from(model.remove(&member).is_some())).into_bytes());
        }
        6 => {
            run(host, &["ZPOPMIN", "k"]);
            let first = sorted(model).first().map(|(_, member)| member.clone());
            first.map(|member| model.remove(&member));
        }
        _ => {
            run(host, &["ZREMRANGEBYRANK", "k", "-2", "-1"]);
            for (_, member) in sorted(model).iter().rev().take(2) {
                model.remove(member);
            }
        }
    }
}

fn sorted(model: &HashMap<String, f64>) -> Vec<(f64, String)> {
    let mut elements: Vec<(f64, String)> = model.iter().map(|(member, score)| (*score, member.clone())).collect();
    elements.sort_by(|one, other| one.partial_cmp(other).unwrap());
    elements
}

/// As ZRANGE with scores shows it.
fn shown(model: &HashMap<String, f64>) -> String {
    let bulk = |text: &str| format!("${}\r\n{text}\r\n", text.len());
    let texts: Vec<String> =
        sorted(model).iter().flat_map(|(score, member)| [bulk(member), bulk(&score.to_string())]).collect();
    format!("*{}\r\n{}", texts.len(), texts.concat())
}

/// A large sorted set of every other member, and its model.
fn filled() -> (Testbed, HashMap<String, f64>) {
    let (mut host, mut model) = (Testbed::new(&plinth_zset::plinth_module_entry).unwrap(), HashMap::new());
    for member in (0..MEMBERS).step_by(2) {
        apply(&mut host, &mut model, (0, member, (member % 7) as i8 - 3));
    }
    // One that never goes keeps the key.
    let stays = "s".repeat(70);
    run(&mut host, &["ZADD", "k", "0", &stays]);
    model.insert(stays, 0.0);
    (host, model)
}

/// The sorted set is what the model says.
fn compare(host: &mut Testbed, model: &HashMap<String, f64>) {
    let reply = run(host, &["ZRANGE", "k", "0", "-1", "WITHSCORES"]);
    assert_eq!(String::from_utf8_lossy(&reply), shown(model));
    assert_eq!(host.encoding("k").unwrap(), "skiplist");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_changes_between_slices_arrives(
        budget in prop_oneof![Just(1usize), 2usize..40, Just(10_000)],
        rounds in proptest::collection::vec(proptest::collection::vec(change(), 0..8), 0..120),
    ) {
        let (mut host, mut model) = filled();
        let change = |host: &mut Testbed, model: &mut HashMap<String, f64>, change: Change| {
            // The one that stays must not be popped: it is neither the first nor the last then.
            if change.0 < 6 || model.len() > 200 {
                apply(host, model, change);
            }
        };
        prop_assert_eq!(host.convert_twice("k", budget, &mut model, rounds, change, compare), Ok(()));
    }
}
