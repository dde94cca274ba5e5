// context list, use, remove: which of the remembered servers is meant.

#include <iostream>

#include "components/cli/commands/commands.hpp"
#include "components/cli/context.hpp"
#include "components/cli/terminal.hpp"
#include "host/http/json.hpp"

namespace ocelot::cli {
namespace {

Contexts knowing(const std::string& name) {
  Contexts contexts = readContexts();
  if (contexts.all.count(name)) return contexts;
  std::string names;
  for (const auto& [known, context] : contexts.all) names += (names.empty() ? "" : ", ") + known;
  throw Failure("there is no context `" + name + "`",
                names.empty() ? "`ocelot login URL` makes one" : "there are: " + names);
}

int list(const Arguments& arguments) {
  const Contexts contexts = readContexts();
  if (arguments.has("json")) {
    http::JsonWriter out;
    out.object().field("current", contexts.current).key("contexts").array();
    for (const auto& [name, context] : contexts.all)
      out.object().field("name", name).field("url", context.url).field("insecure", context.insecure).end();
    out.end().end();
    std::cout << out.text() << "\n";
    return kPassed;
  }
  std::vector<std::vector<std::string>> rows{{"", "CONTEXT", "URL"}};
  for (const auto& [name, context] : contexts.all)
    rows.push_back({name == contexts.current ? "*" : "", plain(name), plain(context.url)});
  if (rows.size() == 1) {
    std::cerr << "no server is remembered; `ocelot login URL` remembers one\n";
  } else {
    std::cout << table(rows);
  }
  return kPassed;
}

int use(const Arguments& arguments) {
  Contexts contexts = knowing(arguments.word(0));
  contexts.current = arguments.word(0);
  writeContexts(contexts);
  std::cerr << "now with " << contexts.all[contexts.current].url << "\n";
  return kPassed;
}

int remove(const Arguments& arguments) {
  Contexts contexts = knowing(arguments.word(0));
  contexts.all.erase(arguments.word(0));
  if (contexts.current == arguments.word(0)) contexts.current = contexts.all.empty() ? "" : contexts.all.begin()->first;
  writeContexts(contexts);
  std::cerr << "forgot " << arguments.word(0)
            << " and its token; the server still knows it until `ocelot token revoke`\n";
  return kPassed;
}

}  // namespace

std::vector<Command> addContextCommands() {
  return {
      {"context list", "", 0, 0, "show the servers that are remembered", "", {}, list, {"context"}},
      {"context use", "NAME", 1, 1, "use this server from now on", "", {}, use, {}},
      {"context remove", "NAME", 1, 1, "forget a server and its token", "", {}, remove, {"logout"}},
  };
}

}  // namespace ocelot::cli
