// A command that nothing runs; with -DSUBCOMMAND a subcommand.

#include <plinth/plinth.h>

#ifdef SUBCOMMAND
static const plinth_command subcommands[] = {
    {.size = PLINTH_SIZE(plinth_command), .arity = 2, .name = PLINTH_TEXT("sub")},
};
#endif

static const plinth_command commands[] = {
    {.size = PLINTH_SIZE(plinth_command), .arity = -1, .name = PLINTH_TEXT("fault.run"),
#ifdef SUBCOMMAND
     .subcommands = PLINTH_LIST(subcommands),
#endif
    },
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("fault"),
    .version = PLINTH_TEXT("1.0.0"),
    .commands = PLINTH_LIST(commands),
};
