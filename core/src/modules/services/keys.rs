//! `plinth.keys/1`: keys, values, expiry.

use crate::durable::footer as payload;
use crate::durable::version::Target;
use crate::engine::call::Context;
use crate::store::access::NewValue;
use crate::store::entry::{EntryPtr, LEN_MAX};
use crate::store::ghost;
use crate::store::ghost::{GHOST, shown_type};
use crate::store::types::TYPES_MAX;
use plinth_abi::bytes::{Bytes, Opaque, Take};
use plinth_abi::call::{CALL_NO_CLIENT, Call};
use plinth_abi::keys::{
    DB_ALL, EXPIRE_NONE, Entry, EntryStat, KeysService, PUT_ABSENT, PUT_KEEP_EXPIRY, REMOVE_LAZY, RESIZE_AMORTISE,
    Visit,
};
use plinth_abi::status::{
    STATUS_BAD_DATA, STATUS_DB_RANGE, STATUS_EXISTS, STATUS_NONE, STATUS_NOT_ALLOWED, STATUS_OK, STATUS_OUT_OF_MEMORY,
    STATUS_UNSUPPORTED, STATUS_WRONG_TYPE, Status,
};
use plinth_abi::value::{FORM_BOXED, FORM_INLINE, TAG_MAX};

/// The table.
pub static TABLE: KeysService = KeysService {
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
    count_more,
    dump_for,
};

// Every function below is called by a loaded module with the call that runs, bytes
// that are valid for the call, and out-parameters that are writable, which is what
// `Context::of`, `as_slice` and `write_entry` ask for.

/// What a module sees of an entry.
#[inline(always)]
fn seen(entry: EntryPtr, hash: u64) -> Entry {
    let boxed = entry.is_boxed();
    // A ghost's bytes are nothing that a module could read.
    let (data, len) = if entry.type_id() == GHOST { (std::ptr::null_mut(), 0) } else { entry.value() };
    Entry {
        size: size_of::<Entry>() as u32,
        type_id: shown_type(entry),
        form: if boxed { FORM_BOXED } else { FORM_INLINE },
        tag: u32::from(entry.tag()),
        data: if boxed { std::ptr::null_mut() } else { data },
        len: if boxed { 0 } else { len },
        boxed: if boxed { entry.boxed() } else { std::ptr::null_mut() },
        expire_at_ms: entry.expire_at_ms(),
        entry: entry.address(),
        hash,
    }
}

/// Show a module an entry.
///
/// # Safety
/// `out` is writable, and was made by a module whose `Entry` begins with its size.
#[inline]
unsafe fn write_entry(context: &mut Context, out: *mut Entry, entry: EntryPtr, hash: u64) {
    context.last = Some(entry);
    // SAFETY: promised by the caller, who has room for as much as the size says.
    unsafe {
        if ((*out).size as usize) < size_of::<Entry>() {
            return write_shorter(out, entry, hash);
        }
        out.write(seen(entry, hash));
    }
}

/// # Safety
/// As for [`write_entry`].
#[cold]
#[inline(never)]
unsafe fn write_shorter(out: *mut Entry, entry: EntryPtr, hash: u64) {
    // SAFETY: promised by the caller.
    unsafe { crate::modules::services::fill::fill(out, seen(entry, hash)) };
}

/// Whether the module that runs may make and change values of a type: its own, and those of modules whose
/// services it uses, for their functions run with its call.
#[inline]
fn may_make(context: &mut Context, type_id: u8) -> bool {
    let module = context.module;
    let Some(ty) = context.server().store.types.get(type_id) else { return false };
    ty.module == module || may_make_for(context, type_id)
}

#[cold]
fn may_make_for(context: &mut Context, type_id: u8) -> bool {
    let module = context.module;
    let server = context.server();
    let Some(ty) = server.store.types.get_mut(type_id) else { return false };
    if ty.makers.contains(&module) {
        return true;
    }
    let is_reached = server.registry.reaches(module, ty.module);
    if is_reached {
        ty.add_maker(module);
    }
    is_reached
}

/// Whether a hook on keys or a scan runs, during which keys must stay as they are.
///
/// # Safety
/// `call` is the call that runs.
#[inline]
unsafe fn is_frozen(call: *mut Call) -> bool {
    // SAFETY: promised by the caller.
    unsafe { Context::of(call) }.server().store.frozen > 0
}

unsafe extern "C" fn get(call: *mut Call, key: Bytes, type_id: u32, flags: u32, entry_out: *mut Entry) -> Status {
    // SAFETY: see above.
    let (context, key) = unsafe { (Context::of(call), key.as_slice()) };
    let (db, hash) = (context.db, context.hash(key));
    context.last = None;
    let flags = if context.client.is_some() { flags | no_touch(context) } else { flags };
    let Some(mut entry) = context.server().store.lookup(db, hash, key, flags) else { return STATUS_NONE };
    if type_id != u32::from(entry.type_id()) {
        let plain = entry.type_id() != GHOST && !context.server().store.types.is_unsettled;
        match (plain, type_id) {
            (true, 0) => {}
            (true, _) => return STATUS_WRONG_TYPE,
            (false, _) => {
                let module = context.module;
                match context.server().store.as_asked(db, hash, entry, type_id, module) {
                    Ok(asked) => entry = asked,
                    Err(status) => return status,
                }
            }
        }
    }
    // SAFETY: see above.
    unsafe { write_entry(context, entry_out, entry, hash) };
    STATUS_OK
}

/// The flag that CLIENT NO-TOUCH adds to every look-up.
#[inline]
fn no_touch(context: &mut Context) -> u32 {
    if !context.server().sessions.any_no_touch {
        return 0;
    }
    let exempt = context.call.command.is_null();
    let quiet = context.client().is_some_and(|client| client.looks_quietly());
    if quiet && !exempt { plinth_abi::keys::GET_NO_TOUCH } else { 0 }
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
    // SAFETY: see above.
    match unsafe { make(call, key, (type_id, tag), Some(len), flags) } {
        Ok((entry, hash)) => {
            // SAFETY: see above.
            unsafe { write_entry(Context::of(call), entry_out, entry, hash) };
            STATUS_OK
        }
        Err(status) => status,
    }
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
    // SAFETY: see above.
    match unsafe { make(call, key, (type_id, tag), None, flags) } {
        Ok((entry, hash)) => {
            entry.set_boxed(boxed);
            // SAFETY: see above.
            let context = unsafe { Context::of(call) };
            context.server().store.charge(entry);
            // SAFETY: see above.
            unsafe { write_entry(context, entry_out, entry, hash) };
            STATUS_OK
        }
        Err(status) => status,
    }
}

/// Make a key or replace its value; the entry, whose value is to be filled, and the key's hash.
///
/// # Safety
/// `call` is the call that runs, and `key` is valid.
#[inline(always)]
unsafe fn make(
    call: *mut Call,
    key: Bytes,
    (type_id, tag): (u32, u32),
    inline_len: Option<usize>,
    flags: u32,
) -> Result<(EntryPtr, u64), Status> {
    // SAFETY: promised by the caller.
    let (context, key) = unsafe { (Context::of(call), key.as_slice()) };
    if context.server().store.frozen > 0 {
        return Err(STATUS_NOT_ALLOWED);
    }
    if tag > TAG_MAX || type_id > TYPES_MAX as u32 || !may_make(context, type_id as u8) {
        return Err(STATUS_UNSUPPORTED);
    }
    if inline_len.is_some_and(|len| len > LEN_MAX) || key.len() > LEN_MAX {
        return Err(STATUS_OUT_OF_MEMORY);
    }
    let (db, hash) = (context.db, context.hash(key));
    let new = NewValue {
        type_id: type_id as u8,
        tag: tag as u8,
        inline_len,
        keep_expiry: flags & PUT_KEEP_EXPIRY != 0,
        absent: flags & PUT_ABSENT != 0,
    };
    context.server().store.put(db, hash, key, new).map(|entry| (entry, hash))
}

/// The entry that a module's copy stands for.
///
/// # Safety
/// `entry` was filled by this service and is still valid.
unsafe fn known(entry: *const Entry) -> Option<(EntryPtr, u64)> {
    // SAFETY: promised by the caller; a shorter struct does not say which entry it is.
    let (address, hash) = unsafe {
        if ((*entry).size as usize) < size_of::<Entry>() {
            return None;
        }
        ((*entry).entry, (*entry).hash)
    };
    EntryPtr::from_address(address).map(|entry| (entry, hash))
}

unsafe extern "C" fn resize(call: *mut Call, entry: *mut Entry, tag: u32, len: usize, flags: u32) -> Status {
    // SAFETY: see above.
    if unsafe { is_frozen(call) } {
        return STATUS_NOT_ALLOWED;
    }
    // SAFETY: see above.
    let (context, Some((old, hash))) = (unsafe { (Context::of(call), known(entry)) }) else { return STATUS_NONE };
    let db = context.db;
    if tag > TAG_MAX {
        return STATUS_UNSUPPORTED;
    }
    // A ghost is nobody's.
    if old.is_boxed() || !may_make(context, old.type_id()) {
        return STATUS_NOT_ALLOWED;
    }
    let reserve = flags & RESIZE_AMORTISE != 0;
    let expire_at_ms = old.expire_at_ms();
    let Some(new) = context.server().store.reshape(db, hash, old, Some(len), tag as u8, expire_at_ms, reserve) else {
        return STATUS_OUT_OF_MEMORY;
    };
    // SAFETY: see above.
    unsafe { write_entry(context, entry, new, hash) };
    STATUS_OK
}

unsafe extern "C" fn set_boxed(call: *mut Call, entry: *mut Entry, tag: u32, boxed: Opaque) -> Status {
    // SAFETY: see above.
    if unsafe { is_frozen(call) } {
        return STATUS_NOT_ALLOWED;
    }
    // SAFETY: see above.
    let (context, Some((old, hash))) = (unsafe { (Context::of(call), known(entry)) }) else { return STATUS_NONE };
    if old.is_boxed() || tag > TAG_MAX || !may_make(context, old.type_id()) {
        return STATUS_NOT_ALLOWED;
    }
    let db = context.db;
    let Some(new) = context.server().store.reshape(db, hash, old, None, tag as u8, old.expire_at_ms(), false) else {
        return STATUS_OUT_OF_MEMORY;
    };
    new.set_boxed(boxed);
    new.set_charge(0);
    context.server().store.charge(new);
    // SAFETY: see above.
    unsafe { write_entry(context, entry, new, hash) };
    STATUS_OK
}

unsafe extern "C" fn remove(call: *mut Call, key: Bytes, flags: u32) -> Status {
    // SAFETY: see above.
    if unsafe { is_frozen(call) } {
        return STATUS_NOT_ALLOWED;
    }
    // SAFETY: see above.
    let (context, key) = unsafe { (Context::of(call), key.as_slice()) };
    let (db, hash) = (context.db, context.hash(key));
    context.last = None;
    let server = context.server();
    let lazy = flags & REMOVE_LAZY != 0 || server.settings.lazyfree_lazy_user_del;
    if server.store.remove(db, hash, key, lazy) { STATUS_OK } else { STATUS_NONE }
}

unsafe extern "C" fn modified(call: *mut Call, key: Bytes, class: u32, event: Bytes) {
    // SAFETY: see above.
    let (context, key, event) = unsafe { (Context::of(call), key.as_slice(), event.as_slice()) };
    let db = context.db;
    // SAFETY: `last` is forgotten by whatever frees or moves its entry.
    if let Some(entry) = context.last.filter(|entry| entry.is_boxed() && unsafe { entry.key() } == key) {
        context.server().store.charge(entry);
    }
    let server = context.server();
    server.store.changed_for(db, key, class);
    if !event.is_empty() {
        server.store.notify(db, key, class, event);
    }
}

unsafe extern "C" fn count_more(call: *mut Call, changes: u64) {
    // SAFETY: see above.
    let store = &mut unsafe { Context::of(call) }.server().store;
    store.dirty = store.dirty.wrapping_add(changes);
}

unsafe extern "C" fn notify(call: *mut Call, key: Bytes, class: u32, event: Bytes) {
    // SAFETY: see above.
    let (context, key, event) = unsafe { (Context::of(call), key.as_slice(), event.as_slice()) };
    let db = context.db;
    context.server().store.notify(db, key, class, event);
}

unsafe extern "C" fn notify_in(call: *mut Call, db: u32, key: Bytes, class: u32, event: Bytes) {
    // SAFETY: see above.
    let (context, key, event) = unsafe { (Context::of(call), key.as_slice(), event.as_slice()) };
    let server = context.server();
    if (db as usize) < server.store.databases.len() {
        server.store.notify(db, key, class, event);
    }
}

unsafe extern "C" fn set_expire(call: *mut Call, entry: *mut Entry, expire_at_ms: i64) -> Status {
    // SAFETY: see above.
    if unsafe { is_frozen(call) } {
        return STATUS_NOT_ALLOWED;
    }
    // SAFETY: see above.
    let (context, Some((old, hash))) = (unsafe { (Context::of(call), known(entry)) }) else { return STATUS_NONE };
    let db = context.db;
    let inline_len = (!old.is_boxed()).then(|| old.value().1);
    let expire_at_ms = if expire_at_ms < 0 { EXPIRE_NONE } else { expire_at_ms };
    let Some(new) = context.server().store.reshape(db, hash, old, inline_len, old.tag(), expire_at_ms, false) else {
        return STATUS_OUT_OF_MEMORY;
    };
    if expire_at_ms != EXPIRE_NONE {
        context.server().store.note_own_expiry(db, new);
    }
    // SAFETY: see above.
    unsafe { write_entry(context, entry, new, hash) };
    STATUS_OK
}

unsafe extern "C" fn rename(call: *mut Call, from: Bytes, to: Bytes, only_absent: u32) -> Status {
    // SAFETY: see above.
    if unsafe { is_frozen(call) } {
        return STATUS_NOT_ALLOWED;
    }
    // SAFETY: see above.
    let (context, from, to) = unsafe { (Context::of(call), from.as_slice(), to.as_slice()) };
    context.last = None;
    let db = context.db;
    context.server().store.rename(db, from, to, only_absent != 0)
}

unsafe extern "C" fn move_to(call: *mut Call, key: Bytes, db: u32) -> Status {
    // SAFETY: see above.
    if unsafe { is_frozen(call) } {
        return STATUS_NOT_ALLOWED;
    }
    // SAFETY: see above.
    let (context, key) = unsafe { (Context::of(call), key.as_slice()) };
    context.last = None;
    let from = context.db;
    context.server().store.move_to(from, key, db)
}

unsafe extern "C" fn copy(call: *mut Call, from: Bytes, to: Bytes, db: u32, replace: u32) -> Status {
    // SAFETY: see above.
    if unsafe { is_frozen(call) } {
        return STATUS_NOT_ALLOWED;
    }
    // SAFETY: see above.
    let (context, from, to) = unsafe { (Context::of(call), from.as_slice(), to.as_slice()) };
    context.last = None;
    let own = context.db;
    context.server().store.copy(own, from, to, db, replace != 0)
}

unsafe extern "C" fn random(call: *mut Call, key_out: *mut Bytes) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let db = context.db;
    context.last = None;
    let server = context.server();
    // Expired keys are passed over and removed; a database of nothing else is not
    // searched for ever.
    for left in (0..100).rev() {
        let Some(entry) = server.store.random_entry(db) else {
            return STATUS_NONE;
        };
        // SAFETY: the entry is in the table, and its key is copied by the caller before
        // anything changes.
        let key = unsafe { entry.key() };
        let hash = server.store.hash(key);
        if server.store.find(db, hash, key).is_some() || left == 0 && !server.store.may_expire() {
            // SAFETY: see above.
            unsafe { key_out.write(Bytes::of(key)) };
            return STATUS_OK;
        }
    }
    STATUS_NONE
}

unsafe extern "C" fn scan(call: *mut Call, cursor: u64, count: usize, visit: Visit, data: Opaque) -> u64 {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let (db, now_ms) = (context.db as usize, context.call.now_ms);
    let (mut cursor, mut seen, mut steps) = (cursor, 0, count.saturating_mul(10).max(10));
    let mut bucket = Vec::new();
    // What `visit` looks up must not remove what is to be visited yet, though it has expired.
    context.server().store.frozen += 1;
    loop {
        cursor = context.server().store.databases[db].table.scan(cursor, |entry| bucket.push(entry));
        seen += bucket.len();
        for entry in bucket.drain(..) {
            let expired = entry.has_expired(now_ms);
            // SAFETY: keys stay as they are, so the entry is alive; `visit` is the module's, with its data.
            unsafe { (visit.run)(data, Bytes::of(entry.key()), shown_type(entry), u32::from(expired)) };
        }
        steps -= 1;
        if cursor == 0 || seen >= count || steps == 0 {
            break;
        }
    }
    context.server().store.frozen -= 1;
    cursor
}

unsafe extern "C" fn count(call: *mut Call, db: u32) -> u64 {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    context.server().store.databases.get(db as usize).map_or(0, |database| database.table.len() as u64)
}

unsafe extern "C" fn flush(call: *mut Call, db: i32, in_background: u32) -> u64 {
    // SAFETY: see above.
    if unsafe { is_frozen(call) } {
        return 0;
    }
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    context.last = None;
    let server = context.server();
    let db = (db != DB_ALL).then_some(db as u32);
    if db.is_some_and(|db| db as usize >= server.store.databases.len()) {
        return 0;
    }
    match db {
        None => server.tell_databases(&["FLUSHALL"], 0),
        Some(db) => server.tell_databases(&["FLUSHDB"], db),
    }
    server.store.flush(db, in_background != 0)
}

unsafe extern "C" fn swap(call: *mut Call, first: u32, second: u32) -> Status {
    // SAFETY: see above.
    if unsafe { is_frozen(call) } {
        return STATUS_NOT_ALLOWED;
    }
    // SAFETY: see above.
    let server = unsafe { Context::of(call) }.server();
    let count = server.store.databases.len() as u32;
    if first != second && first.max(second) < count {
        server.tell_databases(&["SWAPDB", &first.to_string(), &second.to_string()], 0);
    }
    server.store.swap(first, second)
}

unsafe extern "C" fn type_name(call: *mut Call, type_id: u32) -> Bytes {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let store = &context.server().store;
    let ty = u8::try_from(type_id).ok().and_then(|id| store.types.get(id)).map(|ty| ty.name.as_str());
    ty.or_else(|| store.ghosts.name(type_id)).map_or(Bytes::EMPTY, |name| Bytes::of(name.as_bytes()))
}

unsafe extern "C" fn type_id(call: *mut Call, name: Bytes) -> u32 {
    // SAFETY: see above.
    let (context, name) = unsafe { (Context::of(call), name.as_slice()) };
    context.server().store.types.find(name).map_or(0, u32::from)
}

unsafe extern "C" fn stat(call: *mut Call, entry: *const Entry, stat_out: *mut EntryStat) {
    // SAFETY: see above.
    let (context, Some((entry, _))) = (unsafe { (Context::of(call), known(entry)) }) else { return };
    let server = context.server();
    let access = server.store.access;
    let value = crate::store::types::value_of(entry);
    let table = server.store.types.get(entry.type_id()).map(|ty| ty.table);
    let default = Bytes::new(if entry.type_id() == GHOST { ghost::ENCODING } else { "raw" });
    // SAFETY: the value is of this type.
    let encoding =
        table.and_then(|table| table.encoding_name).map_or(default, |name| unsafe { name(&raw const value) });
    let stat = EntryStat {
        size: size_of::<EntryStat>() as u32,
        idle_s: if access.counts() { 0 } else { access.idle_s(entry.clock()) },
        frequency: if access.counts() { access.frequency(entry.clock()) } else { 0 },
        lfu: u32::from(access.counts()),
        encoding,
        memory: server.store.bytes_of(entry),
        address: entry.address() as u64,
    };
    // SAFETY: see above.
    unsafe { crate::modules::services::fill::fill(stat_out, stat) };
}

unsafe extern "C" fn dump(call: *mut Call, entry: *const Entry, take: Take, data: Opaque) -> Status {
    // SAFETY: see above.
    unsafe { dump_to(call, entry, Target::PAYLOAD, take, data) }
}

unsafe extern "C" fn dump_for(
    call: *mut Call,
    entry: *const Entry,
    rdb_version: u32,
    take: Take,
    data: Opaque,
) -> Status {
    let version = u16::try_from(rdb_version).unwrap_or(u16::MAX);
    // SAFETY: see above.
    unsafe { dump_to(call, entry, Target::version(version), take, data) }
}

/// # Safety
/// As of the two functions above.
unsafe fn dump_to(call: *mut Call, entry: *const Entry, target: Target, take: Take, data: Opaque) -> Status {
    // SAFETY: see above.
    let (context, Some((entry, _))) = (unsafe { (Context::of(call), known(entry)) }) else { return STATUS_NONE };
    match context.server().store.seal_value(entry, target) {
        Ok(sealed) => {
            // SAFETY: the module's function with the module's data.
            unsafe { (take.run)(data, Bytes::of(&sealed)) };
            STATUS_OK
        }
        Err(status) => status,
    }
}

unsafe extern "C" fn restore(
    call: *mut Call,
    key: Bytes,
    payload: Bytes,
    expire_at_ms: i64,
    replace: u32,
    idle_s: i64,
    frequency: i64,
) -> Status {
    // SAFETY: see above.
    if unsafe { is_frozen(call) } {
        return STATUS_NOT_ALLOWED;
    }
    // SAFETY: see above.
    let (context, key, bytes) = unsafe { (Context::of(call), key.as_slice(), payload.as_slice()) };
    let (db, hash) = (context.db, context.hash(key));
    context.last = None;
    let server = context.server();
    let there = server.store.find_to_write(db, hash, key).is_some();
    if there && replace == 0 {
        return STATUS_EXISTS;
    }
    let opened = if server.skip_checksums { payload::open_unchecked(bytes) } else { payload::open(bytes) };
    let Ok(opened) = opened else { return STATUS_NOT_ALLOWED };
    let expire_at_ms = if expire_at_ms < 0 { EXPIRE_NONE } else { expire_at_ms };
    let entry = match server.store.load_value_of(opened.version, opened.body, key, expire_at_ms) {
        Ok(entry) => entry,
        Err(STATUS_OUT_OF_MEMORY) => return STATUS_OUT_OF_MEMORY,
        Err(_) => return STATUS_BAD_DATA,
    };
    if there {
        server.store.remove(db, hash, key, server.store.lazy.server_del);
    }
    if server.store.access.counts() && frequency >= 0 {
        entry.set_clock(server.store.access.from_frequency(frequency.min(255) as u8));
    } else if !server.store.access.counts() && idle_s >= 0 {
        entry.set_clock(server.store.access.from_idle(u32::try_from(idle_s).unwrap_or(u32::MAX)));
    }
    server.store.insert(db, hash, entry);
    server.store.charge(entry);
    STATUS_OK
}

unsafe extern "C" fn select(call: *mut Call, db: u32) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    if context.call.flags & CALL_NO_CLIENT == 0 {
        return STATUS_NOT_ALLOWED;
    }
    if db as usize >= context.server().store.databases.len() {
        return STATUS_DB_RANGE;
    }
    context.last = None;
    (context.db, context.call.db) = (db, db);
    STATUS_OK
}
