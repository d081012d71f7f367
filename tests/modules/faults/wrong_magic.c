// An entry that begins with something else.

#include <plinth/plinth.h>

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = UINT32_C(0x464C457F),
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("fault"),
    .version = PLINTH_TEXT("1.0.0"),
};
