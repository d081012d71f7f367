// What modules under test are written with: checks that reply with what does not hold.

#ifndef PLINTH_TESTS_CHECK_H
#define PLINTH_TESTS_CHECK_H

#include <plinth/plinth.h>
#include <stdio.h>
#include <string.h>

// To be set by `start`.
static const plinth_reply_service *reply;

#define T(literal) plinth_text(literal)

// The handler replies with the line that does not hold.
#define CHECK(holds) \
    do { \
        if (!(holds)) { \
            return failed(call, __FILE__, __LINE__, #holds); \
        } \
    } while (0)

static inline plinth_status failed(plinth_call *call, const char *file, int line, const char *what) {
    char text[500];
    snprintf(text, sizeof text, "ERR %s:%d: %s", file, line, what);
    reply->error(call, T(text));
    return PLINTH_STATUS_REPLIED;
}

static inline plinth_status ok(plinth_call *call) {
    reply->simple(call, T("OK"));
    return PLINTH_STATUS_OK;
}

static inline int same(plinth_bytes bytes, const char *text) {
    return bytes.len == strlen(text) && memcmp(bytes.data, text, bytes.len) == 0;
}

#endif
