#include "components/cli/run/run.hpp"

#include <Poco/JSON/Array.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <set>

#include "components/cli/build_view.hpp"
#include "components/cli/follow.hpp"
#include "components/cli/run/local_build.hpp"
#include "components/cli/run/probe.hpp"
#include "components/cli/run/working_copy.hpp"
#include "components/cli/terminal.hpp"
#include "components/cli/up/local_engines.hpp"
#include "host/runtimes/limits.hpp"
#include "host/runtimes/registry_access.hpp"

namespace ocelot::cli {
namespace {

builddir::Order orderFor(const Installation& installation, const WorkingCopy& copy, const Arguments& arguments) {
  const config::Config& config = installation.config;
  builddir::Order order;
  order.build = copy.build;
  order.source.kind = builddir::Source::Kind::folder;
  order.source.folder = copy.folder;
  order.runtime = usableRuntime(installation, arguments.text("runtime"));
  order.limits = runtimes::limitsOf(config);
  order.network = config.text("worker.network");
  order.owner = "ocelot-run";
  order.guest = installation.findProgram("ocelot-guest");
  if (order.guest.empty())
    throw Failure("there is no ocelot-guest beside " + installation.programs, "set worker.guest to its path");
  order.mirrors = installation.data_dir + "/mirrors";
  order.local_repos = config.list("worker.local_repos");
  order.version = OCELOT_VERSION;
  return order;
}

// --secret NAME: its value is NAME of our environment; never an argument, which others could read.
builddir::Envelope envelopeFor(const pipeline::Pipeline& pipeline, const Arguments& arguments) {
  builddir::Envelope envelope;
  for (const auto& name : arguments.all("secret")) {
    const char* value = std::getenv(name.c_str());
    if (!value)
      throw Failure("--secret " + name + ": the environment has no " + name, name + "=… ocelot run --secret " + name);
    envelope.secrets[name] = value;
  }
  std::set<std::string> wanted(pipeline.secrets.begin(), pipeline.secrets.end());
  for (const auto& stage : pipeline.stages) wanted.insert(stage.secrets.begin(), stage.secrets.end());
  for (const auto& name : wanted)
    if (envelope.secrets.count(name) == 0)
      throw Failure("ocelot.yml asks for the secret " + name, name + "=… ocelot run --secret " + name);
  return envelope;
}

// What `ocelot secret set --registry` keeps here, if anything was ever kept: no store is made for a look.
builddir::RegistryAccess registryAccessHere(const Installation& installation, const std::string& image) {
  const bool kept = installation.config.text("secrets.kind") != "store" ||
                    std::filesystem::exists(installation.config.text("secrets.key_file"));
  if (!kept) return {};
  try {
    return runtimes::registryAccess(LocalEngines(installation).secrets(), image);
  } catch (const std::exception& error) {
    std::cerr << paint(std::string("without a credential for the registry: ") + error.what(), Colour::yellow, 2)
              << std::endl;
    return {};
  }
}

Json jsonOf(const model::Build& build, const pipeline::Pipeline& pipeline) {
  Json out = new Poco::JSON::Object;
  out->set("id", build.id);
  out->set("repo", build.repo);
  out->set("branch", build.branch);
  out->set("commit", build.commit);
  out->set("state", std::string(model::toString(build.state)));
  out->set("reason", build.reason);
  out->set("sentence", build.sentence);
  out->set("log_bytes", Poco::Int64{build.log_bytes});
  out->set("started_at", Poco::Int64{build.started_at});
  out->set("finished_at", Poco::Int64{build.finished_at});
  Poco::JSON::Array::Ptr stages = new Poco::JSON::Array;
  for (const auto& stage : build.stages) {
    Json one = new Poco::JSON::Object;
    one->set("index", stage.index);
    one->set("name", stage.name);
    one->set("state", std::string(model::toString(stage.state)));
    one->set("exit_code", stage.exit_code);
    one->set("sentence", stage.sentence);
    one->set("started_at", Poco::Int64{stage.started_at});
    one->set("finished_at", Poco::Int64{stage.finished_at});
    one->set("line", stage.line);
    const auto index = static_cast<std::size_t>(stage.index);
    if (index < pipeline.stages.size()) one->set("command", pipeline.stages[index].script);
    stages->add(one);
  }
  out->set("stages", stages);
  return out;
}

// The command that does the same again.
std::string again(const Arguments& arguments) {
  std::string command = "ocelot run";
  for (const char* option : {"stage", "secret", "runtime", "data"})
    for (const auto& value : arguments.all(option)) command += std::string(" --") + option + " " + value;
  return command;
}

}  // namespace

int run(const Arguments& arguments) {
  const WorkingCopy copy = workingCopy(arguments.all("stage"));
  builddir::Envelope envelope = envelopeFor(copy.pipeline, arguments);
  const Installation installation = installationFor(arguments);
  installation.makeFolders();
  envelope.registry = registryAccessHere(installation, copy.pipeline.image);
  const bool json = arguments.has("json");
  LocalBuild build(installation, orderFor(installation, copy, arguments), arguments.has("keep"));
  std::string what = copy.build.repo;
  if (!copy.build.commit.empty())
    what += ", " + shortCommit(copy.build.commit) + (copy.dirty ? " with your changes" : "");
  std::cerr << paint("running the working copy of " + plain(what), Colour::dim, 2) << std::endl;
  build.start(envelope);
  {
    LogPrinter printer(false, json ? 2 : 1);
    build.follow([&printer](std::string_view bytes) { return printer.print(bytes); });
  }
  const Json ended = jsonOf(build.build(), copy.pipeline);
  Afterwards afterwards;
  afterwards.last_lines = [&build](std::int64_t stage) { return build.lastLines(static_cast<int>(stage), kLastLines); };
  if (arguments.has("keep")) afterwards.next_steps.emplace_back("whole log", build.directory().log());
  afterwards.next_steps.emplace_back("once more", again(arguments));
  std::cerr << "\n" << ending(ended, afterwards, 2);
  if (arguments.has("keep") && str(ended, "state") == "passed")
    std::cerr << "  kept        " << build.directory().disk() << "\n";
  if (json) printJson(ended);
  return exitStatusOf(str(ended, "state"));
}

}  // namespace ocelot::cli
