// A type that cannot be saved; with -DSERVICE a service without a table, with -DSECTION a section that
// nothing writes.

#include "../../abi/empty_value.h"

static uint32_t type_id;

static const plinth_type types[] = {
    {.size = PLINTH_SIZE(plinth_type), .encoding = 1, .name = PLINTH_TEXT("com.example.fault"),
#if defined(SERVICE) || defined(SECTION)
     .save = save_empty,
#endif
     .id_out = &type_id, .load = load_empty},
};

static const plinth_provided provided[] = {
    {PLINTH_TEXT("com.example.fault/1"), NULL},
};

static const plinth_section sections[] = {
    {.size = PLINTH_SIZE(plinth_section), .name = PLINTH_TEXT("half")},
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("fault"),
    .version = PLINTH_TEXT("1.0.0"),
    .types = PLINTH_LIST(types),
#ifdef SERVICE
    .provides = PLINTH_LIST(provided),
#endif
#ifdef SECTION
    .infos = PLINTH_LIST(sections),
#endif
};
