//! Bounds as arguments spell them: `5`, `(5`, `-inf`; `[a`, `(a`, `-`, `+`.

use crate::score;
use crate::storage::Cut;
use plinth_module::prelude::*;

/// The cut at a bound of scores: before it as a least score, behind it as a greatest.
pub(super) fn score<'a>(call: &mut Call<'a>, index: usize, is_max: bool) -> Result<Cut<'a>> {
    let text = call.args.bytes(index);
    let (excluded, number) = match text {
        [b'(', number @ ..] => (true, number),
        number => (false, number),
    };
    match score::parse_edge(number) {
        Some(score) => Ok(Cut::Score { score, behind: excluded != is_max }),
        None => Err(call.reply.error("ERR min or max is not a float")),
    }
}

/// The cut at a bound of members.
pub(super) fn member<'a>(call: &mut Call<'a>, index: usize, is_max: bool) -> Result<Cut<'a>> {
    match call.args.bytes(index) {
        // Scores are never NaN: before all and behind all.
        b"-" => Ok(Cut::Score { score: f64::NEG_INFINITY, behind: false }),
        b"+" => Ok(Cut::Score { score: f64::INFINITY, behind: true }),
        [b'[', member @ ..] => Ok(Cut::Member { member, behind: is_max }),
        [b'(', member @ ..] => Ok(Cut::Member { member, behind: !is_max }),
        _ => Err(call.reply.error("ERR min or max not valid string range item")),
    }
}

/// The ranks that a pair of positions means in a sorted set of `len`: negative ones count from the
/// end, both are included.
pub(super) fn ranks(start: i64, end: i64, len: usize) -> std::ops::Range<usize> {
    let position = |index: i64| if index < 0 { index.saturating_add_unsigned(len as u64) } else { index };
    let start = position(start).max(0) as usize;
    let end = position(end).saturating_add(1).max(0) as usize;
    let end = end.min(len);
    start.min(end)..end
}

#[cfg(test)]
mod tests {
    use super::ranks;

    #[test]
    fn positions_count_from_either_end() {
        for (start, end, len, expected) in [
            (0, -1, 3, 0..3),
            (1, 1, 3, 1..2),
            (-2, -1, 3, 1..3),
            (-9, 1, 3, 0..2),
            (2, 1, 3, 2..2),
            (5, 9, 3, 3..3),
            (0, -4, 3, 0..0),
            (i64::MIN, i64::MAX, 3, 0..3),
            (i64::MAX, i64::MIN, 3, 0..0),
        ] {
            assert_eq!(ranks(start, end, len), expected, "{start} {end}");
        }
    }
}
