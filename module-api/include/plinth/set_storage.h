// Generated from module-api/abi/src/set_storage.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.set-storage/1`: where large sets are kept, as a table of C functions; provided by
// a module that has a structure of its own.
//
// The module `set` over such a storage (`libset_foreign.so`, in place of `libplinth_set.so`) brings
// type, commands, small forms, saving and loading; the provider brings the structure, and sees
// members as bytes. examples/set-c is one.
//
// No function may do work that grows with the number of members, but for `drop`: growth and
// shrinking are done a little at a time beside inserts and removals.

#ifndef PLINTH_SET_STORAGE_H
#define PLINTH_SET_STORAGE_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/set.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_set_storage_service plinth_set_storage_service;

// Id of the service below.
#define PLINTH_SET_STORAGE_SERVICE "plinth.set-storage/1"

// The hash of a member, for a storage that grows. It is keyed, good in all bits, the same for all
// calls in one process, and may be called from any thread.
typedef uint64_t (*plinth_hash_member)(plinth_bytes member);

// The service's table.
struct plinth_set_storage_service {
    // Size of this table in bytes.
    uint32_t size;
    // `PLINTH_SERVICE_PINNED`(crate::entry::SERVICE_PINNED), because sets outlive calls.
    uint32_t flags;

    // An empty set. `hash` remains valid as long as the set.
    //
    // Thread: main. Borrow: nothing. Fails: null.
    void *(*create)(plinth_hash_member hash);

    // Free a set.
    //
    // Thread: any. Borrow: nothing. Fails: never.
    void (*drop)(void *set);

    // How many members there are.
    //
    // Thread: main, or the only thread of a forked child. Borrow: nothing. Fails: never.
    size_t (*len)(void *set);

    // Whether a member is there, 1 or 0. `hash` is its hash.
    //
    // Thread: main. Borrow: `member` for the call. Fails: never.
    uint32_t (*contains)(void *set, plinth_bytes member, uint64_t hash);

    // Add a member.
    //
    // Thread: main. Borrow: `member` for the call. Fails: `PLINTH_STATUS_EXISTS` when it is there,
    // `PLINTH_STATUS_OUT_OF_MEMORY`; nothing changed.
    plinth_status (*insert)(void *set, plinth_bytes member, uint64_t hash);

    // Remove a member.
    //
    // Thread: main. Borrow: `member` for the call. Fails: `PLINTH_STATUS_NONE` when it is not
    // there.
    plinth_status (*remove)(void *set, plinth_bytes member, uint64_t hash);

    // Visit a few members, and return the cursor to go on with; 0 begins, and is returned at the
    // end. A member that is there from begin to end is visited at least once, whatever changes
    // between steps; when nothing does, each exactly once. Any number is a cursor: clients send
    // them. What `visit` returns does not matter.
    //
    // Thread: main, or the only thread of a forked child. Borrow: what `visit` gets, for that call.
    // Fails: never.
    uint64_t (*scan)(void *set, uint64_t cursor, plinth_visit_member visit, void *data);

    // The member that a random number picks. Each is picked by about as many numbers as any other;
    // a number that picks none is answered with `PLINTH_STATUS_NONE`, and the caller tries the
    // next. At least one number in a hundred picks one, on average.
    //
    // Thread: main. Borrow: `member_out` until the set changes. Fails: `PLINTH_STATUS_NONE`.
    plinth_status (*random)(void *set, uint64_t number, plinth_bytes *member_out);

    // Bytes that the set has allocated.
    //
    // Thread: main. Borrow: nothing. Fails: never.
    size_t (*memory)(void *set);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_set_storage_service, 80);
PLINTH_ASSERT_OFFSET(plinth_set_storage_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_set_storage_service, flags, 4);
PLINTH_ASSERT_OFFSET(plinth_set_storage_service, create, 8);
PLINTH_ASSERT_OFFSET(plinth_set_storage_service, drop, 16);
PLINTH_ASSERT_OFFSET(plinth_set_storage_service, len, 24);
PLINTH_ASSERT_OFFSET(plinth_set_storage_service, contains, 32);
PLINTH_ASSERT_OFFSET(plinth_set_storage_service, insert, 40);
PLINTH_ASSERT_OFFSET(plinth_set_storage_service, remove, 48);
PLINTH_ASSERT_OFFSET(plinth_set_storage_service, scan, 56);
PLINTH_ASSERT_OFFSET(plinth_set_storage_service, random, 64);
PLINTH_ASSERT_OFFSET(plinth_set_storage_service, memory, 72);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_SET_STORAGE_H
