// Generated from module-api/abi/src/config.rs by `cargo xtask headers`; do not edit.
//
// Configuration: parameters that a module declares, and the service `plinth.config/1`, which reads
// and sets any parameter of the server.
//
// A parameter `limit` of module `gauge` is `gauge.limit` in `redis.conf`, CONFIG GET, CONFIG SET
// and MODULE LOADEX. The host parses and checks its text before `apply` sees the value. A parameter
// may have a second name, its alias, which is as good as the first everywhere; only CONFIG REWRITE
// prefers the first.

#ifndef PLINTH_CONFIG_H
#define PLINTH_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_config plinth_config;
typedef struct plinth_config_service plinth_config_service;

// An array of `plinth_config`; see `plinth/bytes.h`.
typedef struct plinth_config_slice {
    const plinth_config *items;
    uint32_t count;
    uint32_t stride;
} plinth_config_slice;

// Kind of a parameter: any text.
#define PLINTH_CONFIG_TEXT UINT32_C(0)
// Kind of a parameter: an integer between `min` and `max`.
#define PLINTH_CONFIG_INTEGER UINT32_C(1)
// Kind of a parameter: `yes` or `no`, 1 or 0.
#define PLINTH_CONFIG_BOOLEAN UINT32_C(2)
// Kind of a parameter: one of `choices`, as its position.
#define PLINTH_CONFIG_CHOICE UINT32_C(3)
// Kind of a parameter: a number of bytes, such as `64mb`.
#define PLINTH_CONFIG_MEMORY UINT32_C(4)
// Parameter flag: set at start only.
#define PLINTH_CONFIG_IMMUTABLE (UINT32_C(1) << 0)
// Parameter flag: not shown by CONFIG GET.
#define PLINTH_CONFIG_SENSITIVE (UINT32_C(1) << 1)
// Parameter flag: the name stands alone, without the module in front; refused when taken.
#define PLINTH_CONFIG_BARE (UINT32_C(1) << 3)
// Parameter flag: not matched by patterns of CONFIG GET.
#define PLINTH_CONFIG_HIDDEN (UINT32_C(1) << 2)

// A parameter that a module declares.
struct plinth_config {
    // Size of this struct in bytes.
    uint32_t size;
    // `PLINTH_CONFIG_*` kind.
    uint32_t kind;
    // `PLINTH_CONFIG_*` flag bits.
    uint32_t flags;
    // Must be 0.
    uint32_t reserved;
    // Name without the module's.
    plinth_bytes name;
    // Value when nothing sets it, as text.
    plinth_bytes default_;
    // Least integer.
    int64_t min;
    // Greatest integer.
    int64_t max;
    // Words of a choice.
    plinth_bytes_slice choices;

    // Told the value at load, before `start`, and at each CONFIG SET: `number` for integers,
    // booleans, choices and sizes, `text` for text. An error written to the call's reply is shown
    // to whoever sets it.
    //
    // Thread: main. Borrow: `text` for the call. Fails: the value is refused.
    plinth_status (*apply)(plinth_call *call, int64_t number, plinth_bytes text, void *data);

    // The module's own, handed to `apply`.
    void *data;
    // Second name, such as a former one, under the same rules as `name`; empty for none.
    plinth_bytes alias;
};

// Id of the service below.
#define PLINTH_CONFIG_SERVICE "plinth.config/1"

// The service's table.
struct plinth_config_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // A parameter's value as CONFIG GET shows it, handed to `take`.
    //
    // Thread: main. Borrow: `text` for `take`'s call. Fails: `PLINTH_STATUS_NONE`.
    plinth_status (*get)(plinth_call *call, plinth_bytes name, plinth_take take, void *data);

    // A number, boolean, size or choice's position without text, for hot paths.
    //
    // Thread: main. Borrow: nothing. Fails: `PLINTH_STATUS_NONE`, `PLINTH_STATUS_NOT_INTEGER`.
    plinth_status (*get_number)(plinth_call *call, plinth_bytes name, int64_t *number_out);

    // Set a parameter as CONFIG SET does.
    //
    // Thread: main. Borrow: both for the call. Fails: `PLINTH_STATUS_NONE`;
    // `PLINTH_STATUS_NOT_ALLOWED` for one that is fixed, and when parameters are set within one
    // another four deep; `PLINTH_STATUS_SYNTAX`.
    plinth_status (*set)(plinth_call *call, plinth_bytes name, plinth_bytes value);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_config, 112);
PLINTH_ASSERT_OFFSET(plinth_config, size, 0);
PLINTH_ASSERT_OFFSET(plinth_config, kind, 4);
PLINTH_ASSERT_OFFSET(plinth_config, flags, 8);
PLINTH_ASSERT_OFFSET(plinth_config, reserved, 12);
PLINTH_ASSERT_OFFSET(plinth_config, name, 16);
PLINTH_ASSERT_OFFSET(plinth_config, default_, 32);
PLINTH_ASSERT_OFFSET(plinth_config, min, 48);
PLINTH_ASSERT_OFFSET(plinth_config, max, 56);
PLINTH_ASSERT_OFFSET(plinth_config, choices, 64);
PLINTH_ASSERT_OFFSET(plinth_config, apply, 80);
PLINTH_ASSERT_OFFSET(plinth_config, data, 88);
PLINTH_ASSERT_OFFSET(plinth_config, alias, 96);
PLINTH_ASSERT_SIZE(plinth_config_service, 32);
PLINTH_ASSERT_OFFSET(plinth_config_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_config_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_config_service, get, 8);
PLINTH_ASSERT_OFFSET(plinth_config_service, get_number, 16);
PLINTH_ASSERT_OFFSET(plinth_config_service, set, 24);
PLINTH_ASSERT_SIZE(plinth_config_slice, 16);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_CONFIG_H
