// Its type has the name of a type that is there.

#include "../../abi/empty_value.h"

static uint32_t type_id;

static const plinth_type types[] = {
    {.size = PLINTH_SIZE(plinth_type), .encoding = 1, .name = PLINTH_TEXT("com.example.gauge"),
     .id_out = &type_id, .save = save_empty, .load = load_empty},
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("fault"),
    .version = PLINTH_TEXT("1.0.0"),
    .types = PLINTH_LIST(types),
};
