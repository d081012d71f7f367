// A module that says which build it is. By macros:
//
//   BUILD         what `part.build` answers, 1 if not said
//   NAMED         the module's name, "part" if not said
//   MARK          a file that a constructor and a destructor make
//   NO_ENTRY      it is no module
//   SMALLER       without the command `part.more` and the type
//   TAKES_KEYS    it takes the keys of threads, but for so many, until it stops
//   NEIGHBOUR     what it answers comes from libneighbour.so

#include <plinth/plinth.h>
#include <pthread.h>
#include <stdio.h>

#ifndef BUILD
#define BUILD 1
#endif
#ifndef NAMED
#define NAMED "part"
#endif

#ifdef MARK
__attribute__((constructor)) static void come(void) {
    FILE *file = fopen(MARK, "a");
    if (file != NULL) {
        fclose(file);
    }
}

__attribute__((destructor)) static void go(void) { come(); }
#endif

#ifndef NO_ENTRY
#ifdef NEIGHBOUR
int neighbour(void);
#define ANSWER neighbour()
#else
#define ANSWER (BUILD)
#endif

static const plinth_reply_service *reply;

static plinth_status build(plinth_call *call) {
    reply->integer(call, ANSWER);
    return PLINTH_STATUS_OK;
}

// Written to, so that a build which finds the data of an older one says so.
static int64_t asked = BUILD * 100;

static plinth_status count(plinth_call *call) {
    reply->integer(call, ++asked);
    return PLINTH_STATUS_OK;
}

#ifdef TAKES_KEYS
static pthread_key_t taken[2048];
static int number;
#endif

static plinth_status start(plinth_call *call) {
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
#ifdef TAKES_KEYS
    while (number < 2048 && pthread_key_create(&taken[number], NULL) == 0) {
        number++;
    }
    for (int left = 0; left < TAKES_KEYS && number > 0; left++) {
        pthread_key_delete(taken[--number]);
    }
#endif
    return reply ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

static void stop(plinth_call *call) {
    (void)call;
#ifdef TAKES_KEYS
    while (number > 0) {
        pthread_key_delete(taken[--number]);
    }
#endif
}

static const plinth_command commands[] = {
    {.size = PLINTH_SIZE(plinth_command), .arity = 1, .name = PLINTH_TEXT(NAMED ".build"), .run = {.invoke = build}},
    {.size = PLINTH_SIZE(plinth_command), .arity = 1, .name = PLINTH_TEXT(NAMED ".count"), .run = {.invoke = count}},
#ifndef SMALLER
    {.size = PLINTH_SIZE(plinth_command), .arity = 1, .name = PLINTH_TEXT(NAMED ".more"), .run = {.invoke = count}},
#endif
};

#ifndef SMALLER
static plinth_status save(const plinth_value *value, void *saver) {
    (void)value, (void)saver;
    return PLINTH_STATUS_UNSUPPORTED;
}

static plinth_status load(void *loader, uint32_t encoding) {
    (void)loader, (void)encoding;
    return PLINTH_STATUS_BAD_DATA;
}

static uint32_t type_id;
static const plinth_type types[] = {
    {.size = PLINTH_SIZE(plinth_type), .encoding = 1, .name = PLINTH_TEXT("com.example." NAMED),
     .id_out = &type_id, .save = save, .load = load},
};
#endif

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT(NAMED),
    .version = PLINTH_TEXT("1.0.0"),
    .commands = PLINTH_LIST(commands),
#ifndef SMALLER
    .types = PLINTH_LIST(types),
#endif
    .start = start,
    .stop = stop,
};
#endif
