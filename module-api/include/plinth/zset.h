// Generated from module-api/abi/src/zset.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.zset/1`: sorted sets, for other modules; provided by whichever module implements
// them.
//
// Members are handed out as bytes, in the order of their scores and then of their bytes; the first
// has rank 0. Scores are never NaN.
//
// What is only read counts neither as a hit nor as a miss of the keyspace: who serves a command
// with it looks at the key once through `plinth.keys/1`.

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
typedef struct plinth_member_range plinth_member_range;
typedef struct plinth_score_range plinth_score_range;
typedef struct plinth_scored plinth_scored;
typedef struct plinth_zset_service plinth_zset_service;

// Id of the service below.
#define PLINTH_ZSET_SERVICE "plinth.zset/1"

// Called by `plinth_zset_service.visit` for each member; 0 ends the visit.
typedef uint32_t (*plinth_visit_scored)(void *data, plinth_bytes member, double score);

// Flag of a range: the least score or member itself is left out.
#define PLINTH_ZSET_RANGE_MIN_EXCLUDED (UINT32_C(1) << 0)
// Flag of a range: the greatest score or member itself is left out.
#define PLINTH_ZSET_RANGE_MAX_EXCLUDED (UINT32_C(1) << 1)
// Flag of a range of members: it has no least member, and `min` is not looked at.
#define PLINTH_ZSET_RANGE_MIN_OPEN (UINT32_C(1) << 2)
// Flag of a range of members: it has no greatest member, and `max` is not looked at.
#define PLINTH_ZSET_RANGE_MAX_OPEN (UINT32_C(1) << 3)
// Flag of `plinth_zset_service.put`: only add a member that is not there.
#define PLINTH_ZSET_PUT_NX (UINT32_C(1) << 0)
// Flag of `plinth_zset_service.put`: only change a member that is there.
#define PLINTH_ZSET_PUT_XX (UINT32_C(1) << 1)
// Flag of `plinth_zset_service.put`: change a member only to a greater score; one that is not there
// is added.
#define PLINTH_ZSET_PUT_GT (UINT32_C(1) << 2)
// Flag of `plinth_zset_service.put`: change a member only to a lesser score; one that is not there
// is added.
#define PLINTH_ZSET_PUT_LT (UINT32_C(1) << 3)
// What `plinth_zset_service.put` did: nothing, since a flag forbade it or the member had that
// score.
#define PLINTH_ZSET_PUT_KEPT UINT32_C(0)
// What `plinth_zset_service.put` did: it added the member.
#define PLINTH_ZSET_PUT_ADDED UINT32_C(1)
// What `plinth_zset_service.put` did: it gave the member another score.
#define PLINTH_ZSET_PUT_CHANGED UINT32_C(2)

// A range of scores. It holds nothing where `min` is above `max`. It never grows.
struct plinth_score_range {
    // The least score; not NaN.
    double min;
    // The greatest score; not NaN.
    double max;
    // `PLINTH_ZSET_RANGE_MIN_EXCLUDED` and `PLINTH_ZSET_RANGE_MAX_EXCLUDED` bits.
    uint32_t flags;
    // Must be 0.
    uint32_t reserved;
};

// A range of members in the order of their bytes, in a sorted set whose scores are all the same;
// where they are not, what it holds is unspecified. It never grows.
struct plinth_member_range {
    // The least member.
    plinth_bytes min;
    // The greatest member.
    plinth_bytes max;
    // `PLINTH_ZSET_RANGE_*` bits.
    uint32_t flags;
    // Must be 0.
    uint32_t reserved;
};

// A member with its score. It never grows.
struct plinth_scored {
    // The member.
    plinth_bytes member;
    // Its score.
    double score;
};

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

    // Visit the members of `count` ranges of scores, range by range as they are given, with one
    // look-up of the key: each range in its order, or if `reverse` is 1 from its end. The first
    // `skip` members are passed over, in O(log n) for each range. `visit` must not touch keys.
    //
    // Thread: main. Borrow: what `visit` gets, for that call. Fails: `PLINTH_STATUS_NONE`,
    // `PLINTH_STATUS_WRONG_TYPE`, `PLINTH_STATUS_NOT_FLOAT` for NaN.
    plinth_status (*visit_scores)(plinth_call *call, plinth_bytes key,
                                  const plinth_score_range *ranges, size_t count, size_t skip,
                                  uint32_t reverse, plinth_visit_scored visit, void *data);

    // Visit the members of a range of members, in their order, or if `reverse` is 1 from its end,
    // but for the first `skip`. `visit` must not touch keys.
    //
    // Thread: main. Borrow: what `visit` gets, for that call. Fails: `PLINTH_STATUS_NONE`,
    // `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*visit_members)(plinth_call *call, plinth_bytes key,
                                   const plinth_member_range *range, size_t skip, uint32_t reverse,
                                   plinth_visit_scored visit, void *data);

    // How many members have a score in a range. O(log n).
    //
    // Thread: main. Borrow: all for the call. Fails: `PLINTH_STATUS_NONE`,
    // `PLINTH_STATUS_WRONG_TYPE`, `PLINTH_STATUS_NOT_FLOAT` for NaN.
    plinth_status (*count_scores)(plinth_call *call, plinth_bytes key,
                                  const plinth_score_range *range, size_t *count_out);

    // Add a member or give it another score, as far as `PLINTH_ZSET_PUT_*` flags allow; makes the
    // key if missing and something is added. Writes what it did, one of `PLINTH_ZSET_PUT_KEPT`,
    // `PLINTH_ZSET_PUT_ADDED` and `PLINTH_ZSET_PUT_CHANGED`. Unless it is `PLINTH_ZSET_PUT_KEPT`
    // the caller then says `modified`, once for all members.
    //
    // Thread: main. Borrow: both for the call. Fails: `PLINTH_STATUS_WRONG_TYPE`,
    // `PLINTH_STATUS_OUT_OF_MEMORY`, `PLINTH_STATUS_NOT_FLOAT` for NaN, `PLINTH_STATUS_SYNTAX` for
    // flags that exclude each other, `PLINTH_STATUS_UNSUPPORTED` for others than these.
    plinth_status (*put)(plinth_call *call, plinth_bytes key, plinth_bytes member, double score,
                         uint32_t flags, uint32_t *outcome_out);

    // Replace a key, whatever it held, by a sorted set of these members; its expiry goes. Of a
    // member that is given twice the last score counts. Announces the change under `event`. Without
    // members the key is removed, which is announced as `del` if it was there.
    //
    // Thread: main. Borrow: all for the call. Fails: `PLINTH_STATUS_OUT_OF_MEMORY`,
    // `PLINTH_STATUS_NOT_FLOAT` for NaN, nothing changed.
    plinth_status (*set)(plinth_call *call, plinth_bytes key, const plinth_scored *members,
                         size_t count, plinth_bytes event);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_score_range, 24);
PLINTH_ASSERT_OFFSET(plinth_score_range, min, 0);
PLINTH_ASSERT_OFFSET(plinth_score_range, max, 8);
PLINTH_ASSERT_OFFSET(plinth_score_range, flags, 16);
PLINTH_ASSERT_OFFSET(plinth_score_range, reserved, 20);
PLINTH_ASSERT_SIZE(plinth_member_range, 40);
PLINTH_ASSERT_OFFSET(plinth_member_range, min, 0);
PLINTH_ASSERT_OFFSET(plinth_member_range, max, 16);
PLINTH_ASSERT_OFFSET(plinth_member_range, flags, 32);
PLINTH_ASSERT_OFFSET(plinth_member_range, reserved, 36);
PLINTH_ASSERT_SIZE(plinth_scored, 24);
PLINTH_ASSERT_OFFSET(plinth_scored, member, 0);
PLINTH_ASSERT_OFFSET(plinth_scored, score, 16);
PLINTH_ASSERT_SIZE(plinth_zset_service, 88);
PLINTH_ASSERT_OFFSET(plinth_zset_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_zset_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_zset_service, len, 8);
PLINTH_ASSERT_OFFSET(plinth_zset_service, score, 16);
PLINTH_ASSERT_OFFSET(plinth_zset_service, visit, 24);
PLINTH_ASSERT_OFFSET(plinth_zset_service, add, 32);
PLINTH_ASSERT_OFFSET(plinth_zset_service, remove, 40);
PLINTH_ASSERT_OFFSET(plinth_zset_service, visit_scores, 48);
PLINTH_ASSERT_OFFSET(plinth_zset_service, visit_members, 56);
PLINTH_ASSERT_OFFSET(plinth_zset_service, count_scores, 64);
PLINTH_ASSERT_OFFSET(plinth_zset_service, put, 72);
PLINTH_ASSERT_OFFSET(plinth_zset_service, set, 80);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_ZSET_H
