//! A large hash that is handed over in slices while commands change it arrives as it is at the end:
//! every field, its value, and its deadline.

#![deny(unsafe_code)]
#![allow(missing_docs, clippy::unwrap_used)]

use plinth_testbed::Testbed;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Fields that changes are about; half of them are there at the start.
const FIELDS: u32 = 1500;
/// From when on fields expire, in ms from the start; the clock stands until it is moved.
const LATER_MS: i64 = 10_000;

/// A change between two slices: what, which field, which value or deadline.
type Change = (u8, u32, u16);

/// Value and deadline of each field; the deadline is -1 without one.
type Model = BTreeMap<String, (String, i64)>;

fn change() -> impl Strategy<Value = Change> {
    (0u8..9, 0..FIELDS, any::<u16>())
}

/// Makes a change, and asserts that the command says what the model does.
fn apply(host: &mut Testbed, model: &mut Model, (what, field, number): Change) {
    let (field, value) = (format!("f:{field}"), number.to_string());
    let code = match what {
        0..=2 => {
            let added = model.insert(field.clone(), (value.clone(), -1)).is_none();
            assert_eq!(host.run(&["HSET", "k", &field, &value]), integer(added.into()));
            return;
        }
        3 => {
            let long = value.repeat(usize::from(number % 50));
            host.run(&["HSET", "k", &field, &long]);
            model.insert(field, (long, -1));
            return;
        }
        4 | 5 => {
            let removed = model.remove(&field).is_some();
            assert_eq!(host.run(&["HDEL", "k", &field]), integer(removed.into()));
            return;
        }
        6 | 7 => {
            let at = host.now_ms() + LATER_MS + i64::from(number);
            let reply = host.run(&["HPEXPIREAT", "k", &at.to_string(), "FIELDS", "1", &field]);
            let code = model.get_mut(&field).map_or(-2, |item| {
                item.1 = at;
                1
            });
            (reply, code)
        }
        _ => {
            let reply = host.run(&["HPERSIST", "k", "FIELDS", "1", &field]);
            let code =
                model.get_mut(&field).map_or(-2, |item| if std::mem::replace(&mut item.1, -1) == -1 { -1 } else { 1 });
            (reply, code)
        }
    };
    assert_eq!(code.0, format!("*1\r\n:{}\r\n", code.1).into_bytes(), "{what} {field}");
}

fn integer(number: i64) -> Vec<u8> {
    format!(":{number}\r\n").into_bytes()
}

/// A large hash of every other field, some of them with deadlines, and its model.
fn filled() -> (Testbed, Model) {
    let (mut host, mut model) = (Testbed::new(&plinth_hash::plinth_module_entry).unwrap(), Model::new());
    for field in (0..FIELDS).step_by(2) {
        apply(&mut host, &mut model, (0, field, field as u16));
        if field % 5 == 0 {
            apply(&mut host, &mut model, (6, field, field as u16));
        }
    }
    host.run(&["HSET", "k", "stays", ""]);
    model.insert("stays".to_owned(), (String::new(), -1));
    assert_eq!(host.encoding("k").unwrap(), "hashtable");
    (host, model)
}

/// The hash is what the model says.
fn compare(host: &mut Testbed, model: &Model) {
    assert_eq!(host.run(&["HLEN", "k"]), integer(model.len() as i64));
    for (field, (value, deadline)) in model {
        let expected = format!("${}\r\n{value}\r\n", value.len());
        assert_eq!(host.run(&["HGET", "k", field]), expected.into_bytes(), "{field}");
        let said = host.run(&["HPEXPIRETIME", "k", "FIELDS", "1", field]);
        assert_eq!(said, format!("*1\r\n:{deadline}\r\n").into_bytes(), "{field}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_changes_between_slices_arrives(
        budget in prop_oneof![Just(1usize), 2usize..100, Just(10_000)],
        rounds in proptest::collection::vec(proptest::collection::vec(change(), 0..8), 0..150),
    ) {
        let (mut host, mut model) = filled();
        prop_assert_eq!(host.convert_twice("k", budget, &mut model, rounds, apply, compare), Ok(()));
        // The new one knows what expires, and when.
        host.advance_ms(LATER_MS.unsigned_abs() + u64::from(u16::MAX) + 1);
        for (field, (value, deadline)) in &model {
            let expected = if *deadline == -1 { format!("${}\r\n{value}\r\n", value.len()) } else { "$-1\r\n".to_owned() };
            prop_assert_eq!(host.run(&["HGET", "k", field]), expected.into_bytes());
        }
    }
}
