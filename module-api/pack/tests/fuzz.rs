//! Every reader of packed bytes against bytes that nobody wrote: noise, and packs with a few bytes
//! changed.
//!
//! Claims: no reader panics or goes on for ever; what `check` takes has as many elements as it says,
//! and is spelled in its one way.
//!
//! It runs for a fraction of a second under `cargo test`; for longer
//! `PLINTH_FUZZ_SECONDS=600 cargo test --release -p plinth-pack --test fuzz`.

#![allow(missing_docs, reason = "tests are named as claims")]

use plinth_fuzz::Random;
use plinth_pack::{Value, element, listpack, pair, ziplist};

/// A text or an integer of any size.
fn value<'t>(random: &mut Random, text: &'t [u8]) -> Value<'t> {
    match random.below(3) {
        0 => Value::Integer(random.word() as i64 >> random.below(64)),
        _ => Value::Text(&text[..[0, 5, 63, 64, 127, 128, 300, 5000][random.below(8)]]),
    }
}

/// A pack of some kind as its writer makes it.
fn written(random: &mut Random) -> Vec<u8> {
    let text = vec![b'x'; 5000];
    let (kind, mut bytes) = (random.below(3), Vec::new());
    let mut list = listpack::Writer::with_capacity(64);
    for _ in 0..random.below(6) {
        let (first, second) = (value(random, &text), value(random, &text));
        match kind {
            0 => element::Encoded::of_value(first).push(&mut bytes),
            1 => pair::push(&pair::Part::of(&first.to_vec()), &pair::Part::of(&second.to_vec()), &mut bytes),
            _ => list.push(first),
        }
    }
    if kind == 2 { list.finish() } else { bytes }
}

/// Bytes that mean something in one of the forms.
const TELLING: [u8; 14] = [0x00, 0x01, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xd0, 0xe0, 0xf0, 0xf1, 0xf4, 0xfe, 0xff];

fn damaged(random: &mut Random) -> Vec<u8> {
    let mut bytes = if random.below(4) == 0 {
        (0..random.below(60)).map(|_| TELLING[random.below(TELLING.len())]).collect()
    } else {
        written(random)
    };
    random.damage(&mut bytes, &TELLING);
    // Half of what has a length in front says it right, or nothing behind it would be looked at.
    if bytes.len() >= 4 && random.below(2) == 0 {
        let len = (bytes.len() as u32).to_le_bytes();
        bytes[..4].copy_from_slice(&len);
    }
    bytes
}

fn look(bytes: &[u8], index: usize) {
    assert!(element::iter(bytes).count() <= bytes.len());
    let _ = (element::find(bytes, &element::Encoded::of(b"xxxxx")), element::offset(bytes, index));
    if let Ok(count) = element::check(bytes) {
        let mut again = Vec::new();
        element::iter(bytes).for_each(|value| element::Encoded::of_value(value).push(&mut again));
        assert_eq!((element::iter(bytes).count(), &again[..]), (count, bytes));
    }
    assert!(pair::iter(bytes).count() <= bytes.len());
    let _ = (pair::find(bytes, &pair::Part::of(b"xxxxx")), pair::offset(bytes, index));
    if let Ok(count) = pair::check(bytes) {
        assert_eq!(pair::iter(bytes).map(|pair| pair.len).sum::<usize>(), bytes.len());
        assert_eq!(pair::iter(bytes).count(), count);
    }
    for reader in [listpack::read(bytes), ziplist::read(bytes)].into_iter().flatten() {
        assert!(reader.take(bytes.len() + 2).count() <= bytes.len() + 1, "it has more elements than bytes");
    }
}

#[test]
fn readers_survive_any_bytes() {
    let (mut cases, mut taken) = (0u64, [0u64; 4]);
    plinth_fuzz::run(|random| {
        let bytes = damaged(random);
        look(&bytes, random.below(9));
        let whole = |reader: Result<plinth_pack::Reader<'_>, _>| {
            u64::from(reader.is_ok_and(|mut reader| reader.all(|one| one.is_ok())))
        };
        taken[0] += u64::from(element::check(&bytes).is_ok());
        taken[1] += u64::from(pair::check(&bytes).is_ok());
        taken[2] += whole(listpack::read(&bytes));
        taken[3] += whole(ziplist::read(&bytes));
        cases += 1;
    });
    println!("{cases} cases; taken by element, pair, listpack, ziplist: {taken:?}");
    assert!(taken[..3].iter().all(|count| *count > 0), "nothing was taken: {taken:?}");
}
