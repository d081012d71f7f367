// Generated from module-api/abi/src/mode.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.mode/1`: a module makes the server one of another kind, which does something else
// than keep data: it has fewer commands, and some of them are the module's.

#ifndef PLINTH_MODE_H
#define PLINTH_MODE_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/command.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_mode plinth_mode;
typedef struct plinth_mode_service plinth_mode_service;

// What the server is to be.
struct plinth_mode {
    // Size of this struct in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;
    // What `redis_mode` of INFO and `mode` of HELLO say.
    plinth_bytes name;
    // Names of the commands that stay, in lower case. Others are unknown, whoever has them.
    plinth_bytes_slice commands;
    // Commands that take the place of others of their names.
    plinth_command_slice instead;
    // Names of the sections that INFO shows, in lower case: of the host's, and of the module's own,
    // which are shown under their own names and with their fields as they are.
    plinth_bytes_slice sections;
};

// Id of the service below.
#define PLINTH_MODE_SERVICE "plinth.mode/1"

// The service's table.
struct plinth_mode_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // Make the server one of this kind, from the end of the module's load until the module goes.
    // For `start`.
    //
    // Thread: main. Borrow: `mode` for the call; what it names is constant. Fails:
    // `PLINTH_STATUS_EXISTS` when it is of a kind already, `PLINTH_STATUS_NOT_ALLOWED` outside
    // `start`, `PLINTH_STATUS_BAD_DATA` for a command without a name or a function.
    plinth_status (*set)(plinth_call *call, const plinth_mode *mode);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_mode, 72);
PLINTH_ASSERT_OFFSET(plinth_mode, size, 0);
PLINTH_ASSERT_OFFSET(plinth_mode, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_mode, name, 8);
PLINTH_ASSERT_OFFSET(plinth_mode, commands, 24);
PLINTH_ASSERT_OFFSET(plinth_mode, instead, 40);
PLINTH_ASSERT_OFFSET(plinth_mode, sections, 56);
PLINTH_ASSERT_SIZE(plinth_mode_service, 16);
PLINTH_ASSERT_OFFSET(plinth_mode_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_mode_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_mode_service, set, 8);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_MODE_H
