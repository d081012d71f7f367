// A module of another author that is told of changes of keys: all of it but what it notes of an event,
// which is up to who includes this.
//
//     WITNESS    what was noted since it was asked last, with spaces between

#ifndef PLINTH_TESTS_WITNESS_H
#define PLINTH_TESTS_WITNESS_H

#include "check.h"

// To be defined by who includes this: calls `note` for what is to be told of an event.
static void note_event(const plinth_event *event);

static char seen[1024];
static size_t seen_len;

static void note(plinth_bytes bytes) {
    if (seen_len + bytes.len + 1 < sizeof seen) {
        memcpy(seen + seen_len, bytes.data, bytes.len);
        seen_len += bytes.len;
        seen[seen_len++] = ' ';
    }
}

static void hook(plinth_call *call, const plinth_event *event, void *data) {
    (void)call;
    (void)data;
    note_event(event);
}

static plinth_status witness(plinth_call *call) {
    reply->bulk(call, (plinth_bytes){(const uint8_t *)seen, seen_len ? seen_len - 1 : 0});
    seen_len = 0;
    return PLINTH_STATUS_OK;
}

static plinth_status start(plinth_call *call) {
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    const plinth_events_service *events =
        plinth_service(call, PLINTH_EVENTS_SERVICE, PLINTH_SIZE(plinth_events_service));
    uint64_t id;
    return reply && events && !events->subscribe(call, PLINTH_ON_KEY, hook, NULL, &id) ? PLINTH_STATUS_OK
                                                                                      : PLINTH_STATUS_UNSUPPORTED;
}

static const plinth_bytes services[] = {PLINTH_TEXT(PLINTH_REPLY_SERVICE), PLINTH_TEXT(PLINTH_EVENTS_SERVICE)};

static const plinth_command commands[] = {
    {.size = PLINTH_SIZE(plinth_command), .arity = 1, .name = PLINTH_TEXT("witness"),
     .flags = PLINTH_COMMAND_READONLY, .run = {.invoke = witness}},
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("witness"),
    .version = PLINTH_TEXT("1.0.0"),
    .requires_ = PLINTH_LIST(services),
    .commands = PLINTH_LIST(commands),
    .start = start,
};

#endif
