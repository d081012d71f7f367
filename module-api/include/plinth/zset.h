// Generated from module-api/abi/src/zset.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.zset/1`: sorted sets, for other modules; provided by whichever module implements
// them.
//
// Members are handed out as bytes, in the order of their scores and then of their bytes; the first
// has rank 0. Scores are never NaN.

#ifndef PLINTH_ZSET_H
#define PLINTH_ZSET_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_zset_service plinth_zset_service;

// Id of the service below.
#define PLINTH_ZSET_SERVICE "plinth.zset/1"

// Called by `plinth_zset_service.visit` for each member; 0 ends the visit.
typedef uint32_t (*plinth_visit_scored)(void *data, plinth_bytes member, double score);

// The service's table.
struct plinth_zset_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // How many members a sorted set has.
    //
    // Thread: main. Borrow: `key` for the call. Fails: `PLINTH_STATUS_NONE`,
    // `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*len)(plinth_call *call, plinth_bytes key, size_t *len_out);

    // A member's score.
    //
    // Thread: main. Borrow: both for the call. Fails: `PLINTH_STATUS_NONE` for no such key or
    // member, `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*score)(plinth_call *call, plinth_bytes key, plinth_bytes member,
                           double *score_out);

    // Visit the members from rank `start` up to `stop`, which is excluded: in their order, or if
    // `reverse` is 1 from `stop` down. Ranks beyond the last are left out. `visit` must not touch
    // keys.
    //
    // Thread: main. Borrow: what `visit` gets, for that call. Fails: `PLINTH_STATUS_NONE`,
    // `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*visit)(plinth_call *call, plinth_bytes key, size_t start, size_t stop,
                           uint32_t reverse, plinth_visit_scored visit, void *data);

    // Add a member, or give it another score; makes the key if missing. The caller then says
    // `modified`.
    //
    // Thread: main. Borrow: both for the call. Fails: `PLINTH_STATUS_WRONG_TYPE`,
    // `PLINTH_STATUS_OUT_OF_MEMORY`, `PLINTH_STATUS_NOT_FLOAT` for NaN.
    plinth_status (*add)(plinth_call *call, plinth_bytes key, plinth_bytes member, double score);

    // Remove a member, and the key with its last. The caller then says `modified`.
    //
    // Thread: main. Borrow: both for the call. Fails: `PLINTH_STATUS_NONE` for no such key or
    // member, `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*remove)(plinth_call *call, plinth_bytes key, plinth_bytes member);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_zset_service, 48);
PLINTH_ASSERT_OFFSET(plinth_zset_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_zset_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_zset_service, len, 8);
PLINTH_ASSERT_OFFSET(plinth_zset_service, score, 16);
PLINTH_ASSERT_OFFSET(plinth_zset_service, visit, 24);
PLINTH_ASSERT_OFFSET(plinth_zset_service, add, 32);
PLINTH_ASSERT_OFFSET(plinth_zset_service, remove, 40);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_ZSET_H
