#include "bundle.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <initializer_list>
#include <sstream>

#include "seccomp.hpp"

namespace ocelot::oci {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;

constexpr std::uint64_t kOpenFiles = 20000;

Array texts(std::initializer_list<const char*> values) {
  Array array;
  for (const char* value : values) array.add(std::string(value));
  return array;
}

Object mount(const char* target, const char* type, const char* source, std::initializer_list<const char*> options) {
  Object object;
  object.set("destination", std::string(target));
  object.set("type", std::string(type));
  object.set("source", std::string(source));
  object.set("options", texts(options));
  return object;
}

Array mounts(const Bundle& bundle) {
  Array array;
  array.add(mount("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}));
  array.add(mount("/dev", "tmpfs", "tmpfs", {"nosuid", "noexec", "strictatime", "mode=755", "size=65536k"}));
  array.add(bundle.rootless ? mount("/dev/pts", "devpts", "devpts",
                                    {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"})
                            : mount("/dev/pts", "devpts", "devpts",
                                    {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}));
  array.add(mount("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=268435456"}));
  array.add(mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}));
  // sysfs shows the network namespace it was mounted in, and a user namespace may not mount the host's.
  if (bundle.rootless && bundle.host_network)
    array.add(mount("/sys", "bind", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"}));
  else
    array.add(mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}));
  // What the guest reads its memory and process limits and the count of out-of-memory kills from.
  if (!bundle.rootless)
    array.add(mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}));
  for (const Mount& bind : bundle.mounts) {
    Object object;
    object.set("destination", bind.target);
    object.set("type", "bind");
    object.set("source", bind.source);
    object.set("options", texts({"bind", "rprivate", "nosuid", "nodev", bind.writable ? "rw" : "ro"}));
    array.add(object);
  }
  return array;
}

Object process(const Bundle& bundle) {
  Object user;
  user.set("uid", 0);
  user.set("gid", 0);
  Object capabilities;
  for (const char* set : {"bounding", "effective", "permitted"})
    capabilities.set(set, texts({"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_SETUID",
                                 "CAP_SETGID", "CAP_KILL"}));
  rlimit own{};
  ::getrlimit(RLIMIT_NOFILE, &own);
  const std::uint64_t files = std::min<std::uint64_t>(kOpenFiles, own.rlim_max);
  Object open_files;
  open_files.set("type", "RLIMIT_NOFILE");
  open_files.set("soft", files);
  open_files.set("hard", files);
  Array limits;
  limits.add(open_files);
  Array arguments;
  for (const std::string& argument : bundle.command) arguments.add(argument);
  Object object;
  object.set("terminal", false);
  object.set("user", user);
  object.set("args", arguments);
  // The plan carries the environment of the stages; this is only what starts the guest.
  object.set("env", texts({"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"}));
  object.set("cwd", "/");
  object.set("capabilities", capabilities);
  object.set("rlimits", limits);
  object.set("noNewPrivileges", true);
  return object;
}

Object resources(const Bundle& bundle) {
  Object object;
  if (bundle.rootless) return object;
  Object nothing;
  nothing.set("allow", false);
  nothing.set("access", "rwm");
  Array devices;
  devices.add(nothing);  // the runtime adds null, zero, full, random, urandom, tty and pts
  object.set("devices", devices);
  const Limits& limits = bundle.limits;
  if (limits.memory_bytes) {
    Object memory;
    memory.set("limit", limits.memory_bytes);
    memory.set("swap", limits.memory_bytes);  // memory and swap together: none is added
    object.set("memory", memory);
  }
  if (limits.cpu_millis) {
    Object cpu;
    cpu.set("quota", std::max<std::uint64_t>(1000, std::uint64_t{limits.cpu_millis} * 100));
    cpu.set("period", 100000);
    object.set("cpu", cpu);
  }
  if (limits.pids) {
    Object pids;
    pids.set("limit", limits.pids);
    object.set("pids", pids);
  }
  return object;
}

Array namespaces(const Bundle& bundle) {
  Array array;
  const auto add = [&](const char* type, const std::string& path) {
    Object object;
    object.set("type", std::string(type));
    if (!path.empty()) object.set("path", path);
    array.add(object);
  };
  for (const char* type : {"pid", "ipc", "uts", "mount"}) add(type, "");
  if (!bundle.rootless) add("cgroup", "");
  if (!bundle.host_network) add("network", bundle.network_namespace);
  return array;
}

Object condition(unsigned index, std::uint64_t value, const char* comparison, std::uint64_t second = 0) {
  Object object;
  object.set("index", index);
  object.set("value", value);
  object.set("valueTwo", second);
  object.set("op", std::string(comparison));
  return object;
}

Object rule(const Array& names, const char* action, const std::vector<Object>& conditions, int error = 0) {
  Array arguments;
  for (const Object& one : conditions) arguments.add(one);
  Object object;
  object.set("names", names);
  object.set("action", std::string(action));
  if (!conditions.empty()) object.set("args", arguments);
  if (error) object.set("errnoRet", error);
  return object;
}

// The profile of seccomp.hpp in words, for a runtime that compiles it itself.
Object seccompRules() {
  constexpr std::uint64_t kNewNamespaces =
      CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;
  Array names;
  for (const Syscall& call : nativeSyscalls()) names.add(std::string(call.name));
  for (const Syscall& call : compatSyscalls()) names.add(std::string(call.name));
  Array rules;
  rules.add(rule(names, "SCMP_ACT_ALLOW", {}));
  rules.add(rule(texts({"clone"}), "SCMP_ACT_ALLOW", {condition(0, kNewNamespaces, "SCMP_CMP_MASKED_EQ")}));
  rules.add(rule(texts({"clone3"}), "SCMP_ACT_ERRNO", {}, ENOSYS));
  for (const std::uint64_t personality : {0x0ull, 0x8ull, 0x20000ull, 0x20008ull, 0x40000ull, 0xffffffffull})
    rules.add(rule(texts({"personality"}), "SCMP_ACT_ALLOW", {condition(0, personality, "SCMP_CMP_EQ")}));
  rules.add(rule(texts({"socket"}), "SCMP_ACT_ALLOW", {condition(0, AF_VSOCK, "SCMP_CMP_NE")}));
  Object object;
  object.set("defaultAction", "SCMP_ACT_ERRNO");
  object.set("defaultErrnoRet", EPERM);
#if defined(__x86_64__)
  object.set("architectures", texts({"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"}));
#else
  object.set("architectures", texts({"SCMP_ARCH_AARCH64"}));
#endif
  object.set("syscalls", rules);
  return object;
}

Object linuxPart(const Bundle& bundle) {
  Object object;
  if (!bundle.cgroup.empty()) object.set("cgroupsPath", bundle.cgroup);
  object.set("resources", resources(bundle));
  object.set("namespaces", namespaces(bundle));
  if (!bundle.filter_as_program) object.set("seccomp", seccompRules());
  object.set("maskedPaths", texts({"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
                                   "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
                                   "/proc/timer_stats", "/sys/firmware", "/sys/devices/virtual/powercap"}));
  object.set("readonlyPaths", texts({"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}));
  return object;
}

}  // namespace

void checkTarget(const std::string& path) {
  const auto refuse = [&](const char* why) {
    throw Error(Status::invalid, "mount at \"" + path.substr(0, 200) + "\" in the container: " + why);
  };
  if (path.size() < 2 || path.front() != '/') refuse("the path must be absolute and below /");
  if (path.size() > 4000) refuse("the path is too long");
  if (std::any_of(path.begin(), path.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    refuse("the path contains a control character");
  if ((path + "/").find("/../") != std::string::npos) refuse("the path contains \"..\"");
  for (const char* taken : {"/proc", "/sys", "/dev"})
    if (path == taken || path.rfind(std::string(taken) + "/", 0) == 0)
      refuse("/proc, /sys and /dev are the container's");
}

std::string encodeBundle(const Bundle& bundle) {
  Object root;
  root.set("path", bundle.rootfs);
  root.set("readonly", false);
  Object object;
  object.set("ociVersion", "1.0.2");
  object.set("process", process(bundle));
  object.set("root", root);
  object.set("hostname", bundle.hostname);
  object.set("mounts", mounts(bundle));
  object.set("linux", linuxPart(bundle));
  if (bundle.filter_as_program) {
    Object annotations;
    annotations.set("run.oci.seccomp_bpf_data", seccompProgramBase64());
    object.set("annotations", annotations);
  }
  std::ostringstream out;
  object.stringify(out);
  return out.str();
}

}  // namespace ocelot::oci
