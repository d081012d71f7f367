//! Claims about the store: a model, and the guarantee of a scan.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};

type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)>;

fn put(fields: &mut Fields, field: &[u8], value: &[u8], deadline: Option<u64>) -> Before {
    fields.put(fields.digest(field), field, value, deadline)
}

fn agrees(fields: &Fields, model: &Model) -> Result<(), TestCaseError> {
    let mut all = Model::new();
    fields.for_each(|item| {
        all.insert(item.field.to_vec(), (item.value.to_vec(), item.deadline));
    });
    prop_assert_eq!(&all, model);
    prop_assert_eq!(fields.len(), model.len());
    prop_assert_eq!(fields.expiring(), model.values().filter(|(_, deadline)| deadline.is_some()).count());
    Ok(())
}

#[derive(Clone, Debug)]
enum Step {
    Put(u16, Vec<u8>, Option<u64>),
    Expire(u16, Option<u64>),
    Remove(u16),
}

fn step() -> impl Strategy<Value = Step> {
    let deadline = || proptest::option::of(0..1u64 << 48);
    prop_oneof![
        3 => (0..400u16, proptest::collection::vec(any::<u8>(), 0..40), deadline()).prop_map(|(f, v, d)| Step::Put(f, v, d)),
        1 => (0..400u16, deadline()).prop_map(|(f, d)| Step::Expire(f, d)),
        2 => (0..400u16).prop_map(Step::Remove),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_store_does_what_a_map_does(steps in proptest::collection::vec(step(), 0..1500)) {
        let (mut fields, mut model) = (Fields::default(), Model::new());
        for step in steps {
            let name = |number: u16| format!("field:{number}").into_bytes();
            match step {
                Step::Put(field, value, deadline) => {
                    let field = name(field);
                    let before = put(&mut fields, &field, &value, deadline);
                    let expected = model.insert(field, (value, deadline));
                    prop_assert_eq!(before, expected.map_or(Before::Absent, |(_, deadline)| Before::Present(deadline)));
                }
                Step::Expire(field, deadline) => {
                    let field = name(field);
                    let found = fields.set_deadline(fields.digest(&field), &field, deadline);
                    prop_assert_eq!(found, model.get_mut(&field).map(|(_, old)| *old = deadline).is_some());
                }
                Step::Remove(field) => {
                    let field = name(field);
                    prop_assert_eq!(fields.remove(fields.digest(&field), &field), model.remove(&field).is_some());
                }
            }
        }
        agrees(&fields, &model)?;
        let mut bytes = 0;
        fields.table.for_each(|blob, mark| {
            // SAFETY: the blob is in the table.
            unsafe {
                bytes += blob.len();
                assert_eq!(item(blob).deadline.is_some(), mark);
            }
        });
        prop_assert_eq!(bytes, fields.bytes);
        for (field, (value, deadline)) in &model {
            let item = fields.get(fields.digest(field), field);
            prop_assert_eq!(item, Some(Item { field, value, deadline: *deadline }));
        }
    }

    #[test]
    fn a_scan_visits_what_stays_while_the_table_grows_and_shrinks(
        stays in 1..300u32, extra in 0..4000u32, grows: bool, stride in 1..200usize,
    ) {
        let mut fields = Fields::default();
        let name = |kind: &str, number: u32| format!("{kind}{number}").into_bytes();
        (0..stays).for_each(|number| { put(&mut fields, &name("stays", number), b"v", None); });
        if !grows {
            (0..extra).for_each(|number| { put(&mut fields, &name("extra", number), b"v", None); });
        }
        let (mut cursor, mut seen, mut next) = (0, HashSet::new(), 0);
        loop {
            cursor = fields.scan(cursor, |item| { seen.insert(item.field.to_vec()); });
            if cursor == 0 {
                break;
            }
            for _ in 0..stride.min((extra - next) as usize) {
                let field = name("extra", next);
                next += 1;
                if grows {
                    put(&mut fields, &field, b"v", None);
                } else {
                    fields.remove(fields.digest(&field), &field);
                }
            }
        }
        prop_assert!((0..stays).all(|number| seen.contains(&name("stays", number))));
    }
}

#[test]
fn a_scan_of_expiring_fields_visits_no_others() {
    let mut fields = Fields::default();
    for number in 0..1000u64 {
        put(&mut fields, number.to_string().as_bytes(), b"v", (number % 10 == 0).then_some(number));
    }
    let (mut cursor, mut seen) = (0, 0);
    loop {
        cursor = fields.scan_expiring(cursor, |item| {
            assert!(item.deadline.is_some());
            seen += 1;
        });
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(seen, 100);
}

#[test]
fn a_large_hash_takes_46_bytes_a_field_at_most() {
    let mut fields = Fields::default();
    for number in 0..200_000 {
        put(&mut fields, format!("field:{number:08}").as_bytes(), format!("value:{number:07}").as_bytes(), None);
    }
    // Blobs of 29 bytes are allocated as 32.
    let bytes = fields.memory_bytes() + fields.len() * 3;
    assert!(bytes / fields.len() <= 46, "{} bytes a field", bytes as f64 / fields.len() as f64);
}
