// A module that brings all it can, and fails half way through its start.
//
// Nothing of it may be left: no command, type, parameter, section, service, timer or hook. The
// timer and the hook would crash the server if they ran, because the library is unmapped.
//
// With -DBAD_DEFAULT it is its parameter that refuses, before its start; with -DUNSUPPORTED the start
// leaves the words to the host.

#include "../../abi/empty_value.h"

static uint32_t type_id;

static const plinth_type types[] = {
    {.size = PLINTH_SIZE(plinth_type), .encoding = 1, .name = PLINTH_TEXT("com.example.fault"),
     .id_out = &type_id, .save = save_empty, .load = load_empty},
};

static plinth_status run(plinth_call *call) {
    (void)call;
    return PLINTH_STATUS_OK;
}

static const plinth_command commands[] = {
    {.size = PLINTH_SIZE(plinth_command), .arity = 1, .name = PLINTH_TEXT("fault.run"),
     .run = {.invoke = run}},
};

static plinth_status apply(plinth_call *call, int64_t number, plinth_bytes text, void *data) {
    (void)call;
    (void)number;
    (void)text;
    (void)data;
#ifdef BAD_DEFAULT
    const plinth_reply_service *reply =
        plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    reply->error(call, plinth_text("ERR no value is good enough"));
    return PLINTH_STATUS_REPLIED;
#else
    return PLINTH_STATUS_OK;
#endif
}

static const plinth_config configs[] = {
    {.size = PLINTH_SIZE(plinth_config), .kind = PLINTH_CONFIG_INTEGER, .name = PLINTH_TEXT("limit"),
     .default_ = PLINTH_TEXT("7"), .min = 0, .max = 10, .apply = apply},
};

static void write_section(plinth_call *call, void *sink) {
    (void)call;
    (void)sink;
}

static const plinth_section sections[] = {
    {.size = PLINTH_SIZE(plinth_section), .name = PLINTH_TEXT("half"), .write = write_section},
};

static const struct {
    uint32_t size, reserved;
} table = {8, 0};

static const plinth_provided provided[] = {
    {PLINTH_TEXT("com.example.fault/1"), (void *)&table},
};

static void fire(plinth_call *call, void *data) {
    (void)call;
    (void)data;
}

static void hook(plinth_call *call, const plinth_event *event, void *data) {
    (void)call;
    (void)event;
    (void)data;
}

static plinth_status start(plinth_call *call) {
    const plinth_timers_service *timers =
        plinth_service(call, PLINTH_TIMERS_SERVICE, PLINTH_SIZE(plinth_timers_service));
    const plinth_events_service *events =
        plinth_service(call, PLINTH_EVENTS_SERVICE, PLINTH_SIZE(plinth_events_service));
    const plinth_reply_service *reply =
        plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    uint64_t id;
    if (!timers || !events || !reply || timers->start(call, 1, fire, NULL, &id) ||
        events->subscribe(call, PLINTH_ON_KEY | PLINTH_ON_CONFIG, hook, NULL, &id)) {
        return PLINTH_STATUS_UNSUPPORTED;
    }
#ifdef UNSUPPORTED
    return PLINTH_STATUS_UNSUPPORTED;
#else
    reply->error(call, plinth_text("ERR the tank is empty"));
    return PLINTH_STATUS_REPLIED;
#endif
}

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("fault"),
    .version = PLINTH_TEXT("1.0.0"),
    .provides = PLINTH_LIST(provided),
    .types = PLINTH_LIST(types),
    .commands = PLINTH_LIST(commands),
    .configs = PLINTH_LIST(configs),
    .infos = PLINTH_LIST(sections),
    .start = start,
};
