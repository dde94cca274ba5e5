#include "docker.hpp"

#include "container_config.hpp"
#include "engine.hpp"
#include "reference.hpp"

namespace ocelot::docker {
namespace {

Question asking(const std::string& doing, const std::string& path) {
  Question question;
  question.doing = doing;
  question.path = path;
  return question;
}

bool hasOption(const Array& options, const std::string& name) {
  for (std::size_t i = 0; !options.isNull() && i < options->size(); ++i) {
    const std::string option = textAt(options, i);
    if (option == "name=" + name || option.rfind("name=" + name + ",", 0) == 0) return true;
  }
  return false;
}

std::string yesNo(bool yes) { return yes ? "yes" : "no"; }

// A sentence when builds cannot be run on an engine that looks like this; "" when they can.
std::string whyNot(const Object& version, const Object& info) {
  const Array components = arrayOf(version, "Components");
  for (std::size_t i = 0; !components.isNull() && i < components->size(); ++i) {
    if (textOf(objectAt(components, i), "Name").find("Podman") != std::string::npos) {
      return "this socket is Podman's: its imitation of the Docker API differs in how containers end, so the plugin "
             "docker "
             "does not serve it; set socket to a Docker Engine's, or use the runtime oci";
    }
  }
  if (textOf(info, "OSType") != "linux")
    return "the engine runs " + printable(textOf(info, "OSType"), 40) + " containers, and builds need linux";
  if (hasOption(arrayOf(info, "SecurityOptions"), "userns")) {
    return "the engine runs with userns-remap, under which a build cannot write to this worker's folders; take "
           "userns-remap out of daemon.json, or use the runtime oci";
  }
  return "";
}

}  // namespace

Docker::Docker(const Settings& settings)
    : engine_(std::make_unique<Engine>(
          settings.has("socket") ? settings.text("socket") : "/var/run/docker.sock",
          std::chrono::milliseconds(settings.has("timeout") ? settings.number("timeout") : 30000))),
      network_(settings.has("network") ? settings.text("network") : "bridge"),
      mirror_(settings.text("registry_mirror")) {
  if (network_.empty() || network_.rfind("container:", 0) == 0) {
    throw Error(Status::invalid, "network: must be the name of a network of the engine's");
  }
  if (!mirror_.empty()) {
    try {
      if (parseReference(mirror_ + "/library/debian").registry == "docker.io") throw Error(Status::invalid, "");
    } catch (const Error&) {
      throw Error(Status::invalid, "registry_mirror: must be HOST[:PORT][/PREFIX], without https://");
    }
  }
}

Docker::~Docker() = default;

RuntimeFacts Docker::probe(Call& call) {
  RuntimeFacts facts;
  facts.engine = "Docker Engine";
  try {
    const std::string api = engine_->negotiate(call);
    const Answer versionAnswer = engine_->ask(call, asking("asking for the engine's version", "/version"));
    const Question infoQuestion = asking("asking for the engine's state", "/info");
    const Answer infoAnswer = engine_->ask(call, infoQuestion);
    if (infoAnswer.status != 200) throw engine_->refusal(Status::unavailable, infoQuestion, infoAnswer);
    const Object version = parseObject(versionAnswer.body);
    const Object info = parseObject(infoAnswer.body);
    if (info.isNull())
      throw Error(Status::unavailable, "docker: asking for the engine's state: the answer is not JSON");

    facts.engine += " " + printable(textOf(version, "Version"), 60);
    const Array security = arrayOf(info, "SecurityOptions");
    const std::string cgroup = textOf(info, "CgroupVersion");
    const Answer bridge =
        engine_->ask(call, asking("looking for network " + network_, "/networks/" + urlEncoded(network_)));
    facts.features = {
        {"api", api},
        {"network.bridge", yesNo(bridge.status == 200)},
        {"network.none", "yes"},
        {"network.host", "yes"},
        {"rootless", yesNo(hasOption(security, "rootless"))},
        {"seccomp", yesNo(hasOption(security, "seccomp"))},
        {"cgroup", "v" + (cgroup.empty() ? "1" : printable(cgroup, 4))},
        {"storage", printable(textOf(info, "Driver"), 40)},
        {"limits.memory", yesNo(flagOf(info, "MemoryLimit"))},
        {"limits.cpu", yesNo(flagOf(info, "CpuCfsQuota"))},
        {"limits.pids", yesNo(flagOf(info, "PidsLimit"))},
        {"limits.disk", "no"},
    };
    if (bridge.status == 404) {
      call.log(LogLevel::warning,
               "docker: the engine has no network " + network_ +
                   ": builds with network: bridge will not start; create it, or set the option network");
    }
    const Array warnings = arrayOf(info, "Warnings");
    for (std::size_t i = 0; !warnings.isNull() && i < warnings->size() && i < 20; ++i) {
      call.log(LogLevel::warning, "docker: the engine says: " + printable(textAt(warnings, i), 300));
    }
    facts.why_not = whyNot(version, info);
  } catch (const Error& e) {
    facts.why_not = e.what();
  }
  facts.usable = facts.why_not.empty();
  return facts;
}

}  // namespace ocelot::docker
