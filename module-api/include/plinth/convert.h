// Generated from module-api/abi/src/convert.rs by `cargo xtask headers`; do not edit.
//
// Converting large values: how one module's value becomes another module's, element by element,
// while commands go on changing it.
//
// When a module is replaced (MODULE REPLACE), values of its types become values of the new module's
// types of the same names. A small one is saved and loaded. A large one would stop the server for
// as long as that takes, so its type can offer to hand it out in slices, and to take one in:
// `plinth_type.convert`(crate::value::Type::convert).
//
//    old value: export_begin ── export_some ... export_some ── export_end, drop
//                               export_changes before each of them
//    new value: import_new ──── import_put, import_remove ──── import_finish
//
// From `export_begin` on, the old type notes which elements commands insert, change or remove. When
// all elements were handed out and no change is left, the new value takes the old one's place;
// nothing else runs in between. When it cannot be brought to an end (the key is gone, an operator
// has stopped it), the new value is dropped, and the old one gets `export_end`, unless it is
// dropped itself.
//
// What an element and its payload are is agreed on by all types of a name. Of those that the
// protocol has commands for: a set's element is the member, and the payload is empty; a sorted
// set's is the member, and its score as 8 bytes of a double, little-endian; a hash's is the field,
// and 8 bytes of Unix time in ms, little-endian (-1 for none), at which the field expires, followed
// by the value.
//
// Elements of a list have no names, and are told by their places, which change. So a list's element
// is an edit: 8 bytes of a position and 8 bytes of a count, both unsigned and little-endian.
//
//      put      position, 0        the payload comes before the element at the position
//               position, count    and so many elements from there on go: 1 replaces one
//               2^64-1, 0          the payload comes behind all elements
//      removed  position, count    so many elements from the position on go
//
// `export_some` puts elements behind all, from the first on. `export_changes` hands out the edits
// that commands make before the place that has been reached, in the order in which they are made,
// each once; one that is made behind it is handed out with the rest. A removal may be handed out in
// parts, so that none of them is of more than `budget` elements. A place that the new value does
// not have is `PLINTH_STATUS_BAD_DATA`.
//
// A stream has elements of several kinds, told by the first byte of the element. Ids are 16 bytes,
// time and number, big-endian; other numbers are big-endian in elements, where they are 8 bytes for
// a group and 4 for a consumer, and 8 bytes, little-endian, in payloads, but for a consumer's 4.
// Times are Unix time in ms.
//
//      m                    last id, greatest removed id, number of entries ever added
//      e id                 an entry: names and values in turn, each behind its length, 4 bytes
//      f id                 only ever removed: no entry comes before the id
//      f                    only ever removed: there is no entry
//      g group              last id, entries read (2^64-1: not known), the group's name
//      c group consumer     when it was seen, when it was active (-1: never), its name
//      p group id           the consumer who has the entry, since when, how often it was handed out
//
// Entries are put in the order of their ids, each behind all that are there; one that is there
// already changes nothing. Numbers of groups and consumers tell one from another and mean nothing
// else: the old value never gives one twice. Whatever names a group or a consumer that is not there
// makes it; what is known of it follows. A group that is removed takes its consumers and what is
// pending with it, a consumer what is pending for it.
//
// The host promises what that needs: what is handed out goes to the new value at once and in that
// order, and each once; and `export_some` is called only right after an `export_changes` that has
// left nothing, before any command runs.

#ifndef PLINTH_CONVERT_H
#define PLINTH_CONVERT_H

#include <stddef.h>
#include <stdint.h>

#include <plinth/bytes.h>
#include <plinth/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plinth_convert plinth_convert;

// Takes one element of a value that is exported.
typedef plinth_status (*plinth_element)(void *data, plinth_bytes element, plinth_bytes payload,
                                        uint32_t removed);

// Element-wise conversion of a type's boxed values.
struct plinth_convert {
    // Size of this struct in bytes.
    uint32_t size;
    // Must be 0.
    uint32_t reserved;

    // Begin to note which elements change.
    //
    // Thread: main. Borrow: nothing. Fails: any status; the value is as before.
    plinth_status (*export_begin)(void *boxed);

    // Hand out some elements, about `budget`, in any order, from `cursor` on, which begins at 0, is
    // set to where to go on, and is 0 again at the end. An element that is there from the first
    // slice to the last is handed out at least once, with what it is at that time. (A list, and the
    // entries of a stream: in their order, and once.)
    //
    // Thread: main. Borrow: what `visit` gets, for that call. Fails: any status.
    plinth_status (*export_some)(void *boxed, uint64_t *cursor, size_t budget, plinth_element visit,
                                 void *data);

    // Hand out about `budget` of the elements that have changed since they were handed out by this
    // function, or since `export_begin`, each as it is now. (A list: of the edits, in their order.)
    // `left_out` is how many are left.
    //
    // Thread: main. Borrow: as `export_some`. Fails: any status.
    plinth_status (*export_changes)(void *boxed, size_t budget, size_t *left_out,
                                    plinth_element visit, void *data);

    // Note changes no longer, and forget those that are noted.
    //
    // Thread: main. Borrow: nothing. Fails: never.
    void (*export_end)(void *boxed);

    // A new value without elements, to be freed by the type's `drop`.
    //
    // Thread: main. Borrow: nothing. Fails: null.
    void *(*import_new)(void);

    // Give the value an element, or an element another payload. (A list: make the edit.)
    //
    // Thread: main. Borrow: both for the call. Fails: `PLINTH_STATUS_BAD_DATA`,
    // `PLINTH_STATUS_OUT_OF_MEMORY`.
    plinth_status (*import_put)(void *boxed, plinth_bytes element, plinth_bytes payload);

    // Take an element away, if it is there. (A list: make the edit.)
    //
    // Thread: main. Borrow: `element` for the call. Fails: any status.
    plinth_status (*import_remove)(void *boxed, plinth_bytes element);

    // The value is complete, and goes into a key's entry with the tag in `tag_out`. Takes no longer
    // than a command.
    //
    // Thread: main. Borrow: nothing. Fails: any status.
    plinth_status (*import_finish)(void *boxed, uint32_t *tag_out);
};

#if UINTPTR_MAX == UINT64_MAX
PLINTH_ASSERT_SIZE(plinth_convert, 72);
PLINTH_ASSERT_OFFSET(plinth_convert, size, 0);
PLINTH_ASSERT_OFFSET(plinth_convert, reserved, 4);
PLINTH_ASSERT_OFFSET(plinth_convert, export_begin, 8);
PLINTH_ASSERT_OFFSET(plinth_convert, export_some, 16);
PLINTH_ASSERT_OFFSET(plinth_convert, export_changes, 24);
PLINTH_ASSERT_OFFSET(plinth_convert, export_end, 32);
PLINTH_ASSERT_OFFSET(plinth_convert, import_new, 40);
PLINTH_ASSERT_OFFSET(plinth_convert, import_put, 48);
PLINTH_ASSERT_OFFSET(plinth_convert, import_remove, 56);
PLINTH_ASSERT_OFFSET(plinth_convert, import_finish, 64);
#endif

#ifdef __cplusplus
}
#endif

#endif // PLINTH_CONVERT_H
