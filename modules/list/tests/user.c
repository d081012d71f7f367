// A module of another author that reads and writes lists through `plinth.list/1`.
//
//     LISTS.PROBE key    calls every function and checks what it promises; OK, or what did not hold

#include "../../../tests/abi/user.h"

static const plinth_list_service *lists;

// What a visit has seen: the elements, one behind the other, and when it ends.
typedef struct {
    char text[64];
    size_t len;
    int left;
} seen;

static uint32_t see(void *data, plinth_bytes element) {
    seen *what = data;
    if (what->len + element.len < sizeof what->text) {
        memcpy(what->text + what->len, element.data, element.len);
        what->len += element.len;
    }
    return --what->left == 0;
}

static int saw(const seen *what, const char *text) {
    return what->len == strlen(text) && memcmp(what->text, text, what->len) == 0;
}

// Takes the one element that a pop hands out.
static void take(void *data, plinth_bytes element) {
    see(data, element);
}

// Elements that come and go at the ends.
static plinth_status probe_ends(plinth_call *call, plinth_bytes key) {
    seen popped = {.left = 100}, rest = {.left = 100};
    size_t len = 0;
    CHECK(lists->pop(call, key, PLINTH_LIST_FRONT, take, &popped) == PLINTH_STATUS_NONE && popped.len == 0);
    CHECK(lists->push(call, key, T("b"), PLINTH_LIST_BACK, &len) == PLINTH_STATUS_OK && len == 1);
    CHECK(lists->push(call, key, T("77"), PLINTH_LIST_FRONT, &len) == PLINTH_STATUS_OK && len == 2);
    CHECK(lists->push(call, key, T("c"), PLINTH_LIST_BACK, &len) == PLINTH_STATUS_OK && len == 3);
    CHECK(lists->push(call, key, T("d"), 2, &len) == PLINTH_STATUS_UNSUPPORTED);
    CHECK(lists->visit(call, key, 0, -1, see, &rest) == PLINTH_STATUS_OK && saw(&rest, "77bc"));
    CHECK(lists->pop(call, key, PLINTH_LIST_FRONT, take, &popped) == PLINTH_STATUS_OK && saw(&popped, "77"));
    CHECK(lists->pop(call, key, PLINTH_LIST_BACK, take, &popped) == PLINTH_STATUS_OK && saw(&popped, "77c"));
    CHECK(lists->pop(call, key, PLINTH_LIST_BACK, take, &popped) == PLINTH_STATUS_OK && saw(&popped, "77cb"));
    CHECK(lists->len(call, key, &len) == PLINTH_STATUS_NONE);
    CHECK(lists->pop(call, T("text"), PLINTH_LIST_BACK, take, &popped) == PLINTH_STATUS_WRONG_TYPE);
    CHECK(lists->push(call, T("text"), T("a"), PLINTH_LIST_BACK, &len) == PLINTH_STATUS_WRONG_TYPE);
    return PLINTH_STATUS_OK;
}

static plinth_status probe(plinth_call *call) {
    const plinth_bytes key = call->args[1];
    const plinth_bytes elements[] = {T("a"), T("12"), T("c")};
    seen all = {.left = 100}, two = {.left = 2}, last = {.left = 100};
    size_t len = 0;
    CHECK(lists->len(call, key, &len) == PLINTH_STATUS_NONE);
    CHECK(lists->visit(call, key, 0, -1, see, &all) == PLINTH_STATUS_NONE && all.len == 0);
    CHECK(lists->set(call, key, elements, 3, T("made")) == PLINTH_STATUS_OK);
    CHECK(lists->len(call, key, &len) == PLINTH_STATUS_OK && len == 3);
    CHECK(lists->visit(call, key, 0, -1, see, &all) == PLINTH_STATUS_OK && saw(&all, "a12c"));
    CHECK(lists->visit(call, key, 0, -1, see, &two) == PLINTH_STATUS_OK && saw(&two, "a12"));
    CHECK(lists->visit(call, key, -1, 50, see, &last) == PLINTH_STATUS_OK && saw(&last, "c"));
    CHECK(lists->visit(call, key, 3, 50, see, &last) == PLINTH_STATUS_OK && saw(&last, "c"));
    CHECK(lists->set(call, key, NULL, 0, T("made")) == PLINTH_STATUS_OK);
    CHECK(lists->len(call, key, &len) == PLINTH_STATUS_NONE);
    CHECK(lists->len(call, T("text"), &len) == PLINTH_STATUS_WRONG_TYPE);
    CHECK(lists->visit(call, T("text"), 0, -1, see, &all) == PLINTH_STATUS_WRONG_TYPE);
    const plinth_status ends = probe_ends(call, key);
    if (ends != PLINTH_STATUS_OK) {
        return ends;
    }
    CHECK(lists->set(call, T("text"), elements, 1, T("made")) == PLINTH_STATUS_OK);
    return ok(call);
}

USER("lists", PLINTH_LIST_SERVICE, plinth_list_service, lists, probe);
