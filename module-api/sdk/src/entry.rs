//! The entry: one key that was found or made, and its value.
//!
//! An [`Entry`] borrows [`Keys`](crate::keys::Keys) exclusively: while it lives nothing else can
//! be done to keys, so that what it points at stays where it is. Arguments and reply
//! remain usable beside it. What it hands out borrows the entry in turn; resizing or
//! announcing a change ends those borrows.

use crate::abi;
use crate::abi::bytes::{Bytes, Opaque};
use crate::abi::keys::{EXPIRE_NONE, RESIZE_AMORTISE};
use crate::abi::value::{FORM_BOXED, FORM_INLINE};
use crate::datatype::{MixedType, Stored};
use crate::error::{Error, Result, check};
use crate::host;
use crate::types::{TypeHandle, from_boxed, into_boxed};
use std::marker::PhantomData;
use std::ptr::NonNull;

/// A key that was found or made. See the [module](self).
pub struct Entry<'k> {
    raw: abi::keys::Entry,
    call: NonNull<abi::call::Call>,
    key: &'k [u8],
    /// Whether it was asked for as a type of the module's, which may write it.
    is_own: bool,
    marker: PhantomData<&'k mut ()>,
}

/// What OBJECT, MEMORY and DEBUG know of a key.
#[derive(Clone, Copy, Debug)]
pub struct EntryStat<'k> {
    /// Seconds since the last access; 0 under an LFU policy.
    pub idle_s: u32,
    /// Logarithmic access counter; `None` under an LRU policy.
    pub frequency: Option<u32>,
    /// What OBJECT ENCODING answers.
    pub encoding: &'k str,
    /// Bytes of entry, key and value.
    pub memory: usize,
    /// Address of the entry.
    pub address: u64,
}

impl<'k> Entry<'k> {
    /// # Safety
    /// `raw` was just filled by the host for `key`, which was asked for as `type_id`, a type of the
    /// module's or 0; `call` is valid and its keys are borrowed for `'k`.
    #[inline(always)]
    pub(crate) unsafe fn new(
        raw: abi::keys::Entry,
        call: NonNull<abi::call::Call>,
        key: &'k [u8],
        type_id: u32,
    ) -> Entry<'k> {
        Entry { raw, call, key, is_own: type_id != 0, marker: PhantomData }
    }

    /// Whether there are inline bytes that may be written.
    #[inline(always)]
    fn is_writable(&self) -> bool {
        self.is_inline() && self.is_own && self.raw.len > 0
    }

    /// Sets the inline bytes from a place on to 0, which are not initialised yet.
    #[inline(always)]
    pub(crate) fn clear_from(&mut self, from: usize) {
        if self.is_writable() && from < self.raw.len {
            // SAFETY: the host says where the bytes are; nobody else borrows them.
            unsafe { self.raw.data.add(from).write_bytes(0, self.raw.len - from) }
        }
    }

    /// Fills the inline bytes, which are as many and not initialised yet.
    #[inline(always)]
    pub(crate) fn fill(&mut self, bytes: &[u8]) {
        debug_assert_eq!(bytes.len(), self.raw.len);
        if self.is_writable() {
            // SAFETY: the host says where the bytes are, which are new and so no part of `bytes`.
            unsafe { self.raw.data.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len().min(self.raw.len)) }
        }
    }

    /// The key.
    #[inline(always)]
    pub fn key(&self) -> &'k [u8] {
        self.key
    }

    /// Id of the value's type.
    #[inline(always)]
    pub fn type_id(&self) -> u32 {
        self.raw.type_id
    }

    /// The tag that the type gave the value, 0 to 15.
    #[inline(always)]
    pub fn tag(&self) -> u32 {
        self.raw.tag
    }

    /// Whether the value is bytes in the entry.
    #[inline(always)]
    pub fn is_inline(&self) -> bool {
        self.raw.form == FORM_INLINE
    }

    /// The inline value; empty for a boxed one.
    #[inline(always)]
    pub fn bytes(&self) -> &[u8] {
        if !self.is_inline() {
            return &[];
        }
        // SAFETY: the host says where the bytes are, initialised, until a key or an entry is
        // touched, which takes `&mut self` or a later borrow of the keys.
        unsafe { Bytes { data: self.raw.data, len: self.raw.len }.as_slice() }
    }

    /// The inline value, kept for as long as the keys are borrowed.
    #[inline(always)]
    pub fn into_bytes(self) -> &'k [u8] {
        if !self.is_inline() {
            return &[];
        }
        // SAFETY: as in `bytes`; the entry is gone, and the keys stay borrowed for `'k`.
        unsafe { Bytes { data: self.raw.data, len: self.raw.len }.as_slice() }
    }

    /// The inline value, to be changed in place; empty for a boxed one, and for one that was not asked for as
    /// a type of the module's.
    #[inline(always)]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        if !self.is_writable() {
            return &mut [];
        }
        // SAFETY: as in `bytes`, and nobody else borrows them.
        unsafe { std::slice::from_raw_parts_mut(self.raw.data, self.raw.len) }
    }

    /// The inline value, to be changed in place for as long as the keys are borrowed.
    #[inline(always)]
    pub fn into_bytes_mut(self) -> &'k mut [u8] {
        if !self.is_writable() {
            return &mut [];
        }
        // SAFETY: as in `bytes_mut`; the entry is gone, and the keys stay borrowed for `'k`.
        unsafe { std::slice::from_raw_parts_mut(self.raw.data, self.raw.len) }
    }

    /// Unix time in ms at which the key expires, or `None`.
    #[inline(always)]
    pub fn expire_at_ms(&self) -> Option<i64> {
        (self.raw.expire_at_ms != EXPIRE_NONE).then_some(self.raw.expire_at_ms)
    }

    /// Gives an inline value another length and tag; the bytes up to the shorter length stay, what
    /// follows is 0. `amortise` reserves for further growth, as appending wants. Fails with
    /// `OutOfMemory`, and with `NotAllowed` for a boxed value and for one that was not asked for as a type
    /// of the module's; nothing changed then.
    #[inline]
    pub fn resize(&mut self, tag: u32, len: usize, amortise: bool) -> Result {
        let before = self.raw.len;
        self.resize_unfilled(tag, len, amortise)?;
        self.clear_from(before);
        Ok(())
    }

    /// As [`resize`](Entry::resize); what follows is to be filled before the caller sees it.
    #[inline]
    fn resize_unfilled(&mut self, tag: u32, len: usize, amortise: bool) -> Result {
        if !self.is_own {
            return Err(Error::NotAllowed);
        }
        let flags = if amortise { RESIZE_AMORTISE } else { 0 };
        // SAFETY: call and entry are valid; the host updates the entry.
        check(unsafe { (host::keys().resize)(self.call.as_ptr(), &mut self.raw, tag, len, flags) })
    }

    /// Makes an inline value of the module's these bytes as a whole, under a tag; the key's expiry stays. Fails
    /// as [`resize`](Entry::resize).
    #[inline]
    pub fn replace(&mut self, tag: u32, bytes: &[u8]) -> Result {
        self.resize_unfilled(tag, bytes.len(), false)?;
        self.fill(bytes);
        Ok(())
    }

    /// Makes room for `len` bytes at offset `at` of an inline value, moving what is behind, and
    /// gives the room to be filled. Fails with `OutOfMemory`, nothing changed.
    ///
    /// # Panics
    /// When the value ends before `at`.
    pub fn open_gap(&mut self, tag: u32, at: usize, len: usize, amortise: bool) -> Result<&mut [u8]> {
        let before = self.bytes().len();
        assert!(at <= before, "a gap behind the value");
        self.resize(tag, before + len, amortise)?;
        let bytes = self.bytes_mut();
        bytes.copy_within(at..before, at + len);
        Ok(&mut bytes[at..at + len])
    }

    /// Takes `len` bytes at offset `at` out of an inline value, moving what is behind. Fails with
    /// `OutOfMemory`, when the value is as it was.
    ///
    /// # Panics
    /// When the value ends before `at + len`.
    pub fn close_gap(&mut self, tag: u32, at: usize, len: usize) -> Result {
        let before = self.bytes().len();
        self.bytes_mut()[at..].rotate_left(len);
        let done = self.resize(tag, before - len, false);
        if done.is_err() {
            self.bytes_mut()[at..].rotate_right(len);
        }
        done
    }

    /// Sets when the key expires, Unix time in ms, or takes the expiry away. Announces nothing.
    /// Fails with `OutOfMemory`.
    pub fn set_expire(&mut self, expire_at_ms: Option<i64>) -> Result {
        let at = expire_at_ms.unwrap_or(EXPIRE_NONE);
        // SAFETY: call and entry are valid; the host updates the entry.
        check(unsafe { (host::keys().set_expire)(self.call.as_ptr(), &mut self.raw, at) })
    }

    /// Says that the value changed, and publishes `event` in class `class` (an `EVENT_*` bit). The
    /// entry stays.
    #[inline]
    pub fn modified(&mut self, class: u32, event: &str) {
        // SAFETY: the call is valid; key and event are borrowed for the call. Hooks that run now
        // may read this key, which `&mut self` allows.
        unsafe { (host::keys().modified)(self.call.as_ptr(), Bytes::of(self.key), class, Bytes::of(event.as_bytes())) }
    }

    /// Publishes an event without saying that the value changed. The entry stays.
    pub fn notify(&mut self, class: u32, event: &str) {
        // SAFETY: as in `modified`.
        unsafe { (host::keys().notify)(self.call.as_ptr(), Bytes::of(self.key), class, Bytes::of(event.as_bytes())) }
    }

    /// What OBJECT, MEMORY and DEBUG know of the key.
    pub fn stat(&self) -> EntryStat<'k> {
        let mut stat = abi::keys::EntryStat {
            size: size_of::<abi::keys::EntryStat>() as u32,
            idle_s: 0,
            frequency: 0,
            lfu: 0,
            encoding: Bytes::EMPTY,
            memory: 0,
            address: 0,
        };
        // SAFETY: call and entry are valid, `stat` has its size set. An encoding's name is a constant of the
        // type's module, which stays while the keys are borrowed.
        unsafe {
            (host::keys().stat)(self.call.as_ptr(), &self.raw, &mut stat);
            EntryStat {
                idle_s: stat.idle_s,
                frequency: (stat.lfu != 0).then_some(stat.frequency),
                encoding: std::str::from_utf8(stat.encoding.as_slice()).unwrap_or("unknown"),
                memory: stat.memory,
                address: stat.address,
            }
        }
    }

    /// Hands the value in the payload form of DUMP to `take`. Fails with what the type's `save`
    /// fails with; `take` is not called then.
    pub fn dump<R>(&self, take: impl FnOnce(&[u8]) -> R) -> Result<R> {
        crate::take::taking(take, |function, data| {
            // SAFETY: call and entry are valid, and `data` fits `function` for this call.
            unsafe { (host::keys().dump)(self.call.as_ptr(), &self.raw, function, data) }
        })
    }

    /// As [`dump`](Entry::dump), for a server whose RDB version is known. Fails also with
    /// `Unsupported`, when that version cannot hold the value.
    pub fn dump_for<R>(&self, rdb_version: u32, take: impl FnOnce(&[u8]) -> R) -> Result<R> {
        crate::take::taking(take, |function, data| {
            // SAFETY: as in `dump`.
            unsafe { (host::keys().dump_for)(self.call.as_ptr(), &self.raw, rdb_version, function, data) }
        })
    }

    /// The value of a [`MixedType`] in either form, or `None` when it is of another type.
    #[inline]
    pub fn stored<M: MixedType>(&self) -> Option<Stored<'_, M::Boxed>> {
        if self.type_id() != TypeHandle::of::<M>().ok()?.id() {
            return None;
        }
        if self.is_inline() {
            return Some(Stored::Inline { tag: self.tag(), bytes: self.bytes() });
        }
        // SAFETY: a boxed value of type `M`, which the slot's owner vouches for, is a box that this
        // SDK made; it stays while the entry is borrowed.
        unsafe { Some(Stored::Boxed { tag: self.tag(), value: &*self.raw.boxed.cast() }) }
    }

    /// The value of a [`MixedType`] in either form, kept for as long as the keys are borrowed.
    #[inline]
    pub fn into_stored<M: MixedType>(self) -> Option<Stored<'k, M::Boxed>> {
        // SAFETY: the entry is gone, and the keys stay borrowed for `'k`.
        unsafe { Held::<'k>::new(self.raw) }.stored::<M>()
    }

    /// The boxed value of a [`MixedType`], or `None` when it is inline or of another type.
    #[inline]
    pub fn boxed<M: MixedType>(&mut self) -> Option<&mut M::Boxed> {
        // SAFETY: `boxed_address` checked the type, and `&mut self` excludes other borrows.
        unsafe { self.boxed_address::<M>().map(|address| &mut *address.cast()) }
    }

    /// The boxed value of a [`MixedType`], kept for as long as the keys are borrowed.
    #[inline]
    pub fn into_boxed<M: MixedType>(self) -> Option<&'k mut M::Boxed> {
        // SAFETY: as in `boxed`; the entry is gone, and the keys stay borrowed for `'k`.
        unsafe { self.boxed_address::<M>().map(|address| &mut *address.cast()) }
    }

    #[inline(always)]
    fn boxed_address<M: MixedType>(&self) -> Option<Opaque> {
        let handle = TypeHandle::of::<M>().ok()?;
        (self.raw.form == FORM_BOXED && self.raw.type_id == handle.id()).then_some(self.raw.boxed)
    }

    /// Turns an inline value of type `M` into a boxed one; its bytes are gone. Fails with
    /// `WrongType` when it is of another type, and with `OutOfMemory`; nothing changed then.
    pub fn set_boxed<M: MixedType>(&mut self, tag: u32, value: M::Boxed) -> Result {
        if self.raw.type_id != TypeHandle::of::<M>()?.loaded()? {
            return Err(Error::WrongType);
        }
        let boxed = into_boxed(value);
        // SAFETY: call and entry are valid; on success the host owns the box.
        let status = unsafe { (host::keys().set_boxed)(self.call.as_ptr(), &mut self.raw, tag, boxed) };
        if status != abi::status::STATUS_OK {
            // SAFETY: a call that fails transfers nothing, so the box is still ours.
            drop(unsafe { from_boxed::<M::Boxed>(boxed) });
        }
        check(status)
    }
}

/// One of several keys that [`Keys::get_each`](crate::keys::Keys::get_each) found, to be read.
pub struct Held<'k> {
    raw: abi::keys::Entry,
    marker: PhantomData<&'k ()>,
}

impl<'k> Held<'k> {
    /// # Safety
    /// `raw` was filled by the host with `GET_HOLD`, and no key is changed while `'k` lasts.
    #[inline(always)]
    pub(crate) unsafe fn new(raw: abi::keys::Entry) -> Held<'k> {
        Held { raw, marker: PhantomData }
    }

    /// The tag that the type gave the value, 0 to 15.
    #[inline(always)]
    pub fn tag(&self) -> u32 {
        self.raw.tag
    }

    /// The inline value; empty for a boxed one.
    #[inline(always)]
    pub fn bytes(&self) -> &'k [u8] {
        if self.raw.form != FORM_INLINE {
            return &[];
        }
        // SAFETY: the host says where the bytes are, and nobody changes keys while `'k` lasts.
        unsafe { Bytes { data: self.raw.data, len: self.raw.len }.as_slice() }
    }

    /// The value of a [`MixedType`] in either form, or `None` when it is of another type.
    #[inline]
    pub fn stored<M: MixedType>(&self) -> Option<Stored<'k, M::Boxed>> {
        if self.raw.type_id != TypeHandle::of::<M>().ok()?.id() {
            return None;
        }
        if self.raw.form == FORM_INLINE {
            return Some(Stored::Inline { tag: self.raw.tag, bytes: self.bytes() });
        }
        // SAFETY: as in `Entry::stored`; no key is changed while `'k` lasts.
        unsafe { Some(Stored::Boxed { tag: self.raw.tag, value: &*self.raw.boxed.cast() }) }
    }
}
