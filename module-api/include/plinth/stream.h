// Generated from module-api/abi/src/stream.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.stream/1`: streams, for other modules; provided by whichever module implements
// them.
//
// A stream is there until its key is removed, with or without entries. What a command does to it
// through this service is passed on as the command says: one that has an entry's id chosen passes
// on what came out.

#ifndef PLINTH_STREAM_H
#define PLINTH_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_stream_id plinth_stream_id;
typedef struct plinth_stream_service plinth_stream_service;

// Id of the service below.
#define PLINTH_STREAM_SERVICE "plinth.stream/1"

// An entry's id. Ids are ordered by the time, then by the number.
struct plinth_stream_id {
    // Unix time in ms, as a rule.
    uint64_t ms;
    // Which entry of that millisecond, from 0 on.
    uint64_t seq;
};

// Called with each entry of a range in turn; `data` is what the asker gave. Returns 0 to go on,
// anything else to end the visit. It must not touch keys.
typedef uint32_t (*plinth_stream_visit)(void *data, plinth_stream_id id, const plinth_bytes *fields,
                                        size_t count);

// The service's table.
struct plinth_stream_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // Number of a stream's entries.
    //
    // Thread: main. Borrow: the key for the call. Fails: `PLINTH_STATUS_NONE`,
    // `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*len)(plinth_call *call, plinth_bytes key, size_t *len_out);

    // The greatest id that the stream ever gave, or that was set.
    //
    // Thread: main. Borrow: the key for the call. Fails: `PLINTH_STATUS_NONE`,
    // `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*last_id)(plinth_call *call, plinth_bytes key, plinth_stream_id *id_out);

    // Add an entry of `count` names and values in turn to a stream, which is made if it is not
    // there; announced as `xadd`. `id` is the entry's, or null to have one of the clock and of what
    // comes behind the last entry. The id is written to `id_out`.
    //
    // Thread: main. Borrow: all for the call. Fails: `PLINTH_STATUS_WRONG_TYPE`,
    // `PLINTH_STATUS_OUT_OF_MEMORY`; `PLINTH_STATUS_OUT_OF_RANGE` for an id that is not behind
    // `last_id`, and where none is left behind it; `PLINTH_STATUS_ARITY` without fields or with
    // half of one; `PLINTH_STATUS_TOO_LARGE` for more than 1 GiB.
    plinth_status (*add)(plinth_call *call, plinth_bytes key, const plinth_stream_id *id,
                         const plinth_bytes *fields, size_t count, plinth_stream_id *id_out);

    // Visit the entries from id `from` to id `to`, both included; the last one first if `reverse`
    // is not 0. Integers come as their digits.
    //
    // Thread: main. Borrow: the key for the call, what `function` gets for that call of it. Fails:
    // `PLINTH_STATUS_NONE`, `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*visit)(plinth_call *call, plinth_bytes key, plinth_stream_id from,
                           plinth_stream_id to, uint32_t reverse, plinth_stream_visit function,
                           void *data);

    // Remove `count` entries; how many were there is written to `removed_out`. Announced as `xdel`
    // if there was one.
    //
    // Thread: main. Borrow: all for the call. Fails: `PLINTH_STATUS_NONE`,
    // `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*remove)(plinth_call *call, plinth_bytes key, const plinth_stream_id *ids,
                            size_t count, size_t *removed_out);

    // Take the first entries away until `keep` are left; if `approximate` is not 0 some more may be
    // kept, which costs less. How many are gone is written to `removed_out`. Announced as `xtrim`
    // if there was one.
    //
    // Thread: main. Borrow: the key for the call. Fails: `PLINTH_STATUS_NONE`,
    // `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*trim)(plinth_call *call, plinth_bytes key, size_t keep, uint32_t approximate,
                          size_t *removed_out);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_stream_id, 16);
PLINTH_ASSERT_OFFSET(plinth_stream_id, ms, 0);
PLINTH_ASSERT_OFFSET(plinth_stream_id, seq, 8);
PLINTH_ASSERT_SIZE(plinth_stream_service, 56);
PLINTH_ASSERT_OFFSET(plinth_stream_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_stream_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_stream_service, len, 8);
PLINTH_ASSERT_OFFSET(plinth_stream_service, last_id, 16);
PLINTH_ASSERT_OFFSET(plinth_stream_service, add, 24);
PLINTH_ASSERT_OFFSET(plinth_stream_service, visit, 32);
PLINTH_ASSERT_OFFSET(plinth_stream_service, remove, 40);
PLINTH_ASSERT_OFFSET(plinth_stream_service, trim, 48);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_STREAM_H
