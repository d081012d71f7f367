use super::*;
use proptest::prelude::*;

/// What an entry is given at one step: value's length (`None`: boxed), tag, expiry, room.
type Step = (Option<usize>, u8, i64, bool);

fn step() -> impl Strategy<Value = Step> {
    let len = prop_oneof![
        4 => (0usize..200).prop_map(Some),
        2 => (65_000usize..66_000).prop_map(Some),
        1 => (0usize..300_000).prop_map(Some),
        1 => (1_048_500usize..1_048_600).prop_map(Some),
        1 => Just(None),
    ];
    let expiry = prop_oneof![Just(EXPIRE_NONE), Just(1_700_000_000_000), Just(1 << 48)];
    (len, 0u8..16, expiry, any::<bool>())
}

/// Gives the value bytes that depend on the round.
fn fill(entry: EntryPtr, round: usize) -> Vec<u8> {
    let (at, len) = entry.value();
    let bytes: Vec<u8> = (0..len).map(|byte| (byte * 7 + round) as u8).collect();
    // SAFETY: the entry is alive, and so long is its value.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), at, len) };
    bytes
}

proptest! {
    #[test]
    fn an_entry_keeps_key_value_and_header_through_all_shapes(
        key_len in prop_oneof![0usize..40, 230usize..260, 4_070usize..4_080],
        steps in proptest::collection::vec(step(), 1..12),
    ) {
        let key: Vec<u8> = (0..key_len).map(|byte| byte as u8 ^ 0x5a).collect();
        let shape = Shape { type_id: 3, tag: 1, expire_at_ms: EXPIRE_NONE, clock: 0x12_3456, inline_len: Some(5) };
        let mut entry = EntryPtr::new(&key, shape).unwrap();
        let mut before = fill(entry, 0);
        for (round, (len, tag, expire_at_ms, reserve)) in steps.into_iter().enumerate() {
            entry = entry.reshape(len, tag, expire_at_ms, reserve).unwrap();
            // SAFETY: the entry is alive, and was allocated here.
            let (found, owned) = unsafe { (entry.key(), allocator::usable(entry.address())) };
            prop_assert_eq!(found, &key[..]);
            prop_assert_eq!((entry.type_id(), entry.tag(), entry.clock()), (3, tag, 0x12_3456));
            prop_assert_eq!((entry.is_boxed(), entry.expire_at_ms()), (len.is_none(), expire_at_ms));
            prop_assert_eq!(entry.allocated(), owned);
            let (at, now) = entry.value();
            prop_assert_eq!(now, len.unwrap_or(BOX_BYTES));
            let kept = now.min(before.len());
            // SAFETY: so many bytes of the value were written before.
            prop_assert_eq!(unsafe { std::slice::from_raw_parts(at, kept) }, &before[..kept]);
            before = fill(entry, round + 1);
        }
        // SAFETY: nobody uses it any more.
        unsafe { entry.free() };
    }
}

#[test]
fn a_big_value_stays_where_it_is_when_its_key_gets_an_expiry_or_another_name() {
    let shape = |inline_len| Shape { type_id: 3, tag: 1, expire_at_ms: EXPIRE_NONE, clock: 0, inline_len };
    for len in [BIG_BYTES, HUGE_BYTES - 1, HUGE_BYTES] {
        let entry = EntryPtr::new(b"a name", shape(Some(len))).unwrap();
        let (place, bytes) = (entry.value(), fill(entry, 1));
        let expiring = entry.reshape(Some(len), 1, 1_700_000_000_000, false).unwrap();
        assert_eq!((expiring, expiring.value()), (entry, place), "{len}");
        for name in [&b"another, longer name"[..], b"", &[b'n'; 100]] {
            assert!(entry.fits_name(name));
            assert_eq!(entry.rename(name).value(), place);
            // SAFETY: the entry is alive.
            assert_eq!(unsafe { entry.key() }, name);
        }
        assert!(!entry.fits_name(&[b'n'; 5_000]));
        assert_eq!(entry.expire_at_ms(), 1_700_000_000_000);
        // SAFETY: the value has not moved.
        assert_eq!(unsafe { std::slice::from_raw_parts(place.0, place.1) }, &bytes[..]);
        // SAFETY: nobody uses it any more.
        unsafe { entry.free() };
    }
    let small = EntryPtr::new(b"a", shape(Some(BIG_BYTES - 1))).unwrap();
    assert!(!small.fits_name(b"b"));
    // SAFETY: as above.
    unsafe { small.free() };
}

#[test]
fn lengths_of_one_class_are_told_by_their_eighths() {
    for len in 1..70_000 {
        if is_same_class(len, len + 1) {
            assert_eq!(allocator::class(len), allocator::class(len + 1), "{len}");
        }
    }
    assert!(is_same_class(17, 24) && !is_same_class(24, 25) && !is_same_class(8, 9));
}
