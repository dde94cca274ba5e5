#pragma once
// The name under which work for a machine tag is announced.

#include <string>
#include <string_view>

namespace ocelot::store {

// "build" for the empty tag, else "build_<tag>".
inline std::string topicFor(std::string_view machine_tag) {
  return machine_tag.empty() ? "build" : "build_" + std::string(machine_tag);
}

}  // namespace ocelot::store
