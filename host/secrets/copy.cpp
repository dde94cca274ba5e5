#include "host/secrets/copy.hpp"

namespace ocelot::secrets {

std::int64_t copySecrets(Secrets& from, Secrets& to) {
  std::int64_t copied = 0;
  for (const auto& name : from.names("")) {
    const auto value = from.find(name);
    if (!value) continue;  // removed since
    if (to.find(name) != value) {
      to.put(name, *value);
      if (to.find(name) != value)
        throw Unavailable("copy secret " + name +
                          ": what is read back is not what was put; does something else write there?");
    }
    ++copied;
  }
  return copied;
}

}  // namespace ocelot::secrets
