// An ACL category with a sign in front, which only rules have; with -DMANY more categories than there is
// room for.

#include <plinth/plinth.h>

static plinth_status run(plinth_call *call) {
    (void)call;
    return PLINTH_STATUS_OK;
}

static const plinth_bytes categories[] =
#ifdef MANY
    {
    PLINTH_TEXT("c0"), PLINTH_TEXT("c1"), PLINTH_TEXT("c2"), PLINTH_TEXT("c3"), PLINTH_TEXT("c4"), PLINTH_TEXT("c5"), PLINTH_TEXT("c6"),
    PLINTH_TEXT("c7"), PLINTH_TEXT("c8"), PLINTH_TEXT("c9"), PLINTH_TEXT("c10"), PLINTH_TEXT("c11"), PLINTH_TEXT("c12"), PLINTH_TEXT("c13"),
    PLINTH_TEXT("c14"), PLINTH_TEXT("c15"), PLINTH_TEXT("c16"), PLINTH_TEXT("c17"), PLINTH_TEXT("c18"), PLINTH_TEXT("c19"), PLINTH_TEXT("c20"),
    PLINTH_TEXT("c21"), PLINTH_TEXT("c22"), PLINTH_TEXT("c23"), PLINTH_TEXT("c24"), PLINTH_TEXT("c25"), PLINTH_TEXT("c26"), PLINTH_TEXT("c27"),
    PLINTH_TEXT("c28"), PLINTH_TEXT("c29"), PLINTH_TEXT("c30"), PLINTH_TEXT("c31"), PLINTH_TEXT("c32"), PLINTH_TEXT("c33"), PLINTH_TEXT("c34"),
    PLINTH_TEXT("c35"), PLINTH_TEXT("c36"), PLINTH_TEXT("c37"), PLINTH_TEXT("c38"), PLINTH_TEXT("c39"), PLINTH_TEXT("c40"), PLINTH_TEXT("c41"),
    PLINTH_TEXT("c42"), PLINTH_TEXT("c43"), PLINTH_TEXT("c44"), PLINTH_TEXT("c45"), PLINTH_TEXT("c46"), PLINTH_TEXT("c47"), PLINTH_TEXT("c48"),
};
#else
    {PLINTH_TEXT("@read")};
#endif

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
