//! A value's elements, whatever its encoding: what is counted, and what two values are compared by.
//!
//! ```text
//!   string      one part                 sorted set   member, score
//!   list        one part, in order       hash         field, value, deadline if any
//!   set         one part                 all others   the bytes as they are written
//! ```

use plinth::durable::{ReadError, Reader as Bytes};
use plinth_pack::{Malformed, Reader, listpack, ziplist};

/// A value that is not what its type says.
#[derive(Debug)]
pub(crate) struct Bad;

impl From<ReadError> for Bad {
    fn from(_: ReadError) -> Bad {
        Bad
    }
}

impl From<Malformed> for Bad {
    fn from(_: Malformed) -> Bad {
        Bad
    }
}

/// What TYPE answers for a value type.
pub(crate) fn kind(tag: u8) -> &'static str {
    match tag {
        0 => "string",
        1 | 10 | 14 | 18 => "list",
        2 | 11 | 20 => "set",
        3 | 5 | 12 | 17 => "zset",
        4 | 9 | 13 | 16 | 22 | 24 | 25 => "hash",
        15 | 19 | 21 => "stream",
        _ => "module",
    }
}

/// Whether the order of elements counts.
pub(crate) fn is_ordered(tag: u8) -> bool {
    matches!(kind(tag), "string" | "list")
}

/// Shows each element of a value, in parts. The bytes are those behind the key.
pub(crate) fn visit(tag: u8, body: &[u8], each: &mut dyn FnMut(&[&[u8]])) -> Result<(), Bad> {
    let mut from = Bytes::new(body);
    match tag {
        0 => each(&[&from.string()?]),
        1 | 2 => {
            for _ in 0..from.length()? {
                each(&[&from.string()?]);
            }
        }
        3 | 5 => {
            for _ in 0..from.length()? {
                let member = from.string()?;
                let score = if tag == 5 { from.f64()? } else { from.ascii_double()? };
                each(&[&member, score_text(score).as_bytes()]);
            }
        }
        4 => {
            for _ in 0..from.length()? {
                let field = from.string()?;
                each(&[&field, &from.string()?]);
            }
        }
        22 => {
            for _ in 0..from.length()? {
                let (field, value) = (from.string()?, from.string()?);
                field_of(&field, &value, Some(from.u64()? as i64).filter(|at| *at >= 0), each);
            }
        }
        24 => {
            let due = from.u64()? as i64;
            for _ in 0..from.length()? {
                let ttl = from.length()?;
                let (field, value) = (from.string()?, from.string()?);
                let deadline = (ttl > 0).then(|| due.saturating_add_unsigned(ttl - 1));
                field_of(&field, &value, deadline, each);
            }
        }
        10 => groups(ziplist::read(&from.string()?)?, 1, each)?,
        12 => scored(ziplist::read(&from.string()?)?, each)?,
        13 => groups(ziplist::read(&from.string()?)?, 2, each)?,
        14 => {
            for _ in 0..from.length()? {
                groups(ziplist::read(&from.string()?)?, 1, each)?;
            }
        }
        16 => groups(listpack::read(&from.string()?)?, 2, each)?,
        17 => scored(listpack::read(&from.string()?)?, each)?,
        18 => {
            for _ in 0..from.length()? {
                match from.length()? {
                    1 => each(&[&from.string()?]),
                    _ => groups(listpack::read(&from.string()?)?, 1, each)?,
                }
            }
        }
        20 => groups(listpack::read(&from.string()?)?, 1, each)?,
        11 => integers(&from.string()?, each)?,
        25 => {
            from.u64()?;
            let pack = from.string()?;
            groups(listpack::read(&pack)?, 3, each)?;
        }
        _ => each(&[&[tag], body]),
    }
    Ok(())
}

/// How many elements a value has; of a stream entries.
pub(crate) fn count(tag: u8, body: &[u8]) -> Result<u64, Bad> {
    if kind(tag) == "stream" {
        let mut from = Bytes::new(body);
        for _ in 0..from.length()? {
            from.skip_string()?;
            from.skip_string()?;
        }
        return Ok(from.length()?);
    }
    let mut count = 0;
    visit(tag, body, &mut |_| count += 1)?;
    Ok(count)
}

fn score_text(score: f64) -> String {
    // Both zeros are one score.
    format!("{:?}", score + 0.0)
}

fn field_of(field: &[u8], value: &[u8], deadline: Option<i64>, each: &mut dyn FnMut(&[&[u8]])) {
    match deadline {
        Some(deadline) => each(&[field, value, &deadline.to_le_bytes()]),
        None => each(&[field, value]),
    }
}

/// Elements of a pack, of so many parts each: one, a field with its value, or those with a deadline.
fn groups(pack: Reader<'_>, width: usize, each: &mut dyn FnMut(&[&[u8]])) -> Result<(), Bad> {
    let mut parts: Vec<Vec<u8>> = Vec::with_capacity(width);
    for value in pack {
        parts.push(value?.to_vec());
        if parts.len() < width {
            continue;
        }
        match &parts[..] {
            [one] => each(&[one]),
            [field, value] => each(&[field, value]),
            [field, value, deadline] => {
                let text = std::str::from_utf8(deadline).map_err(|_| Bad)?;
                let deadline: i64 = text.parse().map_err(|_| Bad)?;
                field_of(field, value, (deadline != 0).then_some(deadline), each);
            }
            _ => return Err(Bad),
        }
        parts.clear();
    }
    if parts.is_empty() { Ok(()) } else { Err(Bad) }
}

/// Members and scores in turn.
fn scored(pack: Reader<'_>, each: &mut dyn FnMut(&[&[u8]])) -> Result<(), Bad> {
    let mut bad = false;
    groups(pack, 2, &mut |parts| {
        let score = std::str::from_utf8(parts[1]).ok().and_then(|text| text.parse::<f64>().ok());
        bad |= score.is_none_or(f64::is_nan);
        each(&[parts[0], score_text(score.unwrap_or_default()).as_bytes()]);
    })?;
    if bad { Err(Bad) } else { Ok(()) }
}

/// An intset: width and count in 32 bits each, and the integers.
fn integers(bytes: &[u8], each: &mut dyn FnMut(&[&[u8]])) -> Result<(), Bad> {
    let (head, items) = bytes.split_first_chunk::<8>().ok_or(Bad)?;
    let &[width @ (2 | 4 | 8), 0, 0, 0, a, b, c, d] = head else { return Err(Bad) };
    let (width, count) = (usize::from(width), u32::from_le_bytes([a, b, c, d]) as usize);
    if count.checked_mul(width) != Some(items.len()) {
        return Err(Bad);
    }
    for item in items.chunks(width) {
        let bits = item.iter().rev().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        let unused = 64 - 8 * width as u32;
        each(&[((bits << unused) as i64 >> unused).to_string().as_bytes()]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinth::durable::Writer;

    fn texts(tag: u8, body: &[u8]) -> Vec<String> {
        let mut texts = Vec::new();
        let one =
            |parts: &[&[u8]]| parts.iter().map(|part| String::from_utf8_lossy(part)).collect::<Vec<_>>().join(" ");
        visit(tag, body, &mut |parts| texts.push(one(parts))).expect("a value");
        texts
    }

    #[test]
    fn an_element_is_the_same_in_every_encoding() {
        let body = |put: &dyn Fn(&mut Writer)| {
            let mut out = Writer::new(false);
            put(&mut out);
            out.into_bytes()
        };
        let plain = body(&|out| {
            out.put_length(2);
            [&b"a"[..], b"1", b"17", b"-3"].iter().for_each(|text| out.put_string(text));
        });
        let packed = body(&|out| out.put_string(b"\x11\0\0\0\x04\0\x81a\x02\x01\x01\x11\x01\xdf\xfd\x02\xff"));
        assert_eq!(texts(4, &plain), ["a 1", "17 -3"]);
        assert_eq!(texts(16, &packed), ["a 1", "17 -3"]);
        let ints = body(&|out| out.put_string(b"\x02\0\0\0\x02\0\0\0\xff\xff\x07\0"));
        assert_eq!(texts(11, &ints), ["-1", "7"]);
        assert_eq!(count(11, &ints).expect("a set"), 2);
    }

    #[test]
    fn any_bytes_are_a_value_or_refused() {
        plinth_fuzz::run(|random| {
            let tag = random.below(27) as u8;
            let mut body: Vec<u8> = (0..random.below(60)).map(|_| random.number() as u8).collect();
            if random.below(2) == 0 {
                let mut out = Writer::new(false);
                out.put_length(random.below(5) as u64);
                out.put_string(&body);
                body = out.into_bytes();
            }
            let _ = count(tag, &body);
        });
    }
}
