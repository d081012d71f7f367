// Generated from module-api/abi/src/busy.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.busy/1`: a command that takes long has others served meanwhile.

#ifndef PLINTH_BUSY_H
#define PLINTH_BUSY_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_busy_service plinth_busy_service;
typedef struct plinth_call plinth_call; // call.h

// `plinth_busy_service.give_way`: others were served.
#define PLINTH_BUSY_SERVED (UINT32_C(1) << 0)
// `plinth_busy_service.give_way`: the command is to end as soon as it can, with an error: somebody
// has asked for it, or the server stops.
#define PLINTH_BUSY_END (UINT32_C(1) << 1)
// Id of the service below.
#define PLINTH_BUSY_SERVICE "plinth.busy/1"

// The service's table.
struct plinth_busy_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // Serve others once, if the command has run for so many milliseconds that they should be
    // (`busy-reply-threshold`). Commands with `PLINTH_COMMAND_ALLOW_BUSY` that do not write run
    // meanwhile, which may be this module's; all others are answered `refusal`, an error that
    // begins with its code. So nothing of the module's may be borrowed, and no value of a key. No
    // hook and no timer runs. Answers `PLINTH_BUSY_*` bits, 0 when nobody was served: in a hook,
    // and in what runs meanwhile itself.
    //
    // Thread: main. Borrow: `refusal` for the call. Fails: never.
    uint32_t (*give_way)(plinth_call *call, uint64_t running_ms, plinth_bytes refusal);

    // For a command that runs meanwhile: the command that gives way is to end.
    //
    // Thread: main. Borrow: nothing. Fails: `PLINTH_STATUS_NONE` when no command gives way.
    plinth_status (*end)(plinth_call *call);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_busy_service, 24);
PLINTH_ASSERT_OFFSET(plinth_busy_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_busy_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_busy_service, give_way, 8);
PLINTH_ASSERT_OFFSET(plinth_busy_service, end, 16);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_BUSY_H
