// A module whose commands wait for its threads, through the public headers.
//
//     SUSPENDS.WORK rounds        has a thread count to 1 so many times: the sum
//     SUSPENDS.WAIT timeout_ms    waits until SUSPENDS.RESUME: the ticket's number
//     SUSPENDS.RESUME             resumes the last ticket of SUSPENDS.WAIT, from the main thread
//     SUSPENDS.KEY key            waits for a key, and cannot wait for a thread in between
//
// It adds the number of its threads to a section of INFO that is the host's.

#include "check.h"
#include <pthread.h>
#include <stdatomic.h>

static const plinth_info_service *info;
static const plinth_block_service *block;

static const plinth_wait plain = {.size = PLINTH_SIZE(plinth_wait), .reply = PLINTH_WAIT_NULL};

// What one command has its threads do, one after the other: found by its ticket.
#define JOBS 64
static struct job {
    uint64_t ticket;
    int64_t rounds;
    atomic_llong sum;
    const plinth_host *host;
    pthread_t thread;
    int joinable;
} jobs[JOBS];

static void *work(void *data) {
    struct job *job = data;
    atomic_fetch_add(&job->sum, 1);
    // Twice is as good as once.
    block->resume(job->host, job->ticket);
    block->resume(job->host, job->ticket);
    return NULL;
}

static void join(struct job *job) {
    if (job->joinable) {
        pthread_join(job->thread, NULL);
        job->joinable = 0;
    }
}

static plinth_status refusals(plinth_call *call) {
    uint64_t ticket = 77;
    plinth_wait odd = plain;
    odd.flags = PLINTH_WAIT_REMOVAL;
    CHECK(block->suspend(call, &odd, &ticket) == PLINTH_STATUS_UNSUPPORTED);
    odd = plain;
    odd.type_id = 1;
    CHECK(block->suspend(call, &odd, &ticket) == PLINTH_STATUS_UNSUPPORTED);
    odd = plain;
    odd.reply = 99;
    CHECK(block->suspend(call, &odd, &ticket) == PLINTH_STATUS_UNSUPPORTED);
    CHECK(ticket == 77 && block->resume(call->host, ticket) == PLINTH_STATUS_NONE);
    return PLINTH_STATUS_OK;
}

// SUSPENDS.WORK rounds [again]
static plinth_status suspends_work(plinth_call *call) {
    uint64_t ticket;
    struct job *job = NULL;
    if (call->flags & PLINTH_CALL_RETRY) {
        const plinth_bytes key = T("k");
        CHECK(block->ticket(call, &ticket) == PLINTH_STATUS_OK);
        CHECK(block->resume(call->host, ticket) == PLINTH_STATUS_NONE);
        CHECK(block->is_waiting(call->host, ticket) == PLINTH_STATUS_NONE);
        CHECK(block->wait(call, &key, 1, &plain) == PLINTH_STATUS_NOT_ALLOWED);
        for (int at = 0; at < JOBS; at++) {
            job = jobs[at].ticket == ticket ? &jobs[at] : job;
        }
        CHECK(job != NULL);
        join(job);
        CHECK(call->argc == 3 && call->args[2].len == 5 && memcmp(call->args[2].data, "again", 5) == 0);
        if (atomic_load(&job->sum) == job->rounds) {
            job->ticket = 0;
            reply->integer(call, job->rounds);
            return PLINTH_STATUS_OK;
        }
    } else {
        CHECK(block->ticket(call, &ticket) == PLINTH_STATUS_NONE);
        if (call->flags & PLINTH_CALL_NO_BLOCK) {
            CHECK(block->suspend(call, &plain, &ticket) == PLINTH_STATUS_NOT_ALLOWED);
            reply->null(call);
            return PLINTH_STATUS_OK;
        }
        const plinth_status refused = refusals(call);
        if (refused != PLINTH_STATUS_OK) {
            return refused;
        }
        for (int at = 0; at < JOBS && job == NULL; at++) {
            job = jobs[at].ticket == 0 ? &jobs[at] : NULL;
        }
        CHECK(job != NULL && plinth_integer(call->args[1], &job->rounds));
        atomic_store(&job->sum, 0);
        job->host = call->host;
    }
    const plinth_bytes args[] = {call->args[0], call->args[1], T("again")};
    plinth_wait how = plain;
    how.args = args;
    how.argc = 3;
    const uint64_t before = job->ticket;
    CHECK(block->suspend(call, &how, &job->ticket) == PLINTH_STATUS_OK);
    CHECK(job->ticket > before && job->ticket != 0);
    CHECK(block->suspend(call, &how, &ticket) == PLINTH_STATUS_EXISTS);
    // The thread may well be done before this returns.
    job->joinable = pthread_create(&job->thread, NULL, work, job) == 0;
    CHECK(job->joinable);
    return PLINTH_STATUS_OK;
}

static uint64_t last_ticket;

// SUSPENDS.WAIT timeout_ms
static plinth_status suspends_wait(plinth_call *call) {
    uint64_t ticket;
    if (block->ticket(call, &ticket) == PLINTH_STATUS_OK) {
        CHECK(ticket == last_ticket);
        reply->simple(call, T("resumed"));
        return PLINTH_STATUS_OK;
    }
    int64_t timeout_ms;
    CHECK(plinth_integer(call->args[1], &timeout_ms));
    plinth_wait how = plain;
    how.reply = PLINTH_WAIT_NULL_ARRAY;
    how.timeout_ms = (uint64_t)timeout_ms;
    CHECK(block->suspend(call, &how, &last_ticket) == PLINTH_STATUS_OK);
    return timeout_ms == 12345 ? PLINTH_STATUS_SYNTAX : PLINTH_STATUS_OK;
}

// SUSPENDS.RESUME
static plinth_status suspends_resume(plinth_call *call) {
    const plinth_status waits = block->is_waiting(call->host, last_ticket);
    CHECK(block->resume(call->host, last_ticket) == waits);
    reply->integer(call, waits == PLINTH_STATUS_OK);
    return PLINTH_STATUS_OK;
}

// SUSPENDS.KEY key
static plinth_status suspends_key(plinth_call *call) {
    uint64_t ticket;
    if (!(call->flags & PLINTH_CALL_RETRY)) {
        return block->wait(call, &call->args[1], 1, &plain);
    }
    CHECK(block->ticket(call, &ticket) == PLINTH_STATUS_NONE);
    CHECK(block->suspend(call, &plain, &ticket) == PLINTH_STATUS_NOT_ALLOWED);
    reply->simple(call, T("OK"));
    return PLINTH_STATUS_OK;
}

static plinth_status start(plinth_call *call) {
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    info = plinth_service(call, PLINTH_INFO_SERVICE, PLINTH_SIZE(plinth_info_service));
    block = plinth_service(call, PLINTH_BLOCK_SERVICE, PLINTH_SIZE(plinth_block_service));
    return reply && info && block ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

static void write_fields(plinth_call *call, void *sink) {
    (void)call;
    int64_t threads = 0;
    for (int at = 0; at < JOBS; at++) {
        threads += jobs[at].joinable;
    }
    info->integer(sink, T("worker_threads"), threads);
}

// No thread outlives the module, whoever still waited for it.
static void stop(plinth_call *call) {
    (void)call;
    for (int at = 0; at < JOBS; at++) {
        join(&jobs[at]);
    }
}

static const plinth_bytes services[] = {PLINTH_TEXT(PLINTH_BLOCK_SERVICE)};

#define COMMAND(text, arity_, function, kind) \
    {.size = PLINTH_SIZE(plinth_command), .arity = (arity_), .name = PLINTH_TEXT(text), \
     .flags = (kind) | PLINTH_COMMAND_TOUCHES_ARBITRARY_KEYS, .run = {.invoke = (function)}}

static const plinth_command commands[] = {
    COMMAND("suspends.work", -2, suspends_work, PLINTH_COMMAND_READONLY),
    COMMAND("suspends.wait", 2, suspends_wait, PLINTH_COMMAND_WRITE),
    COMMAND("suspends.resume", 1, suspends_resume, PLINTH_COMMAND_READONLY),
    COMMAND("suspends.key", 2, suspends_key, PLINTH_COMMAND_READONLY),
};

static const plinth_section sections[] = {
    {.size = PLINTH_SIZE(plinth_section), .flags = PLINTH_SECTION_OF_HOST, .name = PLINTH_TEXT("cluster"),
     .write = write_fields},
    {.size = PLINTH_SIZE(plinth_section), .flags = PLINTH_SECTION_OF_HOST, .name = PLINTH_TEXT("nosuch"),
     .write = write_fields},
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("suspends"),
    .requires_ = PLINTH_LIST(services),
    .commands = PLINTH_LIST(commands),
    .infos = PLINTH_LIST(sections),
    .start = start,
    .stop = stop,
};
