#pragma once
// What is posted, as README.md describes it.

#include <string>

#include "ocelot/notifier.hpp"

namespace ocelot::webhook {

std::string bodyFor(const BuildNotice& notice, const std::string& target);

}  // namespace ocelot::webhook
