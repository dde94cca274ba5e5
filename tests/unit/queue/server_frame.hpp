#pragma once
// What a real or a pretended nsqd sends: size, type (0: response, 1: error, 2: message), data.

#include <string>

namespace ocelot::test {

inline std::string serverFrame(int type, const std::string& data) {
  const auto size = data.size() + 4;
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift & 0xff);
  return bytes + std::string(3, '\0') + static_cast<char>(type) + data;
}

}  // namespace ocelot::test
