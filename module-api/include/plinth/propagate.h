// Generated from module-api/abi/src/propagate.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.propagate/1`: what replicas and the append-only file are told of a command.
//
// Without a word from the handler a command that changed something is passed on as the client sent
// it, and what a timer or a hook changes as what the keys are then.

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

    // Pass on this command instead of the one that runs; may be called repeatedly. In a timer or a
    // hook it stands for all that is changed there of the keys which it names by its key specs:
    // these are not passed on as what they are.
    //
    // Thread: main. Borrow: `args` for the call. Fails: `PLINTH_STATUS_NOT_ALLOWED` outside a
    // command, a timer and a hook.
    plinth_status (*instead)(plinth_call *call, const plinth_bytes *args, uint32_t argc);

    // Pass on nothing.
    //
    // Thread: main. Borrow: nothing. Fails: `PLINTH_STATUS_NOT_ALLOWED` outside a command.
    plinth_status (*nothing)(plinth_call *call);

    // Pass on this command before the one that runs, whatever is passed on of that; may be called
    // repeatedly. So it is within a command that another module's command runs, and in a function
    // of a service: what is found there and removed, because it has expired, has to be removed
    // elsewhere as well. In a timer or a hook nothing is to be said, since keys are passed on as
    // what they are.
    //
    // Thread: main. Borrow: `args` for the call. Fails: `PLINTH_STATUS_NOT_ALLOWED` outside a
    // command, a timer and a hook.
    plinth_status (*before)(plinth_call *call, const plinth_bytes *args, uint32_t argc);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_propagate_service, 32);
PLINTH_ASSERT_OFFSET(plinth_propagate_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_propagate_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_propagate_service, instead, 8);
PLINTH_ASSERT_OFFSET(plinth_propagate_service, nothing, 16);
PLINTH_ASSERT_OFFSET(plinth_propagate_service, before, 24);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_PROPAGATE_H
