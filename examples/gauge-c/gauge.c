// A data type in C: a gauge remembers the last value pushed, and the lowest and highest so far.
//
//   gauge.push key value    pushes an integer, replies with the highest
//   gauge.get key           replies with last, lowest and highest, or null without a key
//
// A gauge is boxed: the key holds an address, and the host frees what is behind it through
// `gauge_drop`. It is saved as three signed integers, as the Rust example saves its own, so that
// each loads the other's.

#include <plinth/plinth.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    int64_t last, low, high;
} gauge;

static uint32_t gauge_type_id;
static const plinth_keys_service *keys;
static const plinth_reply_service *reply;
static const plinth_codec_service *codec;
static const plinth_rewrite_service *rewrite;
static const plinth_digest_service *digest;

static plinth_status gauge_save(const plinth_value *value, void *saver) {
    const gauge *from = value->boxed;
    codec->put_i64(saver, from->last);
    codec->put_i64(saver, from->low);
    codec->put_i64(saver, from->high);
    return PLINTH_STATUS_OK;
}

static plinth_status gauge_load(void *loader, uint32_t encoding) {
    gauge *made = malloc(sizeof *made);
    if (made == NULL) {
        return PLINTH_STATUS_OUT_OF_MEMORY;
    }
    if (encoding != 1 || codec->get_i64(loader, &made->last) ||
        codec->get_i64(loader, &made->low) || codec->get_i64(loader, &made->high) ||
        codec->finish_boxed(loader, 0, made)) {
        free(made); // A call that fails takes nothing over.
        return PLINTH_STATUS_BAD_DATA;
    }
    return PLINTH_STATUS_OK;
}

static void gauge_drop(void *boxed) { free(boxed); }

static size_t gauge_memory(const plinth_value *value) { return value->boxed ? sizeof(gauge) : 0; }

// The commands that make the gauge anew: the lowest, the highest and the last value are pushed.
static plinth_status gauge_rewrite(const plinth_value *value, plinth_bytes key, void *rewriter) {
    const gauge *from = value->boxed;
    const int64_t pushed[] = {from->low, from->high, from->last};
    plinth_status status = PLINTH_STATUS_OK;
    for (size_t at = 0; at < 3 && status == PLINTH_STATUS_OK; at++) {
        char digits[32];
        snprintf(digits, sizeof digits, "%lld", (long long)pushed[at]);
        const plinth_bytes words[] = {plinth_text("GAUGE.PUSH"), key, plinth_text(digits)};
        status = rewrite->emit(rewriter, words, 3);
    }
    return status;
}

// What the gauge is, as clients see it.
static plinth_status gauge_digest(const plinth_value *value, void *digester) {
    const gauge *from = value->boxed;
    const int64_t shown[] = {from->last, from->low, from->high};
    for (size_t at = 0; at < 3; at++) {
        char digits[32];
        snprintf(digits, sizeof digits, "%lld", (long long)shown[at]);
        digest->add(digester, plinth_text(digits));
    }
    return PLINTH_STATUS_OK;
}

static plinth_status push(plinth_call *call) {
    const plinth_bytes key = call->args[1];
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    int64_t value;
    if (!plinth_integer(call->args[2], &value)) {
        return PLINTH_STATUS_NOT_INTEGER;
    }
    plinth_status status = keys->get(call, key, gauge_type_id, PLINTH_GET_WRITE, &entry);
    if (status == PLINTH_STATUS_NONE) {
        gauge *made = malloc(sizeof *made);
        if (made == NULL) {
            return PLINTH_STATUS_OUT_OF_MEMORY;
        }
        *made = (gauge){value, value, value};
        status = keys->put_boxed(call, key, gauge_type_id, 0, made, PLINTH_PUT_ABSENT, &entry);
        if (status != PLINTH_STATUS_OK) {
            free(made);
        }
    }
    if (status != PLINTH_STATUS_OK) {
        return status; // The host makes the standard error of it, such as WRONGTYPE.
    }
    gauge *into = entry.boxed;
    into->last = value;
    into->low = value < into->low ? value : into->low;
    into->high = value > into->high ? value : into->high;
    keys->modified(call, key, PLINTH_EVENT_MODULE, plinth_text("gauge.push"));
    reply->integer(call, into->high);
    return PLINTH_STATUS_OK;
}

static plinth_status get(plinth_call *call) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    plinth_status status = keys->get(call, call->args[1], gauge_type_id, 0, &entry);
    if (status == PLINTH_STATUS_NONE) {
        reply->null(call);
        return PLINTH_STATUS_OK;
    }
    if (status != PLINTH_STATUS_OK) {
        return status;
    }
    const gauge *from = entry.boxed;
    reply->aggregate(call, PLINTH_REPLY_ARRAY, 3);
    reply->integer(call, from->last);
    reply->integer(call, from->low);
    reply->integer(call, from->high);
    return PLINTH_STATUS_OK;
}

static plinth_status start(plinth_call *call) {
    keys = plinth_service(call, PLINTH_KEYS_SERVICE, PLINTH_SIZE(plinth_keys_service));
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    codec = plinth_service(call, PLINTH_CODEC_SERVICE, PLINTH_SIZE(plinth_codec_service));
    rewrite = plinth_service(call, PLINTH_REWRITE_SERVICE, PLINTH_SIZE(plinth_rewrite_service));
    digest = plinth_service(call, PLINTH_DIGEST_SERVICE, PLINTH_SIZE(plinth_digest_service));
    return keys && reply && codec && rewrite && digest ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

// What follows is constant data: the host reads it before it runs any of the above.

static const plinth_bytes services[] = {PLINTH_TEXT(PLINTH_KEYS_SERVICE),
                                        PLINTH_TEXT(PLINTH_REPLY_SERVICE),
                                        PLINTH_TEXT(PLINTH_CODEC_SERVICE),
                                        PLINTH_TEXT(PLINTH_REWRITE_SERVICE),
                                        PLINTH_TEXT(PLINTH_DIGEST_SERVICE)};

static const plinth_type types[] = {
    {.size = PLINTH_SIZE(plinth_type), .encoding = 1, .name = PLINTH_TEXT("com.example.gauge"),
     .id_out = &gauge_type_id, .save = gauge_save, .load = gauge_load, .drop = gauge_drop,
     .memory = gauge_memory, .rewrite = gauge_rewrite, .digest = gauge_digest},
};

static const plinth_key_spec push_keys[] = {PLINTH_KEY_AT(PLINTH_KEY_RW | PLINTH_KEY_UPDATE, 1)};
static const plinth_key_spec get_keys[] = {PLINTH_KEY_AT(PLINTH_KEY_RO | PLINTH_KEY_ACCESS, 1)};

static const plinth_command commands[] = {
    {.size = PLINTH_SIZE(plinth_command), .arity = 3, .name = PLINTH_TEXT("gauge.push"),
     .flags = PLINTH_COMMAND_WRITE | PLINTH_COMMAND_DENY_OOM | PLINTH_COMMAND_FAST,
     .categories = PLINTH_CATEGORY_WRITE, .run = {.invoke = push}, .keys = PLINTH_LIST(push_keys)},
    {.size = PLINTH_SIZE(plinth_command), .arity = 2, .name = PLINTH_TEXT("gauge.get"),
     .flags = PLINTH_COMMAND_READONLY | PLINTH_COMMAND_FAST,
     .categories = PLINTH_CATEGORY_READ, .run = {.invoke = get}, .keys = PLINTH_LIST(get_keys)},
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("gauge"),
    .version = PLINTH_TEXT("0.1.0"),
    .requires_ = PLINTH_LIST(services),
    .types = PLINTH_LIST(types),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
