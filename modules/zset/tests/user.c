// A module of another author that reads and writes sorted sets through `plinth.zset/1`.
//
//     ZSETS.PROBE key    calls every function and checks what it promises; OK, or what did not hold

#include "../../../tests/abi/check.h"

static const plinth_zset_service *zsets;

// What a visit has seen: the members, one behind the other, the sum of scores, and when it ends.
typedef struct {
    char text[64];
    size_t len;
    double sum;
    int left;
} seen;

static uint32_t see(void *data, plinth_bytes member, double score) {
    seen *what = data;
    if (what->len + member.len < sizeof what->text) {
        memcpy(what->text + what->len, member.data, member.len);
        what->len += member.len;
    }
    what->sum += score;
    return --what->left != 0;
}

static int saw(const seen *what, const char *text) {
    return what->len == strlen(text) && memcmp(what->text, text, what->len) == 0;
}

static plinth_status probe(plinth_call *call) {
    const plinth_bytes key = call->args[1];
    seen all = {.left = 100}, two = {.left = 2}, back = {.left = 100};
    size_t len = 0;
    double score = 0;
    CHECK(zsets->len(call, key, &len) == PLINTH_STATUS_NONE);
    CHECK(zsets->score(call, key, T("a"), &score) == PLINTH_STATUS_NONE);
    CHECK(zsets->visit(call, key, 0, 9, 0, see, &all) == PLINTH_STATUS_NONE && all.len == 0);
    CHECK(zsets->remove(call, key, T("a")) == PLINTH_STATUS_NONE);
    CHECK(zsets->add(call, key, T("c"), 7) == PLINTH_STATUS_OK);
    CHECK(zsets->add(call, key, T("12345"), 2.5) == PLINTH_STATUS_OK);
    CHECK(zsets->add(call, key, T("a"), -1) == PLINTH_STATUS_OK);
    CHECK(zsets->add(call, key, T("c"), 3) == PLINTH_STATUS_OK);
    CHECK(zsets->add(call, key, T("c"), 0.0 / 0.0) == PLINTH_STATUS_NOT_FLOAT);
    CHECK(zsets->len(call, key, &len) == PLINTH_STATUS_OK && len == 3);
    CHECK(zsets->score(call, key, T("c"), &score) == PLINTH_STATUS_OK && score == 3);
    CHECK(zsets->score(call, key, T("b"), &score) == PLINTH_STATUS_NONE);
    CHECK(zsets->visit(call, key, 0, 9, 0, see, &all) == PLINTH_STATUS_OK && saw(&all, "a12345c") && all.sum == 4.5);
    CHECK(zsets->visit(call, key, 0, 9, 0, see, &two) == PLINTH_STATUS_OK && saw(&two, "a12345"));
    CHECK(zsets->visit(call, key, 1, 3, 1, see, &back) == PLINTH_STATUS_OK && saw(&back, "c12345"));
    CHECK(zsets->visit(call, key, 5, 2, 0, see, &back) == PLINTH_STATUS_OK && saw(&back, "c12345"));
    CHECK(zsets->remove(call, key, T("b")) == PLINTH_STATUS_NONE);
    CHECK(zsets->remove(call, key, T("a")) == PLINTH_STATUS_OK);
    CHECK(zsets->remove(call, key, T("c")) == PLINTH_STATUS_OK);
    CHECK(zsets->remove(call, key, T("12345")) == PLINTH_STATUS_OK);
    CHECK(zsets->len(call, key, &len) == PLINTH_STATUS_NONE);
    CHECK(zsets->len(call, T("text"), &len) == PLINTH_STATUS_WRONG_TYPE);
    CHECK(zsets->add(call, T("text"), T("a"), 1) == PLINTH_STATUS_WRONG_TYPE);
    reply->simple(call, T("OK"));
    return PLINTH_STATUS_OK;
}

static plinth_status start(plinth_call *call) {
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    zsets = plinth_service(call, PLINTH_ZSET_SERVICE, PLINTH_SIZE(plinth_zset_service));
    return reply && zsets ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

static const plinth_bytes services[] = {PLINTH_TEXT(PLINTH_REPLY_SERVICE), PLINTH_TEXT(PLINTH_ZSET_SERVICE)};

static const plinth_command commands[] = {
    {.size = PLINTH_SIZE(plinth_command), .arity = 2, .name = PLINTH_TEXT("zsets.probe"),
     .flags = PLINTH_COMMAND_WRITE | PLINTH_COMMAND_TOUCHES_ARBITRARY_KEYS, .run = {.invoke = probe}},
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("zsets"),
    .version = PLINTH_TEXT("1.0.0"),
    .requires_ = PLINTH_LIST(services),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
