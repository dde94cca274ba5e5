#include "host/secrets/key_file.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "host/model/build.hpp"
#include "host/process/fd.hpp"
#include "host/secrets/secrets.hpp"

namespace ocelot::secrets {
namespace {

[[noreturn]] void fail(const std::string& what, const std::string& path) {
  const int error = errno;
  throw Unavailable(what + " " + path + ": " + std::strerror(error));
}

}  // namespace

std::optional<Key> readKeyIfPresent(const std::string& path) {
  const process::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT) return std::nullopt;
    fail("read the key of the secrets,", path);
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail("look at the key of the secrets,", path);
  if (!S_ISREG(status.st_mode)) throw Unavailable("read the key of the secrets, " + path + ": that is no file");
  if ((status.st_mode & 077) != 0)
    throw Unavailable("read the key of the secrets, " + path + ": others may read it; run chmod 600 " + path +
                      ", and consider the secrets as seen");
  Key key{};
  std::size_t done = 0;
  while (done < key.size()) {
    const ssize_t count = ::read(file.get(), key.data() + done, key.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read the key of the secrets,", path);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  if (done != key.size() || status.st_size != static_cast<off_t>(key.size()))
    throw Unavailable("read the key of the secrets, " + path + ": it has " + std::to_string(status.st_size) +
                      " bytes, a key has 32; put the right file there");
  return key;
}

Key makeKey(const std::string& path) {
  Key key{};
  if (::getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size())) fail("make a key for", path);
  std::error_code error;
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, error);

  // Written under a name of its own and linked: the name that others look for appears with all its bytes, and only
  // once.
  const std::string draft = path + "." + model::newClaimId();
  {
    const process::Fd file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file) fail("make the key of the secrets,", draft);
    if (::write(file.get(), key.data(), key.size()) != static_cast<ssize_t>(key.size()) || ::fsync(file.get()) != 0) {
      const int why = errno;
      ::unlink(draft.c_str());
      errno = why;
      fail("write the key of the secrets,", draft);
    }
  }
  const bool linked = ::link(draft.c_str(), path.c_str()) == 0;
  const int why = errno;
  ::unlink(draft.c_str());
  if (!linked) {
    errno = why;
    if (why != EEXIST) fail("make the key of the secrets,", path);
    if (const auto theirs = readKeyIfPresent(path)) return *theirs;
    throw Unavailable("make the key of the secrets, " + path + ": it came and went; try again");
  }
  // Secrets that outlive their key are lost: the name must be on the disk before the first of them.
  const process::Fd parent(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent || ::fsync(parent.get()) != 0) fail("flush the folder of", path);
  return key;
}

}  // namespace ocelot::secrets
