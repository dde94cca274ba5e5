#include "container_config.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <sstream>

namespace ocelot::docker {
namespace {

using Json = Poco::JSON::Object;
using JsonList = Poco::JSON::Array;

const char* const kCapabilities[] = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETUID", "SETGID", "KILL"};

bool cleanPath(const std::string& path) {
  if (path.size() < 2 || path.front() != '/' || path.back() == '/' || path.size() > 4000) return false;
  if (std::any_of(path.begin(), path.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; })) return false;
  std::istringstream parts(path.substr(1));
  for (std::string part; std::getline(parts, part, '/');) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

void checkResource(const ContainerSpec& spec, const Resource& resource) {
  const auto refuse = [&](const std::string& why) {
    throw Error(Status::invalid, "docker: starting " + spec.name + ": " + why);
  };
  if (!cleanPath(resource.target)) refuse("\"" + printable(resource.target, 200) + "\" is no path to mount at");
  for (const char* kept : {"/proc", "/sys", "/dev"}) {
    const std::string below = std::string(kept) + "/";
    if (resource.target == kept || resource.target.compare(0, below.size(), below) == 0) {
      refuse(resource.target + " belongs to the kernel: nothing is mounted there");
    }
  }
  if (resource.kind == Resource::Kind::workspace && resource.source.empty()) return;
  if (!cleanPath(resource.source)) refuse("\"" + printable(resource.source, 200) + "\" is no absolute, plain path");
  struct stat about {};
  if (::stat(resource.source.c_str(), &about) != 0) refuse(resource.source + " does not exist on this worker");
  const bool wantsFile = resource.kind == Resource::Kind::file;
  if (wantsFile && !S_ISREG(about.st_mode)) refuse(resource.source + " is not a regular file");
  if (!wantsFile && !S_ISDIR(about.st_mode)) refuse(resource.source + " is not a folder");
}

Json hardened() {
  JsonList dropped, options, added;
  dropped.add("ALL");
  for (const char* capability : kCapabilities) added.add(capability);
  options.add("no-new-privileges:true");
  Json host, log, restart;
  host.set("CapDrop", dropped);
  host.set("CapAdd", added);
  host.set("SecurityOpt", options);
  host.set("Privileged", false);
  log.set("Type", "none");
  host.set("LogConfig", log);
  restart.set("Name", "no");
  host.set("RestartPolicy", restart);
  // The exit code must still be there when wait() comes.
  host.set("AutoRemove", false);
  // The guest is the init.
  host.set("Init", false);
  return host;
}

Json skeleton() {
  Json config, health;
  JsonList none;
  none.add("NONE");
  health.set("Test", none);
  // An image's health check would run programs beside the guest, and its WORKDIR could be /proc/self/fd/8.
  config.set("Healthcheck", health);
  config.set("WorkingDir", "/");
  config.set("User", "0:0");
  config.set("Tty", false);
  config.set("OpenStdin", false);
  config.set("AttachStdin", false);
  config.set("AttachStdout", false);
  config.set("AttachStderr", false);
  return config;
}

Json mount(const Resource& resource) {
  Json out;
  const bool bound = !resource.source.empty();
  out.set("Type", bound ? "bind" : "volume");
  out.set("Target", resource.target);
  out.set("ReadOnly", resource.kind == Resource::Kind::file);
  if (bound) {
    Json options;
    out.set("Source", resource.source);
    options.set("Propagation", "rprivate");
    out.set("BindOptions", options);
  }
  return out;
}

}  // namespace

void checkSpec(const ContainerSpec& spec) {
  const auto refuse = [&](const std::string& why) {
    throw Error(Status::invalid, "docker: starting \"" + printable(spec.name, 130) + "\": " + why);
  };
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
  };
  if (spec.name.size() < 2 || spec.name.size() > 128 || !std::all_of(spec.name.begin(), spec.name.end(), plain) ||
      spec.name.front() == '.' || spec.name.front() == '-' || spec.name.front() == '_') {
    refuse("a name is 2 to 128 letters, digits, \"_\", \".\" and \"-\"");
  }
  if (spec.owner.empty()) refuse("a container needs an owner");
  if (spec.command.empty() || spec.command.front().empty()) refuse("there is no command");
  if (spec.network != "bridge" && spec.network != "none" && spec.network != "host") {
    refuse("network \"" + printable(spec.network, 60) + "\" is not bridge, none or host");
  }
  for (const Resource& resource : spec.resources) checkResource(spec, resource);
}

std::string containerConfig(const ContainerSpec& spec, const std::string& bridge) {
  Json config = skeleton();
  // The digest is what pull() saw; a tag may have moved since.
  config.set("Image", spec.digest.empty() ? spec.image : spec.digest);
  config.set("Hostname", spec.hostname);
  JsonList command;
  for (const std::string& word : spec.command) command.add(word);
  config.set("Entrypoint", command);
  config.set("Cmd", JsonList());

  Json labels;
  for (const auto& [key, value] : spec.labels) labels.set(key, value);
  std::string workspaces;
  JsonList mounts;
  for (const Resource& resource : spec.resources) {
    mounts.add(mount(resource));
    if (resource.kind == Resource::Kind::workspace && !resource.source.empty()) workspaces += resource.source + "\n";
  }
  labels.set(kOwnerLabel, spec.owner);
  labels.set("ocelot.image", spec.image);
  labels.set(kWorkspacesLabel, workspaces);
  config.set("Labels", labels);

  Json host = hardened();
  host.set("NetworkMode", spec.network == "bridge" ? bridge : spec.network);
  host.set("Mounts", mounts);
  if (spec.limits.memory_bytes > 0) {
    host.set("Memory", spec.limits.memory_bytes);
    host.set("MemorySwap", spec.limits.memory_bytes);
  }
  if (spec.limits.cpu_millis > 0) {
    // Not NanoCpus: the engine refuses more of those than the machine has cores.
    host.set("CpuPeriod", 100000);
    host.set("CpuQuota", std::uint64_t(spec.limits.cpu_millis) * 100);
  }
  if (spec.limits.pids > 0) host.set("PidsLimit", spec.limits.pids);
  config.set("HostConfig", host);
  return toText(config);
}

std::string sweeperConfig(const std::string& image, const std::string& owner, const std::string& folder) {
  Json config = skeleton();
  config.set("Image", image);
  JsonList command;
  for (const char* word : {"/bin/sh", "-c", "cd /ocelot-workspace && rm -rf -- ..?* .[!.]* *"}) command.add(word);
  config.set("Entrypoint", command);
  config.set("Cmd", JsonList());
  Json labels;
  labels.set(kOwnerLabel, owner);
  labels.set(kWorkspacesLabel, "");
  config.set("Labels", labels);
  Json host = hardened();
  host.set("NetworkMode", "none");
  JsonList mounts;
  mounts.add(mount({Resource::Kind::workspace, folder, "/ocelot-workspace"}));
  host.set("Mounts", mounts);
  config.set("HostConfig", host);
  return toText(config);
}

Found readInspection(const Object& inspection) {
  Found out;
  out.id = textOf(inspection, "Id");
  out.name = textOf(inspection, "Name");
  if (!out.name.empty() && out.name.front() == '/') out.name.erase(0, 1);
  out.image = textOf(inspection, "Image");
  const Object state = objectOf(inspection, "State");
  out.running = flagOf(state, "Running") || flagOf(state, "Restarting");
  out.started = textOf(state, "Status") != "created";
  const auto code = numberOf(state, "ExitCode");
  if (!out.running && out.started && code && *code >= 0 && *code <= 255) {
    out.exit.known = true;
    out.exit.code = static_cast<int>(*code);
  }
  out.exit.out_of_memory = !out.running && flagOf(state, "OOMKilled");
  const Object labels = objectOf(objectOf(inspection, "Config"), "Labels");
  out.owner = textOf(labels, kOwnerLabel);
  std::istringstream folders(textOf(labels, kWorkspacesLabel));
  for (std::string folder; std::getline(folders, folder);) {
    if (cleanPath(folder)) out.workspaces.push_back(folder);
  }
  return out;
}

}  // namespace ocelot::docker
