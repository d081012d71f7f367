// Generated from module-api/abi/src/process.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.process/1`: running other programs, and being told of their end.

#ifndef PLINTH_PROCESS_H
#define PLINTH_PROCESS_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_process_service plinth_process_service;

// Called once when a program has ended, between commands: `code` is what it has ended with, or if a
// signal has ended it minus that signal's number.
typedef void (*plinth_process_ended)(plinth_call *call, uint64_t process, int32_t code, void *data);

// Id of the service below.
#define PLINTH_PROCESS_SERVICE "plinth.process/1"

// The service's table. Programs are known by ids, never used twice. Those that still run when the
// module goes are killed. They count against `PLINTH_LOOP_WATCHES_MAX` of `plinth.loop/1`.
struct plinth_process_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // Run a program: its path and arguments, of which there is at least the path. It has nothing to
    // read, and writes where the server does.
    //
    // Thread: main. Borrow: `words` for the call, `data` until it has ended. Fails:
    // `PLINTH_STATUS_BAD_DATA` for no words or one with a zero byte; `PLINTH_STATUS_NONE` when the
    // system cannot run it; `PLINTH_STATUS_TOO_LARGE` when there are too many.
    plinth_status (*spawn)(plinth_call *call, plinth_bytes_slice words, plinth_process_ended ended,
                           void *data, uint64_t *process_out);

    // Send a signal to a program that was run; `ended` is called for it all the same.
    //
    // Thread: main. Borrow: nothing. Fails: `PLINTH_STATUS_NONE` when it has ended,
    // `PLINTH_STATUS_BAD_DATA` for what is no signal.
    plinth_status (*signal)(plinth_call *call, uint64_t process, int32_t signal);

    // The number that the system has for a program, until it has ended.
    //
    // Thread: main. Borrow: nothing. Fails: `PLINTH_STATUS_NONE` when it has ended.
    plinth_status (*pid)(plinth_call *call, uint64_t process, uint32_t *pid_out);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_process_service, 32);
PLINTH_ASSERT_OFFSET(plinth_process_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_process_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_process_service, spawn, 8);
PLINTH_ASSERT_OFFSET(plinth_process_service, signal, 16);
PLINTH_ASSERT_OFFSET(plinth_process_service, pid, 24);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_PROCESS_H
