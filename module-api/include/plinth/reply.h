// Generated from module-api/abi/src/reply.rs by `cargo xtask headers`; do not edit.
//
// The reply buffer, whose layout is public so that writing a reply needs no call, and the service
// `plinth.reply/1`, which writes each kind of reply for those who would rather call.
//
//      at            end
//      v             v
//    ..|.............|     free bytes: write at `at`, then advance it
//
// When fewer bytes are free than needed, `grow` makes room; the buffer may then point somewhere
// else entirely, because a long reply is a list of chunks.

#ifndef PLINTH_REPLY_H
#define PLINTH_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_reply plinth_reply;
typedef struct plinth_reply_service plinth_reply_service;

// Most bytes that may be asked of `plinth_reply.grow` at once.
#define PLINTH_REPLY_GROW_MAX ((size_t)4096)

// Where a reply is written.
struct plinth_reply {
    // Size of this struct in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;
    // First free byte.
    uint8_t *at;
    // One past the last free byte.
    uint8_t *end;

    // Make at least `need` (at most `PLINTH_REPLY_GROW_MAX`) contiguous bytes free.
    //
    // Thread: main. Borrow: `at` and `end` until the next grow or append. Fails: never.
    void (*grow)(plinth_reply *reply, size_t need);

    // Append bytes of any length.
    //
    // Thread: main. Borrow: `bytes` for the call. Fails: never.
    void (*append)(plinth_reply *reply, plinth_bytes bytes);
};

// Kind of an aggregate: array.
#define PLINTH_REPLY_ARRAY UINT32_C(0)
// Kind of an aggregate: map; `count` is in pairs. An array of twice the length in RESP2.
#define PLINTH_REPLY_MAP UINT32_C(1)
// Kind of an aggregate: set. An array in RESP2.
#define PLINTH_REPLY_SET UINT32_C(2)
// Kind of an aggregate: out-of-band push. An array in RESP2.
#define PLINTH_REPLY_PUSH UINT32_C(3)
// Kind of an aggregate: attribute of the reply that follows. Left out in RESP2.
#define PLINTH_REPLY_ATTRIBUTE UINT32_C(4)
// Id of the service below.
#define PLINTH_REPLY_SERVICE "plinth.reply/1"

// Service `plinth.reply/1`: each kind of reply, in the protocol version of the call. Shapes: RESP3
// specification, <https://github.com/redis/redis-specifications>.
struct plinth_reply_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // A status such as `+OK`; `text` holds no line break.
    //
    // Thread: main. Borrow: `text` for the call. Fails: never.
    void (*simple)(plinth_call *call, plinth_bytes text);

    // An error; `text` begins with its code (`ERR ...`) and without `-`. Line breaks become spaces.
    // The handler then returns `PLINTH_STATUS_REPLIED`.
    //
    // Thread: main. Borrow: `text` for the call. Fails: never.
    void (*error)(plinth_call *call, plinth_bytes text);

    // An integer.
    //
    // Thread: main. Borrow: nothing. Fails: never.
    void (*integer)(plinth_call *call, int64_t value);

    // A bulk string.
    //
    // Thread: main. Borrow: `bytes` for the call. Fails: never.
    void (*bulk)(plinth_call *call, plinth_bytes bytes);

    // Nothing: `_` in RESP3, the null bulk string in RESP2.
    //
    // Thread: main. Borrow: nothing. Fails: never.
    void (*null)(plinth_call *call);

    // No array: `_` in RESP3, the null array in RESP2.
    //
    // Thread: main. Borrow: nothing. Fails: never.
    void (*null_array)(plinth_call *call);

    // The head of an aggregate (`PLINTH_REPLY_*` kind) whose `count` elements follow.
    //
    // Thread: main. Borrow: nothing. Fails: never.
    void (*aggregate)(plinth_call *call, uint32_t kind, size_t count);

    // A double: `,` in RESP3, a bulk string in RESP2.
    //
    // Thread: main. Borrow: nothing. Fails: never.
    void (*double_)(plinth_call *call, double value);

    // A boolean: `#t` in RESP3, the integers 1 and 0 in RESP2.
    //
    // Thread: main. Borrow: nothing. Fails: never.
    void (*boolean)(plinth_call *call, uint32_t value);

    // A text with its format, three letters (`txt`, `mkd`); a bulk string in RESP2.
    //
    // Thread: main. Borrow: both for the call. Fails: never.
    void (*verbatim)(plinth_call *call, plinth_bytes format, plinth_bytes text);

    // An integer of any size as decimal digits; a bulk string in RESP2.
    //
    // Thread: main. Borrow: `digits` for the call. Fails: never.
    void (*big_number)(plinth_call *call, plinth_bytes digits);

    // Begin an aggregate whose length is not known yet. Nested ones close in reverse order.
    //
    // Thread: main. Borrow: the returned mark until `close`. Fails: never.
    uint64_t (*open)(plinth_call *call);

    // End the aggregate begun at `mark`: writes its head, with `count` elements (pairs for a map).
    //
    // Thread: main. Borrow: nothing. Fails: never.
    void (*close)(plinth_call *call, uint64_t mark, uint32_t kind, size_t count);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_reply, 40);
PLINTH_ASSERT_OFFSET(plinth_reply, size, 0);
PLINTH_ASSERT_OFFSET(plinth_reply, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_reply, at, 8);
PLINTH_ASSERT_OFFSET(plinth_reply, end, 16);
PLINTH_ASSERT_OFFSET(plinth_reply, grow, 24);
PLINTH_ASSERT_OFFSET(plinth_reply, append, 32);
PLINTH_ASSERT_SIZE(plinth_reply_service, 112);
PLINTH_ASSERT_OFFSET(plinth_reply_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_reply_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_reply_service, simple, 8);
PLINTH_ASSERT_OFFSET(plinth_reply_service, error, 16);
PLINTH_ASSERT_OFFSET(plinth_reply_service, integer, 24);
PLINTH_ASSERT_OFFSET(plinth_reply_service, bulk, 32);
PLINTH_ASSERT_OFFSET(plinth_reply_service, null, 40);
PLINTH_ASSERT_OFFSET(plinth_reply_service, null_array, 48);
PLINTH_ASSERT_OFFSET(plinth_reply_service, aggregate, 56);
PLINTH_ASSERT_OFFSET(plinth_reply_service, double_, 64);
PLINTH_ASSERT_OFFSET(plinth_reply_service, boolean, 72);
PLINTH_ASSERT_OFFSET(plinth_reply_service, verbatim, 80);
PLINTH_ASSERT_OFFSET(plinth_reply_service, big_number, 88);
PLINTH_ASSERT_OFFSET(plinth_reply_service, open, 96);
PLINTH_ASSERT_OFFSET(plinth_reply_service, close, 104);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_REPLY_H
