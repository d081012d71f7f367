// Generated from module-api/abi/src/event_loop.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.loop/1`: being told when file descriptors of the module's own are ready.
//
// For sockets there is `plinth.socket/1`, where the host reads and writes. This is for all else
// that can be waited for: pipes, `eventfd`, `inotify`, sockets of a library that insists on its own
// reading.

#ifndef PLINTH_EVENT_LOOP_H
#define PLINTH_EVENT_LOOP_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_loop_service plinth_loop_service;

// There is something to read, or the other side has ended or failed, which a read finds out.
#define PLINTH_LOOP_READ (UINT32_C(1) << 0)
// It takes more, or has failed, which a write finds out.
#define PLINTH_LOOP_WRITE (UINT32_C(1) << 1)
// Most descriptors, sockets and child processes of a module together.
#define PLINTH_LOOP_WATCHES_MAX UINT32_C(4096)

// Called when a descriptor is ready, between commands: no handler is on the stack. `ready` holds
// `PLINTH_LOOP_*` bits, of those that were asked for. It is called again with the next turn of the
// loop while the descriptor is ready still.
typedef void (*plinth_fd_ready)(plinth_call *call, uint64_t id, uint32_t ready, void *data);

// Id of the service below.
#define PLINTH_LOOP_SERVICE "plinth.loop/1"

// The service's table. Descriptors are known by an id that the host gives, which is never used
// twice, because the system gives the number of one that is closed to the next.
struct plinth_loop_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // Watch a descriptor, which stays the module's: it is to be removed before it is closed.
    // `interest` holds `PLINTH_LOOP_*` bits; without any it rests. What is watched is removed with
    // the module, without a call.
    //
    // Thread: main. Borrow: `data` until it is removed. Fails: `PLINTH_STATUS_UNSUPPORTED` for what
    // cannot be waited for, such as a file; `PLINTH_STATUS_BAD_DATA` for what is no descriptor;
    // `PLINTH_STATUS_TOO_LARGE` beyond `PLINTH_LOOP_WATCHES_MAX`; `PLINTH_STATUS_EXISTS` when it is
    // watched already.
    plinth_status (*add_fd)(plinth_call *call, int32_t fd, uint32_t interest, plinth_fd_ready ready,
                            void *data, uint64_t *id_out);

    // Ask for something else from now on.
    //
    // Thread: main. Borrow: nothing. Fails: `PLINTH_STATUS_NONE`.
    plinth_status (*change_fd)(plinth_call *call, uint64_t id, uint32_t interest);

    // Watch it no more; also within its own function, which is not called again.
    //
    // Thread: main. Borrow: nothing. Fails: `PLINTH_STATUS_NONE`.
    plinth_status (*remove_fd)(plinth_call *call, uint64_t id);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_loop_service, 32);
PLINTH_ASSERT_OFFSET(plinth_loop_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_loop_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_loop_service, add_fd, 8);
PLINTH_ASSERT_OFFSET(plinth_loop_service, change_fd, 16);
PLINTH_ASSERT_OFFSET(plinth_loop_service, remove_fd, 24);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_EVENT_LOOP_H
