// build, logs, status, list, kill, rerun: what one does with builds every day.

#include <Poco/JSON/Array.h>

#include <iostream>

#include "components/cli/build_view.hpp"
#include "components/cli/checkout.hpp"
#include "components/cli/commands/commands.hpp"
#include "components/cli/follow.hpp"
#include "components/cli/repo_here.hpp"
#include "components/cli/terminal.hpp"
#include "host/http/json.hpp"

namespace ocelot::cli {
namespace {

// To look at a build that was not named, the latest of all will do; to end or repeat one, it may be somebody else's.
enum class Unnamed { latestOfAll, onlyHere };

// The build that is meant: named, or the latest of the repository around us, or the latest of all.
Json chosenBuild(Server& server, const Arguments& arguments, Unnamed unnamed = Unnamed::latestOfAll) {
  if (!arguments.word(0).empty()) return server.get("/v1/builds/" + http::encode(arguments.word(0)));
  std::string query = "/v1/builds?limit=1";
  const auto here = lookAround();
  const std::string repo = here ? repoHere(server, *here) : "";
  if (!repo.empty()) {
    query += "&repo=" + http::encode(repo);
  } else if (unnamed == Unnamed::onlyHere) {
    throw Usage("name the build, or run this inside of a checkout whose builds Ocelot knows");
  }
  const auto builds = server.get(query)->getArray("builds");
  if (!builds || builds->size() == 0) throw Failure("there are no builds yet", "`ocelot build` makes one");
  return server.get("/v1/builds/" + str(builds->getObject(0), "id"));
}

int build(const Arguments& arguments) {
  Server server(chooseContext(arguments));
  const auto here = lookAround();
  std::string repo = arguments.word(0), branch = arguments.text("branch"), commit = arguments.text("commit");
  if (repo.empty()) {
    if (!here) throw Usage("name the repository, or run this inside of its checkout");
    if (branch.empty() && commit.empty()) {
      if (here->branch.empty())
        throw Failure("HEAD is on no branch", "name one with --branch, or a commit with --commit");
      branch = here->branch;
      commit = here->origin.empty() ? here->head : here->pushed;
      if (here->head.empty())
        throw Failure("branch " + branch + " has no commit yet", "commit, or build the working copy with `ocelot run`");
      if (commit.empty())
        throw Failure("branch " + branch + " was never pushed",
                      "git push -u origin " + branch + ", or build the working copy with `ocelot run`");
      std::string what = "building " + shortCommit(commit) + ", " + (here->origin.empty() ? "" : "origin/") + branch;
      if (here->ahead > 0 || here->dirty)
        what += std::string("; HEAD is ") + (here->ahead > 0 ? std::to_string(here->ahead) + " ahead" : "") +
                (here->ahead > 0 && here->dirty ? " and " : "") + (here->dirty ? "dirty" : "") +
                (here->origin.empty() ? ": commit, or `ocelot run`" : ": push, or `ocelot run`");
      std::cerr << paint(what, Colour::dim, 2) << "\n";
    }
    // Last: a repository that cannot be built from here is not made known.
    repo = repoHereOrAdd(server, *here);
  }
  http::JsonWriter body;
  body.object()
      .field("repo", repo)
      .field("branch", branch)
      .field("commit", commit)
      .field("force", arguments.has("force"))
      .end();
  const Json made = server.post("/v1/builds", body.text());
  if (arguments.has("json") && arguments.has("detach")) {
    printJson(made);
    return exitStatusOf(str(made, "state"));
  }
  std::cerr << "build " << titleOf(made) << "\n";
  if (arguments.has("detach")) {
    if (!str(made, "sentence").empty()) std::cerr << plain(str(made, "sentence")) << "\n";
    std::cout << num(made, "number") << "\n";
    return exitStatusOf(str(made, "state"));
  }
  return followBuild(server, str(made, "id"), arguments.has("json"));
}

int logs(const Arguments& arguments) {
  Server server(chooseContext(arguments));
  const Json build = chosenBuild(server, arguments);
  LogQuery query;
  query.follow = arguments.has("follow");
  query.as_records = arguments.has("json");
  query.stage = arguments.text("stage");
  query.tail = arguments.number("tail", 0, 1);
  const bool whole =
      !arguments.has("stage") && !arguments.has("failed") && !arguments.has("tail") && !arguments.has("raw");
  if (query.follow && whole && !query.as_records) return followBuild(server, str(build, "id"), false);
  if (arguments.has("failed")) {
    const auto stages = build->getArray("stages");
    for (unsigned i = 0; stages && i < stages->size() && query.stage.empty(); ++i)
      if (const std::string state = str(stages->getObject(i), "state"); state == "failed" || state == "timed_out")
        query.stage = std::to_string(num(stages->getObject(i), "index"));
    if (query.stage.empty())
      throw Failure("no stage of " + titleOf(build) + " failed", "`ocelot logs` shows its whole log");
  }
  LogPrinter printer(arguments.has("raw") || arguments.has("json"));
  bool heard = true;
  server.log(str(build, "id"), query, [&](std::string_view bytes) { return heard = printer.print(bytes); });
  return heard ? kPassed : kError;
}

int status(const Arguments& arguments) {
  Server server(chooseContext(arguments));
  const Json build = chosenBuild(server, arguments);
  if (arguments.has("json")) {
    printJson(build);
  } else {
    std::cout << describe(build);
  }
  return exitStatusOf(str(build, "state"));
}

int list(const Arguments& arguments) {
  Server server(chooseContext(arguments));
  std::string query = "/v1/builds?limit=" + std::to_string(arguments.number("limit", 20, 1));
  std::string repo = arguments.text("repo");
  if (repo.empty() && !arguments.has("all"))
    if (const auto here = lookAround()) repo = repoHere(server, *here);
  if (!repo.empty()) query += "&repo=" + http::encode(repo);
  for (const char* filter : {"branch", "state", "commit"})
    if (arguments.has(filter)) query += std::string("&") + filter + "=" + http::encode(arguments.text(filter));
  if (arguments.has("before")) query += "&before=" + std::to_string(arguments.number("before", 0));
  const Json answer = server.get(query);
  if (arguments.has("json")) {
    printJson(answer);
    return kPassed;
  }
  std::vector<std::vector<std::string>> rows{
      {"BUILD", "STATE", "REPO", "BRANCH", "COMMIT", "QUEUED", "TOOK", "MESSAGE"}};
  const auto builds = answer->getArray("builds");
  for (unsigned i = 0; i < builds->size(); ++i) {
    const Json one = builds->getObject(i);
    const std::int64_t begin = num(one, "started_at"), end = num(one, "finished_at");
    const std::string message = str(one, "message");
    rows.push_back({std::to_string(num(one, "number")), paint(str(one, "state"), colourOf(str(one, "state"))),
                    plain(str(one, "repo")), plain(str(one, "branch")), shortCommit(str(one, "commit")),
                    ago(num(one, "queued_at")), begin > 0 && end > 0 ? duration(end - begin) : "",
                    plain(message.substr(0, message.find('\n')).substr(0, 50))});
  }
  if (rows.size() == 1) {
    const bool narrowed =
        arguments.has("branch") || arguments.has("state") || arguments.has("commit") || arguments.has("before");
    std::cerr << (narrowed ? "no such builds" : "no builds yet") << (repo.empty() ? "" : " of " + repo) << "\n";
  } else {
    std::cout << table(rows);
  }
  return kPassed;
}

int kill(const Arguments& arguments) {
  Server server(chooseContext(arguments));
  const Json build = chosenBuild(server, arguments, Unnamed::onlyHere);
  const Json now = server.post("/v1/builds/" + str(build, "id") + "/cancel");
  if (arguments.has("json")) {
    printJson(now);
  } else {
    const std::string state = str(now, "state");
    std::cerr << titleOf(now)
              << (state == "running"    ? " is being canceled"
                  : state == "canceled" ? " is canceled"
                                        : " has ended already: " + state)
              << "\n";
  }
  return kPassed;
}

int rerun(const Arguments& arguments) {
  Server server(chooseContext(arguments));
  const Json build = chosenBuild(server, arguments, Unnamed::onlyHere);
  const Json made = server.post("/v1/builds/" + str(build, "id") + "/rerun");
  if (arguments.has("detach")) {
    if (arguments.has("json")) {
      printJson(made);
    } else {
      std::cout << num(made, "number") << "\n";
    }
    return kPassed;
  }
  std::cerr << "build " << titleOf(made) << ", again as #" << num(build, "number") << "\n";
  return followBuild(server, str(made, "id"), arguments.has("json"));
}

}  // namespace

std::vector<Command> addBuildCommands() {
  const std::string group = "Builds";
  const Option detach{"-d, --detach", "", "do not follow the build; print its number"};
  return {
      {"build",
       "[REPO]",
       0,
       1,
       "build a commit and follow its log",
       group,
       {{"-b, --branch", "BRANCH", "its head instead of the current branch's"},
        {"-c, --commit", "COMMIT", "this commit, full or abbreviated"},
        {"--force", "", "although branch rules or skip words say no"},
        detach},
       build,
       {},
       "Inside of a checkout it is the commit that was last pushed, which is said; the working copy is built "
       "by\n`ocelot run`. Ctrl-C leaves the build running. With --json the log goes to stderr, the ended build to "
       "stdout."},
      {"logs",
       "[BUILD]",
       0,
       1,
       "show a build's log",
       group,
       {{"-f, --follow", "", "go on until the build has ended"},
        {"--failed", "", "only the stage that failed"},
        {"--stage", "STAGE", "only this stage, by name or index"},
        {"--tail", "LINES", "only the last lines"},
        {"--raw", "", "every byte as it is, also to a terminal"}},
       logs,
       {}},
      {"status", "[BUILD]", 0, 1, "show how a build stands, and why it waits", group, {}, status, {"why"}},
      {"list",
       "",
       0,
       0,
       "show builds, newest first",
       group,
       {{"--repo", "REPO", "only of this repository; default: the one around us"},
        {"-a, --all", "", "of every repository"},
        {"--branch", "BRANCH", "only of this branch"},
        {"--state", "STATES", "only in these states, a comma list"},
        {"--commit", "COMMIT", "only of commits that begin so"},
        {"-n, --limit", "N", "how many (20)"},
        {"--before", "NUMBER", "only builds with a lower number: the next page"}},
       list,
       {"summary"}},
      {"kill", "[BUILD]", 0, 1, "end a build", group, {}, kill, {"cancel"}},
      {"rerun", "[BUILD]", 0, 1, "build the same commit again", group, {detach}, rerun, {}},
  };
}

}  // namespace ocelot::cli
