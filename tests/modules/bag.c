// The bags of tests/modules/bag in C: the same type and saved form, over chains of nodes, and the
// table by which large ones are converted element by element (plinth/convert.h).
//
//     bag.add key member by     bag.get key member     bag.len key     bag.which

#include <plinth/plinth.h>
#include <stdlib.h>

enum { BUCKETS = 1024 };

typedef struct node {
    struct node *next;
    int64_t count;
    size_t len;
    uint8_t member[];
} node;

typedef struct {
    node *buckets[BUCKETS];
    uint64_t len;
    node *changed; // The journal: members, some perhaps more than once.
    size_t changes;
    int noting;
} bag;

static const plinth_keys_service *keys;
static const plinth_reply_service *reply;
static const plinth_codec_service *codec;
static uint32_t bag_type;

static node *node_of(plinth_bytes member, node *next) {
    node *made = malloc(sizeof(node) + member.len);
    if (made) {
        made->next = next;
        made->count = 0;
        made->len = member.len;
        memcpy(made->member, member.data, member.len);
    }
    return made;
}

static plinth_bytes name_of(const node *of) { return (plinth_bytes){of->member, of->len}; }

static node **place(bag *in, plinth_bytes member) {
    uint64_t hash = 5381;
    for (size_t at = 0; at < member.len; at++) {
        hash = hash * 33 ^ member.data[at];
    }
    node **link = &in->buckets[(hash ^ hash >> 20) % BUCKETS];
    while (*link && ((*link)->len != member.len || memcmp((*link)->member, member.data, member.len) != 0)) {
        link = &(*link)->next;
    }
    return link;
}

static int64_t count_of(bag *in, plinth_bytes member) {
    node *found = *place(in, member);
    return found ? found->count : 0;
}

static plinth_status set(bag *in, plinth_bytes member, int64_t count) {
    node *note = in->noting ? node_of(member, in->changed) : NULL;
    node **link = place(in, member);
    if (!*link && count != 0) {
        *link = node_of(member, NULL);
        in->len += *link != NULL;
    }
    if ((in->noting && !note) || (!*link && count != 0)) {
        free(note);
        return PLINTH_STATUS_OUT_OF_MEMORY;
    }
    if (note) {
        in->changed = note;
        in->changes++;
    }
    if (*link && count == 0) {
        node *gone = *link;
        *link = gone->next;
        in->len--;
        free(gone);
    } else if (*link) {
        (*link)->count = count;
    }
    return PLINTH_STATUS_OK;
}

static void free_chain(node *first) {
    while (first) {
        node *next = first->next;
        free(first);
        first = next;
    }
}

// ---- The type. ----

static plinth_status bag_save(const plinth_value *value, void *saver) {
    const bag *from = value->boxed;
    codec->put_u64(saver, from->len);
    for (int at = 0; at < BUCKETS; at++) {
        for (const node *one = from->buckets[at]; one; one = one->next) {
            codec->put_bytes(saver, name_of(one));
            codec->put_i64(saver, one->count);
        }
    }
    return PLINTH_STATUS_OK;
}

static void bag_drop(void *boxed) {
    bag *gone = boxed;
    for (int at = 0; at < BUCKETS; at++) {
        free_chain(gone->buckets[at]);
    }
    free_chain(gone->changed);
    free(gone);
}

static plinth_status bag_load(void *loader, uint32_t encoding) {
    (void)encoding;
    bag *made = calloc(1, sizeof *made);
    uint64_t left;
    plinth_status status = made ? codec->get_u64(loader, &left) : PLINTH_STATUS_OUT_OF_MEMORY;
    for (; status == PLINTH_STATUS_OK && left > 0; left--) {
        plinth_bytes member;
        int64_t count;
        status = codec->get_bytes(loader, &member);
        node *copy = status == PLINTH_STATUS_OK ? node_of(member, NULL) : NULL;
        if (status == PLINTH_STATUS_OK) {
            status = copy ? codec->get_i64(loader, &count) : PLINTH_STATUS_OUT_OF_MEMORY;
        }
        if (status == PLINTH_STATUS_OK) {
            status = set(made, name_of(copy), count);
        }
        free(copy);
    }
    if (status == PLINTH_STATUS_OK) {
        status = codec->finish_boxed(loader, 0, made);
    }
    if (status != PLINTH_STATUS_OK && made) {
        bag_drop(made);
    }
    return status;
}

static size_t bag_memory(const plinth_value *value) {
    return sizeof(bag) + ((const bag *)value->boxed)->len * 64;
}

static size_t bag_effort(const plinth_value *value) { return ((const bag *)value->boxed)->len; }

static plinth_bytes bag_encoding(const plinth_value *value) {
    (void)value;
    return plinth_text("chains");
}

// ---- Its conversion. ----

static plinth_status export_begin(void *boxed) {
    ((bag *)boxed)->noting = 1;
    return PLINTH_STATUS_OK;
}

static plinth_status visit_node(const node *one, plinth_element visit, void *data) {
    return visit(data, name_of(one), (plinth_bytes){(const uint8_t *)&one->count, 8}, 0);
}

static plinth_status export_some(void *boxed, uint64_t *cursor, size_t budget, plinth_element visit, void *data) {
    const bag *from = boxed;
    size_t seen = 0;
    for (; *cursor < BUCKETS && seen < budget; ++*cursor) {
        for (const node *one = from->buckets[*cursor]; one; one = one->next, seen++) {
            plinth_status status = visit_node(one, visit, data);
            if (status != PLINTH_STATUS_OK) {
                return status;
            }
        }
    }
    *cursor %= BUCKETS;
    return PLINTH_STATUS_OK;
}

static plinth_status export_changes(void *boxed, size_t budget, size_t *left_out, plinth_element visit, void *data) {
    bag *from = boxed;
    plinth_status status = PLINTH_STATUS_OK;
    for (; status == PLINTH_STATUS_OK && budget > 0 && from->changed; budget--) {
        node *change = from->changed;
        const node *present = *place(from, name_of(change));
        status = present ? visit_node(present, visit, data)
                         : visit(data, name_of(change), (plinth_bytes){NULL, 0}, 1);
        from->changed = change->next;
        from->changes--;
        free(change);
    }
    *left_out = from->changes;
    return status;
}

static void export_end(void *boxed) {
    bag *from = boxed;
    free_chain(from->changed);
    from->changed = NULL;
    from->changes = 0;
    from->noting = 0;
}

static void *import_new(void) { return calloc(1, sizeof(bag)); }

static plinth_status import_put(void *boxed, plinth_bytes element, plinth_bytes payload) {
    int64_t count;
    if (payload.len != sizeof count) {
        return PLINTH_STATUS_BAD_DATA;
    }
    memcpy(&count, payload.data, sizeof count);
    return set(boxed, element, count);
}

static plinth_status import_remove(void *boxed, plinth_bytes element) { return set(boxed, element, 0); }

static plinth_status import_finish(void *boxed, uint32_t *tag_out) {
    (void)boxed;
    *tag_out = 0;
    return PLINTH_STATUS_OK;
}

static const plinth_convert convert = {
    .size = PLINTH_SIZE(plinth_convert), .export_begin = export_begin, .export_some = export_some,
    .export_changes = export_changes, .export_end = export_end, .import_new = import_new,
    .import_put = import_put, .import_remove = import_remove, .import_finish = import_finish,
};

// ---- Commands. ----

static plinth_status open_bag(plinth_call *call, plinth_entry *entry) {
    *entry = (plinth_entry){.size = PLINTH_SIZE(plinth_entry)};
    return keys->get(call, call->args[1], bag_type, 0, entry);
}

static plinth_status add(plinth_call *call) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    plinth_status status = open_bag(call, &entry);
    if (status == PLINTH_STATUS_NONE) {
        bag *made = calloc(1, sizeof *made);
        status = made ? keys->put_boxed(call, call->args[1], bag_type, 0, made, PLINTH_PUT_ABSENT, &entry)
                      : PLINTH_STATUS_OUT_OF_MEMORY;
        if (status != PLINTH_STATUS_OK) {
            free(made);
        }
    }
    if (status != PLINTH_STATUS_OK) {
        return status;
    }
    char digits[32] = {0};
    memcpy(digits, call->args[3].data, call->args[3].len < 31 ? call->args[3].len : 31);
    int64_t count = count_of(entry.boxed, call->args[2]) + strtoll(digits, NULL, 10);
    status = set(entry.boxed, call->args[2], count);
    if (status == PLINTH_STATUS_OK) {
        keys->modified(call, call->args[1], PLINTH_EVENT_MODULE, plinth_text("bag.add"));
        reply->integer(call, count);
    }
    return status;
}

static plinth_status get(plinth_call *call) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    plinth_status status = open_bag(call, &entry);
    if (status == PLINTH_STATUS_OK || status == PLINTH_STATUS_NONE) {
        reply->integer(call, status == PLINTH_STATUS_OK ? count_of(entry.boxed, call->args[2]) : 0);
        status = PLINTH_STATUS_OK;
    }
    return status;
}

static plinth_status len(plinth_call *call) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    plinth_status status = open_bag(call, &entry);
    if (status == PLINTH_STATUS_OK || status == PLINTH_STATUS_NONE) {
        reply->integer(call, status == PLINTH_STATUS_OK ? (int64_t)((bag *)entry.boxed)->len : 0);
        status = PLINTH_STATUS_OK;
    }
    return status;
}

static plinth_status which(plinth_call *call) {
    reply->simple(call, plinth_text("chains"));
    return PLINTH_STATUS_OK;
}

static plinth_status start(plinth_call *call) {
    keys = plinth_service(call, PLINTH_KEYS_SERVICE, PLINTH_SIZE(plinth_keys_service));
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    codec = plinth_service(call, PLINTH_CODEC_SERVICE, PLINTH_SIZE(plinth_codec_service));
    return keys && reply && codec ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

static const plinth_type types[] = {
    {.size = PLINTH_SIZE(plinth_type), .encoding = 1, .name = PLINTH_TEXT("com.example.bag"),
     .id_out = &bag_type, .save = bag_save, .load = bag_load, .drop = bag_drop, .memory = bag_memory,
     .free_effort = bag_effort, .encoding_name = bag_encoding, .convert = &convert},
};

static const plinth_key_spec on_key[] = {PLINTH_KEY_AT(PLINTH_KEY_RW | PLINTH_KEY_UPDATE, 1)};

#define COMMAND(text, arity_, run_, ...) \
    {.size = PLINTH_SIZE(plinth_command), .arity = (arity_), .name = PLINTH_TEXT(text), \
     .flags = PLINTH_COMMAND_WRITE, .run = {.invoke = (run_)}, __VA_ARGS__}

static const plinth_command commands[] = {
    COMMAND("bag.add", 4, add, .keys = PLINTH_LIST(on_key)),
    COMMAND("bag.get", 3, get, .keys = PLINTH_LIST(on_key)),
    COMMAND("bag.len", 2, len, .keys = PLINTH_LIST(on_key)),
    COMMAND("bag.which", 1, which, .docs = NULL),
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("bag"),
    .version = PLINTH_TEXT("3.0.0"),
    .types = PLINTH_LIST(types),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
