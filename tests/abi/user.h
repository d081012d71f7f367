// A module of another author that uses the service of a third: all of it but its one command.
//
//     USER("hashes", PLINTH_HASH_SERVICE, plinth_hash_service, hashes, probe)
//
// is the module `hashes` with the command `hashes.probe key`, run by `probe`; its start looks the service
// up for the variable `hashes`.

#ifndef PLINTH_TESTS_USER_H
#define PLINTH_TESTS_USER_H

#include "check.h"

#define USER(module, id, table, variable, probe) \
    static plinth_status start(plinth_call *call) { \
        reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service)); \
        variable = plinth_service(call, id, PLINTH_SIZE(table)); \
        return reply && variable ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED; \
    } \
    static const plinth_bytes services[] = {PLINTH_TEXT(PLINTH_REPLY_SERVICE), PLINTH_TEXT(id)}; \
    static const plinth_command commands[] = { \
        {.size = PLINTH_SIZE(plinth_command), .arity = 2, .name = PLINTH_TEXT(module ".probe"), \
         .flags = PLINTH_COMMAND_WRITE | PLINTH_COMMAND_TOUCHES_ARBITRARY_KEYS, .run = {.invoke = probe}}, \
    }; \
    PLINTH_EXPORT const plinth_module plinth_module_entry = { \
        .magic = PLINTH_MAGIC, \
        .abi_major = PLINTH_ABI_MAJOR, \
        .abi_minor = PLINTH_ABI_MINOR, \
        .size = PLINTH_SIZE(plinth_module), \
        .name = PLINTH_TEXT(module), \
        .version = PLINTH_TEXT("1.0.0"), \
        .requires_ = PLINTH_LIST(services), \
        .commands = PLINTH_LIST(commands), \
        .start = start, \
    }

#endif
