// ocelot-plugin-check: does a plugin keep what the ABI promises? Exit status 0: nothing failed or crashed; 1: something
// did; 2: wrong use.

#include <getopt.h>
#include <signal.h>

#include <cstring>
#include <fstream>
#include <iostream>
#include <optional>

#include "check/contract.hpp"
#include "check/opened.hpp"
#include "check/program/sandbox.hpp"
#include "check/program/subject.hpp"
#include "ocelot/abi/notifier.h"
#include "ocelot/abi/runtime.h"
#include "ocelot/abi/vcs.h"

namespace {

using namespace ocelot::check;

const char* const kHelp =
    R"(usage: ocelot-plugin-check PLUGIN.so [--set KEY=VALUE]… [--only TEXT] [--live --image IMAGE [--import SOURCE]] [--json]
       ocelot-plugin-check --describe PLUGIN.so

Checks that a plugin keeps what the ABI promises, each test in a process of its own.

  --describe       print what the plugin says about itself, as JSON, and end
  --set KEY=VALUE  a setting for the instances under test; again for lists
  --only TEXT      the tests whose name contains TEXT
  --skip NAME=WHY  pass over a test, and say why
  --quirks FILE    lines "set KEY=VALUE" and "skip NAME=WHY"
  --live           also tests that start containers (runtimes), from --image
  --image IMAGE    an image with /bin/sh, sleep, id and cat
  --import SOURCE  what the image is made from first (ocelot.runtime.images/1)
  --timeout SEC    for each test (60)
  --in-process     without child processes, for a debugger
  --json           one JSON object a test, one a line
  --list           print the tests and end
)";

struct Arguments {
  std::string plugin, only, image, source;
  std::map<std::string, std::vector<std::string>> settings;
  std::map<std::string, std::string> skip;
  bool describe = false, live = false, in_process = false, json = false, list = false;
  int timeout = 60;
};

[[noreturn]] void misuse(const std::string& why) {
  std::cerr << "ocelot-plugin-check: " << why << "\n" << kHelp;
  std::exit(2);
}

std::pair<std::string, std::string> pairFrom(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == 0 || equals == std::string::npos) misuse("\"" + text + "\": expected NAME=VALUE");
  return {text.substr(0, equals), text.substr(equals + 1)};
}

void readQuirks(const std::string& path, Arguments& arguments) {
  std::ifstream file(path);
  if (!file) misuse(path + ": " + std::strerror(errno));
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty() || line.front() == '#') continue;
    if (line.rfind("set ", 0) == 0) {
      const auto [key, value] = pairFrom(line.substr(4));
      arguments.settings[key].push_back(value);
    } else if (line.rfind("skip ", 0) == 0) {
      arguments.skip.insert(pairFrom(line.substr(5)));
    } else {
      misuse(path + ":" + std::to_string(number) + ": expected \"set KEY=VALUE\" or \"skip NAME=WHY\"");
    }
  }
}

Arguments argumentsFrom(int argc, char** argv) {
  enum {
    kDescribe = 1,
    kSet,
    kOnly,
    kSkip,
    kQuirks,
    kLive,
    kImage,
    kImport,
    kTimeout,
    kInProcess,
    kJson,
    kList,
    kHelpWanted
  };
  static const option kOptions[] = {{"describe", no_argument, nullptr, kDescribe},
                                    {"set", required_argument, nullptr, kSet},
                                    {"only", required_argument, nullptr, kOnly},
                                    {"skip", required_argument, nullptr, kSkip},
                                    {"quirks", required_argument, nullptr, kQuirks},
                                    {"live", no_argument, nullptr, kLive},
                                    {"image", required_argument, nullptr, kImage},
                                    {"import", required_argument, nullptr, kImport},
                                    {"timeout", required_argument, nullptr, kTimeout},
                                    {"in-process", no_argument, nullptr, kInProcess},
                                    {"json", no_argument, nullptr, kJson},
                                    {"list", no_argument, nullptr, kList},
                                    {"help", no_argument, nullptr, kHelpWanted},
                                    {}};
  Arguments arguments;
  for (int found = 0; (found = getopt_long(argc, argv, "h", kOptions, nullptr)) != -1;) {
    const std::string value = optarg == nullptr ? "" : optarg;
    if (found == kDescribe)
      arguments.describe = true;
    else if (found == kSet)
      arguments.settings[pairFrom(value).first].push_back(pairFrom(value).second);
    else if (found == kOnly)
      arguments.only = value;
    else if (found == kSkip)
      arguments.skip.insert(pairFrom(value));
    else if (found == kQuirks)
      readQuirks(value, arguments);
    else if (found == kLive)
      arguments.live = true;
    else if (found == kImage)
      arguments.image = value;
    else if (found == kImport)
      arguments.source = value;
    else if (found == kTimeout)
      arguments.timeout = std::atoi(value.c_str());
    else if (found == kInProcess)
      arguments.in_process = true;
    else if (found == kJson)
      arguments.json = true;
    else if (found == kList)
      arguments.list = true;
    else if (found == kHelpWanted || found == 'h') {
      std::cout << kHelp;
      std::exit(0);
    } else
      misuse("see the usage");
  }
  if (arguments.timeout < 1) misuse("--timeout: at least 1 second");
  if (optind + 1 == argc)
    arguments.plugin = argv[optind];
  else if (!arguments.list || optind != argc)
    misuse("name one plugin");
  return arguments;
}

// Which kinds the plugin offers, found out in a child. Nothing: it cannot even be loaded.
std::optional<std::vector<std::string>> kindsOf(Subject& subject) {
  std::vector<std::string> kinds;
  for (const char* id : {OCELOT_VCS, OCELOT_NOTIFIER, OCELOT_RUNTIME}) {
    const Test ask{"", "", [id](Subject& asked) { require(asked.offers(id), ""); }};
    const Result result = runApart(ask, subject, std::chrono::seconds(20));
    if (result.verdict == Verdict::passed)
      kinds.emplace_back(id);
    else if (result.verdict == Verdict::crashed || !result.why.empty())
      return std::nullopt;
  }
  return kinds;
}

std::vector<Test> testsFor(const std::optional<std::vector<std::string>>& kinds) {
  std::vector<Test> all = libraryTests();
  const auto add = [&](const std::vector<Test>& more) { all.insert(all.end(), more.begin(), more.end()); };
  if (!kinds) {
    all.resize(1);  // the one that says why it cannot be loaded
    return all;
  }
  add(settingsTests());
  add(lifecycleTests());
  for (const std::string& kind : *kinds)
    add(kind == OCELOT_VCS ? vcsTests() : kind == OCELOT_NOTIFIER ? notifierTests() : runtimeTests());
  return all;
}

void report(const Test& test, const Result& result, bool json) {
  const std::string verdict = nameOf(result.verdict);
  if (json) {
    std::cout << "{\"test\":" << quoted(test.name) << ",\"sentence\":" << quoted(test.sentence)
              << ",\"result\":" << quoted(verdict) << ",\"why\":" << quoted(result.why) << "}" << std::endl;
    return;
  }
  std::cout << verdict << std::string(9 - verdict.size(), ' ') << test.name << ": " << test.sentence << std::endl;
  if (!result.why.empty()) std::cout << "         " << result.why << std::endl;
}

int describeOnly(const std::string& path) {
  try {
    std::cout << describe(open(path)) << std::endl;
    return 0;
  } catch (const ocelot::Error& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments = argumentsFrom(argc, argv);
  if (arguments.describe) return describeOnly(arguments.plugin);
  if (arguments.list) {
    for (const Test& test : testsFor(std::vector<std::string>{OCELOT_VCS, OCELOT_NOTIFIER, OCELOT_RUNTIME}))
      std::cout << test.name << (test.live ? " (live)" : "") << ": " << test.sentence << "\n";
    return 0;
  }
  signal(SIGPIPE, SIG_IGN);
  Subject subject(arguments.plugin, arguments.settings, arguments.image, arguments.source);
  std::map<Verdict, int> count;
  for (const Test& test : testsFor(kindsOf(subject))) {
    if (test.name.find(arguments.only) == std::string::npos || (test.live && !arguments.live)) continue;
    const auto passed_over = arguments.skip.find(test.name);
    const Result result = passed_over != arguments.skip.end() ? Result{Verdict::skipped, passed_over->second}
                          : arguments.in_process              ? runHere(test, subject)
                                                 : runApart(test, subject, std::chrono::seconds(arguments.timeout));
    ++count[result.verdict];
    report(test, result, arguments.json);
  }
  if (!arguments.json)
    std::cout << count[Verdict::passed] << " passed, " << count[Verdict::failed] << " failed, "
              << count[Verdict::skipped] << " skipped, " << count[Verdict::warned] << " warned, "
              << count[Verdict::crashed] << " crashed" << std::endl;
  if (count.empty()) misuse("no test is named like \"" + arguments.only + "\"");
  return count[Verdict::failed] + count[Verdict::crashed] > 0 ? 1 : 0;
}
