// Generated from module-api/abi/src/propagate.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.propagate/1`: what replicas and the append-only file are told of a command.
//
// Without a word from the handler a command that changed something is passed on as the client sent
// it. Until durability and replication exist nobody is told but who asks with `DEBUG PROPAGATION`.

#ifndef PLINTH_PROPAGATE_H
#define PLINTH_PROPAGATE_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_propagate_service plinth_propagate_service;

// Id of the service below.
#define PLINTH_PROPAGATE_SERVICE "plinth.propagate/1"

// The service's table.
struct plinth_propagate_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // Pass on this command instead of the one that runs; may be called repeatedly.
    //
    // Thread: main. Borrow: `args` for the call. Fails: `PLINTH_STATUS_NOT_ALLOWED` outside a
    // command.
    plinth_status (*instead)(plinth_call *call, const plinth_bytes *args, uint32_t argc);

    // Pass on nothing.
    //
    // Thread: main. Borrow: nothing. Fails: `PLINTH_STATUS_NOT_ALLOWED` outside a command.
    plinth_status (*nothing)(plinth_call *call);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_propagate_service, 24);
PLINTH_ASSERT_OFFSET(plinth_propagate_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_propagate_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_propagate_service, instead, 8);
PLINTH_ASSERT_OFFSET(plinth_propagate_service, nothing, 16);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_PROPAGATE_H
