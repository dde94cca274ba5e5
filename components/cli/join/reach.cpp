#include "components/cli/join/reach.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <sstream>

#include "components/cli/command.hpp"
#include "host/http/url.hpp"
#include "ocelot/call.hpp"

namespace ocelot::cli {

std::string hostOf(const std::string& address) {
  try {
    return http::parseUrl(address.find("://") == std::string::npos ? "http://" + address : address).host;
  } catch (const Error&) {
    return "";
  }
}

bool isOfThisMachine(const std::string& host) {
  if (host.empty() || host[0] == '/' || host[0] == '@') return true;
  if (host == "localhost" || host.ends_with(".localhost") || host.starts_with("localhost.")) return true;
  in_addr four{};
  if (::inet_pton(AF_INET, host.c_str(), &four) == 1) {
    const auto address = ntohl(four.s_addr);
    return address == 0 || address >> 24 == 127;
  }
  in6_addr six{};
  if (::inet_pton(AF_INET6, host.c_str(), &six) != 1) return false;
  return IN6_IS_ADDR_LOOPBACK(&six) || IN6_IS_ADDR_UNSPECIFIED(&six) ||
         (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == 127);
}

std::vector<std::string> commaSeparated(const std::string& text) {
  std::vector<std::string> items;
  std::istringstream in(text);
  for (std::string item; std::getline(in, item, ',');) items.push_back(item);
  if (items.empty() || text.back() == ',') items.emplace_back();
  return items;
}

bool isHost(const std::string& text) {
  in6_addr six{};
  if (::inet_pton(AF_INET6, text.c_str(), &six) == 1) return true;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  if (text.empty() || text.size() > 253 || !letter(text.front()) || !letter(text.back())) return false;
  return text.find("..") == std::string::npos &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || c == '-' || c == '.'; });
}

std::string withPort(const std::string& host, int port) {
  const bool six = host.find(':') != std::string::npos;
  return (six ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string ownHostName() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  addrinfo wanted{};
  wanted.ai_flags = AI_CANONNAME;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  std::string full = name;
  if (::getaddrinfo(name, nullptr, &wanted, &found) == 0) {
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> holder(found, &::freeaddrinfo);
    if (found->ai_canonname && !isOfThisMachine(found->ai_canonname)) full = found->ai_canonname;
  }
  if (!isHost(full) || isOfThisMachine(full))
    throw Failure("this machine has no name by which others could find it: it is called \"" + full + "\"",
                  "say which: `ocelot workers join --address HOST`");
  return full;
}

}  // namespace ocelot::cli
