//! The mock's keyspace: hash maps of items, with the rules of `plinth.keys/1`.
//!
//! What the ABI leaves to the caller the mock checks: entries that are used after the key went,
//! changes from inside a hook, inline bytes that nobody filled (they read as `0xa5`).

use super::codec;
use super::state::{DATABASES, Database, Form, Frame, Host, Item, KeyEvent, State, UNFILLED, type_id_of};
use crate::abi::bytes::{Bytes, Opaque, Take};
use crate::abi::call::{CALL_NO_CLIENT, Call};
use crate::abi::events::{Event, ON_FLUSH, ON_KEY, ON_SWAP};
use crate::abi::keys::{
    DB_ALL, EVENT_EXPIRED, EVENT_UNAWAITED, EVENT_UNWATCHED, EXPIRE_NONE, Entry, EntryStat, KeysService, PUT_ABSENT,
    PUT_KEEP_EXPIRY, Visit,
};
use crate::abi::status::{
    STATUS_BAD_DATA, STATUS_DB_RANGE, STATUS_EXISTS, STATUS_NONE, STATUS_NOT_ALLOWED, STATUS_OK, STATUS_OUT_OF_MEMORY,
    STATUS_UNSUPPORTED, STATUS_WRONG_TYPE, Status,
};
use crate::abi::value::{FORM_BOXED, Type};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::ptr::NonNull;

/// Where a function works: the state and the call's database.
#[derive(Clone, Copy)]
pub(super) struct Space {
    pub(super) host: Host,
    pub(super) db: usize,
}

impl Space {
    /// # Safety
    /// `call` is a call of the mock.
    unsafe fn of(call: *mut Call) -> Space {
        // SAFETY: as the caller vouches.
        unsafe { Space { host: Host::of(call), db: (*call).db as usize } }
    }

    /// The item of a key, unless it has expired, in which case it is removed as soon as that is
    /// allowed.
    pub(super) fn find(self, key: &[u8]) -> Option<NonNull<Item>> {
        let (item, expired) = self.host.with(|state| {
            let item = *state.databases[self.db].get(key)?;
            // SAFETY: items in a database are alive.
            Some((item, unsafe { item.as_ref() }.is_expired(state.now_ms)))
        })?;
        if !expired {
            return Some(item);
        }
        if self.may_change() {
            self.take(key);
            self.publish(key, EVENT_EXPIRED, b"expired", true);
        }
        None
    }

    fn may_change(self) -> bool {
        self.host.with(|state| state.hook_depth == 0)
    }

    /// Fails when a hook runs, and when memory is refused to a call that wants some.
    fn check_change(self, wants_memory: bool) -> Result<(), Status> {
        if !self.may_change() {
            return Err(STATUS_NOT_ALLOWED);
        }
        let refused = self.host.with(|state| state.refuses_memory);
        if wants_memory && refused { Err(STATUS_OUT_OF_MEMORY) } else { Ok(()) }
    }

    /// Removes a key and frees its value.
    pub(super) fn take(self, key: &[u8]) -> bool {
        match self.host.with(|state| state.databases[self.db].remove(key)) {
            Some(item) => {
                self.free(item);
                true
            }
            None => false,
        }
    }

    fn free(self, item: NonNull<Item>) {
        // SAFETY: the item was taken out of its database, so that this is the only pointer to it.
        let item = unsafe { Box::from_raw(item.as_ptr()) };
        self.drop_form(item.type_id, item.form);
    }

    fn drop_form(self, type_id: u32, form: Form) {
        let of = self.host.with(|state| state.types.get(&type_id).copied());
        if let (Form::Boxed(boxed), Some(Type { drop: Some(drop), .. })) = (form, of) {
            // SAFETY: the box is of this type, and its item is gone.
            unsafe { drop(boxed) }
        }
    }

    /// Puts a value under a key, and returns its item.
    fn put(self, key: &[u8], type_id: u32, tag: u32, form: Form, flags: u32) -> Result<NonNull<Item>, Status> {
        self.check_change(true)?;
        if !self.host.with(|state| state.types.contains_key(&type_id)) {
            return Err(STATUS_UNSUPPORTED);
        }
        if let Some(mut item) = self.find(key) {
            assert!(flags & PUT_ABSENT == 0, "PUT_ABSENT was said of a key that is there");
            // SAFETY: items in a database are alive, and no module code runs now.
            let item = unsafe { item.as_mut() };
            let old = std::mem::replace(&mut item.form, form);
            let old_type = std::mem::replace(&mut item.type_id, type_id);
            item.tag = tag;
            if flags & PUT_KEEP_EXPIRY == 0 {
                item.expire_at_ms = EXPIRE_NONE;
            }
            self.drop_form(old_type, old);
            return Ok(NonNull::from(item));
        }
        let item = Box::new(Item { type_id, tag, form, expire_at_ms: EXPIRE_NONE });
        let item = NonNull::from(Box::leak(item));
        self.host.with(|state| state.databases[self.db].insert(key.to_vec(), item));
        Ok(item)
    }

    /// Records an event and tells the hooks.
    pub(super) fn publish(self, key: &[u8], class: u32, name: &[u8], is_modified: bool) {
        if is_modified {
            self.count_change(key, class & EVENT_UNAWAITED == 0);
        }
        let class = class & !(EVENT_UNAWAITED | EVENT_UNWATCHED);
        self.host.with(|state| {
            let name = String::from_utf8_lossy(name).into_owned();
            state.events.push(KeyEvent { db: self.db as u32, class, name, key: key.to_vec(), is_modified });
        });
        let event = Event { class, name: Bytes::of(name), ..plain_event(ON_KEY, self.db as i32, key) };
        super::services::tell(self.host, &event);
    }

    /// Counts a change, and notes the key for those who wait.
    fn changed(self, key: &[u8]) {
        self.count_change(key, true);
    }

    /// Counts a change, and notes the key for those who wait if they wait for such a change.
    fn count_change(self, key: &[u8], is_awaited: bool) {
        self.host.with(|state| {
            state.dirty += 1;
            let ready = (self.db as u32, key.to_vec());
            if is_awaited && !state.waiting.is_empty() && !state.ready.contains(&ready) {
                state.ready.push(ready);
            }
        });
    }

    /// Notes all keys that are waited for.
    pub(super) fn all_changed(self) {
        let keys: Vec<(u32, Vec<u8>)> = self.host.with(|state| {
            state.dirty += 1;
            let of = |one: &super::Waiting| one.keys.iter().map(|key| (one.db, key.clone())).collect::<Vec<_>>();
            state.waiting.iter().flat_map(of).collect()
        });
        self.host.with(|state| state.ready.extend(keys));
    }

    /// The value of an item in the tokens of the codec.
    pub(super) fn save(self, mut item: NonNull<Item>) -> Result<(&'static Type, Vec<codec::Token>), Status> {
        // SAFETY: items in a database are alive.
        let item = unsafe { item.as_mut() };
        let of = self.host.with(|state| state.types.get(&item.type_id).copied()).ok_or(STATUS_UNSUPPORTED)?;
        let value = item.value();
        // SAFETY: the value is of its type.
        unsafe { codec::save(of, &value) }.map(|tokens| (of, tokens))
    }

    /// A copy of an item's value: by the type's `copy`, or else by saving and loading.
    fn copy_form(self, item: NonNull<Item>) -> Result<(u32, Form), Status> {
        // SAFETY: items in a database are alive.
        let source = unsafe { item.as_ref() };
        let boxed = match &source.form {
            Form::Inline(bytes) => return Ok((source.tag, Form::Inline(bytes.clone()))),
            Form::Boxed(boxed) => *boxed,
        };
        let of = self.host.with(|state| state.types.get(&source.type_id).copied()).ok_or(STATUS_UNSUPPORTED)?;
        if let Some(copy) = of.copy {
            // SAFETY: the box is of this type.
            let copied = unsafe { copy(boxed) };
            if !copied.is_null() {
                return Ok((source.tag, Form::Boxed(copied)));
            }
        }
        let (of, tokens) = self.save(item)?;
        codec::load(of, of.encoding, tokens)
    }

    pub(super) fn dump(self, item: NonNull<Item>) -> Result<Vec<u8>, Status> {
        let (of, tokens) = self.save(item)?;
        // SAFETY: a type's name is a constant.
        Ok(codec::to_payload(unsafe { of.name.as_slice() }, of.encoding, &tokens))
    }

    pub(super) fn restore(self, key: &[u8], payload: &[u8], expire_at_ms: i64, replace: bool) -> Result<(), Status> {
        self.check_change(true)?;
        if !replace && self.find(key).is_some() {
            return Err(STATUS_EXISTS);
        }
        let (name, encoding, tokens) = codec::from_payload(payload)?;
        let type_id = type_id_of(&name);
        let of = self.host.with(|state| state.types.get(&type_id).copied()).ok_or(STATUS_BAD_DATA)?;
        let (tag, form) = codec::load(of, encoding, tokens)?;
        let mut item = self.put(key, type_id, tag, form, 0)?;
        // SAFETY: the item was just put.
        unsafe { item.as_mut() }.expire_at_ms = expire_at_ms;
        self.changed(key);
        Ok(())
    }
}

/// An event without anything special.
pub(super) fn plain_event(kind: u32, db: i32, key: &[u8]) -> Event {
    Event {
        size: size_of::<Event>() as u32,
        kind,
        class: 0,
        db,
        other_db: -1,
        reserved: 0,
        name: Bytes::EMPTY,
        key: Bytes::of(key),
        client_id: 0,
    }
}

/// Writes what an entry is to know of an item.
fn fill(entry: &mut Entry, mut item: NonNull<Item>) {
    // SAFETY: items in a database are alive.
    let item = unsafe { item.as_mut() };
    let value = item.value();
    *entry = Entry {
        size: entry.size,
        type_id: item.type_id,
        form: value.form,
        tag: value.tag,
        data: value.data,
        len: value.len,
        boxed: value.boxed,
        expire_at_ms: item.expire_at_ms,
        entry: (&raw mut *item).cast(),
        hash: 0,
    };
}

/// The item of an entry, which must still be there.
///
/// # Safety
/// `entry` can be read.
unsafe fn item_of(space: Space, entry: *const Entry) -> NonNull<Item> {
    // SAFETY: as the caller vouches.
    let sought = unsafe { (*entry).entry.cast::<Item>() };
    let found =
        space.host.with(|state| state.databases[space.db].values().copied().find(|item| item.as_ptr() == sought));
    found.expect("an entry is used after its key went")
}

fn status(result: Result<(), Status>) -> Status {
    result.err().unwrap_or(STATUS_OK)
}

unsafe extern "C" fn get(call: *mut Call, key: Bytes, type_id: u32, _flags: u32, entry_out: *mut Entry) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (space, key, entry) = unsafe { (Space::of(call), key.as_slice(), &mut *entry_out) };
    let Some(item) = space.find(key) else { return STATUS_NONE };
    // SAFETY: items in a database are alive.
    if type_id != 0 && unsafe { item.as_ref() }.type_id != type_id {
        return STATUS_WRONG_TYPE;
    }
    fill(entry, item);
    STATUS_OK
}

unsafe extern "C" fn put(
    call: *mut Call,
    key: Bytes,
    type_id: u32,
    tag: u32,
    len: usize,
    flags: u32,
    entry_out: *mut Entry,
) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (space, key, entry) = unsafe { (Space::of(call), key.as_slice(), &mut *entry_out) };
    let form = Form::Inline(vec![UNFILLED; len]);
    status(space.put(key, type_id, tag, form, flags).map(|item| fill(entry, item)))
}

unsafe extern "C" fn put_boxed(
    call: *mut Call,
    key: Bytes,
    type_id: u32,
    tag: u32,
    boxed: Opaque,
    flags: u32,
    entry_out: *mut Entry,
) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (space, key, entry) = unsafe { (Space::of(call), key.as_slice(), &mut *entry_out) };
    status(space.put(key, type_id, tag, Form::Boxed(boxed), flags).map(|item| fill(entry, item)))
}

unsafe extern "C" fn resize(call: *mut Call, entry: *mut Entry, tag: u32, len: usize, _flags: u32) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (space, mut item) = unsafe { (Space::of(call), item_of(Space::of(call), entry)) };
    if let Err(refused) = space.check_change(true) {
        return refused;
    }
    // SAFETY: items in a database are alive.
    let target = unsafe { item.as_mut() };
    let Form::Inline(bytes) = &mut target.form else { return STATUS_NOT_ALLOWED };
    bytes.resize(len, UNFILLED);
    target.tag = tag;
    // SAFETY: as above.
    fill(unsafe { &mut *entry }, item);
    STATUS_OK
}

unsafe extern "C" fn set_boxed(call: *mut Call, entry: *mut Entry, tag: u32, boxed: Opaque) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (space, mut item) = unsafe { (Space::of(call), item_of(Space::of(call), entry)) };
    if let Err(refused) = space.check_change(true) {
        return refused;
    }
    // SAFETY: items in a database are alive.
    let target = unsafe { item.as_mut() };
    if matches!(target.form, Form::Boxed(_)) {
        return STATUS_NOT_ALLOWED;
    }
    target.form = Form::Boxed(boxed);
    target.tag = tag;
    // SAFETY: as above.
    fill(unsafe { &mut *entry }, item);
    STATUS_OK
}

unsafe extern "C" fn remove(call: *mut Call, key: Bytes, _flags: u32) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (space, key) = unsafe { (Space::of(call), key.as_slice()) };
    if let Err(refused) = space.check_change(false) {
        return refused;
    }
    if space.find(key).is_none() {
        return STATUS_NONE;
    }
    space.take(key);
    STATUS_OK
}

unsafe extern "C" fn modified(call: *mut Call, key: Bytes, class: u32, event: Bytes) {
    // SAFETY: as the table's comments ask of the caller.
    let (space, key, event) = unsafe { (Space::of(call), key.as_slice(), event.as_slice()) };
    space.publish(key, class, event, true);
}

unsafe extern "C" fn notify(call: *mut Call, key: Bytes, class: u32, event: Bytes) {
    // SAFETY: as the table's comments ask of the caller.
    let (space, key, event) = unsafe { (Space::of(call), key.as_slice(), event.as_slice()) };
    space.publish(key, class, event, false);
}

unsafe extern "C" fn notify_in(call: *mut Call, db: u32, key: Bytes, class: u32, event: Bytes) {
    // SAFETY: as the table's comments ask of the caller.
    let (space, key, event) = unsafe { (Space::of(call), key.as_slice(), event.as_slice()) };
    let there = Space { db: db as usize, ..space };
    if check_db(there).is_ok() {
        there.publish(key, class, event, false);
    }
}

unsafe extern "C" fn set_expire(call: *mut Call, entry: *mut Entry, expire_at_ms: i64) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (space, mut item) = unsafe { (Space::of(call), item_of(Space::of(call), entry)) };
    if let Err(refused) = space.check_change(true) {
        return refused;
    }
    // SAFETY: items in a database are alive; the entry is the caller's.
    unsafe {
        item.as_mut().expire_at_ms = expire_at_ms;
        fill(&mut *entry, item);
    }
    STATUS_OK
}

unsafe extern "C" fn rename(call: *mut Call, from: Bytes, to: Bytes, only_absent: u32) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (space, from, to) = unsafe { (Space::of(call), from.as_slice(), to.as_slice()) };
    status(space.check_change(false).and_then(|()| {
        space.find(from).ok_or(STATUS_NONE)?;
        if only_absent != 0 && space.find(to).is_some() {
            return Err(STATUS_EXISTS);
        }
        if from != to {
            space.take(to);
            space.host.with(|state| {
                if let Some(item) = state.databases[space.db].remove(from) {
                    state.databases[space.db].insert(to.to_vec(), item);
                }
            });
        }
        space.changed(from);
        space.changed(to);
        Ok(())
    }))
}

unsafe extern "C" fn move_to(call: *mut Call, key: Bytes, db: u32) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (space, key) = unsafe { (Space::of(call), key.as_slice()) };
    let there = Space { db: db as usize, ..space };
    status(space.check_change(false).and_then(|()| {
        check_db(there)?;
        space.find(key).ok_or(STATUS_NONE)?;
        if there.find(key).is_some() {
            return Err(STATUS_EXISTS);
        }
        space.host.with(|state| {
            if let Some(item) = state.databases[space.db].remove(key) {
                state.databases[there.db].insert(key.to_vec(), item);
            }
        });
        space.changed(key);
        there.changed(key);
        Ok(())
    }))
}

fn check_db(space: Space) -> Result<(), Status> {
    if space.host.with(|state| space.db < state.databases.len()) { Ok(()) } else { Err(STATUS_DB_RANGE) }
}

unsafe extern "C" fn copy(call: *mut Call, from: Bytes, to: Bytes, db: u32, replace: u32) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (space, from, to) = unsafe { (Space::of(call), from.as_slice(), to.as_slice()) };
    let there = Space { db: db as usize, ..space };
    status(space.check_change(true).and_then(|()| {
        check_db(there)?;
        let source = space.find(from).ok_or(STATUS_NONE)?;
        if replace == 0 && there.find(to).is_some() {
            return Err(STATUS_EXISTS);
        }
        let (tag, form) = space.copy_form(source)?;
        // SAFETY: items in a database are alive.
        let (type_id, expire_at_ms) = unsafe { (source.as_ref().type_id, source.as_ref().expire_at_ms) };
        let mut item = there.put(to, type_id, tag, form, 0)?;
        // SAFETY: the item was just put.
        unsafe { item.as_mut() }.expire_at_ms = expire_at_ms;
        there.changed(to);
        Ok(())
    }))
}

unsafe extern "C" fn random(call: *mut Call, key_out: *mut Bytes) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let space = unsafe { Space::of(call) };
    let keys: Vec<Vec<u8>> = space.host.with(|state| state.databases[space.db].keys().cloned().collect());
    let Some(key) = keys.iter().find(|key| space.find(key).is_some()) else { return STATUS_NONE };
    let lent = space.host.with(|state| state.databases[space.db].get_key_value(key).map(|(key, _)| Bytes::of(key)));
    // SAFETY: as the table's comments ask of the caller.
    unsafe { key_out.write(lent.unwrap_or(Bytes::EMPTY)) };
    STATUS_OK
}

/// A database in the order of scans: by hash, which is never 0, and key.
fn in_scan_order(database: &Database) -> BTreeMap<(u64, Vec<u8>), NonNull<Item>> {
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    database.iter().map(|(key, item)| ((hasher.hash_one(key).max(1), key.clone()), *item)).collect()
}

unsafe extern "C" fn scan(call: *mut Call, cursor: u64, count: usize, visit: Visit, data: Opaque) -> u64 {
    // SAFETY: as the table's comments ask of the caller.
    let space = unsafe { Space::of(call) };
    let (order, now_ms) = space.host.with(|state| (in_scan_order(&state.databases[space.db]), state.now_ms));
    let mut last = None;
    for (visited, ((hash, key), item)) in order.range((cursor, Vec::new())..).enumerate() {
        if visited >= count.max(1) && last != Some(*hash) {
            return *hash;
        }
        last = Some(*hash);
        // SAFETY: the visitor is given data that fits it; items are alive, and a visitor does not
        // change keys.
        unsafe { (visit.run)(data, Bytes::of(key), item.as_ref().type_id, u32::from(item.as_ref().is_expired(now_ms))) }
    }
    0
}

unsafe extern "C" fn count(call: *mut Call, db: u32) -> u64 {
    // SAFETY: as the table's comments ask of the caller.
    let space = unsafe { Space::of(call) };
    space.host.with(|state| state.databases.get(db as usize).map_or(0, |database| database.len() as u64))
}

/// Removes all keys of a database, or of all; returns how many there were.
pub(super) fn flush_all(space: Space, db: i32) -> u64 {
    let items: Vec<NonNull<Item>> = space.host.with(|state: &mut State| {
        let all = state.databases.iter_mut().enumerate().filter(|(at, _)| db == DB_ALL || *at as i32 == db);
        all.flat_map(|(_, database)| std::mem::take(database).into_values()).collect()
    });
    for item in &items {
        space.free(*item);
    }
    items.len() as u64
}

unsafe extern "C" fn flush(call: *mut Call, db: i32, _in_background: u32) -> u64 {
    // SAFETY: as the table's comments ask of the caller.
    let space = unsafe { Space::of(call) };
    if space.check_change(false).is_err() {
        return 0;
    }
    let count = flush_all(space, db);
    space.all_changed();
    super::services::tell(space.host, &plain_event(ON_FLUSH, db, b""));
    count
}

unsafe extern "C" fn swap(call: *mut Call, first: u32, second: u32) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let space = unsafe { Space::of(call) };
    let spaces = [first, second].map(|db| Space { db: db as usize, ..space });
    if let Err(refused) = space.check_change(false).and_then(|()| spaces.into_iter().try_for_each(check_db)) {
        return refused;
    }
    space.host.with(|state| state.databases.swap(first as usize, second as usize));
    space.all_changed();
    let event = Event { other_db: second as i32, ..plain_event(ON_SWAP, first as i32, b"") };
    super::services::tell(space.host, &event);
    STATUS_OK
}

unsafe extern "C" fn type_name(call: *mut Call, type_id: u32) -> Bytes {
    // SAFETY: as the table's comments ask of the caller.
    let space = unsafe { Space::of(call) };
    space.host.with(|state| state.types.get(&type_id).map_or(Bytes::EMPTY, |of| of.name))
}

unsafe extern "C" fn type_id(call: *mut Call, name: Bytes) -> u32 {
    // SAFETY: as the table's comments ask of the caller.
    let (space, name) = unsafe { (Space::of(call), name.as_slice()) };
    let id = type_id_of(name);
    space.host.with(|state| if state.types.contains_key(&id) { id } else { 0 })
}

unsafe extern "C" fn stat(call: *mut Call, entry: *const Entry, stat_out: *mut EntryStat) {
    // SAFETY: as the table's comments ask of the caller.
    let (space, mut item, out) = unsafe { (Space::of(call), item_of(Space::of(call), entry), &mut *stat_out) };
    // SAFETY: items in a database are alive.
    let item = unsafe { item.as_mut() };
    let value = item.value();
    let of = space.host.with(|state| state.types.get(&item.type_id).copied());
    // SAFETY: the value is of its type.
    let (encoding, memory) = unsafe {
        (
            of.and_then(|of| of.encoding_name).map_or(Bytes::new("raw"), |name| name(&value)),
            of.and_then(|of| of.memory).filter(|_| value.form == FORM_BOXED).map_or(value.len, |memory| memory(&value)),
        )
    };
    *out = EntryStat {
        size: out.size,
        idle_s: 0,
        frequency: 0,
        lfu: 0,
        encoding,
        memory: memory + size_of::<Item>(),
        address: (&raw const *item).addr() as u64,
    };
}

unsafe extern "C" fn dump(call: *mut Call, entry: *const Entry, take: Take, data: Opaque) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (space, item) = unsafe { (Space::of(call), item_of(Space::of(call), entry)) };
    status(space.dump(item).map(|payload| {
        // SAFETY: the asker gave data that fits its function.
        unsafe { (take.run)(data, Bytes::of(&payload)) }
    }))
}

unsafe extern "C" fn restore(
    call: *mut Call,
    key: Bytes,
    payload: Bytes,
    expire_at_ms: i64,
    replace: u32,
    _idle_s: i64,
    _frequency: i64,
) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let (space, key, payload) = unsafe { (Space::of(call), key.as_slice(), payload.as_slice()) };
    status(space.restore(key, payload, expire_at_ms, replace != 0))
}

unsafe extern "C" fn select(call: *mut Call, db: u32) -> Status {
    // SAFETY: as the table's comments ask of the caller.
    let call = unsafe { &mut *call };
    if call.flags & CALL_NO_CLIENT == 0 {
        return STATUS_NOT_ALLOWED;
    }
    if db as usize >= DATABASES {
        return STATUS_DB_RANGE;
    }
    call.db = db;
    STATUS_OK
}

/// The table.
pub(super) static TABLE: KeysService = KeysService {
    size: size_of::<KeysService>() as u32,
    reserved: 0,
    get,
    put,
    put_boxed,
    resize,
    set_boxed,
    remove,
    modified,
    notify,
    set_expire,
    rename,
    move_to,
    copy,
    random,
    scan,
    count,
    flush,
    swap,
    type_name,
    type_id,
    stat,
    dump,
    restore,
    select,
    notify_in,
};

/// The frame of a call, for the services beside this one.
///
/// # Safety
/// `call` is a call of the mock.
pub(super) unsafe fn frame_of<'f>(call: *mut Call) -> &'f mut Frame {
    // SAFETY: a call of the mock is the beginning of a frame.
    unsafe { &mut *call.cast::<Frame>() }
}
