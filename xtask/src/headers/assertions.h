
// Layouts are asserted at the end of each header, for machines with 64-bit addresses: a compiler
// that lays a struct out in another way, or a file that packs what it includes, does not compile.
#ifdef __cplusplus
#define PLINTH_ASSERT_SIZE(type, bytes) static_assert(sizeof(type) == (bytes), "size of " #type)
#define PLINTH_ASSERT_OFFSET(type, field, bytes) \
    static_assert(offsetof(type, field) == (bytes), "offset of " #type "." #field)
#else
#define PLINTH_ASSERT_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "size of " #type)
#define PLINTH_ASSERT_OFFSET(type, field, bytes) \
    _Static_assert(offsetof(type, field) == (bytes), "offset of " #type "." #field)
#endif
