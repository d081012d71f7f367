// A module of another author that works on strings through `plinth.string/1`.
//
//     BITS.SET key offset 0|1    sets a bit, and answers what it was; announces changes only
//     BITS.CUT key len           gives a string exactly `len` bytes, and answers how many it had, or -1
//     BITS.AND key [key ...]     answers the number of bits that are set in all strings
//     BITS.GET key               answers with the string

#include "../../../tests/abi/check.h"

#define KEYS_MAX 16

static const plinth_keys_service *keys;
static const plinth_string_service *strings;

static plinth_status bits_set(plinth_call *call) {
    const plinth_bytes key = call->args[1];
    int64_t offset, bit, before;
    plinth_bytes bytes;
    CHECK(plinth_integer(call->args[2], &offset) && plinth_integer(call->args[3], &bit));
    const size_t at = (size_t)offset / 8, len_min = at + 1;
    const uint8_t mask = (uint8_t)(0x80 >> offset % 8);
    const plinth_status opened = strings->open(call, key, len_min, &before, &bytes);
    if (opened) {
        return opened;
    }
    uint8_t *const byte = (uint8_t *)bytes.data + at;
    const int was = (*byte & mask) != 0;
    *byte = bit ? (uint8_t)(*byte | mask) : (uint8_t)(*byte & ~mask);
    if (was != (int)bit || before < (int64_t)len_min) {
        keys->modified(call, key, PLINTH_EVENT_STRING, T("bits.set"));
    }
    reply->integer(call, was);
    return PLINTH_STATUS_OK;
}

static plinth_status bits_cut(plinth_call *call) {
    int64_t len, before;
    plinth_bytes bytes;
    CHECK(plinth_integer(call->args[2], &len));
    const plinth_status resized = strings->resize(call, call->args[1], (size_t)len, &before, &bytes);
    if (resized) {
        return resized;
    }
    CHECK(bytes.len == (size_t)len);
    keys->modified(call, call->args[1], PLINTH_EVENT_STRING, T("bits.cut"));
    reply->integer(call, before);
    return PLINTH_STATUS_OK;
}

static plinth_status bits_and(plinth_call *call) {
    uint8_t scratch[KEYS_MAX][PLINTH_STRING_SCRATCH_BYTES];
    plinth_bytes held[KEYS_MAX];
    const size_t count = call->argc - 1;
    CHECK(count <= KEYS_MAX);
    for (size_t one = 0; one < count; one++) {
        const plinth_status got = strings->hold(call, call->args[one + 1], scratch[one], &held[one]);
        if (got == PLINTH_STATUS_NONE) {
            held[one].len = 0;
        } else if (got) {
            return got;
        }
    }
    int64_t set = 0;
    for (size_t at = 0; at < held[0].len; at++) {
        uint8_t byte = held[0].data[at];
        for (size_t one = 1; one < count; one++) {
            byte = at < held[one].len ? byte & held[one].data[at] : 0;
        }
        set += __builtin_popcount(byte);
    }
    reply->integer(call, set);
    return PLINTH_STATUS_OK;
}

static plinth_status bits_get(plinth_call *call) {
    uint8_t scratch[PLINTH_STRING_SCRATCH_BYTES];
    plinth_bytes bytes;
    const plinth_status got = strings->get(call, call->args[1], scratch, &bytes);
    if (got) {
        return got;
    }
    reply->bulk(call, bytes);
    return PLINTH_STATUS_OK;
}

static plinth_status start(plinth_call *call) {
    keys = plinth_service(call, PLINTH_KEYS_SERVICE, PLINTH_SIZE(plinth_keys_service));
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    strings = plinth_service(call, PLINTH_STRING_SERVICE, PLINTH_SIZE(plinth_string_service));
    return keys && reply && strings ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

static const plinth_bytes services[] = {PLINTH_TEXT(PLINTH_KEYS_SERVICE), PLINTH_TEXT(PLINTH_REPLY_SERVICE),
                                        PLINTH_TEXT(PLINTH_STRING_SERVICE)};

static const plinth_key_spec one_key[] = {PLINTH_KEY_AT(PLINTH_KEY_RW | PLINTH_KEY_UPDATE, 1)};
static const plinth_key_spec all_keys[] = {
    {.size = PLINTH_SIZE(plinth_key_spec), .flags = PLINTH_KEY_RO | PLINTH_KEY_ACCESS, .begin = PLINTH_KEY_BEGIN_INDEX,
     .index = 1, .find = PLINTH_KEY_FIND_RANGE, .last = -1, .step = 1},
};

#define COMMAND(text, arity_, flags_, keys_, function) \
    {.size = PLINTH_SIZE(plinth_command), .arity = (arity_), .name = PLINTH_TEXT(text), .flags = (flags_), \
     .keys = PLINTH_LIST(keys_), .run = {.invoke = (function)}}

static const plinth_command commands[] = {
    COMMAND("bits.set", 4, PLINTH_COMMAND_WRITE, one_key, bits_set),
    COMMAND("bits.cut", 3, PLINTH_COMMAND_WRITE, one_key, bits_cut),
    COMMAND("bits.and", -2, PLINTH_COMMAND_READONLY, all_keys, bits_and),
    COMMAND("bits.get", 2, PLINTH_COMMAND_READONLY, one_key, bits_get),
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("bits"),
    .version = PLINTH_TEXT("1.0.0"),
    .requires_ = PLINTH_LIST(services),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
