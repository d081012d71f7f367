//! LZF: the compression of long strings inside RDB values, and of the inner nodes of long lists.
//!
//! A run of instructions, each of which appends to the output. The upper three
//! bits of the first byte say which one it is:
//!
//! ```text
//!   literal      000nnnnn  then n+1 bytes                    copy them
//!   short match  nnnddddd dddddddd            n in 1..=6     n+2 bytes from
//!   long match   111ddddd nnnnnnnn dddddddd                  d+1 back; n+9 bytes
//! ```
//!
//! So a literal holds 1..=32 bytes, a match repeats 3..=264 bytes from at most
//! 8192 back, and a match may overlap what it writes (distance 1 repeats a byte).
//! There is no header: the lengths before and after are stored beside the data.
//!
//! Why our own: of the crates, `lzf` 1.0.0 counts in `i32` (wrong above 2 GiB),
//! allocates and fills whatever size the input claims before it looks at the
//! input, clears a 512 KiB table for each string it compresses, even one of 21
//! bytes, and uses `unsafe`. The format is the box above, so little is saved.
//!
//! Invariants:
//!
//! * [`decompress`] never holds more than the declared size, and refuses a
//!   declared size that no input of that length can reach ([`EXPANSION_MAX`]).
//! * [`compress`] never appends more than its limit, and on failure leaves the
//!   output as it was.
//!
//! Source of the format: Marc Lehmann's LibLZF,
//! <http://oldhome.schmorp.de/marc/liblzf.html>.

use thiserror::Error;

/// The most output bytes one input byte can stand for: a long match makes 264
/// bytes out of 3.
pub const EXPANSION_MAX: usize = 88;

const LITERAL_BYTES_MAX: usize = 32;
const MATCH_BYTES_MIN: usize = 3;
const MATCH_BYTES_MAX: usize = 264;
const DISTANCE_MAX: usize = 8192;
/// How far apart [`compress`] looks for matches where it finds none.
const STRIDE_MAX: usize = 16;
/// In the length bits of a match: the length goes on in the next byte.
const LONG_MATCH: usize = 7;

/// Why compressed data was refused; `at` is an offset into the compressed data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LzfError {
    /// The declared size cannot be reached from so few bytes.
    #[error("{compressed} bytes cannot expand to the declared {declared}")]
    Implausible {
        /// Size of the compressed data.
        compressed: usize,
        /// Size the data was said to expand to.
        declared: usize,
    },
    /// There is no memory for the declared size.
    #[error("no memory for the declared {declared} bytes")]
    Memory {
        /// Size the data was said to expand to.
        declared: usize,
    },
    /// The data ends inside an instruction.
    #[error("the instruction at {at} is cut off")]
    Truncated {
        /// Where the instruction begins.
        at: usize,
    },
    /// A match reaches back before the first byte of the output.
    #[error("the match at {at} reaches before the start")]
    BeforeStart {
        /// Where the instruction begins.
        at: usize,
    },
    /// The output would pass the declared size.
    #[error("the instruction at {at} passes the declared {declared} bytes")]
    TooLong {
        /// Where the instruction begins.
        at: usize,
        /// Size the data was said to expand to.
        declared: usize,
    },
    /// The data ends before the declared size is reached.
    #[error("the data expands to {produced} bytes, not to the declared {declared}")]
    TooShort {
        /// Size the data does expand to.
        produced: usize,
        /// Size the data was said to expand to.
        declared: usize,
    },
}

/// Appends `input`, compressed, to `out`, if that takes at most `bytes_max` bytes.
///
/// Answers false, with `out` as it was, if it takes more. Empty input takes no
/// bytes. The same input always gives the same output; it need not be the output
/// LibLZF gives.
#[must_use]
pub fn compress(input: &[u8], out: &mut Vec<u8>, bytes_max: usize) -> bool {
    let before = out.len();
    let mut sink = Sink { out, room: bytes_max };
    // The table (2 bytes a slot) is on the stack and cleared for each string, so
    // a short string gets a small one.
    let fits = match input.len() {
        0..=512 => pack::<256>(input, &mut sink),
        513..=8192 => pack::<2048>(input, &mut sink),
        _ => pack::<32_768>(input, &mut sink),
    };
    if fits.is_none() {
        out.truncate(before);
    }
    fits.is_some()
}

/// Finds matches greedily by a table of where each three bytes were last seen.
///
/// A position is kept modulo 65536, which is enough: only the nearest 8192 can be
/// referred to, and an entry that is stale or was never written only proposes a
/// distance, which counts if the bytes at that distance are the same.
fn pack<const SLOTS: usize>(input: &[u8], sink: &mut Sink<'_>) -> Option<()> {
    let mut last_seen = [0u16; SLOTS];
    let mut literals_from = 0;
    let mut at = 0;
    while let Some(slot) = slot_of::<SLOTS>(input, at) {
        let distance = usize::from((at as u16).wrapping_sub(last_seen[slot]));
        last_seen[slot] = at as u16;
        let length = match_length(input, at, distance);
        if length < MATCH_BYTES_MIN {
            // Where nothing has matched for long, look less often.
            at += (1 + ((at - literals_from) >> 8)).min(STRIDE_MAX);
            continue;
        }
        sink.put_literals(&input[literals_from..at])?;
        sink.put_match(distance, length)?;
        at += length;
        literals_from = at;
        // Of the positions passed over, the last two are worth remembering.
        for passed in [at - 2, at - 1] {
            if let Some(slot) = slot_of::<SLOTS>(input, passed) {
                last_seen[slot] = passed as u16;
            }
        }
    }
    sink.put_literals(&input[literals_from..])
}

/// The table slot of the three bytes at `at`, or none if there are not three.
fn slot_of<const SLOTS: usize>(input: &[u8], at: usize) -> Option<usize> {
    let three = input.get(at..)?.first_chunk::<3>()?;
    let word = u32::from_le_bytes([three[0], three[1], three[2], 0]);
    // Multiplicative mixing by 2^32 over the golden ratio; the top bits are the
    // well mixed ones.
    Some((word.wrapping_mul(0x9e37_79b1) >> (32 - SLOTS.trailing_zeros())) as usize)
}

/// How many bytes at `at` repeat those `distance` back; 0 if that cannot be said.
fn match_length(input: &[u8], at: usize, distance: usize) -> usize {
    if distance == 0 || distance > DISTANCE_MAX || distance > at {
        return 0;
    }
    let ahead = input[at..].iter().take(MATCH_BYTES_MAX);
    let behind = &input[at - distance..];
    ahead.zip(behind).take_while(|(one, other)| one == other).count()
}

/// The output of compression with the number of bytes it may still take.
struct Sink<'a> {
    out: &'a mut Vec<u8>,
    room: usize,
}

impl Sink<'_> {
    fn put_literals(&mut self, bytes: &[u8]) -> Option<()> {
        self.claim(bytes.len() + bytes.len().div_ceil(LITERAL_BYTES_MAX))?;
        for run in bytes.chunks(LITERAL_BYTES_MAX) {
            self.out.push((run.len() - 1) as u8);
            self.out.extend_from_slice(run);
        }
        Some(())
    }

    fn put_match(&mut self, distance: usize, length: usize) -> Option<()> {
        let back = distance - 1;
        let extent = length - 2;
        let (high, low) = ((back >> 8) as u8, back as u8);
        if extent < LONG_MATCH {
            self.claim(2)?;
            self.out.extend_from_slice(&[(extent << 5) as u8 | high, low]);
        } else {
            self.claim(3)?;
            let more = (extent - LONG_MATCH) as u8;
            self.out.extend_from_slice(&[(LONG_MATCH << 5) as u8 | high, more, low]);
        }
        Some(())
    }

    fn claim(&mut self, bytes: usize) -> Option<()> {
        self.room = self.room.checked_sub(bytes)?;
        Some(())
    }
}

/// Expands `input` to exactly `declared` bytes.
///
/// `declared` is taken from the same file as the data and is not trusted: it must
/// be within [`EXPANSION_MAX`] times the input, and the caller bounds it by what
/// it is willing to hold. Empty input is the empty string, as in Redis.
///
/// # Errors
///
/// [`LzfError`] for a declared size that is implausible, cannot be allocated or is
/// not what the data expands to, and for data that is not LZF.
pub fn decompress(input: &[u8], declared: usize) -> Result<Vec<u8>, LzfError> {
    if declared > input.len().saturating_mul(EXPANSION_MAX) {
        return Err(LzfError::Implausible { compressed: input.len(), declared });
    }
    let mut out = Vec::new();
    out.try_reserve_exact(declared).map_err(|_| LzfError::Memory { declared })?;
    let mut at = 0;
    while at < input.len() {
        let step = Step::decode(&input[at..]).ok_or(LzfError::Truncated { at })?;
        if step.produces() > declared - out.len() {
            return Err(LzfError::TooLong { at, declared });
        }
        at += match step {
            Step::Literal(bytes) => {
                out.extend_from_slice(bytes);
                1 + bytes.len()
            }
            Step::Match { distance, length, encoded } => {
                let from = out.len().checked_sub(distance).ok_or(LzfError::BeforeStart { at })?;
                repeat(&mut out, from, length);
                encoded
            }
        };
    }
    if out.len() < declared {
        return Err(LzfError::TooShort { produced: out.len(), declared });
    }
    Ok(out)
}

/// One instruction.
enum Step<'a> {
    Literal(&'a [u8]),
    Match { distance: usize, length: usize, encoded: usize },
}

impl<'a> Step<'a> {
    /// The instruction that `input` begins with; none if it is cut off.
    fn decode(input: &'a [u8]) -> Option<Self> {
        let (&first, rest) = input.split_first()?;
        let extent = usize::from(first >> 5);
        if extent == 0 {
            return rest.get(..usize::from(first) + 1).map(Self::Literal);
        }
        let (more, low, encoded) = match (extent, rest) {
            (LONG_MATCH, [more, low, ..]) => (usize::from(*more), *low, 3),
            (LONG_MATCH, _) | (_, []) => return None,
            (_, [low, ..]) => (0, *low, 2),
        };
        let distance = (usize::from(first & 0x1f) << 8 | usize::from(low)) + 1;
        Some(Self::Match { distance, length: extent + more + 2, encoded })
    }

    fn produces(&self) -> usize {
        match self {
            Self::Literal(bytes) => bytes.len(),
            Self::Match { length, .. } => *length,
        }
    }
}

/// Appends `length` bytes that begin at `from`, which may overlap what is appended:
/// each round copies all that is there, so the distance doubles.
fn repeat(out: &mut Vec<u8>, from: usize, length: usize) {
    let end = out.len() + length;
    while out.len() < end {
        let run = (out.len() - from).min(end - out.len());
        out.extend_from_within(from..from + run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn compressed(input: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        assert!(compress(input, &mut out, usize::MAX));
        out
    }

    #[test]
    fn data_that_liblzf_wrote_expands_to_its_origin() {
        // From DUMP of redis-server 7.0.15; 8.2.3 and valkey 9.1.2 give the same.
        let run = b"\x01\x61\x61\xe0\x0a\x00";
        assert_eq!(decompress(run, 21).unwrap(), b"a".repeat(21));
        let period = b"\x03\x61\x62\x63\x61\xe0\x4b\x02\x01\x62\x63";
        assert_eq!(decompress(period, 90).unwrap(), b"abc".repeat(30));
        let long = b"\x01\x61\x61\xe0\xff\x00\xe0\xff\x00\xe0\xff\x00\xe0\xc3\x00\x01\x61\x61";
        assert_eq!(decompress(long, 1000).unwrap(), b"a".repeat(1000));
    }

    #[test]
    fn empty_input_is_the_empty_string_as_in_redis() {
        assert_eq!(decompress(b"", 0).unwrap(), b"");
        assert_eq!(compressed(b""), b"");
    }

    #[test]
    fn a_run_costs_three_bytes_per_264() {
        let out = compressed(&[7; 1 + 264 * 4]);
        assert_eq!(out.len(), 2 + 3 * 4);
        assert_eq!(decompress(&out, 1 + 264 * 4).unwrap(), [7; 1 + 264 * 4]);
    }

    #[test]
    fn a_match_is_found_8192_back_and_not_further() {
        for (gap, found) in [(8192, true), (8193, false)] {
            let mut state = 1u32;
            let mut input: Vec<u8> = (0..gap)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                })
                .collect();
            input.extend_from_within(..200);
            let out = compressed(&input);
            assert_eq!(decompress(&out, input.len()).unwrap(), input);
            assert_eq!(out.len() < gap + gap / 32 + 100, found, "{gap}");
        }
    }

    #[test]
    fn output_that_does_not_fit_leaves_nothing_behind() {
        let mut out = b"before".to_vec();
        assert!(!compress(b"abcdefgh", &mut out, 8));
        assert_eq!(out, b"before");
        assert!(compress(b"abcdefgh", &mut out, 9));
        assert_eq!(out, b"before\x07abcdefgh");
    }

    #[test]
    fn each_kind_of_damage_has_its_error() {
        let cases: [(&[u8], usize, LzfError); 9] = [
            (b"\x00", 1, LzfError::Truncated { at: 0 }),
            (b"\x00a\x1fabc", 40, LzfError::Truncated { at: 2 }),
            (b"\x00a\x20", 4, LzfError::Truncated { at: 2 }),
            (b"\x00a\xe0\x00", 10, LzfError::Truncated { at: 2 }),
            (b"\x00a\x20\x01", 4, LzfError::BeforeStart { at: 2 }),
            (b"\x00a\x20\x00", 3, LzfError::TooLong { at: 2, declared: 3 }),
            (b"\x00a\x20\x00", 5, LzfError::TooShort { produced: 4, declared: 5 }),
            (b"", 1, LzfError::Implausible { compressed: 0, declared: 1 }),
            (b"ab", 177, LzfError::Implausible { compressed: 2, declared: 177 }),
        ];
        for (input, declared, error) in cases {
            assert_eq!(decompress(input, declared), Err(error), "{input:02x?}");
        }
    }

    #[test]
    fn a_claim_of_the_whole_address_space_is_refused_before_allocation() {
        let error = LzfError::Implausible { compressed: 2, declared: usize::MAX };
        assert_eq!(decompress(b"\x00a", usize::MAX), Err(error));
    }

    proptest! {
        #[test]
        fn what_is_compressed_comes_back(
            input in proptest::collection::vec(0u8..4, 0..20_000),
            noise in proptest::collection::vec(any::<u8>(), 0..700),
        ) {
            for bytes in [&input, &noise] {
                let out = compressed(bytes);
                prop_assert!(out.len() <= bytes.len() + bytes.len().div_ceil(32));
                prop_assert_eq!(&decompress(&out, bytes.len()).unwrap(), bytes);
            }
        }

        #[test]
        fn a_limit_is_met_exactly(input in proptest::collection::vec(0u8..3, 0..400)) {
            let needed = compressed(&input).len();
            let mut out = Vec::new();
            prop_assert!(compress(&input, &mut out, needed));
            prop_assert_eq!(out.len(), needed);
            if needed > 0 {
                prop_assert!(!compress(&input, &mut out, needed - 1));
                prop_assert_eq!(out.len(), needed);
            }
        }
    }
}
