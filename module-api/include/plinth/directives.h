// Generated from module-api/abi/src/directives.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.directives/1`: lines of the configuration file that are more than a parameter: of
// several words, and as many as there are things to be said.

#ifndef PLINTH_DIRECTIVES_H
#define PLINTH_DIRECTIVES_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_directives_service plinth_directives_service;

// Called for each line that the file and the command line have, in order, within `claim`. `words`
// are those behind the name. With a status other than OK, or with an error that it has written to
// its reply, the load fails, and the operator reads which line it was.
typedef plinth_status (*plinth_directive_read)(plinth_call *call, plinth_bytes_slice words,
                                               void *data);

// Called when the file is written anew: tells, by `line`, all lines that it is to have.
typedef void (*plinth_directive_write)(plinth_call *call, void *sink, void *data);

// Id of the service below.
#define PLINTH_DIRECTIVES_SERVICE "plinth.directives/1"

// The service's table.
struct plinth_directives_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // Take over the lines of a name, for as long as the module is loaded. For `start`.
    //
    // Thread: main. Borrow: `name` for the call, `data` until the module goes. Fails:
    // `PLINTH_STATUS_EXISTS` when it is a parameter's or somebody has it; what `read` has failed
    // with.
    plinth_status (*claim)(plinth_call *call, plinth_bytes name, plinth_directive_read read,
                           plinth_directive_write write, void *data);

    // Tell a line, within `plinth_directive_write`: its words behind the name, which are quoted
    // where they need to be.
    //
    // Thread: main. Borrow: `words` for the call. Fails: never.
    void (*line)(void *sink, plinth_bytes_slice words);

    // Write the file anew, as CONFIG REWRITE does: whole or not at all, and on the disk when this
    // returns. A line takes the place of one with the same first word, and where there is none it
    // goes to the end.
    //
    // Thread: main. Borrow: nothing. Fails: `PLINTH_STATUS_NONE` when the server has no file,
    // `PLINTH_STATUS_UNSUPPORTED` when it cannot be written; the log says why.
    plinth_status (*rewrite)(plinth_call *call);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_directives_service, 32);
PLINTH_ASSERT_OFFSET(plinth_directives_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_directives_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_directives_service, claim, 8);
PLINTH_ASSERT_OFFSET(plinth_directives_service, line, 16);
PLINTH_ASSERT_OFFSET(plinth_directives_service, rewrite, 24);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_DIRECTIVES_H
