// A module whose types say of their values what files and tools ask: plinth.rewrite/1 and
// plinth.digest/1, and what plinth.codec/1 and plinth.keys/1 know of RDB versions.
//
//   values.put type key text    makes a value of a type, by its number
//   values.seen                 for which tags the last save's reader was said to know, and omission
//   values.dump key version     the payload for a version, or null when it cannot hold the value
//
// The types are 0 `shown`, which has all of it; 1 `older`, whose struct ends before these functions,
// with traps behind the end; 2 `refused`, whose functions say UNSUPPORTED; 3 `broken`, whose commands nobody
// takes, and 4 `tagged`, which has two tags.

#include "check.h"

enum { SHOWN, OLDER, REFUSED, BROKEN, TAGGED, TYPES };

static uint32_t ids[TYPES];
static const plinth_keys_service *keys;
static const plinth_codec_service *codec;
static const plinth_rewrite_service *rewrite;
static const plinth_digest_service *digest;
static char seen[64];

static plinth_bytes text_of(const plinth_value *value) { return (plinth_bytes){value->data, value->len}; }

static plinth_status save(const plinth_value *value, void *saver) {
    snprintf(seen, sizeof seen, "%u%u%u%u%u%u %u", codec->knows(saver, 0), codec->knows(saver, 18),
             codec->knows(saver, 20), codec->knows(saver, 22), codec->knows(saver, 24), codec->knows(saver, 213),
             codec->may_omit(saver));
    codec->put_bytes(saver, text_of(value));
    return PLINTH_STATUS_OK;
}

static plinth_status load(void *loader, uint32_t encoding) {
    plinth_bytes text;
    return encoding > 255 || codec->get_bytes(loader, &text) ? PLINTH_STATUS_BAD_DATA
                                                             : codec->finish_inline(loader, 0, text);
}

// A reader that does not know 22 gets 213, which no version has.
static const uint8_t tags[] = {213};

static plinth_status tagged_save(const plinth_value *value, void *saver) {
    codec->put_tag(saver, tags[0]);
    codec->put_bytes(saver, text_of(value));
    return PLINTH_STATUS_OK;
}

static uint32_t shown_version(const plinth_value *value) { return value != NULL && value->len > 3 ? 12 : 11; }

// A command for each byte.
static plinth_status shown_rewrite(const plinth_value *value, plinth_bytes key, void *rewriter) {
    for (size_t at = 0; at < value->len; at++) {
        const plinth_bytes words[] = {T("VALUES.APPEND"), key, {value->data + at, 1}};
        const plinth_status status = rewrite->emit(rewriter, words, 3);
        if (status != PLINTH_STATUS_OK) {
            return status;
        }
    }
    return PLINTH_STATUS_OK;
}

// The bytes in whatever order.
static plinth_status shown_digest(const plinth_value *value, void *digester) {
    for (size_t at = 0; at < value->len; at++) {
        digest->add(digester, (plinth_bytes){value->data + at, 1});
        digest->end(digester);
    }
    return PLINTH_STATUS_OK;
}

static plinth_status no_rewrite(const plinth_value *value, plinth_bytes key, void *rewriter) {
    (void)value, (void)key, (void)rewriter;
    return PLINTH_STATUS_UNSUPPORTED;
}

static plinth_status no_digest(const plinth_value *value, void *digester) {
    digest->add(digester, text_of(value)); // Does not count.
    return PLINTH_STATUS_UNSUPPORTED;
}

// Goes on after what was refused, and says that all is well.
static plinth_status broken_rewrite(const plinth_value *value, plinth_bytes key, void *rewriter) {
    const plinth_bytes words[] = {T("SET"), key, text_of(value)};
    rewrite->emit(rewriter, words, 0);
    rewrite->emit(rewriter, words, 3);
    return PLINTH_STATUS_OK;
}

static plinth_status broken_digest(const plinth_value *value, void *digester) {
    (void)value, (void)digester;
    return PLINTH_STATUS_BAD_DATA;
}

static uint32_t trap_version(const plinth_value *value) {
    (void)value;
    __builtin_trap();
}

static plinth_status trap_rewrite(const plinth_value *value, plinth_bytes key, void *rewriter) {
    (void)value, (void)key, (void)rewriter;
    __builtin_trap();
}

static plinth_status trap_digest(const plinth_value *value, void *digester) {
    (void)value, (void)digester;
    __builtin_trap();
}

static plinth_status put(plinth_call *call) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    int64_t type;
    CHECK(call->argc == 4 && plinth_integer(call->args[1], &type) && type >= 0 && type < TYPES);
    CHECK(keys->put(call, call->args[2], ids[type], 0, call->args[3].len, 0, &entry) == 0);
    memcpy(entry.data, call->args[3].data, call->args[3].len);
    return ok(call);
}

static plinth_status append(plinth_call *call) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    plinth_status status = keys->get(call, call->args[1], ids[SHOWN], PLINTH_GET_WRITE, &entry);
    const size_t before = status == PLINTH_STATUS_OK ? entry.len : 0, more = call->args[2].len;
    status = status == PLINTH_STATUS_NONE ? keys->put(call, call->args[1], ids[SHOWN], 0, more, 0, &entry)
             : status == PLINTH_STATUS_OK ? keys->resize(call, &entry, 0, before + more, 0)
                                          : status;
    if (status != PLINTH_STATUS_OK) {
        return status;
    }
    memcpy(entry.data + before, call->args[2].data, more);
    return ok(call);
}

static plinth_status show(plinth_call *call) {
    reply->bulk(call, T(seen));
    return PLINTH_STATUS_OK;
}

static void take(void *data, plinth_bytes payload) { reply->bulk(data, payload); }

static plinth_status dump(plinth_call *call) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    int64_t version;
    CHECK(plinth_integer(call->args[2], &version));
    CHECK(keys->get(call, call->args[1], 0, 0, &entry) == 0);
    const plinth_status status = keys->dump_for(call, &entry, (uint32_t)version, take, call);
    if (status == PLINTH_STATUS_UNSUPPORTED) {
        reply->null(call);
        return PLINTH_STATUS_OK;
    }
    return status;
}

static plinth_status start(plinth_call *call) {
    keys = plinth_service(call, PLINTH_KEYS_SERVICE, PLINTH_SIZE(plinth_keys_service));
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    codec = plinth_service(call, PLINTH_CODEC_SERVICE, PLINTH_SIZE(plinth_codec_service));
    rewrite = plinth_service(call, PLINTH_REWRITE_SERVICE, PLINTH_SIZE(plinth_rewrite_service));
    digest = plinth_service(call, PLINTH_DIGEST_SERVICE, PLINTH_SIZE(plinth_digest_service));
    return keys && reply && codec && rewrite && digest ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

static const plinth_bytes services[] = {
    PLINTH_TEXT(PLINTH_KEYS_SERVICE), PLINTH_TEXT(PLINTH_REPLY_SERVICE), PLINTH_TEXT(PLINTH_CODEC_SERVICE),
    PLINTH_TEXT(PLINTH_REWRITE_SERVICE), PLINTH_TEXT(PLINTH_DIGEST_SERVICE)};

#define TYPE(at, text) \
    .size = PLINTH_SIZE(plinth_type), .encoding = 1, .name = PLINTH_TEXT("com.example." text), .id_out = &ids[at], \
    .load = load

static const plinth_type types[] = {
    {TYPE(SHOWN, "shown"), .save = save, .rdb_version = shown_version, .rewrite = shown_rewrite,
     .digest = shown_digest},
    {.size = offsetof(plinth_type, rdb_version), .encoding = 1, .name = PLINTH_TEXT("com.example.older"),
     .id_out = &ids[OLDER], .save = save, .load = load, .rdb_version = trap_version, .rewrite = trap_rewrite,
     .digest = trap_digest},
    {TYPE(REFUSED, "refused"), .save = save, .rewrite = no_rewrite, .digest = no_digest},
    {TYPE(BROKEN, "broken"), .save = save, .rewrite = broken_rewrite, .digest = broken_digest},
    {TYPE(TAGGED, "tagged"), .rdb_tags = PLINTH_LIST(tags), .save = tagged_save},
};

#define COMMAND(text, arity_, function) \
    {.size = PLINTH_SIZE(plinth_command), .arity = (arity_), .name = PLINTH_TEXT(text), \
     .flags = PLINTH_COMMAND_WRITE | PLINTH_COMMAND_TOUCHES_ARBITRARY_KEYS, .run = {.invoke = (function)}}

static const plinth_command commands[] = {
    COMMAND("values.put", 4, put),
    COMMAND("values.append", 3, append),
    COMMAND("values.seen", 1, show),
    COMMAND("values.dump", 3, dump),
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("values"),
    .version = PLINTH_TEXT("1.0.0"),
    .requires_ = PLINTH_LIST(services),
    .types = PLINTH_LIST(types),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
