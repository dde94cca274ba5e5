#include "components/cli/up/local_engines.hpp"

#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace ocelot::cli {

void becomeOwnerOf(const std::string& folder) {
  struct stat about {};
  if (::geteuid() != 0 || ::stat(folder.c_str(), &about) != 0 || about.st_uid == 0) return;
  if (::setgroups(0, nullptr) != 0 || ::setgid(about.st_gid) != 0 || ::setuid(about.st_uid) != 0)
    throw Failure("become the user " + std::to_string(about.st_uid) + ", whose " + folder +
                  " is: " + ::strerror(errno));
}

LocalEngines::LocalEngines(const Installation& installation)
    : kind_(installation.config.text("secrets.kind")), engines_(engines::open(installation.config)) {}

std::string LocalEngines::where() const { return kind_ == "store" ? engines_.store->describe() : kind_; }

}  // namespace ocelot::cli
