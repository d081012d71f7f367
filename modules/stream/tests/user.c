// A module of another author that reads and writes streams through `plinth.stream/1`.
//
//     STREAMS.PROBE key    calls every function and checks what it promises; OK, or what did not hold
//     SET trim ...         is told to a hook, which trims the stream `s` to ten entries

#include "../../../tests/abi/check.h"

static const plinth_stream_service *streams;

// What a visit has seen: ids' times and fields, one behind the other, and when it ends.
typedef struct {
    char text[128];
    size_t len;
    int left;
} seen;

static uint32_t see(void *data, plinth_stream_id id, const plinth_bytes *fields, size_t count) {
    seen *what = data;
    what->len += (size_t)snprintf(what->text + what->len, sizeof what->text - what->len, "%d:", (int)id.ms);
    for (size_t at = 0; at < count; at++) {
        what->len += (size_t)snprintf(what->text + what->len, sizeof what->text - what->len, "%.*s,",
                                      (int)fields[at].len, fields[at].data);
    }
    return --what->left == 0;
}

static int saw(const seen *what, const char *text) {
    return strcmp(what->text, text) == 0;
}

static plinth_status probe(plinth_call *call) {
    const plinth_bytes key = call->args[1];
    const plinth_bytes fields[] = {T("a"), T("12"), T("b"), T("x")};
    const plinth_stream_id least = {0, 0}, greatest = {UINT64_MAX, UINT64_MAX};
    const plinth_stream_id one = {1, 0}, two = {2, 0}, three = {3, 0};
    const plinth_stream_id some[] = {{2, 0}, {9, 9}};
    plinth_stream_id id = {7, 7};
    seen all = {.left = 100}, back = {.left = 100}, first = {.left = 1};
    size_t count = 0;
    CHECK(streams->len(call, key, &count) == PLINTH_STATUS_NONE);
    CHECK(streams->last_id(call, key, &id) == PLINTH_STATUS_NONE);
    CHECK(streams->visit(call, key, least, greatest, 0, see, &all) == PLINTH_STATUS_NONE && all.len == 0);
    CHECK(streams->remove(call, key, some, 2, &count) == PLINTH_STATUS_NONE);
    CHECK(streams->trim(call, key, 0, 0, &count) == PLINTH_STATUS_NONE);
    CHECK(streams->add(call, key, &one, fields, 3, &id) == PLINTH_STATUS_ARITY);
    CHECK(streams->add(call, key, &one, fields, 0, &id) == PLINTH_STATUS_ARITY);
    CHECK(streams->add(call, key, &least, fields, 2, &id) == PLINTH_STATUS_OUT_OF_RANGE);
    CHECK(streams->len(call, key, &count) == PLINTH_STATUS_NONE);
    CHECK(streams->add(call, key, &one, fields, 4, &id) == PLINTH_STATUS_OK && id.ms == 1 && id.seq == 0);
    CHECK(streams->add(call, key, &one, fields, 4, &id) == PLINTH_STATUS_OUT_OF_RANGE);
    CHECK(streams->add(call, key, &two, fields, 2, &id) == PLINTH_STATUS_OK && id.ms == 2);
    CHECK(streams->add(call, key, &three, fields, 2, &id) == PLINTH_STATUS_OK && id.ms == 3);
    CHECK(streams->len(call, key, &count) == PLINTH_STATUS_OK && count == 3);
    CHECK(streams->visit(call, key, least, greatest, 0, see, &all) == PLINTH_STATUS_OK);
    CHECK(saw(&all, "1:a,12,b,x,2:a,12,3:a,12,"));
    CHECK(streams->visit(call, key, one, two, 1, see, &back) == PLINTH_STATUS_OK && saw(&back, "2:a,12,1:a,12,b,x,"));
    CHECK(streams->visit(call, key, two, greatest, 0, see, &first) == PLINTH_STATUS_OK && saw(&first, "2:a,12,"));
    CHECK(streams->remove(call, key, some, 2, &count) == PLINTH_STATUS_OK && count == 1);
    CHECK(streams->trim(call, key, 5, 1, &count) == PLINTH_STATUS_OK && count == 0);
    CHECK(streams->trim(call, key, 0, 0, &count) == PLINTH_STATUS_OK && count == 2);
    CHECK(streams->len(call, key, &count) == PLINTH_STATUS_OK && count == 0);
    CHECK(streams->last_id(call, key, &id) == PLINTH_STATUS_OK && id.ms == 3 && id.seq == 0);
    CHECK(streams->add(call, key, NULL, fields, 4, &id) == PLINTH_STATUS_OK && id.ms > 3);
    // A null of no length is a text like another, and a null list one of nothing.
    const plinth_bytes empty[] = {{0}, T("v"), T("f"), {0}};
    seen nulls = {.left = 100};
    CHECK(streams->add(call, key, NULL, NULL, 0, &id) == PLINTH_STATUS_ARITY);
    CHECK(streams->trim(call, key, 0, 0, &count) == PLINTH_STATUS_OK && count == 1);
    CHECK(streams->add(call, key, &greatest, empty, 4, &id) == PLINTH_STATUS_OK);
    CHECK(streams->remove(call, key, NULL, 0, &count) == PLINTH_STATUS_OK && count == 0);
    CHECK(streams->visit(call, key, least, greatest, 0, see, &nulls) == PLINTH_STATUS_OK && saw(&nulls, "-1:,v,f,,"));
    CHECK(streams->len(call, T("text"), &count) == PLINTH_STATUS_WRONG_TYPE);
    CHECK(streams->add(call, T("text"), NULL, fields, 4, &id) == PLINTH_STATUS_WRONG_TYPE);
    CHECK(streams->visit(call, T("text"), one, two, 0, see, &all) == PLINTH_STATUS_WRONG_TYPE);
    return ok(call);
}

static void hook(plinth_call *call, const plinth_event *event, void *data) {
    (void)data;
    size_t count = 0;
    if (event->class_ == PLINTH_EVENT_STRING && event->key.len == 4 && !memcmp(event->key.data, "trim", 4)) {
        streams->trim(call, T("s"), 10, 0, &count);
    }
}

static plinth_status start(plinth_call *call) {
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    streams = plinth_service(call, PLINTH_STREAM_SERVICE, PLINTH_SIZE(plinth_stream_service));
    const plinth_events_service *events =
        plinth_service(call, PLINTH_EVENTS_SERVICE, PLINTH_SIZE(plinth_events_service));
    uint64_t id;
    return reply && streams && events && !events->subscribe(call, PLINTH_ON_KEY, hook, NULL, &id)
               ? PLINTH_STATUS_OK
               : PLINTH_STATUS_UNSUPPORTED;
}

static const plinth_bytes services[] = {PLINTH_TEXT(PLINTH_REPLY_SERVICE), PLINTH_TEXT(PLINTH_STREAM_SERVICE),
                                        PLINTH_TEXT(PLINTH_EVENTS_SERVICE)};

static const plinth_command commands[] = {
    {.size = PLINTH_SIZE(plinth_command), .arity = 2, .name = PLINTH_TEXT("streams.probe"),
     .flags = PLINTH_COMMAND_WRITE | PLINTH_COMMAND_TOUCHES_ARBITRARY_KEYS, .run = {.invoke = probe}},
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("streams"),
    .version = PLINTH_TEXT("1.0.0"),
    .requires_ = PLINTH_LIST(services),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
