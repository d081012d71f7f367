// Generated from module-api/abi/src/socket.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.socket/1`: stream sockets, outgoing and listening, which the host reads and
// writes.
//
//      connect ──> on_connected ──> on_data, on_data, ... ──> on_closed
//             \──────────────────────────────────────────────────^      it failed, or the other side ended
//      listen  ──> on_accepted, on_accepted, ...                        each fills a `plinth_peer`, as connect has it
//
// All of these are called between commands: no handler is on the stack.

#ifndef PLINTH_SOCKET_H
#define PLINTH_SOCKET_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_peer plinth_peer;
typedef struct plinth_socket_service plinth_socket_service;

// `reason` of `plinth_socket_closed`: the other side has ended.
#define PLINTH_SOCKET_ENDED 0
// Another reason: as much has come as may wait, and `on_data` takes none of it.
#define PLINTH_SOCKET_FULL (-1)
// Another reason: it was to speak TLS, and both sides could not agree on it, or a certificate is
// not good.
#define PLINTH_SOCKET_TLS (-2)

// Called once when a socket is connected.
typedef void (*plinth_socket_connected)(plinth_call *call, uint64_t socket, void *data);

// Called when something has come. `bytes` is all that has come and was not taken yet, valid for the
// call. Returns how many of them, from the first, are taken; the rest is shown again when more has
// come.
typedef size_t (*plinth_socket_data)(plinth_call *call, uint64_t socket, plinth_bytes bytes,
                                     void *data);

// Called once when a socket is gone without having been closed by the module: the last that is said
// of it. `reason` is an error's number of the system, or `PLINTH_SOCKET_*`.
typedef void (*plinth_socket_closed)(plinth_call *call, uint64_t socket, int32_t reason,
                                     void *data);

// What is to be done with a connected socket.
struct plinth_peer {
    // Size of this struct in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;
    // Most bytes that may have come and not be taken; 0 for 1 MiB.
    uint64_t input_bytes_max;
    // Most bytes that may wait to be sent; 0 for 1 MiB.
    uint64_t output_bytes_max;
    // It is connected, and if it speaks TLS the handshake is over. Not called for one that was
    // accepted.
    plinth_socket_connected connected;
    // Something has come.
    plinth_socket_data received;
    // It is gone.
    plinth_socket_closed closed;
    // What all three get. It stays the module's.
    void *data;
};

// Called when somebody has connected to a socket that listens. Fills `peer_out`, which holds its
// `size`; with a status other than OK the new socket is closed.
typedef plinth_status (*plinth_socket_accepted)(plinth_call *call, uint64_t listener,
                                                uint64_t socket, plinth_peer *peer_out, void *data);

// Id of the service below.
#define PLINTH_SOCKET_SERVICE "plinth.socket/1"

// The service's table. Sockets are known by ids, never used twice; those of a module are closed
// with it, without a call. They count against `PLINTH_LOOP_WATCHES_MAX` of `plinth.loop/1`.
struct plinth_socket_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // Connect to an address in digits (names are the module's to look up), or to the unix socket at
    // a path that begins with `/`, for which `port` is 0. How that ends is told between commands,
    // and never within this call. It goes from the address `source`, unless that is empty.
    //
    // Thread: main. Borrow: `peer` and texts for the call, `data` in it until the socket is gone.
    // Fails: `PLINTH_STATUS_BAD_DATA` for what is no address, `PLINTH_STATUS_TOO_LARGE` when there
    // are too many, `PLINTH_STATUS_NONE` when the system refuses at once.
    plinth_status (*connect)(plinth_call *call, plinth_bytes address, uint32_t port,
                             plinth_bytes source, const plinth_peer *peer, uint64_t *socket_out);

    // Listen on an address in digits and a port, 0 for any that is free. `address` tells which.
    //
    // Thread: main. Borrow: `address` for the call, `data` until it is closed. Fails: as `connect`.
    plinth_status (*listen)(plinth_call *call, plinth_bytes address, uint32_t port,
                            plinth_socket_accepted accepted, void *data, uint64_t *socket_out);

    // Send bytes, behind those that wait, also before it is connected. They go at the end of the
    // turn.
    //
    // Thread: main. Borrow: `bytes` for the call. Fails: `PLINTH_STATUS_NONE` when there is no such
    // socket (any more); `PLINTH_STATUS_TOO_LARGE` when more would wait than may, of which nothing
    // is sent then.
    plinth_status (*write)(plinth_call *call, uint64_t socket, plinth_bytes bytes);

    // Close a socket, also within a function of its own: nothing is called for it any more. What
    // waits is sent as far as the system takes it at once.
    //
    // Thread: main. Borrow: nothing. Fails: `PLINTH_STATUS_NONE`.
    plinth_status (*close)(plinth_call *call, uint64_t socket);

    // `take` gets the socket's own address, or with `of_peer` the other side's, as `127.0.0.1:6379`
    // or `[::1]:6379`.
    //
    // Thread: main. Borrow: the text for `take`. Fails: `PLINTH_STATUS_NONE`.
    plinth_status (*address)(plinth_call *call, uint64_t socket, uint32_t of_peer, plinth_take take,
                             void *data);

    // Have a socket speak TLS, with the certificates and by the rules of the server's `tls-*`
    // parameters: one that connects before it is connected, one that was accepted within
    // `accepted`. `write` is as ever; what is written goes when the handshake is over. One that
    // connects tells the other side `name`, unless that is empty or digits, and ends when the
    // certificate there is from none of the authorities of `tls-ca-cert-*`; whom it names is not
    // looked at.
    //
    // Thread: main. Borrow: `name` for the call. Fails: `PLINTH_STATUS_NONE` when there is no such
    // socket; `PLINTH_STATUS_UNSUPPORTED` when the server has no certificates in use, which takes
    // `tls-port`, `tls-replication` or `tls-cluster`; `PLINTH_STATUS_BAD_DATA` for a unix socket,
    // one that listens, and where it is too late.
    plinth_status (*tls)(plinth_call *call, uint64_t socket, plinth_bytes name);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_peer, 56);
PLINTH_ASSERT_OFFSET(plinth_peer, size, 0);
PLINTH_ASSERT_OFFSET(plinth_peer, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_peer, input_bytes_max, 8);
PLINTH_ASSERT_OFFSET(plinth_peer, output_bytes_max, 16);
PLINTH_ASSERT_OFFSET(plinth_peer, connected, 24);
PLINTH_ASSERT_OFFSET(plinth_peer, received, 32);
PLINTH_ASSERT_OFFSET(plinth_peer, closed, 40);
PLINTH_ASSERT_OFFSET(plinth_peer, data, 48);
PLINTH_ASSERT_SIZE(plinth_socket_service, 56);
PLINTH_ASSERT_OFFSET(plinth_socket_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_socket_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_socket_service, connect, 8);
PLINTH_ASSERT_OFFSET(plinth_socket_service, listen, 16);
PLINTH_ASSERT_OFFSET(plinth_socket_service, write, 24);
PLINTH_ASSERT_OFFSET(plinth_socket_service, close, 32);
PLINTH_ASSERT_OFFSET(plinth_socket_service, address, 40);
PLINTH_ASSERT_OFFSET(plinth_socket_service, tls, 48);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_SOCKET_H
