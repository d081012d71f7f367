// Generated from module-api/abi/src/bytes.rs by `cargo xtask headers`; do not edit.
//
// Bytes and slices: the pointer-and-length pairs that cross the ABI.
//
// Both are plain pairs without a `size` field; they never grow. A null pointer is allowed only with
// length 0.

#ifndef PLINTH_BYTES_H
#define PLINTH_BYTES_H

#include <stddef.h>
#include <stdint.h>

// Layouts are asserted at the end of each header, for machines with 64-bit addresses: a compiler
// that lays a struct out in another way, or a file that packs what it includes, does not compile.
#ifdef __cplusplus
#define PLINTH_ASSERT_SIZE(type, bytes) static_assert(sizeof(type) == (bytes), "size of " #type)
#define PLINTH_ASSERT_OFFSET(type, field, bytes) \
    static_assert(offsetof(type, field) == (bytes), "offset of " #type "." #field)
#else
#define PLINTH_ASSERT_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "size of " #type)
#define PLINTH_ASSERT_OFFSET(type, field, bytes) \
    _Static_assert(offsetof(type, field) == (bytes), "offset of " #type "." #field)
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_bytes plinth_bytes;

// A run of bytes that somebody else owns: arguments, keys, names, texts. Binary safe, not
// terminated.
struct plinth_bytes {
    // First byte; may be null when `len` is 0.
    const uint8_t *data;
    // Number of bytes.
    size_t len;
};

// An array of structs, with the distance between two elements, so that an array compiled against an
// older, shorter struct can still be walked.
typedef struct plinth_bytes_slice {
    // First element; may be null when `count` is 0.
    const plinth_bytes *items;
    // Number of elements.
    uint32_t count;
    // Bytes from one element to the next: `sizeof` in the module's compiler.
    uint32_t stride;
} plinth_bytes_slice;

// An array of `uint8_t`; see `plinth/bytes.h`.
typedef struct plinth_uint8_slice {
    const uint8_t *items;
    uint32_t count;
    uint32_t stride;
} plinth_uint8_slice;

// Called once with bytes that are the answer; `data` is what the asker gave.
typedef void (*plinth_take)(void *data, plinth_bytes bytes);

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_bytes, 16);
PLINTH_ASSERT_OFFSET(plinth_bytes, data, 0);
PLINTH_ASSERT_OFFSET(plinth_bytes, len, 8);
PLINTH_ASSERT_SIZE(plinth_bytes_slice, 16);
PLINTH_ASSERT_SIZE(plinth_uint8_slice, 16);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_BYTES_H
