// How a type's values are saved that have no content: the module is about something else.

#ifndef PLINTH_TESTS_EMPTY_VALUE_H
#define PLINTH_TESTS_EMPTY_VALUE_H

#include <plinth/plinth.h>

static inline plinth_status save_empty(const plinth_value *value, void *saver) {
    (void)value;
    (void)saver;
    return PLINTH_STATUS_OK;
}

static inline plinth_status load_empty(void *loader, uint32_t encoding) {
    (void)loader;
    (void)encoding;
    return PLINTH_STATUS_BAD_DATA;
}

#endif
