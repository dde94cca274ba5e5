#include "host/git/fence.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace ocelot::git {

namespace {

// Newer than Debian 12's header.
constexpr std::uint64_t kTruncate = 1ULL << 14;

long abiVersion() {
  static const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version;
}

constexpr std::uint64_t kFileRights = LANDLOCK_ACCESS_FS_WRITE_FILE;

std::uint64_t writingRights() {
  std::uint64_t rights = kFileRights | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                         LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                         LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                         LANDLOCK_ACCESS_FS_MAKE_SYM;
  if (abiVersion() >= 2) rights |= LANDLOCK_ACCESS_FS_REFER;
  if (abiVersion() >= 3) rights |= kTruncate;
  return rights;
}

void allow(int rules, const std::string& path, std::uint64_t rights) {
  landlock_path_beneath_attr beneath{};
  beneath.allowed_access = rights;
  beneath.parent_fd = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (beneath.parent_fd < 0) return;
  const long failed = ::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
  const int error = errno;
  ::close(beneath.parent_fd);
  if (failed != 0) throw std::system_error(error, std::generic_category(), "fence git in: allow writing below " + path);
}

}  // namespace

bool WriteFence::supported() { return abiVersion() >= 1; }

WriteFence::WriteFence(const std::vector<std::string>& writable) {
  if (!supported()) return;
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = writingRights();
  rules_ = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
  if (rules_ < 0) throw std::system_error(errno, std::generic_category(), "fence git in: landlock_create_ruleset");
  try {
    for (const std::string& folder : writable) allow(rules_, folder, writingRights());
    allow(rules_, "/dev/null", kFileRights);
  } catch (...) {
    ::close(rules_);
    throw;
  }
}

WriteFence::~WriteFence() {
  if (rules_ >= 0) ::close(rules_);
}

bool WriteFence::putOn() const noexcept {
  if (rules_ < 0) return true;
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::syscall(SYS_landlock_restrict_self, rules_, 0) == 0;
}

}  // namespace ocelot::git
