// Tells the name and the key of each event, or "class?" in place of a name that came in the wrong class,
// and "unpublished" in place of one that is told to modules only.

#include "../../../tests/abi/witness.h"

static void note_event(const plinth_event *event) {
    if (event->class_ == PLINTH_EVENT_UNPUBLISHED) {
        note(T("unpublished"));
        note(event->key);
        return;
    }
    const int is_string = event->name.len > 2 && memcmp(event->name.data, "pf", 2) == 0;
    note(is_string == (event->class_ == PLINTH_EVENT_STRING) ? event->name : T("class?"));
    note(event->key);
}
