// workers: who runs builds, who is to take no new ones, and which machine is to be one more.

#include <Poco/JSON/Array.h>

#include <algorithm>
#include <iostream>
#include <map>

#include "components/cli/commands/commands.hpp"
#include "components/cli/join/join.hpp"
#include "components/cli/server.hpp"
#include "components/cli/terminal.hpp"
#include "components/cli/up/installation.hpp"

namespace ocelot::cli {
namespace {

std::string join(const Poco::JSON::Array::Ptr& words) {
  std::string out;
  for (unsigned i = 0; i < words->size(); ++i) out += (i ? "," : "") + words->getElement<std::string>(i);
  return out;
}

std::string versionOf(const Json& worker) {
  const std::string version = plain(str(worker, "version")), is = str(worker, "version_is");
  return is.empty() || is == "same" ? version : paint(version + " (" + plain(is) + ")", Colour::yellow);
}

// Why it takes no builds; also what it was asked for and has not heard yet.
std::string noteOf(const Json& worker) {
  const std::string note = plain(str(worker, "note")), by = plain(str(worker, "drained_by"));
  if (by.empty() || note.find("drained by") != std::string::npos) return note;
  return (note.empty() ? "" : note + "; ") + "asked by " + by + " to drain";
}

// A worker a row, with the first of its builds; each other build has a row below.
void addRows(const Json& worker, bool name_is_its_own, std::vector<std::vector<std::string>>& rows) {
  const auto builds = worker->getArray("builds");
  const auto buildAt = [&](unsigned i) -> std::pair<std::string, std::string> {
    if (i >= builds->size()) return {"", ""};
    const Json build = builds->getObject(i);
    return {"#" + std::to_string(num(build, "number")) + " " + plain(str(build, "repo")) + " " +
                plain(str(build, "branch")),
            ago(num(build, "started_at"))};
  };
  const bool online = worker->optValue("online", true);
  const auto first = buildAt(0);
  rows.push_back({plain(str(worker, "name")) + (name_is_its_own ? "" : " (" + plain(str(worker, "id")) + ")"),
                  online ? std::to_string(builds->size()) + "/" + std::to_string(num(worker, "slots")) : "",
                  first.first, first.second, plain(join(worker->getArray("tags"))), versionOf(worker),
                  online ? ago(num(worker, "started_at")) : "", online ? ago(num(worker, "seen_at")) : "",
                  noteOf(worker)});
  for (unsigned i = 1; i < builds->size(); ++i) {
    const auto next = buildAt(i);
    rows.push_back({"", "", next.first, next.second, "", "", "", "", ""});
  }
}

// On standard error: the table stays a table.
void tellVersions(const Json& worker, const std::string& admin) {
  const std::string is = str(worker, "version_is");
  if (is.empty() || is == "same") return;
  std::cerr << "! " << plain(str(worker, "name")) << " runs ocelot " << plain(str(worker, "version"))
            << ", ocelot-admin " << plain(admin)
            << (is == "newer" ? ": upgrade ocelot-admin first, it changes the tables where that is needed\n"
                              : ": a worker may be one version behind; install the same one\n");
}

int workers(const Arguments& arguments) {
  const Json answer = Server(chooseContext(arguments)).get("/v1/workers");
  if (arguments.has("json")) {
    printJson(answer);
    return kPassed;
  }
  const auto list = answer->getArray("workers");
  std::map<std::string, int> called;
  int online = 0;
  for (unsigned i = 0; i < list->size(); ++i) {
    ++called[str(list->getObject(i), "name")];
    if (list->getObject(i)->optValue("online", true)) ++online;
  }
  std::vector<std::vector<std::string>> rows{
      {"WORKER", "SLOTS", "BUILDS", "BEGUN", "TAGS", "VERSION", "STARTED", "SEEN", "NOTE"}};
  for (unsigned i = 0; i < list->size(); ++i) {
    const Json worker = list->getObject(i);
    addRows(worker, called[str(worker, "name")] == 1, rows);
  }
  if (rows.size() > 1) std::cout << table(rows);
  if (online == 0) {
    std::cerr << "no worker is online\n";
  } else {
    std::cerr << online << (online == 1 ? " worker, " : " workers, ") << num(answer, "busy") << " of "
              << num(answer, "slots") << " slots in use\n";
  }
  for (unsigned i = 0; i < list->size(); ++i) tellVersions(list->getObject(i), str(answer, "version"));
  return kPassed;
}

int drain(const Arguments& arguments) {
  Server server(chooseContext(arguments));
  const std::string path = "/v1/workers/" + http::encode(arguments.word(0)) + "/drain";
  if (arguments.has("undo")) {
    server.remove(path);
    std::cerr << arguments.word(0) << " takes builds again\n";
    return kPassed;
  }
  const Json asked = server.post(path);
  if (arguments.has("json")) {
    printJson(asked);
    return kPassed;
  }
  std::cerr << plain(str(asked, "name")) << " takes no new builds, from its next heartbeat on (asked by "
            << plain(str(asked, "drained_by")) << " " << ago(num(asked, "drained_at"))
            << "); `ocelot workers` shows what it still runs\n";
  return kPassed;
}

std::vector<Option> withInstallation(std::vector<Option> options) {
  options.insert(options.end(), installationOptions().begin(), installationOptions().end());
  return options;
}

}  // namespace

std::vector<Command> addWorkerCommands() {
  return {
      {"workers", "", 0, 0, "show who runs builds: what, since when, and why not", "", {}, workers, {"workers list"}},
      {"workers drain",
       "WORKER",
       1,
       1,
       "let a worker finish what it runs and take no new builds",
       "",
       {{"--undo", "", "let it take builds again"}},
       drain,
       {"drain"},
       "WORKER is a name, or an id where several have that name. It holds until it is undone, also when the worker is "
       "started again."},
      {"workers add",
       "NAME",
       1,
       1,
       "print the command that makes another machine a worker, NAME",
       "",
       withInstallation({{"--tags", "A,B", "machine tags whose builds it takes, beside the untagged ones"},
                         {"--slots", "N", "builds at once; default: one per core"}}),
       addWorker,
       {},
       "Runs where this installation's server.yaml is, reads also what /etc/default/ocelot says for it, and asks no "
       "server. What is printed holds the keys and passwords that a worker needs. A server.yaml made for workers, with "
       "a login of their own in the database, is given by --config; the variables that go with it stand in a file "
       "`environment` beside it."},
      {"workers join",
       "",
       0,
       0,
       "make this machine a worker, by what `ocelot workers add` printed",
       "",
       {{"--address", "HOST", "by which others reach this machine; default: its full host name"},
        {"--dir", "DIR", "write there instead of to /etc/ocelot"},
        {"--force", "", "in place of a configuration that is there"},
        {"--no-start", "", "do not start ocelot-worker"}},
       joinAsWorker,
       {},
       "Reads standard input. Writes server.yaml, keys and passwords, and the variables that name them to "
       "/etc/default/ocelot (with --dir: to `environment` beside it); looks whether the store answers; then has "
       "systemd start ocelot-worker."},
  };
}

}  // namespace ocelot::cli
