#include "components/guest/answer.hpp"

namespace ocelot::guest {

bool isSecretName(std::string_view name) {
  if (name.empty() || name.size() > 256) return false;
  for (const char c : name)
    if (!(c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))) return false;
  return true;
}

Answer parseAnswer(std::string_view bytes, std::string& content) {
  if (bytes.size() > kMaxAnswer) return Answer::garbled;
  const auto end = bytes.find('\n');
  if (end == bytes.npos) return bytes.size() > 4000 ? Answer::garbled : Answer::incomplete;
  const auto line = bytes.substr(0, end);
  const auto rest = bytes.substr(end + 1);
  if (line.substr(0, 4) == "ERR ") {
    content = line.substr(4);
    return content.empty() ? Answer::garbled : Answer::refused;
  }
  if (line.substr(0, 3) != "OK " || line.size() < 4 || line.size() > 8) return Answer::garbled;
  std::size_t size = 0;
  for (const char c : line.substr(3)) {
    if (c < '0' || c > '9') return Answer::garbled;
    size = size * 10 + static_cast<std::size_t>(c - '0');
  }
  if (size > kMaxSecret || rest.size() > size) return Answer::garbled;
  if (rest.size() < size) return Answer::incomplete;
  content = rest;
  return Answer::given;
}

}  // namespace ocelot::guest
