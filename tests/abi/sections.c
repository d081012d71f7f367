// A module that keeps libraries of functions and a motto in RDB files, through plinth.rdb/1. As an argument
// `mute` it has no commands for them; a library `bad` it does not take.
//
//     SECTIONS.ADD text     adds a library
//     SECTIONS.MOTTO text   sets the motto, which is its section; an empty one is none
//     SECTIONS.SHOW         all of it: "library library ... | motto"

#include "check.h"

static const plinth_codec_service *codec;
static const plinth_rdb_service *rdb;
static const plinth_rewrite_service *rewrite;

#define MANY 16
#define LONG 64

static char libraries[MANY][LONG];
static int count;
static char motto[LONG];

static void copy(char *to, plinth_bytes from) {
    const size_t len = from.len < LONG - 1 ? from.len : LONG - 1;
    memcpy(to, from.data, len);
    to[len] = 0;
}

static void add_library(plinth_bytes text) { copy(libraries[count < MANY ? count++ : MANY - 1], text); }

static void clear_functions(plinth_call *call, void *data) {
    (void)call, (void)data;
    count = 0;
}

static plinth_status load_function(plinth_call *call, void *loader, uint32_t encoding, uint32_t flags, void *data) {
    plinth_bytes text;
    if (data != libraries || encoding != 0 || (flags & ~PLINTH_RDB_MERGES) || codec->get_bytes(loader, &text)) {
        return PLINTH_STATUS_BAD_DATA;
    }
    if (same(text, "bad")) {
        reply->error(call, T("ERR this is no library"));
        return PLINTH_STATUS_REPLIED;
    }
    add_library(text);
    return PLINTH_STATUS_OK;
}

static plinth_status save_functions(plinth_call *call, void *saver, void *data) {
    (void)call, (void)data;
    for (int at = 0; at < count; at++) {
        if (strcmp(libraries[at], "broken") == 0) {
            return PLINTH_STATUS_BAD_DATA;
        }
        codec->put_bytes(saver, T(libraries[at]));
    }
    return PLINTH_STATUS_OK;
}

static plinth_status rewrite_functions(plinth_call *call, void *rewriter, void *data) {
    (void)call, (void)data;
    for (int at = 0; at < count; at++) {
        const plinth_bytes words[] = {T("SECTIONS.ADD"), T(libraries[at])};
        const plinth_status status = rewrite->emit(rewriter, words, 2);
        if (status != PLINTH_STATUS_OK) {
            return status;
        }
    }
    return PLINTH_STATUS_OK;
}

static void clear_motto(plinth_call *call, void *data) {
    (void)call, (void)data;
    motto[0] = 0;
}

static plinth_status load_motto(plinth_call *call, void *loader, uint32_t encoding, uint32_t flags, void *data) {
    plinth_bytes text;
    uint64_t number;
    (void)call, (void)flags, (void)data;
    if (encoding != 3 || codec->get_bytes(loader, &text) || codec->get_u64(loader, &number) || number != 42) {
        return PLINTH_STATUS_BAD_DATA;
    }
    copy(motto, text);
    return PLINTH_STATUS_OK;
}

static plinth_status save_motto(plinth_call *call, void *saver, void *data) {
    (void)call, (void)data;
    if (motto[0]) {
        codec->put_bytes(saver, T(motto));
        codec->put_u64(saver, 42);
    }
    return PLINTH_STATUS_OK;
}

static plinth_status rewrite_motto(plinth_call *call, void *rewriter, void *data) {
    (void)call, (void)data;
    const plinth_bytes words[] = {T("SECTIONS.MOTTO"), T(motto)};
    return motto[0] ? rewrite->emit(rewriter, words, 2) : PLINTH_STATUS_OK;
}

static const plinth_rdb_claim functions = {
    .size = PLINTH_SIZE(plinth_rdb_claim), .kind = PLINTH_RDB_FUNCTIONS, .data = libraries,
    .clear = clear_functions, .load = load_function, .save = save_functions};
static const plinth_rdb_claim section = {
    .size = PLINTH_SIZE(plinth_rdb_claim), .kind = PLINTH_RDB_SECTION, .flags = PLINTH_RDB_BEFORE_KEYS,
    .encoding = 3, .clear = clear_motto, .load = load_motto, .save = save_motto};

static plinth_status add(plinth_call *call) {
    add_library(call->args[1]);
    CHECK(rdb->claim(call, &functions) == PLINTH_STATUS_NOT_ALLOWED);
    return ok(call);
}

static plinth_status set_motto(plinth_call *call) {
    copy(motto, call->args[1]);
    return ok(call);
}

static plinth_status show(plinth_call *call) {
    char text[(MANY + 1) * (LONG + 1) + 3] = "";
    for (int at = 0; at < count; at++) {
        strcat(strcat(text, libraries[at]), " ");
    }
    reply->bulk(call, T(strcat(strcat(text, "| "), motto)));
    return PLINTH_STATUS_OK;
}

static plinth_status start(plinth_call *call) {
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    codec = plinth_service(call, PLINTH_CODEC_SERVICE, PLINTH_SIZE(plinth_codec_service));
    rdb = plinth_service(call, PLINTH_RDB_SERVICE, PLINTH_SIZE(plinth_rdb_service));
    rewrite = plinth_service(call, PLINTH_REWRITE_SERVICE, PLINTH_SIZE(plinth_rewrite_service));
    plinth_rdb_claim one = functions, other = section, odd = functions;
    const int mute = call->argc == 1 && same(call->args[0], "mute");
    one.rewrite = mute ? NULL : rewrite_functions;
    other.rewrite = mute ? NULL : rewrite_motto;
    odd.kind = 3;
    CHECK(rdb->claim(call, &odd) == PLINTH_STATUS_UNSUPPORTED);
    odd = functions;
    odd.flags = UINT32_C(1) << 31;
    CHECK(rdb->claim(call, &odd) == PLINTH_STATUS_UNSUPPORTED);
    odd = functions;
    odd.size = 8;
    CHECK(rdb->claim(call, &odd) == PLINTH_STATUS_UNSUPPORTED);
    CHECK(rdb->claim(call, &one) == PLINTH_STATUS_OK);
    CHECK(rdb->claim(call, &one) == PLINTH_STATUS_EXISTS);
    CHECK(rdb->claim(call, &other) == PLINTH_STATUS_OK);
    return PLINTH_STATUS_OK;
}

static const plinth_bytes services[] = {
    PLINTH_TEXT(PLINTH_REPLY_SERVICE), PLINTH_TEXT(PLINTH_CODEC_SERVICE), PLINTH_TEXT(PLINTH_RDB_SERVICE),
    PLINTH_TEXT(PLINTH_REWRITE_SERVICE)};

#define COMMAND(text, arity_, function) \
    {.size = PLINTH_SIZE(plinth_command), .arity = (arity_), .name = PLINTH_TEXT(text), \
     .flags = PLINTH_COMMAND_WRITE, .run = {.invoke = (function)}}

static const plinth_command commands[] = {
    COMMAND("sections.add", 2, add),
    COMMAND("sections.motto", 2, set_motto),
    COMMAND("sections.show", 1, show),
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("sections"),
    .version = PLINTH_TEXT("1.0.0"),
    .requires_ = PLINTH_LIST(services),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
