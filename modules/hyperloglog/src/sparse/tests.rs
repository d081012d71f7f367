//! The sparse form against a plain array of registers, and against its own slowest spelling.

use super::*;
use crate::hash::Observation;
use proptest::prelude::*;

/// The registers that runs stand for.
fn registers(bytes: &[u8]) -> Result<Vec<u8>, Corrupt> {
    let mut registers = vec![0; REGISTERS];
    visit(bytes, |at, run| registers[at..at + run.len].fill(run.value))?;
    Ok(registers)
}

/// As PFDEBUG DECODE shows runs.
fn text(bytes: &[u8]) -> String {
    let word = |run: Run| match run {
        Run { value: 0, len, width: 2 } => format!("Z:{len}"),
        Run { value: 0, len, .. } => format!("z:{len}"),
        Run { value, len, .. } => format!("v:{value},{len}"),
    };
    Runs::of(bytes).map(word).collect::<Vec<_>>().join(" ")
}

fn raised(seen: &[(usize, u8)]) -> Vec<u8> {
    let mut raiser = Raiser::new(&EMPTY, usize::MAX);
    for (index, rank) in seen {
        raiser.raise(Observation { index: *index, rank: *rank }).expect("the runs are whole");
    }
    raiser.bytes().to_vec()
}

#[test]
fn a_run_becomes_up_to_three() {
    assert_eq!(text(&EMPTY), "Z:16384");
    assert_eq!(text(&raised(&[(100, 3)])), "Z:100 v:3,1 Z:16283");
    assert_eq!(text(&raised(&[(0, 1)])), "v:1,1 Z:16383");
    assert_eq!(text(&raised(&[(16_383, 32)])), "Z:16383 v:32,1");
    assert_eq!(text(&raised(&[(64, 2), (129, 2)])), "z:64 v:2,1 z:64 v:2,1 Z:16254");
}

#[test]
fn equal_neighbours_become_one_run_of_up_to_four() {
    assert_eq!(text(&raised(&[(5, 2), (6, 2), (7, 2)])), "z:5 v:2,3 Z:16376");
    assert_eq!(text(&raised(&[(5, 2), (7, 2), (6, 2)])), "z:5 v:2,3 Z:16376");
    assert_eq!(text(&raised(&[(5, 2), (6, 2), (7, 2), (8, 2), (9, 2)])), "z:5 v:2,4 v:2,1 Z:16374");
    assert_eq!(text(&raised(&[(5, 2), (6, 2), (7, 2), (8, 2), (6, 9)])), "z:5 v:2,1 v:9,1 v:2,2 Z:16375");
}

#[test]
fn what_does_not_fit_is_left_as_it_was() {
    let mut raiser = Raiser::new(&EMPTY, 4);
    assert_eq!(raiser.raise(Observation { index: 7, rank: 33 }), Ok(Raised::Outgrown));
    assert_eq!(raiser.raise(Observation { index: 100, rank: 1 }), Ok(Raised::Outgrown));
    assert_eq!(raiser.raise(Observation { index: 0, rank: 1 }), Ok(Raised::Yes));
    assert_eq!(raiser.raise(Observation { index: 0, rank: 1 }), Ok(Raised::No));
    assert_eq!(text(raiser.bytes()), "v:1,1 Z:16383");
}

#[test]
fn runs_that_are_not_a_value_are_refused() {
    for bytes in [&[][..], &[0x7f], &[0x7f, 0xfe], &[0x7f, 0xff, 0x00], &[0x7f, 0xff, 0x80], &[0x7f, 0xff, 0x40]] {
        assert_eq!(registers(bytes), Err(Corrupt), "{bytes:x?}");
    }
    assert_eq!(Raiser::new(&[0x7f, 0xfe], 99).raise(Observation { index: 16_383, rank: 1 }), Err(Corrupt));
}

/// Registers near each other, where runs meet, or anywhere.
fn places() -> impl Strategy<Value = Vec<(usize, u8)>> {
    let index = prop_oneof![0usize..40, 1000usize..1200, 0..REGISTERS];
    prop::collection::vec((index, prop_oneof![1u8..4, 1u8..=32]), 0..400)
}

#[test]
fn a_register_in_the_run_where_the_search_begins_is_found_after_a_join() {
    let run = |value: u8, len: usize| 0x80 | (value - 1) << 2 | (len - 1) as u8;
    let zeros = (REGISTERS - 16 - 1) as u16 | 0x4000;
    let mut there = vec![9, run(3, 3), run(3, 1), run(1, 1), run(3, 1)];
    there.extend(zeros.to_be_bytes());
    assert_eq!(text(&there), "z:10 v:3,3 v:3,1 v:1,1 v:3,1 Z:16368");
    let mut raiser = Raiser::new(&there, usize::MAX);
    for rank in [3, 5, 6] {
        assert_eq!(raiser.raise(Observation { index: 14, rank }), Ok(Raised::Yes));
    }
    assert_eq!(text(raiser.bytes()), "z:10 v:3,4 v:6,1 v:3,1 Z:16368");
}

/// Runs as whoever writes strings may spell them: equal neighbours are not joined.
fn spelled() -> impl Strategy<Value = Vec<u8>> {
    let run = prop_oneof![(0u8..8).prop_map(|len| vec![len]), (0u8..12).prop_map(|bits| vec![0x80 | bits])];
    prop::collection::vec(run, 0..300).prop_map(|runs| {
        let mut bytes = runs.concat();
        let covered: usize = Runs::of(&bytes).map(|run| run.len).sum();
        bytes.extend(((REGISTERS - covered - 1) as u16 | 0x4000).to_be_bytes());
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn raising_keeps_the_maximum(seen in places()) {
        let mut model = vec![0; REGISTERS];
        let mut raiser = Raiser::new(&EMPTY, usize::MAX);
        for (index, rank) in seen {
            let expected = if model[index] < rank { Raised::Yes } else { Raised::No };
            prop_assert_eq!(raiser.raise(Observation { index, rank }), Ok(expected));
            model[index] = model[index].max(rank);
        }
        prop_assert_eq!(registers(raiser.bytes()).expect("whole"), model);
    }

    #[test]
    fn going_on_from_the_last_register_gives_the_same_bytes_as_beginning_anew(
        there in prop_oneof![places().prop_map(|places| raised(&places)), spelled()], mut merged in places()
    ) {
        merged.sort();
        let (mut going_on, mut anew) = (Raiser::new(&there, usize::MAX), there.clone());
        for (index, rank) in merged {
            let seen = Observation { index, rank };
            let once = going_on.raise(seen);
            let mut raiser = Raiser::new(&anew, usize::MAX);
            prop_assert_eq!(once, raiser.raise(seen));
            if let Some(changed) = raiser.into_changed() {
                anew = changed;
            }
            prop_assert_eq!(text(going_on.bytes()), text(&anew));
        }
    }
}
