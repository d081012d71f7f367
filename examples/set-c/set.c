// Large sets in C: a storage for the commands of sets, as the service plinth.set-storage/1.
//
// The structure is linear hashing (Litwin, VLDB 1980) over chains of nodes. It grows and shrinks by
// one bucket at a time, so no insert is ever slow:
//
//   segments ──┬─ [ 256 buckets ]      bucket ── node ── node ── ...
//              ├─ [ 256 buckets ]
//              └─ ...                  node     [ next ][ length u32 ][ bytes ]
//
// A member of hash h is in bucket h & mask, or in h & (mask >> 1) where that bucket does not exist
// yet; mask is the least 2^k - 1 that is not below the number of the last bucket.
//
// A scan walks the hashes in the order of their bits read backwards. In this order a bucket is an
// interval, and splitting it halves the interval: so the end of the bucket just visited says where
// to go on, however many buckets there are by then.

#include <plinth/plinth.h>
#include <stdlib.h>

typedef struct node {
    struct node *next;
    uint32_t len;
    uint8_t bytes[];
} node;

enum { SEGMENT = 256, SPLIT_LOAD = 2, CHAIN_WIDTH = 16 };

typedef struct {
    plinth_hash_member hash;
    node ***segments;
    size_t segments_room; // Places in `segments`.
    size_t buckets;       // Always at least 1.
    size_t mask;
    size_t len;
    size_t bytes; // Allocated by nodes.
} set;

// The blocks that the allocator gives have at least this size.
static size_t node_size(uint32_t len) {
    const size_t size = offsetof(node, bytes) + len;
    return (size < sizeof(node) ? sizeof(node) : size + 7) & ~(size_t)7;
}

static node **bucket(const set *of, size_t index) { return &of->segments[index / SEGMENT][index % SEGMENT]; }

static size_t home(const set *of, uint64_t hash) {
    const size_t index = (size_t)hash & of->mask;
    return index < of->buckets ? index : index & (of->mask >> 1);
}

static const plinth_host *host;

static int is_member(const node *at, plinth_bytes member) {
    return at->len == member.len && memcmp(at->bytes, member.data, member.len) == 0;
}

// Where the pointer to a member's node is, or the null pointer at the end of its chain.
static node **find(const set *in, plinth_bytes member, uint64_t hash) {
    node **at = bucket(in, home(in, hash));
    while (*at != NULL && !is_member(*at, member)) {
        at = &(*at)->next;
    }
    return at;
}

// ---- growing and shrinking, a bucket at a time ----

// Makes room for the bucket behind the last.
static int make_room(set *in) {
    const size_t segment = in->buckets / SEGMENT;
    if (in->buckets % SEGMENT != 0) {
        return 1;
    }
    if (segment == in->segments_room) {
        const size_t room = in->segments_room * 2;
        node ***larger = realloc(in->segments, room * sizeof *larger);
        if (larger == NULL) {
            return 0;
        }
        in->segments = larger;
        in->segments_room = room;
    }
    in->segments[segment] = calloc(SEGMENT, sizeof(node *));
    return in->segments[segment] != NULL;
}

// Adds a bucket, and moves those there that belong there. Without memory chains stay longer.
static void split(set *in) {
    if (!make_room(in)) {
        return;
    }
    const size_t new = in->buckets++;
    if (new > in->mask) {
        in->mask = in->mask * 2 + 1;
    }
    node **from = bucket(in, new & (in->mask >> 1));
    node **to = bucket(in, new);
    while (*from != NULL) {
        node *at = *from;
        const plinth_bytes member = {at->bytes, at->len};
        if (home(in, in->hash(member)) != new) {
            from = &at->next;
            continue;
        }
        *from = at->next;
        at->next = NULL;
        *to = at;
        to = &at->next;
    }
}

// Takes the last bucket away, and hangs its chain behind the one that stands in for it.
static void merge(set *in) {
    const size_t last = in->buckets - 1;
    node *chain = *bucket(in, last);
    *bucket(in, last) = NULL;
    node **to = bucket(in, last & (in->mask >> 1));
    while (*to != NULL) {
        to = &(*to)->next;
    }
    *to = chain;
    in->buckets = last;
    if (last % SEGMENT == 0) {
        free(in->segments[last / SEGMENT]);
    }
    if (last - 1 <= in->mask >> 1) {
        in->mask >>= 1;
    }
}

// ---- the functions of the table ----

static void *set_create(plinth_hash_member hash) {
    set *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    made->hash = hash;
    made->segments_room = 4;
    made->segments = calloc(made->segments_room, sizeof *made->segments);
    if (made->segments == NULL || !make_room(made)) {
        free(made->segments);
        free(made);
        return NULL;
    }
    made->buckets = 1;
    return made;
}

// Large sets are dropped on a thread of the host's that has time. It gives way now and then, lest the
// server wait for it where both share a core.
static void set_drop(void *of) {
    set *dropped = of;
    for (size_t index = 0; index < dropped->buckets; index++) {
        if (index % 64 == 63) {
            host->give_way(host);
        }
        for (node *at = *bucket(dropped, index); at != NULL;) {
            node *next = at->next;
            free(at);
            at = next;
        }
    }
    for (size_t segment = 0; segment * SEGMENT < dropped->buckets; segment++) {
        free(dropped->segments[segment]);
    }
    free(dropped->segments);
    free(dropped);
}

static size_t set_len(void *of) { return ((const set *)of)->len; }

static uint32_t set_contains(void *of, plinth_bytes member, uint64_t hash) { return *find(of, member, hash) != NULL; }

static plinth_status set_insert(void *into, plinth_bytes member, uint64_t hash) {
    set *in = into;
    node **at = find(in, member, hash);
    if (*at != NULL) {
        return PLINTH_STATUS_EXISTS;
    }
    node *made = member.len <= UINT32_MAX ? malloc(node_size((uint32_t)member.len)) : NULL;
    if (made == NULL) {
        return PLINTH_STATUS_OUT_OF_MEMORY;
    }
    made->next = NULL;
    made->len = (uint32_t)member.len;
    if (member.len != 0) {
        memcpy(made->bytes, member.data, member.len);
    }
    *at = made;
    in->len++;
    in->bytes += node_size(made->len);
    if (in->len > in->buckets * SPLIT_LOAD) {
        split(in);
    }
    return PLINTH_STATUS_OK;
}

static plinth_status set_remove(void *from, plinth_bytes member, uint64_t hash) {
    set *in = from;
    node **at = find(in, member, hash);
    node *gone = *at;
    if (gone == NULL) {
        return PLINTH_STATUS_NONE;
    }
    *at = gone->next;
    in->len--;
    in->bytes -= node_size(gone->len);
    free(gone);
    // A third of the load at which it grows, so that a size that swings a little does neither.
    if (in->buckets > 1 && in->len * 3 < in->buckets * SPLIT_LOAD) {
        merge(in);
    }
    return PLINTH_STATUS_OK;
}

static uint64_t backwards(uint64_t bits) {
    uint64_t reversed = 0;
    for (int at = 0; at < 64; at++) {
        reversed = reversed << 1 | (bits >> at & 1);
    }
    return reversed;
}

static uint64_t set_scan(void *of, uint64_t cursor, plinth_visit_member visit, void *data) {
    const set *in = of;
    const size_t index = home(in, cursor);
    for (const node *at = *bucket(in, index); at != NULL; at = at->next) {
        visit(data, (plinth_bytes){at->bytes, at->len});
    }
    // How many bits of a hash decide that it is here: one less where the bucket is not split yet.
    int bits = 0;
    for (size_t mask = in->mask; mask != 0; mask >>= 1) {
        bits++;
    }
    if (bits != 0 && (index | ((in->mask >> 1) + 1)) >= in->buckets) {
        bits--;
    }
    if (bits == 0) {
        return 0;
    }
    return backwards(backwards(index) + ((uint64_t)1 << (64 - bits))); // Wraps to 0 at the end.
}

// The high half of the number picks a bucket, and the low one a place in a chain of sixteen: so a
// member of a short chain is picked as often as one of a long chain.
static plinth_status set_random(void *of, uint64_t number, plinth_bytes *member_out) {
    const set *in = of;
    const node *chain = *bucket(in, (size_t)((number >> 32) * in->buckets >> 32));
    uint64_t width = 0;
    for (const node *at = chain; at != NULL; at = at->next) {
        width++;
    }
    width = width < CHAIN_WIDTH ? CHAIN_WIDTH : width;
    uint64_t place = (uint64_t)(uint32_t)number * width >> 32;
    const node *at = chain;
    while (at != NULL && place-- != 0) {
        at = at->next;
    }
    if (at == NULL) {
        return PLINTH_STATUS_NONE;
    }
    *member_out = (plinth_bytes){at->bytes, at->len};
    return PLINTH_STATUS_OK;
}

static size_t set_memory(void *of) {
    const set *in = of;
    const size_t segments = (in->buckets + SEGMENT - 1) / SEGMENT;
    return sizeof *in + in->segments_room * sizeof(node **) + segments * SEGMENT * sizeof(node *) + in->bytes;
}

static const plinth_set_storage_service table = {
    .size = PLINTH_SIZE(plinth_set_storage_service),
    .flags = PLINTH_SERVICE_PINNED,
    .create = set_create,
    .drop = set_drop,
    .len = set_len,
    .contains = set_contains,
    .insert = set_insert,
    .remove = set_remove,
    .scan = set_scan,
    .random = set_random,
    .memory = set_memory,
};

static const plinth_provided provided[] = {{PLINTH_TEXT(PLINTH_SET_STORAGE_SERVICE), (void *)&table}};

static plinth_status start(plinth_call *call) {
    host = call->host;
    return PLINTH_STATUS_OK;
}

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("set-c"),
    .version = PLINTH_TEXT("1.0.0"),
    .provides = PLINTH_LIST(provided),
    .start = start,
};
