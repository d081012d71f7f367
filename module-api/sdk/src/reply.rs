//! The reply: RESP written straight into the buffer that the client's socket is fed from.
//!
//! ```text
//!   at            end
//!   v             v
//! ..|.............|     free bytes: a reply is written at `at`, which then advances
//! ```
//!
//! The buffer's layout is public, so that writing `:1\r\n` is a comparison and a store and no
//! call. Only when too few bytes are free is the host asked to `grow` the buffer, and only long
//! bulk strings are handed to it by `append`.
//!
//! Shapes are those of <https://github.com/redis/redis-specifications/tree/master/protocol>. A call
//! knows which version its client speaks; what RESP2 lacks is written as Redis writes it there.
//!
//! The writer does not count: a handler writes exactly one reply, and after
//! [`array`](ReplyBuffer::array)`(n)` exactly `n` more. An error that a handler *returns* makes the
//! host drop what was written.

use crate::abi;
use crate::abi::bytes::Bytes;
use crate::abi::reply::{REPLY_ARRAY, REPLY_ATTRIBUTE, REPLY_GROW_MAX, REPLY_MAP, REPLY_PUSH, REPLY_SET, Reply};
use crate::error::Error;
use crate::host;
use crate::number;
use plinth_pack::Value;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// Room for a type byte, any length or integer, and the line break.
const HEAD_BYTES: usize = 24;
/// Longest bulk string that is copied into the buffer with one check of its room.
const SHORT_BYTES: usize = REPLY_GROW_MAX - HEAD_BYTES - 2;

/// Where a handler writes its reply. See the [module](self).
pub struct ReplyBuffer<'a> {
    call: NonNull<abi::call::Call>,
    marker: PhantomData<&'a mut ()>,
}

crate::call::part!(ReplyBuffer);

/// The place of an aggregate that was opened before its length was known.
#[must_use = "an opened aggregate must be closed"]
pub struct Mark(u64);

/// Writes bytes at a place in the buffer that was made large enough.
struct Cursor(*mut u8);

impl Cursor {
    /// # Safety
    /// `bytes.len()` bytes are free at the cursor.
    #[inline(always)]
    unsafe fn put(&mut self, bytes: &[u8]) {
        // SAFETY: the caller vouches for the room, and the buffer is not what `bytes` lies in,
        // because a handler has no way to borrow from it.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.0, bytes.len());
            self.0 = self.0.add(bytes.len());
        }
    }

    /// Writes a type byte, a number and a line break.
    ///
    /// # Safety
    /// [`HEAD_BYTES`] bytes are free at the cursor.
    #[inline(always)]
    unsafe fn head(&mut self, kind: u8, number: u64) {
        // SAFETY: a type byte, at most 20 digits and two bytes fit.
        unsafe {
            if number < 10 {
                self.put(&[kind, b'0' + number as u8, b'\r', b'\n']);
            } else if number < 100 {
                self.put(&[kind, b'0' + (number / 10) as u8, b'0' + (number % 10) as u8, b'\r', b'\n']);
            } else {
                self.put(&[kind]);
                self.put(itoa::Buffer::new().format(number).as_bytes());
                self.put(b"\r\n");
            }
        }
    }
}

impl ReplyBuffer<'_> {
    #[inline(always)]
    fn reply(&mut self) -> *mut Reply {
        // SAFETY: the call and its reply are valid while the part lives.
        unsafe { (*self.call.as_ptr()).reply }
    }

    #[inline(always)]
    fn resp3(&self) -> bool {
        // SAFETY: the call is valid while the part lives.
        unsafe { (*self.call.as_ptr()).resp >= 3 }
    }

    /// A cursor with at least `need` free bytes, at most [`REPLY_GROW_MAX`].
    #[inline(always)]
    fn room(&mut self, need: usize) -> Cursor {
        debug_assert!(need <= REPLY_GROW_MAX);
        let reply = self.reply();
        // SAFETY: the reply is valid, `at` and `end` bound its free bytes, and `grow` makes `need`
        // bytes free or does not return.
        unsafe {
            if ((*reply).end as usize) - ((*reply).at as usize) < need {
                ((*reply).grow)(reply, need);
            }
            Cursor((*reply).at)
        }
    }

    /// Ends what a cursor of [`room`](Self::room) wrote.
    #[inline(always)]
    fn advance(&mut self, cursor: Cursor) {
        // SAFETY: the reply is valid, and the cursor went no further than the room it was given.
        unsafe { (*self.reply()).at = cursor.0 }
    }

    /// Appends a piece of RESP that was made elsewhere, such as a reply of
    /// [`Run::command`](crate::run::Run::command).
    pub fn raw(&mut self, bytes: &[u8]) {
        if bytes.len() <= REPLY_GROW_MAX {
            let mut out = self.room(bytes.len());
            // SAFETY: `room` made this many bytes free.
            unsafe { out.put(bytes) };
            self.advance(out);
        } else {
            let reply = self.reply();
            // SAFETY: the reply is valid, the bytes are borrowed for the call.
            unsafe { ((*reply).append)(reply, Bytes::of(bytes)) }
        }
    }

    #[inline(always)]
    fn constant(&mut self, bytes: &'static [u8]) {
        let mut out = self.room(bytes.len());
        // SAFETY: `room` made this many bytes free.
        unsafe { out.put(bytes) };
        self.advance(out);
    }

    #[inline(always)]
    fn head(&mut self, kind: u8, number: u64) {
        let mut out = self.room(HEAD_BYTES);
        // SAFETY: `room` made the head's bytes free.
        unsafe { out.head(kind, number) };
        self.advance(out);
    }

    /// `+OK`.
    #[inline(always)]
    pub fn ok(&mut self) {
        self.constant(b"+OK\r\n");
    }

    /// A status such as `+QUEUED`. Line breaks become spaces.
    pub fn simple(&mut self, text: impl AsRef<[u8]>) {
        self.line(b'+', text.as_ref());
    }

    /// An error; `text` begins with its code (`ERR ...`). Line breaks become spaces. The
    /// result is for the handler to return: `return Err(call.reply.error("ERR no"))`. Where
    /// the error is only an element of the reply it is dropped.
    pub fn error(&mut self, text: impl AsRef<[u8]>) -> Error {
        self.line(b'-', text.as_ref());
        Error::Replied
    }

    /// A line of a type byte and a text.
    fn line(&mut self, kind: u8, text: &[u8]) {
        self.raw(&[kind]);
        for piece in text.chunks(REPLY_GROW_MAX) {
            let mut out = self.room(piece.len());
            for &byte in piece {
                let byte = if matches!(byte, b'\r' | b'\n') { b' ' } else { byte };
                // SAFETY: `room` made one byte free for each of the piece.
                unsafe { out.put(&[byte]) };
            }
            self.advance(out);
        }
        self.constant(b"\r\n");
    }

    /// An integer.
    #[inline(always)]
    pub fn integer(&mut self, value: i64) {
        if value >= 0 {
            self.head(b':', value as u64);
        } else {
            let mut out = self.room(HEAD_BYTES);
            // SAFETY: `room` made room for a type byte, 20 characters and a line break.
            unsafe {
                out.put(b":");
                out.put(itoa::Buffer::new().format(value).as_bytes());
                out.put(b"\r\n");
            }
            self.advance(out);
        }
    }

    /// A count as an integer.
    #[inline(always)]
    pub fn count(&mut self, count: usize) {
        self.integer(count as i64);
    }

    /// A bulk string.
    #[inline(always)]
    pub fn bulk(&mut self, bytes: impl AsRef<[u8]>) {
        self.sized(b'$', bytes.as_ref());
    }

    /// A bulk string that holds the digits of an integer.
    #[inline]
    pub fn bulk_integer(&mut self, value: i64) {
        self.sized(b'$', itoa::Buffer::new().format(value).as_bytes());
    }

    /// A bulk string that holds an element of a small collection.
    #[inline(always)]
    pub fn bulk_value(&mut self, value: Value<'_>) {
        match value {
            Value::Text(text) => self.bulk(text),
            Value::Integer(integer) => self.bulk_integer(integer),
        }
    }

    /// A type byte, a length, and that many bytes.
    #[inline(always)]
    fn sized(&mut self, kind: u8, bytes: &[u8]) {
        if bytes.len() > SHORT_BYTES {
            return self.sized_long(kind, bytes);
        }
        let mut out = self.room(HEAD_BYTES + bytes.len() + 2);
        // SAFETY: `room` made room for the head, the bytes and a line break.
        unsafe {
            out.head(kind, bytes.len() as u64);
            out.put(bytes);
            out.put(b"\r\n");
        }
        self.advance(out);
    }

    #[cold]
    fn sized_long(&mut self, kind: u8, bytes: &[u8]) {
        self.head(kind, bytes.len() as u64);
        self.raw(bytes);
        self.constant(b"\r\n");
    }

    /// Nothing: `_` in RESP3, the null bulk string in RESP2.
    #[inline]
    pub fn null(&mut self) {
        self.constant(if self.resp3() { b"_\r\n" } else { b"$-1\r\n" });
    }

    /// No array: `_` in RESP3, the null array in RESP2.
    #[inline]
    pub fn null_array(&mut self) {
        self.constant(if self.resp3() { b"_\r\n" } else { b"*-1\r\n" });
    }

    /// The head of an array; `count` elements follow.
    #[inline]
    pub fn array(&mut self, count: usize) {
        self.head(b'*', count as u64);
    }

    /// The head of a map; `pairs` keys and values follow in turn. In RESP2 an array of twice
    /// the length.
    #[inline]
    pub fn map(&mut self, pairs: usize) {
        if self.resp3() { self.head(b'%', pairs as u64) } else { self.head(b'*', pairs as u64 * 2) }
    }

    /// The head of a set; `count` elements follow. An array in RESP2.
    #[inline]
    pub fn set(&mut self, count: usize) {
        self.head(if self.resp3() { b'~' } else { b'*' }, count as u64);
    }

    /// The head of an out-of-band push; `count` elements follow. An array in RESP2.
    #[inline]
    pub fn push(&mut self, count: usize) {
        self.head(if self.resp3() { b'>' } else { b'*' }, count as u64);
    }

    /// A double: `,` in RESP3, a bulk string in RESP2; digits as
    /// [`format_double`](crate::number::format_double) chooses them.
    pub fn double(&mut self, value: f64) {
        let mut room = [0; number::DOUBLE_TEXT_BYTES];
        let text = number::format_double(value, &mut room);
        if self.resp3() { self.line(b',', text) } else { self.sized(b'$', text) }
    }

    /// A boolean: `#t` and `#f` in RESP3, the integers 1 and 0 in RESP2.
    pub fn boolean(&mut self, value: bool) {
        self.constant(match (self.resp3(), value) {
            (true, true) => b"#t\r\n",
            (true, false) => b"#f\r\n",
            (false, true) => b":1\r\n",
            (false, false) => b":0\r\n",
        });
    }

    /// A text with its format, three letters (`txt`, `mkd`). A bulk string in RESP2.
    pub fn verbatim(&mut self, format: &[u8; 3], text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        if !self.resp3() {
            return self.sized(b'$', text);
        }
        self.head(b'=', text.len() as u64 + 4);
        self.raw(format);
        self.constant(b":");
        self.raw(text);
        self.constant(b"\r\n");
    }

    /// An integer of any size as decimal digits. A bulk string in RESP2.
    pub fn big_number(&mut self, digits: impl AsRef<[u8]>) {
        if self.resp3() { self.line(b'(', digits.as_ref()) } else { self.sized(b'$', digits.as_ref()) }
    }

    /// Begins an aggregate whose length is not known yet; nested ones close in reverse order.
    pub fn open(&mut self) -> Mark {
        // SAFETY: the call is valid, and the module has started.
        unsafe { Mark((host::reply().open)(self.call.as_ptr())) }
    }

    /// Ends an opened aggregate as an array of `count` elements.
    pub fn close_array(&mut self, mark: Mark, count: usize) {
        self.close(mark, REPLY_ARRAY, count);
    }

    /// Ends an opened aggregate as a map of `pairs` pairs.
    pub fn close_map(&mut self, mark: Mark, pairs: usize) {
        self.close(mark, REPLY_MAP, pairs);
    }

    /// Ends an opened aggregate as a set of `count` elements.
    pub fn close_set(&mut self, mark: Mark, count: usize) {
        self.close(mark, REPLY_SET, count);
    }

    /// Ends an opened aggregate as a push of `count` elements.
    pub fn close_push(&mut self, mark: Mark, count: usize) {
        self.close(mark, REPLY_PUSH, count);
    }

    fn close(&mut self, mark: Mark, kind: u32, count: usize) {
        // SAFETY: the call is valid, and the mark is one that `open` gave.
        unsafe { (host::reply().close)(self.call.as_ptr(), mark.0, kind, count) }
    }

    /// The head of an attribute of the reply that follows: `pairs` keys and values, then
    /// the reply. Returns false in RESP2, which has none: then nothing is written, and the pairs
    /// must be left out.
    pub fn attribute(&mut self, pairs: usize) -> bool {
        if self.resp3() {
            // SAFETY: the call is valid, and the module has started.
            unsafe { (host::reply().aggregate)(self.call.as_ptr(), REPLY_ATTRIBUTE, pairs) };
        }
        self.resp3()
    }
}
