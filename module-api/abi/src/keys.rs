//! Service `plinth.keys/1`: keys, their values, and their expiry.
//!
//! Every function works on the database selected in the call unless it takes a
//! number. Whoever changed a value says so with [`KeysService::modified`]: that is
//! what WATCH, keyspace events, client-side caching and durability hang on.
//! Renaming, moving, copying, flushing and swapping say by themselves that keys
//! changed, and an expired key's removal says and publishes it; only the events are
//! the caller's.

use crate::bytes::{Bytes, Opaque, Take};
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// Id of the service below.
pub const KEYS_SERVICE: &str = "plinth.keys/1";

/// [`KeysService::get`]: do not renew the key's access clock.
pub const GET_NO_TOUCH: u32 = 1 << 0;
/// [`KeysService::get`]: do not count a hit or a miss.
pub const GET_NO_STATS: u32 = 1 << 1;
/// [`KeysService::get`]: the value is going to be changed.
pub const GET_WRITE: u32 = 1 << 2;
/// [`KeysService::get`]: entries that were got before with this flag stay valid, as long as nothing
/// but such calls came in between. For reading several values at one time.
pub const GET_HOLD: u32 = 1 << 3;
/// [`KeysService::put`]: keep the key's expiry.
pub const PUT_KEEP_EXPIRY: u32 = 1 << 0;
/// [`KeysService::put`]: the caller knows that there is no such key.
pub const PUT_ABSENT: u32 = 1 << 1;
/// [`KeysService::resize`]: reserve for further growth, as appending does.
pub const RESIZE_AMORTISE: u32 = 1 << 0;
/// [`KeysService::remove`]: free in the background whatever the size.
pub const REMOVE_LAZY: u32 = 1 << 0;
/// Expiry: none.
pub const EXPIRE_NONE: i64 = -1;
/// Database number: all of them.
pub const DB_ALL: i32 = -1;

/// Class of an event that is told to hooks and published to nobody: a change that is none to users, such
/// as a count that is kept with a value.
pub const EVENT_UNPUBLISHED: u32 = 0;
/// Event class `g`: commands on keys of any type.
pub const EVENT_GENERIC: u32 = 1 << 2;
/// Event class `$`.
pub const EVENT_STRING: u32 = 1 << 3;
/// Event class `l`.
pub const EVENT_LIST: u32 = 1 << 4;
/// Event class `s`.
pub const EVENT_SET: u32 = 1 << 5;
/// Event class `h`.
pub const EVENT_HASH: u32 = 1 << 6;
/// Event class `z`.
pub const EVENT_ZSET: u32 = 1 << 7;
/// Event class `x`.
pub const EVENT_EXPIRED: u32 = 1 << 8;
/// Event class `e`.
pub const EVENT_EVICTED: u32 = 1 << 9;
/// Event class `t`.
pub const EVENT_STREAM: u32 = 1 << 10;
/// Event class `m`.
pub const EVENT_MISS: u32 = 1 << 11;
/// Event class `d`: types of other modules.
pub const EVENT_MODULE: u32 = 1 << 13;
/// Event class `n`.
pub const EVENT_NEW: u32 = 1 << 14;
/// Beside a class in [`KeysService::modified`]: nobody who waits for the key waits for this change, so
/// nobody is run again for it. Hooks do not see the bit.
pub const EVENT_UNAWAITED: u32 = 1 << 31;
/// Beside a class in [`KeysService::modified`]: who watches the key does not mind this change, so no
/// transaction is spoiled by it. Hooks do not see the bit.
pub const EVENT_UNWATCHED: u32 = 1 << 30;
/// Beside a class in [`KeysService::modified`]: what happened to this key is part of a change that the
/// same command counts for another, as with what an element is moved to. Hooks do not see the bit.
pub const EVENT_UNCOUNTED: u32 = 1 << 29;

/// A key that was found or made. `data` and `len` may be read and written in
/// place; the whole is valid until the next call of this service that takes a key
/// or an entry (other than `modified`, the readers marked so, and see [`GET_HOLD`]).
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Entry {
    /// Size of this struct in bytes.
    pub size: u32,
    /// Id of the value's type.
    pub type_id: u32,
    /// `FORM_*`.
    pub form: u32,
    /// The module's own, 0 to 15.
    pub tag: u32,
    /// Inline: the bytes.
    pub data: *mut u8,
    /// Inline: how many.
    pub len: usize,
    /// Boxed: the address.
    pub boxed: Opaque,
    /// Unix time in ms at which the key expires, or [`EXPIRE_NONE`].
    pub expire_at_ms: i64,
    /// The host's own: the entry.
    pub entry: Opaque,
    /// The host's own: hash of the key.
    pub hash: u64,
}

impl Entry {
    /// Room for an entry.
    pub const NEW: Entry = Entry {
        size: size_of::<Entry>() as u32,
        type_id: 0,
        form: 0,
        tag: 0,
        data: std::ptr::null_mut(),
        len: 0,
        boxed: std::ptr::null_mut(),
        expire_at_ms: EXPIRE_NONE,
        entry: std::ptr::null_mut(),
        hash: 0,
    };
}

/// What OBJECT and MEMORY know of a key.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct EntryStat {
    /// Size of this struct in bytes.
    pub size: u32,
    /// Seconds since the last access; under an LFU policy 0.
    pub idle_s: u32,
    /// Logarithmic access counter; under an LRU policy 0.
    pub frequency: u32,
    /// 1 when an LFU policy is chosen, so that `frequency` counts.
    pub lfu: u32,
    /// What OBJECT ENCODING answers.
    pub encoding: Bytes,
    /// Bytes of entry, key, and value.
    pub memory: usize,
    /// Address of the entry, for DEBUG OBJECT.
    pub address: u64,
}

/// Called by [`KeysService::scan`] for each key.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct Visit {
    /// The function.
    pub run: unsafe extern "C" fn(data: Opaque, key: Bytes, type_id: u32, expired: u32),
}

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct KeysService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Find a key. `type_id` 0 takes any type. An expired key is not there.
    ///
    /// Thread: main. Borrow: `entry_out` as [`Entry`] says. Fails: `NONE`,
    /// `WRONG_TYPE`, `GHOST`.
    pub get:
        unsafe extern "C" fn(call: *mut Call, key: Bytes, type_id: u32, flags: u32, entry_out: *mut Entry) -> Status,
    /// Make a key, or replace its value whatever its type, by `len` inline bytes
    /// that the caller fills through `entry_out`: they are not initialised. The type is the module's, or that
    /// of a module whose services it uses, for their functions run with its call.
    ///
    /// Thread: main. Borrow: as [`Entry`] says. Fails: `OUT_OF_MEMORY`; `EXISTS` with [`PUT_ABSENT`];
    /// `UNSUPPORTED` for another type or tag; `NOT_ALLOWED` where keys stay as they are (in a hook on keys and
    /// while [`scan`](KeysService::scan) visits). Nothing changed then.
    pub put: unsafe extern "C" fn(
        call: *mut Call,
        key: Bytes,
        type_id: u32,
        tag: u32,
        len: usize,
        flags: u32,
        entry_out: *mut Entry,
    ) -> Status,
    /// Make a key, or replace its value, by a boxed value.
    ///
    /// Thread: main. Borrow: as [`Entry`] says; `boxed` belongs to the host
    /// on success. Fails: as `put`.
    pub put_boxed: unsafe extern "C" fn(
        call: *mut Call,
        key: Bytes,
        type_id: u32,
        tag: u32,
        boxed: Opaque,
        flags: u32,
        entry_out: *mut Entry,
    ) -> Status,
    /// Give an inline value another length, keeping the bytes up to the shorter
    /// one, and another tag. `entry` is updated. Bytes that it grows by are not initialised.
    ///
    /// Thread: main. Borrow: as [`Entry`] says. Fails: `OUT_OF_MEMORY`; `NOT_ALLOWED` for a boxed value, for a
    /// type that `put` would not take, and where keys stay as they are. Nothing changed then.
    pub resize: unsafe extern "C" fn(call: *mut Call, entry: *mut Entry, tag: u32, len: usize, flags: u32) -> Status,
    /// Turn an inline value into a boxed one of the same type; its bytes are gone.
    ///
    /// Thread: main. Borrow: as [`Entry`] says; `boxed` belongs to the host on
    /// success. Fails: as `resize`, a boxed value included.
    pub set_boxed: unsafe extern "C" fn(call: *mut Call, entry: *mut Entry, tag: u32, boxed: Opaque) -> Status,
    /// Remove a key.
    ///
    /// Thread: main. Borrow: `key` for the call. Fails: `NONE`.
    pub remove: unsafe extern "C" fn(call: *mut Call, key: Bytes, flags: u32) -> Status,
    /// Say that a key's value changed (or that it was made or removed), and publish
    /// `event` in class `class`, which may have [`EVENT_UNAWAITED`], [`EVENT_UNWATCHED`] and
    /// [`EVENT_UNCOUNTED`] beside it; without an event, of which hooks are not told either, when it is
    /// empty. Entries stay valid.
    ///
    /// Thread: main. Borrow: all for the call. Fails: never.
    pub modified: unsafe extern "C" fn(call: *mut Call, key: Bytes, class: u32, event: Bytes),
    /// Publish an event without saying that the value changed. Entries stay valid.
    ///
    /// Thread: main. Borrow: all for the call. Fails: never.
    pub notify: unsafe extern "C" fn(call: *mut Call, key: Bytes, class: u32, event: Bytes),
    /// Set a key's expiry, Unix time in ms, or take it away with
    /// [`EXPIRE_NONE`]. `entry` is updated.
    ///
    /// Thread: main. Borrow: as [`Entry`] says. Fails: `OUT_OF_MEMORY`.
    pub set_expire: unsafe extern "C" fn(call: *mut Call, entry: *mut Entry, expire_at_ms: i64) -> Status,
    /// Give a key, its value and its expiry another name, removing what was there.
    /// Says that both changed, without an event.
    ///
    /// Thread: main. Borrow: both for the call. Fails: `NONE`; `EXISTS` when
    /// `only_absent` is not 0 and `to` is there.
    pub rename: unsafe extern "C" fn(call: *mut Call, from: Bytes, to: Bytes, only_absent: u32) -> Status,
    /// Move a key to another database.
    ///
    /// Thread: main. Borrow: `key` for the call. Fails: `NONE`, `EXISTS`, `DB_RANGE`.
    pub move_to: unsafe extern "C" fn(call: *mut Call, key: Bytes, db: u32) -> Status,
    /// Copy a key with its expiry to another name in database `db`.
    ///
    /// Thread: main. Borrow: both for the call. Fails: `NONE`; `EXISTS` when
    /// `replace` is 0 and `to` is there; `DB_RANGE`, `OUT_OF_MEMORY`, `UNSUPPORTED`
    /// for a value that cannot be copied.
    pub copy: unsafe extern "C" fn(call: *mut Call, from: Bytes, to: Bytes, db: u32, replace: u32) -> Status,
    /// A key at random.
    ///
    /// Thread: main. Borrow: `key_out` until the next change of a key. Fails: `NONE`.
    pub random: unsafe extern "C" fn(call: *mut Call, key_out: *mut Bytes) -> Status,
    /// Visit some keys: about `count`, and where to go on. A scan begins and ends
    /// with cursor 0; a key that is there from its begin to its end is visited at
    /// least once. While `visit` runs keys stay as they are: what changes them fails with `NOT_ALLOWED`. Expired
    /// keys are visited with `expired` 1.
    ///
    /// Thread: main. Borrow: what `visit` gets, for that call. Fails: never.
    pub scan: unsafe extern "C" fn(call: *mut Call, cursor: u64, count: usize, visit: Visit, data: Opaque) -> u64,
    /// Number of keys in database `db`.
    ///
    /// Thread: main. Borrow: nothing. Fails: 0 for no such database.
    pub count: unsafe extern "C" fn(call: *mut Call, db: u32) -> u64,
    /// Remove all keys of database `db`, or of all with [`DB_ALL`]; returns how many
    /// there were.
    ///
    /// Thread: main. Borrow: nothing. Fails: never.
    pub flush: unsafe extern "C" fn(call: *mut Call, db: i32, in_background: u32) -> u64,
    /// Exchange two databases.
    ///
    /// Thread: main. Borrow: nothing. Fails: `DB_RANGE`.
    pub swap: unsafe extern "C" fn(call: *mut Call, first: u32, second: u32) -> Status,
    /// Name of a type, whether its module is loaded or not; empty for an unknown id.
    ///
    /// Thread: main. Borrow: until the module is unloaded. Fails: empty.
    pub type_name: unsafe extern "C" fn(call: *mut Call, type_id: u32) -> Bytes,
    /// Id of a loaded type by name, or 0.
    ///
    /// Thread: main. Borrow: `name` for the call. Fails: 0.
    pub type_id: unsafe extern "C" fn(call: *mut Call, name: Bytes) -> u32,
    /// What OBJECT and MEMORY know of an entry. Entries stay valid.
    ///
    /// Thread: main. Borrow: both for the call. Fails: never.
    pub stat: unsafe extern "C" fn(call: *mut Call, entry: *const Entry, stat_out: *mut EntryStat),
    /// A value in the payload form of DUMP, handed to `take`. Its version is the lowest that
    /// holds the value from Redis 7.0's on. Entries stay valid.
    ///
    /// Thread: main. Borrow: `payload` for `take`'s call. Fails: what the type's
    /// `save` returns.
    pub dump: unsafe extern "C" fn(call: *mut Call, entry: *const Entry, take: Take, data: Opaque) -> Status,
    /// Make a key from a payload of DUMP. `idle_s` and `frequency` are -1 when not
    /// given.
    ///
    /// Thread: main. Borrow: all for the call. Fails: `EXISTS`, `BAD_DATA`, and
    /// `NOT_ALLOWED` when version or checksum are wrong.
    pub restore: unsafe extern "C" fn(
        call: *mut Call,
        key: Bytes,
        payload: Bytes,
        expire_at_ms: i64,
        replace: u32,
        idle_s: i64,
        frequency: i64,
    ) -> Status,
    /// Have this call work on another database from now on: for calls that have no client, such as
    /// those of timers. What was handed out for the call before is not used any more.
    ///
    /// Thread: main. Borrow: nothing. Fails: `DB_RANGE`; `NOT_ALLOWED` in a call with a client.
    pub select: unsafe extern "C" fn(call: *mut Call, db: u32) -> Status,
    /// Publish an event of a key in database `db` without saying that the value changed,
    /// as for what `move_to` and `copy` made there. Entries stay valid.
    ///
    /// Thread: main. Borrow: all for the call. Fails: does nothing without such a database.
    pub notify_in: unsafe extern "C" fn(call: *mut Call, db: u32, key: Bytes, class: u32, event: Bytes),
    /// Count so many changes beyond the one of each `modified`, for INFO's `rdb_changes_since_last_save`
    /// and save points: a command that added six elements and said `modified` once says 5. Entries stay
    /// valid.
    ///
    /// Thread: main. Borrow: nothing. Fails: never.
    pub count_more: unsafe extern "C" fn(call: *mut Call, changes: u64),
    /// As `dump`, for a server whose RDB version is known: 80 is Valkey 9's.
    ///
    /// Thread: main. Borrow: `payload` for `take`'s call. Fails: `UNSUPPORTED` for a value that this
    /// version cannot hold; what the type's `save` returns.
    pub dump_for: unsafe extern "C" fn(
        call: *mut Call,
        entry: *const Entry,
        rdb_version: u32,
        take: Take,
        data: Opaque,
    ) -> Status,
}
