// Generated from module-api/abi/src/timers.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.timers/1`: calling back later, on the main thread.

#ifndef PLINTH_TIMERS_H
#define PLINTH_TIMERS_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_timers_service plinth_timers_service;

// Id of the service below.
#define PLINTH_TIMERS_SERVICE "plinth.timers/1"

// Called when a timer fires.
typedef void (*plinth_fire)(plinth_call *call, void *data);

// The service's table.
struct plinth_timers_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // Call `fire` once, `delay_ms` from now. A timer that has not fired is removed with the module,
    // without a call.
    //
    // Thread: main. Borrow: `data` until it fires or is stopped. Fails: never.
    plinth_status (*start)(plinth_call *call, uint64_t delay_ms, plinth_fire fire, void *data,
                           uint64_t *id_out);

    // Stop a timer of this module; `data_out`, unless null, gets its data back.
    //
    // Thread: main. Borrow: nothing. Fails: `PLINTH_STATUS_NONE` when it fired already.
    plinth_status (*stop)(plinth_call *call, uint64_t id, void **data_out);

    // Milliseconds until a timer fires.
    //
    // Thread: main. Borrow: nothing. Fails: `PLINTH_STATUS_NONE`.
    plinth_status (*remaining)(plinth_call *call, uint64_t id, uint64_t *remaining_ms_out);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_timers_service, 32);
PLINTH_ASSERT_OFFSET(plinth_timers_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_timers_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_timers_service, start, 8);
PLINTH_ASSERT_OFFSET(plinth_timers_service, stop, 16);
PLINTH_ASSERT_OFFSET(plinth_timers_service, remaining, 24);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_TIMERS_H
