// A module that holds the freeing thread for as long as a test wants it held.
//
//     HOLDER.MAKE key    a value whose freeing waits; UNLINK hands it to the thread
//     HOLDER.RELEASE     lets one value be freed, that now waits or the next

#include "../abi/check.h"
#include "../abi/empty_value.h"
#include <semaphore.h>

static const plinth_keys_service *keys;
static uint32_t type_id;
static sem_t released;

static void drop(void *boxed) {
    (void)boxed;
    while (sem_wait(&released) != 0) {
    }
}

// Above what is freed at once.
static size_t effort(const plinth_value *value) {
    (void)value;
    return 1000;
}

static const plinth_type types[] = {
    {.size = PLINTH_SIZE(plinth_type), .encoding = 1, .name = PLINTH_TEXT("com.example.holder"),
     .id_out = &type_id, .save = save_empty, .load = load_empty, .drop = drop, .free_effort = effort},
};

static plinth_status make(plinth_call *call) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    const plinth_status status =
        keys->put_boxed(call, call->args[1], type_id, 0, &released, PLINTH_PUT_ABSENT, &entry);
    return status == PLINTH_STATUS_OK ? ok(call) : status;
}

static plinth_status release(plinth_call *call) {
    sem_post(&released);
    return ok(call);
}

static plinth_status start(plinth_call *call) {
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    keys = plinth_service(call, PLINTH_KEYS_SERVICE, PLINTH_SIZE(plinth_keys_service));
    return reply && keys && sem_init(&released, 0, 0) == 0 ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

static const plinth_bytes services[] = {PLINTH_TEXT(PLINTH_REPLY_SERVICE), PLINTH_TEXT(PLINTH_KEYS_SERVICE)};

static const plinth_command commands[] = {
    {.size = PLINTH_SIZE(plinth_command), .arity = 2, .name = PLINTH_TEXT("holder.make"),
     .flags = PLINTH_COMMAND_WRITE | PLINTH_COMMAND_TOUCHES_ARBITRARY_KEYS, .run = {.invoke = make}},
    {.size = PLINTH_SIZE(plinth_command), .arity = 1, .name = PLINTH_TEXT("holder.release"),
     .run = {.invoke = release}},
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("holder"),
    .version = PLINTH_TEXT("1.0.0"),
    .requires_ = PLINTH_LIST(services),
    .types = PLINTH_LIST(types),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
