#include "oci.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <sstream>

#include "bundle.hpp"
#include "cgroup.hpp"
#include "tool.hpp"

namespace ocelot::oci {
namespace {

constexpr std::size_t kMaxRecord = 1u << 20;
constexpr std::chrono::seconds kCleanUp{30};  // what a failed start may take to leave nothing behind

std::string folderOption(const Settings& settings, const char* key, const std::string& fallback) {
  std::string path = settings.text(key);
  if (path.empty()) path = fallback;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (path.empty() || path.front() != '/' || path == "/")
    throw Error(Status::invalid, std::string(key) + ": \"" + path + "\" is not an absolute path of a folder");
  return path;
}

std::vector<std::string> pluginFolders(const Settings& settings) {
  auto folders = settings.list("cni_path");
  if (folders.empty()) folders = {"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"};
  return folders;
}

std::string userFolder(const char* variable, const std::string& below_home) {
  if (const char* value = std::getenv(variable); value && *value == '/') return value;
  const char* home = std::getenv("HOME");
  return std::string(home && *home == '/' ? home : "/tmp") + below_home;
}

bool ended(const Fd& process) {
  pollfd poll{process.get(), POLLIN, 0};
  return ::poll(&poll, 1, 0) > 0;
}

// Readable, or the call's end.
void awaitEnd(Call& call, const Fd& process, const std::string& doing) {
  for (;;) {
    pollfd fds[2] = {{process.get(), POLLIN, 0}, {call.cancelFd(), POLLIN, 0}};
    int wait = call.remainingMs();
    if (fds[1].fd < 0 && (wait < 0 || wait > 200)) wait = 200;  // a call without a descriptor is asked instead
    if (::poll(fds, 2, wait) < 0 && errno != EINTR) failSystem(doing, errno);
    if (fds[0].revents) return;
    call.check(doing);
  }
}

// The exit status of a process that has ended; none when it is not ours to see. A container that ends at once may do so
// before crun has: until then it is crun's child, and becomes ours a moment later.
std::optional<int> takeExit(const Fd& process, const Engine::MainProcess& main) {
  for (int attempt = 0; attempt < 500; ++attempt) {
    siginfo_t info{};
    const int answer = ::waitid(P_PIDFD, static_cast<id_t>(process.get()), &info, WEXITED | WNOHANG);
    if (answer == 0 && info.si_pid != 0) return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
    // Ours but not yet to be had: a debugger that traces it is told first.
    if (answer != 0 && startTimeOf(main.pid) != main.started) break;  // somebody else has taken it
    ::poll(nullptr, 0, 2);
  }
  return std::nullopt;
}

void checkHostname(const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
  if (name.empty() || name.size() > 64 || !plain)
    throw Error(Status::invalid, "hostname: letters, digits, '-' and '.', at most 64");
}

// Where something is mounted in its container.
std::vector<Store::MountPoint> mountPointsOf(const ContainerSpec& spec) {
  std::vector<Store::MountPoint> points{{"/dev", true},        {"/proc", true},          {"/sys", true},
                                        {"/etc/hosts", false}, {"/etc/hostname", false}, {"/etc/resolv.conf", false}};
  for (const Resource& resource : spec.resources) {
    checkTarget(resource.target);
    points.push_back({resource.target, resource.kind != Resource::Kind::file});
  }
  return points;
}

// A folder whose removal can only be meant.
void checkWorkspace(const std::string& path) {
  const auto slashes = std::count(path.begin(), path.end(), '/');
  if (path.empty() || path.front() != '/' || slashes < 2 || path.back() == '/' ||
      (path + "/").find("/../") != std::string::npos)
    throw Error(Status::invalid, "workspace \"" + path + "\": an absolute path of at least two parts, without \"..\"");
}

}  // namespace

Oci::Oci(const Settings& settings)
    : state_(folderOption(
          settings, "state",
          ::geteuid() == 0 ? "/run/ocelot/oci" : userFolder("XDG_RUNTIME_DIR", "/.cache") + "/ocelot/oci")),
      rootless_(::geteuid() != 0),
      store_(folderOption(settings, "store",
                          ::geteuid() == 0 ? "/var/lib/ocelot/images"
                                           : userFolder("XDG_DATA_HOME", "/.local/share") + "/ocelot/images"),
             rootless_),
      engine_(settings.text("runtime"), state_),
      network_(state_, settings.text("subnet"), pluginFolders(settings)),
      registry_(settings.text("registry_mirror"), settings.list("insecure_registries")) {}

Oci::~Oci() {
  try {
    SimpleCall call(kCleanUp);
    network_.rest(call);
  } catch (const std::exception&) {
    // Nobody is left to be told. What stays is used by the next container, and taken away after it.
  }
}

std::string Oci::containerFolder(std::string_view name) const { return state_ + "/containers/" + std::string(name); }
std::string Oci::storageFolder(std::string_view name) const {
  return store_.folder() + "/containers/" + std::string(name);
}

void Oci::open() {
  if (opened_) return;
  makeFolders(state_, 0711);
  makeFolder(state_ + "/containers");
  store_.open();
  opened_ = true;
}

std::optional<Record> Oci::load(std::string_view name) const {
  if (!whyBadName(name).empty()) return std::nullopt;
  const std::string path = containerFolder(name) + "/record.json";
  const auto text = readFileIfPresent(path, kMaxRecord);
  if (!text) return std::nullopt;
  return decodeRecord(*text, path);
}

void Oci::save(const Record& record) const {
  replaceFile(containerFolder(record.name) + "/record.json", encodeRecord(record));
}

std::vector<std::string> Oci::takeLayers(Call& call, const ContainerSpec& spec, const std::string& storage) {
  const Fd used = store_.use(call);
  const Reference reference = parseReference(spec.image);
  auto manifest = spec.digest.empty() ? std::nullopt : store_.findDigest(spec.digest);
  if (!manifest) manifest = store_.find(reference);
  if (!manifest)
    throw Error(Status::not_found,
                "start container " + spec.name + ": the image " + reference.full() + " is not here; pull it first");
  makeFolder(storage);
  std::vector<std::string> layers = store_.layerFolders(*manifest);
  if (layers.empty())
    throw Error(Status::invalid, "start container " + spec.name + ": the image " + reference.full() + " is empty");
  layers.push_back(store_.mountPointLayer(mountPointsOf(spec)));
  // Written while the lock is held: from now on nobody deletes them.
  std::string text = containerFolder(spec.name) + "/record.json\n";
  for (const std::string& layer : layers) text += layer + "\n";
  writeFile(storage + "/layers", text);
  return layers;
}

std::vector<Mount> Oci::mountsFor(const ContainerSpec& spec, const std::string& storage, const std::string& address,
                                  std::string& source) const {
  std::vector<Mount> mounts;
  const auto own = [&](const char* name, const char* target, const std::string& text) {
    writeFile(storage + "/" + name, text, 0644);
    mounts.push_back({storage + "/" + name, target, true});
  };
  std::string hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  hosts += (address.empty() ? "127.0.1.1" : address) + "\t" + spec.hostname + "\n";
  if (spec.network == "host") hosts = readFileIfPresent("/etc/hosts", 1u << 20).value_or(hosts);
  own("hosts", "/etc/hosts", hosts);
  own("hostname", "/etc/hostname", spec.hostname + "\n");
  own("resolv.conf", "/etc/resolv.conf",
      spec.network == "host"     ? readFileIfPresent("/etc/resolv.conf", 1u << 20).value_or("")
      : spec.network == "bridge" ? Network::resolvConf()
                                 : std::string());
  for (const Resource& resource : spec.resources) {
    std::string from = resource.source;
    if (resource.kind == Resource::Kind::workspace) {
      if (from.empty()) {
        from = storage + "/workspace";
        makeFolder(from, 0755);
      } else {
        checkWorkspace(from);
        if (!source.empty()) throw Error(Status::invalid, "start container " + spec.name + ": two workspaces");
        source = from;
      }
    }
    struct stat status {};
    if (from.empty() || from.front() != '/')
      throw Error(Status::invalid, "resource for " + resource.target + ": \"" + from + "\" is not an absolute path");
    if (::stat(from.c_str(), &status) != 0) failSystem("resource for " + resource.target + ": " + from, errno);
    if (S_ISDIR(status.st_mode) == (resource.kind == Resource::Kind::file))
      throw Error(Status::invalid, "resource for " + resource.target + ": " + from +
                                       (S_ISDIR(status.st_mode) ? " is a folder" : " is not a folder"));
    mounts.push_back({from, resource.target, resource.kind != Resource::Kind::file});
  }
  return mounts;
}

void Oci::bringUp(Call& call, const ContainerSpec& spec, Record& record, int turn) {
  const std::string bundle_folder = containerFolder(spec.name);
  const std::vector<std::string> layers = takeLayers(call, spec, record.storage);

  Overlay overlay;
  overlay.folder = store_.folder();
  overlay.layers = layers;
  overlay.upper = "containers/" + spec.name + "/upper";
  overlay.work = "containers/" + spec.name + "/work";
  overlay.target = bundle_folder + "/rootfs";
  overlay.user = rootless_;
  // The upper folder is what the container sees as /: it looks like the image's.
  struct stat top {};
  if (::stat((store_.folder() + "/" + layers.front()).c_str(), &top) != 0)
    failSystem("open the layer " + layers.front(), errno);
  makeFolder(record.storage + "/upper", top.st_mode & 07777);
  if (!rootless_ && ::chown((record.storage + "/upper").c_str(), top.st_uid, top.st_gid) != 0)
    failSystem("chown " + record.storage + "/upper", errno);
  makeFolder(record.storage + "/work");
  makeFolder(overlay.target, 0755);

  Bundle bundle;
  Network::Attached attached;
  if (spec.network == "bridge") {
    attached = network_.attach(call, spec.name);
    bundle.network_namespace =
        "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(attached.network_namespace.get());
  }
  std::string source;
  bundle.mounts = mountsFor(spec, record.storage, attached.address, source);
  bundle.command = spec.command;
  bundle.hostname = spec.hostname;
  bundle.rootfs = overlay.target;
  bundle.cgroup = rootless_ ? "" : record.cgroup;
  bundle.host_network = spec.network == "host";
  bundle.limits = spec.limits;
  bundle.filter_as_program = engine_.isCrun();
  bundle.rootless = rootless_;
  writeFile(bundle_folder + "/config.json", encodeBundle(bundle));

  record.pid = engine_.run(call, spec.name, bundle_folder, overlay, turn);
  record.started = startTimeOf(record.pid);
  record.source = source;  // ours from here on, and not before: a failed start leaves the checkout alone
  save(record);
}

void Oci::start(Call& call, const ContainerSpec& spec) {
  if (const std::string why = whyBadName(spec.name); !why.empty())
    throw Error(Status::invalid, "start container \"" + spec.name + "\": " + why);
  if (spec.command.empty() || spec.command.front().empty() || spec.command.front().front() != '/')
    throw Error(Status::invalid, "start container " + spec.name + ": the command must begin with an absolute path");
  if (spec.network != "bridge" && spec.network != "none" && spec.network != "host")
    throw Error(Status::invalid,
                "start container " + spec.name + ": network \"" + spec.network + "\" is none of bridge, none, host");
  checkHostname(spec.hostname);
  if (!engine_.why().empty()) throw Error(Status::unavailable, "start container " + spec.name + ": " + engine_.why());
  open();
  // The container becomes our child when crun ends, and its exit status ours to see.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

  Record record;
  record.name = spec.name;
  record.owner = spec.owner;
  record.labels = spec.labels;
  record.network = spec.network;
  record.cgroup = (present("/run/systemd/system") ? "/ocelot.slice/" : "/ocelot/") + spec.name;
  record.storage = storageFolder(spec.name);
  if (::mkdir(containerFolder(spec.name).c_str(), 0700) != 0) {
    if (errno == EEXIST)
      throw Error(Status::invalid,
                  "start container " + spec.name + ": there is one of this name already; remove it first");
    failSystem("make " + containerFolder(spec.name), errno);
  }
  Fd turn;
  try {
    turn = takeTurn(call, spec.name);
    save(record);
    bringUp(call, spec, record, turn.get());
  } catch (...) {
    turn.reset();
    try {
      SimpleCall rest(kCleanUp);
      remove(rest, spec.name);
    } catch (const std::exception& e) {
      call.log(LogLevel::error, "after a failed start: " + std::string(e.what()));
    }
    throw;
  }
}

Fd Oci::takeTurn(Call& call, std::string_view name) const {
  return lockFile(call, containerFolder(name) + "/turn", LockKind::exclusive);
}

std::optional<Exit> Oci::recordedExit(std::string_view name) const {
  const auto text = readFileIfPresent(containerFolder(name) + "/exit", 64);
  if (!text) return std::nullopt;
  Exit exit;
  int out_of_memory = 0;
  std::istringstream(*text) >> exit.code >> out_of_memory;
  exit.known = true;
  exit.out_of_memory = out_of_memory != 0;
  return exit;
}

Exit Oci::wait(Call& call, std::string_view name) {
  const auto record = load(name);
  if (!record || record->pid == 0)
    throw Error(Status::not_found, "wait for container " + std::string(name) + ": there is none");
  if (const auto exit = recordedExit(name)) return *exit;
  const Fd process = openProcess(record->pid, record->started);
  if (process) awaitEnd(call, process, "waiting for container " + record->name);
  const std::lock_guard guard(reaping_);
  if (const auto exit = recordedExit(name)) return *exit;
  const bool out_of_memory = Cgroup(record->cgroup).outOfMemoryKills() > 0;
  if (const auto code = process ? takeExit(process, {record->pid, record->started}) : std::nullopt) {
    // For whoever asks after us: the kernel tells it once, and only to its parent.
    if (present(containerFolder(name)))
      replaceFile(containerFolder(name) + "/exit", std::to_string(*code) + (out_of_memory ? " 1\n" : " 0\n"));
    return {true, *code, out_of_memory};
  }
  return {false, 0, out_of_memory};
}

void Oci::kill(Call&, std::string_view name, int signal) {
  const auto record = load(name);
  const Fd process = record ? openProcess(record->pid, record->started) : Fd();
  if (!process || ended(process))
    throw Error(Status::not_found, "signal container " + std::string(name) + ": none is running");
  if (::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0) == 0) return;
  if (errno == ESRCH) throw Error(Status::not_found, "signal container " + record->name + ": it has just ended");
  failSystem("signal container " + record->name, errno);
}

void Oci::remove(Call& call, std::string_view name) {
  if (!whyBadName(name).empty()) return;  // nothing of ours is called that
  const std::string text(name), folder = containerFolder(name);
  if (!present(folder) && !present(storageFolder(name))) return;
  // Whoever started it may have been killed while crun was at work, which goes on by itself: its end is waited for.
  const Fd turn = present(folder) ? takeTurn(call, name) : Fd();
  std::optional<Record> record;
  try {
    record = load(name);
  } catch (const Error& e) {
    // A torn record must not make a container immortal: everything but the checkout follows from its name.
    call.log(LogLevel::warning, e.what());
  }

  const Engine::MainProcess main =
      record && record->pid != 0 ? Engine::MainProcess{record->pid, record->started} : engine_.find(text);
  if (const Fd process = openProcess(main.pid, main.started)) {
    // PID 1 of a namespace takes everything in it along, and is not dead before the last one is.
    ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
    awaitEnd(call, process, "removing container " + text);
    const std::lock_guard guard(reaping_);
    takeExit(process, main);
  }
  if (record) {
    Cgroup(record->cgroup).remove(call);
  } else {
    for (const char* parent : {"/ocelot/", "/ocelot.slice/"}) Cgroup(parent + text).remove(call);
  }
  engine_.reap();
  engine_.forget(text);
  if (!record || record->network == "bridge") network_.detach(text);
  if (record && !record->source.empty()) removeTree(record->source);
  removeTree(storageFolder(name));
  removeTree(folder);
}

std::vector<Container> Oci::list(Call&, std::string_view owner) {
  std::vector<Container> containers;
  for (const std::string& name : namesIn(state_ + "/containers")) {
    std::optional<Record> record;
    try {
      record = load(name);
    } catch (const Error&) {
      continue;  // torn; remove() by name still works
    }
    if (!record || record->owner != owner) continue;
    const Fd process = openProcess(record->pid, record->started);
    containers.push_back({record->name, record->labels, process && !ended(process)});
  }
  return containers;
}

}  // namespace ocelot::oci
