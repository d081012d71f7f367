// Generated from module-api/abi/src/propagate.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.propagate/1`: what replicas and the append-only file are told of a command.
//
// Without a word from the handler a command that changed something is passed on as the client sent
// it, and what a timer or a hook changes as what the keys are then.
//
// What is passed on comes in *units*: the commands of one are run elsewhere all or none. A hook for
// `PLINTH_ON_UNIT`(crate::events::ON_UNIT) is given each.

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
typedef struct plinth_unit plinth_unit;
typedef struct plinth_unit_command plinth_unit_command;

// An array of `plinth_unit_command`; see `plinth/bytes.h`.
typedef struct plinth_unit_command_slice {
    const plinth_unit_command *items;
    uint32_t count;
    uint32_t stride;
} plinth_unit_command_slice;

// The append-only file is told, and with it hooks for `PLINTH_ON_UNIT`.
#define PLINTH_PROPAGATE_TO_FILE (UINT32_C(1) << 0)
// Replicas are told.
#define PLINTH_PROPAGATE_TO_REPLICAS (UINT32_C(1) << 1)

// The unit was read from the append-only file: it has happened before the server was started.
#define PLINTH_UNIT_REPLAYED (UINT32_C(1) << 0)

// A command of a unit.
struct plinth_unit_command {
    // Size of this struct in bytes.
    uint32_t size;
    // The database that it is for.
    uint32_t db;
    // The command as clients send it: a RESP array of its words.
    plinth_bytes text;
};

// What belongs together of what was passed on. Valid for the hook's call.
//
// Units of one history are counted from 1, whether somebody listens or not, and the count is kept
// in snapshots and in the base of the append-only file: after a start it goes on where the data
// are. So whoever keeps the number of the last unit beside what it has made of it knows which it
// has seen. A number that is lower than the last says that the server has lost what came behind it,
// one that is higher by more than 1 that some were not told, and another history that the data are
// others: of a full sync, of a file that says none, or changed while nobody counted.
struct plinth_unit {
    // Size of this struct in bytes.
    uint32_t size;
    // `PLINTH_UNIT_*` bits.
    uint32_t flags;
    // Which one it is.
    uint64_t number;
    // The history that it is counted in, 40 hex digits.
    plinth_bytes history;
    // Its commands, in order.
    plinth_unit_command_slice commands;
};

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

    // Pass on this command too, in some database and to some of those who are told
    // (`PLINTH_PROPAGATE_TO_*`), behind all else that is passed on of the outermost command, timer
    // or hook, and in one unit with it; may be called repeatedly. It need not have changed anything
    // here.
    //
    // Thread: main. Borrow: `args` for the call. Fails: `PLINTH_STATUS_UNSUPPORTED` without a
    // target or with an unknown one, `PLINTH_STATUS_DB_RANGE`, `PLINTH_STATUS_NOT_ALLOWED` outside
    // a command, a timer and a hook.
    plinth_status (*also)(plinth_call *call, uint32_t db, const plinth_bytes *args, uint32_t argc,
                          uint32_t targets);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_unit_command, 24);
PLINTH_ASSERT_OFFSET(plinth_unit_command, size, 0);
PLINTH_ASSERT_OFFSET(plinth_unit_command, db, 4);
PLINTH_ASSERT_OFFSET(plinth_unit_command, text, 8);
PLINTH_ASSERT_SIZE(plinth_unit, 48);
PLINTH_ASSERT_OFFSET(plinth_unit, size, 0);
PLINTH_ASSERT_OFFSET(plinth_unit, flags, 4);
PLINTH_ASSERT_OFFSET(plinth_unit, number, 8);
PLINTH_ASSERT_OFFSET(plinth_unit, history, 16);
PLINTH_ASSERT_OFFSET(plinth_unit, commands, 32);
PLINTH_ASSERT_SIZE(plinth_propagate_service, 40);
PLINTH_ASSERT_OFFSET(plinth_propagate_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_propagate_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_propagate_service, instead, 8);
PLINTH_ASSERT_OFFSET(plinth_propagate_service, nothing, 16);
PLINTH_ASSERT_OFFSET(plinth_propagate_service, before, 24);
PLINTH_ASSERT_OFFSET(plinth_propagate_service, also, 32);
PLINTH_ASSERT_SIZE(plinth_unit_command_slice, 16);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_PROPAGATE_H
