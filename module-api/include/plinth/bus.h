// Generated from module-api/abi/src/bus.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.bus/1`: messages to whoever listens to a channel; provided by the module that has
// channels.

#ifndef PLINTH_BUS_H
#define PLINTH_BUS_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_bus_service plinth_bus_service;
typedef struct plinth_call plinth_call; // call.h

// Id of the service below.
#define PLINTH_BUS_SERVICE "plinth.bus/1"

// The service's table.
struct plinth_bus_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // Send a message to all who listen to a channel or to a pattern that fits it, as PUBLISH does.
    // `receivers_out`, unless null, gets how often it was sent. Who listens gets it when the
    // outermost command, timer or hook has ended, or before.
    //
    // Thread: main. Borrow: both for the call. Fails: `PLINTH_STATUS_OUT_OF_MEMORY`.
    plinth_status (*publish)(plinth_call *call, plinth_bytes channel, plinth_bytes message,
                             uint64_t *receivers_out);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_bus_service, 16);
PLINTH_ASSERT_OFFSET(plinth_bus_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_bus_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_bus_service, publish, 8);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_BUS_H
