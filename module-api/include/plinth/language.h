// Generated from module-api/abi/src/language.rs by `cargo xtask headers`; do not edit.
//
// Services `plinth.language.NAME/1`: languages that functions are written in.
//
// Whoever provides `plinth.language.toy/1` is where libraries live whose first line is `#!toy
// name=lib`. The module that has FUNCTION and FCALL asks for the service when such a library comes,
// and lets go of it when the last one has gone. It keeps sources and names, and what is in files; a
// language compiles, calls and frees.
//
//      FUNCTION LOAD ──> compile ──> declare, declare, ... ──> functions by name
//      FCALL ──> call ──> command, command, ... and one reply
//      FUNCTION DELETE, FLUSH, LOAD REPLACE ──> free, free, ...
//
// The table's second word should be `PLINTH_SERVICE_PINNED`(crate::entry::SERVICE_PINNED): what one
// provider compiled another cannot call. While there is a library of a language its module is
// neither unloaded nor replaced. One that a file brings before the language is there is kept as a
// source, and compiled when somebody asks for a function.

#ifndef PLINTH_LANGUAGE_H
#define PLINTH_LANGUAGE_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_declared_function plinth_declared_function;
typedef struct plinth_function_run plinth_function_run;
typedef struct plinth_language_service plinth_language_service;
typedef struct plinth_library_source plinth_library_source;

// What stands before a language's name in the id of its service. The name has lower case letters,
// digits and underscores.
#define PLINTH_LANGUAGE_BEGIN "plinth.language."
// What stands behind it.
#define PLINTH_LANGUAGE_END "/1"

// A function does not write, and FCALL_RO may call it.
#define PLINTH_FUNCTION_NO_WRITES (UINT32_C(1) << 0)
// A function runs when `maxmemory` is reached.
#define PLINTH_FUNCTION_ALLOW_OOM (UINT32_C(1) << 1)
// A function runs on a replica whose data may be old.
#define PLINTH_FUNCTION_ALLOW_STALE (UINT32_C(1) << 2)
// A function does not run in a cluster.
#define PLINTH_FUNCTION_NO_CLUSTER (UINT32_C(1) << 3)
// A function touches keys of several slots.
#define PLINTH_FUNCTION_ALLOW_CROSS_SLOT (UINT32_C(1) << 4)

// A function, as a library declares it.
struct plinth_declared_function {
    // Size of this struct in bytes.
    uint32_t size;
    // `PLINTH_FUNCTION_*` bits.
    uint32_t flags;
    // What FCALL calls it: letters, digits and underscores.
    plinth_bytes name;
    // What it is for; empty when the library does not say.
    plinth_bytes description;
    // What the language finds it by.
    void *function;
};

// A library that is to be compiled, and who is told what is in it.
struct plinth_library_source {
    // Size of this struct in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;
    // Its name.
    plinth_bytes name;
    // Its source, with the line that names language and library.
    plinth_bytes source;
    // Passed on to the two functions.
    void *data;

    // A function is in the library. From then on `free` is called for it once, whatever becomes of
    // the library.
    //
    // Thread: main. Borrow: `function` and its texts for the call. Fails: `PLINTH_STATUS_BAD_DATA`
    // for a name that can be none, `PLINTH_STATUS_EXISTS` for one that the library has declared
    // already; nothing is freed then.
    plinth_status (*declare)(void *data, const plinth_declared_function *function);

    // Why the library does not compile: the error that FUNCTION LOAD answers, with its code in
    // front.
    //
    // Thread: main. Borrow: `text` for the call. Fails: never.
    void (*fail)(void *data, plinth_bytes text);
};

// A function that is called.
struct plinth_function_run {
    // Size of this struct in bytes.
    uint32_t size;
    // `PLINTH_FUNCTION_*` bits; `PLINTH_FUNCTION_NO_WRITES` also where FCALL_RO calls.
    uint32_t flags;
    // Its name.
    plinth_bytes name;
    // The keys that it was given.
    const plinth_bytes *keys;
    // The arguments behind them.
    const plinth_bytes *args;
    // How many keys.
    uint32_t key_count;
    // How many arguments.
    uint32_t arg_count;
    // Passed on to `command`.
    void *data;

    // Run a command for the function: with the caller's rights, as its flags allow, as an effect of
    // its own. What is wrong is an error among the replies, also where there is no such command, or
    // it is not for functions. `flags` is `PLINTH_RUN_RESP3`(crate::run::RUN_RESP3), or 0 for a
    // reply in RESP2; `read` of `plinth.run/1` reads it.
    //
    // Thread: main, within the call of the function. Borrow: `args` for the call, the reply for
    // `take`'s. Fails: `PLINTH_STATUS_NOT_ALLOWED` for other flags or no arguments; `take` is not
    // called then.
    plinth_status (*command)(plinth_call *call, void *data, const plinth_bytes *args, uint32_t argc,
                             uint32_t flags, plinth_take take, void *take_data);

    // Between two steps of what may take long, every few milliseconds: others are served when it is
    // time, as with `plinth.busy/1`. Answers `PLINTH_BUSY_END`(crate::busy::BUSY_END) when the
    // function is to end, with an error, and 0 when it goes on.
    //
    // Thread: main, within the call of the function. Borrow: nothing. Fails: never.
    uint32_t (*give_way)(plinth_call *call, void *data);
};

// The service's table.
struct plinth_language_service {
    // Size of this table in bytes.
    uint32_t size;
    // `PLINTH_SERVICE_PINNED`(crate::entry::SERVICE_PINNED), because functions outlive calls.
    uint32_t flags;

    // Compile a library and declare its functions. Commands are not run. The reply of the call is
    // not for it: what is wrong it says by `fail`.
    //
    // Thread: main. Borrow: `library` and all in it for the call. Fails: any status; what was
    // declared is freed then.
    plinth_status (*compile)(plinth_call *call, const plinth_library_source *library);

    // Call a function, which writes one reply.
    //
    // Thread: main. Borrow: `run` and all in it for the call. Fails: any status, as a command does.
    plinth_status (*call)(plinth_call *call, void *function, const plinth_function_run *run);

    // A function goes.
    //
    // Thread: main. Borrow: nothing. Fails: never.
    void (*free)(void *function);

    // Bytes that the language has for all functions together.
    //
    // Thread: main. Borrow: nothing. Fails: never.
    uint64_t (*memory)(void);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_declared_function, 48);
PLINTH_ASSERT_OFFSET(plinth_declared_function, size, 0);
PLINTH_ASSERT_OFFSET(plinth_declared_function, flags, 4);
PLINTH_ASSERT_OFFSET(plinth_declared_function, name, 8);
PLINTH_ASSERT_OFFSET(plinth_declared_function, description, 24);
PLINTH_ASSERT_OFFSET(plinth_declared_function, function, 40);
PLINTH_ASSERT_SIZE(plinth_library_source, 64);
PLINTH_ASSERT_OFFSET(plinth_library_source, size, 0);
PLINTH_ASSERT_OFFSET(plinth_library_source, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_library_source, name, 8);
PLINTH_ASSERT_OFFSET(plinth_library_source, source, 24);
PLINTH_ASSERT_OFFSET(plinth_library_source, data, 40);
PLINTH_ASSERT_OFFSET(plinth_library_source, declare, 48);
PLINTH_ASSERT_OFFSET(plinth_library_source, fail, 56);
PLINTH_ASSERT_SIZE(plinth_function_run, 72);
PLINTH_ASSERT_OFFSET(plinth_function_run, size, 0);
PLINTH_ASSERT_OFFSET(plinth_function_run, flags, 4);
PLINTH_ASSERT_OFFSET(plinth_function_run, name, 8);
PLINTH_ASSERT_OFFSET(plinth_function_run, keys, 24);
PLINTH_ASSERT_OFFSET(plinth_function_run, args, 32);
PLINTH_ASSERT_OFFSET(plinth_function_run, key_count, 40);
PLINTH_ASSERT_OFFSET(plinth_function_run, arg_count, 44);
PLINTH_ASSERT_OFFSET(plinth_function_run, data, 48);
PLINTH_ASSERT_OFFSET(plinth_function_run, command, 56);
PLINTH_ASSERT_OFFSET(plinth_function_run, give_way, 64);
PLINTH_ASSERT_SIZE(plinth_language_service, 40);
PLINTH_ASSERT_OFFSET(plinth_language_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_language_service, flags, 4);
PLINTH_ASSERT_OFFSET(plinth_language_service, compile, 8);
PLINTH_ASSERT_OFFSET(plinth_language_service, call, 16);
PLINTH_ASSERT_OFFSET(plinth_language_service, free, 24);
PLINTH_ASSERT_OFFSET(plinth_language_service, memory, 32);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_LANGUAGE_H
