// An ACL category with a sign in front, which only rules have.

#include <plinth/plinth.h>

static plinth_status run(plinth_call *call) {
    (void)call;
    return PLINTH_STATUS_OK;
}

static const plinth_bytes categories[] = {PLINTH_TEXT("@read")};

static const plinth_command commands[] = {
    {.size = PLINTH_SIZE(plinth_command), .arity = 1, .name = PLINTH_TEXT("fault.run"),
     .run = {.invoke = run}, .category_names = PLINTH_LIST(categories)},
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
