// Generated from module-api/abi/src/rdb.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.rdb/1`: what a module keeps in RDB files beside the keys.
//
// A module *claims* a part of such files: the libraries of functions that Redis and Valkey write,
// or a section of its own. The host then asks the module for it whenever a file is written, and
// gives it to the module whenever one is read. What is in a file while nobody claims it is kept,
// goes into the next file as it came, and is given to the module that claims it, as soon as that is
// loaded. When the module leaves, what it would have written then is kept for the next.
//
//      a file is loaded       clear (if it takes the place of what was there), load, load, ...
//      a file is written      save, in this process or in a child
//      as commands            rewrite; without it an append-only file begins with a preamble
//      the module leaves      save; another that claims the same: load, load, ...

#ifndef PLINTH_RDB_H
#define PLINTH_RDB_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_rdb_claim plinth_rdb_claim;
typedef struct plinth_rdb_service plinth_rdb_service;

// The libraries of functions. `load` gets one as one text, through `plinth.codec/1`, and `save`
// puts each as one text.
#define PLINTH_RDB_FUNCTIONS UINT32_C(1)
// A section under the module's name: whatever fields `save` puts, `load` gets in the same order.
// Servers of another make refuse a file that has one; where `save` puts nothing there is none.
#define PLINTH_RDB_SECTION UINT32_C(2)
// Flag of a claim: a section is loaded before the keys, and not behind them.
#define PLINTH_RDB_BEFORE_KEYS (UINT32_C(1) << 0)
// Flag of `load`: what is there stays, but for what has the same name.
#define PLINTH_RDB_MERGES (UINT32_C(1) << 1)
// Id of the service below.
#define PLINTH_RDB_SERVICE "plinth.rdb/1"

// What a module claims, and how it is reached.
struct plinth_rdb_claim {
    // Size of this struct in bytes.
    uint32_t size;
    // `PLINTH_RDB_FUNCTIONS` or `PLINTH_RDB_SECTION`.
    uint32_t kind;
    // `PLINTH_RDB_BEFORE_KEYS`, or 0.
    uint32_t flags;
    // The form of what `save` puts, which `load` is given. Files remember that of a section.
    uint32_t encoding;
    // Passed on to the functions.
    void *data;

    // Forget what there is: a file takes its place.
    //
    // Thread: main. Borrow: nothing. Fails: never.
    void (*clear)(plinth_call *call, void *data);

    // Take what a file has, with the functions of `plinth.codec/1` that get; nothing is finished.
    // It may be damaged or made by an enemy.
    //
    // Thread: main. Borrow: `loader` for the call. Fails: any status; with `PLINTH_STATUS_REPLIED`,
    // the error that was written says why. The file is refused then, or kept what it could not be
    // given.
    plinth_status (*load)(plinth_call *call, void *loader, uint32_t encoding, uint32_t flags,
                          void *data);

    // Give what there is, with the functions of `plinth.codec/1` that put, but for `put_tag` and
    // `put_raw`. In a child nothing else of the host is used, no lock is taken, and no thread is
    // there.
    //
    // Thread: main, or the one of a child. Borrow: `saver` for the call. Fails: any status; no file
    // is written then.
    plinth_status (*save)(plinth_call *call, void *saver, void *data);

    // Give the commands that bring it about where there is nothing, through `plinth.rewrite/1`.
    // Null: there are none.
    //
    // Thread: main, or the one of a child. Borrow: `rewriter` for the call. Fails: any status; no
    // file is written then.
    plinth_status (*rewrite)(plinth_call *call, void *rewriter, void *data);
};

// The service's table.
struct plinth_rdb_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // Claim a part of RDB files, in `start`. What is kept of it is given to the module when its
    // commands are there. It ends with the module.
    //
    // Thread: main. Borrow: `claim` for the call, its `data` until `stop` returns. Fails:
    // `PLINTH_STATUS_UNSUPPORTED` for another kind or flag, `PLINTH_STATUS_EXISTS` when the module
    // has one of the kind, or another has the functions, `PLINTH_STATUS_NOT_ALLOWED` when `start`
    // has returned.
    plinth_status (*claim)(plinth_call *call, const plinth_rdb_claim *claim);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_rdb_claim, 56);
PLINTH_ASSERT_OFFSET(plinth_rdb_claim, size, 0);
PLINTH_ASSERT_OFFSET(plinth_rdb_claim, kind, 4);
PLINTH_ASSERT_OFFSET(plinth_rdb_claim, flags, 8);
PLINTH_ASSERT_OFFSET(plinth_rdb_claim, encoding, 12);
PLINTH_ASSERT_OFFSET(plinth_rdb_claim, data, 16);
PLINTH_ASSERT_OFFSET(plinth_rdb_claim, clear, 24);
PLINTH_ASSERT_OFFSET(plinth_rdb_claim, load, 32);
PLINTH_ASSERT_OFFSET(plinth_rdb_claim, save, 40);
PLINTH_ASSERT_OFFSET(plinth_rdb_claim, rewrite, 48);
PLINTH_ASSERT_SIZE(plinth_rdb_service, 16);
PLINTH_ASSERT_OFFSET(plinth_rdb_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_rdb_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_rdb_service, claim, 8);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_RDB_H
