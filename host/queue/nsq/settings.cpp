#include "host/queue/nsq/settings.hpp"

#include <algorithm>
#include <stdexcept>

namespace ocelot::queue {
namespace {

bool isHostCharacter(char c) { return c > ' ' && c < 0x7f && c != '/' && c != '@' && c != '[' && c != ']'; }

}  // namespace

std::string NsqAddress::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

NsqAddress parseNsqAddress(const std::string& text, std::uint16_t port_if_none) {
  const auto bad = [&text] {
    return std::invalid_argument("\"" + text + "\" is no address of an nsqd; write host:port, as in nsq1:4150");
  };
  NsqAddress address{text, port_if_none};
  std::string port;
  bool has_port = false;
  if (!text.empty() && text[0] == '[') {
    const auto close = text.find(']');
    if (close == std::string::npos) throw bad();
    address.host = text.substr(1, close - 1);
    has_port = close + 1 < text.size();
    if (has_port && text[close + 1] != ':') throw bad();
    if (has_port) port = text.substr(close + 2);
  } else if (const auto colon = text.find(':'); colon != std::string::npos && colon == text.rfind(':')) {
    address.host = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  if (has_port) {
    if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos) throw bad();
    const int number = std::stoi(port);
    if (number < 1 || number > 65535) throw bad();
    address.port = static_cast<std::uint16_t>(number);
  }
  if (address.host.empty() || address.host.size() > 253 ||
      !std::all_of(address.host.begin(), address.host.end(), isHostCharacter))
    throw bad();
  return address;
}

}  // namespace ocelot::queue
