// A module of another author that works on strings through `plinth.string/1`, whichever module has them.
//
//     STRINGS.PROBE key key other    calls every function and checks what it promises, where `other` holds
//                                    a value of another type; OK, or what did not hold

#include "check.h"

static const plinth_keys_service *keys;
static const plinth_string_service *strings;

// A string is read, set, and changed in place.
static plinth_status probe_edit(plinth_call *call, plinth_bytes key) {
    uint8_t scratch[PLINTH_STRING_SCRATCH_BYTES];
    plinth_bytes bytes;
    CHECK(strings->get(call, key, scratch, &bytes) == PLINTH_STATUS_NONE);
    CHECK(strings->set(call, key, T("12345")) == 0);
    CHECK(strings->get(call, key, scratch, &bytes) == 0 && same(bytes, "12345"));
    CHECK(strings->edit(call, key, 7, &bytes) == 0 && bytes.len == 7);
    CHECK(memcmp(bytes.data, "12345\0\0", 7) == 0);
    ((uint8_t *)bytes.data)[6] = '!';
    keys->modified(call, key, PLINTH_EVENT_STRING, T("probe"));
    CHECK(strings->get(call, key, scratch, &bytes) == 0 && bytes.len == 7 && bytes.data[6] == '!');
    CHECK(keys->remove(call, key, 0) == 0);
    return PLINTH_STATUS_OK;
}

// It says what it was before: made, found as it is, lengthened.
static plinth_status probe_open(plinth_call *call, plinth_bytes key) {
    plinth_bytes bytes;
    int64_t before = 0;
    CHECK(!strings->open(call, key, 2, &before, &bytes) && before == PLINTH_STRING_ABSENT && bytes.len == 2);
    CHECK(!strings->open(call, key, 1, &before, &bytes) && before == 2 && bytes.len == 2);
    CHECK(!strings->open(call, key, 4, &before, &bytes) && before == 2 && memcmp(bytes.data, "\0\0\0\0", 4) == 0);
    memcpy((uint8_t *)bytes.data, "abcd", 4);
    return PLINTH_STATUS_OK;
}

// It is cut and lengthened, and its expiry stays; a number's digits are too.
static plinth_status probe_resize(plinth_call *call, plinth_bytes text, plinth_bytes number) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    plinth_bytes bytes;
    int64_t before = 0;
    CHECK(!keys->get(call, text, 0, 0, &entry) && !keys->set_expire(call, &entry, call->now_ms + 100000));
    CHECK(!strings->resize(call, text, 1, &before, &bytes) && before == 4 && same(bytes, "a"));
    CHECK(!strings->resize(call, text, 3, &before, &bytes) && before == 1 && memcmp(bytes.data, "a\0\0", 3) == 0);
    CHECK(!keys->get(call, text, 0, 0, &entry) && entry.expire_at_ms == call->now_ms + 100000);
    CHECK(!strings->set(call, number, T("-123")) && !strings->resize(call, number, 3, &before, &bytes));
    CHECK(before == 4 && same(bytes, "-12"));
    CHECK(!strings->resize(call, number, 0, &before, &bytes) && before == 3 && bytes.len == 0);
    return PLINTH_STATUS_OK;
}

// What may not be: too long, and of another type.
static plinth_status probe_refusals(plinth_call *call, plinth_bytes key, plinth_bytes other) {
    uint8_t scratch[PLINTH_STRING_SCRATCH_BYTES];
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    plinth_bytes bytes;
    int64_t before = 0;
    CHECK(strings->resize(call, key, (size_t)1 << 40, &before, &bytes) == PLINTH_STATUS_TOO_LARGE);
    CHECK(strings->open(call, T("new"), (size_t)1 << 40, &before, &bytes) == PLINTH_STATUS_TOO_LARGE);
    CHECK(keys->get(call, T("new"), 0, 0, &entry) == PLINTH_STATUS_NONE);
    CHECK(strings->open(call, other, 1, &before, &bytes) == PLINTH_STATUS_WRONG_TYPE);
    CHECK(strings->resize(call, other, 1, &before, &bytes) == PLINTH_STATUS_WRONG_TYPE);
    CHECK(strings->hold(call, other, scratch, &bytes) == PLINTH_STATUS_WRONG_TYPE);
    CHECK(strings->get_with(call, other, PLINTH_GET_WRITE, scratch, &bytes) == PLINTH_STATUS_WRONG_TYPE);
    return PLINTH_STATUS_OK;
}

// They are held together, numbers and one of them twice.
static plinth_status probe_hold(plinth_call *call, plinth_bytes text, plinth_bytes number) {
    uint8_t scratch[3][PLINTH_STRING_SCRATCH_BYTES];
    plinth_bytes held[3];
    CHECK(!strings->set(call, number, T("77")));
    CHECK(!strings->hold(call, text, scratch[0], &held[0]) && !strings->hold(call, number, scratch[1], &held[1]));
    CHECK(strings->hold(call, T("absent"), scratch[2], &held[2]) == PLINTH_STATUS_NONE);
    CHECK(!strings->hold(call, text, scratch[2], &held[2]));
    CHECK(held[0].len == 3 && held[0].data[0] == 'a' && same(held[1], "77") && held[2].data == held[0].data);
    return PLINTH_STATUS_OK;
}

// It is read by one who may change it.
static plinth_status probe_get_with(plinth_call *call, plinth_bytes text, plinth_bytes number) {
    uint8_t scratch[PLINTH_STRING_SCRATCH_BYTES];
    plinth_bytes bytes;
    CHECK(!strings->get_with(call, text, PLINTH_GET_WRITE, scratch, &bytes) && bytes.len == 3 && bytes.data[0] == 'a');
    CHECK(!strings->get_with(call, number, PLINTH_GET_WRITE, scratch, &bytes) && same(bytes, "77"));
    CHECK(strings->get_with(call, T("absent"), PLINTH_GET_WRITE, scratch, &bytes) == PLINTH_STATUS_NONE);
    return PLINTH_STATUS_OK;
}

static plinth_status probe(plinth_call *call) {
    const plinth_bytes first = call->args[1], second = call->args[2];
    plinth_status done = probe_edit(call, first);
    done = done ? done : probe_open(call, first);
    done = done ? done : probe_resize(call, first, second);
    done = done ? done : probe_refusals(call, second, call->args[3]);
    done = done ? done : probe_hold(call, first, second);
    done = done ? done : probe_get_with(call, first, second);
    keys->modified(call, first, PLINTH_EVENT_STRING, T("probe"));
    keys->modified(call, second, PLINTH_EVENT_STRING, T("probe"));
    return done ? done : ok(call);
}

static plinth_status start(plinth_call *call) {
    keys = plinth_service(call, PLINTH_KEYS_SERVICE, PLINTH_SIZE(plinth_keys_service));
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    strings = plinth_service(call, PLINTH_STRING_SERVICE, PLINTH_SIZE(plinth_string_service));
    return keys && reply && strings ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

static const plinth_bytes services[] = {PLINTH_TEXT(PLINTH_KEYS_SERVICE), PLINTH_TEXT(PLINTH_REPLY_SERVICE),
                                        PLINTH_TEXT(PLINTH_STRING_SERVICE)};

static const plinth_command commands[] = {
    {.size = PLINTH_SIZE(plinth_command), .arity = 4, .name = PLINTH_TEXT("strings.probe"),
     .flags = PLINTH_COMMAND_WRITE | PLINTH_COMMAND_TOUCHES_ARBITRARY_KEYS, .run = {.invoke = probe}},
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("strings"),
    .version = PLINTH_TEXT("1.0.0"),
    .requires_ = PLINTH_LIST(services),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
