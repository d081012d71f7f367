//! The range: which part of a string is between two positions, as GETRANGE counts them.

/// The part of a string of `len` bytes from `start` to `end`, both included, where negative
/// positions count from the end; empty when there is nothing between them.
pub fn range(len: usize, start: i64, end: i64) -> std::ops::Range<usize> {
    if start < 0 && end < 0 && start > end {
        return 0..0;
    }
    let from_end = |at: i64| if at < 0 { at.saturating_add_unsigned(len as u64).max(0) } else { at } as u64;
    let (start, end) = (from_end(start), from_end(end).min((len as u64).saturating_sub(1)));
    if len == 0 || start > end { 0..0 } else { start as usize..end as usize + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_range_clamps_and_counts_from_the_end() {
        let part = |start, end| &"Hello World"[range(11, start, end)];
        for (start, end, expected) in [
            (0, 4, "Hello"),
            (-5, -1, "World"),
            (0, -1, "Hello World"),
            (0, i64::MAX, "Hello World"),
            (i64::MIN, i64::MAX, "Hello World"),
            (3, 2, ""),
            (-1, -5, ""),
            (11, 20, ""),
            (0, -100, "H"),
            (i64::MIN, i64::MIN, "H"),
        ] {
            assert_eq!(part(start, end), expected, "{start} {end}");
        }
        assert_eq!(range(0, 0, -1), 0..0);
    }

    proptest! {
        #[test]
        fn a_range_is_what_a_filter_of_positions_gives(len in 0usize..20, start in -25i64..25, end in -25i64..25) {
            let from_end = |at: i64| if at < 0 { (at + len as i64).max(0) } else { at };
            let crossed = start < 0 && end < 0 && start > end;
            let model: Vec<usize> = (0..len).filter(|&at| {
                !crossed && (from_end(start)..=from_end(end)).contains(&(at as i64))
            }).collect();
            prop_assert_eq!(range(len, start, end).collect::<Vec<_>>(), model);
        }
    }
}
