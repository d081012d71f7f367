// The headers as a module in C11 uses them: everything included at once, constant data built with
// the macros, each function's type matched by a function. `cargo xtask headers --compile` compiles
// this file and never runs it.

#include <plinth/plinth.h>

// In any order, and again: guards and forward declarations must bear it.
#include <plinth/entry.h>
#include <plinth/keys.h>
#include <plinth/bytes.h>

// A few values that the wire or a file depends on, or that two sides must share.
_Static_assert(PLINTH_MAGIC == 0x544E4C50, "PLNT, little endian");
_Static_assert(PLINTH_ABI_MAJOR == 1, "these headers are of ABI 1");
_Static_assert(PLINTH_STATUS_OK == 0, "a status converts to a truth value");
_Static_assert(PLINTH_EXPIRE_NONE < 0, "no expiry is no time");
_Static_assert(sizeof(PLINTH_KEYS_SERVICE) == sizeof("plinth.keys/1"), "ids are string literals");

#if PLINTH_ABI_MAJOR != 1 || PLINTH_COMMAND_WRITE != 1 || PLINTH_DB_ALL != -1
#error "constants must be usable in #if"
#endif

static uint32_t probe_type_id;

static plinth_status run(plinth_call *call) {
    const plinth_reply_service *reply =
        plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    if (reply == NULL) {
        return PLINTH_STATUS_UNSUPPORTED;
    }
    char scratch[PLINTH_STRING_SCRATCH_BYTES] = {0};
    (void)scratch;
    // The reply buffer is public: what fits is written without a call.
    plinth_reply *buffer = call->reply;
    if ((size_t)(buffer->end - buffer->at) < 5) {
        buffer->grow(buffer, 5);
    }
    memcpy(buffer->at, "+OK\r\n", 5);
    buffer->at += 5;
    return PLINTH_STATUS_OK;
}

static uint32_t look_ahead(plinth_ahead *ahead) { return ahead->stage == 0 && ahead->argc > 2; }

static uint32_t find_keys(const plinth_bytes *args, uint32_t argc, plinth_found_key *keys_out) {
    if (argc < 2 || args[1].len == 0) {
        return 0;
    }
    keys_out[0] = (plinth_found_key){.position = 1};
    return 1;
}

static plinth_status save(const plinth_value *value, void *saver) {
    return value->form == PLINTH_FORM_INLINE && saver != NULL ? PLINTH_STATUS_OK
                                                              : PLINTH_STATUS_BAD_DATA;
}

static plinth_status load(void *loader, uint32_t encoding) {
    return loader != NULL && encoding == 1 ? PLINTH_STATUS_OK : PLINTH_STATUS_BAD_DATA;
}

static void drop(void *boxed) { (void)boxed; }

static size_t memory(const plinth_value *value) { return value->len; }

static plinth_bytes encoding_name(const plinth_value *value) {
    (void)value;
    return plinth_text("probe");
}

static void *copy(void *boxed) { return boxed; }

static plinth_status apply(plinth_call *call, int64_t number, plinth_bytes text, void *data) {
    (void)call, (void)number, (void)text, (void)data;
    return PLINTH_STATUS_OK;
}

static void section(plinth_call *call, void *sink) { (void)call, (void)sink; }

static plinth_status start(plinth_call *call) {
    return call->host->abi_major == PLINTH_ABI_MAJOR ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

static void stop(plinth_call *call) {
    call->host->log(call->host, PLINTH_LOG_NOTICE, plinth_text("stopped"));
}

// A callback's type is that of a function pointer.
static void taken(void *data, plinth_bytes bytes) { (void)data, (void)bytes; }
static const plinth_take take = taken;

static const uint8_t tags[] = {0, 1};
static const plinth_type types[] = {
    {.size = PLINTH_SIZE(plinth_type), .encoding = 1, .name = PLINTH_TEXT("com.example.probe"),
     .id_out = &probe_type_id, .rdb_tags = PLINTH_LIST(tags), .save = save, .load = load,
     .drop = drop, .memory = memory, .free_effort = memory, .encoding_name = encoding_name,
     .copy = copy},
};

static const plinth_key_spec keys[] = {PLINTH_KEY_AT(PLINTH_KEY_RO | PLINTH_KEY_ACCESS, 1)};
static const plinth_bytes tips[] = {PLINTH_TEXT("nondeterministic_output")};
static const plinth_arg args[] = {
    {.size = PLINTH_SIZE(plinth_arg), .kind = PLINTH_ARG_KEY, .name = PLINTH_TEXT("key")},
};
static const plinth_change history[] = {{PLINTH_TEXT("1.1.0"), PLINTH_TEXT("Became a probe.")}};
static const plinth_docs docs = {.size = PLINTH_SIZE(plinth_docs),
                                 .summary = PLINTH_TEXT("Answers OK."),
                                 .history = PLINTH_LIST(history),
                                 .args = PLINTH_LIST(args)};
static const plinth_command commands[] = {
    {.size = PLINTH_SIZE(plinth_command), .arity = -2, .name = PLINTH_TEXT("probe.run"),
     .flags = PLINTH_COMMAND_READONLY | PLINTH_COMMAND_FAST, .categories = PLINTH_CATEGORY_READ,
     .run = {.invoke = run}, .keys = PLINTH_LIST(keys), .tips = PLINTH_LIST(tips), .docs = &docs,
     .find_keys = find_keys, .look_ahead = look_ahead},
};

static const plinth_bytes choices[] = {PLINTH_TEXT("fast"), PLINTH_TEXT("safe")};
static const plinth_config configs[] = {
    {.size = PLINTH_SIZE(plinth_config), .kind = PLINTH_CONFIG_CHOICE, .name = PLINTH_TEXT("mode"),
     .default_ = PLINTH_TEXT("safe"), .choices = PLINTH_LIST(choices), .apply = apply},
};

static const plinth_section infos[] = {
    {.size = PLINTH_SIZE(plinth_section), .name = PLINTH_TEXT(""), .write = section},
};

static struct {
    uint32_t size;
    uint32_t reserved;
    plinth_take take;
} table = {sizeof(table), 0, taken};
static const plinth_provided provides[] = {{PLINTH_TEXT("com.example.probe/1"), &table}};

static const plinth_bytes services[] = {
    PLINTH_TEXT(PLINTH_KEYS_SERVICE),   PLINTH_TEXT(PLINTH_REPLY_SERVICE),
    PLINTH_TEXT(PLINTH_CODEC_SERVICE),  PLINTH_TEXT(PLINTH_RUN_SERVICE),
    PLINTH_TEXT(PLINTH_EVENTS_SERVICE), PLINTH_TEXT(PLINTH_TIMERS_SERVICE),
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("probe"),
    .version = PLINTH_TEXT("1.0.0"),
    .requires_ = PLINTH_LIST(services),
    .provides = PLINTH_LIST(provides),
    .types = PLINTH_LIST(types),
    .commands = PLINTH_LIST(commands),
    .configs = PLINTH_LIST(configs),
    .infos = PLINTH_LIST(infos),
    .start = start,
    .stop = stop,
};

// Tables are called through constant pointers, which is how a module keeps them.
void probe(plinth_call *call, const plinth_keys_service *keyspace,
           const plinth_run_service *runner);
void probe(plinth_call *call, const plinth_keys_service *keyspace, const plinth_run_service *runner) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    plinth_bytes key = call->args[1];
    if (keyspace->get(call, key, probe_type_id, PLINTH_GET_WRITE, &entry) == PLINTH_STATUS_OK) {
        keyspace->dump(call, &entry, take, NULL);
        keyspace->modified(call, key, PLINTH_EVENT_MODULE, plinth_text("probe"));
    }
    runner->run(call, NULL, call->args, call->argc, PLINTH_RUN_READ_ONLY, take, NULL);
}
