#include "host/secrets/name.hpp"

#include <algorithm>
#include <stdexcept>

namespace ocelot::secrets {
namespace {

constexpr std::size_t kLongestName = 512;

}  // namespace

void requireName(const std::string& name) {
  bool good = !name.empty() && name.size() <= kLongestName;
  for (std::size_t begin = 0; good && begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string part = name.substr(begin, end - begin);
    good = !part.empty() && part[0] != '.' &&
           part.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               std::string::npos;
    begin = end + 1;
  }
  if (!good)
    throw std::invalid_argument(
        "name a secret \"" + name +
        "\": a name is parts of letters, digits, '.', '_' and '-', joined by '/', none beginning with "
        "a dot, 512 bytes at most");
}

void requireFitting(const std::string& name, const std::string& value) {
  if (value.size() > kLongestValue)
    throw std::invalid_argument("put secret " + name + ": it has " + std::to_string(value.size()) +
                                " bytes, at most 65536 are allowed");
}

}  // namespace ocelot::secrets
