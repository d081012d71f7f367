//! Answers of other servers: RESP2, read from what has come so far. What is deeper or longer than any answer that is
//! asked for is an error, and the connection is given up.

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A line.
    Simple(Vec<u8>),
    /// An error.
    Error(Vec<u8>),
    /// A number.
    Integer(i64),
    /// Bytes.
    Bulk(Vec<u8>),
    /// Nothing.
    Null,
    /// Several.
    Array(Vec<Reply>),
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has not all come.
    Partial,
    /// It is none.
    Bad,
}

/// Deepest array, longest array, longest line.
const DEPTH_MAX: u32 = 4;
const ITEMS_MAX: usize = 64;
const LINE_BYTES_MAX: usize = 16 * 1024;
/// Longest bulk string.
const BULK_BYTES_MAX: usize = 1 << 20;

/// The first answer in some bytes, and how long it is.
///
/// # Errors
/// [`Fault`].
pub fn read(bytes: &[u8]) -> Result<(Reply, usize), Fault> {
    let mut at = 0;
    let reply = one(bytes, &mut at, 0)?;
    Ok((reply, at))
}

fn line<'b>(bytes: &'b [u8], at: &mut usize) -> Result<&'b [u8], Fault> {
    let rest = bytes.get(*at..).unwrap_or_default();
    match rest.windows(2).take(LINE_BYTES_MAX).position(|pair| pair == b"\r\n") {
        Some(end) => {
            *at += end + 2;
            Ok(&rest[..end])
        }
        None if rest.len() > LINE_BYTES_MAX => Err(Fault::Bad),
        None => Err(Fault::Partial),
    }
}

fn number(text: &[u8]) -> Result<i64, Fault> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(Fault::Bad)
}

fn one(bytes: &[u8], at: &mut usize, depth: u32) -> Result<Reply, Fault> {
    let head = line(bytes, at)?;
    let (kind, text) = head.split_first().ok_or(Fault::Bad)?;
    match kind {
        b'+' => Ok(Reply::Simple(text.to_vec())),
        b'-' => Ok(Reply::Error(text.to_vec())),
        b':' => number(text).map(Reply::Integer),
        b'$' => match number(text)? {
            -1 => Ok(Reply::Null),
            len => {
                let len = usize::try_from(len).ok().filter(|len| *len <= BULK_BYTES_MAX).ok_or(Fault::Bad)?;
                let all = bytes.get(*at..*at + len + 2).ok_or(Fault::Partial)?;
                *at += len + 2;
                let (text, end) = all.split_at(len);
                if end == b"\r\n" { Ok(Reply::Bulk(text.to_vec())) } else { Err(Fault::Bad) }
            }
        },
        b'*' => match number(text)? {
            -1 => Ok(Reply::Null),
            count => {
                let count = usize::try_from(count).ok().filter(|count| *count <= ITEMS_MAX && depth < DEPTH_MAX);
                let items = (0..count.ok_or(Fault::Bad)?).map(|_| one(bytes, at, depth + 1));
                items.collect::<Result<_, _>>().map(Reply::Array)
            }
        },
        _ => Err(Fault::Bad),
    }
}
