// Generated from module-api/abi/src/run.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.run/1`: running commands of any module from inside a module.

#ifndef PLINTH_RUN_H
#define PLINTH_RUN_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_reply_node plinth_reply_node;
typedef struct plinth_run_request plinth_run_request;
typedef struct plinth_run_service plinth_run_service;

// `plinth_run_service.run`: refuse commands that write.
#define PLINTH_RUN_READ_ONLY (UINT32_C(1) << 0)
// `plinth_run_service.run`: answer in RESP3 whatever the call speaks.
#define PLINTH_RUN_RESP3 (UINT32_C(1) << 1)
// Answer in RESP2 whatever the call speaks.
#define PLINTH_RUN_RESP2 (UINT32_C(1) << 2)
// `plinth_run_service.run_as`: the command is passed on by itself, as EXEC's are, and not as part
// of the caller's.
#define PLINTH_RUN_EFFECT (UINT32_C(1) << 3)
// `plinth_run_service.run_as`: nobody is told of what the command changes, nor of that as part of
// the caller's.
#define PLINTH_RUN_UNTOLD (UINT32_C(1) << 4)
// `plinth_run_service.run_as`, with `PLINTH_RUN_EFFECT`: the append-only file is not told of what
// the command changes.
#define PLINTH_RUN_UNTOLD_FILE (UINT32_C(1) << 6)
// `plinth_run_service.run_as`, with `PLINTH_RUN_EFFECT`: replicas are not told of what the command
// changes.
#define PLINTH_RUN_UNTOLD_REPLICAS (UINT32_C(1) << 7)
// `plinth_run_service.run_as`: run the command even when `maxmemory` is reached.
#define PLINTH_RUN_ALLOW_OOM (UINT32_C(1) << 5)

// How `plinth_run_service.run_as` is to run a command, and what it was.
struct plinth_run_request {
    // Size of this struct in bytes.
    uint32_t size;
    // `PLINTH_RUN_*` bits.
    uint32_t flags;
    // The user whose rights count; empty for the call's own.
    plinth_bytes user;
    // Filled in: `PLINTH_COMMAND_*` bits of the command or subcommand, also of one that was not run
    // for them; 0 when the reply is an error because the user may not run it, or because memory is
    // short.
    uint64_t command_flags;
};

// `plinth_reply_node.kind`: nothing.
#define PLINTH_NODE_NULL UINT32_C(0)
// An error: its text, with the code in front.
#define PLINTH_NODE_ERROR UINT32_C(1)
// A status: its text.
#define PLINTH_NODE_SIMPLE UINT32_C(2)
// A string: its bytes.
#define PLINTH_NODE_BULK UINT32_C(3)
// An integer: `integer`.
#define PLINTH_NODE_INTEGER UINT32_C(4)
// A number with a fraction: `number`, and its digits.
#define PLINTH_NODE_DOUBLE UINT32_C(5)
// True or false: `integer` is 1 or 0.
#define PLINTH_NODE_BOOLEAN UINT32_C(6)
// An integer of any size: its digits.
#define PLINTH_NODE_BIG_NUMBER UINT32_C(7)
// A text with its format: three characters, a colon, and the text.
#define PLINTH_NODE_VERBATIM UINT32_C(8)
// An array: `count` nodes follow.
#define PLINTH_NODE_ARRAY UINT32_C(9)
// A set: `count` nodes follow.
#define PLINTH_NODE_SET UINT32_C(10)
// A map: `count` nodes follow, of each pair the key and the value.
#define PLINTH_NODE_MAP UINT32_C(11)
// A message that is no reply: `count` nodes follow.
#define PLINTH_NODE_PUSH UINT32_C(12)

// A part of a reply. Those of several elements are followed by them, each with what follows it in
// turn.
struct plinth_reply_node {
    // Size of this struct in bytes; set by the caller.
    uint32_t size;
    // A `PLINTH_NODE_*` constant.
    uint32_t kind;
    // How many nodes follow that are its elements.
    uint64_t count;
    // Of an integer or boolean, its value.
    int64_t integer;
    // Of a double, its value.
    double number;
    // Bytes of the reply: the text, or the digits.
    plinth_bytes text;
};

// Id of the service below.
#define PLINTH_RUN_SERVICE "plinth.run/1"

// The service's table.
struct plinth_run_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // A handle of the command called `name`, which saves the look-up; null when there is none. It
    // must be resolved again after a module was loaded or unloaded (a stale handle is recognised).
    //
    // Thread: main. Borrow: `name` for the call. Fails: null.
    void *(*resolve)(plinth_call *call, plinth_bytes name);

    // Run a command in the call's database and hand its reply, as RESP bytes, to `take`. `command`
    // is a handle or null. An error of the command is a reply like any other.
    //
    // Thread: main. Borrow: `reply` for `take`'s call. Fails: `PLINTH_STATUS_NONE` for no such
    // command, `PLINTH_STATUS_NOT_ALLOWED` for one that may not be run from a module,
    // `PLINTH_STATUS_OUT_OF_RANGE` when calls nest too deep.
    plinth_status (*run)(plinth_call *call, void *command, const plinth_bytes *args, uint32_t argc,
                         uint32_t flags, plinth_take take, void *data);

    // The same for a script: the caller says as whom and how, learns what kind of command it was,
    // and by its status what was wrong with the arguments. Internal commands are not there. What
    // the user may not do is noted in ACL LOG, and the reply is an error.
    //
    // Thread: main. Borrow: `reply` for `take`'s call; `request` and all in it for the call. Fails:
    // `PLINTH_STATUS_NONE` for no such command or subcommand, `PLINTH_STATUS_ARITY`,
    // `PLINTH_STATUS_NOT_ALLOWED` for one that is not for scripts or, as `command_flags` tells,
    // writes where that was refused, `PLINTH_STATUS_OUT_OF_RANGE` when calls nest too deep,
    // `PLINTH_STATUS_UNSUPPORTED` for a user that the host does not know.
    plinth_status (*run_as)(plinth_call *call, void *command, const plinth_bytes *args,
                            uint32_t argc, plinth_run_request *request, plinth_take take,
                            void *data);

    // Read one node of a reply that `take` was given, in RESP2 or RESP3, from `*at` on, which goes
    // behind it: so a reply is read from 0 on, node by node. An attribute is passed over.
    //
    // Thread: any. Borrow: the node's text as long as `reply`. Fails: `PLINTH_STATUS_BAD_DATA`
    // where no whole node is.
    plinth_status (*read)(plinth_bytes reply, size_t *at, plinth_reply_node *node_out);

    // Whether a script may begin that says what it does, as a command with these `PLINTH_COMMAND_*`
    // bits (`WRITE`, `DENY_OOM`, `STALE`) might: memory, the disk and replication can be against
    // it. Why not goes to `take`, as an error that begins with its code. One that may is shown to
    // clients that watch, before the commands that it runs.
    //
    // Thread: main. Borrow: the text for `take`'s call. Fails: `PLINTH_STATUS_NOT_ALLOWED`, when
    // `take` was called.
    plinth_status (*may_begin)(plinth_call *call, uint64_t command_flags, plinth_take take,
                               void *data);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_run_request, 32);
PLINTH_ASSERT_OFFSET(plinth_run_request, size, 0);
PLINTH_ASSERT_OFFSET(plinth_run_request, flags, 4);
PLINTH_ASSERT_OFFSET(plinth_run_request, user, 8);
PLINTH_ASSERT_OFFSET(plinth_run_request, command_flags, 24);
PLINTH_ASSERT_SIZE(plinth_reply_node, 48);
PLINTH_ASSERT_OFFSET(plinth_reply_node, size, 0);
PLINTH_ASSERT_OFFSET(plinth_reply_node, kind, 4);
PLINTH_ASSERT_OFFSET(plinth_reply_node, count, 8);
PLINTH_ASSERT_OFFSET(plinth_reply_node, integer, 16);
PLINTH_ASSERT_OFFSET(plinth_reply_node, number, 24);
PLINTH_ASSERT_OFFSET(plinth_reply_node, text, 32);
PLINTH_ASSERT_SIZE(plinth_run_service, 48);
PLINTH_ASSERT_OFFSET(plinth_run_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_run_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_run_service, resolve, 8);
PLINTH_ASSERT_OFFSET(plinth_run_service, run, 16);
PLINTH_ASSERT_OFFSET(plinth_run_service, run_as, 24);
PLINTH_ASSERT_OFFSET(plinth_run_service, read, 32);
PLINTH_ASSERT_OFFSET(plinth_run_service, may_begin, 40);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_RUN_H
