#pragma once
// What the operator can say about an instance of this plugin.

#include "ocelot/abi/option.h"

namespace ocelot::webhook {

inline constexpr ocelot_option kOptions[] = {
    {"url", OCELOT_URL, OCELOT_REQUIRED, nullptr, "where ended builds are posted to"},
    {"secret", OCELOT_TEXT, OCELOT_SECRET, nullptr,
     "key of the signature in x-ocelot-signature-256; without it nothing is signed"},
    {"headers", OCELOT_LIST, OCELOT_SECRET, nullptr, "further headers, each written \"Name: value\""},
    {nullptr, 0, 0, nullptr, nullptr}};

}  // namespace ocelot::webhook
