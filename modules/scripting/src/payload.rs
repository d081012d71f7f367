//! What FUNCTION DUMP answers and FUNCTION RESTORE takes.
//!
//! ```text
//!   F5 │ source, an RDB string │ F5 │ ... │ RDB version, 2 bytes LE │ CRC-64 of all before, 8 bytes LE
//! ```
//! <https://redis.io/docs/latest/commands/function-dump/>

use crc::{CRC_64_REDIS, Crc};
use plinth_module::lzf;

/// What stands before a library.
const LIBRARY: u8 = 245;
/// The version that is written: that of Redis 7.0, which all read.
const VERSION: u16 = 10;
/// The versions that are read: those of Redis, and those of Valkey, where libraries look the same.
const KNOWN: [std::ops::RangeInclusive<u16>; 2] = [1..=13, 80..=81];
const FOOTER_BYTES: usize = 10;
/// Longest source that a compressed one may say that it is.
const SOURCE_BYTES_MAX: usize = crate::library::SOURCE_BYTES_MAX;

static CRC: Crc<u64> = Crc::<u64>::new(&CRC_64_REDIS);

/// The payload of these sources.
pub(crate) fn write<'a>(sources: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for source in sources {
        out.push(LIBRARY);
        match source.len() {
            len @ 0..64 => out.push(len as u8),
            len @ 64..16384 => out.extend([0x40 | (len >> 8) as u8, len as u8]),
            len => {
                out.push(0x80);
                out.extend((len as u32).to_be_bytes());
            }
        }
        out.extend_from_slice(source);
    }
    out.extend(VERSION.to_le_bytes());
    out.extend(CRC.checksum(&out).to_le_bytes());
    out
}

/// The sources of a payload; `None` when it is none.
pub(crate) fn read(payload: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (body, footer) = payload.split_at_checked(payload.len().checked_sub(FOOTER_BYTES)?)?;
    let version = u16::from_le_bytes([footer[0], footer[1]]);
    let checksum = CRC.checksum(&payload[..payload.len() - 8]).to_le_bytes();
    if !KNOWN.iter().any(|range| range.contains(&version)) || footer[2..] != checksum {
        return None;
    }
    let (mut rest, mut sources) = (body, Vec::new());
    while let Some((&kind, behind)) = rest.split_first() {
        if kind != LIBRARY {
            return None;
        }
        let (source, behind) = read_text(behind)?;
        sources.push(source);
        rest = behind;
    }
    Some(sources)
}

/// A length, or in its place that of a compressed text.
enum Len {
    Plain(usize),
    Packed,
}

fn read_len(from: &[u8]) -> Option<(Len, &[u8])> {
    let (&first, rest) = from.split_first()?;
    let low = usize::from(first & 0x3f);
    match first >> 6 {
        0 => Some((Len::Plain(low), rest)),
        1 => rest.split_first().map(|(&next, rest)| (Len::Plain(low << 8 | usize::from(next)), rest)),
        2 => {
            let (bytes, rest) = rest.split_first_chunk::<4>()?;
            (low == 0).then(|| (Len::Plain(u32::from_be_bytes(*bytes) as usize), rest))
        }
        _ => (low == 3).then_some((Len::Packed, rest)),
    }
}

fn read_text(from: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (len, rest) = read_len(from)?;
    if let Len::Plain(len) = len {
        return rest.split_at_checked(len).map(|(text, rest)| (text.to_vec(), rest));
    }
    let (Len::Plain(packed), rest) = read_len(rest)? else { return None };
    let (Len::Plain(len), rest) = read_len(rest)? else { return None };
    let (packed, rest) = rest.split_at_checked(packed)?;
    if len > SOURCE_BYTES_MAX {
        return None;
    }
    Some((lzf::decompress(packed, len).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_all_lengths_come_back_and_a_broken_payload_does_not() {
        let sources: Vec<Vec<u8>> = [0, 63, 64, 16383, 16384, 70_000].map(|len| vec![b'x'; len]).into();
        let payload = write(sources.iter().map(Vec::as_slice));
        assert_eq!(read(&payload), Some(sources));
        for at in [0, 1, payload.len() - 11, payload.len() - 10, payload.len() - 1] {
            let mut broken = payload.clone();
            broken[at] ^= 1;
            assert_eq!(read(&broken), None, "{at}");
        }
        assert_eq!(read(b""), None);
    }
}
