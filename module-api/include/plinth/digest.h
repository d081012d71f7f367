// Generated from module-api/abi/src/digest.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.digest/1`: how a type's `digest` shows what a value is.
//
// A digest is the same for the same data, whatever the encoding, the order in which a table has its
// elements, and the implementation of the type. So what is shown is what clients see: a number as
// its digits, a member as its bytes. Parts count in their order up to `end`, which makes an element
// of them; the order of elements does not count:
//
//      a list   add(one) add(other) ...
//      a set    add(member) end   add(member) end ...
//      a hash   add(field) add(value) end ...

#ifndef PLINTH_DIGEST_H
#define PLINTH_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_digest_service plinth_digest_service;

// Id of the service below.
#define PLINTH_DIGEST_SERVICE "plinth.digest/1"

// The service's table.
struct plinth_digest_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // The next part of the present element. Where a part ends counts.
    //
    // Thread: as `digest`. Borrow: `part` for the call. Fails: never.
    void (*add)(void *digester, plinth_bytes part);

    // The present element is complete. The last one, or the only one, need not be ended.
    //
    // Thread: as `digest`. Borrow: nothing. Fails: never.
    void (*end)(void *digester);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_digest_service, 24);
PLINTH_ASSERT_OFFSET(plinth_digest_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_digest_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_digest_service, add, 8);
PLINTH_ASSERT_OFFSET(plinth_digest_service, end, 16);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_DIGEST_H
