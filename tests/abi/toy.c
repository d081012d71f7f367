// A language for functions: plinth.language.toy/1. A line behind the first is a function's name, and what it does:
//
//     echo            answers its name, how many keys it has, and all words
//     peek get        answers the kinds of the nodes of what GET of its first key replies, in RESP3, as a text
//     ask run         runs the command that its arguments are, and answers how many nodes the reply has
//     look! get       `!` behind the name: it does not write
//     oops fail       fails with a status
//     =text           the library does not compile, and text is why
//
// TOY.LIVE answers how many functions are alive, TOY.TRIED the statuses of two names that cannot be.

#include "check.h"
#include <stdlib.h>

static const plinth_run_service *run;
static int64_t live;
static plinth_status tried[2];

struct function {
    char does[16];
};

static void release(void *function) {
    live--;
    free(function);
}

static plinth_status declare(const plinth_library_source *library, const char *line, size_t len) {
    struct function *function = calloc(1, sizeof *function);
    const char *space = memchr(line, ' ', len);
    size_t name = space ? (size_t)(space - line) : len;
    if (space && len - name - 1 < sizeof function->does) memcpy(function->does, space + 1, len - name - 1);
    const int is_read_only = name && line[name - 1] == '!';
    const plinth_declared_function declared = {
        .size = PLINTH_SIZE(plinth_declared_function),
        .flags = is_read_only ? PLINTH_FUNCTION_NO_WRITES : 0,
        .name = {(const uint8_t *)line, name - (size_t)is_read_only},
        .description = T(function->does),
        .function = function,
    };
    const plinth_status status = library->declare(library->data, &declared);
    if (status) free(function);
    else live++;
    return status;
}

static plinth_status compile(plinth_call *call, const plinth_library_source *library) {
    (void)call;
    const char *at = (const char *)library->source.data, *end = at + library->source.len;
    for (int number = 0; at < end; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const size_t len = (size_t)((stop ? stop : end) - at);
        if (number && len && *at == '=') {
            library->fail(library->data, (plinth_bytes){(const uint8_t *)at + 1, len - 1});
            return PLINTH_STATUS_BAD_DATA;
        }
        if (number && len && declare(library, at, len)) return PLINTH_STATUS_BAD_DATA;
        if (number == 1) {
            tried[0] = declare(library, "no name", 0);
            tried[1] = declare(library, at, len);
        }
        at += len + 1;
    }
    return PLINTH_STATUS_OK;
}

static plinth_status say_words(plinth_call *call, const plinth_function_run *made) {
    reply->aggregate(call, PLINTH_REPLY_ARRAY, 2 + made->key_count + made->arg_count);
    reply->bulk(call, made->name);
    reply->integer(call, made->key_count);
    for (uint32_t at = 0; at < made->key_count; at++) reply->bulk(call, made->keys[at]);
    for (uint32_t at = 0; at < made->arg_count; at++) reply->bulk(call, made->args[at]);
    return PLINTH_STATUS_OK;
}

struct nodes {
    char kinds[64];
    int64_t count;
    plinth_status end;
};

static void count_nodes(void *data, plinth_bytes bytes) {
    struct nodes *nodes = data;
    size_t at = 0;
    plinth_reply_node node = {.size = PLINTH_SIZE(plinth_reply_node)};
    while ((nodes->end = run->read(bytes, &at, &node)) == PLINTH_STATUS_OK) {
        if (nodes->count < 60) nodes->kinds[nodes->count] = (char)('a' + node.kind);
        nodes->count++;
    }
    if (at != bytes.len) nodes->count = -1;
}

static plinth_status invoke(plinth_call *call, void *data, const plinth_function_run *made) {
    const struct function *function = data;
    struct nodes nodes = {0};
    if (!strcmp(function->does, "fail")) return PLINTH_STATUS_WRONG_TYPE;
    if (!strcmp(function->does, "get")) {
        const plinth_bytes args[] = {T("GET"), made->keys[0]};
        CHECK(made->command(call, made->data, args, 0, 0, (plinth_take){count_nodes}, &nodes) == PLINTH_STATUS_NOT_ALLOWED);
        CHECK(made->command(call, made->data, args, 2, PLINTH_RUN_RESP3, (plinth_take){count_nodes}, &nodes) == PLINTH_STATUS_OK);
        CHECK(nodes.end == PLINTH_STATUS_BAD_DATA);
        reply->bulk(call, T(nodes.kinds));
        return PLINTH_STATUS_OK;
    }
    if (!strcmp(function->does, "run")) {
        CHECK(made->command(call, made->data, made->args, made->arg_count, PLINTH_RUN_RESP3, (plinth_take){count_nodes},
                            &nodes) == PLINTH_STATUS_OK);
        reply->aggregate(call, PLINTH_REPLY_ARRAY, 2);
        reply->integer(call, nodes.count);
        reply->bulk(call, T(nodes.kinds));
        return PLINTH_STATUS_OK;
    }
    return say_words(call, made);
}

static uint64_t memory(void) { return (uint64_t)live * sizeof(struct function); }

static plinth_status toy_live(plinth_call *call) {
    reply->integer(call, live);
    return PLINTH_STATUS_OK;
}

static plinth_status toy_tried(plinth_call *call) {
    CHECK(tried[0] == PLINTH_STATUS_BAD_DATA);
    CHECK(tried[1] == PLINTH_STATUS_EXISTS);
    return ok(call);
}

static plinth_status start(plinth_call *call) {
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    run = plinth_service(call, PLINTH_RUN_SERVICE, PLINTH_SIZE(plinth_run_service));
    return reply && run ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

static const plinth_language_service table = {
    .size = PLINTH_SIZE(plinth_language_service),
    .flags = PLINTH_SERVICE_PINNED,
    .compile = compile,
    .call = invoke,
    .free = release,
    .memory = memory,
};

static const plinth_provided provides[] = {
    {.id = PLINTH_TEXT(PLINTH_LANGUAGE_BEGIN "toy" PLINTH_LANGUAGE_END), .table = (void *)&table},
};

static const plinth_command commands[] = {
    {.size = PLINTH_SIZE(plinth_command), .arity = 1, .name = PLINTH_TEXT("toy.live"), .run = {.invoke = toy_live}},
    {.size = PLINTH_SIZE(plinth_command), .arity = 1, .name = PLINTH_TEXT("toy.tried"), .run = {.invoke = toy_tried}},
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("toy"),
    .provides = PLINTH_LIST(provides),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
