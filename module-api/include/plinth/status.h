// Generated from module-api/abi/src/status.rs by `cargo xtask headers`; do not edit.
//
// Status: what every fallible function of the ABI returns.
//
// A command handler returns one too. For a status other than `PLINTH_STATUS_OK` and
// `PLINTH_STATUS_REPLIED` the host drops what the handler wrote and sends the standard error, so
// that WRONGTYPE reads the same in every module.

#ifndef PLINTH_STATUS_H
#define PLINTH_STATUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// What a fallible function returns: 0 is success.
typedef int32_t plinth_status;

// Success.
#define PLINTH_STATUS_OK 0
// The handler has written an error reply of its own; the host sends it as it is.
#define PLINTH_STATUS_REPLIED 1
// There is no such key, value, or item. As a handler's result: `ERR no such key`.
#define PLINTH_STATUS_NONE 2
// The key holds a value of another type.
#define PLINTH_STATUS_WRONG_TYPE 3
// `maxmemory` is reached, or memory cannot be had.
#define PLINTH_STATUS_OUT_OF_MEMORY 4
// `ERR syntax error`.
#define PLINTH_STATUS_SYNTAX 5
// `ERR value is not an integer or out of range`.
#define PLINTH_STATUS_NOT_INTEGER 6
// `ERR value is not a valid float`.
#define PLINTH_STATUS_NOT_FLOAT 7
// `ERR index out of range`.
#define PLINTH_STATUS_OUT_OF_RANGE 8
// `ERR wrong number of arguments for '...' command`.
#define PLINTH_STATUS_ARITY 9
// `ERR string exceeds maximum allowed size (proto-max-bulk-len)`.
#define PLINTH_STATUS_TOO_LARGE 10
// The handler panicked; written by the SDK, counted and logged by the host.
#define PLINTH_STATUS_PANIC 11
// Bytes that were to be read are not in the format expected.
#define PLINTH_STATUS_BAD_DATA 12
// An id, a name or a flag that this host does not know.
#define PLINTH_STATUS_UNSUPPORTED 13
// The thing exists already.
#define PLINTH_STATUS_EXISTS 14
// The call is not possible here (no client, not in a command, read-only).
#define PLINTH_STATUS_NOT_ALLOWED 15
// `ERR invalid expire time in '...' command`.
#define PLINTH_STATUS_INVALID_EXPIRE 16
// The value belongs to a type whose module is not loaded.
#define PLINTH_STATUS_GHOST 17
// `ERR increment or decrement would overflow`.
#define PLINTH_STATUS_OVERFLOW 18
// `ERR DB index is out of range`.
#define PLINTH_STATUS_DB_RANGE 19
// `ERR invalid cursor`.
#define PLINTH_STATUS_INVALID_CURSOR 20
// The handler has written an error reply, which a command that it ran has failed with: that one is
// counted.
#define PLINTH_STATUS_REPLIED_AGAIN 21

#ifdef __cplusplus
}
#endif

#endif // PLINTH_STATUS_H
