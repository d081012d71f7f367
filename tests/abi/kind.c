// A module that makes the server something that does not keep data: plinth.mode/1, through the public headers.

#include "check.h"

static const plinth_mode_service *modes;

static plinth_status role(plinth_call *call) {
    // The kind is set in `start` and not later.
    const plinth_mode mode = {.size = PLINTH_SIZE(plinth_mode)};
    CHECK(modes->set(call, &mode) == PLINTH_STATUS_EXISTS);
    reply->simple(call, T("kettle"));
    return PLINTH_STATUS_OK;
}

static void section(plinth_call *call, void *sink) {
    const plinth_info_service *info = plinth_service(call, PLINTH_INFO_SERVICE, PLINTH_SIZE(plinth_info_service));
    info->text(sink, T("water"), T("hot"));
}

#define COMMAND(text, function) \
    {.size = PLINTH_SIZE(plinth_command), .arity = -1, .name = PLINTH_TEXT(text), .run = {.invoke = (function)}}

static const plinth_command instead[] = {COMMAND("echo", role)}, commands[] = {COMMAND("kind.role", role)};
static const plinth_bytes stay[] = {PLINTH_TEXT("ping"), PLINTH_TEXT("INFO"), PLINTH_TEXT("hello"),
                                    PLINTH_TEXT("module"), PLINTH_TEXT("command"), PLINTH_TEXT("echo"), PLINTH_TEXT("shutdown")};
static const plinth_bytes shown[] = {PLINTH_TEXT("cpu"), PLINTH_TEXT("kettle"), PLINTH_TEXT("server")};
static const plinth_section sections[] = {
    {.size = PLINTH_SIZE(plinth_section), .name = PLINTH_TEXT("Kettle"), .write = section}};

static plinth_status start(plinth_call *call) {
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    modes = plinth_service(call, PLINTH_MODE_SERVICE, PLINTH_SIZE(plinth_mode_service));
    if (!reply || !modes) return PLINTH_STATUS_UNSUPPORTED;
    const plinth_mode mode = {.size = PLINTH_SIZE(plinth_mode),
                              .name = PLINTH_TEXT("kettle"),
                              .commands = PLINTH_LIST(stay),
                              .instead = PLINTH_LIST(instead),
                              .sections = PLINTH_LIST(shown)};
    return modes->set(call, &mode);
}

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("kind"),
    .commands = PLINTH_LIST(commands),
    .infos = PLINTH_LIST(sections),
    .start = start,
};
