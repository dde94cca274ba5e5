#include "engine.hpp"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <sstream>

#include "tool.hpp"

namespace ocelot::oci {
namespace {

// What the child tells when it cannot prepare its mounts: which step, and errno.
struct ChildFailure {
  int step = 0;
  int error = 0;
};
const char* const kSteps[] = {"",
                              "make a mount namespace",
                              "make mounts private",
                              "go to the store",
                              "mount the overlay",
                              "hide the v2 control groups",
                              "map the user"};

// Everything that the child needs, made before the fork: after it nothing may allocate.
struct Preparation {
  std::string folder, target, options;
  bool overlay = false, hide_unified = false;
  int report = -1;

  std::string user, group;  // "0 <id> 1" for an ordinary user

  void asOrdinaryUser() {
    user = "0 " + std::to_string(::geteuid()) + " 1";
    group = "0 " + std::to_string(::getegid()) + " 1";
  }

  // [child]
  static bool put(const char* path, std::string_view text) {
    const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  }

  // [child]
  void run() const {
    ChildFailure failure;
    const auto fail = [&](int step) {
      failure = {step, errno};
      const ssize_t written = ::write(report, &failure, sizeof failure);
      ::_exit(written == sizeof failure ? 127 : 126);
    };
    if (::unshare(user.empty() ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0) fail(1);
    // An ordinary user is root of a namespace that knows nobody but him.
    if (!user.empty() &&
        (!put("/proc/self/setgroups", "deny") || !put("/proc/self/uid_map", user) || !put("/proc/self/gid_map", group)))
      fail(6);
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) fail(2);
    if (overlay) {
      // Relative layers keep the option string below the page that mount(2) takes, whatever the store's path.
      if (::chdir(folder.c_str()) != 0) fail(3);
      if (::mount("overlay", target.c_str(), "overlay", 0, options.c_str()) != 0) fail(4);
    }
    if (::chdir("/") != 0) fail(3);
    // Covered rather than unmounted: crun makes folders there all the same, and in this way they go with the namespace.
    if (hide_unified &&
        ::mount("none", "/sys/fs/cgroup/unified", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64k") != 0)
      fail(5);
  }
};

struct ProcessStat {
  std::string name;
  char state = 0;
  pid_t group = 0;
  std::uint64_t started = 0;
};

std::optional<ProcessStat> statOf(pid_t pid) {
  const auto text = readFileIfPresent("/proc/" + std::to_string(pid) + "/stat", 4096);
  if (!text) return std::nullopt;
  const auto open = text->find('('), close = text->rfind(')');  // a name may contain anything
  if (open == std::string::npos || close == std::string::npos || close < open) return std::nullopt;
  ProcessStat stat;
  stat.name = text->substr(open + 1, close - open - 1);
  std::istringstream fields(text->substr(close + 1));
  std::string skipped;
  fields >> stat.state >> skipped >> stat.group;
  for (int field = 6; field < 22; ++field) fields >> skipped;
  fields >> stat.started;
  return stat;
}

std::string overlayOptions(const Overlay& overlay) {
  std::string options = "lowerdir=";
  for (std::size_t i = 0; i < overlay.layers.size(); ++i) options += (i ? ":" : "") + overlay.layers[i];
  options += ",upperdir=" + overlay.upper + ",workdir=" + overlay.work;
  if (overlay.user) options += ",userxattr";
  if (options.size() >= static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)))
    throw Error(Status::invalid, "mount the overlay: the image has too many layers (" +
                                     std::to_string(overlay.layers.size()) + "); flatten it");
  return options;
}

std::string describe(const ChildFailure& failure, const Overlay& overlay) {
  std::string text = std::string(kSteps[failure.step]) + " (" + overlay.folder + "): " + std::strerror(failure.error);
  if (failure.step == 4 && failure.error == EINVAL)
    text += "; an overlay cannot lie on an overlay: put `store` on ext4, xfs, btrfs or tmpfs";
  if (failure.step == 2 && failure.error == EINVAL)
    text += "; the root folder of this process is no mount point: for a chroot, mount --bind DIR DIR first";
  if (failure.step == 4 && failure.error == ENODEV) text += "; the kernel has no overlayfs: modprobe overlay";
  if (failure.step == 1 && ::geteuid() != 0)
    text +=
        "; user namespaces are closed to ordinary users here: sysctl kernel.unprivileged_userns_clone=1 and "
        "user.max_user_namespaces above 0, or run as root";
  else if (failure.step == 1 && failure.error == EPERM)
    text += "; run with CAP_SYS_ADMIN";
  return text;
}

struct ReportPipe {
  Fd read, write;
  ReportPipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) failSystem("make a pipe", errno);
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
  ChildFailure take() const {
    ChildFailure failure;
    if (::read(read.get(), &failure, sizeof failure) != static_cast<ssize_t>(sizeof failure)) failure = {};
    return failure;
  }
};

}  // namespace

Engine::Engine(const std::string& choice, std::string state_folder)
    : root_(std::move(state_folder) + "/engine"), rootless_(::geteuid() != 0), layout_(cgroupLayout()) {
  if (!choice.empty() && choice.front() == '/') {
    if (::access(choice.c_str(), X_OK) == 0) program_ = choice;
  } else if (choice == "crun" || choice == "runc") {
    program_ = findProgram(choice);
  } else if (choice.empty() || choice == "auto") {
    program_ = findProgram("crun");
    if (program_.empty()) program_ = findProgram("runc");
  } else {
    throw Error(Status::invalid, "runtime: \"" + choice + "\" is none of auto, crun, runc or an absolute path");
  }
  crun_ = program_.size() >= 4 && program_.compare(program_.size() - 4, 4, "crun") == 0;
  if (program_.empty())
    why_ = choice.empty() || choice == "auto"
               ? "neither crun nor runc is installed: apt install crun"
               : "runtime: " + choice + " is not an executable here: apt install crun, or set runtime to auto";
}

std::string Engine::version(Call& call) const {
  const ToolResult result = runTool(call, {program_, {"--version"}, toolEnvironment(), "", false, {}, {}});
  if (!result.ok()) throw Error(Status::unavailable, program_ + " --version: " + lastWords(result));
  std::string text = result.out.substr(0, result.out.find('\n'));  // "crun version 1.8.1"
  const auto word = text.find(" version ");
  if (word != std::string::npos) text.erase(word, 8);
  return text;
}

pid_t Engine::run(Call& call, const std::string& name, const std::string& bundle, const Overlay& overlay,
                  int turn) const {
  makeFolder(root_);
  const ReportPipe report;
  Preparation preparation;
  preparation.overlay = !overlay.target.empty();
  preparation.folder = overlay.folder;
  preparation.target = overlay.target;
  if (preparation.overlay) preparation.options = overlayOptions(overlay);
  preparation.hide_unified = layout_ == CgroupLayout::hybrid && crun_;
  preparation.report = report.write.get();
  if (::geteuid() != 0) preparation.asOrdinaryUser();
  const std::string log = bundle + "/engine.log";
  const std::string pid_file = bundle + "/pid";

  Tool tool;
  tool.program = program_;
  tool.environment = toolEnvironment();
  tool.quiet = true;  // the container inherits these descriptors
  tool.arguments = {"--root", root_, "--log", log};
  if (rootless_) tool.environment["XDG_RUNTIME_DIR"] = root_;
  if (crun_) tool.arguments.push_back(rootless_ ? "--cgroup-manager=disabled" : "--cgroup-manager=cgroupfs");
  tool.arguments.insert(tool.arguments.end(), {"run", "--detach"});
  for (const std::string& argument : {std::string("--bundle"), bundle, std::string("--pid-file"), pid_file, name})
    tool.arguments.push_back(argument);
  tool.own_memory = rootless_;
  tool.in_child = [&preparation, turn] {
    ::fcntl(turn, F_SETFD, 0);
    preparation.run();
  };
  const ToolResult result = runTool(call, tool);
  if (const ChildFailure failure = report.take(); failure.step != 0)
    throw Error(Status::internal, "start container " + name + ": " + describe(failure, overlay));
  if (!result.ok()) {
    ToolResult said = result;
    said.err = readFileIfPresent(log, 1u << 20).value_or("") + result.err;
    throw Error(Status::internal, "start container " + name + " with " + program_ + ": " + lastWords(said));
  }
  const pid_t pid = static_cast<pid_t>(std::strtol(readFile(pid_file, 64).c_str(), nullptr, 10));
  if (pid <= 0) throw Error(Status::internal, "start container " + name + ": " + program_ + " told no process id");
  return pid;
}

Engine::MainProcess Engine::find(const std::string& name) const {
  // crun and runc keep the same facts under names of their own.
  struct Account {
    const char *file, *pid, *started;
  };
  for (const Account& account : {Account{"status", "pid", "process-start-time"},
                                 Account{"state.json", "init_process_pid", "init_process_start"}}) {
    const auto text = readFileIfPresent(root_ + "/" + name + "/" + account.file, 1u << 20);
    if (!text) continue;
    try {
      Poco::JSON::Parser parser;
      const auto object = parser.parse(*text).extract<Poco::JSON::Object::Ptr>();
      return {static_cast<pid_t>(object->getValue<Poco::Int64>(account.pid)),
              object->getValue<Poco::UInt64>(account.started)};
    } catch (const Poco::Exception&) {
      continue;  // torn: nothing was started by it
    }
  }
  return {};
}

// What `delete` does beyond this is to kill and to remove control groups, which is done already: one process less.
void Engine::forget(const std::string& name) const { removeTree(root_ + "/" + name); }

std::string Engine::tryOverlay(Call& call, const Overlay& overlay) {
  const ReportPipe report;
  Preparation preparation;
  preparation.overlay = true;
  preparation.folder = overlay.folder;
  preparation.target = overlay.target;
  preparation.options = overlayOptions(overlay);
  preparation.report = report.write.get();
  if (::geteuid() != 0) preparation.asOrdinaryUser();
  Tool tool;
  tool.program = "/bin/true";
  tool.own_memory = ::geteuid() != 0;
  tool.in_child = [&preparation] { preparation.run(); };
  runTool(call, tool);
  const ChildFailure failure = report.take();
  return failure.step ? describe(failure, overlay) : "";
}

void Engine::reap() const {
  const std::string name = program_.substr(program_.rfind('/') + 1);
  for (const std::string& thread : foldersIn("/proc/self/task")) {
    // Without CONFIG_PROC_CHILDREN there is no such file, and they wait for our end.
    std::istringstream children(readFileIfPresent("/proc/self/task/" + thread + "/children", 1u << 20).value_or(""));
    for (pid_t pid = 0; children >> pid;) {
      const auto stat = statOf(pid);
      // One that leads its group is a program that somebody here runs and waits for.
      if (!stat || stat->name != name || stat->state != 'Z' || stat->group == pid) continue;
      siginfo_t info{};
      ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG);
    }
  }
}

std::uint64_t startTimeOf(pid_t pid) {
  const auto stat = statOf(pid);
  return stat ? stat->started : 0;
}

Fd openProcess(pid_t pid, std::uint64_t started) {
  if (pid <= 0) return Fd();
  Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process && errno != ESRCH && errno != EINVAL) failSystem("pidfd_open", errno);
  // Opened first and compared afterwards: if it is the right one now, the descriptor is of the right one.
  if (process && startTimeOf(pid) != started) process.reset();
  return process;
}

}  // namespace ocelot::oci
