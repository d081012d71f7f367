// The headers as a module in C++17 uses them. C++17 has no designated initialisers, so constant
// data names every field by its place. `cargo xtask headers --compile` compiles this file and
// never runs it.

#include <plinth/plinth.h>

// In any order, and again: guards and forward declarations must bear it.
#include <plinth/entry.h>
#include <plinth/keys.h>
#include <plinth/bytes.h>

#include <type_traits>

namespace {

// Plain data, so that C and C++ agree on it and a table can be copied as bytes.
template <typename T>
constexpr bool is_plain = std::is_standard_layout_v<T> && std::is_trivial_v<T>;
static_assert(is_plain<plinth_bytes> && is_plain<plinth_call> && is_plain<plinth_reply>);
static_assert(is_plain<plinth_module> && is_plain<plinth_type> && is_plain<plinth_command>);
static_assert(is_plain<plinth_entry> && is_plain<plinth_event> && is_plain<plinth_config>);
static_assert(is_plain<plinth_host> && is_plain<plinth_keys_service>);
static_assert(is_plain<plinth_reply_service> && is_plain<plinth_info_service>);

// The words that C++ keeps for itself end in an underscore.
static_assert(std::is_same_v<decltype(plinth_event::class_), uint32_t>);
static_assert(std::is_same_v<decltype(plinth_config::default_), plinth_bytes>);
static_assert(std::is_pointer_v<decltype(plinth_reply_service::double_)>);

// Callbacks are function pointers, not structs around one.
static_assert(std::is_pointer_v<plinth_take> && std::is_pointer_v<plinth_visit>);
static_assert(std::is_pointer_v<plinth_fire> && std::is_pointer_v<plinth_hook>);

static_assert(PLINTH_MAGIC == 0x544E4C50 && PLINTH_ABI_MAJOR == 1 && PLINTH_STATUS_OK == 0);

extern "C" plinth_status run(plinth_call *call) {
    auto reply = static_cast<const plinth_reply_service *>(
        plinth_service(call, PLINTH_REPLY_SERVICE, PLINTH_SIZE(plinth_reply_service)));
    if (reply == nullptr) {
        return PLINTH_STATUS_UNSUPPORTED;
    }
    reply->simple(call, plinth_text("OK"));
    return PLINTH_STATUS_OK;
}

const plinth_key_spec keys[] = {PLINTH_KEY_AT(PLINTH_KEY_RO, 1)};
const plinth_bytes services[] = {PLINTH_TEXT(PLINTH_KEYS_SERVICE),
                                 PLINTH_TEXT(PLINTH_REPLY_SERVICE)};

const plinth_command commands[] = {
    {PLINTH_SIZE(plinth_command), /* arity */ 2, PLINTH_TEXT("probe.run"), PLINTH_COMMAND_READONLY,
     PLINTH_CATEGORY_READ, {run, /* data */ nullptr}, PLINTH_LIST(keys), /* tips */ {},
     /* subcommands */ {}, /* docs */ nullptr, /* find_keys */ nullptr,
     /* look_ahead */ nullptr, /* category_names */ {}, /* channels */ {}, /* lifted_flags */ nullptr},
};

} // namespace

PLINTH_EXPORT const plinth_module plinth_module_entry = {
    PLINTH_MAGIC,
    PLINTH_ABI_MAJOR,
    PLINTH_ABI_MINOR,
    PLINTH_SIZE(plinth_module),
    /* reserved */ 0,
    /* name */ PLINTH_TEXT("probe"),
    /* version */ PLINTH_TEXT("1.0.0"),
    /* requires_ */ PLINTH_LIST(services),
    /* provides */ {},
    /* types */ {},
    PLINTH_LIST(commands),
    /* configs */ {},
    /* infos */ {},
    /* start */ nullptr,
    /* stop */ nullptr,
    /* layout */ nullptr,
};
