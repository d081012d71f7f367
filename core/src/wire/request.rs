//! The request parser: from a client's query buffer to argument views.
//!
//! ```text
//!   buf   *2\r\n$3\r\nGET\r\n$5\r\nhello\r\n*1\r\n ...
//!         ^           ───         ─────     ^
//!         0           Span 8,3    Span 17,5 consumed: the next command begins here
//! ```
//!
//! This is the first code that every command runs through, so it has two ways that
//! accept the same language:
//!
//! - **straight**: the command is whole in the buffer. One pass, no state written,
//!   no error made. At the first thing out of the ordinary it hands over what it has.
//! - **resumed**: takes up at a recorded position, decides what the oddity is, and
//!   records again if bytes are missing. A command that arrives in many pieces is
//!   therefore read once, however many arguments it has.
//!
//! Redis is the reference for what is accepted and for the words of each error. Like
//! Redis, the parser takes any byte for a line feed after a carriage return, and any
//! two bytes for the line end after an argument. Unlike Redis, its limit on the length
//! of a line does not depend on how the line was cut into packets.
//!
//! Invariants:
//! - Spans are relative to the first byte of their command, so the buffer may move or
//!   grow between calls. They lie within the `consumed` bytes.
//! - The outcome does not depend on where the input was cut.
//! - Memory held is linear in the bytes received: a declared count or length reserves
//!   nothing here.

use crate::base::number;
use crate::wire::inline;
use memchr::memchr;

/// The longest line: an inline request, or a count or length with its prefix.
pub const LINE_LEN_MAX: usize = 64 * 1024;

/// The most arguments of a request before the client has authenticated.
pub const UNAUTHENTICATED_ARGS_MAX: usize = 10;

/// The longest argument before the client has authenticated.
pub const UNAUTHENTICATED_BULK_LEN_MAX: usize = 16 * 1024;

/// Capacity that a connection may keep between commands for half-received ones.
const KEPT_SPANS_MAX: usize = 64;

/// The digits that the straight way reads; longer numbers take the other.
const SHORT_DIGITS_MAX: usize = 9;

/// One argument: a range of the bytes of its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where the argument begins, in bytes from the start of the command.
    pub start: usize,
    /// Length in bytes.
    pub len: usize,
}

impl Span {
    /// The argument's bytes, given those of its command.
    ///
    /// # Panics
    /// If `command` is shorter than what this span was made from.
    #[inline]
    pub fn of<'a>(&self, command: &'a [u8]) -> &'a [u8] {
        &command[self.start..self.start + self.len]
    }
}

/// What a request may ask for. Passed to each call, since configuration and
/// authentication change while a connection lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest argument, `proto-max-bulk-len`.
    pub bulk_len_max: usize,
    /// The most arguments of one request.
    pub args_max: usize,
    /// False while the client must authenticate first; two lower limits hold then.
    pub authenticated: bool,
}

impl Default for Limits {
    /// Redis's defaults, for an authenticated client.
    fn default() -> Self {
        Self { bulk_len_max: 512 << 20, args_max: i32::MAX as usize, authenticated: true }
    }
}

impl Limits {
    /// Whether a request of `count` arguments may come.
    fn check_count(&self, count: usize) -> Result<usize, ProtocolError> {
        if count > self.args_max {
            Err(ProtocolError::InvalidMultibulkLength)
        } else if !self.authenticated && count > UNAUTHENTICATED_ARGS_MAX {
            Err(ProtocolError::UnauthenticatedMultibulkLength)
        } else {
            Ok(count)
        }
    }

    /// Whether an argument of `len` bytes may come.
    fn check_bulk_len(&self, len: usize) -> Result<usize, ProtocolError> {
        if len > self.bulk_len_max {
            Err(ProtocolError::InvalidBulkLength)
        } else if !self.authenticated && len > UNAUTHENTICATED_BULK_LEN_MAX {
            Err(ProtocolError::UnauthenticatedBulkLength)
        } else {
            Ok(len)
        }
    }
}

/// A request that cannot be understood. The client gets `-ERR ` and the message,
/// and the connection is closed after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// The number after `*` is not canonical or is above the limit.
    #[error("Protocol error: invalid multibulk length")]
    InvalidMultibulkLength,
    /// More arguments than a client may send before AUTH.
    #[error("Protocol error: unauthenticated multibulk length")]
    UnauthenticatedMultibulkLength,
    /// A line after `*` does not end.
    #[error("Protocol error: too big mbulk count string")]
    MultibulkCountTooBig,
    /// An argument begins with another byte than `$`; it holds the byte.
    #[error("Protocol error: expected '$', got '{}'", printed(*.0))]
    ExpectedDollar(u8),
    /// The number after `$` is not canonical or is above the limit.
    #[error("Protocol error: invalid bulk length")]
    InvalidBulkLength,
    /// A longer argument than a client may send before AUTH.
    #[error("Protocol error: unauthenticated bulk length")]
    UnauthenticatedBulkLength,
    /// A line after `$` does not end.
    #[error("Protocol error: too big bulk count string")]
    BulkCountTooBig,
    /// An inline request does not end.
    #[error("Protocol error: too big inline request")]
    InlineTooBig,
    /// There is no memory for so many arguments.
    #[error("Protocol error: no memory for the arguments")]
    NoMemory,
    /// An inline request leaves a quote open or closes it within a word.
    #[error("Protocol error: unbalanced quotes in request")]
    UnbalancedQuotes,
}

impl ProtocolError {
    /// Appends the message as it goes to the client, without `-ERR ` and line end.
    ///
    /// It differs from `Display` where a byte is quoted that is not ASCII: the client
    /// gets the byte itself.
    pub fn append_message(&self, out: &mut Vec<u8>) {
        match self {
            Self::ExpectedDollar(byte) => {
                out.extend_from_slice(b"Protocol error: expected '$', got '");
                out.push(if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte });
                out.push(b'\'');
            }
            _ => out.extend_from_slice(self.to_string().as_bytes()),
        }
    }
}

/// A byte inside a message, which must stay one line.
fn printed(byte: u8) -> char {
    if matches!(byte, b'\r' | b'\n') { ' ' } else { char::from(byte) }
}

/// What one call to [`Parser::parse`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// A whole request. The last `argc` spans of `args` point into the buffer.
    Complete {
        /// Bytes of the buffer that the request took.
        consumed: usize,
        /// Its arguments, at least one.
        argc: usize,
    },
    /// A whole inline request. The last `argc` spans of `args` point into `text`.
    Inline {
        /// Bytes of the buffer that the request took.
        consumed: usize,
        /// Its arguments, at least one.
        argc: usize,
        /// The unquoted arguments, one behind the other.
        text: Vec<u8>,
    },
    /// A request without arguments, which gets no reply.
    Empty {
        /// Bytes of the buffer that the request took.
        consumed: usize,
    },
    /// More bytes must come; `args` is unchanged.
    Incomplete {
        /// The buffer length below which another call cannot get further. When a long
        /// argument is awaited this is where its line end ends, so that a buffer of
        /// that capacity takes the argument in place. A client chooses this number, up
        /// to the limits.
        need: usize,
    },
}

/// A connection's place in a request that has not arrived whole.
#[derive(Debug, Default)]
pub struct Parser {
    /// Arguments still to come; zero before the count is known.
    remaining: usize,
    /// Bytes from the start of the command that are understood.
    position: usize,
    /// The length of the argument at `position`, once its `$` line is understood.
    bulk_len: Option<usize>,
    /// Bytes from `position` that hold no line end; zero when a request begins.
    searched: usize,
    /// The arguments understood.
    spans: Vec<Span>,
}

impl Parser {
    /// A parser at the start of a request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a request has been begun and awaits bytes.
    pub fn is_within_request(&self) -> bool {
        self.remaining != 0 || self.searched != 0
    }

    /// Heap bytes held for a half-received request.
    pub fn heap_size(&self) -> usize {
        self.spans.capacity() * size_of::<Span>()
    }

    /// Bytes from the start of a half-received request that are understood, and how many of them are arguments.
    pub fn understood(&self) -> (usize, usize) {
        (self.position, self.spans.iter().map(|span| span.len).sum())
    }

    /// Forgets a half-received request, for a connection that starts anew.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Reads one request from the start of `buf`.
    ///
    /// `buf` holds the bytes that are not consumed yet: while the answer is
    /// [`Parsed::Incomplete`] the next call must get the same bytes and more. Spans go
    /// to the end of `args`, so a caller may collect many requests in one vector; only
    /// a whole request adds any.
    ///
    /// # Errors
    /// After an error the stream has lost its frame: the connection must be closed.
    #[inline]
    pub fn parse(&mut self, buf: &[u8], limits: &Limits, args: &mut Vec<Span>) -> Result<Parsed, ProtocolError> {
        if self.remaining != 0 {
            return self.resume(buf, limits, args);
        }
        match buf.first() {
            Some(b'*') if self.searched == 0 => self.straight(buf, limits, args),
            Some(b'*') => self.resume(buf, limits, args),
            Some(_) => self.inline(buf, args),
            None => Ok(Parsed::Incomplete { need: 1 }),
        }
    }

    /// The straight way: a whole, ordinary request in one pass.
    #[inline]
    fn straight(&mut self, buf: &[u8], limits: &Limits, args: &mut Vec<Span>) -> Result<Parsed, ProtocolError> {
        let Some((argc, mut position)) = short_line(buf, 0, b'*') else {
            return self.resume(buf, limits, args);
        };
        if argc == 0 || limits.check_count(argc).is_err() {
            return self.resume(buf, limits, args);
        }
        let base = args.len();
        for done in 0..argc {
            let Some((span, next)) = short_argument(buf, position, limits) else {
                // These are empty, so no more is asked for than there are.
                self.spans.try_reserve(args.len() - base).map_err(|_| ProtocolError::NoMemory)?;
                self.spans.extend(args.drain(base..));
                self.remaining = argc - done;
                self.position = position;
                return self.resume(buf, limits, args);
            };
            push(args, span)?;
            position = next;
        }
        Ok(Parsed::Complete { consumed: position, argc })
    }

    /// The resumed way: from a recorded place, with every decision and every error.
    #[cold]
    #[inline(never)]
    fn resume(&mut self, buf: &[u8], limits: &Limits, args: &mut Vec<Span>) -> Result<Parsed, ProtocolError> {
        let outcome = self.go_on(buf, limits, args);
        if outcome.is_err() {
            self.reset();
        }
        outcome
    }

    /// What `resume` does while there is no error.
    fn go_on(&mut self, buf: &[u8], limits: &Limits, args: &mut Vec<Span>) -> Result<Parsed, ProtocolError> {
        if self.remaining == 0 {
            match self.read_count(buf, limits)? {
                None => {
                    return Ok(Parsed::Incomplete { need: buf.len() + 1 });
                }
                Some(0) => {
                    let consumed = std::mem::take(&mut self.position);
                    return Ok(Parsed::Empty { consumed });
                }
                Some(count) => self.remaining = count,
            }
        }
        while self.remaining != 0 {
            let Some(len) = self.read_bulk_len(buf, limits)? else {
                return Ok(Parsed::Incomplete { need: buf.len() + 1 });
            };
            // Only a limit near the address space makes this saturate; the sum is
            // then above any buffer's length, and the request waits for ever.
            let end = self.position.saturating_add(len).saturating_add(2);
            if buf.len() < end {
                self.bulk_len = Some(len);
                return Ok(Parsed::Incomplete { need: end });
            }
            push(&mut self.spans, Span { start: self.position, len })?;
            self.position = end;
            self.bulk_len = None;
            self.remaining -= 1;
        }
        let argc = self.spans.len();
        args.try_reserve(argc).map_err(|_| ProtocolError::NoMemory)?;
        args.append(&mut self.spans);
        if self.spans.capacity() > KEPT_SPANS_MAX {
            self.spans = Vec::new();
        }
        Ok(Parsed::Complete { consumed: std::mem::take(&mut self.position), argc })
    }

    /// The count after `*`; zero when it is negative; `None` when the line has no end yet.
    fn read_count(&mut self, buf: &[u8], limits: &Limits) -> Result<Option<usize>, ProtocolError> {
        let Some(line) = self.line(buf, ProtocolError::MultibulkCountTooBig)? else {
            return Ok(None);
        };
        let digits = line.get(1..).unwrap_or_default();
        let count = number::parse_i64(digits).ok_or(ProtocolError::InvalidMultibulkLength)?;
        if count <= 0 {
            return Ok(Some(0));
        }
        let count = usize::try_from(count).map_err(|_| ProtocolError::InvalidMultibulkLength)?;
        limits.check_count(count).map(Some)
    }

    /// The length of the argument at hand; `None` when its line has no end yet.
    fn read_bulk_len(&mut self, buf: &[u8], limits: &Limits) -> Result<Option<usize>, ProtocolError> {
        if let Some(len) = self.bulk_len {
            return Ok(Some(len));
        }
        let Some(line) = self.line(buf, ProtocolError::BulkCountTooBig)? else {
            return Ok(None);
        };
        match line {
            [b'$', digits @ ..] => {
                let len = number::parse_len(digits).ok_or(ProtocolError::InvalidBulkLength)?;
                limits.check_bulk_len(len).map(Some)
            }
            // An empty line shows the byte that ends it.
            _ => Err(ProtocolError::ExpectedDollar(line.first().copied().unwrap_or(b'\r'))),
        }
    }

    /// Takes the line at `position`, without its two end bytes, and steps over it.
    fn line<'a>(&mut self, buf: &'a [u8], too_big: ProtocolError) -> Result<Option<&'a [u8]>, ProtocolError> {
        let rest = buf.get(self.position..).unwrap_or_default();
        let Some(len) = self.find_line_end(rest, b'\r', too_big)? else {
            return Ok(None);
        };
        if rest.len() < len + 2 {
            self.searched = len;
            return Ok(None);
        }
        self.searched = 0;
        self.position += len + 2;
        Ok(Some(&rest[..len]))
    }

    /// Where the first `end` byte is, looking only at bytes not looked at before.
    fn find_line_end(&mut self, rest: &[u8], end: u8, too_big: ProtocolError) -> Result<Option<usize>, ProtocolError> {
        let window = &rest[..rest.len().min(LINE_LEN_MAX + 1)];
        let unseen = window.get(self.searched..).unwrap_or_default();
        if let Some(at) = memchr(end, unseen) {
            return Ok(Some(self.searched + at));
        }
        if rest.len() > LINE_LEN_MAX {
            return Err(too_big);
        }
        self.searched = rest.len();
        Ok(None)
    }

    /// An inline request: the words of one line.
    #[cold]
    fn inline(&mut self, buf: &[u8], args: &mut Vec<Span>) -> Result<Parsed, ProtocolError> {
        let Some(len) = self.find_line_end(buf, b'\n', ProtocolError::InlineTooBig)? else {
            return Ok(Parsed::Incomplete { need: buf.len() + 1 });
        };
        self.searched = 0;
        let consumed = len + 1;
        let base = args.len();
        let text = inline::unquote(&buf[..len], args)?;
        match args.len() - base {
            0 => Ok(Parsed::Empty { consumed }),
            argc => Ok(Parsed::Inline { consumed, argc, text }),
        }
    }
}

/// Appends an argument, if there is memory for it.
#[inline]
pub(super) fn push(args: &mut Vec<Span>, span: Span) -> Result<(), ProtocolError> {
    if args.len() == args.capacity() {
        args.try_reserve(1).map_err(|_| ProtocolError::NoMemory)?;
    }
    args.push(span);
    Ok(())
}

/// Reads `prefix`, a short canonical number and a line end at `position`.
///
/// Returns the number and the position behind the line; `None` for anything else,
/// be it an error, a long number or a missing byte.
#[inline]
fn short_line(buf: &[u8], position: usize, prefix: u8) -> Option<(usize, usize)> {
    let line = buf.get(position..)?;
    // Numbers of one and of two digits, which nearly all are, without the loop.
    if let Some([sign, tens, ones, end]) = line.first_chunk::<4>() {
        let (tens, units) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
        if *sign == prefix && tens <= 9 && *ones == b'\r' {
            return Some((usize::from(tens), position + 4));
        }
        if *sign == prefix && (1..=9).contains(&tens) && units <= 9 && *end == b'\r' && line.len() > 4 {
            return Some((usize::from(tens) * 10 + usize::from(units), position + 5));
        }
    }
    if *line.first()? != prefix {
        return None;
    }
    let mut value = usize::from(number::digit(*line.get(1)?)?);
    let mut len = 2;
    while let Some(digit) = number::digit(*line.get(len)?) {
        // A leading zero, or too long to be short.
        if value == 0 || len > SHORT_DIGITS_MAX {
            return None;
        }
        value = value * 10 + usize::from(digit);
        len += 1;
    }
    (line[len] == b'\r' && line.len() > len + 1).then_some((value, position + len + 2))
}

/// Reads a whole ordinary request at the start of `buf`, and hands each argument's
/// start and length to `take`; how many bytes it took, and how many arguments it has.
///
/// `None` for anything out of the ordinary, an incomplete request and one of more than
/// `args_max` arguments too: the caller then
/// forgets what `take` got and asks a [`Parser`], which must not be within a request.
#[inline]
pub fn ordinary(
    buf: &[u8],
    limits: &Limits,
    args_max: usize,
    mut take: impl FnMut(usize, usize),
) -> Option<(usize, usize)> {
    let (argc, mut position) = short_line(buf, 0, b'*')?;
    if argc == 0 || argc > args_max {
        return None;
    }
    limits.check_count(argc).ok()?;
    for _ in 0..argc {
        let (span, next) = short_argument(buf, position, limits)?;
        take(span.start, span.len);
        position = next;
    }
    Some((position, argc))
}

/// Reads a whole ordinary argument at `position`; also returns the position behind it.
#[inline]
fn short_argument(buf: &[u8], position: usize, limits: &Limits) -> Option<(Span, usize)> {
    let (len, start) = short_line(buf, position, b'$')?;
    limits.check_bulk_len(len).ok()?;
    let next = start + len + 2;
    (next <= buf.len()).then_some((Span { start, len }, next))
}

#[cfg(test)]
#[path = "request_fuzz.rs"]
mod fuzz;

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
