// A module of another author that reads and writes hashes through `plinth.hash/1`.
//
//     HASHES.PROBE key    calls every function and checks what it promises; OK, or what did not hold

#include "../../../tests/abi/check.h"

static const plinth_hash_service *hashes;

// What a visit has seen: how many fields, and bytes of them and their values.
typedef struct {
    size_t fields, bytes, left;
} seen;

static uint32_t see(void *data, plinth_bytes field, plinth_bytes value) {
    seen *what = data;
    what->fields++;
    what->bytes += field.len + value.len;
    return --what->left == 0;
}

static plinth_status probe(plinth_call *call) {
    const plinth_bytes key = call->args[1];
    uint8_t scratch[PLINTH_HASH_SCRATCH_BYTES];
    plinth_bytes value = {0};
    seen all = {.left = 100}, one = {.left = 1};
    size_t len = 0;
    CHECK(hashes->len(call, key, &len) == PLINTH_STATUS_NONE);
    CHECK(hashes->get(call, key, T("a"), scratch, &value) == PLINTH_STATUS_NONE);
    CHECK(hashes->remove(call, key, T("a")) == PLINTH_STATUS_NONE);
    CHECK(hashes->set(call, key, T("a"), T("12345")) == PLINTH_STATUS_OK);
    CHECK(hashes->set_absent(call, key, T("a"), T("x")) == PLINTH_STATUS_EXISTS);
    CHECK(hashes->set_absent(call, key, T("b"), T("text")) == PLINTH_STATUS_OK);
    CHECK(hashes->get(call, key, T("a"), scratch, &value) == PLINTH_STATUS_OK && same(value, "12345"));
    CHECK(hashes->get(call, key, T("b"), scratch, &value) == PLINTH_STATUS_OK && same(value, "text"));
    CHECK(hashes->visit(call, key, see, &all) == PLINTH_STATUS_OK && all.fields == 2 && all.bytes == 11);
    CHECK(hashes->visit(call, key, see, &one) == PLINTH_STATUS_OK && one.fields == 1);
    CHECK(hashes->len(call, key, &len) == PLINTH_STATUS_OK && len == 2);
    CHECK(hashes->remove(call, key, T("c")) == PLINTH_STATUS_NONE);
    CHECK(hashes->remove(call, key, T("a")) == PLINTH_STATUS_OK);
    CHECK(hashes->remove(call, key, T("b")) == PLINTH_STATUS_OK);
    CHECK(hashes->len(call, key, &len) == PLINTH_STATUS_NONE);
    CHECK(hashes->set_absent(call, key, T("a"), T("x")) == PLINTH_STATUS_OK);
    CHECK(hashes->remove(call, key, T("a")) == PLINTH_STATUS_OK);
    CHECK(hashes->remove(call, T("text"), T("a")) == PLINTH_STATUS_WRONG_TYPE);
    CHECK(hashes->set_absent(call, T("text"), T("a"), T("x")) == PLINTH_STATUS_WRONG_TYPE);
    return ok(call);
}

static plinth_status start(plinth_call *call) {
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    hashes = plinth_service(call, PLINTH_HASH_SERVICE, PLINTH_SIZE(plinth_hash_service));
    return reply && hashes ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

static const plinth_bytes services[] = {PLINTH_TEXT(PLINTH_REPLY_SERVICE), PLINTH_TEXT(PLINTH_HASH_SERVICE)};

static const plinth_command commands[] = {
    {.size = PLINTH_SIZE(plinth_command), .arity = 2, .name = PLINTH_TEXT("hashes.probe"),
     .flags = PLINTH_COMMAND_WRITE | PLINTH_COMMAND_TOUCHES_ARBITRARY_KEYS, .run = {.invoke = probe}},
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("hashes"),
    .version = PLINTH_TEXT("1.0.0"),
    .requires_ = PLINTH_LIST(services),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
