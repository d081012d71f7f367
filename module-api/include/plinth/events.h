// Generated from module-api/abi/src/events.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.events/1`: being told what happens to keys, databases, modules, clients and the
// server.

#ifndef PLINTH_EVENTS_H
#define PLINTH_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_event plinth_event;
typedef struct plinth_events_service plinth_events_service;
typedef struct plinth_unit plinth_unit; // propagate.h

// Something happened to a key; `class_` and `name` say what. Comes for every change, whether
// `notify-keyspace-events` is set or not.
#define PLINTH_ON_KEY (UINT32_C(1) << 0)
// A database was flushed; `db` is -1 for all.
#define PLINTH_ON_FLUSH (UINT32_C(1) << 1)
// Two databases changed places: `db` and `other_db`.
#define PLINTH_ON_SWAP (UINT32_C(1) << 2)
// A module was loaded; `key` holds its name.
#define PLINTH_ON_MODULE_LOADED (UINT32_C(1) << 3)
// A module was unloaded; `key` holds its name.
#define PLINTH_ON_MODULE_UNLOADED (UINT32_C(1) << 4)
// A client connected; `client_id` says which.
#define PLINTH_ON_CLIENT_OPEN (UINT32_C(1) << 5)
// A client is gone.
#define PLINTH_ON_CLIENT_CLOSE (UINT32_C(1) << 6)
// A parameter was set; `key` holds its name.
#define PLINTH_ON_CONFIG (UINT32_C(1) << 7)
// The server is going to stop.
#define PLINTH_ON_SHUTDOWN (UINT32_C(1) << 8)
// A client has taken its connection back to the state that it began in (RESET); `client_id` says
// which.
#define PLINTH_ON_CLIENT_RESET (UINT32_C(1) << 9)
// What a user may do has changed: `key` holds its name, or is empty when it may be any. What a
// client does without a command, such as listening, is to be looked at again with `plinth.acl/1`.
#define PLINTH_ON_ACL (UINT32_C(1) << 10)
// Whose copy the data are has changed; see `replication.h`, as for the next three.
#define PLINTH_ON_ROLE (UINT32_C(1) << 11)
// The link to the primary has reached another state.
#define PLINTH_ON_LINK (UINT32_C(1) << 12)
// A replica reads the stream from now on: `client_id` is its connection, `key` its address and
// port.
#define PLINTH_ON_REPLICA (UINT32_C(1) << 13)
// A replica that has read the stream is gone.
#define PLINTH_ON_REPLICA_GONE (UINT32_C(1) << 14)
// A unit was passed on, or has been read from the append-only file; `unit` is it. A hook for it
// must not change keys either, nor tell commands. Without a hook for it units cost nothing.
#define PLINTH_ON_UNIT (UINT32_C(1) << 15)

// One event. Valid for the hook's call.
struct plinth_event {
    // Size of this struct in bytes.
    uint32_t size;
    // One `PLINTH_ON_*` bit.
    uint32_t kind;
    // Class of a key's event, an `PLINTH_EVENT_*` bit of `keys.h`.
    uint32_t class_;
    // Database.
    int32_t db;
    // The other database of a swap.
    int32_t other_db;
    // Must be 0.
    uint32_t reserved;
    // Name of a key's event, such as `"set"`.
    plinth_bytes name;
    // Key, or name of the module or parameter.
    plinth_bytes key;
    // Client.
    uint64_t client_id;
    // For `PLINTH_ON_UNIT`; otherwise null.
    const plinth_unit *unit;
};

// Id of the service below.
#define PLINTH_EVENTS_SERVICE "plinth.events/1"

// Called for each event subscribed to.
typedef void (*plinth_hook)(plinth_call *call, const plinth_event *event, void *data);

// The service's table.
struct plinth_events_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // Call `hook` for every event of `kinds`. A hook for `PLINTH_ON_KEY` may read keys and must not
    // change them. A subscription is not told of what its own run brings about, directly or through
    // others that are told of it. It is removed with the module.
    //
    // Thread: main. Borrow: `data` until unsubscribed. Fails: `PLINTH_STATUS_UNSUPPORTED` for an
    // unknown kind, `PLINTH_STATUS_OUT_OF_RANGE` when the module has 1024.
    plinth_status (*subscribe)(plinth_call *call, uint32_t kinds, plinth_hook hook, void *data,
                               uint64_t *id_out);

    // End a subscription of this module.
    //
    // Thread: main. Borrow: nothing. Fails: `PLINTH_STATUS_NONE`.
    plinth_status (*unsubscribe)(plinth_call *call, uint64_t id);

    // As `subscribe` for `PLINTH_ON_KEY`, of events of some classes only (`PLINTH_EVENT_*` bits of
    // `keys.h`): others cost nothing on its account.
    //
    // Thread: main. Borrow: `data` until unsubscribed. Fails: `PLINTH_STATUS_UNSUPPORTED` without a
    // class, `PLINTH_STATUS_OUT_OF_RANGE` when the module has 1024.
    plinth_status (*subscribe_keys)(plinth_call *call, uint32_t classes, plinth_hook hook,
                                    void *data, uint64_t *id_out);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_event, 72);
PLINTH_ASSERT_OFFSET(plinth_event, size, 0);
PLINTH_ASSERT_OFFSET(plinth_event, kind, 4);
PLINTH_ASSERT_OFFSET(plinth_event, class_, 8);
PLINTH_ASSERT_OFFSET(plinth_event, db, 12);
PLINTH_ASSERT_OFFSET(plinth_event, other_db, 16);
PLINTH_ASSERT_OFFSET(plinth_event, reserved, 20);
PLINTH_ASSERT_OFFSET(plinth_event, name, 24);
PLINTH_ASSERT_OFFSET(plinth_event, key, 40);
PLINTH_ASSERT_OFFSET(plinth_event, client_id, 56);
PLINTH_ASSERT_OFFSET(plinth_event, unit, 64);
PLINTH_ASSERT_SIZE(plinth_events_service, 32);
PLINTH_ASSERT_OFFSET(plinth_events_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_events_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_events_service, subscribe, 8);
PLINTH_ASSERT_OFFSET(plinth_events_service, unsubscribe, 16);
PLINTH_ASSERT_OFFSET(plinth_events_service, subscribe_keys, 24);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_EVENTS_H
