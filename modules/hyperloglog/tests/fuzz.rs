//! The reader of values against bytes that nobody wrote: noise, and values with a few bytes changed.
//!
//! Claims: nothing panics or goes on for ever; what has a count also merges, becomes dense with the
//! same registers, and takes any element; what has none is refused whatever is asked of it.
//!
//! It runs for a fraction of a second under `cargo test`; for longer
//! `PLINTH_FUZZ_SECONDS=600 cargo test --release -p plinth-hyperloglog --test fuzz`.

#![deny(unsafe_code)]

use plinth_fuzz::Random;
use plinth_hyperloglog::dense::{self, DENSE_BYTES};
use plinth_hyperloglog::estimate::cardinality;
use plinth_hyperloglog::hash::{Observation, REGISTERS};
use plinth_hyperloglog::registers::{Registers, histogram};
use plinth_hyperloglog::sparse::{EMPTY, Raiser, Runs};
use plinth_hyperloglog::value::{DENSE_VALUE_BYTES, Form, Header, Refusal, Sketch, write_dense};

/// Bytes that mean something: the kinds of runs, their greatest lengths, the encodings.
const TELLING: [u8; 12] = [0x00, 0x01, 0x3f, 0x40, 0x7f, 0x80, 0x83, 0xfc, 0xff, 0x48, 0x59, 0x4c];

fn observation(random: &mut Random) -> Observation {
    let near = random.below(2) == 0;
    let index = if near { random.below(200) } else { random.below(REGISTERS) };
    Observation { index, rank: random.below(51) as u8 % [3, 32, 51][random.below(3)] + 1 }
}

/// A value as its writer makes it.
fn written(random: &mut Random) -> Vec<u8> {
    let mut raiser = Raiser::new(&EMPTY, 3000);
    let mut registers = Registers::new();
    for _ in 0..random.below(300) {
        let seen = observation(random);
        registers.raise(seen);
        let _ = raiser.raise(seen);
    }
    let header = if random.once_in(3) { Header::NEW } else { Header::NEW.with_count(random.number()) };
    if random.once_in(3) {
        let mut value = [0; DENSE_VALUE_BYTES];
        write_dense(header, &registers, &mut value);
        return value.to_vec();
    }
    [header.bytes(), raiser.bytes()].concat()
}

fn damaged(random: &mut Random) -> Vec<u8> {
    let mut value = if random.once_in(4) {
        let noise = (0..random.below(60)).map(|_| TELLING[random.below(TELLING.len())]);
        Header::NEW.bytes().iter().copied().chain(noise).collect()
    } else {
        written(random)
    };
    random.damage(&mut value, &TELLING);
    value
}

/// What came of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Found {
    Other,
    Corrupt,
    Sparse,
    Dense,
}

fn look(value: &[u8], random: &mut Random) -> Found {
    let sketch = match Sketch::read(value) {
        Ok(sketch) => sketch,
        Err(Refusal::Other) => return Found::Other,
        Err(Refusal::Corrupt) => return Found::Corrupt,
    };
    let count = sketch.cardinality();
    let registers = sketch.registers();
    assert_eq!(count.err(), registers.as_ref().err().copied(), "one reader takes what another refuses");
    let found = match sketch.form {
        Form::Dense(_) => Found::Dense,
        Form::Sparse(runs) => {
            assert!(Runs::of(runs).count() <= runs.len());
            raise(runs, registers.as_ref().ok(), random);
            if count.is_ok() { Found::Sparse } else { Found::Corrupt }
        }
    };
    if let (Ok(registers), Ok(count)) = (registers, count) {
        let mut dense = Box::new([0; DENSE_BYTES]);
        registers.write(&mut dense);
        assert_eq!(cardinality(&histogram(&dense)), count);
        assert!(registers.iter().enumerate().all(|(index, register)| dense::get(&dense, index) == register));
    }
    found
}

/// Raises registers of runs: what they stand for, if they are a value, goes on being one.
fn raise(runs: &[u8], before: Option<&Registers>, random: &mut Random) {
    let mut model = before.map(|registers| registers.iter().collect::<Vec<u8>>());
    let mut raiser = Raiser::new(runs, runs.len() + random.below(20));
    for _ in 0..random.below(20) {
        let seen = observation(random);
        match raiser.raise(seen) {
            Err(_) => assert!(before.is_none(), "a whole value does not take an element"),
            Ok(plinth_hyperloglog::sparse::Raised::Yes) => {
                if let Some(model) = &mut model {
                    model[seen.index] = seen.rank;
                }
            }
            Ok(_) => {}
        }
    }
    if let Some(model) = model {
        let mut registers = Registers::new();
        assert!(registers.merge_sparse(raiser.bytes()).is_ok(), "a whole value is none any more");
        assert!(registers.iter().eq(model), "other registers than the raised ones differ");
    }
}

#[test]
fn readers_survive_any_bytes() {
    let mut found = [0u64; 4];
    plinth_fuzz::run(|random| {
        let value = damaged(random);
        found[look(&value, random) as usize] += 1;
    });
    println!("refused as other and as corrupt, taken as sparse and as dense: {found:?}");
    assert!(found.iter().all(|count| *count > 0), "an end was not reached: {found:?}");
}
