// Generated from module-api/abi/src/info.rs by `cargo xtask headers`; do not edit.
//
// INFO: sections that a module adds, and the service `plinth.info/1` that writes them.

#ifndef PLINTH_INFO_H
#define PLINTH_INFO_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_info_service plinth_info_service;
typedef struct plinth_section plinth_section;

// An array of `plinth_section`; see `plinth/bytes.h`.
typedef struct plinth_section_slice {
    const plinth_section *items;
    uint32_t count;
    uint32_t stride;
} plinth_section_slice;

// `plinth_section.flags`: not a section of the module's own, but fields of the host's section that
// is called `name` (`stats`), for what stands there in Redis and is known to the module alone. They
// are shown at that section's end, whenever it is shown, and their names are as they are written.
// Where the host has no such section they are not shown.
#define PLINTH_SECTION_OF_HOST (UINT32_C(1) << 0)

// A section of INFO. It is shown under `INFO everything`, `INFO modules` and by its own name,
// `<module>_<name>` (or just `<module>` without a name); see `PLINTH_SECTION_OF_HOST` for fields of
// another one.
struct plinth_section {
    // Size of this struct in bytes.
    uint32_t size;
    // `PLINTH_SECTION_*` flag bits.
    uint32_t flags;
    // Name without the module's; may be empty.
    plinth_bytes name;

    // Write the fields.
    //
    // Thread: main. Borrow: `sink` for the call. Fails: never.
    void (*write)(plinth_call *call, void *sink);
};

// Id of the service below.
#define PLINTH_INFO_SERVICE "plinth.info/1"

// The service's table. Field names get the module's name in front, except those of a section with
// `PLINTH_SECTION_OF_HOST`.
struct plinth_info_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // A field with a text.
    //
    // Thread: main. Borrow: both for the call. Fails: never.
    void (*text)(void *sink, plinth_bytes name, plinth_bytes value);

    // A field with an integer.
    //
    // Thread: main. Borrow: `name` for the call. Fails: never.
    void (*integer)(void *sink, plinth_bytes name, int64_t value);

    // A field with a double.
    //
    // Thread: main. Borrow: `name` for the call. Fails: never.
    void (*double_)(void *sink, plinth_bytes name, double value);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_section, 32);
PLINTH_ASSERT_OFFSET(plinth_section, size, 0);
PLINTH_ASSERT_OFFSET(plinth_section, flags, 4);
PLINTH_ASSERT_OFFSET(plinth_section, name, 8);
PLINTH_ASSERT_OFFSET(plinth_section, write, 24);
PLINTH_ASSERT_SIZE(plinth_info_service, 32);
PLINTH_ASSERT_OFFSET(plinth_info_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_info_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_info_service, text, 8);
PLINTH_ASSERT_OFFSET(plinth_info_service, integer, 16);
PLINTH_ASSERT_OFFSET(plinth_info_service, double_, 24);
PLINTH_ASSERT_SIZE(plinth_section_slice, 16);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_INFO_H
