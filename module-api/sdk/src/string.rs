//! Strings of whichever module implements them: the safe side of `plinth.string/1`, for those who
//! use it and for the one who provides it.
//!
//! A module that works on strings (bits, registers, a cache) uses them like this:
//!
//! ```
//! use plinth_module::prelude::*;
//! use plinth_module::string::{STRING_SERVICE, Strings};
//!
//! static STRINGS: Strings = Strings::new();
//! const MODULE: Module = Module { requires: &[STRING_SERVICE], start: Some(start), ..Module::NEW };
//!
//! fn start(call: &mut Call<'_>) -> Result {
//!     STRINGS.resolve(call)
//! }
//!
//! fn set_first_bit(call: &mut Call<'_>) -> Result {
//!     let key = call.args.bytes(1);
//!     STRINGS.edit(&mut call.keys, key, 1)?[0] |= 0x80;
//!     call.keys.modified(key, EVENT_STRING, "setbit");
//!     call.reply.ok();
//!     Ok(())
//! }
//!
//! fn longest(call: &mut Call<'_>) -> Result {
//!     let strings = STRINGS.hold(&mut call.keys, call.args.from(1))?;
//!     call.reply.count(strings.iter().flatten().map(|string| string.len()).max().unwrap_or(0));
//!     Ok(())
//! }
//! ```
//!
//! The module that has strings implements [`StringProvider`] and lists
//! `provided(&TABLE)`, where `static TABLE: StringService = table::<ItsProvider>();`.

use crate::abi;
use crate::abi::bytes::Bytes;
use crate::abi::status::Status;
use crate::call::Call;
use crate::error::{Error, Result, check, check_found};
use crate::keys::{GET_HOLD, Keys};
use crate::service::{Service, answer, face};
use std::ops::{Deref, Range};

pub use crate::abi::string::{STRING_ABSENT, STRING_SCRATCH_BYTES, STRING_SERVICE, StringService};

/// Room for the digits of a string that is kept as an integer.
pub type Scratch = [u8; STRING_SCRATCH_BYTES];

/// How long a string that is opened is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Len {
    /// As it is, and lengthened with zero bytes to so many.
    AtLeast(usize),
    /// So many, cut or lengthened with zero bytes.
    Exactly(usize),
}

impl Len {
    /// The length that a string of `len` bytes gets.
    #[inline(always)]
    pub fn from(self, len: usize) -> usize {
        match self {
            Len::AtLeast(min) => len.max(min),
            Len::Exactly(wanted) => wanted,
        }
    }
}

/// A string that was opened to be changed.
#[derive(Debug)]
pub struct Opened<'k> {
    /// Its bytes.
    pub bytes: &'k mut [u8],
    /// How many it had before; `None` when it was made.
    pub len_before: Option<usize>,
}

/// A string that is held beside others, to be read: it is a slice of its bytes.
pub struct Text<'k>(Place<'k>);

/// Where the bytes are.
enum Place<'k> {
    /// In the key's value.
    Value(&'k [u8]),
    /// Here: the digits of a number, in a part of the room for them.
    Digits(Scratch, Range<usize>),
}

impl Deref for Text<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Place::Value(bytes) => bytes,
            Place::Digits(digits, part) => &digits[part.clone()],
        }
    }
}

// SAFETY: the ABI defines this table for this id.
unsafe impl Service for StringService {
    const ID: &'static str = STRING_SERVICE;
}

face! {
    /// Strings, for a module that requires [`STRING_SERVICE`].
    Strings, StringService
}

impl Strings {
    /// A string's bytes, or `None` when there is no such key. Fails with `WrongType`.
    #[inline]
    pub fn get<'k>(&self, keys: &'k mut Keys<'_>, key: &[u8], scratch: &'k mut Scratch) -> Result<Option<&'k [u8]>> {
        let mut bytes = Bytes::EMPTY;
        // SAFETY: the call is valid, the key is borrowed for the call, and there is enough scratch.
        let status = unsafe {
            (self.handle.table()?.function(|table| table.get))(
                keys.as_raw(),
                Bytes::of(key),
                scratch.as_mut_ptr(),
                &mut bytes,
            )
        };
        // SAFETY: the bytes lie in the key's entry or in `scratch`, both of which `'k` borrows.
        Ok(check_found(status)?.then(|| unsafe { bytes.as_slice() }))
    }

    /// As [`get`](Strings::get), looked up with `GET_*` flags: with
    /// [`GET_WRITE`](crate::keys::GET_WRITE) by whoever may change the string after reading it.
    #[inline]
    pub fn get_with<'k>(
        &self,
        keys: &'k mut Keys<'_>,
        key: &[u8],
        flags: u32,
        scratch: &'k mut Scratch,
    ) -> Result<Option<&'k [u8]>> {
        let (mut bytes, room) = (Bytes::EMPTY, scratch.as_mut_ptr());
        // SAFETY: the call is valid, the key is borrowed for the call, and there is enough scratch.
        let status = unsafe {
            (self.handle.table()?.function(|table| table.get_with))(
                keys.as_raw(),
                Bytes::of(key),
                flags,
                room,
                &mut bytes,
            )
        };
        // SAFETY: as in `get`.
        Ok(check_found(status)?.then(|| unsafe { bytes.as_slice() }))
    }

    /// Sets a key to a string, whatever it held; its expiry goes. Fails with `OutOfMemory` and
    /// `TooLarge`.
    pub fn set(&self, keys: &mut Keys<'_>, key: &[u8], bytes: &[u8]) -> Result {
        // SAFETY: the call is valid; both are borrowed for the call.
        check(unsafe {
            (self.handle.table()?.function(|table| table.set))(keys.as_raw(), Bytes::of(key), Bytes::of(bytes))
        })
    }

    /// A string's bytes, to be changed in place; made if missing, and lengthened with zero bytes to
    /// at least `len_min`. The caller then says [`modified`](Keys::modified). Fails with
    /// `WrongType`, `OutOfMemory`, `TooLarge`.
    pub fn edit<'k>(&self, keys: &'k mut Keys<'_>, key: &[u8], len_min: usize) -> Result<&'k mut [u8]> {
        let mut bytes = Bytes::EMPTY;
        // SAFETY: the call is valid; the key is borrowed for the call.
        check(unsafe {
            (self.handle.table()?.function(|table| table.edit))(keys.as_raw(), Bytes::of(key), len_min, &mut bytes)
        })?;
        // SAFETY: the provider says that the bytes may be changed, and `'k` borrows the keys.
        Ok(unsafe { changeable(bytes) })
    }

    /// As [`edit`](Strings::edit), and says how long the string was before: whoever finds that it
    /// was not lengthened, and changes no byte, has not modified it. A string that is kept as a
    /// number is turned into text all the same, which OBJECT ENCODING shows.
    #[inline]
    pub fn open<'k>(&self, keys: &'k mut Keys<'_>, key: &[u8], len_min: usize) -> Result<Opened<'k>> {
        let (mut bytes, mut len) = (Bytes::EMPTY, STRING_ABSENT);
        // SAFETY: the call is valid; the key is borrowed for the call.
        check(unsafe {
            (self.handle.table()?.function(|table| table.open))(
                keys.as_raw(),
                Bytes::of(key),
                len_min,
                &mut len,
                &mut bytes,
            )
        })?;
        // SAFETY: as in `edit`.
        Ok(Opened { bytes: unsafe { changeable(bytes) }, len_before: usize::try_from(len).ok() })
    }

    /// A string's bytes, to be changed in place, exactly `len` of them: made if missing, cut, or
    /// lengthened with zero bytes; its expiry stays. The caller then says
    /// [`modified`](Keys::modified). Fails with `WrongType`, `OutOfMemory`, `TooLarge`.
    #[inline]
    pub fn resize<'k>(&self, keys: &'k mut Keys<'_>, key: &[u8], len: usize) -> Result<Opened<'k>> {
        let (mut bytes, mut before) = (Bytes::EMPTY, STRING_ABSENT);
        // SAFETY: the call is valid; the key is borrowed for the call.
        check(unsafe {
            (self.handle.table()?.function(|table| table.resize))(
                keys.as_raw(),
                Bytes::of(key),
                len,
                &mut before,
                &mut bytes,
            )
        })?;
        // SAFETY: as in `edit`.
        Ok(Opened { bytes: unsafe { changeable(bytes) }, len_before: usize::try_from(before).ok() })
    }

    /// Several strings to be read at one time: one element for each key, `None` for those that are
    /// not there. Fails with `WrongType`, whichever of the keys it is.
    pub fn hold<'k, 'n>(
        &self,
        keys: &'k mut Keys<'_>,
        names: impl IntoIterator<Item = &'n [u8]>,
    ) -> Result<Vec<Option<Text<'k>>>> {
        self.hold_with(keys, names, 0)
    }

    /// As [`hold`](Strings::hold), looked up with `GET_*` flags: with
    /// [`GET_NO_STATS`](crate::keys::GET_NO_STATS) by whoever looks at strings again.
    pub fn hold_with<'k, 'n>(
        &self,
        keys: &'k mut Keys<'_>,
        names: impl IntoIterator<Item = &'n [u8]>,
        flags: u32,
    ) -> Result<Vec<Option<Text<'k>>>> {
        let (table, call, flags) = (self.handle.table()?, keys.as_raw(), flags | GET_HOLD);
        let hold = |name: &[u8]| {
            let (mut bytes, mut scratch) = (Bytes::EMPTY, Scratch::default());
            // SAFETY: the call is valid, the key is borrowed for the call, and there is enough scratch.
            let status = unsafe {
                (table.function(|table| table.get_with))(call, Bytes::of(name), flags, scratch.as_mut_ptr(), &mut bytes)
            };
            if !check_found(status)? {
                return Ok(None);
            }
            // A provider may fill the room from its end, so that the digits begin anywhere in it.
            if scratch.as_ptr_range().contains(&bytes.data) {
                let from = bytes.data.addr() - scratch.as_ptr().addr();
                let to = from.saturating_add(bytes.len).min(STRING_SCRATCH_BYTES);
                return Ok(Some(Text(Place::Digits(scratch, from..to))));
            }
            // SAFETY: the bytes lie in the key's value, since they are not in `scratch`; they stay while the others are held, which is
            // what `hold` is for, and while `'k` borrows the keys.
            Ok(Some(Text(Place::Value(unsafe { bytes.as_slice() }))))
        };
        names.into_iter().map(hold).collect()
    }
}

/// Bytes that a provider has opened.
///
/// # Safety
/// They may be changed for `'k`, and nobody else borrows them.
#[inline(always)]
unsafe fn changeable<'k>(bytes: Bytes) -> &'k mut [u8] {
    if bytes.len == 0 {
        return &mut [];
    }
    // SAFETY: as the caller vouches.
    unsafe { std::slice::from_raw_parts_mut(bytes.data.cast_mut(), bytes.len) }
}

/// What the module that has strings does for the others.
pub trait StringProvider: 'static {
    /// A string's bytes, or `None` when there is no such key; a string that is kept as an integer
    /// is written to `scratch`. The key is looked up with `flags`, which are `GET_*`; with
    /// [`GET_HOLD`] the bytes of other strings that were got so stay where they are.
    fn get<'k>(call: &'k mut Call<'_>, key: &'k [u8], flags: u32, scratch: &'k mut Scratch)
    -> Result<Option<&'k [u8]>>;

    /// Sets a key to a string, whatever it held; takes its expiry away, and announces the change.
    fn set(call: &mut Call<'_>, key: &[u8], bytes: &[u8]) -> Result;

    /// A string's bytes, to be changed in place; made if missing, and as long as `len` says, where
    /// what is added is zero bytes. Its expiry stays. Announces nothing.
    fn open<'k>(call: &'k mut Call<'_>, key: &'k [u8], len: Len) -> Result<Opened<'k>>;
}

/// The table of a provider, for [`provided`](crate::service::provided).
pub const fn table<P: StringProvider>() -> StringService {
    StringService {
        size: size_of::<StringService>() as u32,
        reserved: 0,
        get: get::<P, 0>,
        set: set::<P>,
        edit: edit::<P>,
        open: open::<P>,
        resize: resize::<P>,
        hold: get::<P, GET_HOLD>,
        get_with: get_with::<P>,
    }
}

unsafe extern "C" fn get<P: StringProvider, const FLAGS: u32>(
    call: *mut abi::call::Call,
    key: Bytes,
    scratch: *mut u8,
    bytes_out: *mut Bytes,
) -> Status {
    // SAFETY: the caller keeps to the table's comments, which are those of `get_with`.
    unsafe { get_with::<P>(call, key, FLAGS, scratch, bytes_out) }
}

#[inline(always)]
unsafe extern "C" fn get_with<P: StringProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    flags: u32,
    scratch: *mut u8,
    bytes_out: *mut Bytes,
) -> Status {
    // SAFETY: the caller keeps to the table's comments: a valid call, a key for the call, scratch
    // of the size agreed on, room for the result.
    unsafe {
        answer(call, |call| {
            let scratch = &mut *scratch.cast::<Scratch>();
            let bytes = P::get(call, key.as_slice(), flags, scratch)?.ok_or(Error::None)?;
            bytes_out.write(Bytes::of(bytes));
            Ok(())
        })
    }
}

unsafe extern "C" fn set<P: StringProvider>(call: *mut abi::call::Call, key: Bytes, bytes: Bytes) -> Status {
    // SAFETY: as in `get`.
    unsafe { answer(call, |call| P::set(call, key.as_slice(), bytes.as_slice())) }
}

unsafe extern "C" fn edit<P: StringProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    len_min: usize,
    bytes_out: *mut Bytes,
) -> Status {
    let mut before = STRING_ABSENT;
    // SAFETY: as in `get`.
    unsafe { answer(call, |call| open_as::<P>(call, key, Len::AtLeast(len_min), &mut before, bytes_out)) }
}

unsafe extern "C" fn open<P: StringProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    len_min: usize,
    len_before_out: *mut i64,
    bytes_out: *mut Bytes,
) -> Status {
    // SAFETY: as in `get`.
    unsafe { answer(call, |call| open_as::<P>(call, key, Len::AtLeast(len_min), len_before_out, bytes_out)) }
}

unsafe extern "C" fn resize<P: StringProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    len: usize,
    len_before_out: *mut i64,
    bytes_out: *mut Bytes,
) -> Status {
    // SAFETY: as in `get`.
    unsafe { answer(call, |call| open_as::<P>(call, key, Len::Exactly(len), len_before_out, bytes_out)) }
}

/// # Safety
/// The key is valid for the call, and both places may be written.
#[inline(always)]
unsafe fn open_as<P: StringProvider>(
    call: &mut Call<'_>,
    key: Bytes,
    len: Len,
    len_before_out: *mut i64,
    bytes_out: *mut Bytes,
) -> Result {
    // SAFETY: as the caller vouches. The address is taken from the exclusive borrow, so that it may
    // be written through.
    unsafe {
        let opened = P::open(call, key.as_slice(), len)?;
        len_before_out.write(opened.len_before.map_or(STRING_ABSENT, |len| len as i64));
        bytes_out.write(Bytes { data: opened.bytes.as_mut_ptr(), len: opened.bytes.len() });
    }
    Ok(())
}
