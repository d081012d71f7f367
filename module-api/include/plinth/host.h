// Generated from module-api/abi/src/host.rs by `cargo xtask headers`; do not edit.
//
// The host: how a module reaches everything that the server or another module provides.
//
// There is one function that matters, `plinth_host.service`: it hands out versioned tables of
// functions by id (`"plinth.keys/1"`). Services that the host provides and services that modules
// provide are asked for in the same way.

#ifndef PLINTH_HOST_H
#define PLINTH_HOST_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_host plinth_host;

// Log level: things that only a developer wants.
#define PLINTH_LOG_DEBUG UINT32_C(0)
// Log level: more than an operator wants by default.
#define PLINTH_LOG_VERBOSE UINT32_C(1)
// Log level: what an operator wants to know.
#define PLINTH_LOG_NOTICE UINT32_C(2)
// Log level: what an operator must know.
#define PLINTH_LOG_WARNING UINT32_C(3)

// The host as a module sees it. One per loaded module, valid until its `stop` has returned.
struct plinth_host {
    // Size of this struct in bytes.
    uint32_t size;
    // The host's `PLINTH_ABI_MAJOR`.
    uint16_t abi_major;
    // The host's `PLINTH_ABI_MINOR`.
    uint16_t abi_minor;
    // The host's own; not for modules.
    void *context;

    // The table of a service, or null when there is no such service or its table is smaller than
    // `size_min` bytes. Services named in the module's entry are there by the time `start` runs.
    // The address stays the same while the module that asked is loaded.
    //
    // Thread: main. Borrow: until `stop` returns. Fails: null.
    void *(*service)(const plinth_host *host, plinth_bytes id, uint32_t size_min);

    // Write a line to the server's log, at a `PLINTH_LOG_*` level, marked with the module's name.
    //
    // Thread: any. Borrow: `text` for the call. Fails: never.
    void (*log)(const plinth_host *host, uint32_t level, plinth_bytes text);

    // Let the server run, if this is a thread of the host's that may share its core: a
    // `plinth_type.drop` that takes long calls it every few dozen steps, on whatever thread it is.
    // It may sleep a moment on the thread that frees, and is a comparison elsewhere.
    //
    // Thread: any. Borrow: nothing. Fails: never.
    void (*give_way)(const plinth_host *host);

    // Count a panic or exception that a function of the module has caught, for INFO; not one in a
    // command's handler, which says so by `PLINTH_STATUS_PANIC`.
    //
    // Thread: any. Borrow: nothing. Fails: never.
    void (*panicked)(const plinth_host *host);

    // Memory of so many bytes, not initialised and aligned to 8 only: in classes of 8 bytes up to
    // 64, where C's `malloc` has steps of 16. For many small things of one kind.
    //
    // Thread: any. Borrow: until `release`. Fails: null.
    void *(*allocate)(size_t bytes);

    // Take back what `allocate` gave; null is nothing.
    //
    // Thread: any. Borrow: nothing. Fails: never.
    void (*release)(void *memory);

    // Use a service no longer that was asked for, and is not required: its provider may go. Its
    // table is not looked at again before it was asked for anew. `id` may be of one that is not
    // used.
    //
    // Thread: main. Borrow: `id` for the call. Fails: never.
    void (*let_go)(const plinth_host *host, plinth_bytes id);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_host, 72);
PLINTH_ASSERT_OFFSET(plinth_host, size, 0);
PLINTH_ASSERT_OFFSET(plinth_host, abi_major, 4);
PLINTH_ASSERT_OFFSET(plinth_host, abi_minor, 6);
PLINTH_ASSERT_OFFSET(plinth_host, context, 8);
PLINTH_ASSERT_OFFSET(plinth_host, service, 16);
PLINTH_ASSERT_OFFSET(plinth_host, log, 24);
PLINTH_ASSERT_OFFSET(plinth_host, give_way, 32);
PLINTH_ASSERT_OFFSET(plinth_host, panicked, 40);
PLINTH_ASSERT_OFFSET(plinth_host, allocate, 48);
PLINTH_ASSERT_OFFSET(plinth_host, release, 56);
PLINTH_ASSERT_OFFSET(plinth_host, let_go, 64);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_HOST_H
