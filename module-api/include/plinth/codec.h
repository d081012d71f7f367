// Generated from module-api/abi/src/codec.rs by `cargo xtask headers`; do not edit.
//
// Service `plinth.codec/1`: how a type's `save` writes and its `load` reads.
//
// A type with RDB tags of its own writes one with `put_tag`, then the standard payload of that tag
// with `put_u64`, `put_bytes` and `put_raw`. Any other type just puts values: the host keeps them
// in a self-describing container (RDB value type 7), so that they can be carried along when the
// module is not loaded.

#ifndef PLINTH_CODEC_H
#define PLINTH_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_codec_service plinth_codec_service;

// Id of the service below.
#define PLINTH_CODEC_SERVICE "plinth.codec/1"

// The service's table.
struct plinth_codec_service {
    // Size of this table in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // Say which RDB value type follows. First call, and only for a type that declares the tag.
    //
    // Thread: as `save`. Borrow: nothing. Fails: a later error of the save.
    void (*put_tag)(void *saver, uint8_t tag);

    // An unsigned integer; after a tag in RDB's length encoding.
    //
    // Thread: as `save`. Borrow: nothing. Fails: never.
    void (*put_u64)(void *saver, uint64_t value);

    // A signed integer; after a tag eight bytes little-endian.
    //
    // Thread: as `save`. Borrow: nothing. Fails: never.
    void (*put_i64)(void *saver, int64_t value);

    // A double; after a tag eight bytes little-endian.
    //
    // Thread: as `save`. Borrow: nothing. Fails: never.
    void (*put_f64)(void *saver, double value);

    // Bytes, as an RDB string: integers and compressible texts take less room.
    //
    // Thread: as `save`. Borrow: `bytes` for the call. Fails: never.
    void (*put_bytes)(void *saver, plinth_bytes bytes);

    // Bytes as they are, without a length. Only after a tag.
    //
    // Thread: as `save`. Borrow: `bytes` for the call. Fails: a later error of the save.
    void (*put_raw)(void *saver, plinth_bytes bytes);

    // The inverse of `put_u64`.
    //
    // Thread: as `load`. Borrow: nothing. Fails: `PLINTH_STATUS_BAD_DATA`.
    plinth_status (*get_u64)(void *loader, uint64_t *value_out);

    // The inverse of `put_i64`.
    //
    // Thread: as `load`. Borrow: nothing. Fails: `PLINTH_STATUS_BAD_DATA`.
    plinth_status (*get_i64)(void *loader, int64_t *value_out);

    // The inverse of `put_f64`.
    //
    // Thread: as `load`. Borrow: nothing. Fails: `PLINTH_STATUS_BAD_DATA`.
    plinth_status (*get_f64)(void *loader, double *value_out);

    // The inverse of `put_bytes`.
    //
    // Thread: as `load`. Borrow: `bytes_out` until the next get. Fails: `PLINTH_STATUS_BAD_DATA`.
    plinth_status (*get_bytes)(void *loader, plinth_bytes *bytes_out);

    // The inverse of `put_raw`.
    //
    // Thread: as `load`. Borrow: `bytes_out` until the next get. Fails: `PLINTH_STATUS_BAD_DATA`.
    plinth_status (*get_raw)(void *loader, size_t len, plinth_bytes *bytes_out);

    // The loaded value is inline: these bytes under this tag.
    //
    // Thread: as `load`. Borrow: `bytes` for the call. Fails: `PLINTH_STATUS_NOT_ALLOWED` when
    // there is a value already.
    plinth_status (*finish_inline)(void *loader, uint32_t tag, plinth_bytes bytes);

    // The loaded value is boxed.
    //
    // Thread: as `load`. Borrow: the host owns `boxed` on success. Fails:
    // `PLINTH_STATUS_NOT_ALLOWED` when there is a value already.
    plinth_status (*finish_boxed)(void *loader, uint32_t tag, void *boxed);

    // For whom a value is saved, for a type that has several tags to choose from: whether that
    // reader knows RDB value type `tag`, 0 or 1. Of those that it knows a type takes the one that
    // suits the value; when none of them can hold the value, it writes the one that can, and the
    // host does what is to be done about it.
    //
    // Thread: as `save`. Borrow: nothing. Fails: never.
    uint32_t (*knows)(void *saver, uint8_t tag);

    // Whether nobody but that reader is going to read the value, 0 or 1: then what it has no place
    // for may be left out. Where it is 0, as for DUMP, a value that loses anything under the tags
    // that `knows` allows is written under a newer one.
    //
    // Thread: as `save`. Borrow: nothing. Fails: never.
    uint32_t (*may_omit)(void *saver);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_codec_service, 128);
PLINTH_ASSERT_OFFSET(plinth_codec_service, size, 0);
PLINTH_ASSERT_OFFSET(plinth_codec_service, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_codec_service, put_tag, 8);
PLINTH_ASSERT_OFFSET(plinth_codec_service, put_u64, 16);
PLINTH_ASSERT_OFFSET(plinth_codec_service, put_i64, 24);
PLINTH_ASSERT_OFFSET(plinth_codec_service, put_f64, 32);
PLINTH_ASSERT_OFFSET(plinth_codec_service, put_bytes, 40);
PLINTH_ASSERT_OFFSET(plinth_codec_service, put_raw, 48);
PLINTH_ASSERT_OFFSET(plinth_codec_service, get_u64, 56);
PLINTH_ASSERT_OFFSET(plinth_codec_service, get_i64, 64);
PLINTH_ASSERT_OFFSET(plinth_codec_service, get_f64, 72);
PLINTH_ASSERT_OFFSET(plinth_codec_service, get_bytes, 80);
PLINTH_ASSERT_OFFSET(plinth_codec_service, get_raw, 88);
PLINTH_ASSERT_OFFSET(plinth_codec_service, finish_inline, 96);
PLINTH_ASSERT_OFFSET(plinth_codec_service, finish_boxed, 104);
PLINTH_ASSERT_OFFSET(plinth_codec_service, knows, 112);
PLINTH_ASSERT_OFFSET(plinth_codec_service, may_omit, 120);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_CODEC_H
