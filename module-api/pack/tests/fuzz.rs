//! Every reader of packed bytes against bytes that nobody wrote: noise, and packs with a few bytes
//! changed.
//!
//! Claims: no reader panics or goes on for ever; what `check` takes has as many elements as it says,
//! and is spelled in its one way.
//!
//! It runs for a fraction of a second under `cargo test`; for longer
//! `PLINTH_FUZZ_SECONDS=600 cargo test --release -p plinth-pack --test fuzz`.

#![allow(missing_docs, reason = "tests are named as claims")]

use plinth_pack::{Value, element, listpack, pair, ziplist};
use std::time::{Duration, Instant};

/// SplitMix64: small, and good enough to choose bytes.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// A text or an integer of any size.
    fn value<'t>(&mut self, text: &'t [u8]) -> Value<'t> {
        match self.below(3) {
            0 => Value::Integer(self.next() as i64 >> self.below(64)),
            _ => Value::Text(&text[..[0, 5, 63, 64, 127, 128, 300, 5000][self.below(8)]]),
        }
    }
}

/// A pack of some kind as its writer makes it.
fn written(random: &mut Random) -> Vec<u8> {
    let text = vec![b'x'; 5000];
    let (kind, mut bytes) = (random.below(3), Vec::new());
    let mut list = listpack::Writer::with_capacity(64);
    for _ in 0..random.below(6) {
        let (first, second) = (random.value(&text), random.value(&text));
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
    for _ in 0..random.below(4) {
        if bytes.is_empty() {
            break;
        }
        let at = random.below(bytes.len());
        match random.below(4) {
            0 => bytes[at] = random.next() as u8,
            1 => bytes[at] = TELLING[random.below(TELLING.len())],
            2 => bytes.truncate(at),
            _ => bytes.insert(at, TELLING[random.below(TELLING.len())]),
        }
    }
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
    let seconds = std::env::var("PLINTH_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(0.3);
    let (begun, budget) = (Instant::now(), Duration::from_secs_f64(seconds));
    let (mut cases, mut taken) = (0u64, [0u64; 4]);
    while begun.elapsed() < budget {
        let mut random = Random(cases);
        let bytes = damaged(&mut random);
        look(&bytes, random.below(9));
        let whole = |reader: Result<plinth_pack::Reader<'_>, _>| {
            u64::from(reader.is_ok_and(|mut reader| reader.all(|one| one.is_ok())))
        };
        taken[0] += u64::from(element::check(&bytes).is_ok());
        taken[1] += u64::from(pair::check(&bytes).is_ok());
        taken[2] += whole(listpack::read(&bytes));
        taken[3] += whole(ziplist::read(&bytes));
        cases += 1;
    }
    println!("{cases} cases; taken by element, pair, listpack, ziplist: {taken:?}");
    assert!(taken[..3].iter().all(|count| *count > 0), "nothing was taken: {taken:?}");
}
