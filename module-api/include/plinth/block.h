// Generated from module-api/abi/src/block.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.block/1`: waiting, for keys or for a thread of the module's.
//
// A command that finds nothing says what it waits for, writes no reply, and returns OK. The host
// keeps the arguments and holds the client's later commands back. When one of the keys was changed
// and holds a value of the wanted type, the handler is run again with `PLINTH_CALL_RETRY`, from its
// beginning: it replies, or it waits again.
//
//      run ── nothing there ──> wait ──> OK     (the client waits)
//                                 ^
//      key changed ──> run again ─┤ nothing for it: wait again, in the same place
//                                 └ something: reply            (the client goes on)
//      time is up ──> the host sends the null that was asked for
//
// Those who wait for a key are run in the order in which they began to wait, at the end of the
// client's command (or transaction) that changed it. What they change in turn makes others ready
// within the same turn.
//
// A command whose work is another thread's says `plinth_block_service.suspend` instead, which gives
// it a ticket. The thread does the work and then calls `plinth_block_service.resume` with the
// ticket; the main thread runs the handler again, which asks for the ticket with
// `plinth_block_service.ticket`, finds what the thread has left for it, and replies.
//
//      main thread   run ── suspend: ticket 7 ──> OK     others are served     run again: ticket 7
//                                |                                                  ^
//      thread                    └──────> work ──────────────> resume(7) ───────────┘
//
// In EXEC, in scripts, and wherever there is no client, nothing can wait: `PLINTH_CALL_NO_BLOCK` or
// `PLINTH_CALL_NO_CLIENT` is set, and the handler answers as if the time were up.

#ifndef PLINTH_BLOCK_H
#define PLINTH_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_block_service plinth_block_service;
typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_host plinth_host; // host.h
typedef struct plinth_wait plinth_wait;

// `plinth_wait.reply`: when the time is up, a null.
#define PLINTH_WAIT_NULL UINT32_C(0)
// `plinth_wait.reply`: when the time is up, a null in place of an array.
#define PLINTH_WAIT_NULL_ARRAY UINT32_C(1)
// `plinth_wait.flags`: run again, too, when a key is gone or holds another type than `type_id`
// after a change.
#define PLINTH_WAIT_REMOVAL (UINT32_C(1) << 0)

// How to wait.
struct plinth_wait {
    // Size of this struct in bytes.
    uint32_t size;
    // Type of the values that are waited for; 0 takes any.
    uint32_t type_id;
    // `PLINTH_WAIT_*` flag bits.
    uint32_t flags;
    // What is sent when the time is up, `PLINTH_WAIT_NULL` or `PLINTH_WAIT_NULL_ARRAY`.
    uint32_t reply;
    // For how long, in ms; 0 is for ever.
    uint64_t timeout_ms;
    // Arguments for the next run in place of those of this one, the command's name first; null to
    // keep them.
    const plinth_bytes *args;
    // Number of those arguments.
    uint32_t argc;
    // Must be 0.
    uint32_t reserved;
};

// Id of the service below.
#define PLINTH_BLOCK_SERVICE "plinth.block/1"

// The service's table.
struct plinth_block_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // Wait for a change of one of `count` keys of the call's database; the handler then returns OK
    // without a reply. A status other than OK ends the wait. In a run with `PLINTH_CALL_RETRY` the
    // client goes on waiting: keys, type, flags, reply and the end of the time are those of the
    // first run, and only `args` of `how` are looked at.
    //
    // Thread: main. Borrow: all for the call. Fails: `PLINTH_STATUS_NOT_ALLOWED` where nothing can
    // wait, and in a run that `resume` has caused; `PLINTH_STATUS_EXISTS` the second time in one
    // run; `PLINTH_STATUS_UNSUPPORTED` for an unknown flag or reply; `PLINTH_STATUS_OUT_OF_RANGE`
    // without a key; `PLINTH_STATUS_OUT_OF_MEMORY`.
    plinth_status (*wait)(plinth_call *call, const plinth_bytes *keys, uint32_t count,
                          const plinth_wait *how);

    // Wait until somebody calls `resume` with the ticket that is written to `ticket_out`; the
    // handler then returns OK without a reply. Nothing else runs the handler again. `type_id` and
    // `flags` of `how` are 0. A status other than OK ends the wait. In a run with
    // `PLINTH_CALL_RETRY` the client goes on waiting under a new ticket: reply and the end of the
    // time are those of the first run, and only `args` of `how` are looked at. Tickets are never 0,
    // and none is given out twice.
    //
    // When the wait ends otherwise (its time is up, CLIENT UNBLOCK, the client is gone) nobody is
    // told: `resume` then answers `PLINTH_STATUS_NONE`. While a client waits so, the command's
    // module is neither unloaded nor replaced.
    //
    // Thread: main. Borrow: all for the call. Fails: `PLINTH_STATUS_NOT_ALLOWED` where nothing can
    // wait, in the run of one that waited for keys, and in a module whose place another has taken;
    // `PLINTH_STATUS_EXISTS` the second time in one run; `PLINTH_STATUS_UNSUPPORTED` for a type, a
    // flag or an unknown reply; `PLINTH_STATUS_OUT_OF_MEMORY`.
    plinth_status (*suspend)(plinth_call *call, const plinth_wait *how, uint64_t *ticket_out);

    // The ticket for which this run is made.
    //
    // Thread: main. Borrow: nothing. Fails: `PLINTH_STATUS_NONE` in a run that `resume` has not
    // caused.
    plinth_status (*ticket)(plinth_call *call, uint64_t *ticket_out);

    // Have the handler run again that waits under a ticket, soon, on the main thread. It may be
    // called before the handler that got the ticket has returned, and more than once. `host` is the
    // module's own.
    //
    // Thread: any. Borrow: nothing. Fails: `PLINTH_STATUS_NONE` when nobody waits under the ticket
    // any more, or never did.
    plinth_status (*resume)(const plinth_host *host, uint64_t ticket);

    // Whether somebody waits under a ticket still, so that the work for it is worth going on with.
    // `host` is the module's own.
    //
    // Thread: any. Borrow: nothing. Fails: `PLINTH_STATUS_NONE` where `resume` would answer it.
    plinth_status (*is_waiting)(const plinth_host *host, uint64_t ticket);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_wait, 40);
PLINTH_ASSERT_OFFSET(plinth_wait, size, 0);
PLINTH_ASSERT_OFFSET(plinth_wait, type_id, 4);
PLINTH_ASSERT_OFFSET(plinth_wait, flags, 8);
PLINTH_ASSERT_OFFSET(plinth_wait, reply, 12);
PLINTH_ASSERT_OFFSET(plinth_wait, timeout_ms, 16);
PLINTH_ASSERT_OFFSET(plinth_wait, args, 24);
PLINTH_ASSERT_OFFSET(plinth_wait, argc, 32);
PLINTH_ASSERT_OFFSET(plinth_wait, reserved, 36);
PLINTH_ASSERT_SIZE(plinth_block_service, 48);
PLINTH_ASSERT_OFFSET(plinth_block_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_block_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_block_service, wait, 8);
PLINTH_ASSERT_OFFSET(plinth_block_service, suspend, 16);
PLINTH_ASSERT_OFFSET(plinth_block_service, ticket, 24);
PLINTH_ASSERT_OFFSET(plinth_block_service, resume, 32);
PLINTH_ASSERT_OFFSET(plinth_block_service, is_waiting, 40);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_BLOCK_H
