// Generated from module-api/abi/src/command.rs by `cargo xtask headers`; do not edit.
//
// The command: one function with its spec, which feeds COMMAND, COMMAND DOCS, ACL categories, key
// extraction and the gates before a run.
//
// Fields mean what <https://redis.io/docs/latest/commands/command/> says.

#ifndef PLINTH_COMMAND_H
#define PLINTH_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_ahead plinth_ahead;
typedef struct plinth_arg plinth_arg;
typedef struct plinth_call plinth_call; // call.h
typedef struct plinth_change plinth_change;
typedef struct plinth_channels plinth_channels;
typedef struct plinth_command plinth_command;
typedef struct plinth_docs plinth_docs;
typedef struct plinth_found_key plinth_found_key;
typedef struct plinth_handler plinth_handler;
typedef struct plinth_key_spec plinth_key_spec;

// An array of `plinth_arg`; see `plinth/bytes.h`.
typedef struct plinth_arg_slice {
    const plinth_arg *items;
    uint32_t count;
    uint32_t stride;
} plinth_arg_slice;

// An array of `plinth_change`; see `plinth/bytes.h`.
typedef struct plinth_change_slice {
    const plinth_change *items;
    uint32_t count;
    uint32_t stride;
} plinth_change_slice;

// An array of `plinth_command`; see `plinth/bytes.h`.
typedef struct plinth_command_slice {
    const plinth_command *items;
    uint32_t count;
    uint32_t stride;
} plinth_command_slice;

// An array of `plinth_key_spec`; see `plinth/bytes.h`.
typedef struct plinth_key_spec_slice {
    const plinth_key_spec *items;
    uint32_t count;
    uint32_t stride;
} plinth_key_spec_slice;

// May modify data.
#define PLINTH_COMMAND_WRITE (UINT64_C(1) << 0)
// Reads data only.
#define PLINTH_COMMAND_READONLY (UINT64_C(1) << 1)
// Refused when `maxmemory` is reached.
#define PLINTH_COMMAND_DENY_OOM (UINT64_C(1) << 2)
// For administrators.
#define PLINTH_COMMAND_ADMIN (UINT64_C(1) << 3)
// About publish and subscribe.
#define PLINTH_COMMAND_PUBSUB (UINT64_C(1) << 4)
// Not from scripts.
#define PLINTH_COMMAND_NO_SCRIPT (UINT64_C(1) << 5)
// May wait for data.
#define PLINTH_COMMAND_BLOCKING (UINT64_C(1) << 6)
// Runs while the server loads its data.
#define PLINTH_COMMAND_LOADING (UINT64_C(1) << 7)
// Runs on a replica whose data may be old.
#define PLINTH_COMMAND_STALE (UINT64_C(1) << 8)
// Not shown to MONITOR.
#define PLINTH_COMMAND_SKIP_MONITOR (UINT64_C(1) << 9)
// Not kept in the slow log.
#define PLINTH_COMMAND_SKIP_SLOWLOG (UINT64_C(1) << 10)
// A cluster node in migration runs it as if ASKING had come before.
#define PLINTH_COMMAND_ASKING (UINT64_C(1) << 11)
// Constant or logarithmic time.
#define PLINTH_COMMAND_FAST (UINT64_C(1) << 12)
// Runs before authentication.
#define PLINTH_COMMAND_NO_AUTH (UINT64_C(1) << 13)
// Sent to replicas though it writes nothing.
#define PLINTH_COMMAND_MAY_REPLICATE (UINT64_C(1) << 14)
// Not inside MULTI.
#define PLINTH_COMMAND_NO_MULTI (UINT64_C(1) << 15)
// Its keys are found only by the specs or by `find_keys`, not by a fixed range.
#define PLINTH_COMMAND_MOVABLE_KEYS (UINT64_C(1) << 16)
// Runs in a script only when the script says `allow-busy`.
#define PLINTH_COMMAND_ALLOW_BUSY (UINT64_C(1) << 17)
// Its arguments hold secrets: masked in logs.
#define PLINTH_COMMAND_SENSITIVE (UINT64_C(1) << 18)
// Not for clients, who are told that there is no such command: modules run it with `plinth.run/1`,
// and DEBUG runs `debug.name` for its subcommand `name`.
#define PLINTH_COMMAND_INTERNAL (UINT64_C(1) << 19)
// Runs at once inside MULTI instead of being queued.
#define PLINTH_COMMAND_NOT_QUEUED (UINT64_C(1) << 20)
// May touch keys that its specs do not name (KEYS, SCAN, FLUSHALL).
#define PLINTH_COMMAND_TOUCHES_ARBITRARY_KEYS (UINT64_C(1) << 21)
// Answers by several replies, by pushes, or not at all: the host does not mind that it has not
// written one reply, and CLIENT REPLY does not silence what it writes.
#define PLINTH_COMMAND_MANY_REPLIES (UINT64_C(1) << 22)
// Runs also for a client that listens (`listen` of `plinth.clients/1`) and speaks RESP2, which
// cannot tell a reply from what it listens to.
#define PLINTH_COMMAND_WHILE_LISTENING (UINT64_C(1) << 23)
// Its keys are those of commands that it runs, and it may be told none: COMMAND GETKEYS answers an
// empty list then, and clients that cache are told of what the commands have read, not of what was
// declared.
#define PLINTH_COMMAND_NO_MANDATORY_KEYS (UINT64_C(1) << 24)
// Does not run while a replica loads a snapshot beside the data that it goes on serving, whatever
// else does.
#define PLINTH_COMMAND_NO_ASYNC_LOADING (UINT64_C(1) << 25)

// ACL category `@keyspace`.
#define PLINTH_CATEGORY_KEYSPACE (UINT64_C(1) << 0)
// ACL category `@read`; the host adds it from `PLINTH_COMMAND_READONLY`.
#define PLINTH_CATEGORY_READ (UINT64_C(1) << 1)
// ACL category `@write`; the host adds it from `PLINTH_COMMAND_WRITE`.
#define PLINTH_CATEGORY_WRITE (UINT64_C(1) << 2)
// ACL category `@pubsub`; the host adds it from `PLINTH_COMMAND_PUBSUB`.
#define PLINTH_CATEGORY_PUBSUB (UINT64_C(1) << 3)
// ACL category `@admin`; the host adds it from `PLINTH_COMMAND_ADMIN`.
#define PLINTH_CATEGORY_ADMIN (UINT64_C(1) << 4)
// ACL category `@fast`; the host adds it from `PLINTH_COMMAND_FAST`.
#define PLINTH_CATEGORY_FAST (UINT64_C(1) << 5)
// ACL category `@slow`; the host adds it to all that are not fast.
#define PLINTH_CATEGORY_SLOW (UINT64_C(1) << 6)
// ACL category `@blocking`; the host adds it from `PLINTH_COMMAND_BLOCKING`.
#define PLINTH_CATEGORY_BLOCKING (UINT64_C(1) << 7)
// ACL category `@dangerous`; the host adds it from `PLINTH_COMMAND_ADMIN`.
#define PLINTH_CATEGORY_DANGEROUS (UINT64_C(1) << 8)
// ACL category `@connection`.
#define PLINTH_CATEGORY_CONNECTION (UINT64_C(1) << 9)
// ACL category `@transaction`.
#define PLINTH_CATEGORY_TRANSACTION (UINT64_C(1) << 10)
// ACL category `@scripting`.
#define PLINTH_CATEGORY_SCRIPTING (UINT64_C(1) << 11)

// Key flag: the whole value is read and written.
#define PLINTH_KEY_RW (UINT64_C(1) << 0)
// Key flag: the value is read, nothing is written.
#define PLINTH_KEY_RO (UINT64_C(1) << 1)
// Key flag: the value is overwritten without being read.
#define PLINTH_KEY_OW (UINT64_C(1) << 2)
// Key flag: the key is removed.
#define PLINTH_KEY_RM (UINT64_C(1) << 3)
// Key flag: its content reaches the reply.
#define PLINTH_KEY_ACCESS (UINT64_C(1) << 4)
// Key flag: its content is changed by what it was or by an argument.
#define PLINTH_KEY_UPDATE (UINT64_C(1) << 5)
// Key flag: content is added.
#define PLINTH_KEY_INSERT (UINT64_C(1) << 6)
// Key flag: content is taken away.
#define PLINTH_KEY_DELETE (UINT64_C(1) << 7)
// Key flag: not a key, but routed by like one.
#define PLINTH_KEY_NOT_KEY (UINT64_C(1) << 8)
// Key flag: the spec may miss keys.
#define PLINTH_KEY_INCOMPLETE (UINT64_C(1) << 9)
// Key flag: whether the key is read or written depends on other arguments.
#define PLINTH_KEY_VARIABLE_FLAGS (UINT64_C(1) << 10)
// Where keys begin: at a fixed argument.
#define PLINTH_KEY_BEGIN_INDEX UINT32_C(1)
// Where keys begin: after a keyword.
#define PLINTH_KEY_BEGIN_KEYWORD UINT32_C(2)
// Which arguments are keys: from the first to `last` in steps.
#define PLINTH_KEY_FIND_RANGE UINT32_C(1)
// Which arguments are keys: as many as an argument says.
#define PLINTH_KEY_FIND_KEYNUM UINT32_C(2)

// One way in which arguments are keys. <https://redis.io/docs/latest/develop/reference/key-specs/>
struct plinth_key_spec {
    // Size of this struct in bytes.
    uint32_t size;
    // `PLINTH_KEY_BEGIN_*`.
    uint32_t begin;
    // `PLINTH_KEY_*` flag bits.
    uint64_t flags;
    // Position of the first key, or for a keyword where its search starts (negative: from the end,
    // backwards).
    int32_t index;
    // `PLINTH_KEY_FIND_*`.
    uint32_t find;
    // Keyword after which keys begin, for `PLINTH_KEY_BEGIN_KEYWORD`.
    plinth_bytes keyword;
    // Range: last key relative to the first, negative counts from the end (-1 is the last
    // argument). Keynum: offset of the argument that holds the number.
    int32_t last;
    // Distance between keys.
    int32_t step;
    // Range: with `last` -1, 2 means the first half of what is left. Keynum: offset of the first
    // key.
    int32_t limit;
    // Must be 0.
    uint32_t reserved;
    // A remark, or empty.
    plinth_bytes notes;
};

// Kind of an argument in docs: text.
#define PLINTH_ARG_STRING UINT32_C(0)
// Kind of an argument in docs: integer.
#define PLINTH_ARG_INTEGER UINT32_C(1)
// Kind of an argument in docs: floating point number.
#define PLINTH_ARG_DOUBLE UINT32_C(2)
// Kind of an argument in docs: a key.
#define PLINTH_ARG_KEY UINT32_C(3)
// Kind of an argument in docs: a glob pattern.
#define PLINTH_ARG_PATTERN UINT32_C(4)
// Kind of an argument in docs: Unix time.
#define PLINTH_ARG_UNIX_TIME UINT32_C(5)
// Kind of an argument in docs: a bare word, its `token`.
#define PLINTH_ARG_PURE_TOKEN UINT32_C(6)
// Kind of an argument in docs: one of its `args`.
#define PLINTH_ARG_ONE_OF UINT32_C(7)
// Kind of an argument in docs: all of its `args` in order.
#define PLINTH_ARG_BLOCK UINT32_C(8)
// Argument flag: may be left out.
#define PLINTH_ARG_OPTIONAL (UINT32_C(1) << 0)
// Argument flag: may be repeated.
#define PLINTH_ARG_MULTIPLE (UINT32_C(1) << 1)
// Argument flag: its token is repeated with it.
#define PLINTH_ARG_MULTIPLE_TOKEN (UINT32_C(1) << 2)

// One argument as COMMAND DOCS shows it.
struct plinth_arg {
    // Size of this struct in bytes.
    uint32_t size;
    // `PLINTH_ARG_*` kind.
    uint32_t kind;
    // `PLINTH_ARG_*` flag bits.
    uint32_t flags;
    // Which key spec it belongs to, or -1.
    int32_t key_spec;
    // Name.
    plinth_bytes name;
    // Word that goes before it, or empty.
    plinth_bytes token;
    // Version since which it exists, when later than its command; or empty.
    plinth_bytes since;
    // Members of a one-of or a block.
    plinth_arg_slice args;
};

// One change of a command in its past.
struct plinth_change {
    // Version.
    plinth_bytes version;
    // What changed, a sentence.
    plinth_bytes what;
};

// What COMMAND DOCS says of a command.
struct plinth_docs {
    // Size of this struct in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;
    // One sentence.
    plinth_bytes summary;
    // Version of Redis (or of the module) since which it exists.
    plinth_bytes since;
    // Group in the docs, such as `string`.
    plinth_bytes group;
    // Time complexity in O notation.
    plinth_bytes complexity;
    // Version since which it is deprecated, or empty.
    plinth_bytes deprecated_since;
    // What replaces it, or empty.
    plinth_bytes replaced_by;
    // Changes in its past.
    plinth_change_slice history;
    // Arguments.
    plinth_arg_slice args;
};

// What runs a command.
struct plinth_handler {
    // The function; null for a command that only has subcommands. For a status other than OK and
    // REPLIED the host sends the standard error.
    //
    // Thread: main. Borrow: the call until it returns. Fails: any status.
    plinth_status (*invoke)(plinth_call *call);

    // The module's own: the Rust SDK keeps the safe function here.
    void *data;
};

// What `plinth_command.look_ahead` gets: a command that is going to run, and the value of its first
// key.
struct plinth_ahead {
    // Size of this struct in bytes.
    uint32_t size;
    // 0, 1 and so on.
    uint32_t stage;
    // The value's type: the number that the host wrote to `id_out`. It may be another module's.
    uint32_t type_id;
    // Number of arguments with the name. The command's arity has not been checked.
    uint32_t argc;
    // Arguments.
    const plinth_bytes *args;
    // The value, a boxed one. It must not be changed.
    void *boxed;
    // The function's own from one stage to the next, such as a hash; 0 at first.
    uint64_t memo;
};

// A key that `plinth_command.find_keys` found.
struct plinth_found_key {
    // `PLINTH_KEY_*` bits, which say what these arguments do with it; 0 for what its spec says.
    uint64_t flags;
    // Position of the argument; the command's name is 0.
    uint32_t position;
    // Must be 0.
    uint32_t reserved;
};

// Channel flag: messages are sent to it.
#define PLINTH_CHANNEL_PUBLISH (UINT32_C(1) << 0)
// Channel flag: it is listened to.
#define PLINTH_CHANNEL_SUBSCRIBE (UINT32_C(1) << 1)
// Channel flag: it is listened to no more.
#define PLINTH_CHANNEL_UNSUBSCRIBE (UINT32_C(1) << 2)
// Channel flag: it is a pattern of channels.
#define PLINTH_CHANNEL_PATTERN (UINT32_C(1) << 3)

// Which arguments of a command are channels. A user's rules are asked about those that are
// published or subscribed to.
struct plinth_channels {
    // Size of this struct in bytes.
    uint32_t size;
    // `PLINTH_CHANNEL_*` bits, 0 for a command without channels.
    uint32_t flags;
    // Position of the first.
    uint32_t first;
    // How many there are; negative: all arguments from the first.
    int32_t count;
};

// A command.
struct plinth_command {
    // Size of this struct in bytes.
    uint32_t size;
    // Number of arguments with the name; negative: at least that many. A subcommand counts the
    // container's name too.
    int32_t arity;
    // Name in lower case; of a subcommand, without the container's name.
    plinth_bytes name;
    // `PLINTH_COMMAND_*` bits.
    uint64_t flags;
    // `PLINTH_CATEGORY_*` bits.
    uint64_t categories;
    // What runs it.
    plinth_handler run;
    // Which arguments are keys.
    plinth_key_spec_slice keys;
    // Tips for clients and proxies. <https://redis.io/docs/latest/develop/reference/command-tips/>
    plinth_bytes_slice tips;
    // Subcommands; they nest once.
    plinth_command_slice subcommands;
    // Docs, or null.
    const plinth_docs *docs;

    // For commands whose keys no spec describes, or whose options say what becomes of them
    // (`PLINTH_KEY_VARIABLE_FLAGS`): writes the keys to `keys_out` (room for `argc`), returns how
    // many. Null without.
    //
    // Thread: main. Borrow: the arguments for the call. Fails: 0.
    uint32_t (*find_keys)(const plinth_bytes *args, uint32_t argc, plinth_found_key *keys_out);

    // Starts loading the memory that a run will look at behind its first key, so that the waiting
    // times of commands that arrived together overlap. The host calls it before it runs them, for
    // commands whose first key is at a fixed argument and has a boxed value: stage 0 for all of
    // them, then stage 1 for those that returned 1, and so on, four stages at most. It is a hint:
    // it must change nothing but `memo`, it may not be called, and commands that run first may
    // change the value. Null without.
    //
    // Thread: main. Borrow: the call. Fails: 0.
    uint32_t (*look_ahead)(plinth_ahead *ahead);

    // ACL categories by name, beside `categories`: those of data types, or a module's own. 1 to 24
    // lower-case letters, digits, `-` and `_`, without the `@`. A name that nobody has used before
    // is a new category; there can be 48 of them.
    plinth_bytes_slice category_names;
    // Which arguments are channels.
    plinth_channels channels;

    // For commands that do what their arguments say, as scripts do: the bits that hold with these
    // in the place of `flags`. `WRITE` and `MAY_REPLICATE` are looked at, by CLIENT PAUSE, and of
    // what is queued for EXEC. Null without.
    //
    // Thread: main. Borrow: the arguments for the call. Fails: 0.
    uint64_t (*find_flags)(const plinth_bytes *args, uint32_t argc);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_key_spec, 72);
PLINTH_ASSERT_OFFSET(plinth_key_spec, size, 0);
PLINTH_ASSERT_OFFSET(plinth_key_spec, begin, 4);
PLINTH_ASSERT_OFFSET(plinth_key_spec, flags, 8);
PLINTH_ASSERT_OFFSET(plinth_key_spec, index, 16);
PLINTH_ASSERT_OFFSET(plinth_key_spec, find, 20);
PLINTH_ASSERT_OFFSET(plinth_key_spec, keyword, 24);
PLINTH_ASSERT_OFFSET(plinth_key_spec, last, 40);
PLINTH_ASSERT_OFFSET(plinth_key_spec, step, 44);
PLINTH_ASSERT_OFFSET(plinth_key_spec, limit, 48);
PLINTH_ASSERT_OFFSET(plinth_key_spec, reserved, 52);
PLINTH_ASSERT_OFFSET(plinth_key_spec, notes, 56);
PLINTH_ASSERT_SIZE(plinth_arg, 80);
PLINTH_ASSERT_OFFSET(plinth_arg, size, 0);
PLINTH_ASSERT_OFFSET(plinth_arg, kind, 4);
PLINTH_ASSERT_OFFSET(plinth_arg, flags, 8);
PLINTH_ASSERT_OFFSET(plinth_arg, key_spec, 12);
PLINTH_ASSERT_OFFSET(plinth_arg, name, 16);
PLINTH_ASSERT_OFFSET(plinth_arg, token, 32);
PLINTH_ASSERT_OFFSET(plinth_arg, since, 48);
PLINTH_ASSERT_OFFSET(plinth_arg, args, 64);
PLINTH_ASSERT_SIZE(plinth_change, 32);
PLINTH_ASSERT_OFFSET(plinth_change, version, 0);
PLINTH_ASSERT_OFFSET(plinth_change, what, 16);
PLINTH_ASSERT_SIZE(plinth_docs, 136);
PLINTH_ASSERT_OFFSET(plinth_docs, size, 0);
PLINTH_ASSERT_OFFSET(plinth_docs, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_docs, summary, 8);
PLINTH_ASSERT_OFFSET(plinth_docs, since, 24);
PLINTH_ASSERT_OFFSET(plinth_docs, group, 40);
PLINTH_ASSERT_OFFSET(plinth_docs, complexity, 56);
PLINTH_ASSERT_OFFSET(plinth_docs, deprecated_since, 72);
PLINTH_ASSERT_OFFSET(plinth_docs, replaced_by, 88);
PLINTH_ASSERT_OFFSET(plinth_docs, history, 104);
PLINTH_ASSERT_OFFSET(plinth_docs, args, 120);
PLINTH_ASSERT_SIZE(plinth_handler, 16);
PLINTH_ASSERT_OFFSET(plinth_handler, invoke, 0);
PLINTH_ASSERT_OFFSET(plinth_handler, data, 8);
PLINTH_ASSERT_SIZE(plinth_ahead, 40);
PLINTH_ASSERT_OFFSET(plinth_ahead, size, 0);
PLINTH_ASSERT_OFFSET(plinth_ahead, stage, 4);
PLINTH_ASSERT_OFFSET(plinth_ahead, type_id, 8);
PLINTH_ASSERT_OFFSET(plinth_ahead, argc, 12);
PLINTH_ASSERT_OFFSET(plinth_ahead, args, 16);
PLINTH_ASSERT_OFFSET(plinth_ahead, boxed, 24);
PLINTH_ASSERT_OFFSET(plinth_ahead, memo, 32);
PLINTH_ASSERT_SIZE(plinth_found_key, 16);
PLINTH_ASSERT_OFFSET(plinth_found_key, flags, 0);
PLINTH_ASSERT_OFFSET(plinth_found_key, position, 8);
PLINTH_ASSERT_OFFSET(plinth_found_key, reserved, 12);
PLINTH_ASSERT_SIZE(plinth_channels, 16);
PLINTH_ASSERT_OFFSET(plinth_channels, size, 0);
PLINTH_ASSERT_OFFSET(plinth_channels, flags, 4);
PLINTH_ASSERT_OFFSET(plinth_channels, first, 8);
PLINTH_ASSERT_OFFSET(plinth_channels, count, 12);
PLINTH_ASSERT_SIZE(plinth_command, 168);
PLINTH_ASSERT_OFFSET(plinth_command, size, 0);
PLINTH_ASSERT_OFFSET(plinth_command, arity, 4);
PLINTH_ASSERT_OFFSET(plinth_command, name, 8);
PLINTH_ASSERT_OFFSET(plinth_command, flags, 24);
PLINTH_ASSERT_OFFSET(plinth_command, categories, 32);
PLINTH_ASSERT_OFFSET(plinth_command, run, 40);
PLINTH_ASSERT_OFFSET(plinth_command, keys, 56);
PLINTH_ASSERT_OFFSET(plinth_command, tips, 72);
PLINTH_ASSERT_OFFSET(plinth_command, subcommands, 88);
PLINTH_ASSERT_OFFSET(plinth_command, docs, 104);
PLINTH_ASSERT_OFFSET(plinth_command, find_keys, 112);
PLINTH_ASSERT_OFFSET(plinth_command, look_ahead, 120);
PLINTH_ASSERT_OFFSET(plinth_command, category_names, 128);
PLINTH_ASSERT_OFFSET(plinth_command, channels, 144);
PLINTH_ASSERT_OFFSET(plinth_command, find_flags, 160);
PLINTH_ASSERT_SIZE(plinth_arg_slice, 16);
PLINTH_ASSERT_SIZE(plinth_change_slice, 16);
PLINTH_ASSERT_SIZE(plinth_command_slice, 16);
PLINTH_ASSERT_SIZE(plinth_key_spec_slice, 16);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_COMMAND_H
