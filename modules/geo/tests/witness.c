// Tells the name and the key of each change of a sorted set, or of any key.

#include "../../../tests/abi/witness.h"

static void note_event(const plinth_event *event) {
    // That a key came into being, or was looked for in vain, are other classes.
    if (event->class_ == PLINTH_EVENT_ZSET || event->class_ == PLINTH_EVENT_GENERIC) {
        note(event->name);
        note(event->key);
    }
}
