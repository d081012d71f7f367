// A queue whose commands wait, for the tests of waiting: a type as small as it can be, with
// commands that answer as those of lists do.
//
//     Q.PUSH key item [item ...]        as RPUSH
//     Q.TAKE key [key ...] timeout      as BLPOP
//     Q.MOVE from to timeout            as BLMOVE from to LEFT RIGHT timeout
//     Q.ITEMS key                       as LRANGE key 0 -1
//     Q.GONE key timeout                waits until the key is no queue; how often it has run
//     Q.ODD key timeout                 waits, writes a reply, and waits once more
//     Q.FAIL key                        waits and fails
//     Q.BOTH key                        waits for a key and pushes to it
//
// A value is its items, one after the other, each with its length in one byte in front.

#include <plinth/plinth.h>
#include <stdio.h>
#include <stdlib.h>

static const plinth_keys_service *keys;
static const plinth_reply_service *reply;
static const plinth_codec_service *codec;
static const plinth_block_service *block;
static uint32_t queue_type;

static plinth_status save(const plinth_value *value, void *saver) {
    codec->put_bytes(saver, (plinth_bytes){value->data, value->len});
    return PLINTH_STATUS_OK;
}

static plinth_status load(void *loader, uint32_t encoding) {
    plinth_bytes bytes;
    if (encoding != 1 || codec->get_bytes(loader, &bytes)) {
        return PLINTH_STATUS_BAD_DATA;
    }
    return codec->finish_inline(loader, 0, bytes);
}

static plinth_status push(plinth_call *call, plinth_bytes key, plinth_bytes item) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    plinth_status status = keys->get(call, key, queue_type, PLINTH_GET_WRITE, &entry);
    if (status == PLINTH_STATUS_NONE) {
        status = keys->put(call, key, queue_type, 0, 0, PLINTH_PUT_ABSENT, &entry);
    }
    const size_t before = entry.len;
    if (!status) {
        status = keys->resize(call, &entry, 0, before + 1 + item.len, PLINTH_RESIZE_AMORTISE);
    }
    if (!status) {
        entry.data[before] = (uint8_t)item.len;
        memcpy(entry.data + before + 1, item.data, item.len);
        keys->modified(call, key, PLINTH_EVENT_MODULE, plinth_text("push"));
    }
    return status;
}

// Takes the first item, which goes to `item`; NONE without a queue.
static plinth_status shift(plinth_call *call, plinth_bytes key, uint8_t *item, size_t *len) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    plinth_status status = keys->get(call, key, queue_type, PLINTH_GET_WRITE, &entry);
    if (status) {
        return status;
    }
    *len = entry.data[0];
    memcpy(item, entry.data + 1, *len);
    const size_t left = entry.len - 1 - *len;
    memmove(entry.data, entry.data + 1 + *len, left);
    status = left ? keys->resize(call, &entry, 0, left, 0) : keys->remove(call, key, 0);
    keys->modified(call, key, PLINTH_EVENT_MODULE, plinth_text("take"));
    return status;
}

static plinth_status q_push(plinth_call *call) {
    for (uint32_t at = 2; at < call->argc; at++) {
        const plinth_status status = push(call, call->args[1], call->args[at]);
        if (status) {
            return status;
        }
    }
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    const plinth_status status = keys->get(call, call->args[1], queue_type, 0, &entry);
    if (status) {
        return status;
    }
    int64_t count = 0;
    for (size_t at = 0; at < entry.len; at += 1u + entry.data[at]) {
        count++;
    }
    reply->integer(call, count);
    return PLINTH_STATUS_OK;
}

// The wait that the last argument, a number of seconds, asks for.
static plinth_status seconds(plinth_call *call, uint32_t how_to_reply, plinth_wait *wait) {
    char text[32] = "";
    const plinth_bytes last = call->args[call->argc - 1];
    memcpy(text, last.data, last.len < sizeof text ? last.len : sizeof text - 1);
    *wait = (plinth_wait){.size = PLINTH_SIZE(plinth_wait), .type_id = queue_type, .reply = how_to_reply,
                          .timeout_ms = (uint64_t)(atof(text) * 1000)};
    return PLINTH_STATUS_OK;
}

static plinth_status q_take(plinth_call *call) {
    uint8_t item[255];
    size_t len;
    for (uint32_t at = 1; at + 1 < call->argc; at++) {
        const plinth_status status = shift(call, call->args[at], item, &len);
        if (status == PLINTH_STATUS_OK) {
            reply->aggregate(call, PLINTH_REPLY_ARRAY, 2);
            reply->bulk(call, call->args[at]);
            reply->bulk(call, (plinth_bytes){item, len});
        }
        if (status != PLINTH_STATUS_NONE) {
            return status;
        }
    }
    plinth_wait wait;
    seconds(call, PLINTH_WAIT_NULL_ARRAY, &wait);
    if (call->flags & PLINTH_CALL_NO_BLOCK) {
        reply->null_array(call);
        return PLINTH_STATUS_OK;
    }
    return block->wait(call, call->args + 1, call->argc - 2, &wait);
}

static plinth_status q_move(plinth_call *call) {
    uint8_t item[255];
    size_t len;
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    const plinth_bytes to = call->args[2];
    plinth_status status = keys->get(call, call->args[1], queue_type, 0, &entry);
    if (status == PLINTH_STATUS_NONE) {
        plinth_wait wait;
        seconds(call, PLINTH_WAIT_NULL_ARRAY, &wait);
        if (call->flags & PLINTH_CALL_NO_BLOCK) {
            reply->null(call);
            return PLINTH_STATUS_OK;
        }
        return block->wait(call, call->args + 1, 1, &wait);
    }
    status = status ? status : keys->get(call, to, queue_type, 0, &entry);
    if (status && status != PLINTH_STATUS_NONE) {
        return status;
    }
    status = shift(call, call->args[1], item, &len);
    status = status ? status : push(call, to, (plinth_bytes){item, len});
    if (!status) {
        reply->bulk(call, (plinth_bytes){item, len});
    }
    return status;
}

static plinth_status q_items(plinth_call *call) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    plinth_status status = keys->get(call, call->args[1], queue_type, 0, &entry);
    if (status && status != PLINTH_STATUS_NONE) {
        return status;
    }
    uint32_t count = 0;
    const uint64_t mark = reply->open(call);
    for (size_t at = 0; at < entry.len; at += 1u + entry.data[at], count++) {
        reply->bulk(call, (plinth_bytes){entry.data + at + 1, entry.data[at]});
    }
    reply->close(call, mark, PLINTH_REPLY_ARRAY, count);
    return PLINTH_STATUS_OK;
}

// Counts its runs in a third argument that it gives itself.
static plinth_status q_gone(plinth_call *call) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    int64_t runs = 0;
    if (call->argc > 3) {
        plinth_integer(call->args[2], &runs);
    }
    if (keys->get(call, call->args[1], queue_type, 0, &entry)) {
        reply->integer(call, runs);
        return PLINTH_STATUS_OK;
    }
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)runs + 1);
    const plinth_bytes last = call->args[call->argc - 1];
    const plinth_bytes args[] = {call->args[0], call->args[1], plinth_text(text), last};
    plinth_wait wait;
    seconds(call, PLINTH_WAIT_NULL, &wait);
    wait.flags = PLINTH_WAIT_REMOVAL;
    wait.args = args;
    wait.argc = 4;
    return block->wait(call, call->args + 1, 1, &wait);
}

// Breaks the rules: the host drops what it writes, and the second wait is refused.
static plinth_status q_odd(plinth_call *call) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    if (!keys->get(call, call->args[1], 0, 0, &entry) && entry.len > 4) {
        reply->simple(call, plinth_text("ENOUGH"));
        return PLINTH_STATUS_OK;
    }
    plinth_wait wait;
    seconds(call, PLINTH_WAIT_NULL, &wait);
    reply->simple(call, plinth_text("before"));
    plinth_status status = block->wait(call, call->args + 1, 1, &wait);
    reply->simple(call, plinth_text("behind"));
    if (!status && block->wait(call, call->args + 1, 1, &wait) != PLINTH_STATUS_EXISTS) {
        reply->error(call, plinth_text("ERR it waits twice"));
        return PLINTH_STATUS_REPLIED;
    }
    return status;
}

static plinth_status q_fail(plinth_call *call) {
    plinth_wait wait = {.size = PLINTH_SIZE(plinth_wait)};
    const plinth_status status = block->wait(call, call->args + 1, 1, &wait);
    return status ? status : PLINTH_STATUS_SYNTAX;
}

static plinth_status q_both(plinth_call *call) {
    plinth_wait wait = {.size = PLINTH_SIZE(plinth_wait), .type_id = queue_type};
    const plinth_status status = block->wait(call, call->args + 1, 1, &wait);
    return status ? status : push(call, call->args[1], plinth_text("x"));
}

static plinth_status start(plinth_call *call) {
    keys = plinth_service(call, PLINTH_KEYS_SERVICE, PLINTH_SIZE(plinth_keys_service));
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    codec = plinth_service(call, PLINTH_CODEC_SERVICE, PLINTH_SIZE(plinth_codec_service));
    block = plinth_service(call, PLINTH_BLOCK_SERVICE, PLINTH_SIZE(plinth_block_service));
    return keys && reply && codec && block ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

static const plinth_type types[] = {
    {.size = PLINTH_SIZE(plinth_type), .encoding = 1, .name = PLINTH_TEXT("com.example.queue"),
     .id_out = &queue_type, .save = save, .load = load},
};

static const plinth_key_spec specs[] = {PLINTH_KEY_AT(PLINTH_KEY_RW, 1)};

#define COMMAND(text, arity_, function) \
    {.size = PLINTH_SIZE(plinth_command), .arity = (arity_), .name = PLINTH_TEXT(text), \
     .flags = PLINTH_COMMAND_WRITE | PLINTH_COMMAND_DENY_OOM, .run = {.invoke = (function)}, \
     .keys = PLINTH_LIST(specs)}

static const plinth_command commands[] = {
    COMMAND("q.push", -3, q_push), COMMAND("q.take", -3, q_take), COMMAND("q.move", 4, q_move),
    COMMAND("q.items", 2, q_items), COMMAND("q.gone", -3, q_gone), COMMAND("q.odd", 3, q_odd),
    COMMAND("q.fail", 2, q_fail), COMMAND("q.both", 2, q_both),
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("queue"),
    .types = PLINTH_LIST(types),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
