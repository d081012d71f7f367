// A module that asks who clients are and what users may do: plinth.acl/1 through the public headers.
//
//     USERS.OF id                 name of the user that a client is
//     USERS.MAY user flags arg …  OK, or kind and position of what is denied
//     USERS.KEY user key flags    1 or 0
//     USERS.CHANNEL user channel flags
//     USERS.BE id user            the client is the user
//     USERS.CHANGES               names of users that have changed, since it was last asked
//
// AUTH hook: "guest" comes in with "open", as the user of that name; "banned" never does, and is told so;
// "mute" never does.

#include "check.h"

static const plinth_acl_service *acl;
static char changes[200];

static plinth_status users_of(plinth_call *call) {
    int64_t id;
    plinth_bytes user;
    CHECK(plinth_integer(call->args[1], &id));
    CHECK(acl->user_of(call, UINT64_MAX, &user) == PLINTH_STATUS_NONE);
    CHECK(acl->user_of(call, (uint64_t)id, &user) == 0);
    reply->bulk(call, user);
    return PLINTH_STATUS_OK;
}

static plinth_status users_may(plinth_call *call) {
    plinth_denied denied = {.size = PLINTH_SIZE(plinth_denied)};
    int64_t flags;
    CHECK(plinth_integer(call->args[2], &flags));
    const plinth_bytes none[] = {T("no.such.command")}, few[] = {T("get")};
    CHECK(acl->check_command(call, call->args[1], none, 1, 0, NULL) == PLINTH_STATUS_UNSUPPORTED);
    CHECK(acl->check_command(call, call->args[1], few, 1, 0, NULL) == PLINTH_STATUS_ARITY);
    CHECK(acl->check_command(call, T("no such user"), few, 1, 0, NULL) == PLINTH_STATUS_NONE);
    const plinth_status status =
        acl->check_command(call, call->args[1], call->args + 3, call->argc - 3, (uint32_t)flags, &denied);
    if (status == PLINTH_STATUS_OK) return ok(call);
    CHECK(status == PLINTH_STATUS_NOT_ALLOWED);
    reply->integer(call, denied.kind * 100 + denied.position);
    return PLINTH_STATUS_OK;
}

static plinth_status answer(plinth_call *call, plinth_status status) {
    CHECK(status == PLINTH_STATUS_OK || status == PLINTH_STATUS_NOT_ALLOWED);
    reply->integer(call, status == PLINTH_STATUS_OK);
    return PLINTH_STATUS_OK;
}

static plinth_status users_key(plinth_call *call) {
    int64_t flags;
    CHECK(plinth_integer(call->args[3], &flags));
    return answer(call, acl->check_key(call, call->args[1], call->args[2], (uint64_t)flags));
}

static plinth_status users_channel(plinth_call *call) {
    int64_t flags;
    CHECK(plinth_integer(call->args[3], &flags));
    return answer(call, acl->check_channel(call, call->args[1], call->args[2], (uint32_t)flags));
}

static plinth_status users_be(plinth_call *call) {
    int64_t id;
    CHECK(plinth_integer(call->args[1], &id));
    CHECK(acl->authenticate(call, (uint64_t)id, call->args[2]) == PLINTH_STATUS_OK);
    return ok(call);
}

static plinth_status users_changes(plinth_call *call) {
    reply->bulk(call, plinth_text(changes));
    changes[0] = 0;
    return PLINTH_STATUS_OK;
}

static void changed(plinth_call *call, const plinth_event *event, void *data) {
    (void)call, (void)data;
    const size_t len = strlen(changes);
    snprintf(changes + len, sizeof changes - len, "%.*s;", (int)event->key.len, (const char *)event->key.data);
}

static plinth_status guest(plinth_call *call, uint64_t id, plinth_bytes user, plinth_bytes password, void *data) {
    if (same(user, "banned")) {
        reply->error(call, T("DENIED not you"));
        return PLINTH_STATUS_NOT_ALLOWED;
    }
    if (same(user, "mute")) return PLINTH_STATUS_NOT_ALLOWED;
    if (!same(user, "guest") || !same(password, "open")) return PLINTH_STATUS_NONE;
    (void)data;
    return acl->authenticate(call, id, user);
}

static plinth_status start(plinth_call *call) {
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    acl = plinth_service(call, PLINTH_ACL_SERVICE, PLINTH_SIZE(plinth_acl_service));
    const plinth_events_service *events =
        plinth_service(call, PLINTH_EVENTS_SERVICE, PLINTH_SIZE(plinth_events_service));
    if (!reply || !acl || !events) return PLINTH_STATUS_UNSUPPORTED;
    const plinth_status status = events->subscribe(call, PLINTH_ON_ACL, (plinth_hook){changed}, NULL, NULL);
    return status ? status : acl->add_auth_hook(call, (plinth_auth_hook){guest}, NULL);
}

#define COMMAND(text, arity_, function) \
    {.size = PLINTH_SIZE(plinth_command), .arity = (arity_), .name = PLINTH_TEXT(text), .run = {.invoke = (function)}}

static const plinth_command commands[] = {
    COMMAND("users.of", 2, users_of),   COMMAND("users.may", -4, users_may),
    COMMAND("users.key", 4, users_key), COMMAND("users.channel", 4, users_channel),
    COMMAND("users.be", 3, users_be),   COMMAND("users.changes", 1, users_changes),
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("users"),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
