// A module whose command looks ahead, and writes down what it was shown.
//
//     AHEAD.PUT key          makes a key with a boxed value, the address of a number
//     AHEAD.SMALL key        makes one with a value of no bytes in the entry
//     AHEAD.SEEK key word    looks ahead; the word says for how many stages it asks
//     AHEAD.SEEN             what the looks ahead saw, in their order, since the last time

#include "empty_value.h"
#include <stdio.h>
#include <stdlib.h>

static uint32_t type_id;
static const plinth_keys_service *keys;
static const plinth_reply_service *reply;
static char seen[4096];
static size_t seen_len;

static plinth_status put(plinth_call *call) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    int *made = malloc(sizeof *made);
    *made = 42;
    plinth_status status = keys->put_boxed(call, call->args[1], type_id, 0, made, 0, &entry);
    if (status == PLINTH_STATUS_OK) {
        keys->modified(call, call->args[1], PLINTH_EVENT_MODULE, plinth_text("ahead.put"));
        reply->simple(call, plinth_text("OK"));
    }
    return status;
}

static plinth_status put_small(plinth_call *call) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    plinth_status status = keys->put(call, call->args[1], type_id, 0, 0, 0, &entry);
    if (status == PLINTH_STATUS_OK) {
        keys->modified(call, call->args[1], PLINTH_EVENT_MODULE, plinth_text("ahead.small"));
        reply->simple(call, plinth_text("OK"));
    }
    return status;
}

static uint32_t look_ahead(plinth_ahead *ahead) {
    const plinth_bytes word = ahead->argc > 2 ? ahead->args[2] : plinth_text("-");
    const char *whose = ahead->type_id == type_id ? (*(int *)ahead->boxed == 42 ? "ours" : "broken") : "another's";
    const size_t room = sizeof seen - seen_len;
    const int len = snprintf(seen + seen_len, room, "%u %.*s %s %llu;", ahead->stage, (int)word.len,
                             (const char *)word.data, whose, (unsigned long long)ahead->memo);
    seen_len += len > 0 && (size_t)len < room ? (size_t)len : 0;
    ahead->memo += 7;
    return word.len == 1 && *(const char *)word.data > '0' + (int)ahead->stage;
}

static plinth_status seek(plinth_call *call) {
    reply->simple(call, plinth_text("OK"));
    return PLINTH_STATUS_OK;
}

static plinth_status tell(plinth_call *call) {
    reply->bulk(call, (plinth_bytes){(const uint8_t *)seen, seen_len});
    seen_len = 0;
    return PLINTH_STATUS_OK;
}

static plinth_status start(plinth_call *call) {
    keys = plinth_service(call, PLINTH_KEYS_SERVICE, PLINTH_SIZE(plinth_keys_service));
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    return keys && reply ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

static const plinth_bytes services[] = {PLINTH_TEXT(PLINTH_KEYS_SERVICE), PLINTH_TEXT(PLINTH_REPLY_SERVICE)};

static const plinth_type types[] = {
    {.size = PLINTH_SIZE(plinth_type), .encoding = 1, .name = PLINTH_TEXT("com.example.ahead"),
     .id_out = &type_id, .save = save_empty, .load = load_empty, .drop = free},
};

static const plinth_key_spec write_keys[] = {PLINTH_KEY_AT(PLINTH_KEY_OW, 1)};
static const plinth_key_spec read_keys[] = {PLINTH_KEY_AT(PLINTH_KEY_RO, 1)};

static const plinth_command commands[] = {
    {.size = PLINTH_SIZE(plinth_command), .arity = 2, .name = PLINTH_TEXT("ahead.put"),
     .flags = PLINTH_COMMAND_WRITE, .run = {.invoke = put}, .keys = PLINTH_LIST(write_keys)},
    {.size = PLINTH_SIZE(plinth_command), .arity = 2, .name = PLINTH_TEXT("ahead.small"),
     .flags = PLINTH_COMMAND_WRITE, .run = {.invoke = put_small}, .keys = PLINTH_LIST(write_keys)},
    {.size = PLINTH_SIZE(plinth_command), .arity = 3, .name = PLINTH_TEXT("ahead.seek"),
     .flags = PLINTH_COMMAND_READONLY, .run = {.invoke = seek}, .keys = PLINTH_LIST(read_keys),
     .look_ahead = look_ahead},
    {.size = PLINTH_SIZE(plinth_command), .arity = 1, .name = PLINTH_TEXT("ahead.seen"),
     .flags = PLINTH_COMMAND_READONLY, .run = {.invoke = tell}},
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("ahead"),
    .version = PLINTH_TEXT("0.1.0"),
    .requires_ = PLINTH_LIST(services),
    .types = PLINTH_LIST(types),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
