//! Replies: each kind in RESP2 or RESP3.
//!
//! Shapes: <https://redis.io/docs/latest/develop/reference/protocol-spec/>.

use crate::socket::output::Output;
use plinth_abi::reply::{REPLY_ARRAY, REPLY_ATTRIBUTE, REPLY_MAP, REPLY_PUSH, REPLY_SET};

/// Writes replies into an output buffer.
pub struct Writer<'a> {
    output: &'a mut Output,
    resp3: bool,
}

/// The head of an aggregate: its sign and its count.
pub fn head(kind: u32, count: usize, resp3: bool) -> Vec<u8> {
    let (sign, count) = match (kind, resp3) {
        (REPLY_MAP, true) => (b'%', count),
        (REPLY_ATTRIBUTE, true) => (b'|', count),
        (REPLY_MAP | REPLY_ATTRIBUTE, false) => (b'*', count.saturating_mul(2)),
        (REPLY_SET, true) => (b'~', count),
        (REPLY_PUSH, true) => (b'>', count),
        _ => (b'*', count),
    };
    let mut head = vec![sign];
    head.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
    head.extend_from_slice(b"\r\n");
    head
}

/// A double as Redis shows it.
pub fn double_text(value: f64) -> String {
    if value.is_nan() {
        "nan".into()
    } else if value.is_infinite() {
        if value > 0.0 { "inf".into() } else { "-inf".into() }
    } else if value == value.trunc() && value.abs() < 1e17 {
        if value == 0.0 && value.is_sign_negative() { "-0".into() } else { format!("{value:.0}") }
    } else {
        shortest(value)
    }
}

fn shortest(value: f64) -> String {
    // C's %.17g, shortened to the digits that matter, switches to an exponent from
    // 1e17 up and below 1e-4; the exponent has a sign and two digits at least.
    let magnitude = value.abs();
    if (1e-4..1e17).contains(&magnitude) {
        return format!("{value}");
    }
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

impl<'a> Writer<'a> {
    /// A writer in a version of the protocol.
    pub fn new(output: &'a mut Output, resp3: bool) -> Writer<'a> {
        Writer { output, resp3 }
    }

    fn line(&mut self, sign: u8, text: &[u8]) {
        self.output.write(&[sign]);
        self.output.write(text);
        self.output.write(b"\r\n");
    }

    /// A status.
    pub fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    /// An error that begins with its code.
    pub fn error(&mut self, text: &[u8]) {
        if text.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
            let trimmed: Vec<u8> = text
                .trim_ascii_end()
                .iter()
                .map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte })
                .collect();
            self.line(b'-', &trimmed);
        } else {
            self.line(b'-', text);
        }
    }

    /// An integer.
    pub fn integer(&mut self, value: i64) {
        self.line(b':', itoa::Buffer::new().format(value).as_bytes());
    }

    /// A bulk string.
    pub fn bulk(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        self.line(b'$', itoa::Buffer::new().format(bytes.len()).as_bytes());
        self.output.write(bytes);
        self.output.write(b"\r\n");
    }

    /// A bulk string that others read too.
    pub fn shared_bulk(&mut self, bytes: &bytes::Bytes) {
        self.line(b'$', itoa::Buffer::new().format(bytes.len()).as_bytes());
        self.output.write_shared(bytes);
        self.output.write(b"\r\n");
    }

    /// Nothing.
    pub fn null(&mut self) {
        self.output.write(if self.resp3 { b"_\r\n" } else { b"$-1\r\n" });
    }

    /// No array.
    pub fn null_array(&mut self) {
        self.output.write(if self.resp3 { b"_\r\n" } else { b"*-1\r\n" });
    }

    /// The head of an aggregate.
    pub fn aggregate(&mut self, kind: u32, count: usize) {
        if kind != REPLY_ATTRIBUTE || self.resp3 {
            self.output.write(&head(kind, count, self.resp3));
        }
    }

    /// The head of an array.
    pub fn array(&mut self, count: usize) {
        self.aggregate(REPLY_ARRAY, count);
    }

    /// The head of a map of pairs.
    pub fn map(&mut self, pairs: usize) {
        self.aggregate(REPLY_MAP, pairs);
    }

    /// The head of a set.
    pub fn set(&mut self, count: usize) {
        self.aggregate(REPLY_SET, count);
    }

    /// A double.
    pub fn double(&mut self, value: f64) {
        let text = double_text(value);
        if self.resp3 { self.line(b',', text.as_bytes()) } else { self.bulk(text) }
    }

    /// A boolean.
    pub fn boolean(&mut self, value: bool) {
        match (self.resp3, value) {
            (true, true) => self.output.write(b"#t\r\n"),
            (true, false) => self.output.write(b"#f\r\n"),
            (false, _) => self.integer(i64::from(value)),
        }
    }

    /// A text with its format.
    pub fn verbatim(&mut self, format: &[u8], text: &[u8]) {
        if self.resp3 {
            self.line(b'=', itoa::Buffer::new().format(text.len() + 4).as_bytes());
            let mut three = *b"txt";
            three.iter_mut().zip(format).for_each(|(to, from)| *to = *from);
            self.output.write(&three);
            self.output.write(b":");
            self.output.write(text);
            self.output.write(b"\r\n");
        } else {
            self.bulk(text);
        }
    }

    /// An integer of any size.
    pub fn big_number(&mut self, digits: &[u8]) {
        if self.resp3 { self.line(b'(', digits) } else { self.bulk(digits) }
    }
}

#[cfg(test)]
mod tests {
    use super::double_text;

    #[test]
    fn doubles_read_as_redis_writes_them() {
        for (value, text) in [
            (3.0, "3"),
            (-0.0, "-0"),
            (3.25, "3.25"),
            (0.1, "0.1"),
            (f64::INFINITY, "inf"),
            (1e20, "1e+20"),
            (1.5e-7, "1.5e-07"),
            (-2.5, "-2.5"),
        ] {
            assert_eq!(double_text(value), text);
        }
    }
}
