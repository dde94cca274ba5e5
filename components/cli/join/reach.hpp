#pragma once
// Which addresses mean something on another machine, and what this one is called there.

#include <string>
#include <vector>

namespace ocelot::cli {

// Of "db:4150", "[::1]:4150" or a URL; "" when it is none.
std::string hostOf(const std::string& address);
// The loopback, a wildcard, a socket's path, or nothing.
bool isOfThisMachine(const std::string& host);
std::vector<std::string> commaSeparated(const std::string& text);

// May be a machine's name, or a numeric address.
bool isHost(const std::string& text);
// "host:port", with brackets where the host is an IPv6 address.
std::string withPort(const std::string& host, int port);
// The name by which others find this machine, as `hostname -f` has it. Throws Failure when it has none.
std::string ownHostName();

}  // namespace ocelot::cli
