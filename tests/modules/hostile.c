// A module that does what it may not, each in a command; and hooks that bring about what they are told of.
//
//     HOSTILE.FORMS key      values of the wrong form, of other types, and keys that are there: all refused
//     HOSTILE.SCAN           a scan whose visitor looks up each key, and tries to change it; keys visited
//     HOSTILE.DB             a number of a database that there is not, written into the call
//     HOSTILE.CHAIN          a hook that gets the next key for writing when one expires
//     HOSTILE.ECHO           two hooks that bring about two events for each that they are told of
//     HOSTILE.TYPE name      the id of a type
//     HOSTILE.RUNS           how often these hooks ran since this was asked last
//     HOSTILE.CONFIG         a hook that sets parameters when one was set
//     HOSTILE.PUSH how       a push to the client whose command runs, within the reply, or before a failure
//     HOSTILE.REPLY what     no reply, two, or one that is not whole; HOSTILE.MANY may do so
//
// The parameter hostile.level sets itself when it is set.

#include "../abi/check.h"
#include "../abi/empty_value.h"
#include <stdlib.h>

static const plinth_keys_service *keys;
static const plinth_events_service *events;
static const plinth_config_service *config;
static const plinth_clients_service *clients;
static const plinth_block_service *block;

static uint32_t type_id;
static int runs;

static void hostile_drop(void *value) { free(value); }

static plinth_entry entry_now(void) { return (plinth_entry){.size = PLINTH_SIZE(plinth_entry)}; }

static plinth_status forms(plinth_call *call) {
    const plinth_bytes key = call->args[1], own = T("h:own"), foreign = T("h:foreign");
    plinth_entry entry = entry_now(), again = entry_now();
    void *value = malloc(8);
    // A type that is nobody's, or another's, which uses none of our services and we none of its.
    CHECK(keys->put(call, own, 0, 0, 1, 0, &entry) == PLINTH_STATUS_UNSUPPORTED);
    CHECK(keys->put(call, own, 251, 0, 1, 0, &entry) == PLINTH_STATUS_UNSUPPORTED);
    CHECK(keys->put(call, own, type_id + 256, 0, 1, 0, &entry) == PLINTH_STATUS_UNSUPPORTED);
    CHECK(keys->put_boxed(call, own, 251, 0, value, 0, &entry) == PLINTH_STATUS_UNSUPPORTED);
    const uint32_t string = keys->type_id(call, T("string"));
    CHECK(string != 0);
    CHECK(keys->put(call, foreign, string, 0, 1, 0, &entry) == PLINTH_STATUS_UNSUPPORTED);
    CHECK(keys->put_boxed(call, foreign, string, 0, value, 0, &entry) == PLINTH_STATUS_UNSUPPORTED);
    CHECK(keys->get(call, key, 0, 0, &entry) == 0 && entry.type_id == string);
    CHECK(keys->resize(call, &entry, 0, 1000, 0) == PLINTH_STATUS_NOT_ALLOWED);
    CHECK(keys->set_boxed(call, &entry, 0, value) == PLINTH_STATUS_NOT_ALLOWED);
    // A key that is there is not made once more.
    CHECK(keys->put(call, key, type_id, 0, 1, PLINTH_PUT_ABSENT, &entry) == PLINTH_STATUS_EXISTS);
    CHECK(keys->put_boxed(call, key, type_id, 0, value, PLINTH_PUT_ABSENT, &entry) == PLINTH_STATUS_EXISTS);
    CHECK(keys->get(call, own, 0, 0, &entry) == PLINTH_STATUS_NONE);
    CHECK(keys->put(call, own, type_id, 0, 3, PLINTH_PUT_ABSENT, &entry) == 0);
    CHECK(keys->put(call, own, type_id, 0, 3, PLINTH_PUT_ABSENT, &again) == PLINTH_STATUS_EXISTS);
    // An inline value can be boxed, and a boxed one neither again nor resized.
    CHECK(keys->get(call, own, type_id, PLINTH_GET_WRITE, &entry) == 0);
    CHECK(keys->set_boxed(call, &entry, 0, value) == 0 && entry.form == PLINTH_FORM_BOXED);
    CHECK(keys->set_boxed(call, &entry, 0, value) == PLINTH_STATUS_NOT_ALLOWED);
    CHECK(keys->resize(call, &entry, 0, 1000, 0) == PLINTH_STATUS_NOT_ALLOWED);
    CHECK(keys->get(call, own, type_id, 0, &entry) == 0 && entry.boxed == value);
    // A struct that is too short for an entry is filled as far as it goes, and stands for none.
    struct {
        plinth_entry entry;
        uint64_t guard;
    } shorter;
    memset(&shorter, 0x5a, sizeof shorter);
    shorter.entry.size = (uint32_t)offsetof(plinth_entry, data);
    CHECK(keys->get(call, own, type_id, 0, &shorter.entry) == 0);
    CHECK(shorter.entry.type_id == type_id && shorter.entry.size == offsetof(plinth_entry, data));
    CHECK(shorter.entry.hash == UINT64_C(0x5a5a5a5a5a5a5a5a) && shorter.guard == shorter.entry.hash);
    CHECK(keys->set_expire(call, &shorter.entry, 1) == PLINTH_STATUS_NONE);
    return ok(call);
}

typedef struct {
    plinth_call *call;
    int visited, changed;
} visiting;

static void visit(void *data, plinth_bytes key, uint32_t type, uint32_t expired) {
    visiting *state = data;
    plinth_call *call = state->call;
    plinth_entry entry = entry_now();
    (void)type;
    (void)expired;
    // Those that have expired are removed by a look-up at other times.
    keys->get(call, key, 0, 0, &entry);
    keys->get(call, key, 0, PLINTH_GET_WRITE, &entry);
    plinth_bytes other;
    keys->random(call, &other);
    state->changed += !keys->remove(call, key, 0) || !keys->put(call, key, type_id, 0, 1, 0, &entry) ||
                      keys->flush(call, PLINTH_DB_ALL, 0) || !keys->swap(call, 0, 1) ||
                      !keys->rename(call, key, T("h:other"), 0) || !keys->copy(call, key, T("h:copy"), 0, 1) ||
                      !keys->move_to(call, key, 1);
    state->visited++;
}

static plinth_status scan(plinth_call *call) {
    visiting state = {call, 0, 0};
    uint64_t cursor = 0;
    do {
        cursor = keys->scan(call, cursor, 100, visit, &state);
    } while (cursor != 0);
    CHECK(!state.changed);
    reply->integer(call, state.visited);
    return PLINTH_STATUS_OK;
}

static plinth_status wrong_db(plinth_call *call) {
    plinth_entry entry = entry_now();
    visiting state = {call, 0, 0};
    call->db = 4000000000u;
    keys->get(call, T("h:db"), 0, 0, &entry);
    keys->put(call, T("h:db"), type_id, 0, 1, 0, &entry);
    keys->scan(call, 0, 1, visit, &state);
    keys->modified(call, T("h:db"), PLINTH_EVENT_MODULE, T("hostile"));
    CHECK(keys->count(call, 4000000000u) == 0);
    CHECK(keys->flush(call, -7, 0) == 0);
    CHECK(keys->swap(call, 0, 4000000000u) == PLINTH_STATUS_DB_RANGE);
    CHECK(keys->move_to(call, T("h:db"), 4000000000u) == PLINTH_STATUS_DB_RANGE);
    CHECK(keys->copy(call, T("h:db"), T("h:to"), 4000000000u, 0) == PLINTH_STATUS_DB_RANGE);
    CHECK(keys->remove(call, T("h:db"), 0) == 0);
    return ok(call);
}

static void chain_hook(plinth_call *call, const plinth_event *event, void *data) {
    (void)data;
    int number;
    char name[32];
    plinth_entry entry = entry_now();
    snprintf(name, sizeof name, "%.*s", (int)event->key.len, (const char *)event->key.data);
    if (same(event->name, "expired") && sscanf(name, "chain:%d", &number) == 1) {
        runs++;
        snprintf(name, sizeof name, "chain:%d", number + 1);
        keys->get(call, T(name), 0, PLINTH_GET_WRITE, &entry);
        keys->put(call, T(name), type_id, 0, 1, 0, &entry);
    }
}

static plinth_status chain(plinth_call *call) {
    CHECK(events->subscribe(call, PLINTH_ON_KEY, chain_hook, NULL, NULL) == 0);
    return ok(call);
}

static void echo_hook(plinth_call *call, const plinth_event *event, void *data) {
    (void)data;
    runs++;
    keys->notify(call, event->key, PLINTH_EVENT_MODULE, T("echo"));
    keys->modified(call, event->key, PLINTH_EVENT_MODULE, T("echo"));
}

static plinth_status echo(plinth_call *call) {
    CHECK(events->subscribe(call, PLINTH_ON_KEY, echo_hook, NULL, NULL) == 0);
    CHECK(events->subscribe(call, PLINTH_ON_KEY, echo_hook, NULL, NULL) == 0);
    return ok(call);
}

static plinth_status id_of(plinth_call *call) {
    reply->integer(call, keys->type_id(call, call->args[1]));
    return PLINTH_STATUS_OK;
}

static plinth_status count_runs(plinth_call *call) {
    reply->integer(call, runs);
    runs = 0;
    return PLINTH_STATUS_OK;
}

static void config_hook(plinth_call *call, const plinth_event *event, void *data) {
    (void)event;
    (void)data;
    runs++;
    config->set(call, T("timeout"), T("5"));
    // One that is new is not running, and sets in turn.
    events->subscribe(call, PLINTH_ON_CONFIG, config_hook, NULL, NULL);
    config->set(call, T("timeout"), T("6"));
}

static plinth_status config_on(plinth_call *call) {
    CHECK(events->subscribe(call, PLINTH_ON_CONFIG, config_hook, NULL, NULL) == 0);
    return ok(call);
}

static plinth_status last_set;

static plinth_status apply(plinth_call *call, int64_t number, plinth_bytes text, void *data) {
    (void)text;
    (void)data;
    // At load there is no service yet, and the parameter has no name.
    if (config != NULL) {
        char next[32];
        runs++;
        snprintf(next, sizeof next, "%lld", (long long)number + 1);
        const plinth_status status = config->set(call, T("hostile.level"), T(next));
        last_set = status ? status : last_set;
    }
    return PLINTH_STATUS_OK;
}

static plinth_status refused(plinth_call *call) {
    reply->integer(call, last_set);
    return PLINTH_STATUS_OK;
}

static plinth_status push(plinth_call *call) {
    const plinth_bytes how = call->args[1];
    if (same(how, "amid")) {
        reply->aggregate(call, PLINTH_REPLY_ARRAY, 2);
        reply->integer(call, 1);
        clients->push(call, call->client_id, T("+pushed\r\n"));
        reply->integer(call, 2);
        return PLINTH_STATUS_OK;
    }
    if (same(how, "open")) {
        const uint64_t mark = reply->open(call);
        clients->push(call, call->client_id, T("+pushed\r\n"));
        reply->integer(call, 1);
        reply->close(call, mark, PLINTH_REPLY_ARRAY, 1);
        return PLINTH_STATUS_OK;
    }
    clients->push(call, call->client_id, T("+pushed\r\n"));
    if (same(how, "wait")) {
        const plinth_wait wait = {.size = PLINTH_SIZE(plinth_wait), .timeout_ms = 1};
        const plinth_bytes absent = T("h:absent");
        return block->wait(call, &absent, 1, &wait);
    }
    return PLINTH_STATUS_SYNTAX;
}

static plinth_status answer(plinth_call *call) {
    const plinth_bytes what = call->args[1];
    if (same(what, "two")) {
        reply->simple(call, T("one"));
        reply->simple(call, T("two"));
    } else if (same(what, "two-texts")) {
        reply->bulk(call, T("one"));
        reply->bulk(call, T("two"));
    } else if (same(what, "two-lists")) {
        reply->aggregate(call, PLINTH_REPLY_ARRAY, 0);
        reply->aggregate(call, PLINTH_REPLY_ARRAY, 0);
    } else if (same(what, "short")) {
        reply->aggregate(call, PLINTH_REPLY_ARRAY, 3);
        reply->integer(call, 1);
    } else if (same(what, "long")) {
        reply->aggregate(call, PLINTH_REPLY_ARRAY, 100);
        for (int i = 0; i < 99; i++) {
            reply->integer(call, i);
        }
        if (call->argc > 2) {
            reply->integer(call, 99);
        }
    } else if (same(what, "error-and-more")) {
        reply->error(call, T("ERR one"));
        reply->simple(call, T("two"));
        return PLINTH_STATUS_REPLIED;
    } else if (same(what, "no-error")) {
        return PLINTH_STATUS_REPLIED;
    }
    return PLINTH_STATUS_OK;
}

static plinth_status start(plinth_call *call) {
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    keys = plinth_service(call, PLINTH_KEYS_SERVICE, PLINTH_SIZE(plinth_keys_service));
    events = plinth_service(call, PLINTH_EVENTS_SERVICE, PLINTH_SIZE(plinth_events_service));
    config = plinth_service(call, PLINTH_CONFIG_SERVICE, PLINTH_SIZE(plinth_config_service));
    clients = plinth_service(call, PLINTH_CLIENTS_SERVICE, PLINTH_SIZE(plinth_clients_service));
    block = plinth_service(call, PLINTH_BLOCK_SERVICE, PLINTH_SIZE(plinth_block_service));
    return reply && keys && events && config && clients && block ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

static const plinth_type types[] = {
    {.size = PLINTH_SIZE(plinth_type), .encoding = 1, .name = PLINTH_TEXT("com.example.hostile"),
     .id_out = &type_id, .save = save_empty, .load = load_empty, .drop = hostile_drop},
};

#define COMMAND(text, count, function, more) \
    {.size = PLINTH_SIZE(plinth_command), .arity = (count), .name = PLINTH_TEXT(text), \
     .flags = PLINTH_COMMAND_WRITE | PLINTH_COMMAND_TOUCHES_ARBITRARY_KEYS | (more), .run = {.invoke = (function)}}

static const plinth_command commands[] = {
    COMMAND("hostile.forms", 2, forms, 0),
    COMMAND("hostile.scan", 1, scan, 0),
    COMMAND("hostile.db", 1, wrong_db, 0),
    COMMAND("hostile.chain", 1, chain, 0),
    COMMAND("hostile.echo", 1, echo, 0),
    COMMAND("hostile.type", 2, id_of, 0),
    COMMAND("hostile.runs", 1, count_runs, 0),
    COMMAND("hostile.config", 1, config_on, 0),
    COMMAND("hostile.refused", 1, refused, 0),
    COMMAND("hostile.push", 2, push, 0),
    COMMAND("hostile.reply", -2, answer, 0),
    COMMAND("hostile.many", -2, answer, PLINTH_COMMAND_MANY_REPLIES),
};

static const plinth_config configs[] = {
    {.size = PLINTH_SIZE(plinth_config), .kind = PLINTH_CONFIG_INTEGER, .name = PLINTH_TEXT("level"),
     .default_ = PLINTH_TEXT("0"), .min = 0, .max = 1000000, .apply = apply},
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("hostile"),
    .version = PLINTH_TEXT("1.0.0"),
    .types = PLINTH_LIST(types),
    .commands = PLINTH_LIST(commands),
    .configs = PLINTH_LIST(configs),
    .start = start,
};
