// Generated from module-api/abi/src/clients.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.clients/1`: who is connected.

#ifndef PLINTH_CLIENTS_H
#define PLINTH_CLIENTS_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_client plinth_client;
typedef struct plinth_clients_service plinth_clients_service;
typedef struct plinth_listening plinth_listening;

// What is known of a client. Texts are valid until the next call of the service.
struct plinth_client {
    // Size of this struct in bytes.
    uint32_t size;
    // Selected database.
    uint32_t db;
    // Id, never used twice.
    uint64_t id;
    // Protocol version, 2 or 3.
    uint32_t resp;
    // 1 when connected through a unix socket.
    uint32_t is_unix;
    // Address and port as CLIENT LIST shows them.
    plinth_bytes address;
    // Name set by CLIENT SETNAME, or empty.
    plinth_bytes name;
    // User, `"default"` unless it authenticated as another.
    plinth_bytes user;
    // Seconds connected.
    uint64_t age_s;
    // Seconds without a command.
    uint64_t idle_s;
};

// What a client listens to: how much of it there is, as CLIENT LIST shows it.
struct plinth_listening {
    // Size of this struct in bytes.
    uint32_t size;
    // Channels, `sub` of CLIENT LIST.
    uint32_t channels;
    // Patterns of channels, `psub`.
    uint32_t patterns;
    // Channels of a shard, `ssub`.
    uint32_t shard_channels;
    // Bytes of memory that the module keeps for it; part of the client's `tot-mem`.
    uint64_t bytes;
};

// Id of the service below.
#define PLINTH_CLIENTS_SERVICE "plinth.clients/1"

// The service's table.
struct plinth_clients_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // What is known of a client.
    //
    // Thread: main. Borrow: texts until the next call of the service. Fails: `PLINTH_STATUS_NONE`.
    plinth_status (*info)(plinth_call *call, uint64_t client_id, plinth_client *client_out);

    // Send bytes of RESP to a client. They wait until the outermost command, timer or hook has
    // ended, and are sent behind the reply that is being written to it, if it is.
    //
    // Thread: main. Borrow: `bytes` for the call. Fails: `PLINTH_STATUS_NONE`, also when so much
    // waits that the client is closed.
    plinth_status (*push)(plinth_call *call, uint64_t client_id, plinth_bytes bytes);

    // Close a client's connection after its pending replies.
    //
    // Thread: main. Borrow: nothing. Fails: `PLINTH_STATUS_NONE`.
    plinth_status (*disconnect)(plinth_call *call, uint64_t client_id);

    // Say to how much a client listens from now on; to nothing when all three are 0. A client that
    // listens is of the type `pubsub` for CLIENT and for `client-output-buffer-limit`, is not
    // closed for being idle, and as long as it speaks RESP2 runs only commands with
    // `PLINTH_COMMAND_WHILE_LISTENING`(crate::command::COMMAND_WHILE_LISTENING). When the module
    // leaves, or another takes its place, its listeners are disconnected.
    //
    // Thread: main. Borrow: `listening` for the call. Fails: `PLINTH_STATUS_NONE`;
    // `PLINTH_STATUS_NOT_ALLOWED` when it listens to another module.
    plinth_status (*listen)(plinth_call *call, uint64_t client_id,
                            const plinth_listening *listening);

    // Keep a text that many clients are to be sent, once for all of them. `shared_out` names it,
    // and is never 0.
    //
    // Thread: main. Borrow: `bytes` for the call; `shared_out` until the outermost command, timer
    // or hook has ended. Fails: `PLINTH_STATUS_OUT_OF_MEMORY`.
    plinth_status (*share)(plinth_call *call, plinth_bytes bytes, uint64_t *shared_out);

    // Send clients, as `push` does, a message: `head`, and as its last element the text that
    // `shared` names, unless that is 0. `head` begins with that of an array (`*`), and is a push
    // (`>`) to those who speak RESP3. Clients that are not there are passed over; `reached_out` is
    // the number of those that are.
    //
    // Thread: main. Borrow: `client_ids` and `head` for the call. Fails: `PLINTH_STATUS_NONE` when
    // `shared` names nothing.
    plinth_status (*push_all)(plinth_call *call, const uint64_t *client_ids, size_t count,
                              plinth_bytes head, uint64_t shared, size_t *reached_out);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_client, 88);
PLINTH_ASSERT_OFFSET(plinth_client, size, 0);
PLINTH_ASSERT_OFFSET(plinth_client, db, 4);
PLINTH_ASSERT_OFFSET(plinth_client, id, 8);
PLINTH_ASSERT_OFFSET(plinth_client, resp, 16);
PLINTH_ASSERT_OFFSET(plinth_client, is_unix, 20);
PLINTH_ASSERT_OFFSET(plinth_client, address, 24);
PLINTH_ASSERT_OFFSET(plinth_client, name, 40);
PLINTH_ASSERT_OFFSET(plinth_client, user, 56);
PLINTH_ASSERT_OFFSET(plinth_client, age_s, 72);
PLINTH_ASSERT_OFFSET(plinth_client, idle_s, 80);
PLINTH_ASSERT_SIZE(plinth_listening, 24);
PLINTH_ASSERT_OFFSET(plinth_listening, size, 0);
PLINTH_ASSERT_OFFSET(plinth_listening, channels, 4);
PLINTH_ASSERT_OFFSET(plinth_listening, patterns, 8);
PLINTH_ASSERT_OFFSET(plinth_listening, shard_channels, 12);
PLINTH_ASSERT_OFFSET(plinth_listening, bytes, 16);
PLINTH_ASSERT_SIZE(plinth_clients_service, 56);
PLINTH_ASSERT_OFFSET(plinth_clients_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_clients_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_clients_service, info, 8);
PLINTH_ASSERT_OFFSET(plinth_clients_service, push, 16);
PLINTH_ASSERT_OFFSET(plinth_clients_service, disconnect, 24);
PLINTH_ASSERT_OFFSET(plinth_clients_service, listen, 32);
PLINTH_ASSERT_OFFSET(plinth_clients_service, share, 40);
PLINTH_ASSERT_OFFSET(plinth_clients_service, push_all, 48);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_CLIENTS_H
