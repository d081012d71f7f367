// A module that dies where it is told to, for the report of a crash.
//
//     FATAL.WRITE [word]    writes to where nothing is
//     FATAL.TELL            from now on its fields of INFO do

#include <plinth/plinth.h>

static const plinth_reply_service *reply;
static int tells;

static void write_nowhere(void) {
    int *volatile nowhere = 0;
    *nowhere = 1;
}

static plinth_status run_write(plinth_call *call) {
    (void)call;
    write_nowhere();
    return PLINTH_STATUS_OK;
}

static plinth_status run_tell(plinth_call *call) {
    tells = 1;
    reply->simple(call, plinth_text("OK"));
    return PLINTH_STATUS_OK;
}

static void write_section(plinth_call *call, void *sink) {
    (void)call, (void)sink;
    if (tells) {
        write_nowhere();
    }
}

static plinth_status start(plinth_call *call) {
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    return reply ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

static const plinth_command commands[] = {
    {.size = PLINTH_SIZE(plinth_command), .arity = -1, .name = PLINTH_TEXT("fatal.write"),
     .run = {.invoke = run_write}},
    {.size = PLINTH_SIZE(plinth_command), .arity = 1, .name = PLINTH_TEXT("fatal.tell"), .run = {.invoke = run_tell}},
};

static const plinth_section sections[] = {
    {.size = PLINTH_SIZE(plinth_section), .flags = PLINTH_SECTION_OF_HOST, .name = PLINTH_TEXT("stats"),
     .write = write_section},
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("fatal"),
    .version = PLINTH_TEXT("1.2.3"),
    .commands = PLINTH_LIST(commands),
    .infos = PLINTH_LIST(sections),
    .start = start,
};
