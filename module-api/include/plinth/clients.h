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
PLINTH_ASSERT_SIZE(plinth_clients_service, 32);
PLINTH_ASSERT_OFFSET(plinth_clients_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_clients_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_clients_service, info, 8);
PLINTH_ASSERT_OFFSET(plinth_clients_service, push, 16);
PLINTH_ASSERT_OFFSET(plinth_clients_service, disconnect, 24);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_CLIENTS_H
