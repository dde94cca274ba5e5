#pragma once
// Why a queued build waits, in a sentence.

#include <string>

#include "host/discovery/discovery.hpp"
#include "host/store/store.hpp"

namespace ocelot::admin {

std::string whyWaiting(store::Store& store, discovery::Discovery& discovery, const model::Build& build);

}  // namespace ocelot::admin
