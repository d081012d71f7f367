// A module that looks at replication and changes the role: plinth.replication/1, the events about it, units, and
// `also` of plinth.propagate/1, through the public headers.
//
//     ROLES.STATE                      role, link, host, port, offset
//     ROLES.REPLICAS                   stage, port and acknowledged offset of each replica
//     ROLES.FOLLOW host port           the status
//     ROLES.BESIDE port                the status, of following another port of the host that is followed
//     ROLES.PROMOTE                    the status
//     ROLES.TOLD                       what was told since the last time, a letter each: r(ole) l(ink) c(ame) g(one)
//     ROLES.ALSO db targets word ...   has that told too; the status
//     ROLES.UNITS                      how many units were told, and the bytes of their commands

#include "check.h"

static const plinth_replication_service *replication;
static const plinth_events_service *events;
static const plinth_propagate_service *propagate;
static plinth_status at_start;
static char told[256];
static size_t told_len;
static uint64_t units, unit_bytes, last_unit;

static plinth_status roles_state(plinth_call *call) {
    plinth_replication_state state = {.size = PLINTH_SIZE(plinth_replication_state)};
    CHECK(replication->state(call, &state) == 0);
    CHECK(state.size == PLINTH_SIZE(plinth_replication_state) && state.id.len == 40 && state.second_id.len == 40);
    CHECK(at_start == PLINTH_STATUS_NOT_ALLOWED);
    // A caller that knows less of it gets no more.
    struct { plinth_replication_state state; } less = {.state = {.size = 12, .offset = -7}};
    CHECK(replication->state(call, &less.state) == 0 && less.state.size == 12 && less.state.offset == -7);
    reply->aggregate(call, PLINTH_REPLY_ARRAY, 5);
    reply->integer(call, state.role);
    reply->integer(call, state.link);
    reply->bulk(call, state.primary_host);
    reply->integer(call, state.primary_port);
    reply->integer(call, state.offset);
    return PLINTH_STATUS_OK;
}

struct seen {
    uint32_t count;
    plinth_replica replicas[8];
};

static uint32_t see(const plinth_replica *replica, void *data) {
    struct seen *seen = data;
    seen->replicas[seen->count++] = *replica;
    return seen->count < 8;
}

static uint32_t see_one(const plinth_replica *replica, void *data) {
    see(replica, data);
    return 0;
}

static plinth_status roles_replicas(plinth_call *call) {
    struct seen seen = {0}, first = {0};
    CHECK(replication->visit(call, see, &seen) == 0);
    CHECK(replication->visit(call, see_one, &first) == 0 && first.count == (seen.count > 0));
    reply->aggregate(call, PLINTH_REPLY_ARRAY, seen.count * 3);
    for (uint32_t at = 0; at < seen.count; at++) {
        CHECK(seen.replicas[at].client_id != 0);
        reply->integer(call, seen.replicas[at].stage);
        reply->integer(call, seen.replicas[at].port);
        reply->integer(call, seen.replicas[at].acknowledged);
    }
    return PLINTH_STATUS_OK;
}

static plinth_status roles_follow(plinth_call *call) {
    int64_t port;
    CHECK(plinth_integer(call->args[2], &port));
    reply->integer(call, replication->follow(call, call->args[1], (uint32_t)port));
    return PLINTH_STATUS_OK;
}

static plinth_status roles_beside(plinth_call *call) {
    int64_t port;
    plinth_replication_state state = {.size = PLINTH_SIZE(plinth_replication_state)};
    CHECK(plinth_integer(call->args[1], &port) && replication->state(call, &state) == 0);
    reply->integer(call, replication->follow(call, state.primary_host, (uint32_t)port));
    return PLINTH_STATUS_OK;
}

static plinth_status roles_promote(plinth_call *call) {
    reply->integer(call, replication->promote(call));
    return PLINTH_STATUS_OK;
}

static void hear(plinth_call *call, const plinth_event *event, void *data) {
    (void)call, (void)data;
    const char letter = event->kind == PLINTH_ON_ROLE   ? 'r'
                        : event->kind == PLINTH_ON_LINK ? 'l'
                        : event->kind == PLINTH_ON_REPLICA && event->client_id && event->key.len > 9 ? 'c'
                        : event->kind == PLINTH_ON_REPLICA_GONE && event->client_id                  ? 'g'
                                                                                                      : '?';
    if (told_len < sizeof told) told[told_len++] = letter;
}

static void hear_unit(plinth_call *call, const plinth_event *event, void *data) {
    (void)call, (void)data;
    const plinth_unit *unit = event->unit;
    units++;
    // Counted without a gap, whoever listens.
    if (unit->history.len != 40 || (last_unit && unit->number != last_unit + 1)) unit_bytes += 1000000;
    last_unit = unit->number;
    for (uint32_t at = 0; at < unit->commands.count; at++) {
        const plinth_unit_command *command =
            (const plinth_unit_command *)((const char *)unit->commands.items + (size_t)at * unit->commands.stride);
        unit_bytes += command->text.len;
    }
}

static plinth_status roles_told(plinth_call *call) {
    reply->bulk(call, (plinth_bytes){(const uint8_t *)told, told_len});
    told_len = 0;
    return PLINTH_STATUS_OK;
}

static plinth_status roles_also(plinth_call *call) {
    int64_t db, targets;
    CHECK(plinth_integer(call->args[1], &db) && plinth_integer(call->args[2], &targets));
    reply->integer(call, propagate->also(call, (uint32_t)db, call->args + 3, call->argc - 3, (uint32_t)targets));
    return PLINTH_STATUS_OK;
}

static plinth_status roles_units(plinth_call *call) {
    reply->aggregate(call, PLINTH_REPLY_ARRAY, 2);
    reply->integer(call, (int64_t)units);
    reply->integer(call, (int64_t)unit_bytes);
    return PLINTH_STATUS_OK;
}

static plinth_status start(plinth_call *call) {
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    events = plinth_service(call, PLINTH_EVENTS_SERVICE, PLINTH_SIZE(plinth_events_service));
    propagate = plinth_service(call, PLINTH_PROPAGATE_SERVICE, PLINTH_SIZE(plinth_propagate_service));
    replication = plinth_service(call, PLINTH_REPLICATION_SERVICE, PLINTH_SIZE(plinth_replication_service));
    if (!reply || !events || !propagate || !replication) return PLINTH_STATUS_UNSUPPORTED;
    at_start = replication->follow(call, T("127.0.0.1"), 1);
    const uint32_t kinds = PLINTH_ON_ROLE | PLINTH_ON_LINK | PLINTH_ON_REPLICA | PLINTH_ON_REPLICA_GONE;
    const plinth_status status = events->subscribe(call, kinds, hear, NULL, NULL);
    return status ? status : events->subscribe(call, PLINTH_ON_UNIT, hear_unit, NULL, NULL);
}

#define COMMAND(text, arity_, function) \
    {.size = PLINTH_SIZE(plinth_command), .arity = (arity_), .name = PLINTH_TEXT(text), \
     .flags = PLINTH_COMMAND_STALE, .run = {.invoke = (function)}}

static const plinth_command commands[] = {
    COMMAND("roles.state", 1, roles_state),     COMMAND("roles.replicas", 1, roles_replicas),
    COMMAND("roles.follow", 3, roles_follow),   COMMAND("roles.promote", 1, roles_promote),
    COMMAND("roles.told", 1, roles_told),       COMMAND("roles.also", -4, roles_also),
    COMMAND("roles.units", 1, roles_units),     COMMAND("roles.beside", 2, roles_beside),
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("roles"),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
