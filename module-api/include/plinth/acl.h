// Generated from module-api/abi/src/acl.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.acl/1`: who clients are, and what users may do.
//
// A user is named by its name. An empty one stands for the user of the call's client; where there
// is no client (timers, events), everything is allowed to it.

#ifndef PLINTH_ACL_H
#define PLINTH_ACL_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_acl_service plinth_acl_service;
typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_denied plinth_denied;

// The command itself is not allowed.
#define PLINTH_DENIED_COMMAND UINT32_C(1)
// The database is not.
#define PLINTH_DENIED_DATABASE UINT32_C(2)
// The key is not.
#define PLINTH_DENIED_KEY UINT32_C(3)
// The channel is not.
#define PLINTH_DENIED_CHANNEL UINT32_C(4)

// `plinth_acl_service.check_command`: a refusal goes into ACL LOG and is counted, as one in a
// module.
#define PLINTH_ACL_NOTE (UINT32_C(1) << 0)
// The same, as one in a script.
#define PLINTH_ACL_NOTE_SCRIPT (UINT32_C(1) << 1)
// `plinth_acl_service.check_command`: the rules that allow the command must allow reading any key
// too.
#define PLINTH_ACL_READ_ANY (UINT32_C(1) << 2)

// Why a command is not allowed.
struct plinth_denied {
    // Size of this struct in bytes.
    uint32_t size;
    // `PLINTH_DENIED_*`.
    uint32_t kind;
    // Position of the key or channel among the arguments, else 0.
    uint32_t position;
    // Must be 0.
    uint32_t reserved;
};

// Asked when a client says who it is. It returns `PLINTH_STATUS_NONE` when it does not know the
// user, so that the next is asked and in the end the passwords; `PLINTH_STATUS_OK` when it has let
// the client in, with `authenticate`; and `PLINTH_STATUS_NOT_ALLOWED` when nobody shall let it in,
// after it has written an error for the client or not.
typedef plinth_status (*plinth_auth_hook)(plinth_call *call, uint64_t client_id, plinth_bytes user,
                                          plinth_bytes password, void *data);

// Id of the service below.
#define PLINTH_ACL_SERVICE "plinth.acl/1"

// The service's table.
struct plinth_acl_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // Name of the user that a client is.
    //
    // Thread: main. Borrow: `user_out` until the next call of the service. Fails:
    // `PLINTH_STATUS_NONE`.
    plinth_status (*user_of)(plinth_call *call, uint64_t client_id, plinth_bytes *user_out);

    // Whether a user may run a command, with its keys, channels and databases. `flags` are
    // `PLINTH_ACL_*` bits; `denied_out` says why not, unless it is null.
    //
    // Thread: main. Borrow: all for the call. Fails: `PLINTH_STATUS_NOT_ALLOWED`,
    // `PLINTH_STATUS_NONE` for no such user, `PLINTH_STATUS_UNSUPPORTED` for no such command,
    // `PLINTH_STATUS_ARITY` for one that is allowed, as far as can be said without its keys.
    plinth_status (*check_command)(plinth_call *call, plinth_bytes user, const plinth_bytes *args,
                                   uint32_t argc, uint32_t flags, plinth_denied *denied_out);

    // Whether a user may use a key, as `PLINTH_KEY_*` bits of `command.h` say: it needs to read it
    // for `PLINTH_KEY_ACCESS`, and to write it for `PLINTH_KEY_UPDATE`, `PLINTH_KEY_INSERT` and
    // `PLINTH_KEY_DELETE`.
    //
    // Thread: main. Borrow: all for the call. Fails: `PLINTH_STATUS_NOT_ALLOWED`,
    // `PLINTH_STATUS_NONE` for no such user.
    plinth_status (*check_key)(plinth_call *call, plinth_bytes user, plinth_bytes key,
                               uint64_t flags);

    // Whether a user may use a channel, or with `PLINTH_CHANNEL_PATTERN` in `flags` (of
    // `command.h`) a pattern of channels.
    //
    // Thread: main. Borrow: all for the call. Fails: `PLINTH_STATUS_NOT_ALLOWED`,
    // `PLINTH_STATUS_NONE` for no such user.
    plinth_status (*check_channel)(plinth_call *call, plinth_bytes user, plinth_bytes channel,
                                   uint32_t flags);

    // Have a client be a user from now on, without a password.
    //
    // Thread: main. Borrow: `user` for the call. Fails: `PLINTH_STATUS_NONE` for no such client or
    // user, `PLINTH_STATUS_NOT_ALLOWED` when the user is off.
    plinth_status (*authenticate)(plinth_call *call, uint64_t client_id, plinth_bytes user);

    // Ask `hook` when a client says who it is (AUTH, HELLO). It is removed with the module.
    //
    // Thread: main. Borrow: `data` as long as the module is loaded. Fails:
    // `PLINTH_STATUS_OUT_OF_RANGE` when the module has 16.
    plinth_status (*add_auth_hook)(plinth_call *call, plinth_auth_hook hook, void *data);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_denied, 16);
PLINTH_ASSERT_OFFSET(plinth_denied, size, 0);
PLINTH_ASSERT_OFFSET(plinth_denied, kind, 4);
PLINTH_ASSERT_OFFSET(plinth_denied, position, 8);
PLINTH_ASSERT_OFFSET(plinth_denied, reserved, 12);
PLINTH_ASSERT_SIZE(plinth_acl_service, 56);
PLINTH_ASSERT_OFFSET(plinth_acl_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_acl_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_acl_service, user_of, 8);
PLINTH_ASSERT_OFFSET(plinth_acl_service, check_command, 16);
PLINTH_ASSERT_OFFSET(plinth_acl_service, check_key, 24);
PLINTH_ASSERT_OFFSET(plinth_acl_service, check_channel, 32);
PLINTH_ASSERT_OFFSET(plinth_acl_service, authenticate, 40);
PLINTH_ASSERT_OFFSET(plinth_acl_service, add_auth_hook, 48);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_ACL_H
