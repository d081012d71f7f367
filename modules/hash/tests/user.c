// A module of another author that reads and writes hashes through `plinth.hash/1`.
//
//     HASHES.PROBE key    calls every function and checks what it promises; OK, or what did not hold

#include "../../../tests/abi/user.h"

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

USER("hashes", PLINTH_HASH_SERVICE, plinth_hash_service, hashes, probe);
