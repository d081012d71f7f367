// A module whose commands have an ACL category of its own, and one of which is internal.
//
//     NAMES.COUNT word ...    the number of words
//     DEBUG NAMES word ...    the same; clients cannot send `debug.names`
//     NAMES.INNER             runs `debug.names` with two words, as a module may
//     NAMES.READ n key ...    what GET answers for the first of n keys, which may be none

#include <plinth/plinth.h>

static const plinth_reply_service *reply;
static const plinth_run_service *run;

static plinth_status count(plinth_call *call) {
    reply->integer(call, (int64_t)call->argc - 1);
    return PLINTH_STATUS_OK;
}

// The reply is RESP already.
static void pass_on(void *call, plinth_bytes bytes) {
    plinth_reply *buffer = ((plinth_call *)call)->reply;
    buffer->append(buffer, bytes);
}

static plinth_status inner(plinth_call *call) {
    const plinth_bytes args[] = {plinth_text("debug.names"), plinth_text("one"), plinth_text("two")};
    return run->run(call, run->resolve(call, args[0]), args, 3, 0, pass_on, call);
}

static plinth_status read_first(plinth_call *call) {
    if (call->argc < 3) {
        reply->null(call);
        return PLINTH_STATUS_OK;
    }
    const plinth_bytes args[] = {plinth_text("get"), call->args[2]};
    return run->run(call, run->resolve(call, args[0]), args, 2, 0, pass_on, call);
}

static plinth_status start(plinth_call *call) {
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    run = plinth_service(call, PLINTH_RUN_SERVICE, PLINTH_SIZE(plinth_run_service));
    return reply && run ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

static const plinth_bytes services[] = {PLINTH_TEXT(PLINTH_REPLY_SERVICE), PLINTH_TEXT(PLINTH_RUN_SERVICE)};

static const plinth_bytes categories[] = {PLINTH_TEXT("fast"), PLINTH_TEXT("com-example_names")};

static const plinth_key_spec counted[] = {
    {.size = PLINTH_SIZE(plinth_key_spec), .find = PLINTH_KEY_FIND_KEYNUM, .flags = PLINTH_KEY_RO | PLINTH_KEY_ACCESS,
     .begin = PLINTH_KEY_BEGIN_INDEX, .index = 1, .step = 1, .limit = 1},
};

static const plinth_command commands[] = {
    {.size = PLINTH_SIZE(plinth_command), .arity = -2, .name = PLINTH_TEXT("names.count"),
     .flags = PLINTH_COMMAND_READONLY, .run = {.invoke = count}, .category_names = PLINTH_LIST(categories)},
    {.size = PLINTH_SIZE(plinth_command), .arity = -2, .name = PLINTH_TEXT("debug.names"),
     .flags = PLINTH_COMMAND_READONLY | PLINTH_COMMAND_INTERNAL, .run = {.invoke = count}},
    {.size = PLINTH_SIZE(plinth_command), .arity = 1, .name = PLINTH_TEXT("names.inner"),
     .flags = PLINTH_COMMAND_READONLY, .run = {.invoke = inner}},
    {.size = PLINTH_SIZE(plinth_command), .arity = -2, .name = PLINTH_TEXT("names.read"),
     .flags = PLINTH_COMMAND_READONLY | PLINTH_COMMAND_NO_MANDATORY_KEYS | PLINTH_COMMAND_MOVABLE_KEYS,
     .run = {.invoke = read_first}, .keys = PLINTH_LIST(counted)},
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("names"),
    .version = PLINTH_TEXT("1.0.0"),
    .requires_ = PLINTH_LIST(services),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
