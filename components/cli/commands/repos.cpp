// repos, poll: what Ocelot builds, and when.

#include <Poco/JSON/Array.h>

#include <filesystem>
#include <iostream>
#include <sstream>

#include "components/cli/commands/commands.hpp"
#include "components/cli/repo_here.hpp"
#include "components/cli/terminal.hpp"
#include "host/http/json.hpp"
#include "ocelot/option_values.hpp"

namespace ocelot::cli {
namespace {

std::string hookOf(const Json& repo) {
  const std::string url = str(repo, "hook_url");
  return url.empty() ? str(repo, "hook_path") + " of ocelot-hookhandler" : url;
}

int add(const Arguments& arguments) {
  Server server(chooseContext(arguments));
  std::string url = arguments.word(0);
  // A path is meant as seen from here.
  if (url == "." || url.compare(0, 2, "./") == 0 || url.compare(0, 3, "../") == 0)
    url = std::filesystem::weakly_canonical(url);
  http::JsonWriter body;
  body.object().field("url", url);
  if (arguments.has("name")) body.field("name", arguments.text("name"));
  if (arguments.has("vcs")) body.field("vcs", arguments.text("vcs"));
  body.end();
  const Json repo = server.post("/v1/repos", body.text());
  if (arguments.has("json")) {
    printJson(repo);
    return kPassed;
  }
  std::cerr << "added " << str(repo, "name") << "\n"
            << table({{"  signed pushes go to", "POST " + hookOf(repo)},
                      {"  their secret (shown this once)", str(repo, "hook_secret")},
                      {"  or look every minute", "ocelot poll add " + str(repo, "name")}});
  return kPassed;
}

std::string polledOf(const Json& repo) {
  const std::int64_t seconds = num(repo, "poll_seconds");
  return seconds ? "each " + std::to_string(seconds) + " s, " + plain(str(repo, "poll_branches")) : "no";
}

// What polls and hooks cannot read, on standard error: the table stays a table.
void tellTrouble(const Json& repo) {
  std::istringstream lines(str(repo, "trouble"));
  for (std::string line; std::getline(lines, line);)
    std::cerr << "! " << plain(str(repo, "name")) << ": " << plain(line) << "\n";
}

int list(const Arguments& arguments) {
  Server server(chooseContext(arguments));
  const Json answer = server.get("/v1/repos");
  if (arguments.has("json")) {
    printJson(answer);
    return kPassed;
  }
  std::vector<std::vector<std::string>> rows{{"REPO", "VCS", "POLLED", "URL"}};
  const auto repos = answer->getArray("repos");
  for (unsigned i = 0; i < repos->size(); ++i) {
    const Json repo = repos->getObject(i);
    rows.push_back({plain(str(repo, "name")), str(repo, "vcs"), polledOf(repo), plain(str(repo, "url"))});
  }
  if (rows.size() == 1) {
    std::cerr << "no repositories yet; `ocelot repos add URL` adds one\n";
  } else {
    std::cout << table(rows);
  }
  for (unsigned i = 0; i < repos->size(); ++i) tellTrouble(repos->getObject(i));
  return kPassed;
}

int show(const Arguments& arguments) {
  Server server(chooseContext(arguments));
  const Json repo = server.get(repoPath(chosenRepo(server, arguments.word(0))));
  if (arguments.has("json")) {
    printJson(repo);
    return kPassed;
  }
  std::cout << table({{"name", plain(str(repo, "name"))},
                      {"url", plain(str(repo, "url"))},
                      {"vcs", str(repo, "vcs")},
                      {"hooks", hookOf(repo)},
                      {"polled", polledOf(repo)},
                      {"added", ago(num(repo, "added_at"))}});
  tellTrouble(repo);
  return kPassed;
}

int remove(const Arguments& arguments) {
  Server server(chooseContext(arguments));
  server.remove(repoPath(arguments.word(0)));
  std::cerr << "removed " << arguments.word(0) << "; its builds stay readable\n";
  return kPassed;
}

int pollAdd(const Arguments& arguments) {
  Server server(chooseContext(arguments));
  const auto every = parseDuration(arguments.text("every", "60s"));
  if (!every || *every < 1000) throw Usage("--every wants a time of at least a second, like 60s or 5m");
  http::JsonWriter body;
  body.object().field("seconds", *every / 1000).field("branches", arguments.text("branches", "ALL")).end();
  const Json repo = server.put(repoPath(chosenRepo(server, arguments.word(0))) + "/poll", body.text());
  if (arguments.has("json")) {
    printJson(repo);
    return kPassed;
  }
  std::cerr << str(repo, "name") << " is looked at every " << num(repo, "poll_seconds") << " s"
            << (num(repo, "poll_seconds") > *every / 1000 ? ", as often as poller.min_interval allows" : "") << "\n";
  return kPassed;
}

int pollRemove(const Arguments& arguments) {
  Server server(chooseContext(arguments));
  const Json repo = server.put(repoPath(chosenRepo(server, arguments.word(0))) + "/poll", "{\"seconds\":0}");
  if (arguments.has("json")) {
    printJson(repo);
    return kPassed;
  }
  std::cerr << str(repo, "name") << " is not looked at any more\n";
  return kPassed;
}

}  // namespace

std::vector<Command> addRepoCommands() {
  return {
      {"repos add",
       "URL",
       1,
       1,
       "let Ocelot know a repository, by clone URL or path",
       "",
       {{"--name", "NAME", "what to call it; default: account/repo from the URL"},
        {"--vcs", "PROVIDER", "a configured VCS provider"}},
       add,
       {"watch"}},
      {"repos list", "", 0, 0, "show the repositories", "", {}, list, {"repos", "poll list"}},
      {"repos show", "[REPO]", 0, 1, "show one", "", {}, show, {}},
      {"repos remove", "REPO", 1, 1, "forget one; its builds stay", "", {}, remove, {}},
      {"poll add",
       "[REPO]",
       0,
       1,
       "look regularly for new commits",
       "",
       {{"--every", "TIME", "how often (60s)"}, {"--branches", "LIST", "a comma list, or ALL"}},
       pollAdd,
       {"poll"}},
      {"poll remove", "[REPO]", 0, 1, "do not look any more", "", {}, pollRemove, {"poll delete"}},
  };
}

}  // namespace ocelot::cli
