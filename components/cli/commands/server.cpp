// up, down, login, version: which server there is.

#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "components/cli/commands/commands.hpp"
#include "components/cli/server.hpp"
#include "components/cli/terminal.hpp"
#include "components/cli/up/installation.hpp"
#include "components/cli/up/up.hpp"

namespace ocelot::cli {
namespace {

// Typed without echo at a terminal, a line of standard input otherwise; never an argument, which others could see.
std::string readToken() {
  std::string token;
  if (isTerminal(0)) {
    const char* typed = ::getpass("token: ");
    token = typed ? typed : "";
  } else {
    std::getline(std::cin, token);
  }
  if (token.empty()) throw Failure("no token was given", "an admin makes one with `ocelot token add`");
  return token;
}

int login(const Arguments& arguments) {
  Context context;
  context.url = arguments.word(0);
  if (context.url.find(':') == std::string::npos) context.url = "https://" + context.url;
  while (!context.url.empty() && context.url.back() == '/') context.url.pop_back();
  refuseClearText(context.url, arguments.has("insecure"));
  context.ca_file = arguments.text("ca");
  context.token = readToken();
  context.insecure = arguments.has("insecure");
  const Json version = Server(context).get("/v1/version");
  context.name = arguments.text("name", context.url.substr(context.url.find("://") + 3));
  Contexts contexts = readContexts();
  contexts.all[context.name] = context;
  contexts.current = context.name;
  writeContexts(contexts);
  if (arguments.has("json")) {
    printJson(version);
  } else {
    std::cerr << "logged in to " << context.url << " as " << plain(str(version, "token")) << " ("
              << str(version, "role") << "), context `" << context.name << "`\n";
  }
  if (std::getenv("OCELOT_URL")) std::cerr << paint("OCELOT_URL is set, and wins", Colour::yellow, 2) << "\n";
  return kPassed;
}

int version(const Arguments& arguments) {
  Json answer = new Poco::JSON::Object;
  answer->set("ocelot", OCELOT_VERSION);
  if (arguments.has("server")) {
    const Json server = Server(chooseContext(arguments)).get("/v1/version");
    answer->set("server", server);
    if (!arguments.has("json"))
      std::cout << "ocelot " OCELOT_VERSION "\nserver " << str(server, "version") << ", " << str(server, "store")
                << "\n";
  } else if (!arguments.has("json")) {
    std::cout << "ocelot " OCELOT_VERSION "\n";
  }
  if (arguments.has("json")) {
    answer->stringify(std::cout, 2);
    std::cout << "\n";
  }
  return kPassed;
}

std::vector<Option> with(std::vector<Option> options) {
  const auto& more = installationOptions();
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

}  // namespace

std::vector<Command> addServerCommands() {
  const std::string group = "Server";
  return {
      {"up",
       "",
       0,
       0,
       "run all of Ocelot on this machine, in the foreground",
       group,
       with({{"--port", "N", "listen on N and the three ports after it instead of 7700 to 7703"},
             {"--install", "", "make it a systemd service instead, started now and at boot"}}),
       up,
       {}},
      {"down",
       "",
       0,
       0,
       "end it, once its builds have ended",
       group,
       with({{"--now", "", "after two seconds give the running builds back to the queue"}}),
       down,
       {}},
      {"login",
       "URL",
       1,
       1,
       "remember a server and a token for it",
       group,
       {{"--name", "NAME", "what to call it; default: its host"},
        {"--ca", "FILE", "PEM of the authority that signed its certificate"},
        {"--insecure", "", "allow plain http to another machine: the token can be read on the way"}},
       login,
       {}},
      {"version", "", 0, 0, "show this program's version", "", {{"--server", "", "and the server's"}}, version, {}},
  };
}

}  // namespace ocelot::cli
