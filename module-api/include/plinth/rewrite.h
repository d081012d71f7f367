// Generated from module-api/abi/src/rewrite.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.rewrite/1`: how a type's `rewrite` gives the commands that make a value anew.
//
// They are what an append-only file without a preamble holds, and what any server that knows the
// commands can be told. Together they make a key that is not there, with the value and without an
// expiry of the key, which the host adds. A value of many elements is given in pieces, so that no
// command is large: a hundred elements or 64 KiB each is enough.

#ifndef PLINTH_REWRITE_H
#define PLINTH_REWRITE_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_rewrite_service plinth_rewrite_service;

// Id of the service below.
#define PLINTH_REWRITE_SERVICE "plinth.rewrite/1"
// Most words of one command, as of a client's.
#define PLINTH_REWRITE_WORDS_MAX (UINT32_C(1) << 20)

// The service's table.
struct plinth_rewrite_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // Give the next command: its name, and the rest as a client would send it.
    //
    // Thread: as `rewrite`. Borrow: `words` and what they lead to for the call. Fails:
    // `PLINTH_STATUS_TOO_LARGE` for more than `PLINTH_REWRITE_WORDS_MAX` words,
    // `PLINTH_STATUS_NOT_ALLOWED` for none; any status when the commands cannot be written, which
    // `rewrite` ends with and returns.
    plinth_status (*emit)(void *rewriter, const plinth_bytes *words, uint32_t count);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_rewrite_service, 16);
PLINTH_ASSERT_OFFSET(plinth_rewrite_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_rewrite_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_rewrite_service, emit, 8);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_REWRITE_H
