//! The integers against a model that knows bits only, one at a time.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

const OVERFLOWS: [Overflow; 3] = [Overflow::Wrap, Overflow::Saturate, Overflow::Fail];

fn kind(word: &str) -> Kind {
    Kind::read(word.as_bytes()).expect(word)
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        (1..=64u32).prop_map(|bits| Kind { is_signed: true, bits }),
        (1..=63u32).prop_map(|bits| Kind { is_signed: false, bits }),
    ]
}

/// Numbers near the ends of all kinds, and any others.
fn numbers() -> impl Strategy<Value = i64> {
    prop_oneof![
        any::<i64>(),
        -300..300i64,
        (0..64u32, -2..3i64).prop_map(|(shift, near)| (1i64 << shift).wrapping_add(near)),
        (0..64u32, -2..3i64).prop_map(|(shift, near)| (-1i64 << shift).wrapping_add(near)),
    ]
}

/// The integer that some bits are, by their weights.
fn weigh(bits: &[bool], is_signed: bool) -> i64 {
    let mut number: i128 = 0;
    for (at, bit) in bits.iter().enumerate() {
        let weight = 1i128 << (bits.len() - 1 - at);
        let sign = if is_signed && at == 0 { -1 } else { 1 };
        number += i128::from(*bit) * weight * sign;
    }
    number as i64
}

#[test]
fn a_kind_has_one_spelling() {
    for (word, is_signed, bits) in [("u1", false, 1), ("u63", false, 63), ("i1", true, 1), ("i64", true, 64)] {
        assert_eq!(Kind::read(word.as_bytes()), Some(Kind { is_signed, bits }));
    }
    for word in
        ["", "u", "i", "u0", "i0", "u64", "i65", "u01", "u+1", "u 1", "U8", "I8", "x8", "u100", "i-1", "8", "u8 "]
    {
        assert_eq!(Kind::read(word.as_bytes()), None, "{word}");
    }
}

#[test]
fn an_unsigned_integer_takes_a_negative_value_for_a_large_one() {
    let byte = kind("u8");
    assert_eq!(byte.assign(-1, Overflow::Wrap), Some(255));
    assert_eq!(byte.assign(-300, Overflow::Saturate), Some(255));
    assert_eq!(byte.assign(-1, Overflow::Fail), None);
    assert_eq!(byte.add(0, -1, Overflow::Saturate), Some(0));
    assert_eq!(kind("i8").assign(-300, Overflow::Saturate), Some(-128));
}

#[test]
fn the_widest_integers_overflow_as_the_others_do() {
    let (signed, unsigned) = (kind("i64"), kind("u63"));
    assert_eq!(signed.add(-1, i64::MIN, Overflow::Wrap), Some(i64::MAX));
    assert_eq!(signed.add(-1, i64::MIN, Overflow::Saturate), Some(i64::MIN));
    assert_eq!(signed.add(i64::MAX, 1, Overflow::Fail), None);
    assert_eq!(unsigned.add(i64::MAX, 1, Overflow::Wrap), Some(0));
    assert_eq!(unsigned.add(1, i64::MIN, Overflow::Saturate), Some(0));
    assert_eq!(unsigned.add(1, i64::MIN, Overflow::Wrap), Some(1));
}

proptest! {
    #[test]
    fn an_integer_is_the_weight_of_its_bits(kind in kinds(), bytes in vec(any::<u8>(), 0..20), position in 0u64..200) {
        let bits: Vec<bool> = (position..).take(kind.bits as usize).map(|bit| crate::range::get(&bytes, bit)).collect();
        prop_assert_eq!(kind.get(&bytes, position), weigh(&bits, kind.is_signed));
    }

    #[test]
    fn what_is_written_reads_back_and_nothing_beside_it_changes(
        kind in kinds(),
        bytes in vec(any::<u8>(), 9..20),
        position in 0u64..96,
        value in numbers(),
    ) {
        prop_assume!(position + u64::from(kind.bits) <= bytes.len() as u64 * 8);
        let mut written = bytes.clone();
        kind.put(&mut written, position, value);
        prop_assert_eq!(kind.get(&written, position), kind.of_bits(value as u64));
        let own = position..position + u64::from(kind.bits);
        for bit in (0..bytes.len() as u64 * 8).filter(|bit| !own.contains(bit)) {
            prop_assert_eq!(crate::range::get(&written, bit), crate::range::get(&bytes, bit), "bit {}", bit);
        }
    }

    #[test]
    fn a_sum_fits_or_wraps_or_saturates_or_fails(kind in kinds(), raw: u64, increment in numbers()) {
        let old = kind.of_bits(raw);
        let exact = i128::from(old) + i128::from(increment);
        let (low, high) = (*kind.values().start(), *kind.values().end());
        // Wrapping goes round and round a circle of as many numbers as the kind has.
        let wrapped = (exact - low).rem_euclid(high - low + 1) + low;
        let fits = (low..=high).contains(&exact);
        let expected = [
            Some(wrapped),
            Some(if exact < low { low } else if exact > high { high } else { exact }),
            fits.then_some(exact),
        ];
        for (overflow, expected) in OVERFLOWS.into_iter().zip(expected) {
            prop_assert_eq!(kind.add(old, increment, overflow).map(i128::from), expected);
        }
    }

    #[test]
    fn a_value_that_fits_is_written_as_it_is(kind in kinds(), raw: u64) {
        let value = kind.of_bits(raw);
        for overflow in OVERFLOWS {
            prop_assert_eq!(kind.assign(value, overflow), Some(value));
        }
    }
}
