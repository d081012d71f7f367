// A module that calls plinth.block/1 in all ways that its comment speaks of, through the public
// headers; tests/wire/queue.c is the one that uses it as it is meant.
//
//     WAITS.TAKE key timeout_ms   waits for a key and takes it away: whether it had to wait
//     WAITS.PUT key               makes a key
//     WAITS.SLIP key              makes a key, which is said to be nothing that anybody waits for
//     WAITS.INNER key             runs WAITS.TAKE inside itself

#include "check.h"
#include "empty_value.h"

static const plinth_keys_service *keys;
static const plinth_run_service *run;
static const plinth_timers_service *timers;
static const plinth_block_service *block;
static uint32_t slip_type;

// Whether a command's reply is a null in place of an array.
static void take_null(void *is_null, plinth_bytes bytes) { *(int *)is_null = same(bytes, "*-1\r\n"); }

// WAITS.TAKE key timeout_ms: waits until WAITS.PUT makes the key, and takes it away.
static plinth_status waits_take(plinth_call *call) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    const plinth_bytes key = call->args[1];
    const int retry = (call->flags & PLINTH_CALL_RETRY) != 0;
    int64_t timeout_ms;
    CHECK(plinth_integer(call->args[2], &timeout_ms));
    if (keys->get(call, key, slip_type, 0, &entry) == PLINTH_STATUS_OK) {
        CHECK(keys->remove(call, key, 0) == 0);
        keys->modified(call, key, PLINTH_EVENT_MODULE, T("waits.take"));
        reply->integer(call, retry);
        return PLINTH_STATUS_OK;
    }
    plinth_wait how = {.size = PLINTH_SIZE(plinth_wait), .type_id = slip_type,
                       .timeout_ms = (uint64_t)timeout_ms, .reply = PLINTH_WAIT_NULL_ARRAY};
    if (call->flags & PLINTH_CALL_NO_BLOCK) {
        CHECK(block->wait(call, &key, 1, &how) == PLINTH_STATUS_NOT_ALLOWED);
        reply->null_array(call);
        return PLINTH_STATUS_OK;
    }
    plinth_wait odd = how;
    odd.flags = UINT32_C(1) << 31;
    CHECK(block->wait(call, &key, 1, &odd) == PLINTH_STATUS_UNSUPPORTED);
    odd = how;
    odd.reply = 99;
    CHECK(block->wait(call, &key, 1, &odd) == PLINTH_STATUS_UNSUPPORTED);
    CHECK(block->wait(call, NULL, 0, &how) == PLINTH_STATUS_OUT_OF_RANGE);
    // A struct of an older header is shorter: what it lacks is zero.
    how.size = offsetof(plinth_wait, args);
    how.args = &key;
    how.argc = 1;
    CHECK(block->wait(call, &key, 1, &how) == PLINTH_STATUS_OK);
    CHECK(block->wait(call, &key, 1, &how) == PLINTH_STATUS_EXISTS);
    return PLINTH_STATUS_OK;
}

static plinth_status waits_outside = -1;

static void wait_outside(plinth_call *call, void *data) {
    const plinth_bytes key = T("p:w");
    const plinth_wait how = {.size = PLINTH_SIZE(plinth_wait)};
    *(plinth_status *)data = block->wait(call, &key, 1, &how);
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    if (keys->put(call, key, slip_type, 0, 0, 0, &entry) == PLINTH_STATUS_OK) {
        keys->modified(call, key, PLINTH_EVENT_MODULE, T("waits.put"));
    }
}

// WAITS.PUT key: makes a key. WAITS.PUT later: a timer makes `p:w`, after it has tried to wait.
static plinth_status waits_put(plinth_call *call) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    uint64_t id;
    if (same(call->args[1], "later")) {
        CHECK(timers->start(call, 5, wait_outside, &waits_outside, &id) == 0);
        return ok(call);
    }
    if (same(call->args[1], "outcome")) {
        CHECK(waits_outside == PLINTH_STATUS_NOT_ALLOWED);
        return ok(call);
    }
    CHECK(keys->put(call, call->args[1], slip_type, 0, 0, 0, &entry) == 0);
    keys->modified(call, call->args[1], PLINTH_EVENT_MODULE, T("waits.put"));
    return ok(call);
}

// WAITS.SLIP key: makes a key without running those again who wait for it.
static plinth_status waits_slip(plinth_call *call) {
    plinth_entry entry = {.size = PLINTH_SIZE(plinth_entry)};
    CHECK(keys->put(call, call->args[1], slip_type, 0, 0, 0, &entry) == 0);
    keys->modified(call, call->args[1], PLINTH_EVENT_MODULE | PLINTH_EVENT_UNAWAITED, T("waits.slip"));
    return ok(call);
}

// WAITS.INNER key: a command that waits, run inside this one, does not.
static plinth_status waits_inner(plinth_call *call) {
    int is_null = 0;
    const plinth_bytes args[] = {T("WAITS.TAKE"), call->args[1], T("0")};
    CHECK(run->run(call, NULL, args, 3, 0, take_null, &is_null) == 0 && is_null);
    return ok(call);
}

static plinth_status start(plinth_call *call) {
    keys = plinth_service(call, PLINTH_KEYS_SERVICE, PLINTH_SIZE(plinth_keys_service));
    reply = plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service));
    run = plinth_service(call, PLINTH_RUN_SERVICE, PLINTH_SIZE(plinth_run_service));
    timers = plinth_service(call, PLINTH_TIMERS_SERVICE, PLINTH_SIZE(plinth_timers_service));
    block = plinth_service(call, PLINTH_BLOCK_SERVICE, PLINTH_SIZE(plinth_block_service));
    return keys && reply && run && timers && block ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

static const plinth_bytes services[] = {PLINTH_TEXT(PLINTH_BLOCK_SERVICE)};

static const plinth_type types[] = {
    {.size = PLINTH_SIZE(plinth_type), .encoding = 1, .name = PLINTH_TEXT("com.example.slip"),
     .id_out = &slip_type, .save = save_empty, .load = load_empty},
};

#define COMMAND(text, arity_, function) \
    {.size = PLINTH_SIZE(plinth_command), .arity = (arity_), .name = PLINTH_TEXT(text), \
     .flags = PLINTH_COMMAND_WRITE | PLINTH_COMMAND_TOUCHES_ARBITRARY_KEYS, .run = {.invoke = (function)}}

static const plinth_command commands[] = {
    COMMAND("waits.take", 3, waits_take),
    COMMAND("waits.put", 2, waits_put),
    COMMAND("waits.slip", 2, waits_slip),
    COMMAND("waits.inner", 2, waits_inner),
};

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    .magic = PLINTH_MAGIC,
    .abi_major = PLINTH_ABI_MAJOR,
    .abi_minor = PLINTH_ABI_MINOR,
    .size = PLINTH_SIZE(plinth_module),
    .name = PLINTH_TEXT("waits"),
    .requires_ = PLINTH_LIST(services),
    .types = PLINTH_LIST(types),
    .commands = PLINTH_LIST(commands),
    .start = start,
};
