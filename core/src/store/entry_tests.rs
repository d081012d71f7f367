use super::*;
use proptest::prelude::*;

/// What an entry is given at one step: value's length (`None`: boxed), tag, expiry, room.
type Step = (Option<usize>, u8, i64, bool);

fn step() -> impl Strategy<Value = Step> {
    let len = prop_oneof![
        4 => (0usize..200).prop_map(Some),
        2 => (65_000usize..66_000).prop_map(Some),
        1 => (0usize..300_000).prop_map(Some),
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
        key_len in prop_oneof![0usize..40, 250usize..260],
        steps in proptest::collection::vec(step(), 1..12),
    ) {
        let key = vec![b'k'; key_len];
        let shape = Shape { type_id: 3, tag: 1, expire_at_ms: EXPIRE_NONE, clock: 0x12_3456, inline_len: Some(5) };
        let mut entry = EntryPtr::new(&key, shape).unwrap();
        let mut before = fill(entry, 0);
        for (round, (len, tag, expire_at_ms, reserve)) in steps.into_iter().enumerate() {
            entry = entry.reshape(len, tag, expire_at_ms, reserve).unwrap();
            // SAFETY: the entry is alive, and was allocated by jemalloc.
            let (found, owned) = unsafe { (entry.key(), jemalloc::sallocx(entry.address().cast(), 0)) };
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
fn lengths_of_one_class_are_told_by_their_eighths() {
    for len in 1..70_000 {
        if is_same_class(len, len + 1) {
            assert_eq!(size_class(len), size_class(len + 1), "{len}");
        }
    }
    assert!(is_same_class(17, 24) && !is_same_class(24, 25) && !is_same_class(8, 9));
}
