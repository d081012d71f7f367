// Generated from module-api/abi/src/string.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.string/1`: strings, for other modules; provided by whichever module implements
// them.

#ifndef PLINTH_STRING_H
#define PLINTH_STRING_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_string_service plinth_string_service;

// Room for the digits of any integer.
#define PLINTH_STRING_SCRATCH_BYTES ((size_t)24)
// A length before a change: there was no such string.
#define PLINTH_STRING_ABSENT (INT64_C(-1))
// Id of the service below.
#define PLINTH_STRING_SERVICE "plinth.string/1"

// The service's table.
struct plinth_string_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // A string's bytes. `scratch` has `PLINTH_STRING_SCRATCH_BYTES` bytes, for values that are kept
    // as integers.
    //
    // Thread: main. Borrow: `bytes_out` as an entry of `plinth.keys/1`, and while `scratch` lives.
    // Fails: `PLINTH_STATUS_NONE`, `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*get)(plinth_call *call, plinth_bytes key, uint8_t *scratch,
                         plinth_bytes *bytes_out);

    // Set a key to a string, whatever it held; takes its expiry away.
    //
    // Thread: main. Borrow: both for the call. Fails: `PLINTH_STATUS_OUT_OF_MEMORY`,
    // `PLINTH_STATUS_TOO_LARGE`.
    plinth_status (*set)(plinth_call *call, plinth_bytes key, plinth_bytes bytes);

    // A string's bytes to change in place, made if missing, lengthened with zero bytes to at least
    // `len_min`. The caller then says `modified`. The bytes may be written to, here and in what
    // `open` and `resize` give: cast the `const` away.
    //
    // Thread: main. Borrow: `bytes_out` as an entry of `plinth.keys/1`. Fails:
    // `PLINTH_STATUS_WRONG_TYPE`, `PLINTH_STATUS_OUT_OF_MEMORY`, `PLINTH_STATUS_TOO_LARGE`.
    plinth_status (*edit)(plinth_call *call, plinth_bytes key, size_t len_min,
                          plinth_bytes *bytes_out);

    // As `edit`, and tells what the string was before: `len_before_out` is its length, or
    // `PLINTH_STRING_ABSENT`. Whoever finds that nothing was made or lengthened, and changes no
    // byte, need not say `modified`. A string that is kept as an integer is turned into text all
    // the same, which OBJECT ENCODING shows.
    //
    // Thread: main. Borrow: `bytes_out` as an entry of `plinth.keys/1`. Fails:
    // `PLINTH_STATUS_WRONG_TYPE`, `PLINTH_STATUS_OUT_OF_MEMORY`, `PLINTH_STATUS_TOO_LARGE`.
    plinth_status (*open)(plinth_call *call, plinth_bytes key, size_t len_min,
                          int64_t *len_before_out, plinth_bytes *bytes_out);

    // A string's bytes to change in place, exactly `len` of them: made if missing, cut or
    // lengthened with zero bytes; its expiry stays. `len_before_out` as of `open`. The caller then
    // says `modified`.
    //
    // Thread: main. Borrow: `bytes_out` as an entry of `plinth.keys/1`. Fails:
    // `PLINTH_STATUS_WRONG_TYPE`, `PLINTH_STATUS_OUT_OF_MEMORY`, `PLINTH_STATUS_TOO_LARGE`.
    plinth_status (*resize)(plinth_call *call, plinth_bytes key, size_t len,
                            int64_t *len_before_out, plinth_bytes *bytes_out);

    // As `get`, but what was held before stays valid with it, as long as nothing but calls of this
    // function and look-ups with `PLINTH_GET_HOLD` come in between: for reading several strings at
    // one time. Each has a `scratch` of its own.
    //
    // Thread: main. Borrow: `bytes_out` as an entry of `plinth.keys/1` that was got with
    // `PLINTH_GET_HOLD`, and while `scratch` lives. Fails: `PLINTH_STATUS_NONE`,
    // `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*hold)(plinth_call *call, plinth_bytes key, uint8_t *scratch,
                          plinth_bytes *bytes_out);

    // As `get`, looked up with the `PLINTH_GET_*` flags of `plinth.keys/1`: with `PLINTH_GET_WRITE`
    // for whoever may change the string after reading it, which counts neither as a hit nor as a
    // miss.
    //
    // Thread: main. Borrow: as `get`, or with `PLINTH_GET_HOLD` as `hold`. Fails:
    // `PLINTH_STATUS_NONE`, `PLINTH_STATUS_WRONG_TYPE`.
    plinth_status (*get_with)(plinth_call *call, plinth_bytes key, uint32_t flags, uint8_t *scratch,
                              plinth_bytes *bytes_out);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_string_service, 64);
PLINTH_ASSERT_OFFSET(plinth_string_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_string_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_string_service, get, 8);
PLINTH_ASSERT_OFFSET(plinth_string_service, set, 16);
PLINTH_ASSERT_OFFSET(plinth_string_service, edit, 24);
PLINTH_ASSERT_OFFSET(plinth_string_service, open, 32);
PLINTH_ASSERT_OFFSET(plinth_string_service, resize, 40);
PLINTH_ASSERT_OFFSET(plinth_string_service, hold, 48);
PLINTH_ASSERT_OFFSET(plinth_string_service, get_with, 56);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_STRING_H
