// Generated from module-api/abi/src/replication.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.replication/1`: whose copy the data are, how far the stream of changes is, and
// who reads it.
//
// What changes of it is told to hooks for `PLINTH_ON_ROLE`, `PLINTH_ON_LINK`, `PLINTH_ON_REPLICA`
// and `PLINTH_ON_REPLICA_GONE` of `events.h`, after it has happened: a hook asks here what is so
// now.

#ifndef PLINTH_REPLICATION_H
#define PLINTH_REPLICATION_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_replica plinth_replica;
typedef struct plinth_replication_service plinth_replication_service;
typedef struct plinth_replication_state plinth_replication_state;

// The data are nobody's copy.
#define PLINTH_ROLE_PRIMARY UINT32_C(0)
// They are a copy of another server's.
#define PLINTH_ROLE_REPLICA UINT32_C(1)

// There is no link: this is a primary.
#define PLINTH_LINK_NONE UINT32_C(0)
// It is to be made.
#define PLINTH_LINK_CONNECT UINT32_C(1)
// The connection is being made.
#define PLINTH_LINK_CONNECTING UINT32_C(2)
// Both say what they can.
#define PLINTH_LINK_HANDSHAKE UINT32_C(3)
// The primary's data are being taken in.
#define PLINTH_LINK_SYNCING UINT32_C(4)
// The stream is read.
#define PLINTH_LINK_UP UINT32_C(5)

// A replica waits for a snapshot, or is being sent one.
#define PLINTH_REPLICA_SYNCING UINT32_C(0)
// It reads the stream.
#define PLINTH_REPLICA_ONLINE UINT32_C(1)

// Role, link and stream. The texts are valid until the handler returns, or the next `follow` or
// `promote`.
struct plinth_replication_state {
    // Size of this struct in bytes.
    uint32_t size;
    // `PLINTH_ROLE_*`.
    uint32_t role;
    // `PLINTH_LINK_*`.
    uint32_t link;
    // The primary's port, 0 if this is one.
    uint32_t primary_port;
    // The primary's name or address, empty if this is one.
    plinth_bytes primary_host;
    // Id of the stream, 40 hex digits.
    plinth_bytes id;
    // Its id before the last promotion, 40 zeros for none.
    plinth_bytes second_id;
    // The first offset that is of `id` alone, -1 for none.
    int64_t second_offset;
    // Bytes of the stream so far. It stands still while nobody reads it and nothing of it is kept.
    int64_t offset;
};

// A replica. The text is valid for the visitor's call.
struct plinth_replica {
    // Size of this struct in bytes.
    uint32_t size;
    // `PLINTH_REPLICA_*`.
    uint32_t stage;
    // The port that it serves, 0 if it has not said.
    uint32_t port;
    // Seconds since it was heard of.
    uint32_t lag_s;
    // Its address.
    plinth_bytes address;
    // Its connection.
    uint64_t client_id;
    // The offset that it has acknowledged.
    int64_t acknowledged;
    // The offset up to which it says that the stream lasts in its append-only file, -1 if it has
    // not said.
    int64_t synced;
};

// Called for each replica; 0 ends the visit.
typedef uint32_t (*plinth_visit_replica)(const plinth_replica *replica, void *data);

// Id of the service below.
#define PLINTH_REPLICATION_SERVICE "plinth.replication/1"

// The service's table.
struct plinth_replication_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // Role, link and stream.
    //
    // Thread: main. Borrow: its texts until the handler returns, or the next call of `follow` or
    // `promote`. Fails: never.
    plinth_status (*state)(plinth_call *call, plinth_replication_state *state_out);

    // Visit the servers that read the stream, or are about to. The visitor calls nothing of the
    // host.
    //
    // Thread: main. Borrow: `data` for the call. Fails: never.
    plinth_status (*visit)(plinth_call *call, plinth_visit_replica visit, void *data);

    // Become a copy of another server, as REPLICAOF does: data and stream are kept until that
    // server has said whether it goes on with them.
    //
    // Thread: main. Borrow: `host` for the call. Fails: `PLINTH_STATUS_OUT_OF_RANGE` for no port,
    // `PLINTH_STATUS_BAD_DATA` for a host with spaces, control characters or none at all,
    // `PLINTH_STATUS_NOT_ALLOWED` inside `start`, while data are being loaded, and while a command
    // gives way.
    plinth_status (*follow)(plinth_call *call, plinth_bytes host, uint32_t port);

    // Become nobody's copy: those who have read the stream may go on reading it here.
    //
    // Thread: main. Borrow: nothing. Fails: `PLINTH_STATUS_NONE` if this is a primary,
    // `PLINTH_STATUS_NOT_ALLOWED` as `follow`.
    plinth_status (*promote)(plinth_call *call);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_replication_state, 80);
PLINTH_ASSERT_OFFSET(plinth_replication_state, size, 0);
PLINTH_ASSERT_OFFSET(plinth_replication_state, role, 4);
PLINTH_ASSERT_OFFSET(plinth_replication_state, link, 8);
PLINTH_ASSERT_OFFSET(plinth_replication_state, primary_port, 12);
PLINTH_ASSERT_OFFSET(plinth_replication_state, primary_host, 16);
PLINTH_ASSERT_OFFSET(plinth_replication_state, id, 32);
PLINTH_ASSERT_OFFSET(plinth_replication_state, second_id, 48);
PLINTH_ASSERT_OFFSET(plinth_replication_state, second_offset, 64);
PLINTH_ASSERT_OFFSET(plinth_replication_state, offset, 72);
PLINTH_ASSERT_SIZE(plinth_replica, 56);
PLINTH_ASSERT_OFFSET(plinth_replica, size, 0);
PLINTH_ASSERT_OFFSET(plinth_replica, stage, 4);
PLINTH_ASSERT_OFFSET(plinth_replica, port, 8);
PLINTH_ASSERT_OFFSET(plinth_replica, lag_s, 12);
PLINTH_ASSERT_OFFSET(plinth_replica, address, 16);
PLINTH_ASSERT_OFFSET(plinth_replica, client_id, 32);
PLINTH_ASSERT_OFFSET(plinth_replica, acknowledged, 40);
PLINTH_ASSERT_OFFSET(plinth_replica, synced, 48);
PLINTH_ASSERT_SIZE(plinth_replication_service, 40);
PLINTH_ASSERT_OFFSET(plinth_replication_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_replication_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_replication_service, state, 8);
PLINTH_ASSERT_OFFSET(plinth_replication_service, visit, 16);
PLINTH_ASSERT_OFFSET(plinth_replication_service, follow, 24);
PLINTH_ASSERT_OFFSET(plinth_replication_service, promote, 32);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_REPLICATION_H
