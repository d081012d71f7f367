// Generated from module-api/abi/src/entry.rs by `cargo xtask headers`; do not edit.
//
// The entry: the one symbol that a module exports, `plinth_module_entry`.
//
// It is constant data. The host reads and checks it before any of the module's code runs, and
// `plinth-server --inspect module.so` prints it.
//
//    const struct plinth_module plinth_module_entry = {
//        .magic = PLINTH_MAGIC, .abi_major = 1, .abi_minor = 0,
//        .size = sizeof(plinth_module), .name = PLINTH_TEXT("gauge"), ...
//    };

#ifndef PLINTH_ENTRY_H
#define PLINTH_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/command.h>
#include <plinth/config.h>
#include <plinth/info.h>
#include <plinth/status.h>
#include <plinth/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_module plinth_module;
typedef struct plinth_provided plinth_provided;

// An array of `plinth_provided`; see `plinth/bytes.h`.
typedef struct plinth_provided_slice {
    const plinth_provided *items;
    uint32_t count;
    uint32_t stride;
} plinth_provided_slice;

// First field of every entry: "PLNT" in memory.
#define PLINTH_MAGIC UINT32_C(0x544E4C50)

// The name of the exported symbol.
#define PLINTH_ENTRY_SYMBOL "plinth_module_entry"

// Flag of a provided table: what is made through it, such as the storage of a value, can be used
// with this provider's functions only. While others use the service, its module is not replaced.
#define PLINTH_SERVICE_PINNED (UINT32_C(1) << 0)

// A table of functions that this module offers to others.
struct plinth_provided {
    // Id with its revision, such as `"plinth.string/1"`.
    plinth_bytes id;
    // The table; begins with its size and `PLINTH_SERVICE_*` flags (`uint32_t` each).
    void *table;
};

// What a module exports.
struct plinth_module {
    // `PLINTH_MAGIC`.
    uint32_t magic;
    // `PLINTH_ABI_MAJOR` of the headers or SDK that the module was built with.
    uint16_t abi_major;
    // `PLINTH_ABI_MINOR` of the same.
    uint16_t abi_minor;
    // Size of this struct in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;
    // Short name, unique among loaded modules: `"gauge"`.
    plinth_bytes name;
    // The module's own version as text, `"1.2.3"`; MODULE LIST shows it as a number.
    plinth_bytes version;
    // Service ids without which `start` is not called.
    plinth_bytes_slice requires_;
    // Services that this module provides.
    plinth_provided_slice provides;
    // Data types.
    plinth_type_slice types;
    // Commands.
    plinth_command_slice commands;
    // Configuration parameters; shown as `module.parameter`.
    plinth_config_slice configs;
    // Sections that the module adds to INFO.
    plinth_section_slice infos;

    // Called once after everything above is checked, before it is visible. The call's arguments are
    // those of MODULE LOAD; what is stored in `plinth_call.module_data` comes back in each later
    // call. For any status but OK the load is undone; an error written to the reply is the reason
    // shown.
    //
    // Thread: main. Borrow: the call until it returns. Fails: any status.
    plinth_status (*start)(plinth_call *call);

    // Called once when the module leaves; no other call follows. Everything that was registered is
    // removed by the host.
    //
    // Thread: main. Borrow: the call until it returns. Fails: never.
    void (*stop)(plinth_call *call);

    // A Rust module's type layouts (`layout::Layout`), null for C.
    void *layout;
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_provided, 24);
PLINTH_ASSERT_OFFSET(plinth_provided, id, 0);
PLINTH_ASSERT_OFFSET(plinth_provided, table, 16);
PLINTH_ASSERT_SIZE(plinth_module, 168);
PLINTH_ASSERT_OFFSET(plinth_module, magic, 0);
PLINTH_ASSERT_OFFSET(plinth_module, abi_major, 4);
PLINTH_ASSERT_OFFSET(plinth_module, abi_minor, 6);
PLINTH_ASSERT_OFFSET(plinth_module, size, 8);
PLINTH_ASSERT_OFFSET(plinth_module, reserved, 12);
PLINTH_ASSERT_OFFSET(plinth_module, name, 16);
PLINTH_ASSERT_OFFSET(plinth_module, version, 32);
PLINTH_ASSERT_OFFSET(plinth_module, requires_, 48);
PLINTH_ASSERT_OFFSET(plinth_module, provides, 64);
PLINTH_ASSERT_OFFSET(plinth_module, types, 80);
PLINTH_ASSERT_OFFSET(plinth_module, commands, 96);
PLINTH_ASSERT_OFFSET(plinth_module, configs, 112);
PLINTH_ASSERT_OFFSET(plinth_module, infos, 128);
PLINTH_ASSERT_OFFSET(plinth_module, start, 144);
PLINTH_ASSERT_OFFSET(plinth_module, stop, 152);
PLINTH_ASSERT_OFFSET(plinth_module, layout, 160);
PLINTH_ASSERT_SIZE(plinth_provided_slice, 16);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_ENTRY_H
