// A module that needs what nobody offers.

#include <plinth/plinth.h>

static const plinth_bytes services[] = {PLINTH_TEXT(PLINTH_KEYS_SERVICE),
                                        PLINTH_TEXT("com.example.absent/3")};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("fault"),
    .version = PLINTH_TEXT("1.0.0"),
    .requires_ = PLINTH_LIST(services),
};
