// A module that runs commands for others: `run_as` of plinth.run/1.
//
//     ACTS.AS user flags word ...   runs a command as a user (empty: the caller), and answers status, the flags of
//                                   the command, and the reply
//     ACTS.PAIR flags               INCR of two keys, with these flags, by two calls
//     ACTS.NEST                     runs itself, as deep as it goes, and answers the status at the end

#include "check.h"

static const plinth_run_service *run;

struct taken {
    char text[256];
    size_t len;
    int times;
};

static void take(void *data, plinth_bytes bytes) {
    struct taken *taken = data;
    taken->times++;
    taken->len = bytes.len < sizeof taken->text ? bytes.len : sizeof taken->text;
    memcpy(taken->text, bytes.data, taken->len);
}

static plinth_status acts_as(plinth_call *call) {
    int64_t flags;
    struct taken taken = {0};
    CHECK(plinth_integer(call->args[2], &flags));
    plinth_run_request request = {
        .size = PLINTH_SIZE(plinth_run_request), .flags = (uint32_t)flags, .user = call->args[1], .command_flags = 7};
    const plinth_status status =
        run->run_as(call, NULL, call->args + 3, call->argc - 3, &request, (plinth_take){take}, &taken);
    CHECK(taken.times == (status == PLINTH_STATUS_OK));
    reply->aggregate(call, PLINTH_REPLY_ARRAY, 3);
    reply->integer(call, status);
    reply->integer(call, (int64_t)(request.command_flags & (PLINTH_COMMAND_WRITE | PLINTH_COMMAND_READONLY)));
    reply->bulk(call, (plinth_bytes){(const uint8_t *)taken.text, taken.len});
    return PLINTH_STATUS_OK;
}

static plinth_status acts_pair(plinth_call *call) {
    int64_t flags;
    struct taken taken = {0};
    CHECK(plinth_integer(call->args[1], &flags));
    for (int at = 0; at < 2; at++) {
        const plinth_bytes args[] = {T("INCR"), at ? T("b") : T("a")};
        plinth_run_request request = {.size = PLINTH_SIZE(plinth_run_request), .flags = (uint32_t)flags};
        void *command = at ? run->resolve(call, T("incr")) : NULL;
        CHECK(run->run_as(call, command, args, 2, &request, (plinth_take){take}, &taken) == 0);
    }
    CHECK(taken.times == 2);
    return ok(call);
}

static int64_t last;

static plinth_status acts_nest(plinth_call *call) {
    const plinth_bytes args[] = {T("ACTS.NEST")};
    struct taken taken = {0};
    plinth_run_request request = {.size = PLINTH_SIZE(plinth_run_request)};
    const plinth_status status = run->run_as(call, NULL, args, 1, &request, (plinth_take){take}, &taken);
    if (status) last = status;
    reply->integer(call, last);
    return PLINTH_STATUS_OK;
}

static plinth_status start(plinth_call *call) {
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    run = plinth_service(call, PLINTH_RUN_SERVICE, PLINTH_SIZE(plinth_run_service));
    return reply && run ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

#define COMMAND(text, arity_, function) \
    {.size = PLINTH_SIZE(plinth_command), .arity = (arity_), .name = PLINTH_TEXT(text), \
     .flags = PLINTH_COMMAND_WRITE | PLINTH_COMMAND_TOUCHES_ARBITRARY_KEYS, .run = {.invoke = (function)}}

static const plinth_command commands[] = {
    COMMAND("acts.as", -4, acts_as),
    COMMAND("acts.pair", 2, acts_pair),
    COMMAND("acts.nest", 1, acts_nest),
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("acts"),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
