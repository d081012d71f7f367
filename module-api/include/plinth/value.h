// Generated from module-api/abi/src/value.rs by `cargo xtask headers`; do not edit.
//
// The value and the type: what a data type's module and the host know of each other.
//
// A value has one of two forms. An *inline* value is bytes inside the key's entry: the host owns
// and moves them, the module interprets them and has them resized through `plinth.keys/1`. A
// *boxed* value is an address: the module owns what is behind it until the host calls
// `plinth_type.drop`. A `tag` of four bits beside either is the module's own, for its encodings.

#ifndef PLINTH_VALUE_H
#define PLINTH_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_convert plinth_convert; // convert.h
typedef struct plinth_type plinth_type;
typedef struct plinth_value plinth_value;

// An array of `plinth_type`; see `plinth/bytes.h`.
typedef struct plinth_type_slice {
    const plinth_type *items;
    uint32_t count;
    uint32_t stride;
} plinth_type_slice;

// Form: bytes in the entry.
#define PLINTH_FORM_INLINE UINT32_C(0)
// Form: an address.
#define PLINTH_FORM_BOXED UINT32_C(1)

// Largest tag.
#define PLINTH_TAG_MAX UINT32_C(15)

// A value as it is handed to a type's functions.
struct plinth_value {
    // Size of this struct in bytes.
    uint32_t size;
    // `PLINTH_FORM_*`.
    uint32_t form;
    // The module's own, 0 to `PLINTH_TAG_MAX`.
    uint32_t tag;
    // Must be 0.
    uint32_t reserved;
    // Inline: the bytes. Boxed: null.
    uint8_t *data;
    // Inline: how many.
    size_t len;
    // Boxed: the address. Inline: null.
    void *boxed;
};

// A data type. Its functions get values of this type only.
struct plinth_type {
    // Size of this struct in bytes.
    uint32_t size;
    // Version of what `save` writes, handed back to `load`; at most 1023.
    uint32_t encoding;
    // What TYPE answers, unique among loaded types: `"string"`, `"com.example.gauge"`. It is also
    // what saved values are found by.
    plinth_bytes name;
    // The host writes the type's id here before `start`; ids begin at 1.
    uint32_t *id_out;
    // Value type bytes of the RDB format that `load` reads, for types that have a standard form
    // there; `save` then writes one of them with `plinth.codec/1` `put_tag` first. Without any,
    // values are saved in a container that carries the type's name and `encoding`.
    plinth_uint8_slice rdb_tags;

    // Write a value.
    //
    // Thread: main, or the only thread of a forked child. Borrow: both for the call. Fails: any
    // status, and nothing is saved.
    plinth_status (*save)(const plinth_value *value, void *saver);

    // Read a value, and hand it over with `plinth.codec/1` `finish_inline` or `finish_boxed`.
    // `encoding` is what `plinth_type.encoding` was, or the RDB tag.
    //
    // Thread: main. Borrow: the loader for the call. Fails: `PLINTH_STATUS_BAD_DATA`, having freed
    // what it made.
    plinth_status (*load)(void *loader, uint32_t encoding);

    // Free a boxed value. Null when values are inline only.
    //
    // Thread: any. Borrow: nothing. Fails: never.
    void (*drop)(void *boxed);

    // Bytes behind a boxed value, in constant time. Null counts as 0.
    //
    // Thread: main. Borrow: the call. Fails: never.
    size_t (*memory)(const plinth_value *value);

    // How much work freeing is, in allocations; above 64 it is done in the background. Null: 1.
    //
    // Thread: main. Borrow: the call. Fails: never.
    size_t (*free_effort)(const plinth_value *value);

    // What OBJECT ENCODING answers. Null: `"raw"`.
    //
    // Thread: main. Borrow: the text must be constant. Fails: never.
    plinth_bytes (*encoding_name)(const plinth_value *value);

    // Copy a boxed value for COPY. Null: it is saved and loaded.
    //
    // Thread: main. Borrow: the call. Fails: null.
    void *(*copy)(void *boxed);

    // The module's own: the Rust SDK keeps its type's identity here.
    void *data;
    // How large boxed values become those of another module's type of the same name, in slices.
    // Null: they are saved and loaded, however long that takes.
    const plinth_convert *convert;

    // The RDB version that whoever reads the saved value must know; with null in the place of the
    // value, an upper bound of it for all values that there are, in constant time. A file begins
    // with its version, so the host asks before it saves: for the bound, and where that is above
    // what it writes by itself (11), of the values one by one. Null: any reader will do.
    //
    // Thread: main, or the only thread of a forked child. Borrow: the call. Fails: never.
    uint32_t (*rdb_version)(const plinth_value *value);

    // Give the commands that make the value anew, through `plinth.rewrite/1`. What depends on the
    // clock is absolute in them. Null: RESTORE of the saved value.
    //
    // Thread: main, or the only thread of a forked child. Borrow: all for the call. Fails:
    // `PLINTH_STATUS_UNSUPPORTED` before the first command, as if this were null; any other status,
    // and the value is not written.
    plinth_status (*rewrite)(const plinth_value *value, plinth_bytes key, void *rewriter);

    // Show what the value is, through `plinth.digest/1`. Null: a digest of the saved bytes.
    //
    // Thread: main, or the only thread of a forked child. Borrow: both for the call. Fails:
    // `PLINTH_STATUS_UNSUPPORTED`, as if this were null.
    plinth_status (*digest)(const plinth_value *value, void *digester);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_value, 40);
PLINTH_ASSERT_OFFSET(plinth_value, size, 0);
PLINTH_ASSERT_OFFSET(plinth_value, form, 4);
PLINTH_ASSERT_OFFSET(plinth_value, tag, 8);
PLINTH_ASSERT_OFFSET(plinth_value, reserved, 12);
PLINTH_ASSERT_OFFSET(plinth_value, data, 16);
PLINTH_ASSERT_OFFSET(plinth_value, len, 24);
PLINTH_ASSERT_OFFSET(plinth_value, boxed, 32);
PLINTH_ASSERT_SIZE(plinth_type, 144);
PLINTH_ASSERT_OFFSET(plinth_type, size, 0);
PLINTH_ASSERT_OFFSET(plinth_type, encoding, 4);
PLINTH_ASSERT_OFFSET(plinth_type, name, 8);
PLINTH_ASSERT_OFFSET(plinth_type, id_out, 24);
PLINTH_ASSERT_OFFSET(plinth_type, rdb_tags, 32);
PLINTH_ASSERT_OFFSET(plinth_type, save, 48);
PLINTH_ASSERT_OFFSET(plinth_type, load, 56);
PLINTH_ASSERT_OFFSET(plinth_type, drop, 64);
PLINTH_ASSERT_OFFSET(plinth_type, memory, 72);
PLINTH_ASSERT_OFFSET(plinth_type, free_effort, 80);
PLINTH_ASSERT_OFFSET(plinth_type, encoding_name, 88);
PLINTH_ASSERT_OFFSET(plinth_type, copy, 96);
PLINTH_ASSERT_OFFSET(plinth_type, data, 104);
PLINTH_ASSERT_OFFSET(plinth_type, convert, 112);
PLINTH_ASSERT_OFFSET(plinth_type, rdb_version, 120);
PLINTH_ASSERT_OFFSET(plinth_type, rewrite, 128);
PLINTH_ASSERT_OFFSET(plinth_type, digest, 136);
PLINTH_ASSERT_SIZE(plinth_type_slice, 16);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_VALUE_H
