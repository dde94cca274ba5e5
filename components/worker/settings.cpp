#include "components/worker/settings.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "host/builddir/directory.hpp"
#include "host/model/build.hpp"
#include "host/process/installed.hpp"
#include "host/runtimes/limits.hpp"

namespace ocelot::worker {
namespace {

namespace fs = std::filesystem;

std::string hostName() {
  char name[256] = "worker";
  ::gethostname(name, sizeof name - 1);
  return name;
}

std::string findGuest(const std::string& program) {
  const std::string guest = process::installedProgram(fs::path(program).parent_path(), "ocelot-guest");
  if (!guest.empty()) return guest;
  throw std::runtime_error("find ocelot-guest: it is neither beside " + program +
                           " nor in ../lib/ocelot; set worker.guest to its path");
}

// By this alone it may take up its builds again. Only its owner reads it, as all of data_dir that is worth it.
std::string ownKey(const std::string& data_dir) {
  const std::string path = data_dir + "/worker-key";
  if (const auto key = builddir::readIfPresent(path, 256)) return key->substr(0, key->find('\n'));
  const std::string fresh = model::newClaimId() + model::newClaimId();
  builddir::replaceFile(path, fresh + "\n");
  return fresh;
}

std::string stableId(const std::string& data_dir) {
  const std::string path = data_dir + "/worker-id";
  if (const auto id = builddir::readIfPresent(path, 256)) return id->substr(0, id->find('\n'));
  const std::string fresh = model::newUuid();
  builddir::replaceFile(path, fresh + "\n");
  return fresh;
}

// Not the device: that of a container's own file system is another after each start.
std::string placeOf(const std::string& data_dir) {
  struct stat folder {};
  if (::stat(data_dir.c_str(), &folder) != 0)
    throw std::runtime_error("look at " + data_dir + ": " + std::strerror(errno));
  const auto boot = builddir::readIfPresent("/proc/sys/kernel/random/boot_id", 64).value_or("unknown");
  return hostName() + " (boot " + boot.substr(0, 8) + ", folder " + std::to_string(folder.st_ino) + ")";
}

}  // namespace

Settings settingsFrom(const config::Config& config) {
  Settings settings;
  settings.data_dir = config.text("data_dir");
  settings.run_dir = config.text("run_dir");
  fs::create_directories(settings.builds());
  fs::create_directories(settings.runBuilds());
  fs::permissions(settings.builds(), fs::perms::owner_all);
  fs::permissions(settings.runBuilds(), fs::perms::owner_all);
  settings.id = stableId(settings.data_dir);
  settings.key = ownKey(settings.data_dir);
  settings.place = placeOf(settings.data_dir);
  settings.name = config.has("worker.name") ? config.text("worker.name") : hostName();
  settings.url = config.text("worker.public_url");
  settings.admin_urls = config.list("worker.admin_url");
  settings.ca_file = config.text("tls.ca");
  settings.tags = config.list("worker.tags");
  settings.slots = static_cast<int>(config.number("worker.slots"));
  if (settings.slots <= 0) settings.slots = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  settings.program = fs::read_symlink("/proc/self/exe").string();
  settings.guest = config.has("worker.guest") ? config.text("worker.guest") : findGuest(settings.program);
  settings.network = config.text("worker.network");
  settings.local_repos = config.list("worker.local_repos");
  settings.limits = runtimes::limitsOf(config);
  settings.lease = config.duration("worker.lease");
  settings.heartbeat = config.duration("worker.heartbeat");
  settings.drain_timeout = config.duration("worker.drain_timeout");
  settings.mirror_keep = std::chrono::ceil<std::chrono::hours>(config.duration("worker.mirror_keep"));
  settings.min_free_disk = config.share("worker.min_free_disk");
  return settings;
}

}  // namespace ocelot::worker
