#pragma once
// What may be a topic: the same on every queue, so that a change of engine changes no name.

#include <string>

namespace ocelot::queue {

// Throws std::invalid_argument.
void requireTopic(const std::string& topic);

}  // namespace ocelot::queue
