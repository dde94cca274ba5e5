// workers add: prints the command that makes another machine a worker.

#include <iostream>

#include "components/cli/join/gather.hpp"
#include "components/cli/join/join.hpp"
#include "components/cli/join/reach.hpp"
#include "components/cli/terminal.hpp"
#include "components/cli/up/installation.hpp"
#include "host/http/json.hpp"
#include "host/pipeline/values.hpp"

namespace ocelot::cli {
namespace {

constexpr std::size_t kLongestName = 64;

NewWorker workerFrom(const Arguments& arguments) {
  NewWorker worker;
  worker.name = arguments.word(0);
  if (!isHost(worker.name) || worker.name.find(':') != std::string::npos || worker.name.size() > kLongestName)
    throw Usage("`" + plain(worker.name) +
                "` is no name for a worker: write letters, digits, `.` and `-`, at most 64, as build-3");
  if (arguments.has("tags"))
    for (const std::string& tag : commaSeparated(arguments.text("tags"))) {
      if (!pipeline::isPlainName(tag))
        throw Usage("--tags: `" + plain(tag) + "` is not a tag: write letters, digits, `_`, `.` and `-`, at most 64");
      worker.tags.push_back(tag);
    }
  worker.slots = arguments.number("slots", 0, 1);
  return worker;
}

}  // namespace

int addWorker(const Arguments& arguments) {
  const NewWorker worker = workerFrom(arguments);
  const Gathered gathered = gather(installationFor(arguments, VariablesOf::services).config, worker);
  const std::string command = pasteable(gathered.bundle);
  if (arguments.has("json")) {
    http::JsonWriter out;
    out.object().field("name", worker.name).field("command", command).key("hints").array();
    for (const std::string& hint : gathered.hints) out.value(hint);
    out.end().end();
    std::cout << out.text() << "\n";
    return kPassed;
  }
  std::cout << command;
  std::cerr << "\nInstall ocelot " OCELOT_VERSION " on " << worker.name
            << ", and paste this into a shell there. Nothing is left in a shell's history by\n  ocelot workers add "
            << worker.name << " … | ssh root@" << worker.name << " sh\n"
            << paint("It holds the keys and passwords of this installation: show it to nobody.", Colour::yellow, 2)
            << "\n";
  for (const std::string& hint : gathered.hints) std::cerr << paint("hint:  ", Colour::cyan, 2) << hint << "\n";
  return kPassed;
}

}  // namespace ocelot::cli
