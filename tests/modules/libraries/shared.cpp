// A module in C++17 with an inline variable, which the linker keeps once per process (STB_GNU_UNIQUE)
// unless it was compiled with -fno-gnu-unique. COUNT is how many numbers it holds.
//
//   shared.sum     fills it, and answers the sum
//   shared.memory  makes something shared, as nearly every library in C++ does

#include <plinth/plinth.h>

#include <memory>

#ifndef COUNT
#define COUNT 4
#endif

struct numbers {
    int64_t of[COUNT];
};
inline numbers shared_numbers{};

namespace {

const plinth_reply_service *reply;

plinth_status sum(plinth_call *call) {
    int64_t total = 0;
    for (int at = 0; at < COUNT; at++) {
        shared_numbers.of[at] += at;
        total += shared_numbers.of[at];
    }
    reply->integer(call, total);
    return PLINTH_STATUS_OK;
}

plinth_status memory(plinth_call *call) {
    auto made = std::make_shared<int64_t>(7);
    reply->integer(call, *made);
    return PLINTH_STATUS_OK;
}

plinth_status start(plinth_call *call) {
    reply = static_cast<const plinth_reply_service *>(
        plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service)));
    return reply != nullptr ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

const plinth_command commands[] = {
    {PLINTH_SIZE(plinth_command), /* arity */ 1, PLINTH_TEXT("shared.sum"), /* flags */ 0, /* categories */ 0,
     {sum, /* data */ nullptr}, /* keys */ {}, /* tips */ {}, /* subcommands */ {}, /* docs */ nullptr,
     /* find_keys */ nullptr, /* look_ahead */ nullptr, /* category_names */ {}, /* channels */ {},
     /* find_flags */ nullptr},
    {PLINTH_SIZE(plinth_command), /* arity */ 1, PLINTH_TEXT("shared.memory"), /* flags */ 0, /* categories */ 0,
     {memory, /* data */ nullptr}, /* keys */ {}, /* tips */ {}, /* subcommands */ {}, /* docs */ nullptr,
     /* find_keys */ nullptr, /* look_ahead */ nullptr, /* category_names */ {}, /* channels */ {},
     /* find_flags */ nullptr},
};

} // namespace

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    PLINTH_MAGIC,
    PLINTH_ABI_MAJOR,
    PLINTH_ABI_MINOR,
    PLINTH_SIZE(plinth_module),
    /* reserved */ 0,
    /* name */ PLINTH_TEXT("shared"),
    /* version */ PLINTH_TEXT("1.0.0"),
    /* requires_ */ {},
    /* provides */ {},
    /* types */ {},
    PLINTH_LIST(commands),
    /* configs */ {},
    /* infos */ {},
    start,
    /* stop */ nullptr,
    /* layout */ nullptr,
};
