#pragma once
// Which server, and with which token: from OCELOT_URL and OCELOT_TOKEN, or from what `ocelot login` and `ocelot up`
// keep in ~/.config/ocelot/contexts.json (0600).

#include <map>
#include <optional>
#include <string>

#include "components/cli/command.hpp"

namespace ocelot::cli {

struct Context {
  std::string name;
  std::string url;
  std::string token;
  std::string ca_file;
  bool insecure = false;  // its user allowed plain http to another machine
};

struct Contexts {
  std::string current;
  std::map<std::string, Context> all;
};

std::string contextsPath();
Contexts readContexts();  // empty when there is no file; throws Failure when it cannot be read or others may read it
void writeContexts(const Contexts& contexts);

// No server is named anywhere.
class NoContext : public Failure {
 public:
  using Failure::Failure;
};

// The one to use. Throws NoContext with what to do when there is none.
Context chooseContext(const Arguments& arguments);
// A token must not cross a network in the clear. Throws Failure unless the URL is https, loopback, or `insecure`.
void refuseClearText(const std::string& url, bool insecure);

}  // namespace ocelot::cli
