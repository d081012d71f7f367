// A module that looks whether operator new aligns to 16, as C++17 promises.
//
//   aligned.cpp  answers how many objects are not

#include <plinth/plinth.h>

#include <cstddef>
#include <memory>
#include <unordered_map>
#include <vector>

namespace {

const plinth_reply_service *reply;

template <std::size_t LEN> struct alignas(16) padded {
    unsigned char of[LEN];
};

int64_t is_wrong(const void *memory) { return reinterpret_cast<uintptr_t>(memory) % 16 != 0; }

template <std::size_t LEN> int64_t wrong_of() {
    int64_t wrong = 0;
    std::vector<std::unique_ptr<padded<LEN>>> objects;
    std::vector<std::unique_ptr<std::byte[]>> bytes;
    for (int at = 0; at < 7; at++) {
        objects.push_back(std::make_unique<padded<LEN>>());
        bytes.push_back(std::make_unique<std::byte[]>(LEN));
        wrong += is_wrong(objects.back().get()) + is_wrong(bytes.back().get());
    }
    return wrong;
}

plinth_status cpp(plinth_call *call) {
    int64_t wrong = wrong_of<17>() + wrong_of<24>() + wrong_of<32>() + wrong_of<40>() + wrong_of<48>() +
                    wrong_of<56>() + wrong_of<63>() + wrong_of<80>() + wrong_of<100>();
    std::unordered_map<int, long double> numbers;
    for (int at = 0; at < 100; at++) {
        numbers[at] = at;
        wrong += is_wrong(&numbers[at]);
    }
    reply->integer(call, wrong);
    return PLINTH_STATUS_OK;
}

plinth_status start(plinth_call *call) {
    reply = static_cast<const plinth_reply_service *>(
        plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service)));
    return reply != nullptr ? PLINTH_STATUS_OK : PLINTH_STATUS_UNSUPPORTED;
}

const plinth_command commands[] = {
    {PLINTH_SIZE(plinth_command), /* arity */ 1, PLINTH_TEXT("aligned.cpp"), /* flags */ 0, /* categories */ 0,
     {cpp, /* data */ nullptr}, /* keys */ {}, /* tips */ {}, /* subcommands */ {}, /* docs */ nullptr,
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
    /* name */ PLINTH_TEXT("aligned-cpp"),
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
