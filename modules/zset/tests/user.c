// A module of another author that reads and writes sorted sets through `plinth.zset/1`.
//
//     ZSETS.PROBE key    calls every function and checks what it promises; OK, or what did not hold

#include "../../../tests/abi/user.h"

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

#define SEEN (seen){.left = 100}

// Members with scores a 1, b 2, c 2, d 3, e 7.
static plinth_status probe_scores(plinth_call *call, plinth_bytes key) {
    const plinth_score_range some[] = {
        {.min = 2, .max = 3},
        {.min = 1, .max = 2, .flags = PLINTH_ZSET_RANGE_MAX_EXCLUDED},
        {.min = 3, .max = 100, .flags = PLINTH_ZSET_RANGE_MIN_EXCLUDED},
        {.min = 5, .max = 4},
    };
    const plinth_score_range bad = {.min = 0.0 / 0.0, .max = 1}, all = {.min = -1e9, .max = 1e9};
    seen what = SEEN, two = {.left = 2};
    size_t count = 9;
    CHECK(zsets->visit_scores(call, key, some, 4, 0, 0, see, &what) == PLINTH_STATUS_OK && saw(&what, "bcdae"));
    what = SEEN;
    CHECK(zsets->visit_scores(call, key, some, 4, 4, 0, see, &what) == PLINTH_STATUS_OK && saw(&what, "e"));
    what = SEEN;
    CHECK(zsets->visit_scores(call, key, some, 4, 1, 1, see, &what) == PLINTH_STATUS_OK && saw(&what, "cbae"));
    CHECK(zsets->visit_scores(call, key, &all, 1, 2, 0, see, &two) == PLINTH_STATUS_OK && saw(&two, "cd"));
    what = SEEN;
    CHECK(zsets->visit_scores(call, key, NULL, 0, 0, 0, see, &what) == PLINTH_STATUS_OK && what.len == 0);
    CHECK(zsets->visit_scores(call, key, &bad, 1, 0, 0, see, &what) == PLINTH_STATUS_NOT_FLOAT);
    CHECK(zsets->count_scores(call, key, &some[0], &count) == PLINTH_STATUS_OK && count == 3);
    CHECK(zsets->count_scores(call, key, &some[3], &count) == PLINTH_STATUS_OK && count == 0);
    CHECK(zsets->count_scores(call, key, &bad, &count) == PLINTH_STATUS_NOT_FLOAT);
    CHECK(zsets->count_scores(call, T("none"), &all, &count) == PLINTH_STATUS_NONE);
    CHECK(zsets->visit_scores(call, T("text"), &all, 1, 0, 0, see, &what) == PLINTH_STATUS_WRONG_TYPE);
    return PLINTH_STATUS_OK;
}

// Members a to e, all of score 0.
static plinth_status probe_members(plinth_call *call, plinth_bytes key) {
    const plinth_member_range middle = {.min = T("b"), .max = T("d")};
    const plinth_member_range inner = {
        .min = T("b"), .max = T("d"), .flags = PLINTH_ZSET_RANGE_MIN_EXCLUDED | PLINTH_ZSET_RANGE_MAX_EXCLUDED};
    const plinth_member_range to_c = {.max = T("c"), .flags = PLINTH_ZSET_RANGE_MIN_OPEN};
    const plinth_member_range from_c = {.min = T("c"), .flags = PLINTH_ZSET_RANGE_MAX_OPEN};
    seen what = SEEN;
    CHECK(zsets->visit_members(call, key, &middle, 0, 0, see, &what) == PLINTH_STATUS_OK && saw(&what, "bcd"));
    what = SEEN;
    CHECK(zsets->visit_members(call, key, &inner, 0, 0, see, &what) == PLINTH_STATUS_OK && saw(&what, "c"));
    what = SEEN;
    CHECK(zsets->visit_members(call, key, &to_c, 1, 1, see, &what) == PLINTH_STATUS_OK && saw(&what, "ba"));
    what = SEEN;
    CHECK(zsets->visit_members(call, key, &from_c, 1, 0, see, &what) == PLINTH_STATUS_OK && saw(&what, "de"));
    CHECK(zsets->visit_members(call, T("none"), &middle, 0, 0, see, &what) == PLINTH_STATUS_NONE);
    return PLINTH_STATUS_OK;
}

// Conditions of `put`, and what it says that it did.
static plinth_status probe_put(plinth_call *call, plinth_bytes key) {
    const struct {
        const char *member;
        double score;
        uint32_t flags, outcome;
    } steps[] = {
        {"a", 5, PLINTH_ZSET_PUT_XX, PLINTH_ZSET_PUT_KEPT},
        {"a", 5, PLINTH_ZSET_PUT_NX, PLINTH_ZSET_PUT_ADDED},
        {"a", 6, PLINTH_ZSET_PUT_NX, PLINTH_ZSET_PUT_KEPT},
        {"a", 5, 0, PLINTH_ZSET_PUT_KEPT},
        {"a", 4, PLINTH_ZSET_PUT_GT, PLINTH_ZSET_PUT_KEPT},
        {"a", 6, PLINTH_ZSET_PUT_GT | PLINTH_ZSET_PUT_XX, PLINTH_ZSET_PUT_CHANGED},
        {"a", 7, PLINTH_ZSET_PUT_LT, PLINTH_ZSET_PUT_KEPT},
        {"b", 7, PLINTH_ZSET_PUT_LT, PLINTH_ZSET_PUT_ADDED},
    };
    uint32_t outcome = 9;
    size_t len = 0;
    for (size_t at = 0; at < sizeof steps / sizeof *steps; at++) {
        const plinth_bytes member = T(steps[at].member);
        CHECK(zsets->put(call, key, member, steps[at].score, steps[at].flags, &outcome) == PLINTH_STATUS_OK);
        CHECK(outcome == steps[at].outcome);
        CHECK((zsets->len(call, key, &len) == PLINTH_STATUS_OK) == (at > 0));
    }
    CHECK(zsets->put(call, key, T("a"), 1, PLINTH_ZSET_PUT_NX | PLINTH_ZSET_PUT_GT, &outcome) == PLINTH_STATUS_SYNTAX);
    CHECK(zsets->put(call, key, T("a"), 1, PLINTH_ZSET_PUT_NX | 1u << 4, &outcome) == PLINTH_STATUS_UNSUPPORTED);
    CHECK(zsets->put(call, key, T("a"), 1, 1u << 31, &outcome) == PLINTH_STATUS_UNSUPPORTED);
    CHECK(zsets->put(call, key, T("a"), 0.0 / 0.0, 0, &outcome) == PLINTH_STATUS_NOT_FLOAT);
    CHECK(zsets->put(call, T("text"), T("a"), 1, 0, &outcome) == PLINTH_STATUS_WRONG_TYPE);
    return PLINTH_STATUS_OK;
}

// Runs one probe after the other on the same key.
static plinth_status probe_ranges(plinth_call *call, plinth_bytes key) {
    const plinth_scored scored[] = {{T("e"), 7}, {T("b"), 9}, {T("a"), 1}, {T("d"), 3}, {T("c"), 2}, {T("b"), 2}};
    const plinth_scored flat[] = {{T("e"), 0}, {T("b"), 0}, {T("a"), 0}, {T("d"), 0}, {T("c"), 0}};
    const plinth_scored bad[] = {{T("e"), 0.0 / 0.0}};
    plinth_status status = probe_put(call, key);
    size_t len = 0;
    if (status != PLINTH_STATUS_OK) {
        return status;
    }
    CHECK(zsets->set(call, key, scored, 6, T("made")) == PLINTH_STATUS_OK);
    CHECK(zsets->len(call, key, &len) == PLINTH_STATUS_OK && len == 5);
    CHECK(zsets->set(call, key, bad, 1, T("made")) == PLINTH_STATUS_NOT_FLOAT);
    if ((status = probe_scores(call, key)) != PLINTH_STATUS_OK) {
        return status;
    }
    CHECK(zsets->set(call, key, flat, 5, T("made")) == PLINTH_STATUS_OK);
    if ((status = probe_members(call, key)) != PLINTH_STATUS_OK) {
        return status;
    }
    CHECK(zsets->set(call, key, NULL, 0, T("made")) == PLINTH_STATUS_OK);
    CHECK(zsets->len(call, key, &len) == PLINTH_STATUS_NONE);
    return PLINTH_STATUS_OK;
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
    const plinth_status ranges = probe_ranges(call, key);
    if (ranges != PLINTH_STATUS_OK) {
        return ranges;
    }
    return ok(call);
}

USER("zsets", PLINTH_ZSET_SERVICE, plinth_zset_service, zsets, probe);
