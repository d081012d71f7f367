// Generated from module-api/abi/src/lib.rs by `cargo xtask headers`; do not edit.
//
// The whole module API of Plinth, and what makes a module short to write in C.
//
// A module is a shared library that exports one constant, `plinth_module_entry` (entry.h). It says
// what the module is, which types (value.h), commands (command.h) and parameters (config.h) it
// brings, and which services it needs. The host reads it before any code of the module runs, then
// calls `start` with a call (call.h), through which the module asks for tables of functions by
// their ids (host.h): keys.h, reply.h, codec.h and so on, one header per service.
//
//     #include <plinth/plinth.h>
//
//     static const plinth_reply_service *reply;
//
//     static plinth_status hello(plinth_call *call) {
//         reply->simple(call, plinth_text("hello"));
//         return PLINTH_STATUS_OK;
//     }
//
//     static plinth_status start(plinth_call *call) {
//         reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
//         return reply ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
//     }
//
//     static const plinth_command commands[] = {
//         {.size = PLINTH_SIZE(plinth_command), .arity = 1, .name = PLINTH_TEXT("hello"),
//          .flags = PLINTH_COMMAND_FAST, .run = {.invoke = hello}},
//     };
//
//     PLINTH_EXPORT const plinth_module plinth_module_entry = {
//         .magic = PLINTH_MAGIC,
//         .abi_major = PLINTH_ABI_MAJOR,
//         .abi_minor = PLINTH_ABI_MINOR,
//         .size = PLINTH_SIZE(plinth_module),
//         .name = PLINTH_TEXT("hello"),
//         .version = PLINTH_TEXT("1.0.0"),
//         .commands = PLINTH_LIST(commands),
//         .start = start,
//     };
//
//     cc -shared -fPIC -I module-api/include hello.c -o hello.so
//
// The contract in prose is module-api/ABI.md; examples/gauge-c is a module with a data type.

#ifndef PLINTH_PLINTH_H
#define PLINTH_PLINTH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <plinth/acl.h>
#include <plinth/block.h>
#include <plinth/bus.h>
#include <plinth/busy.h>
#include <plinth/bytes.h>
#include <plinth/call.h>
#include <plinth/clients.h>
#include <plinth/codec.h>
#include <plinth/command.h>
#include <plinth/config.h>
#include <plinth/convert.h>
#include <plinth/digest.h>
#include <plinth/directives.h>
#include <plinth/entry.h>
#include <plinth/event_loop.h>
#include <plinth/events.h>
#include <plinth/hash.h>
#include <plinth/host.h>
#include <plinth/info.h>
#include <plinth/keys.h>
#include <plinth/language.h>
#include <plinth/list.h>
#include <plinth/mode.h>
#include <plinth/process.h>
#include <plinth/propagate.h>
#include <plinth/rdb.h>
#include <plinth/replication.h>
#include <plinth/reply.h>
#include <plinth/rewrite.h>
#include <plinth/run.h>
#include <plinth/set.h>
#include <plinth/set_storage.h>
#include <plinth/socket.h>
#include <plinth/status.h>
#include <plinth/stream.h>
#include <plinth/string.h>
#include <plinth/timers.h>
#include <plinth/value.h>
#include <plinth/zset.h>

// Version of the ABI that breaks: a module of another major version is refused.
#define PLINTH_ABI_MAJOR 1
// Version of the ABI that grows: a module of a newer minor version is refused.
#define PLINTH_ABI_MINOR 0

// Before the definition of `plinth_module_entry`: visible to the host whatever the compiler's
// default is, and under its C name in C++.
#ifdef __cplusplus
#define PLINTH_EXPORT extern "C" __attribute__((visibility("default"), used))
#else
#define PLINTH_EXPORT __attribute__((visibility("default"), used))
#endif

// Initialiser of a `plinth_bytes` from a string literal, for constant data.
#define PLINTH_TEXT(literal) {(const uint8_t *)("" literal), sizeof(literal) - 1}

// Initialiser of any `plinth_*_slice` from an array whose size the compiler sees. The pointer in
// the slice has the element's type: a list of commands cannot take the place of a list of types.
#define PLINTH_LIST(array) \
    {(array), (uint32_t)(sizeof(array) / sizeof((array)[0])), (uint32_t)sizeof((array)[0])}

// Value of the `size` field that structs and tables begin with.
#define PLINTH_SIZE(type) ((uint32_t)sizeof(type))

// Initialiser of a `plinth_key_spec`: the argument at `index` is the one key, with `PLINTH_KEY_*`
// flags.
#define PLINTH_KEY_AT(key_flags, key_index) \
    {PLINTH_SIZE(plinth_key_spec), PLINTH_KEY_BEGIN_INDEX, (key_flags), (key_index), \
     PLINTH_KEY_FIND_RANGE, {NULL, 0}, 0, 1, 0, 0, {NULL, 0}}

#ifdef __cplusplus
extern "C" {
#endif

// Bytes of a terminated text that outlives their use, for arguments of functions.
static inline plinth_bytes plinth_text(const char *text) {
    plinth_bytes bytes;
    bytes.data = (const uint8_t *)text;
    bytes.len = strlen(text);
    return bytes;
}

// The integer that a text stands for, as commands read their arguments: no spaces, no plus sign, no
// leading zeros. 0 when it is none or does not fit; `PLINTH_STATUS_NOT_INTEGER` is then the answer.
static inline int plinth_integer(plinth_bytes text, int64_t *value_out) {
    size_t at = text.len > 0 && text.data[0] == '-';
    const uint64_t limit = (uint64_t)INT64_MAX + (at == 1);
    uint64_t value = 0;
    if (at == text.len || (text.len > 1 && text.data[at] == '0')) {
        return 0;
    }
    for (; at < text.len; at++) {
        const unsigned digit = (unsigned)text.data[at] - '0';
        if (digit > 9 || value > (limit - digit) / 10) {
            return 0;
        }
        value = value * 10 + digit;
    }
    *value_out = text.data[0] == '-' ? -(int64_t)(value - 1) - 1 : (int64_t)value;
    return 1;
}

// A service's table by its id, at least `size_min` bytes of it; NULL when there is none.
static inline void *plinth_service(const plinth_call *call, const char *id, uint32_t size_min) {
    return call->host->service(call->host, plinth_text(id), size_min);
}

#ifdef __cplusplus
}
#endif

#endif // PLINTH_PLINTH_H
