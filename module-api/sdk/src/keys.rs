//! Keys: finding, making, removing and announcing them.
//!
//! Everything works on the call's selected database unless a number is asked for. A handler
//! that changed a value says so with [`Keys::modified`] (or [`Entry::modified`]): that is what
//! WATCH, keyspace events, client-side caching and durability hang on. Removing, renaming,
//! moving and copying say it by themselves; only the event is the caller's then
//! ([`Keys::notify`]).
//!
//! *Invariant*: what is handed out borrows `Keys` exclusively, since the host may move any entry
//! when another is touched. Two entries or values at a time are a compile error; whoever
//! needs two to read gets them with [`Keys::get_each`], whoever changes one copies what it needs of
//! the other.

use crate::abi;
use crate::abi::bytes::{Bytes, Opaque};
use crate::abi::keys::{DB_ALL, EXPIRE_NONE, Visit};
use crate::datatype::{Boxed, DataType, MixedType};
use crate::entry::{Entry, Held};
use crate::error::{Error, Result, check, check_found};
use crate::host;
use crate::panic::guard;
use crate::types::{TypeHandle, from_boxed, into_boxed};
use std::marker::PhantomData;
use std::ptr::NonNull;

pub use crate::abi::keys::{
    EVENT_EVICTED, EVENT_EXPIRED, EVENT_GENERIC, EVENT_HASH, EVENT_LIST, EVENT_MISS, EVENT_MODULE, EVENT_NEW,
    EVENT_SET, EVENT_STREAM, EVENT_STRING, EVENT_UNAWAITED, EVENT_UNCOUNTED, EVENT_UNPUBLISHED, EVENT_UNWATCHED,
    EVENT_ZSET, GET_HOLD, GET_NO_STATS, GET_NO_TOUCH, GET_WRITE, PUT_ABSENT, PUT_KEEP_EXPIRY, REMOVE_LAZY,
};

/// A borrow of a value for another lifetime, where the borrow checker cannot see that it is right.
///
/// # Safety
/// The value lives for `'x`, and nobody else borrows it.
unsafe fn lengthen<'x, T>(value: &mut T) -> &'x mut T {
    // SAFETY: as the caller vouches.
    unsafe { &mut *std::ptr::from_mut(value) }
}

/// The keyspace. See the [module](self).
pub struct Keys<'a> {
    call: NonNull<abi::call::Call>,
    marker: PhantomData<&'a mut ()>,
}

crate::call::part!(Keys);

/// A key that [`Keys::scan`] visits.
#[derive(Clone, Copy, Debug)]
pub struct Visited<'v> {
    /// The key.
    pub key: &'v [u8],
    /// Id of its value's type; see [`Keys::type_name`].
    pub type_id: u32,
    /// Whether it has expired: it is about to be gone, and reads as if it were.
    pub is_expired: bool,
}

/// What else [`Keys::restore`] is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Restore {
    /// Unix time in ms at which the key is to expire.
    pub expire_at_ms: Option<i64>,
    /// Whether a key that is there is replaced.
    pub replace: bool,
    /// Seconds since the last access, for an LRU policy.
    pub idle_s: Option<i64>,
    /// Access counter, for an LFU policy.
    pub frequency: Option<i64>,
}

impl Keys<'_> {
    /// The call, for functions of a service that do to keys what `&mut self` allows.
    #[inline(always)]
    pub(crate) fn as_raw(&mut self) -> *mut abi::call::Call {
        self.call.as_ptr()
    }

    /// Finds a key by raw type id; 0 takes any type.
    #[inline(always)]
    fn find<'k>(&'k mut self, key: &'k [u8], type_id: u32, flags: u32) -> Result<Option<Entry<'k>>> {
        let mut raw = abi::keys::Entry::NEW;
        // SAFETY: the call is valid; the key is borrowed at least for the call; `raw` has its size.
        let status = unsafe { (host::keys().get)(self.call.as_ptr(), Bytes::of(key), type_id, flags, &mut raw) };
        if !check_found(status)? {
            return Ok(None);
        }
        // SAFETY: the host filled `raw`, and `&'k mut self` borrows the keys.
        Ok(Some(unsafe { Entry::new(raw, self.call, key, type_id) }))
    }

    /// Finds a key whose value is read. An expired key is not there. Fails with `WrongType` and
    /// `Ghost`.
    #[inline(always)]
    pub fn get<'k>(&'k mut self, of: &TypeHandle, key: &'k [u8]) -> Result<Option<Entry<'k>>> {
        self.find(key, of.loaded()?, 0)
    }

    /// Finds a key whose value is going to be changed. Fails as [`get`](Keys::get).
    #[inline(always)]
    pub fn get_write<'k>(&'k mut self, of: &TypeHandle, key: &'k [u8]) -> Result<Option<Entry<'k>>> {
        self.find(key, of.loaded()?, GET_WRITE)
    }

    /// Finds a key with `GET_*` flags. Fails as [`get`](Keys::get).
    #[inline(always)]
    pub fn get_with<'k>(&'k mut self, of: &TypeHandle, key: &'k [u8], flags: u32) -> Result<Option<Entry<'k>>> {
        self.find(key, of.loaded()?, flags)
    }

    /// Finds a key of whatever type, with `GET_*` flags; also one whose type's module is not loaded. Its
    /// value is another module's, perhaps, and can be read but not written.
    #[inline(always)]
    pub fn get_any<'k>(&'k mut self, key: &'k [u8], flags: u32) -> Result<Option<Entry<'k>>> {
        self.find(key, 0, flags)
    }

    /// Finds several keys to read at one time, with `GET_*` flags: one element for each key, `None`
    /// for those that are not there. Fails as [`get`](Keys::get), whichever of the keys it is.
    pub fn get_each<'k, 'n>(
        &'k mut self,
        of: &TypeHandle,
        keys: impl IntoIterator<Item = &'n [u8]>,
        flags: u32,
    ) -> Result<Vec<Option<Held<'k>>>> {
        let type_id = of.loaded()?;
        let find = |key: &[u8]| {
            let mut raw = abi::keys::Entry::NEW;
            let flags = flags | GET_HOLD;
            // SAFETY: as in `find`.
            let status = unsafe { (host::keys().get)(self.call.as_ptr(), Bytes::of(key), type_id, flags, &mut raw) };
            // SAFETY: the host filled `raw`, and it stays valid while the other keys are got, which
            // `GET_HOLD` asks for, and while `&'k mut self` borrows the keys.
            Ok(check_found(status)?.then(|| unsafe { Held::new(raw) }))
        };
        keys.into_iter().map(find).collect()
    }

    /// Whether a key is there, with `GET_*` flags.
    #[inline]
    pub fn exists(&mut self, key: &[u8], flags: u32) -> bool {
        matches!(self.find(key, 0, flags), Ok(Some(_)) | Err(Error::Ghost))
    }

    /// Makes a key, or replaces its value whatever it is, by `len` inline bytes that are 0 until filled
    /// through [`Entry::bytes_mut`]. `flags`: `PUT_*`; the expiry goes unless [`PUT_KEEP_EXPIRY`]. Fails
    /// with `OutOfMemory`, and with `Exists` where [`PUT_ABSENT`] is wrong; nothing changed then.
    #[inline(always)]
    pub fn put<'k>(
        &'k mut self,
        of: &TypeHandle,
        key: &'k [u8],
        tag: u32,
        len: usize,
        flags: u32,
    ) -> Result<Entry<'k>> {
        let mut entry = self.put_unfilled(of, key, tag, len, flags)?;
        entry.clear_from(0);
        Ok(entry)
    }

    /// As [`put`](Keys::put); the bytes are to be filled before the caller sees the entry.
    #[inline(always)]
    fn put_unfilled<'k>(
        &'k mut self,
        of: &TypeHandle,
        key: &'k [u8],
        tag: u32,
        len: usize,
        flags: u32,
    ) -> Result<Entry<'k>> {
        let mut raw = abi::keys::Entry::NEW;
        let type_id = of.loaded()?;
        // SAFETY: as in `find`.
        check(unsafe { (host::keys().put)(self.call.as_ptr(), Bytes::of(key), type_id, tag, len, flags, &mut raw) })?;
        // SAFETY: as in `find`.
        Ok(unsafe { Entry::new(raw, self.call, key, type_id) })
    }

    /// Finds a key whose value is going to be changed, or makes it, with as many inline bytes as
    /// `len` says, which are 0; whether it was made. For a caller that hands the entry on,
    /// which [`get_write`] and then [`put`] cannot. Fails as both, and as `len`.
    ///
    /// [`get_write`]: Keys::get_write
    /// [`put`]: Keys::put
    #[inline(always)]
    pub fn get_or_put<'k>(
        &'k mut self,
        of: &TypeHandle,
        key: &'k [u8],
        tag: u32,
        len: impl FnOnce() -> Result<usize>,
    ) -> Result<(Entry<'k>, bool)> {
        let mut raw = abi::keys::Entry::NEW;
        let (call, name, type_id) = (self.call.as_ptr(), Bytes::of(key), of.loaded()?);
        // SAFETY: as in `find`.
        let is_new = !check_found(unsafe { (host::keys().get)(call, name, type_id, GET_WRITE, &mut raw) })?;
        if is_new {
            let len = len()?;
            // SAFETY: as in `find`.
            check(unsafe { (host::keys().put)(call, name, type_id, tag, len, PUT_ABSENT, &mut raw) })?;
        }
        // SAFETY: as in `find`.
        let mut entry = unsafe { Entry::new(raw, self.call, key, type_id) };
        if is_new {
            entry.clear_from(0);
        }
        Ok((entry, is_new))
    }

    /// Makes a key, or replaces its value whatever it is, by these inline bytes. As
    /// [`put`](Keys::put).
    #[inline(always)]
    pub fn put_bytes<'k>(
        &'k mut self,
        of: &TypeHandle,
        key: &'k [u8],
        tag: u32,
        bytes: &[u8],
        flags: u32,
    ) -> Result<Entry<'k>> {
        let mut entry = self.put_unfilled(of, key, tag, bytes.len(), flags)?;
        entry.fill(bytes);
        Ok(entry)
    }

    /// Makes a key, or replaces its value whatever it is, by a boxed value of a [`MixedType`].
    /// Fails with `OutOfMemory`, nothing changed, and with `Unsupported` when the module did not
    /// register the type.
    pub fn put_boxed<'k, M: MixedType>(
        &'k mut self,
        key: &'k [u8],
        tag: u32,
        value: M::Boxed,
        flags: u32,
    ) -> Result<Entry<'k>> {
        self.put_boxed_or_give_back::<M>(key, tag, value, flags).map_err(|(error, _value)| error)
    }

    /// As [`put_boxed`](Keys::put_boxed), and gives the value back when it fails.
    pub fn put_boxed_or_give_back<'k, M: MixedType>(
        &'k mut self,
        key: &'k [u8],
        tag: u32,
        value: M::Boxed,
        flags: u32,
    ) -> std::result::Result<Entry<'k>, (Error, M::Boxed)> {
        let type_id = match TypeHandle::of::<M>().and_then(TypeHandle::loaded) {
            Ok(type_id) => type_id,
            Err(error) => return Err((error, value)),
        };
        let raw = self.box_in(key, type_id, tag, value, flags)?;
        // SAFETY: as in `find`.
        Ok(unsafe { Entry::new(raw, self.call, key, type_id) })
    }

    /// Has the host keep a value in a box under a key; gives it back when it does not.
    fn box_in<B>(
        &mut self,
        key: &[u8],
        type_id: u32,
        tag: u32,
        value: B,
        flags: u32,
    ) -> std::result::Result<abi::keys::Entry, (Error, B)> {
        let mut raw = abi::keys::Entry::NEW;
        let boxed = into_boxed(value);
        // SAFETY: as in `find`; on success the host owns the box.
        let status = unsafe {
            (host::keys().put_boxed)(self.call.as_ptr(), Bytes::of(key), type_id, tag, boxed, flags, &mut raw)
        };
        // SAFETY: a call that fails transfers nothing, so the box is still ours.
        check(status).map(|()| raw).map_err(|error| (error, *unsafe { from_boxed::<B>(boxed) }))
    }

    /// As [`get_or_put`](Keys::get_or_put), with a boxed value that `make` makes when the key is not
    /// there. Fails with `Unsupported` when the module did not register the type.
    pub fn get_or_put_boxed<'k, M: MixedType>(
        &'k mut self,
        key: &'k [u8],
        tag: u32,
        make: impl FnOnce() -> Result<M::Boxed>,
    ) -> Result<(Entry<'k>, bool)> {
        let type_id = TypeHandle::of::<M>()?.loaded()?;
        let mut raw = abi::keys::Entry::NEW;
        // SAFETY: as in `find`.
        let status = unsafe { (host::keys().get)(self.call.as_ptr(), Bytes::of(key), type_id, GET_WRITE, &mut raw) };
        let is_new = !check_found(status)?;
        if is_new {
            raw = self.box_in(key, type_id, tag, make()?, PUT_ABSENT).map_err(|(error, _value)| error)?;
        }
        // SAFETY: as in `find`.
        Ok((unsafe { Entry::new(raw, self.call, key, type_id) }, is_new))
    }

    /// The value of a key, to be read or changed, or `None` when there is no such key. Fails with
    /// `WrongType`, `Ghost`, and `Unsupported` when the module did not register the type.
    ///
    /// After a change: [`modified`](Keys::modified).
    #[inline]
    pub fn get_value<T: DataType>(&mut self, key: &[u8]) -> Result<Option<&mut T>> {
        let type_id = TypeHandle::of::<Boxed<T>>()?.loaded()?;
        let mut raw = abi::keys::Entry::NEW;
        // SAFETY: as in `find`.
        let status = unsafe { (host::keys().get)(self.call.as_ptr(), Bytes::of(key), type_id, GET_WRITE, &mut raw) };
        if !check_found(status)? {
            return Ok(None);
        }
        // SAFETY: as in `find`; the entry ends here and its value borrows the keys.
        let entry = unsafe { Entry::new(raw, self.call, &[], type_id) };
        entry.into_boxed::<Boxed<T>>().ok_or(Error::Unsupported).map(Some)
    }

    /// The value of a key that is only read. As [`get_value`](Keys::get_value).
    #[inline]
    pub fn read_value<T: DataType>(&mut self, key: &[u8]) -> Result<Option<&T>> {
        let type_id = TypeHandle::of::<Boxed<T>>()?.loaded()?;
        let mut raw = abi::keys::Entry::NEW;
        // SAFETY: as in `find`.
        let status = unsafe { (host::keys().get)(self.call.as_ptr(), Bytes::of(key), type_id, 0, &mut raw) };
        if !check_found(status)? {
            return Ok(None);
        }
        // SAFETY: as in `get_value`.
        let entry = unsafe { Entry::new(raw, self.call, &[], type_id) };
        entry.into_boxed::<Boxed<T>>().ok_or(Error::Unsupported).map(|value| Some(&*value))
    }

    /// The value of a key, made with `T::default()` when there is no such key. Fails as
    /// [`get_value`](Keys::get_value), and with `OutOfMemory`.
    #[inline]
    pub fn get_or_create<T: DataType + Default>(&mut self, key: &[u8]) -> Result<&mut T> {
        self.get_or_create_with(key, T::default)
    }

    /// The value of a key, made with `make` when there is no such key. As
    /// [`get_or_create`](Keys::get_or_create).
    pub fn get_or_create_with<T: DataType>(&mut self, key: &[u8], make: impl FnOnce() -> T) -> Result<&mut T> {
        match self.get_value::<T>(key)? {
            // SAFETY: the reference came from a borrow of `self` for the whole of this function's
            // result, and in this branch nothing else uses `self`.
            Some(value) => Ok(unsafe { lengthen(value) }),
            None => self.put_value(key, make()),
        }
    }

    /// Makes a key, or replaces its value and expiry whatever they are. Fails with `OutOfMemory`,
    /// nothing changed, and with `Unsupported` when the module did not register the type.
    pub fn put_value<T: DataType>(&mut self, key: &[u8], value: T) -> Result<&mut T> {
        let entry = self.put_boxed::<Boxed<T>>(key, 0, value, 0)?;
        match entry.into_boxed::<Boxed<T>>() {
            // SAFETY: the value borrows the keys, as the result does; the key, whose lifetime the
            // entry was bound to beside it, is not needed to reach the value.
            Some(value) => Ok(unsafe { lengthen(value) }),
            None => Err(Error::Unsupported),
        }
    }

    /// Removes a key; the caller says [`Keys::modified`]. `flags`: 0 or
    /// [`REMOVE_LAZY`]. Returns whether it was there.
    #[inline]
    pub fn remove(&mut self, key: &[u8], flags: u32) -> Result<bool> {
        // SAFETY: the call is valid; the key is borrowed for the call.
        check_found(unsafe { (host::keys().remove)(self.call.as_ptr(), Bytes::of(key), flags) })
    }

    /// Says that a key's value changed, and publishes `event` in class `class` (an `EVENT_*` bit);
    /// an empty one is not published.
    #[inline]
    pub fn modified(&mut self, key: &[u8], class: u32, event: &str) {
        // SAFETY: the call is valid; key and event are borrowed for the call.
        unsafe { (host::keys().modified)(self.call.as_ptr(), Bytes::of(key), class, Bytes::of(event.as_bytes())) }
    }

    /// Has INFO's `rdb_changes_since_last_save`, and save points, count the change of `elements` elements
    /// that [`modified`](Keys::modified) was said once of.
    #[inline]
    pub fn count_elements(&mut self, elements: usize) {
        if elements > 1 {
            // SAFETY: the call is valid.
            unsafe { (host::keys().count_more)(self.call.as_ptr(), elements as u64 - 1) }
        }
    }

    /// Publishes an event without saying that the value changed.
    #[inline]
    pub fn notify(&mut self, key: &[u8], class: u32, event: &str) {
        // SAFETY: the call is valid; key and event are borrowed for the call.
        unsafe { (host::keys().notify)(self.call.as_ptr(), Bytes::of(key), class, Bytes::of(event.as_bytes())) }
    }

    /// Publishes an event of a key in database `db`, as for what [`move_to`](Keys::move_to) and
    /// [`copy`](Keys::copy) made there. Without such a database nothing happens.
    pub fn notify_in(&mut self, db: u32, key: &[u8], class: u32, event: &str) {
        // SAFETY: the call is valid; key and event are borrowed for the call.
        unsafe { (host::keys().notify_in)(self.call.as_ptr(), db, Bytes::of(key), class, Bytes::of(event.as_bytes())) }
    }

    /// Gives a key another name, with its value and expiry, removing what was there. Fails with
    /// `None` when there is no `from`, and with `Exists` when `only_absent` and there is a `to`.
    pub fn rename(&mut self, from: &[u8], to: &[u8], only_absent: bool) -> Result {
        // SAFETY: the call is valid; both keys are borrowed for the call.
        check(unsafe {
            (host::keys().rename)(self.call.as_ptr(), Bytes::of(from), Bytes::of(to), u32::from(only_absent))
        })
    }

    /// Moves a key to database `db`. Fails with `None`, `Exists`, `DbRange`.
    pub fn move_to(&mut self, key: &[u8], db: u32) -> Result {
        // SAFETY: the call is valid; the key is borrowed for the call.
        check(unsafe { (host::keys().move_to)(self.call.as_ptr(), Bytes::of(key), db) })
    }

    /// Copies a key with its expiry to another name in database `db`. Fails with `None`; with
    /// `Exists` when there is a `to` and not `replace`; with `DbRange`, `OutOfMemory`, and
    /// `Unsupported` for a value that cannot be copied.
    pub fn copy(&mut self, from: &[u8], to: &[u8], db: u32, replace: bool) -> Result {
        // SAFETY: the call is valid; both keys are borrowed for the call.
        check(unsafe {
            (host::keys().copy)(self.call.as_ptr(), Bytes::of(from), Bytes::of(to), db, u32::from(replace))
        })
    }

    /// A key at random, or `None` in an empty database.
    pub fn random(&mut self) -> Option<&[u8]> {
        let mut key = Bytes::EMPTY;
        // SAFETY: the call is valid.
        let status = unsafe { (host::keys().random)(self.call.as_ptr(), &mut key) };
        // SAFETY: the key stays until keys change, which needs the borrow that it holds.
        (status == abi::status::STATUS_OK).then(|| unsafe { key.as_slice() })
    }

    /// Visits about `count` keys and returns where to go on; a scan begins and ends with
    /// cursor 0. A key that is there from begin to end is visited at least once. A panic of
    /// `visit` ends the call with `Panic`.
    pub fn scan(&mut self, cursor: u64, count: usize, visit: impl FnMut(Visited<'_>)) -> Result<u64> {
        struct State<F> {
            visit: F,
            panicked: bool,
        }
        unsafe extern "C" fn run<F: FnMut(Visited<'_>)>(data: Opaque, key: Bytes, type_id: u32, expired: u32) {
            // SAFETY: `data` is the state of the `scan` on the stack, which nobody else uses now;
            // the key is lent for this call.
            let (state, key) = unsafe { (&mut *data.cast::<State<F>>(), key.as_slice()) };
            if !state.panicked {
                let visited = Visited { key, type_id, is_expired: expired != 0 };
                state.panicked = guard(|| (state.visit)(visited)).is_none();
            }
        }
        fn visitor<F: FnMut(Visited<'_>)>(_: &State<F>) -> Visit {
            Visit { run: run::<F> }
        }
        let mut state = State { visit, panicked: false };
        let function = visitor(&state);
        // SAFETY: the call is valid, and the state fits the function for this call.
        let next = unsafe { (host::keys().scan)(self.call.as_ptr(), cursor, count, function, (&raw mut state).cast()) };
        if state.panicked { Err(Error::Panic) } else { Ok(next) }
    }

    /// Number of keys in database `db`; 0 when there is no such database.
    pub fn count(&mut self, db: u32) -> u64 {
        // SAFETY: the call is valid.
        unsafe { (host::keys().count)(self.call.as_ptr(), db) }
    }

    /// Removes all keys of database `db`, or of every one with `None`, freeing them in the
    /// background if asked to; returns how many there were.
    pub fn flush(&mut self, db: Option<u32>, in_background: bool) -> u64 {
        let db = db.map_or(DB_ALL, |db| i32::try_from(db).unwrap_or(i32::MAX));
        // SAFETY: the call is valid.
        unsafe { (host::keys().flush)(self.call.as_ptr(), db, u32::from(in_background)) }
    }

    /// Exchanges two databases. Fails with `DbRange`.
    pub fn swap(&mut self, first: u32, second: u32) -> Result {
        // SAFETY: the call is valid.
        check(unsafe { (host::keys().swap)(self.call.as_ptr(), first, second) })
    }

    /// Has this call work on another database from now on: for timers and other calls without a
    /// client. Fails with `DbRange`, and with `NotAllowed` where there is a client.
    pub fn select(&mut self, db: u32) -> Result {
        // SAFETY: the call is valid, and nothing that it handed out is held.
        check(unsafe { (host::keys().select)(self.call.as_ptr(), db) })
    }

    /// Name of a type, whether its module is loaded or not; empty for an unknown id.
    pub fn type_name(&self, type_id: u32) -> &[u8] {
        // SAFETY: the call is valid; the name stays until its module is unloaded, which no part of
        // this call can do while `self` is borrowed.
        unsafe { (host::keys().type_name)(self.call.as_ptr(), type_id).as_slice() }
    }

    /// Id of a loaded type by name, or `None`.
    pub fn type_id(&self, name: &[u8]) -> Option<u32> {
        // SAFETY: the call is valid; the name is borrowed for the call.
        let id = unsafe { (host::keys().type_id)(self.call.as_ptr(), Bytes::of(name)) };
        (id != 0).then_some(id)
    }

    /// Makes a key from a payload of DUMP. Fails with `Exists`; with `BadData` for a payload that
    /// its type cannot read; with `NotAllowed` when version or checksum are wrong.
    pub fn restore(&mut self, key: &[u8], payload: &[u8], how: Restore) -> Result {
        // SAFETY: the call is valid; key and payload are borrowed for the call.
        check(unsafe {
            (host::keys().restore)(
                self.call.as_ptr(),
                Bytes::of(key),
                Bytes::of(payload),
                how.expire_at_ms.unwrap_or(EXPIRE_NONE),
                u32::from(how.replace),
                how.idle_s.unwrap_or(-1),
                how.frequency.unwrap_or(-1),
            )
        })
    }
}
