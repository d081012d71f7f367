// Generated from module-api/abi/src/keys.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.keys/1`: keys, their values, and their expiry.
//
// Every function works on the database selected in the call unless it takes a number. Whoever
// changed a value says so with `plinth_keys_service.modified`: that is what WATCH, keyspace events,
// client-side caching and durability hang on. Renaming, moving, copying, flushing and swapping say
// by themselves that keys changed, and an expired key's removal says and publishes it; only the
// events are the caller's.

#ifndef PLINTH_KEYS_H
#define PLINTH_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_entry plinth_entry;
typedef struct plinth_entry_stat plinth_entry_stat;
typedef struct plinth_keys_service plinth_keys_service;

// Id of the service below.
#define PLINTH_KEYS_SERVICE "plinth.keys/1"

// `plinth_keys_service.get`: do not renew the key's access clock.
#define PLINTH_GET_NO_TOUCH (UINT32_C(1) << 0)
// `plinth_keys_service.get`: do not count a hit or a miss.
#define PLINTH_GET_NO_STATS (UINT32_C(1) << 1)
// `plinth_keys_service.get`: the value is going to be changed.
#define PLINTH_GET_WRITE (UINT32_C(1) << 2)
// `plinth_keys_service.get`: entries that were got before with this flag stay valid, as long as
// nothing but such calls came in between. For reading several values at one time.
#define PLINTH_GET_HOLD (UINT32_C(1) << 3)

// `plinth_keys_service.put`: keep the key's expiry.
#define PLINTH_PUT_KEEP_EXPIRY (UINT32_C(1) << 0)
// `plinth_keys_service.put`: the caller knows that there is no such key.
#define PLINTH_PUT_ABSENT (UINT32_C(1) << 1)

// `plinth_keys_service.resize`: reserve for further growth, as appending does.
#define PLINTH_RESIZE_AMORTISE (UINT32_C(1) << 0)

// `plinth_keys_service.remove`: free in the background whatever the size.
#define PLINTH_REMOVE_LAZY (UINT32_C(1) << 0)

// Expiry: none.
#define PLINTH_EXPIRE_NONE (INT64_C(-1))

// Database number: all of them.
#define PLINTH_DB_ALL (-1)

// Class of an event that is told to hooks and published to nobody: a change that is none to users,
// such as a count that is kept with a value.
#define PLINTH_EVENT_UNPUBLISHED UINT32_C(0)
// Event class `g`: commands on keys of any type.
#define PLINTH_EVENT_GENERIC (UINT32_C(1) << 2)
// Event class `$`.
#define PLINTH_EVENT_STRING (UINT32_C(1) << 3)
// Event class `l`.
#define PLINTH_EVENT_LIST (UINT32_C(1) << 4)
// Event class `s`.
#define PLINTH_EVENT_SET (UINT32_C(1) << 5)
// Event class `h`.
#define PLINTH_EVENT_HASH (UINT32_C(1) << 6)
// Event class `z`.
#define PLINTH_EVENT_ZSET (UINT32_C(1) << 7)
// Event class `x`.
#define PLINTH_EVENT_EXPIRED (UINT32_C(1) << 8)
// Event class `e`.
#define PLINTH_EVENT_EVICTED (UINT32_C(1) << 9)
// Event class `t`.
#define PLINTH_EVENT_STREAM (UINT32_C(1) << 10)
// Event class `m`.
#define PLINTH_EVENT_MISS (UINT32_C(1) << 11)
// Event class `d`: types of other modules.
#define PLINTH_EVENT_MODULE (UINT32_C(1) << 13)
// Event class `n`.
#define PLINTH_EVENT_NEW (UINT32_C(1) << 14)
// Beside a class in `plinth_keys_service.modified`: nobody who waits for the key waits for this
// change, so nobody is run again for it. Hooks do not see the bit.
#define PLINTH_EVENT_UNAWAITED (UINT32_C(1) << 31)
// Beside a class in `plinth_keys_service.modified`: who watches the key does not mind this change,
// so no transaction is spoiled by it. Hooks do not see the bit.
#define PLINTH_EVENT_UNWATCHED (UINT32_C(1) << 30)
// Beside a class in `plinth_keys_service.modified`: what happened to this key is part of a change
// that the same command counts for another, as with what an element is moved to. Hooks do not see
// the bit.
#define PLINTH_EVENT_UNCOUNTED (UINT32_C(1) << 29)

// A key that was found or made. `data` and `len` may be read and written in place; the whole is
// valid until the next call of this service that takes a key or an entry (other than `modified`,
// the readers marked so, and see `PLINTH_GET_HOLD`).
struct plinth_entry {
    // Size of this struct in bytes.
    uint32_t size;
    // Id of the value's type.
    uint32_t type_id;
    // `PLINTH_FORM_*`.
    uint32_t form;
    // The module's own, 0 to 15.
    uint32_t tag;
    // Inline: the bytes.
    uint8_t *data;
    // Inline: how many.
    size_t len;
    // Boxed: the address.
    void *boxed;
    // Unix time in ms at which the key expires, or `PLINTH_EXPIRE_NONE`.
    int64_t expire_at_ms;
    // The host's own: the entry.
    void *entry;
    // The host's own: hash of the key.
    uint64_t hash;
};

// What OBJECT and MEMORY know of a key.
struct plinth_entry_stat {
    // Size of this struct in bytes.
    uint32_t size;
    // Seconds since the last access; under an LFU policy 0.
    uint32_t idle_s;
    // Logarithmic access counter; under an LRU policy 0.
    uint32_t frequency;
    // 1 when an LFU policy is chosen, so that `frequency` counts.
    uint32_t lfu;
    // What OBJECT ENCODING answers.
    plinth_bytes encoding;
    // Bytes of entry, key, and value.
    size_t memory;
    // Address of the entry, for DEBUG OBJECT.
    uint64_t address;
};

// Called by `plinth_keys_service.scan` for each key.
typedef void (*plinth_visit)(void *data, plinth_bytes key, uint32_t type_id, uint32_t expired);

// The service's table.
struct plinth_keys_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // Find a key. `type_id` 0 takes any type. An expired key is not there.
    //
    // Thread: main. Borrow: `entry_out` as `plinth_entry` says. Fails: `PLINTH_STATUS_NONE`,
    // `PLINTH_STATUS_WRONG_TYPE`, `PLINTH_STATUS_GHOST`.
    plinth_status (*get)(plinth_call *call, plinth_bytes key, uint32_t type_id, uint32_t flags,
                         plinth_entry *entry_out);

    // Make a key, or replace its value whatever its type, by `len` inline bytes that the caller
    // fills through `entry_out`: they are not initialised. The type is the module's, or that of a
    // module whose services it uses, for their functions run with its call.
    //
    // Thread: main. Borrow: as `plinth_entry` says. Fails: `PLINTH_STATUS_OUT_OF_MEMORY`;
    // `PLINTH_STATUS_EXISTS` with `PLINTH_PUT_ABSENT`; `PLINTH_STATUS_UNSUPPORTED` for another type
    // or tag; `PLINTH_STATUS_NOT_ALLOWED` where keys stay as they are (in a hook on keys and while
    // `scan`(KeysService::scan) visits). Nothing changed then.
    plinth_status (*put)(plinth_call *call, plinth_bytes key, uint32_t type_id, uint32_t tag,
                         size_t len, uint32_t flags, plinth_entry *entry_out);

    // Make a key, or replace its value, by a boxed value.
    //
    // Thread: main. Borrow: as `plinth_entry` says; `boxed` belongs to the host on success. Fails:
    // as `put`.
    plinth_status (*put_boxed)(plinth_call *call, plinth_bytes key, uint32_t type_id, uint32_t tag,
                               void *boxed, uint32_t flags, plinth_entry *entry_out);

    // Give an inline value another length, keeping the bytes up to the shorter one, and another
    // tag. `entry` is updated. Bytes that it grows by are not initialised.
    //
    // Thread: main. Borrow: as `plinth_entry` says. Fails: `PLINTH_STATUS_OUT_OF_MEMORY`;
    // `PLINTH_STATUS_NOT_ALLOWED` for a boxed value, for a type that `put` would not take, and
    // where keys stay as they are. Nothing changed then.
    plinth_status (*resize)(plinth_call *call, plinth_entry *entry, uint32_t tag, size_t len,
                            uint32_t flags);

    // Turn an inline value into a boxed one of the same type; its bytes are gone.
    //
    // Thread: main. Borrow: as `plinth_entry` says; `boxed` belongs to the host on success. Fails:
    // as `resize`, a boxed value included.
    plinth_status (*set_boxed)(plinth_call *call, plinth_entry *entry, uint32_t tag, void *boxed);

    // Remove a key.
    //
    // Thread: main. Borrow: `key` for the call. Fails: `PLINTH_STATUS_NONE`.
    plinth_status (*remove)(plinth_call *call, plinth_bytes key, uint32_t flags);

    // Say that a key's value changed (or that it was made or removed), and publish `event` in class
    // `class_`, which may have `PLINTH_EVENT_UNAWAITED`, `PLINTH_EVENT_UNWATCHED` and
    // `PLINTH_EVENT_UNCOUNTED` beside it; without an event, of which hooks are not told either,
    // when it is empty. Entries stay valid.
    //
    // Thread: main. Borrow: all for the call. Fails: never.
    void (*modified)(plinth_call *call, plinth_bytes key, uint32_t class_, plinth_bytes event);

    // Publish an event without saying that the value changed. Entries stay valid.
    //
    // Thread: main. Borrow: all for the call. Fails: never.
    void (*notify)(plinth_call *call, plinth_bytes key, uint32_t class_, plinth_bytes event);

    // Set a key's expiry, Unix time in ms, or take it away with `PLINTH_EXPIRE_NONE`. `entry` is
    // updated.
    //
    // Thread: main. Borrow: as `plinth_entry` says. Fails: `PLINTH_STATUS_OUT_OF_MEMORY`.
    plinth_status (*set_expire)(plinth_call *call, plinth_entry *entry, int64_t expire_at_ms);

    // Give a key, its value and its expiry another name, removing what was there. Says that both
    // changed, without an event.
    //
    // Thread: main. Borrow: both for the call. Fails: `PLINTH_STATUS_NONE`; `PLINTH_STATUS_EXISTS`
    // when `only_absent` is not 0 and `to` is there.
    plinth_status (*rename)(plinth_call *call, plinth_bytes from, plinth_bytes to,
                            uint32_t only_absent);

    // Move a key to another database.
    //
    // Thread: main. Borrow: `key` for the call. Fails: `PLINTH_STATUS_NONE`,
    // `PLINTH_STATUS_EXISTS`, `PLINTH_STATUS_DB_RANGE`.
    plinth_status (*move_to)(plinth_call *call, plinth_bytes key, uint32_t db);

    // Copy a key with its expiry to another name in database `db`.
    //
    // Thread: main. Borrow: both for the call. Fails: `PLINTH_STATUS_NONE`; `PLINTH_STATUS_EXISTS`
    // when `replace` is 0 and `to` is there; `PLINTH_STATUS_DB_RANGE`,
    // `PLINTH_STATUS_OUT_OF_MEMORY`, `PLINTH_STATUS_UNSUPPORTED` for a value that cannot be copied.
    plinth_status (*copy)(plinth_call *call, plinth_bytes from, plinth_bytes to, uint32_t db,
                          uint32_t replace);

    // A key at random.
    //
    // Thread: main. Borrow: `key_out` until the next change of a key. Fails: `PLINTH_STATUS_NONE`.
    plinth_status (*random)(plinth_call *call, plinth_bytes *key_out);

    // Visit some keys: about `count`, and where to go on. A scan begins and ends with cursor 0; a
    // key that is there from its begin to its end is visited at least once. While `visit` runs keys
    // stay as they are: what changes them fails with `PLINTH_STATUS_NOT_ALLOWED`. Expired keys are
    // visited with `expired` 1.
    //
    // Thread: main. Borrow: what `visit` gets, for that call. Fails: never.
    uint64_t (*scan)(plinth_call *call, uint64_t cursor, size_t count, plinth_visit visit,
                     void *data);

    // Number of keys in database `db`.
    //
    // Thread: main. Borrow: nothing. Fails: 0 for no such database.
    uint64_t (*count)(plinth_call *call, uint32_t db);

    // Remove all keys of database `db`, or of all with `PLINTH_DB_ALL`; returns how many there
    // were.
    //
    // Thread: main. Borrow: nothing. Fails: never.
    uint64_t (*flush)(plinth_call *call, int32_t db, uint32_t in_background);

    // Exchange two databases.
    //
    // Thread: main. Borrow: nothing. Fails: `PLINTH_STATUS_DB_RANGE`.
    plinth_status (*swap)(plinth_call *call, uint32_t first, uint32_t second);

    // Name of a type, whether its module is loaded or not; empty for an unknown id.
    //
    // Thread: main. Borrow: until the module is unloaded. Fails: empty.
    plinth_bytes (*type_name)(plinth_call *call, uint32_t type_id);

    // Id of a loaded type by name, or 0.
    //
    // Thread: main. Borrow: `name` for the call. Fails: 0.
    uint32_t (*type_id)(plinth_call *call, plinth_bytes name);

    // What OBJECT and MEMORY know of an entry. Entries stay valid.
    //
    // Thread: main. Borrow: both for the call. Fails: never.
    void (*stat)(plinth_call *call, const plinth_entry *entry, plinth_entry_stat *stat_out);

    // A value in the payload form of DUMP, handed to `take`. Its version is the lowest that holds
    // the value from Redis 7.0's on. Entries stay valid.
    //
    // Thread: main. Borrow: `payload` for `take`'s call. Fails: what the type's `save` returns.
    plinth_status (*dump)(plinth_call *call, const plinth_entry *entry, plinth_take take,
                          void *data);

    // Make a key from a payload of DUMP. `idle_s` and `frequency` are -1 when not given.
    //
    // Thread: main. Borrow: all for the call. Fails: `PLINTH_STATUS_EXISTS`,
    // `PLINTH_STATUS_BAD_DATA`, and `PLINTH_STATUS_NOT_ALLOWED` when version or checksum are wrong.
    plinth_status (*restore)(plinth_call *call, plinth_bytes key, plinth_bytes payload,
                             int64_t expire_at_ms, uint32_t replace, int64_t idle_s,
                             int64_t frequency);

    // Have this call work on another database from now on: for calls that have no client, such as
    // those of timers. What was handed out for the call before is not used any more.
    //
    // Thread: main. Borrow: nothing. Fails: `PLINTH_STATUS_DB_RANGE`; `PLINTH_STATUS_NOT_ALLOWED`
    // in a call with a client.
    plinth_status (*select)(plinth_call *call, uint32_t db);

    // Publish an event of a key in database `db` without saying that the value changed, as for what
    // `move_to` and `copy` made there. Entries stay valid.
    //
    // Thread: main. Borrow: all for the call. Fails: does nothing without such a database.
    void (*notify_in)(plinth_call *call, uint32_t db, plinth_bytes key, uint32_t class_,
                      plinth_bytes event);

    // Count so many changes beyond the one of each `modified`, for INFO's
    // `rdb_changes_since_last_save` and save points: a command that added six elements and said
    // `modified` once says 5. Entries stay valid.
    //
    // Thread: main. Borrow: nothing. Fails: never.
    void (*count_more)(plinth_call *call, uint64_t changes);

    // As `dump`, for a server whose RDB version is known: 80 is Valkey 9's.
    //
    // Thread: main. Borrow: `payload` for `take`'s call. Fails: `PLINTH_STATUS_UNSUPPORTED` for a
    // value that this version cannot hold; what the type's `save` returns.
    plinth_status (*dump_for)(plinth_call *call, const plinth_entry *entry, uint32_t rdb_version,
                              plinth_take take, void *data);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_entry, 64);
PLINTH_ASSERT_OFFSET(plinth_entry, size, 0);
PLINTH_ASSERT_OFFSET(plinth_entry, type_id, 4);
PLINTH_ASSERT_OFFSET(plinth_entry, form, 8);
PLINTH_ASSERT_OFFSET(plinth_entry, tag, 12);
PLINTH_ASSERT_OFFSET(plinth_entry, data, 16);
PLINTH_ASSERT_OFFSET(plinth_entry, len, 24);
PLINTH_ASSERT_OFFSET(plinth_entry, boxed, 32);
PLINTH_ASSERT_OFFSET(plinth_entry, expire_at_ms, 40);
PLINTH_ASSERT_OFFSET(plinth_entry, entry, 48);
PLINTH_ASSERT_OFFSET(plinth_entry, hash, 56);
PLINTH_ASSERT_SIZE(plinth_entry_stat, 48);
PLINTH_ASSERT_OFFSET(plinth_entry_stat, size, 0);
PLINTH_ASSERT_OFFSET(plinth_entry_stat, idle_s, 4);
PLINTH_ASSERT_OFFSET(plinth_entry_stat, frequency, 8);
PLINTH_ASSERT_OFFSET(plinth_entry_stat, lfu, 12);
PLINTH_ASSERT_OFFSET(plinth_entry_stat, encoding, 16);
PLINTH_ASSERT_OFFSET(plinth_entry_stat, memory, 32);
PLINTH_ASSERT_OFFSET(plinth_entry_stat, address, 40);
PLINTH_ASSERT_SIZE(plinth_keys_service, 216);
PLINTH_ASSERT_OFFSET(plinth_keys_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_keys_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_keys_service, get, 8);
PLINTH_ASSERT_OFFSET(plinth_keys_service, put, 16);
PLINTH_ASSERT_OFFSET(plinth_keys_service, put_boxed, 24);
PLINTH_ASSERT_OFFSET(plinth_keys_service, resize, 32);
PLINTH_ASSERT_OFFSET(plinth_keys_service, set_boxed, 40);
PLINTH_ASSERT_OFFSET(plinth_keys_service, remove, 48);
PLINTH_ASSERT_OFFSET(plinth_keys_service, modified, 56);
PLINTH_ASSERT_OFFSET(plinth_keys_service, notify, 64);
PLINTH_ASSERT_OFFSET(plinth_keys_service, set_expire, 72);
PLINTH_ASSERT_OFFSET(plinth_keys_service, rename, 80);
PLINTH_ASSERT_OFFSET(plinth_keys_service, move_to, 88);
PLINTH_ASSERT_OFFSET(plinth_keys_service, copy, 96);
PLINTH_ASSERT_OFFSET(plinth_keys_service, random, 104);
PLINTH_ASSERT_OFFSET(plinth_keys_service, scan, 112);
PLINTH_ASSERT_OFFSET(plinth_keys_service, count, 120);
PLINTH_ASSERT_OFFSET(plinth_keys_service, flush, 128);
PLINTH_ASSERT_OFFSET(plinth_keys_service, swap, 136);
PLINTH_ASSERT_OFFSET(plinth_keys_service, type_name, 144);
PLINTH_ASSERT_OFFSET(plinth_keys_service, type_id, 152);
PLINTH_ASSERT_OFFSET(plinth_keys_service, stat, 160);
PLINTH_ASSERT_OFFSET(plinth_keys_service, dump, 168);
PLINTH_ASSERT_OFFSET(plinth_keys_service, restore, 176);
PLINTH_ASSERT_OFFSET(plinth_keys_service, select, 184);
PLINTH_ASSERT_OFFSET(plinth_keys_service, notify_in, 192);
PLINTH_ASSERT_OFFSET(plinth_keys_service, count_more, 200);
PLINTH_ASSERT_OFFSET(plinth_keys_service, dump_for, 208);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_KEYS_H
