#include <stdexcept>

#include "host/queue/topic.hpp"
#include "host/store/topic.hpp"

namespace ocelot::queue {

std::string topicFor(const std::string& machine_tag) { return store::topicFor(machine_tag); }

void requireTopic(const std::string& topic) {
  const bool good =
      !topic.empty() && topic.size() <= 64 && topic != "." && topic != ".." &&
      topic.find_first_not_of(".abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == std::string::npos;
  if (!good)
    throw std::invalid_argument("use topic \"" + topic +
                                "\": a topic is 1 to 64 letters, digits, '.', '_' and '-'; choose such a machine tag");
}

}  // namespace ocelot::queue
