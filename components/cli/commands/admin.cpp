// token, plugins, config, backup, restore: for whoever runs the server.

#include <Poco/JSON/Array.h>

#include <iostream>

#include "components/cli/commands/commands.hpp"
#include "components/cli/server.hpp"
#include "components/cli/terminal.hpp"
#include "components/cli/up/installation.hpp"
#include "host/http/client.hpp"
#include "host/http/json.hpp"
#include "ocelot/option_values.hpp"

namespace ocelot::cli {
namespace {

int tokenAdd(const Arguments& arguments) {
  Server server(chooseContext(arguments));
  std::int64_t seconds = 0;
  if (arguments.has("expires")) {
    const auto life = parseDuration(arguments.text("expires"));
    if (!life || *life < 1000) throw Usage("--expires wants a time like 12h, not `" + arguments.text("expires") + "`");
    seconds = *life / 1000;
  }
  http::JsonWriter body;
  body.object()
      .field("name", arguments.word(0))
      .field("role", arguments.text("role", "operator"))
      .field("expires_in_seconds", seconds)
      .end();
  const Json token = server.post("/v1/tokens", body.text());
  if (arguments.has("json")) {
    printJson(token);
  } else {
    std::cerr << "token " << str(token, "id") << " (" << str(token, "role") << ") for " << plain(str(token, "name"))
              << ", shown this once:\n";
    std::cout << str(token, "value") << "\n";
  }
  return kPassed;
}

int tokenList(const Arguments& arguments) {
  const Json answer = Server(chooseContext(arguments)).get("/v1/tokens");
  if (arguments.has("json")) {
    printJson(answer);
    return kPassed;
  }
  std::vector<std::vector<std::string>> rows{{"ID", "ROLE", "MADE", "LAST USED", "ENDS", "NAME"}};
  const auto tokens = answer->getArray("tokens");
  for (unsigned i = 0; i < tokens->size(); ++i) {
    const Json one = tokens->getObject(i);
    rows.push_back({str(one, "id"), str(one, "role"), ago(num(one, "created_at")),
                    num(one, "last_used_at") ? ago(num(one, "last_used_at")) : "never", until(num(one, "expires_at")),
                    plain(str(one, "name"))});
  }
  std::cout << table(rows);
  return kPassed;
}

int tokenRevoke(const Arguments& arguments) {
  Server(chooseContext(arguments)).remove("/v1/tokens/" + http::encode(arguments.word(0)));
  std::cerr << "revoked " << arguments.word(0) << "\n";
  return kPassed;
}

int audit(const Arguments& arguments) {
  std::string query = "/v1/audit?limit=" + std::to_string(arguments.number("limit", 50, 1));
  if (arguments.has("before")) query += "&before=" + std::to_string(arguments.number("before", 0));
  const Json answer = Server(chooseContext(arguments)).get(query);
  if (arguments.has("json")) {
    printJson(answer);
    return kPassed;
  }
  std::vector<std::vector<std::string>> rows{{"ID", "WHEN", "WHO", "FROM", "ACTION", "OBJECT", "STATUS"}};
  const auto entries = answer->getArray("audit");
  for (unsigned i = 0; i < entries->size(); ++i) {
    const Json one = entries->getObject(i);
    const std::int64_t status = num(one, "status");
    rows.push_back({std::to_string(num(one, "id")), ago(num(one, "at")), plain(str(one, "actor")),
                    plain(str(one, "from")), plain(str(one, "action")), plain(str(one, "object")),
                    status == 0    ? "unknown"
                    : status < 300 ? std::to_string(status)
                                   : paint(std::to_string(status), Colour::red)});
  }
  std::cout << table(rows);
  return kPassed;
}

int plugins(const Arguments& arguments) {
  const Json answer = Server(chooseContext(arguments)).get("/v1/plugins");
  if (arguments.has("json")) {
    printJson(answer);
    return kPassed;
  }
  std::vector<std::vector<std::string>> rows{{"KIND", "NAME", "VERSION", ""}};
  const auto list = answer->getArray("plugins");
  for (unsigned i = 0; i < list->size(); ++i) {
    const Json one = list->getObject(i);
    const std::string problem = str(one, "problem");
    rows.push_back({str(one, "kind"), plain(str(one, "name")), plain(str(one, "version")),
                    problem.empty() ? plain(str(one, "summary")) : paint(plain(problem), Colour::red)});
  }
  std::cout << table(rows);
  return kPassed;
}

int configDefaults(const Arguments&) {
  std::cout << config::defaultsAnnotated();
  return kPassed;
}

int configCheck(const Arguments& arguments) {
  std::vector<config::Problem> problems;
  std::string file;
  try {
    file = installationFor(arguments).config_file;
  } catch (const config::Invalid& invalid) {
    problems = invalid.problems();
  }
  if (arguments.has("json")) {
    http::JsonWriter out;
    out.object().field("valid", problems.empty()).key("problems").array();
    for (const auto& problem : problems) out.object().field("where", problem.where).field("what", problem.what).end();
    out.end().end();
    std::cout << out.text() << "\n";
  } else {
    for (const auto& problem : problems) std::cerr << problem.where << ": " << problem.what << "\n";
    if (problems.empty()) std::cerr << (file.empty() ? "no file; the defaults hold" : file + " is right") << "\n";
  }
  return problems.empty() ? kPassed : kError;
}

}  // namespace

std::vector<Command> addAdminCommands() {
  return {
      {"token add",
       "NAME",
       1,
       1,
       "make a token for a person or a program; it is shown once",
       "",
       {{"--role", "ROLE", "admin, operator (default) or viewer"},
        {"--expires", "TIME", "after which it ends, like 720h"}},
       tokenAdd,
       {}},
      {"token list", "", 0, 0, "show the tokens, not their values", "", {}, tokenList, {}},
      {"token revoke", "ID", 1, 1, "end a token", "", {}, tokenRevoke, {}},
      {"audit",
       "",
       0,
       0,
       "show who changed what, newest first",
       "",
       {{"-n, --limit", "N", "how many (50)"}, {"--before", "ID", "only entries with a lower id: the next page"}},
       audit,
       {}},
      {"plugins list", "", 0, 0, "show the server's plugins, and what is wrong with one", "", {}, plugins, {"plugins"}},
      {"config defaults",
       "",
       0,
       0,
       "print a server.yaml with every key at its default, explained",
       "",
       {},
       configDefaults,
       {}},
      {"config check", "", 0, 0, "check this installation's server.yaml", "", installationOptions(), configCheck, {}},
  };
}

}  // namespace ocelot::cli
