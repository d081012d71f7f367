// A module that sends to clients unasked: `listen`, `share` and `push_all` of plinth.clients/1, and plinth.bus/1 of
// the module that has channels, through the public headers.
//
//     LISTENS.TO id channels patterns shards   the client listens to so much of this module
//     LISTENS.SHOUT text id ...                a word and the text, to all of them and one who is not there
//     LISTENS.PUBLISH channel text             twice, by whichever module has channels: receivers of the second

#include "check.h"

static const plinth_clients_service *clients;

static plinth_status listens_to(plinth_call *call) {
    int64_t id, counts[3];
    CHECK(plinth_integer(call->args[1], &id));
    for (int at = 0; at < 3; at++) CHECK(plinth_integer(call->args[at + 2], &counts[at]));
    const plinth_listening listening = {.size = PLINTH_SIZE(plinth_listening),
                                        .channels = (uint32_t)counts[0],
                                        .patterns = (uint32_t)counts[1],
                                        .shard_channels = (uint32_t)counts[2],
                                        .bytes = 1000000};
    CHECK(clients->listen(call, UINT64_MAX, &listening) == PLINTH_STATUS_NONE);
    CHECK(clients->listen(call, (uint64_t)id, &listening) == 0);
    return ok(call);
}

static plinth_status listens_shout(plinth_call *call) {
    uint64_t ids[8] = {UINT64_MAX}, shared = 0;
    size_t reached, count = 1;
    for (uint32_t at = 2; at < call->argc && count < 8; at++, count++) {
        int64_t id;
        CHECK(plinth_integer(call->args[at], &id));
        ids[count] = (uint64_t)id;
    }
    CHECK(clients->push_all(call, NULL, 0, T("*0\r\n"), 0, &reached) == 0 && reached == 0);
    CHECK(clients->push_all(call, ids, count, T("*1\r\n"), 77, &reached) == PLINTH_STATUS_NONE);
    CHECK(clients->share(call, call->args[1], &shared) == 0 && shared != 0);
    CHECK(clients->push_all(call, ids, count, T("*2\r\n$5\r\nshout\r\n"), shared, &reached) == 0);
    CHECK(clients->push_all(call, ids, count, T("*1\r\n:1\r\n"), 0, &reached) == 0 && reached == count - 1);
    return ok(call);
}

static plinth_status listens_publish(plinth_call *call) {
    const plinth_bus_service *bus = plinth_service(call, PLINTH_BUS_SERVICE, PLINTH_SIZE(plinth_bus_service));
    uint64_t receivers = 0;
    if (!bus) return PLINTH_STATUS_UNSUPPORTED;
    CHECK(bus->publish(call, call->args[1], call->args[2], NULL) == 0);
    CHECK(bus->publish(call, call->args[1], call->args[2], &receivers) == 0);
    reply->integer(call, (int64_t)receivers);
    return PLINTH_STATUS_OK;
}

static plinth_status start(plinth_call *call) {
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    clients = plinth_service(call, PLINTH_CLIENTS_SERVICE, PLINTH_SIZE(plinth_clients_service));
    return reply && clients ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

#define COMMAND(text, arity_, function) \
    {.size = PLINTH_SIZE(plinth_command), .arity = (arity_), .name = PLINTH_TEXT(text), .run = {.invoke = (function)}}

static const plinth_command commands[] = {
    COMMAND("listens.to", 5, listens_to),
    COMMAND("listens.shout", -2, listens_shout),
    COMMAND("listens.publish", 3, listens_publish),
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("listens"),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
