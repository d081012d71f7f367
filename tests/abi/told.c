// A module that says through plinth.propagate/1 what others are told of a timer, and before a command.

#include "check.h"
#include "empty_value.h"

static const plinth_keys_service *keys;
static const plinth_run_service *run;
static const plinth_timers_service *timers;
static const plinth_propagate_service *propagate;
static uint32_t told_type;
static plinth_status outside = -1;

static void take(void *data, plinth_bytes bytes) { (void)data, (void)bytes; }

static plinth_status made(plinth_call *call, uint32_t db, const char *key) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    if ((db != call->db && keys->select(call, db)) || keys->put(call, T(key), told_type, 0, 1, 0, &entry)) {
        return PLINTH_STATUS_BAD_DATA;
    }
    keys->modified(call, T(key), PLINTH_EVENT_MODULE, T("told.put"));
    return PLINTH_STATUS_OK;
}

// Changes two keys, one of which it tells of, and whole databases.
static void told_outside(plinth_call *call, void *data) {
    const plinth_bytes args[] = {T("INCR"), T("p:told")}, more[] = {T("INCR"), T("p:more")};
    plinth_status status = made(call, 2, "p:told") | propagate->instead(call, args, 2);
    status |= propagate->before(call, more, 2) | made(call, 2, "p:restated");
    keys->flush(call, 3, 0);
    status |= made(call, 4, "p:swapped") | keys->swap(call, 4, 5) | made(call, 4, "p:last");
    keys->flush(call, PLINTH_DB_ALL, 0);
    *(plinth_status *)data = status;
}

// TOLD.TIMER: a timer that tells what it does.
static plinth_status told_timer(plinth_call *call) {
    uint64_t id;
    CHECK(timers->start(call, 1, told_outside, &outside, &id) == 0);
    return ok(call);
}

// TOLD.INNER: runs TOLD.FIRST within itself.
static plinth_status told_first(plinth_call *call) {
    const plinth_bytes args[] = {T("INCR"), T("p:first")};
    CHECK(propagate->before(call, args, 2) == 0);
    CHECK(made(call, call->db, "p:f") == 0);
    return ok(call);
}

static plinth_status told_inner(plinth_call *call) {
    const plinth_bytes args[] = {T("TOLD.FIRST")};
    CHECK(run->run(call, NULL, args, 1, 0, take, NULL) == 0);
    return ok(call);
}

// TOLD.OUTSIDE: whether all that the timer said was taken.
static plinth_status told_result(plinth_call *call) {
    CHECK(outside == PLINTH_STATUS_OK);
    return ok(call);
}

static plinth_status start(plinth_call *call) {
    keys = plinth_service(call, PLINTH_KEYS_SERVICE, PLINTH_SIZE(plinth_keys_service));
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    run = plinth_service(call, PLINTH_RUN_SERVICE, PLINTH_SIZE(plinth_run_service));
    timers = plinth_service(call, PLINTH_TIMERS_SERVICE, PLINTH_SIZE(plinth_timers_service));
    propagate = plinth_service(call, PLINTH_PROPAGATE_SERVICE, PLINTH_SIZE(plinth_propagate_service));
    return keys && reply && run && timers && propagate ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

static const plinth_bytes services[] = {PLINTH_TEXT(PLINTH_PROPAGATE_SERVICE)};

static const plinth_type types[] = {
    {.size = PLINTH_SIZE(plinth_type), .encoding = 1, .name = PLINTH_TEXT("com.example.told"),
     .id_out = &told_type, .save = save_empty, .load = load_empty},
};

#define COMMAND(text, arity_, function) \
    {.size = PLINTH_SIZE(plinth_command), .arity = (arity_), .name = PLINTH_TEXT(text), \
     .flags = PLINTH_COMMAND_WRITE | PLINTH_COMMAND_TOUCHES_ARBITRARY_KEYS, .run = {.invoke = (function)}}

static const plinth_command commands[] = {
    COMMAND("told.timer", 1, told_timer),
    COMMAND("told.first", 1, told_first),
    COMMAND("told.inner", 1, told_inner),
    COMMAND("told.outside", 1, told_result),
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("told"),
    .requires_ = PLINTH_LIST(services),
    .types = PLINTH_LIST(types),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
