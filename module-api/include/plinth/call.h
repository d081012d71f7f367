// Generated from module-api/abi/src/call.rs by `cargo xtask headers`; do not edit.
//
// The call: one run of a command handler, and the context that every function of a service is
// given.
//
// Timers, event hooks, `start` and `stop` get a call too, with arguments of their own (or none) and
// a reply that is thrown away or, for `start`, shown.

#ifndef PLINTH_CALL_H
#define PLINTH_CALL_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call;
typedef struct plinth_command plinth_command; // command.h
typedef struct plinth_host plinth_host; // host.h
typedef struct plinth_reply plinth_reply; // reply.h

// The command runs inside EXEC or a script: it must not wait.
#define PLINTH_CALL_NO_BLOCK (UINT32_C(1) << 0)
// `plinth_call.key_hash` holds the hash of the argument at `plinth_call.key_index`.
#define PLINTH_CALL_KEY_HASHED (UINT32_C(1) << 1)
// There is no client behind the call (a timer, an event, `start`).
#define PLINTH_CALL_NO_CLIENT (UINT32_C(1) << 2)
// Another module runs this command through `plinth.run/1`.
#define PLINTH_CALL_NESTED (UINT32_C(1) << 3)
// The command has waited (`plinth.block/1`) and is run again because a key changed.
#define PLINTH_CALL_RETRY (UINT32_C(1) << 4)
// Nobody is told of what the command changes: what its handler says through `plinth.propagate/1` is
// not kept, and it need not be put together. Without the bit it may be.
#define PLINTH_CALL_UNTOLD (UINT32_C(1) << 5)
// The data are a copy of another server's, which says what of them goes: a timer or a hook removes
// nothing because its time has come. Commands need not look at it.
#define PLINTH_CALL_REPLICA (UINT32_C(1) << 6)

// One run of a handler. The host fills it; a module reads it and passes it on to services. Valid
// until the handler returns.
struct plinth_call {
    // Size of this struct in bytes.
    uint32_t size;
    // `PLINTH_CALL_*` bits.
    uint32_t flags;
    // The arguments; `args[0]` is the command's name as the client wrote it.
    const plinth_bytes *args;
    // Number of arguments, at least 1 in a command.
    uint32_t argc;
    // Version of the protocol that the client speaks, 2 or 3.
    uint32_t resp;
    // Where the reply goes.
    plinth_reply *reply;
    // The module's own, as `start` left it.
    void *module_data;
    // The command that runs; null outside a command.
    const plinth_command *command;
    // Number of the selected database.
    uint32_t db;
    // Which argument `plinth_call.key_hash` belongs to.
    uint32_t key_index;
    // Hash of the first key, so that it is hashed once; see `PLINTH_CALL_KEY_HASHED`.
    uint64_t key_hash;
    // The server's clock as the command began, Unix time in ms; that of EXEC for its commands.
    int64_t now_ms;
    // The client's id; 0 without a client.
    uint64_t client_id;
    // The host of the module that runs.
    const plinth_host *host;
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_call, 88);
PLINTH_ASSERT_OFFSET(plinth_call, size, 0);
PLINTH_ASSERT_OFFSET(plinth_call, flags, 4);
PLINTH_ASSERT_OFFSET(plinth_call, args, 8);
PLINTH_ASSERT_OFFSET(plinth_call, argc, 16);
PLINTH_ASSERT_OFFSET(plinth_call, resp, 20);
PLINTH_ASSERT_OFFSET(plinth_call, reply, 24);
PLINTH_ASSERT_OFFSET(plinth_call, module_data, 32);
PLINTH_ASSERT_OFFSET(plinth_call, command, 40);
PLINTH_ASSERT_OFFSET(plinth_call, db, 48);
PLINTH_ASSERT_OFFSET(plinth_call, key_index, 52);
PLINTH_ASSERT_OFFSET(plinth_call, key_hash, 56);
PLINTH_ASSERT_OFFSET(plinth_call, now_ms, 64);
PLINTH_ASSERT_OFFSET(plinth_call, client_id, 72);
PLINTH_ASSERT_OFFSET(plinth_call, host, 80);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_CALL_H
