// Generated from module-api/abi/src/list.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.list/1`: lists, for other modules; provided by whichever module implements them.
//
// What is only read counts neither as a hit nor as a miss of the keyspace: who serves a command
// with it looks at the key once through `plinth.keys/1`.

#ifndef PLINTH_LIST_H
#define PLINTH_LIST_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_list_service plinth_list_service;

// Id of the service below.
#define PLINTH_LIST_SERVICE "plinth.list/1"
// One end of a list: the one that position 0 is at.
#define PLINTH_LIST_FRONT UINT32_C(0)
// One end of a list: the one that position -1 is at.
#define PLINTH_LIST_BACK UINT32_C(1)

// Called with each element of a list in turn; `data` is what the asker gave. Returns 0 to go on,
// anything else to end the visit. It must not touch keys.
typedef uint32_t (*plinth_list_visit)(void *data, plinth_bytes element);

// The service's table.
struct plinth_list_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // Number of a list's elements.
    //
    // Thread: main. Borrow: the key for the call. Fails: `PLINTH_STATUS_NONE`,
    // `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*len)(plinth_call *call, plinth_bytes key, size_t *len_out);

    // Visit the elements from position `start` to `stop`, both included; negative positions count
    // from the end, as in LRANGE. Integers come as their digits.
    //
    // Thread: main. Borrow: the key for the call, what `function` gets for that call of it. Fails:
    // `PLINTH_STATUS_NONE`, `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*visit)(plinth_call *call, plinth_bytes key, int64_t start, int64_t stop,
                           plinth_list_visit function, void *data);

    // Replace a key, whatever it held, by a list of these elements; its expiry goes. Announces the
    // change under `event`. Without elements the key is removed, which is announced as `del` if it
    // was there.
    //
    // Thread: main. Borrow: all for the call. Fails: `PLINTH_STATUS_OUT_OF_MEMORY`,
    // `PLINTH_STATUS_TOO_LARGE`.
    plinth_status (*set)(plinth_call *call, plinth_bytes key, const plinth_bytes *elements,
                         size_t count, plinth_bytes event);

    // Add an element at one end, `PLINTH_LIST_FRONT` or `PLINTH_LIST_BACK`, making the list if
    // there is none; announced as `lpush` or `rpush`. Writes how many there are then.
    //
    // Thread: main. Borrow: all for the call. Fails: `PLINTH_STATUS_WRONG_TYPE`,
    // `PLINTH_STATUS_OUT_OF_MEMORY`, `PLINTH_STATUS_TOO_LARGE`.
    plinth_status (*push)(plinth_call *call, plinth_bytes key, plinth_bytes element, uint32_t end,
                          size_t *len_out);

    // Hand the element at one end to `take` and take it away, and the key with its last; announced
    // as `lpop` or `rpop`, and `del`. `take` must not touch keys.
    //
    // Thread: main. Borrow: what `take` gets, for that call. Fails: `PLINTH_STATUS_NONE`,
    // `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*pop)(plinth_call *call, plinth_bytes key, uint32_t end, plinth_take take,
                         void *data);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_list_service, 48);
PLINTH_ASSERT_OFFSET(plinth_list_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_list_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_list_service, len, 8);
PLINTH_ASSERT_OFFSET(plinth_list_service, visit, 16);
PLINTH_ASSERT_OFFSET(plinth_list_service, set, 24);
PLINTH_ASSERT_OFFSET(plinth_list_service, push, 32);
PLINTH_ASSERT_OFFSET(plinth_list_service, pop, 40);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_LIST_H
