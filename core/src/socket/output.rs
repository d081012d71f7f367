//! The output buffer of a connection, which is also the reply buffer that command
//! handlers write into: a reply is written once, where it is sent from.
//!
//! ```text
//! chunks (full, in order)          current chunk
//! [ chunk ][ chunk ][ chunk ] ...  [ written | free ]
//!   ^ sent                                   ^at  ^end
//! ```
//!
//! Invariants:
//! - `reply` is the first field: handlers get its address, and `grow` finds the
//!   buffer behind it.
//! - Bytes before `at` in the current chunk are initialised.
//! - A long reply is more chunks; what a chunk holds is copied elsewhere only where something
//!   comes between that is a chunk of its own, and only when it is short.
//! - A shared chunk is read by others too, and never written into.
//! - A chunk of unusual size goes when what it holds has been sent.
//! - Between [`Output::open`] and [`Output::close`] nothing is sent.
//! - A buffer that is broken, because more would wait than its limit or because there is no memory,
//!   holds nothing and never sends anything again: what is written meanwhile goes into the ditch, so
//!   that whoever writes need not know. Its owner is to be cut off.

use bytes::Bytes as Shared;
use plinth_abi::bytes::Bytes;
use plinth_abi::reply::{REPLY_GROW_MAX, Reply};
use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};

/// Bytes of a chunk unless a longer reply asks for more.
pub const CHUNK_BYTES: usize = 16 * 1024;
/// Least bytes of a chunk, to which idle connections shrink.
pub const CHUNK_BYTES_MIN: usize = 1024;
/// Most chunks in one call of `writev`.
const SLICES_MAX: usize = 64;
/// Bytes after which sending to one client makes way for others.
const SEND_TURN_BYTES: usize = 1 << 20;
/// Most bytes that are copied to keep the rest of a chunk in use.
const COPIED_BYTES_MAX: usize = 2048;
/// Least bytes that are shared: below, a copy costs less than a chunk more.
pub const SHARED_BYTES_MIN: usize = 2048;

/// What a reply is that could not be kept, for whoever reads it within the server.
const NO_MEMORY: &[u8] = b"-OOM there is no memory for the reply\r\n";

thread_local! {
    /// Where bytes go that nobody will read. It is written and never read.
    static DITCH: UnsafeCell<[u8; REPLY_GROW_MAX]> = const { UnsafeCell::new([0; REPLY_GROW_MAX]) };
}

/// Why an output buffer is broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Broken {
    /// More would wait than may.
    Limit,
    /// There was no memory.
    Memory,
}

/// Bytes that are to be sent.
enum Chunk {
    /// Written here.
    Own(Vec<u8>),
    /// Of which others have a handle too: they are there once for all who read them.
    Shared(Shared),
}

impl Chunk {
    /// Bytes of memory; what is shared counts in full for each, because each keeps it alive.
    fn capacity(&self) -> usize {
        match self {
            Chunk::Own(bytes) => bytes.capacity(),
            Chunk::Shared(bytes) => bytes.len(),
        }
    }
}

impl std::ops::Deref for Chunk {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Chunk::Own(bytes) => bytes,
            Chunk::Shared(bytes) => bytes,
        }
    }
}

/// An output buffer.
#[repr(C)]
pub struct Output {
    reply: Reply,
    /// Start of the current chunk.
    base: *mut u8,
    capacity: usize,
    chunks: VecDeque<Chunk>,
    /// Bytes in `chunks`.
    queued: usize,
    /// Bytes of the first chunk, or of the current one, that are sent already.
    sent: usize,
    /// Chunk size for the current chunk, when it is made.
    chunk_bytes: usize,
    /// Most bytes that have waited at once since [`Output::take_peak`].
    peak: usize,
    /// Most bytes that may wait beyond one chunk.
    limit: usize,
    /// Whether and why it is broken.
    broken: Option<Broken>,
}

/// How far sending got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sent {
    /// Nothing is left.
    All,
    /// The socket takes no more for now.
    Blocked,
    /// The turn's share is sent, and the socket may take more.
    More,
}

/// A place in an output buffer to go back to.
#[derive(Clone, Copy)]
pub struct Mark {
    chunks: usize,
    filled: usize,
}

impl Default for Output {
    fn default() -> Self {
        Output {
            reply: Reply {
                size: size_of::<Reply>() as u32,
                reserved: 0,
                at: std::ptr::null_mut(),
                end: std::ptr::null_mut(),
                grow,
                append,
            },
            base: std::ptr::null_mut(),
            capacity: 0,
            chunks: VecDeque::new(),
            queued: 0,
            sent: 0,
            chunk_bytes: CHUNK_BYTES,
            peak: 0,
            limit: usize::MAX,
            broken: None,
        }
    }
}

unsafe extern "C" fn grow(reply: *mut Reply, need: usize) {
    // SAFETY: every `Reply` that the host hands out is the first field of an `Output`.
    let output = unsafe { &mut *reply.cast::<Output>() };
    output.new_chunk(need.min(REPLY_GROW_MAX));
}

unsafe extern "C" fn append(reply: *mut Reply, bytes: Bytes) {
    // SAFETY: as in `grow`; the module vouches for `bytes` for the call.
    let (output, bytes) = unsafe { (&mut *reply.cast::<Output>(), bytes.as_slice()) };
    output.write(bytes);
}

impl Output {
    /// What a call's `reply` points at.
    pub fn as_reply(&mut self) -> *mut Reply {
        (&raw mut *self).cast()
    }

    fn filled(&self) -> usize {
        self.reply.at as usize - self.base as usize
    }

    fn free(&self) -> usize {
        self.reply.end as usize - self.reply.at as usize
    }

    /// Put the current chunk behind the others and begin one of at least `need` bytes, unless that
    /// breaks the buffer.
    fn new_chunk(&mut self, need: usize) {
        if self.broken.is_some() {
            return self.turn_to_ditch();
        }
        self.retire();
        let bytes = if self.chunks.is_empty() { self.chunk_bytes } else { CHUNK_BYTES };
        let waiting = self.queued - self.sent;
        if waiting > self.limit || need > CHUNK_BYTES && need > self.limit - waiting {
            return self.break_off(Broken::Limit);
        }
        let mut chunk = Vec::new();
        match chunk.try_reserve_exact(need.max(bytes)) {
            Ok(()) => self.adopt(chunk),
            Err(_) => self.break_off(Broken::Memory),
        }
    }

    /// Most bytes that may wait beyond one chunk: when there would be more, the buffer breaks.
    pub fn set_limit(&mut self, bytes: usize) {
        self.limit = bytes;
    }

    /// Whether and why it is broken.
    pub fn broken(&self) -> Option<Broken> {
        self.broken
    }

    /// Let go of all that waits, and take nothing more.
    #[cold]
    pub fn break_off(&mut self, why: Broken) {
        if self.broken.is_none() {
            self.discard_current();
            self.chunks = VecDeque::new();
            self.sent = 0;
            // So that the batch, which looks at nothing else, takes notice.
            self.queued = 1;
            self.broken = Some(why);
        }
        self.turn_to_ditch();
    }

    fn turn_to_ditch(&mut self) {
        self.base = DITCH.with(UnsafeCell::get).cast();
        self.reply.at = self.base;
        self.reply.end = self.base.wrapping_add(REPLY_GROW_MAX);
        self.capacity = 0;
    }

    /// Put the current chunk, if it holds anything, behind the others; there is none then.
    fn retire(&mut self) {
        if self.base.is_null() || self.broken.is_some() {
            return;
        }
        let filled = self.filled();
        // SAFETY: the buffer is not broken, so `base` and `capacity` come from a `Vec<u8>` that was taken apart in
        // `adopt`, and `filled` bytes are initialised.
        let chunk = unsafe { Vec::from_raw_parts(self.base, filled, self.capacity) };
        self.base = std::ptr::null_mut();
        self.reply.at = self.base;
        self.reply.end = self.base;
        self.capacity = 0;
        if filled > 0 {
            self.queued += filled;
            self.chunks.push_back(Chunk::Own(chunk));
        }
    }

    /// Make a vector the current chunk, behind what it holds.
    fn adopt(&mut self, chunk: Vec<u8>) {
        debug_assert!(self.base.is_null() && chunk.capacity() > 0);
        let mut chunk = std::mem::ManuallyDrop::new(chunk);
        self.base = chunk.as_mut_ptr();
        self.capacity = chunk.capacity();
        // SAFETY: length and capacity are within the allocation.
        unsafe {
            self.reply.at = self.base.add(chunk.len());
            self.reply.end = self.base.add(self.capacity);
        }
    }

    /// Append bytes.
    #[inline]
    pub fn write(&mut self, bytes: &[u8]) {
        if self.free() < bytes.len() {
            return self.write_long(bytes);
        }
        // SAFETY: there is room, and the chunk is apart from `bytes`.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.reply.at, bytes.len());
            self.reply.at = self.reply.at.add(bytes.len());
        }
    }

    #[cold]
    fn write_long(&mut self, bytes: &[u8]) {
        if self.broken.is_some() {
            return;
        }
        let (first, rest) = bytes.split_at(self.free().min(bytes.len()));
        // SAFETY: `first` fits, see above.
        unsafe {
            if !first.is_empty() {
                std::ptr::copy_nonoverlapping(first.as_ptr(), self.reply.at, first.len());
                self.reply.at = self.reply.at.add(first.len());
            }
        }
        if !rest.is_empty() {
            self.new_chunk(rest.len());
            self.write(rest);
        }
    }

    /// Bytes that wait to be sent.
    #[inline]
    pub fn pending(&self) -> usize {
        if self.broken.is_some() { 0 } else { self.queued + self.filled() - self.sent }
    }

    /// Bytes that wait beyond the current chunk; not 0 when the buffer is broken.
    #[inline]
    pub fn queued(&self) -> usize {
        self.queued
    }

    /// Bytes that wait, as output limits count them: what fits into one usual chunk is free.
    pub fn counted(&self) -> usize {
        let pending = self.pending();
        if self.queued == 0 && pending <= CHUNK_BYTES { 0 } else { pending }
    }

    /// Chunks beyond the current one.
    pub fn chunk_count(&self) -> usize {
        self.chunks.len()
    }

    /// Bytes of the current chunk in use, and its capacity.
    pub fn chunk_usage(&self) -> (usize, usize) {
        (self.filled(), if self.base.is_null() { self.chunk_bytes } else { self.capacity })
    }

    /// Bytes of memory held.
    pub fn memory_bytes(&self) -> usize {
        self.capacity + self.chunks.iter().map(Chunk::capacity).sum::<usize>()
    }

    /// This place.
    #[inline]
    pub fn mark(&self) -> Mark {
        Mark { chunks: self.chunks.len(), filled: self.filled() }
    }

    /// Whether nothing was written since a mark.
    pub fn is_at(&self, mark: Mark) -> bool {
        self.chunks.len() == mark.chunks && self.filled() == mark.filled
    }

    /// What was written since a mark, if it lies in one piece.
    #[inline]
    pub fn since(&self, mark: Mark) -> Option<&[u8]> {
        if self.chunks.len() != mark.chunks || self.base.is_null() {
            return None;
        }
        let start = self.base.wrapping_add(mark.filled);
        let len = (self.reply.at as usize).wrapping_sub(start as usize);
        // SAFETY: nothing is taken out of the current chunk but by a rewind to an earlier mark, and bytes
        // before `at` are initialised.
        (len <= self.capacity).then(|| unsafe { std::slice::from_raw_parts(start, len) })
    }

    /// Whether more bytes than so many were written since a mark.
    pub fn is_longer_than(&self, mark: Mark, bytes: usize) -> bool {
        self.iter_after(mark).map(<[u8]>::len).sum::<usize>() > bytes
    }

    /// The byte behind a mark.
    pub fn byte_after(&self, mark: Mark) -> Option<u8> {
        self.iter_after(mark).flatten().next().copied()
    }

    fn iter_after(&self, mark: Mark) -> impl Iterator<Item = &[u8]> {
        let mut skip = mark.filled;
        self.chunks
            .iter()
            .skip(mark.chunks)
            .map(|chunk| &**chunk)
            .chain(std::iter::once(self.current()))
            .map(move |chunk| &chunk[std::mem::take(&mut skip).min(chunk.len())..])
    }

    fn current(&self) -> &[u8] {
        if self.base.is_null() || self.broken.is_some() {
            return &[];
        }
        // SAFETY: bytes before `at` are initialised.
        unsafe { std::slice::from_raw_parts(self.base, self.filled()) }
    }

    /// All that was written since a mark, in one piece; an error reply if the buffer is broken, or the
    /// memory for the copy is not to be had.
    pub fn copy_after(&self, mark: Mark) -> Vec<u8> {
        let mut copy = Vec::new();
        let len = self.iter_after(mark).map(<[u8]>::len).sum();
        if self.broken.is_some() || copy.try_reserve_exact(len).is_err() {
            return NO_MEMORY.to_vec();
        }
        self.iter_after(mark).for_each(|piece| copy.extend_from_slice(piece));
        copy
    }

    /// Forget what was written since a mark.
    pub fn rewind(&mut self, mark: Mark) {
        if self.broken.is_some() {
            return;
        }
        if self.chunks.len() > mark.chunks {
            self.retire();
            while self.chunks.len() > mark.chunks + 1 {
                self.queued -= self.chunks.pop_back().map_or(0, |chunk| chunk.len());
            }
            let chunk = self.chunks.pop_back();
            self.queued -= chunk.as_deref().map_or(0, <[u8]>::len);
            // An empty current chunk was not retired: then all of this chunk is new.
            let mut chunk = match chunk {
                Some(Chunk::Own(chunk)) => chunk,
                Some(Chunk::Shared(_)) | None => Vec::new(),
            };
            chunk.truncate(mark.filled);
            if !chunk.is_empty() || (1..=CHUNK_BYTES).contains(&chunk.capacity()) {
                self.adopt(chunk);
            }
        } else if mark.filled == 0 && self.capacity > CHUNK_BYTES {
            self.discard_current();
        } else if !self.base.is_null() {
            // SAFETY: the mark lies before `at` in the current chunk.
            self.reply.at = unsafe { self.base.add(mark.filled) };
        }
    }

    /// Begin an aggregate of unknown length; what `close` needs.
    pub fn open(&mut self) -> u64 {
        self.set_aside();
        if self.broken.is_some() {
            return 0;
        }
        self.chunks.push_back(Chunk::Own(Vec::new()));
        self.chunks.len() as u64 - 1
    }

    /// Put what the current chunk holds behind the others, before something that is a chunk of its own.
    fn set_aside(&mut self) {
        let filled = self.filled();
        if self.broken.is_some() {
            return;
        }
        if self.queued.saturating_sub(self.sent) > self.limit {
            return self.break_off(Broken::Limit);
        }
        if (1..=COPIED_BYTES_MAX).contains(&filled) {
            // What waits is short: it goes into a chunk of its size, and the free rest of
            // this one takes what follows.
            self.chunks.push_back(Chunk::Own(self.current().to_vec()));
            self.queued += filled;
            self.reply.at = self.base;
        } else if filled > 0 {
            self.retire();
        }
    }

    /// Append bytes that others read too, without a copy unless they are few.
    pub fn write_shared(&mut self, bytes: &Shared) {
        if bytes.len() < SHARED_BYTES_MIN {
            return self.write(bytes);
        }
        self.set_aside();
        if self.broken.is_some() {
            return;
        }
        self.queued += bytes.len();
        self.chunks.push_back(Chunk::Shared(bytes.clone()));
    }

    /// Put the head of an aggregate where it was opened.
    pub fn close(&mut self, mark: u64, head: &[u8]) {
        if let Some(Chunk::Own(chunk)) = self.chunks.get_mut(mark as usize) {
            chunk.extend_from_slice(head);
            self.queued += head.len();
        }
    }

    /// Write to a socket what it takes, up to a turn's share.
    pub fn send(&mut self, socket: &mut impl Write) -> io::Result<Sent> {
        self.peak = self.peak.max(self.pending());
        let mut total = 0;
        while self.pending() > 0 {
            if total >= SEND_TURN_BYTES {
                return Ok(Sent::More);
            }
            let sent = if self.chunks.is_empty() {
                socket.write(&self.current()[self.sent..])
            } else {
                self.send_chunks(socket)
            };
            match sent {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(bytes) => {
                    total += bytes;
                    self.advance(bytes);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Sent::Blocked),
                Err(error) => return Err(error),
            }
        }
        self.sent = 0;
        self.chunks.clear();
        // What one long reply has needed is not kept: housekeeping gives a larger chunk to who needs it often.
        if self.capacity > self.chunk_bytes {
            self.discard_current();
        } else {
            self.reply.at = self.base;
        }
        Ok(Sent::All)
    }

    fn send_chunks(&self, socket: &mut impl Write) -> io::Result<usize> {
        let mut slices: Vec<IoSlice> = Vec::with_capacity(SLICES_MAX);
        let mut skip = self.sent;
        for chunk in self.chunks.iter().map(|chunk| &**chunk).chain(std::iter::once(self.current())).take(SLICES_MAX) {
            slices.push(IoSlice::new(&chunk[std::mem::take(&mut skip)..]));
        }
        socket.write_vectored(&slices)
    }

    fn advance(&mut self, bytes: usize) {
        self.sent += bytes;
        while let Some(first) = self.chunks.front() {
            if self.sent < first.len() {
                return;
            }
            self.sent -= first.len();
            self.queued -= first.len();
            self.chunks.pop_front();
        }
    }

    /// Most bytes that have waited at once since the last call; counting begins again with what the current chunk
    /// holds now.
    pub fn take_peak(&mut self) -> usize {
        let filled = self.filled();
        std::mem::replace(&mut self.peak, filled).max(filled)
    }

    /// Most bytes that have waited at once since [`Output::take_peak`].
    pub fn peak(&self) -> usize {
        self.peak
    }

    /// Use chunks of another size from now on; an empty current chunk is given back.
    pub fn set_chunk_bytes(&mut self, bytes: usize) {
        self.chunk_bytes = bytes.clamp(CHUNK_BYTES_MIN, CHUNK_BYTES);
        if !self.base.is_null() && self.pending() == 0 {
            self.discard_current();
        }
    }

    /// Give the current chunk back with what it holds.
    fn discard_current(&mut self) {
        self.reply.at = self.base;
        self.retire();
    }

    /// Chunk size in use.
    pub fn chunk_bytes(&self) -> usize {
        self.chunk_bytes
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if !self.base.is_null() {
            self.discard_current();
        }
    }
}

#[cfg(test)]
#[path = "output_tests.rs"]
mod tests;
