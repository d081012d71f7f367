// A module that calls every function of every service of the host, through the public headers.
//
// One command per service: PROBE.KEYS, PROBE.CODEC, ... Each checks what the functions promise
// (headers and ABI.md) and replies OK, or the first line that did not hold. PROBE.REPLY writes one
// kind of reply, PROBE.APPLIED tells which value `apply` was given, PROBE.SEEN what hooks and
// timers have seen. The tests beside this file run them and look at the rest from outside.

#include "check.h"
#include <stdlib.h>

static const plinth_keys_service *keys;
static const plinth_codec_service *codec;
static const plinth_run_service *run;
static const plinth_config_service *config;
static const plinth_info_service *info;
static const plinth_events_service *events;
static const plinth_timers_service *timers;
static const plinth_clients_service *clients;
static const plinth_propagate_service *propagate;

static uint32_t probe_type, tagged_type;
static int drops, copies;

// What a `take` was given, at most 4096 bytes of it.
typedef struct {
    uint8_t bytes[4096];
    size_t len;
    int calls;
} taken;

static void take(void *data, plinth_bytes bytes) {
    taken *into = data;
    into->len = bytes.len < sizeof into->bytes ? bytes.len : sizeof into->bytes;
    memcpy(into->bytes, bytes.data, into->len);
    into->calls++;
}

static plinth_bytes of(const taken *from) { return (plinth_bytes){from->bytes, from->len}; }

// ---- Types: one in the container, inline or boxed; one with an RDB tag of its own. ----

typedef struct {
    uint64_t u;
    int64_t i;
    double f;
    char text[16];
} boxed;

static plinth_status probe_save(const plinth_value *value, void *saver) {
    codec->put_u64(saver, value->form);
    if (value->form == PLINTH_FORM_INLINE) {
        codec->put_bytes(saver, (plinth_bytes){value->data, value->len});
        return PLINTH_STATUS_OK;
    }
    const boxed *from = value->boxed;
    codec->put_u64(saver, from->u);
    codec->put_i64(saver, from->i);
    codec->put_f64(saver, from->f);
    codec->put_bytes(saver, T(from->text));
    return PLINTH_STATUS_OK;
}

static plinth_status load_boxed(void *loader) {
    plinth_bytes text;
    boxed *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return PLINTH_STATUS_OUT_OF_MEMORY;
    }
    if (codec->get_u64(loader, &made->u) || codec->get_i64(loader, &made->i) ||
        codec->get_f64(loader, &made->f) || codec->get_bytes(loader, &text) ||
        text.len >= sizeof made->text) {
        free(made);
        return PLINTH_STATUS_BAD_DATA;
    }
    memcpy(made->text, text.data, text.len);
    if (codec->finish_boxed(loader, 3, made)) {
        free(made);
        return PLINTH_STATUS_BAD_DATA;
    }
    // There is a value now: another one is not taken over.
    return codec->finish_boxed(loader, 3, made) == PLINTH_STATUS_NOT_ALLOWED
               ? PLINTH_STATUS_OK
               : PLINTH_STATUS_BAD_DATA;
}

static plinth_status probe_load(void *loader, uint32_t encoding) {
    uint64_t form;
    plinth_bytes text;
    if (encoding != 2 || codec->get_u64(loader, &form)) {
        return PLINTH_STATUS_BAD_DATA;
    }
    if (form == PLINTH_FORM_BOXED) {
        return load_boxed(loader);
    }
    if (form != PLINTH_FORM_INLINE || codec->get_bytes(loader, &text)) {
        return PLINTH_STATUS_BAD_DATA;
    }
    return codec->finish_inline(loader, 5, text);
}

static void probe_drop(void *value) {
    __atomic_add_fetch(&drops, 1, __ATOMIC_SEQ_CST);
    free(value);
}

static size_t probe_memory(const plinth_value *value) {
    return value->form == PLINTH_FORM_BOXED ? sizeof(boxed) : 0;
}

static size_t probe_free_effort(const plinth_value *value) {
    return value->form == PLINTH_FORM_BOXED ? 100 : 1;
}

static plinth_bytes probe_encoding(const plinth_value *value) {
    return value->form == PLINTH_FORM_BOXED ? T("boxed") : T("inline");
}

static void *probe_copy(void *value) {
    boxed *made = malloc(sizeof *made);
    if (made != NULL) {
        memcpy(made, value, sizeof *made);
        copies++;
    }
    return made;
}

#define TAG 213

static const uint8_t tags[] = {TAG};

static plinth_status tagged_save(const plinth_value *value, void *saver) {
    codec->put_tag(saver, TAG);
    codec->put_u64(saver, value->len);
    codec->put_raw(saver, (plinth_bytes){value->data, value->len});
    codec->put_i64(saver, -2);
    codec->put_f64(saver, 0.5);
    return PLINTH_STATUS_OK;
}

static plinth_status tagged_load(void *loader, uint32_t encoding) {
    uint64_t len;
    int64_t i;
    double f;
    plinth_bytes raw;
    uint8_t copy[64];
    if (encoding != TAG || codec->get_u64(loader, &len) || len > sizeof copy ||
        codec->get_raw(loader, (size_t)len, &raw)) {
        return PLINTH_STATUS_BAD_DATA;
    }
    memcpy(copy, raw.data, raw.len);
    if (codec->get_i64(loader, &i) || codec->get_f64(loader, &f) || i != -2 || f != 0.5) {
        return PLINTH_STATUS_BAD_DATA;
    }
    return codec->finish_inline(loader, 0, (plinth_bytes){copy, (size_t)len});
}

// ---- plinth.keys/1 ----

static boxed *make(uint64_t u) {
    boxed *made = calloc(1, sizeof *made);
    if (made != NULL) {
        made->u = u;
        made->i = -1;
        made->f = 1.5;
        strcpy(made->text, "text");
    }
    return made;
}

static plinth_status values(plinth_call *call) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    plinth_entry again = {.size = PLINTH_SIZE(plinth_entry)};
    CHECK(keys->get(call, T("p:a"), 0, 0, &entry) == PLINTH_STATUS_NONE);
    CHECK(keys->put(call, T("p:a"), probe_type, 7, 3, PLINTH_PUT_ABSENT, &entry) == 0);
    CHECK(entry.form == PLINTH_FORM_INLINE && entry.tag == 7 && entry.len == 3);
    CHECK(entry.type_id == probe_type && entry.expire_at_ms == PLINTH_EXPIRE_NONE);
    memcpy(entry.data, "abc", 3);
    keys->modified(call, T("p:a"), PLINTH_EVENT_MODULE, T("probe.put"));
    CHECK(keys->get(call, T("p:a"), probe_type, PLINTH_GET_NO_TOUCH | PLINTH_GET_NO_STATS, &again) == 0);
    CHECK(again.len == 3 && memcmp(again.data, "abc", 3) == 0);
    CHECK(keys->get(call, T("p:a"), tagged_type, 0, &again) == PLINTH_STATUS_WRONG_TYPE);
    CHECK(keys->get(call, T("p:a"), probe_type, PLINTH_GET_WRITE, &entry) == 0);
    CHECK(keys->resize(call, &entry, 9, 5000, PLINTH_RESIZE_AMORTISE) == 0);
    CHECK(entry.len == 5000 && entry.tag == 9 && memcmp(entry.data, "abc", 3) == 0);
    memset(entry.data + 3, 'x', 4997);
    CHECK(keys->resize(call, &entry, 1, 2, 0) == 0);
    CHECK(entry.len == 2 && entry.tag == 1 && memcmp(entry.data, "ab", 2) == 0);
    CHECK(keys->set_expire(call, &entry, call->now_ms + 100000) == 0);
    CHECK(entry.expire_at_ms == call->now_ms + 100000 && memcmp(entry.data, "ab", 2) == 0);
    // A new value takes the expiry away, unless it is asked to stay.
    CHECK(keys->put(call, T("p:a"), probe_type, 0, 1, PLINTH_PUT_KEEP_EXPIRY, &entry) == 0);
    CHECK(entry.expire_at_ms == call->now_ms + 100000);
    CHECK(keys->put(call, T("p:a"), probe_type, 0, 2, 0, &entry) == 0);
    CHECK(entry.expire_at_ms == PLINTH_EXPIRE_NONE);
    // From inline to boxed.
    boxed *made = make(7);
    CHECK(made != NULL && keys->set_boxed(call, &entry, 4, made) == 0);
    CHECK(entry.form == PLINTH_FORM_BOXED && entry.boxed == made && entry.tag == 4);
    CHECK(keys->set_expire(call, &entry, call->now_ms + 50000) == 0 && entry.boxed == made);
    CHECK(keys->set_expire(call, &entry, PLINTH_EXPIRE_NONE) == 0);
    // A boxed value at once, over another one, which is dropped.
    made = make(8);
    CHECK(made != NULL && keys->put_boxed(call, T("p:a"), probe_type, 2, made, 0, &entry) == 0);
    CHECK(entry.boxed == made && entry.tag == 2);
    keys->modified(call, T("p:a"), PLINTH_EVENT_MODULE, T("probe.put"));
    keys->notify(call, T("p:a"), PLINTH_EVENT_MODULE, T("probe.notify"));
    CHECK(entry.boxed == made && ((boxed *)entry.boxed)->u == 8);
    // A key that has expired is not there.
    CHECK(keys->set_expire(call, &entry, call->now_ms - 1) == 0);
    CHECK(keys->get(call, T("p:a"), 0, 0, &entry) == PLINTH_STATUS_NONE);
    CHECK(keys->remove(call, T("p:a"), 0) == PLINTH_STATUS_NONE);
    return PLINTH_STATUS_OK;
}

static plinth_status names(plinth_call *call) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)}, held = entry;
    boxed *made = make(11);
    CHECK(made != NULL && keys->put_boxed(call, T("p:b"), probe_type, 2, made, 0, &entry) == 0);
    CHECK(keys->set_expire(call, &entry, call->now_ms + 100000) == 0);
    CHECK(keys->rename(call, T("p:none"), T("p:c"), 0) == PLINTH_STATUS_NONE);
    CHECK(keys->rename(call, T("p:b"), T("p:c"), 1) == 0);
    CHECK(keys->get(call, T("p:b"), 0, 0, &entry) == PLINTH_STATUS_NONE);
    CHECK(keys->get(call, T("p:c"), probe_type, 0, &entry) == 0 && entry.boxed == made);
    CHECK(entry.expire_at_ms == call->now_ms + 100000);
    const int copied = copies;
    CHECK(keys->copy(call, T("p:c"), T("p:d"), call->db, 0) == 0);
    CHECK(copies == copied + 1);
    CHECK(keys->copy(call, T("p:c"), T("p:d"), call->db, 0) == PLINTH_STATUS_EXISTS);
    CHECK(keys->copy(call, T("p:c"), T("p:d"), call->db, 1) == 0);
    CHECK(keys->copy(call, T("p:none"), T("p:e"), call->db, 1) == PLINTH_STATUS_NONE);
    CHECK(keys->copy(call, T("p:c"), T("p:d"), 9999, 0) == PLINTH_STATUS_DB_RANGE);
    CHECK(keys->rename(call, T("p:c"), T("p:d"), 1) == PLINTH_STATUS_EXISTS);
    CHECK(!keys->get(call, T("p:c"), 0, PLINTH_GET_HOLD, &held) && !keys->get(call, T("p:d"), 0, PLINTH_GET_HOLD, &entry));
    CHECK(held.boxed == made && entry.boxed != made && ((boxed *)held.boxed)->u + ((boxed *)entry.boxed)->u == 22);
    CHECK(keys->move_to(call, T("p:none"), 9) == PLINTH_STATUS_NONE);
    CHECK(keys->move_to(call, T("p:d"), 9999) == PLINTH_STATUS_DB_RANGE);
    const uint64_t before = keys->count(call, 9);
    CHECK(keys->move_to(call, T("p:d"), 9) == 0);
    CHECK(keys->count(call, 9) == before + 1 && keys->count(call, 9999) == 0);
    CHECK(keys->copy(call, T("p:c"), T("p:d"), call->db, 0) == 0);
    CHECK(keys->move_to(call, T("p:d"), 9) == PLINTH_STATUS_EXISTS);
    CHECK(keys->swap(call, 9, 10) == 0 && keys->swap(call, 9, 9999) == PLINTH_STATUS_DB_RANGE);
    CHECK(keys->count(call, 10) == before + 1 && keys->select(call, 9) == PLINTH_STATUS_NOT_ALLOWED);
    CHECK(keys->flush(call, 10, 1) == before + 1 && keys->count(call, 10) == 0);
    CHECK(keys->remove(call, T("p:c"), PLINTH_REMOVE_LAZY) == 0 && keys->remove(call, T("p:d"), 0) == 0);
    return PLINTH_STATUS_OK;
}

typedef struct {
    int visited, expired;
    uint32_t type_id;
} visits;

static void visit(void *data, plinth_bytes key, uint32_t type_id, uint32_t expired) {
    visits *into = data;
    if (key.len > 4 && memcmp(key.data, "p:s:", 4) == 0) {
        into->visited++;
        into->expired += expired != 0;
        into->type_id = type_id;
    }
}

static plinth_status walks(plinth_call *call) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    plinth_bytes key;
    char name[32];
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "p:s:%d", i);
        CHECK(keys->put(call, T(name), probe_type, 0, 0, 0, &entry) == 0);
    }
    visits seen = {0, 0, 0};
    uint64_t cursor = 0;
    do {
        cursor = keys->scan(call, cursor, 10, visit, &seen);
    } while (cursor != 0);
    CHECK(seen.visited >= 500 && seen.expired == 0 && seen.type_id == probe_type);
    CHECK(keys->random(call, &key) == 0 && key.len > 0);
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "p:s:%d", i);
        CHECK(keys->remove(call, T(name), 0) == 0);
    }
    return PLINTH_STATUS_OK;
}

static plinth_status descriptions(plinth_call *call) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    plinth_entry_stat stat = {.size = PLINTH_SIZE(plinth_entry_stat)};
    taken payload = {.len = 0};
    CHECK(same(keys->type_name(call, probe_type), "com.example.probe"));
    CHECK(keys->type_name(call, 200).len == 0);
    CHECK(keys->type_id(call, T("com.example.tagged")) == tagged_type);
    CHECK(keys->type_id(call, T("com.example.absent")) == 0);
    boxed *made = make(12);
    CHECK(made != NULL && keys->put_boxed(call, T("p:f"), probe_type, 2, made, 0, &entry) == 0);
    keys->stat(call, &entry, &stat);
    CHECK(same(stat.encoding, "boxed") && stat.memory >= sizeof(boxed) && stat.address != 0);
    CHECK(stat.idle_s < 10);
    CHECK(keys->dump(call, &entry, take, &payload) == 0 && payload.calls == 1);
    CHECK(entry.boxed == made);
    CHECK(keys->restore(call, T("p:f"), of(&payload), PLINTH_EXPIRE_NONE, 0, -1, -1) ==
          PLINTH_STATUS_EXISTS);
    CHECK(keys->restore(call, T("p:g"), of(&payload), call->now_ms + 70000, 1, 30, -1) == 0);
    CHECK(keys->get(call, T("p:g"), probe_type, PLINTH_GET_NO_TOUCH, &entry) == 0);
    CHECK(entry.tag == 3 && entry.expire_at_ms == call->now_ms + 70000);
    const boxed *loaded = entry.boxed;
    CHECK(loaded->u == 12 && loaded->i == -1 && loaded->f == 1.5 && !strcmp(loaded->text, "text"));
    keys->stat(call, &entry, &stat);
    CHECK(stat.lfu || (stat.idle_s >= 30 && stat.idle_s < 40));
    payload.bytes[payload.len - 1] ^= 1;
    CHECK(keys->restore(call, T("p:h"), of(&payload), PLINTH_EXPIRE_NONE, 0, -1, -1) ==
          PLINTH_STATUS_NOT_ALLOWED);
    CHECK(keys->remove(call, T("p:f"), 0) == 0 && keys->remove(call, T("p:g"), 0) == 0);
    return PLINTH_STATUS_OK;
}

static plinth_status probe_keys(plinth_call *call) {
    plinth_status (*const parts[])(plinth_call *) = {values, names, walks, descriptions};
    plinth_status status = PLINTH_STATUS_OK;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && !status; i++) {
        status = parts[i](call);
    }
    return status ? status : ok(call);
}

// ---- plinth.codec/1, through DUMP and RESTORE of each form ----

static plinth_status round_trip(plinth_call *call, uint32_t type_id, uint32_t tag) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    taken payload = {.len = 0};
    CHECK(keys->put(call, T("p:x"), type_id, 0, 6, 0, &entry) == 0);
    memcpy(entry.data, "a\0\r\nz\xff", 6);
    CHECK(keys->dump(call, &entry, take, &payload) == 0);
    CHECK(keys->restore(call, T("p:y"), of(&payload), PLINTH_EXPIRE_NONE, 1, -1, -1) == 0);
    CHECK(keys->get(call, T("p:y"), type_id, 0, &entry) == 0);
    CHECK(entry.len == 6 && memcmp(entry.data, "a\0\r\nz\xff", 6) == 0 && entry.tag == tag);
    CHECK(keys->remove(call, T("p:x"), 0) == 0 && keys->remove(call, T("p:y"), 0) == 0);
    CHECK(type_id != tagged_type || payload.bytes[0] == TAG);
    CHECK(type_id != probe_type || payload.bytes[0] == 7);
    return PLINTH_STATUS_OK;
}

static plinth_status probe_codec(plinth_call *call) {
    plinth_status status = round_trip(call, probe_type, 5);
    status = status ? status : round_trip(call, tagged_type, 0);
    return status ? status : ok(call);
}

// ---- plinth.reply/1, and the buffer itself ----

static plinth_status probe_reply(plinth_call *call) {
    const plinth_bytes kind = call->args[1];
    if (same(kind, "simple")) {
        reply->simple(call, T("fine"));
    } else if (same(kind, "error")) {
        reply->error(call, T("ERR two\r\nlines"));
        return PLINTH_STATUS_REPLIED;
    } else if (same(kind, "integer")) {
        reply->integer(call, INT64_MIN);
    } else if (same(kind, "bulk")) {
        reply->bulk(call, (plinth_bytes){(const uint8_t *)"a\0b", 3});
    } else if (same(kind, "null")) {
        reply->null(call);
    } else if (same(kind, "null_array")) {
        reply->null_array(call);
    } else if (same(kind, "double")) {
        reply->double_(call, 0.25);
    } else if (same(kind, "boolean")) {
        reply->boolean(call, 1);
    } else if (same(kind, "verbatim")) {
        reply->verbatim(call, T("txt"), T("words"));
    } else if (same(kind, "big_number")) {
        reply->big_number(call, T("123456789012345678901234567890"));
    } else if (same(kind, "open")) {
        const uint64_t outer = reply->open(call);
        reply->integer(call, 1);
        const uint64_t inner = reply->open(call);
        reply->integer(call, 2);
        reply->integer(call, 3);
        reply->close(call, inner, PLINTH_REPLY_MAP, 1);
        reply->close(call, outer, PLINTH_REPLY_ARRAY, 2);
    } else {
        const uint32_t kinds[] = {PLINTH_REPLY_ARRAY, PLINTH_REPLY_MAP, PLINTH_REPLY_SET, PLINTH_REPLY_PUSH};
        const char *const words[] = {"array", "map", "set", "push"};
        for (size_t i = 0; i < 4; i++) {
            if (same(kind, words[i])) {
                reply->aggregate(call, kinds[i], 1);
                reply->integer(call, 1);
                if (kinds[i] == PLINTH_REPLY_MAP) {
                    reply->integer(call, 2);
                }
                return PLINTH_STATUS_OK;
            }
        }
        return PLINTH_STATUS_SYNTAX;
    }
    return PLINTH_STATUS_OK;
}

// As many bytes as asked for, written past the service: `x` by `grow`, the rest by `append`.
static plinth_status probe_buffer(plinth_call *call) {
    plinth_reply *buffer = call->reply;
    char head[32];
    int64_t count;
    CHECK(plinth_integer(call->args[1], &count) && count >= 4096);
    const int head_len = snprintf(head, sizeof head, "$%lld\r\n", (long long)count);
    if (buffer->end - buffer->at < head_len) {
        buffer->grow(buffer, (size_t)head_len);
    }
    memcpy(buffer->at, head, (size_t)head_len);
    buffer->at += head_len;
    buffer->grow(buffer, PLINTH_REPLY_GROW_MAX);
    memset(buffer->at, 'x', PLINTH_REPLY_GROW_MAX);
    buffer->at += PLINTH_REPLY_GROW_MAX;
    const size_t rest = (size_t)count - PLINTH_REPLY_GROW_MAX;
    uint8_t *bytes = malloc(rest + 2);
    CHECK(bytes != NULL);
    memset(bytes, 'y', rest);
    memcpy(bytes + rest, "\r\n", 2);
    buffer->append(buffer, (plinth_bytes){bytes, rest + 2});
    free(bytes);
    return PLINTH_STATUS_OK;
}

// ---- plinth.run/1 ----

static plinth_status probe_run(plinth_call *call) {
    taken got = {.len = 0};
    const plinth_bytes echo[] = {T("ECHO"), T("hi")};
    const plinth_bytes set[] = {T("SET"), T("p:r"), T("1")};
    const plinth_bytes del[] = {T("DEL"), T("p:r")};
    const plinth_bytes wrong[] = {T("ECHO")};
    const plinth_bytes absent[] = {T("PROBE.ABSENT")};
    void *handle = run->resolve(call, T("echo"));
    CHECK(handle != NULL && run->resolve(call, absent[0]) == NULL);
    CHECK(run->run(call, handle, echo, 2, 0, take, &got) == 0 && same(of(&got), "$2\r\nhi\r\n"));
    CHECK(run->run(call, NULL, echo, 2, PLINTH_RUN_READ_ONLY | PLINTH_RUN_RESP3, take, &got) == 0);
    CHECK(run->run(call, NULL, wrong, 1, 0, take, &got) == 0 && got.bytes[0] == '-');
    CHECK(run->run(call, NULL, absent, 1, 0, take, &got) == PLINTH_STATUS_NONE);
    CHECK(run->run(call, NULL, set, 3, PLINTH_RUN_READ_ONLY, take, &got) == PLINTH_STATUS_NOT_ALLOWED);
    CHECK(run->run(call, NULL, set, 3, 0, take, &got) == 0 && same(of(&got), "+OK\r\n"));
    CHECK(run->run(call, NULL, del, 2, 0, take, &got) == 0 && same(of(&got), ":1\r\n"));
    return ok(call);
}

// A command that runs itself, until calls nest too deeply: replies with how deep that was.
static plinth_status probe_nest(plinth_call *call) {
    taken got = {.len = 0};
    const plinth_bytes args[] = {T("PROBE.NEST")};
    const plinth_status status = run->run(call, NULL, args, 1, 0, take, &got);
    if (status == PLINTH_STATUS_OUT_OF_RANGE) {
        reply->integer(call, 1);
        return PLINTH_STATUS_OK;
    }
    CHECK(status == PLINTH_STATUS_OK && got.len > 3 && got.bytes[0] == ':');
    reply->integer(call, strtol((const char *)got.bytes + 1, NULL, 10) + 1);
    return PLINTH_STATUS_OK;
}

// ---- plinth.config/1 ----

static int64_t applied_number[8];

static plinth_status apply(plinth_call *call, int64_t number, plinth_bytes text, void *data) {
    if (data == &applied_number[4] && same(text, "rude")) {
        const plinth_reply_service *say =
            plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
        say->error(call, T("ERR not that word"));
        return PLINTH_STATUS_REPLIED;
    }
    *(int64_t *)data = number;
    return PLINTH_STATUS_OK;
}

static plinth_status probe_config(plinth_call *call) {
    taken got = {.len = 0};
    int64_t number = 0;
    CHECK(config->get(call, T("maxclients"), take, &got) == 0 && same(of(&got), "10000"));
    CHECK(config->get(call, T("no-such-parameter"), take, &got) == PLINTH_STATUS_NONE);
    CHECK(config->get_number(call, T("databases"), &number) == 0 && number == 16);
    CHECK(config->get_number(call, T("no-such-parameter"), &number) == PLINTH_STATUS_NONE);
    CHECK(config->get_number(call, T("dir"), &number) == PLINTH_STATUS_NOT_INTEGER);
    CHECK(config->set(call, T("timeout"), T("777")) == 0);
    CHECK(config->get_number(call, T("timeout"), &number) == 0 && number == 777);
    CHECK(config->set(call, T("timeout"), T("0")) == 0);
    CHECK(config->set(call, T("timeout"), T("soon")) == PLINTH_STATUS_SYNTAX);
    CHECK(config->set(call, T("no-such-parameter"), T("1")) == PLINTH_STATUS_NONE);
    CHECK(config->set(call, T("databases"), T("3")) == PLINTH_STATUS_NOT_ALLOWED);
    CHECK(config->set(call, T("probe.number"), T("-4")) == 0 && applied_number[0] == -4);
    CHECK(config->get_number(call, T("probe.choice"), &number) == 0 && number == applied_number[2]);
    CHECK(config->get_number(call, T("probe.flag"), &number) == 0 && number == applied_number[1]);
    CHECK(config->get_number(call, T("probe.text"), &number) == PLINTH_STATUS_NOT_INTEGER);
    CHECK(config->set(call, T("probe.number"), T("5")) == 0);
    return ok(call);
}

static plinth_status probe_applied(plinth_call *call) {
    const char *const parameters[] = {"probe.number", "probe.flag", "probe.choice", "probe.size"};
    for (int i = 0; i < 4; i++) {
        if (same(call->args[1], parameters[i])) {
            reply->integer(call, applied_number[i]);
            return PLINTH_STATUS_OK;
        }
    }
    return PLINTH_STATUS_NONE;
}

// ---- plinth.events/1 and plinth.timers/1 ----

static char seen[4096];
static int key_hook_wrote;

static void note(const char *text, size_t len) {
    const size_t at = strlen(seen);
    if (at + len + 2 < sizeof seen) {
        memcpy(seen + at, text, len);
        memcpy(seen + at + len, "\n", 2);
    }
}

static void hook(plinth_call *call, const plinth_event *event, void *data) {
    char line[256];
    snprintf(line, sizeof line, "%s %u %.*s %.*s %d %d", (const char *)data, event->kind, (int)event->name.len,
             (const char *)event->name.data, (int)event->key.len, (const char *)event->key.data, event->db,
             event->client_id != 0);
    note(line, strlen(line));
    if (event->kind == PLINTH_ON_KEY) {
        if (event->class_ & (PLINTH_EVENT_UNAWAITED | PLINTH_EVENT_UNWATCHED | PLINTH_EVENT_UNCOUNTED)) {
            note("unawaited", 9);
        }
        plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
        key_hook_wrote |= keys->put(call, T("p:hooked"), probe_type, 0, 0, 0, &entry) == PLINTH_STATUS_OK;
    }
}

// Six changes: one of a key, none of another that is part of it, and five more.
static plinth_status probe_changes(plinth_call *call) {
    keys->modified(call, T("c"), PLINTH_EVENT_MODULE, T(""));
    keys->modified(call, T("d"), PLINTH_EVENT_MODULE | PLINTH_EVENT_UNCOUNTED, T("probe.part"));
    keys->count_more(call, 5);
    return ok(call);
}

static char watching[] = "hook";

static plinth_status probe_events(plinth_call *call) {
    static uint64_t id;
    if (same(call->args[1], "off")) {
        CHECK(events->unsubscribe(call, id) == 0);
        CHECK(events->unsubscribe(call, id) == PLINTH_STATUS_NONE);
        CHECK(!key_hook_wrote);
        return ok(call);
    }
    if (same(call->args[1], "classes")) {
        CHECK(events->subscribe_keys(call, 0, hook, watching, &id) == PLINTH_STATUS_UNSUPPORTED);
        CHECK(events->subscribe_keys(call, PLINTH_EVENT_STRING | PLINTH_EVENT_MISS, hook, watching, &id) == 0);
        return ok(call);
    }
    if (same(call->args[1], "quiet")) {
        const uint32_t class_ = PLINTH_EVENT_MODULE | PLINTH_EVENT_UNAWAITED | PLINTH_EVENT_UNWATCHED;
        keys->notify(call, T("q"), class_, T("probe.quiet"));
        keys->notify_in(call, 3, T("q"), class_, T("probe.quiet"));
        return ok(call);
    }
    const uint32_t all = PLINTH_ON_CLIENT_RESET * 2 - 1;
    uint64_t other;
    CHECK(events->subscribe(call, UINT32_C(1) << 31, hook, watching, &other) == PLINTH_STATUS_UNSUPPORTED);
    CHECK(events->subscribe(call, all, hook, watching, &id) == 0 && id != 0);
    return ok(call);
}

static void fire(plinth_call *call, void *data) {
    char line[128];
    const int selects = keys->select(call, 9999) == PLINTH_STATUS_DB_RANGE && !keys->select(call, 7) && call->db == 7;
    snprintf(line, sizeof line, "fired %s %d", (const char *)data, selects && (call->flags & PLINTH_CALL_NO_CLIENT));
    note(line, strlen(line));
    call->host->log(call->host, PLINTH_LOG_WARNING, T("a timer of the probe fired"));
}

static char one[] = "one", two[] = "two";

static plinth_status probe_timers(plinth_call *call) {
    uint64_t first, second, left;
    void *data = NULL;
    CHECK(timers->start(call, 20, fire, one, &first) == 0);
    CHECK(timers->start(call, 60000, fire, two, &second) == 0 && first != second);
    CHECK(timers->remaining(call, second, &left) == 0 && left > 50000 && left <= 60000);
    CHECK(timers->stop(call, second, &data) == 0 && data == two);
    CHECK(timers->stop(call, second, NULL) == PLINTH_STATUS_NONE);
    CHECK(timers->remaining(call, second, &left) == PLINTH_STATUS_NONE);
    return ok(call);
}

static plinth_status probe_seen(plinth_call *call) {
    reply->bulk(call, T(seen));
    seen[0] = 0;
    return PLINTH_STATUS_OK;
}

// ---- plinth.clients/1 ----

static plinth_status probe_clients(plinth_call *call) {
    plinth_client client = {.size = PLINTH_SIZE(plinth_client)};
    CHECK(clients->info(call, call->client_id, &client) == 0);
    CHECK(client.id == call->client_id && client.db == call->db && client.resp == call->resp);
    CHECK(client.is_unix == 0 && client.address.len > 9 && same(client.user, "default"));
    CHECK(same(client.name, "probing") && client.age_s < 1000 && client.idle_s < 1000);
    CHECK(clients->info(call, UINT64_MAX, &client) == PLINTH_STATUS_NONE);
    CHECK(clients->push(call, UINT64_MAX, T("+no\r\n")) == PLINTH_STATUS_NONE);
    CHECK(clients->disconnect(call, UINT64_MAX) == PLINTH_STATUS_NONE);
    // A caller whose struct is shorter gets no more than that.
    struct {
        plinth_client client;
        uint64_t guard;
    } shorter = {.guard = 42};
    memset(&shorter.client, 0x5a, sizeof shorter.client);
    shorter.client.size = (uint32_t)offsetof(plinth_client, user);
    CHECK(clients->info(call, call->client_id, &shorter.client) == 0);
    CHECK(shorter.client.id == call->client_id && shorter.client.size <= offsetof(plinth_client, user));
    CHECK(shorter.client.age_s == UINT64_C(0x5a5a5a5a5a5a5a5a) && shorter.guard == 42);
    return ok(call);
}

// PROBE.PUSH id text, PROBE.DISCONNECT id
static plinth_status probe_push(plinth_call *call) {
    int64_t id;
    CHECK(plinth_integer(call->args[1], &id));
    return clients->push(call, (uint64_t)id, call->args[2]) ? PLINTH_STATUS_NONE : ok(call);
}

static plinth_status probe_disconnect(plinth_call *call) {
    int64_t id;
    CHECK(plinth_integer(call->args[1], &id));
    return clients->disconnect(call, (uint64_t)id) ? PLINTH_STATUS_NONE : ok(call);
}

// ---- plinth.propagate/1 ----

static void propagate_outside(plinth_call *call, void *data) {
    *(plinth_status *)data = propagate->nothing(call);
    note("propagated", 10);
}

static plinth_status outside = -1;

static plinth_status probe_propagate(plinth_call *call) {
    const plinth_bytes args[] = {T("SET"), T("p:p"), T("1")};
    uint64_t id;
    CHECK(propagate->instead(call, args, 3) == 0);
    CHECK(propagate->instead(call, args, 3) == 0);
    CHECK(propagate->nothing(call) == 0);
    CHECK(timers->start(call, 1, propagate_outside, &outside, &id) == 0);
    return ok(call);
}

static plinth_status probe_outside(plinth_call *call) {
    CHECK(outside == PLINTH_STATUS_NOT_ALLOWED);
    return ok(call);
}

// Whether anybody is told of what a command changes.
static plinth_status probe_told(plinth_call *call) {
    reply->integer(call, (call->flags & PLINTH_CALL_UNTOLD) == 0);
    return PLINTH_STATUS_OK;
}

// ---- host, info, module data, start and stop ----

static plinth_status probe_host(plinth_call *call) {
    const plinth_host *host = call->host;
    CHECK(host->size >= PLINTH_SIZE(plinth_host) && host->abi_major == PLINTH_ABI_MAJOR);
    CHECK(plinth_service(call, "plinth.absent/1", 4) == NULL);
    CHECK(plinth_service(call, "plinth.keys/2", 4) == NULL);
    CHECK(plinth_service(call, PLINTH_KEYS_SERVICE, 1u << 20) == NULL);
    CHECK(plinth_service(call, PLINTH_KEYS_SERVICE, PLINTH_SIZE(plinth_keys_service)) == (void *)keys);
    CHECK(call->module_data == &drops && call->size >= PLINTH_SIZE(plinth_call));
    CHECK(call->command != NULL && same(call->command->name, "probe.host"));
    CHECK(call->argc == 1 && call->client_id != 0 && call->now_ms > INT64_C(1600000000000));
    host->log(host, PLINTH_LOG_NOTICE, T("the probe was here"));
    // Nobody is to be let by here, however often it is asked for.
    for (int i = 0; i < 100000; i++) {
        host->give_way(host);
    }
    return ok(call);
}

static plinth_status probe_drops(plinth_call *call) {
    reply->integer(call, __atomic_load_n(&drops, __ATOMIC_SEQ_CST));
    return PLINTH_STATUS_OK;
}

static void write_section(plinth_call *call, void *sink) {
    (void)call;
    info->text(sink, T("mood"), T("good"));
    info->integer(sink, T("number"), -7);
    info->double_(sink, T("half"), 0.5);
}

static plinth_status start(plinth_call *call) {
    keys = plinth_service(call, PLINTH_KEYS_SERVICE, PLINTH_SIZE(plinth_keys_service));
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    codec = plinth_service(call, PLINTH_CODEC_SERVICE, PLINTH_SIZE(plinth_codec_service));
    run = plinth_service(call, PLINTH_RUN_SERVICE, PLINTH_SIZE(plinth_run_service));
    config = plinth_service(call, PLINTH_CONFIG_SERVICE, PLINTH_SIZE(plinth_config_service));
    info = plinth_service(call, PLINTH_INFO_SERVICE, PLINTH_SIZE(plinth_info_service));
    events = plinth_service(call, PLINTH_EVENTS_SERVICE, PLINTH_SIZE(plinth_events_service));
    timers = plinth_service(call, PLINTH_TIMERS_SERVICE, PLINTH_SIZE(plinth_timers_service));
    clients = plinth_service(call, PLINTH_CLIENTS_SERVICE, PLINTH_SIZE(plinth_clients_service));
    propagate = plinth_service(call, PLINTH_PROPAGATE_SERVICE, PLINTH_SIZE(plinth_propagate_service));
    call->module_data = &drops;
    const int all = keys && reply && codec && run && config && info && events && timers && clients && propagate;
    return all && probe_type && tagged_type ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

static void stop(plinth_call *call) {
    call->host->log(call->host, PLINTH_LOG_NOTICE, T("the probe stops"));
}

// ---- The entry ----

static const plinth_bytes services[] = {
    PLINTH_TEXT(PLINTH_KEYS_SERVICE),   PLINTH_TEXT(PLINTH_REPLY_SERVICE),   PLINTH_TEXT(PLINTH_CODEC_SERVICE),
    PLINTH_TEXT(PLINTH_RUN_SERVICE),    PLINTH_TEXT(PLINTH_CONFIG_SERVICE),  PLINTH_TEXT(PLINTH_INFO_SERVICE),
    PLINTH_TEXT(PLINTH_EVENTS_SERVICE), PLINTH_TEXT(PLINTH_TIMERS_SERVICE),  PLINTH_TEXT(PLINTH_CLIENTS_SERVICE),
    PLINTH_TEXT(PLINTH_PROPAGATE_SERVICE)};

static const plinth_type types[] = {
    {.size = PLINTH_SIZE(plinth_type), .encoding = 2, .name = PLINTH_TEXT("com.example.probe"),
     .id_out = &probe_type, .save = probe_save, .load = probe_load, .drop = probe_drop,
     .memory = probe_memory, .free_effort = probe_free_effort, .encoding_name = probe_encoding,
     .copy = probe_copy},
    {.size = PLINTH_SIZE(plinth_type), .encoding = 1, .name = PLINTH_TEXT("com.example.tagged"),
     .id_out = &tagged_type, .rdb_tags = PLINTH_LIST(tags), .save = tagged_save, .load = tagged_load},
};

#define COMMAND(text, arity_, function) \
    {.size = PLINTH_SIZE(plinth_command), .arity = (arity_), .name = PLINTH_TEXT(text), \
     .flags = PLINTH_COMMAND_WRITE | PLINTH_COMMAND_TOUCHES_ARBITRARY_KEYS, .run = {.invoke = (function)}}

static const plinth_command commands[] = {
    COMMAND("probe.keys", 1, probe_keys),           COMMAND("probe.codec", 1, probe_codec),
    COMMAND("probe.reply", 2, probe_reply),         COMMAND("probe.buffer", 2, probe_buffer),
    COMMAND("probe.run", 1, probe_run),             COMMAND("probe.nest", 1, probe_nest),
    COMMAND("probe.config", 1, probe_config),       COMMAND("probe.applied", 2, probe_applied),
    COMMAND("probe.events", 2, probe_events),       COMMAND("probe.timers", 1, probe_timers),
    COMMAND("probe.seen", 1, probe_seen),           COMMAND("probe.clients", 1, probe_clients),
    COMMAND("probe.push", 3, probe_push),           COMMAND("probe.disconnect", 2, probe_disconnect),
    COMMAND("probe.propagate", 1, probe_propagate), COMMAND("probe.outside", 1, probe_outside),
    COMMAND("probe.told", 1, probe_told),         COMMAND("probe.changes", 1, probe_changes),
    COMMAND("probe.host", 1, probe_host),           COMMAND("probe.drops", 1, probe_drops),
};

static const plinth_bytes colours[] = {PLINTH_TEXT("red"), PLINTH_TEXT("green"), PLINTH_TEXT("blue")};

#define PARAMETER(at, kind_, flags_, text, value) \
    .size = PLINTH_SIZE(plinth_config), .kind = (kind_), .flags = (flags_), .name = PLINTH_TEXT(text), \
    .default_ = PLINTH_TEXT(value), .apply = apply, .data = &applied_number[at]

static const plinth_config configs[] = {
    {PARAMETER(0, PLINTH_CONFIG_INTEGER, 0, "number", "5"), .min = -10, .max = 10},
    {PARAMETER(1, PLINTH_CONFIG_BOOLEAN, 0, "flag", "yes")},
    {PARAMETER(2, PLINTH_CONFIG_CHOICE, 0, "choice", "green"), .choices = PLINTH_LIST(colours)},
    {PARAMETER(3, PLINTH_CONFIG_MEMORY, 0, "size", "2mb"), .min = 0, .max = INT64_MAX},
    {PARAMETER(4, PLINTH_CONFIG_TEXT, 0, "text", "plain")},
    {PARAMETER(5, PLINTH_CONFIG_INTEGER, PLINTH_CONFIG_IMMUTABLE, "fixed", "1"), .min = 0, .max = 9},
    {PARAMETER(6, PLINTH_CONFIG_INTEGER, PLINTH_CONFIG_HIDDEN, "hidden", "3"), .min = 0, .max = 9},
};

static const plinth_section sections[] = {
    {.size = PLINTH_SIZE(plinth_section), .name = PLINTH_TEXT("state"), .write = write_section},
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("probe"),
    .version = PLINTH_TEXT("1.2.3"),
    .requires_ = PLINTH_LIST(services),
    .types = PLINTH_LIST(types),
    .commands = PLINTH_LIST(commands),
    .configs = PLINTH_LIST(configs),
    .infos = PLINTH_LIST(sections),
    .start = start,
    .stop = stop,
};
