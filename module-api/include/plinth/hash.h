// Generated from module-api/abi/src/hash.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.hash/1`: hashes, for other modules; provided by whichever module implements them.

#ifndef PLINTH_HASH_H
#define PLINTH_HASH_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_hash_service plinth_hash_service;

// Room for the digits of any integer.
#define PLINTH_HASH_SCRATCH_BYTES ((size_t)24)
// Id of the service below.
#define PLINTH_HASH_SERVICE "plinth.hash/1"

// Called with each field of a hash in turn; `data` is what the asker gave. Returns 0 to go on,
// anything else to end the visit. It must not touch keys.
typedef uint32_t (*plinth_hash_visit)(void *data, plinth_bytes field, plinth_bytes value);

// The service's table. A field whose time has passed is not there.
struct plinth_hash_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // Number of a hash's fields, as HLEN counts them.
    //
    // Thread: main. Borrow: the key for the call. Fails: `PLINTH_STATUS_NONE`,
    // `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*len)(plinth_call *call, plinth_bytes key, size_t *len_out);

    // A field's value. `scratch` has `PLINTH_HASH_SCRATCH_BYTES` bytes, for values that are kept as
    // integers.
    //
    // Thread: main. Borrow: `value_out` as an entry of `plinth.keys/1`, and while `scratch` lives.
    // Fails: `PLINTH_STATUS_NONE` without such a key or field, `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*get)(plinth_call *call, plinth_bytes key, plinth_bytes field, uint8_t *scratch,
                         plinth_bytes *value_out);

    // Set a field, making the hash if there is none, and announce it as `hset`. The field's own
    // expiry goes, that of the key stays.
    //
    // Thread: main. Borrow: all for the call. Fails: `PLINTH_STATUS_WRONG_TYPE`,
    // `PLINTH_STATUS_OUT_OF_MEMORY`.
    plinth_status (*set)(plinth_call *call, plinth_bytes key, plinth_bytes field,
                         plinth_bytes value);

    // Visit all fields, in no particular order. Integers come as their digits.
    //
    // Thread: main. Borrow: the key for the call, what `function` gets for that call of it. Fails:
    // `PLINTH_STATUS_NONE`, `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*visit)(plinth_call *call, plinth_bytes key, plinth_hash_visit function,
                           void *data);

    // Set a field unless it is there, making the hash if there is none, and announce it as `hset`.
    //
    // Thread: main. Borrow: all for the call. Fails: `PLINTH_STATUS_EXISTS` for a field that is
    // there, `PLINTH_STATUS_WRONG_TYPE`, `PLINTH_STATUS_OUT_OF_MEMORY`.
    plinth_status (*set_absent)(plinth_call *call, plinth_bytes key, plinth_bytes field,
                                plinth_bytes value);

    // Remove a field, and the key with its last; announced as `hdel`, and `del`.
    //
    // Thread: main. Borrow: both for the call. Fails: `PLINTH_STATUS_NONE` without such a key or
    // field, `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*remove)(plinth_call *call, plinth_bytes key, plinth_bytes field);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_hash_service, 56);
PLINTH_ASSERT_OFFSET(plinth_hash_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_hash_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_hash_service, len, 8);
PLINTH_ASSERT_OFFSET(plinth_hash_service, get, 16);
PLINTH_ASSERT_OFFSET(plinth_hash_service, set, 24);
PLINTH_ASSERT_OFFSET(plinth_hash_service, visit, 32);
PLINTH_ASSERT_OFFSET(plinth_hash_service, set_absent, 40);
PLINTH_ASSERT_OFFSET(plinth_hash_service, remove, 48);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_HASH_H
