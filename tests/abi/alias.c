// A module whose parameters have two names. Built with OLD it is what a header without
// `plinth_config.alias` made of it; with TAKEN its second name is another parameter's.

#include <plinth/plinth.h>

static int64_t limit, bare;

static plinth_status apply(plinth_call *call, int64_t number, plinth_bytes text, void *data) {
    (void)call;
    (void)text;
    *(int64_t *)data = number;
    return PLINTH_STATUS_OK;
}

#define PARAMETER(text, flags_, at) \
    .kind = PLINTH_CONFIG_INTEGER, .flags = (flags_), .name = PLINTH_TEXT(text), \
    .default_ = PLINTH_TEXT("5"), .min = -10, .max = 10, .apply = apply, .data = (at)

#ifdef OLD

// The struct as it was. What is behind one, the next or other bytes, is no second name.
struct old_config {
    uint32_t size, kind, flags, reserved;
    plinth_bytes name, default_;
    int64_t min, max;
    plinth_bytes_slice choices;
    plinth_status (*apply)(plinth_call *call, int64_t number, plinth_bytes text, void *data);
    void *data;
};

_Static_assert(sizeof(struct old_config) == offsetof(plinth_config, alias), "only the alias is new");

static const struct {
    struct old_config all[2];
    uintptr_t behind[2];
} old = {
    {{.size = sizeof(struct old_config), PARAMETER("limit", 0, &limit)},
     {.size = sizeof(struct old_config), PARAMETER("alias-bare", PLINTH_CONFIG_BARE, &bare)}},
    {1, 1000},
};
#define CONFIGS {.items = (const plinth_config *)old.all, .count = 2, .stride = sizeof(struct old_config)}

#else

#ifdef TAKEN
#define FORMER "maxclients"
#else
#define FORMER "alias-former"
#endif

static const plinth_config configs[] = {
    {.size = PLINTH_SIZE(plinth_config), PARAMETER("limit", 0, &limit), .alias = PLINTH_TEXT("maximum")},
    {.size = PLINTH_SIZE(plinth_config), PARAMETER("alias-bare", PLINTH_CONFIG_BARE, &bare),
     .alias = PLINTH_TEXT(FORMER)},
};
#define CONFIGS PLINTH_LIST(configs)

#endif

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("alias"),
    .configs = CONFIGS,
};
