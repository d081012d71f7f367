// A module whose hooks and timers do something whenever a key changes: they look at keys and walk over
// them, announce, try what is refused to hooks, subscribe anew, and have timers write and remove.
//
// The parameter storm.every is for how many events one does.

#include "../abi/check.h"
#include "../abi/empty_value.h"
#include <stdlib.h>

#define NAMES 64
#define NAME_BYTES 64

static const plinth_keys_service *keys;
static const plinth_events_service *events;
static const plinth_timers_service *timers;
static const plinth_run_service *run;

static uint32_t type_id;
static uint64_t subscription, told;
static int64_t every = 3;

// The keys that timers are for; one that fires late finds a later one.
static char names[NAMES][NAME_BYTES];
static uint64_t next_name;

static void storm_drop(void *value) { free(value); }

static plinth_entry entry_now(void) { return (plinth_entry){.size = PLINTH_SIZE(plinth_entry)}; }

static void nothing(void *data, plinth_bytes bytes) {
    (void)data;
    (void)bytes;
}

static void run_words(plinth_call *call, const char *first, const char *second, const char *third) {
    const plinth_bytes args[] = {T(first), T(second), T(third)};
    run->run(call, NULL, args, third[0] != 0 ? 3 : 2, 0, nothing, NULL);
}

static void fire(plinth_call *call, void *data) {
    const char *name = data;
    plinth_entry entry = entry_now();
    switch (told++ % 7) {
    case 0: run_words(call, "DEL", name, ""); break;
    case 1: run_words(call, "SET", name, "of a timer"); break;
    case 2: run_words(call, "PEXPIRE", name, "3"); break;
    case 3: run_words(call, "RENAME", name, "storm:renamed"); break;
    case 4: keys->put_boxed(call, T(name), type_id, 0, malloc(24), 0, &entry); break;
    case 5:
        if (keys->put(call, T(name), type_id, 0, 40, 0, &entry) == PLINTH_STATUS_OK) {
            memset(entry.data, 'x', 40);
            keys->resize(call, &entry, 1, 100, 0);
        }
        break;
    default: keys->remove(call, T(name), PLINTH_REMOVE_LAZY);
    }
    keys->modified(call, T(name), PLINTH_EVENT_MODULE, T("storm.timer"));
}

static void visit(void *data, plinth_bytes key, uint32_t type, uint32_t expired) {
    plinth_entry entry = entry_now();
    (void)type;
    (void)expired;
    keys->get(data, key, 0, 0, &entry);
    keys->remove(data, key, 0);
}

static void hook(plinth_call *call, const plinth_event *event, void *data) {
    plinth_entry entry = entry_now();
    (void)data;
    if (++told % (uint64_t)every != 0) return;
    switch (told / (uint64_t)every % 9) {
    case 0:
    case 1: {
        char *name = names[next_name++ % NAMES];
        snprintf(name, NAME_BYTES, "%.*s", (int)event->key.len, event->key.len ? (const char *)event->key.data : "");
        timers->start(call, told % 3, fire, name, NULL);
        break;
    }
    case 2: keys->get(call, event->key, 0, PLINTH_GET_WRITE, &entry); break;
    case 3: keys->notify(call, event->key, PLINTH_EVENT_MODULE, T("storm")); break;
    case 4: keys->modified(call, event->key, PLINTH_EVENT_MODULE, T("storm")); break;
    case 5: keys->put(call, T("storm:hook"), type_id, 0, 8, 0, &entry); break;
    case 6: keys->scan(call, told, 20, visit, call); break;
    case 7: run_words(call, "INCR", "storm:count", ""); break;
    default:
        events->unsubscribe(call, subscription);
        events->subscribe(call, PLINTH_ON_KEY, hook, NULL, &subscription);
    }
}

static plinth_status apply(plinth_call *call, int64_t number, plinth_bytes text, void *data) {
    (void)call;
    (void)text;
    (void)data;
    every = number;
    return PLINTH_STATUS_OK;
}

static plinth_status start(plinth_call *call) {
    keys = plinth_service(call, PLINTH_KEYS_SERVICE, PLINTH_SIZE(plinth_keys_service));
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    events = plinth_service(call, PLINTH_EVENTS_SERVICE, PLINTH_SIZE(plinth_events_service));
    timers = plinth_service(call, PLINTH_TIMERS_SERVICE, PLINTH_SIZE(plinth_timers_service));
    run = plinth_service(call, PLINTH_RUN_SERVICE, PLINTH_SIZE(plinth_run_service));
    if (!keys || !reply || !events || !timers || !run) return PLINTH_STATUS_UNSUPPORTED;
    return events->subscribe(call, PLINTH_ON_KEY, hook, NULL, &subscription);
}

static plinth_status count(plinth_call *call) {
    reply->integer(call, (int64_t)told);
    return PLINTH_STATUS_OK;
}

static const plinth_type types[] = {
    {.size = PLINTH_SIZE(plinth_type), .encoding = 1, .name = PLINTH_TEXT("com.example.storm"),
     .id_out = &type_id, .save = save_empty, .load = load_empty, .drop = storm_drop},
};

static const plinth_command commands[] = {
    {.size = PLINTH_SIZE(plinth_command), .arity = 1, .name = PLINTH_TEXT("storm.count"), .run = {count, NULL}},
};

static const plinth_config configs[] = {
    {.size = PLINTH_SIZE(plinth_config), .kind = PLINTH_CONFIG_INTEGER, .name = PLINTH_TEXT("every"),
     .default_ = PLINTH_TEXT("3"), .min = 1, .max = 1000000, .apply = apply},
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("storm"),
    .version = PLINTH_TEXT("1.0.0"),
    .types = PLINTH_LIST(types),
    .commands = PLINTH_LIST(commands),
    .configs = PLINTH_LIST(configs),
    .start = start,
};
