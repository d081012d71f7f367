// Generated from module-api/abi/src/set.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.set/1`: sets, for other modules; provided by whichever module implements them.
//
// Members are handed out as bytes; one that is kept as an integer as its digits.
//
// What is only read counts neither as a hit nor as a miss of the keyspace: who serves a command
// with it looks at the key once through `plinth.keys/1`.

#ifndef PLINTH_SET_H
#define PLINTH_SET_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_set_service plinth_set_service;

// Id of the service below.
#define PLINTH_SET_SERVICE "plinth.set/1"

// Called by `plinth_set_service.visit` for each member; 0 ends the visit.
typedef uint32_t (*plinth_visit_member)(void *data, plinth_bytes member);

// The service's table.
struct plinth_set_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // How many members a set has.
    //
    // Thread: main. Borrow: `key` for the call. Fails: `PLINTH_STATUS_NONE`,
    // `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*len)(plinth_call *call, plinth_bytes key, size_t *len_out);

    // Whether a set has a member: 1 or 0.
    //
    // Thread: main. Borrow: both for the call. Fails: `PLINTH_STATUS_NONE` for no such key,
    // `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*contains)(plinth_call *call, plinth_bytes key, plinth_bytes member,
                              uint32_t *contains_out);

    // Visit each member once, in no particular order. `visit` must not touch keys.
    //
    // Thread: main. Borrow: what `visit` gets, for that call. Fails: `PLINTH_STATUS_NONE`,
    // `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*visit)(plinth_call *call, plinth_bytes key, plinth_visit_member visit,
                           void *data);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_set_service, 32);
PLINTH_ASSERT_OFFSET(plinth_set_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_set_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_set_service, len, 8);
PLINTH_ASSERT_OFFSET(plinth_set_service, contains, 16);
PLINTH_ASSERT_OFFSET(plinth_set_service, visit, 24);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_SET_H
