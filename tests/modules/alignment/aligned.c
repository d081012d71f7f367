// A module that looks whether memory is aligned to 16 as C promises, and that the host's own steps are as
// fine as it says.
//
//   aligned.c      each of C's functions for each small size; answers how many blocks are not, or whose
//                  size is less than what was asked for
//   aligned.steps  allocate and release of the host; answers how many blocks are not aligned to 8

#define _GNU_SOURCE
#include <plinth/plinth.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS 7

static const plinth_reply_service *reply;

static int64_t is_wrong(const void *memory, size_t len) {
    return memory == NULL || (uintptr_t)memory % 16 != 0 || malloc_usable_size((void *)(uintptr_t)memory) < len;
}

static plinth_status c(plinth_call *call) {
    int64_t wrong = 0;
    static char text[301];
    for (size_t len = 17; len < 300; len++) {
        void *blocks[BLOCKS][5];
        memset(text, 'x', len - 1);
        text[len - 1] = 0;
        for (int at = 0; at < BLOCKS; at++) {
            void **of = blocks[at];
            of[0] = malloc(len);
            of[1] = calloc(1, len);
            of[2] = realloc(malloc(len / 2), len);
            // Of the C library itself.
            of[3] = strdup(text);
            of[4] = reallocarray(NULL, 1, len);
            for (int which = 0; which < 5; which++) wrong += is_wrong(of[which], len);
            wrong += memcmp(of[3], text, len) != 0;
        }
        for (int at = 0; at < BLOCKS; at++)
            for (int which = 0; which < 5; which++) free(blocks[at][which]);
        void *out = NULL;
        wrong += posix_memalign(&out, 64, len) != 0 || (uintptr_t)out % 64 != 0;
        free(out);
        void *more[] = {aligned_alloc(32, len), memalign(32, len), valloc(len), pvalloc(len)};
        for (int which = 0; which < 4; which++) {
            wrong += is_wrong(more[which], len) || (uintptr_t)more[which] % (which < 2 ? 32 : 4096) != 0;
            free(more[which]);
        }
    }
    reply->integer(call, wrong);
    return PLINTH_STATUS_OK;
}

static plinth_status steps(plinth_call *call) {
    int64_t wrong = 0;
    const plinth_host *host = call->host;
    for (size_t len = 0; len < 300; len++) {
        unsigned char *memory = host->allocate(len);
        wrong += memory == NULL || (uintptr_t)memory % 8 != 0;
        memset(memory, 0xa5, len);
        host->release(memory);
    }
    host->release(NULL);
    reply->integer(call, wrong);
    return PLINTH_STATUS_OK;
}

static plinth_status start(plinth_call *call) {
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(*reply));
    return reply ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

static const plinth_command commands[] = {
    {.size = PLINTH_SIZE(plinth_command), .arity = 1, .name = PLINTH_TEXT("aligned.c"), .run = {c, NULL}},
    {.size = PLINTH_SIZE(plinth_command), .arity = 1, .name = PLINTH_TEXT("aligned.steps"), .run = {steps, NULL}},
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("aligned-c"),
    .version = PLINTH_TEXT("1.0.0"),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
