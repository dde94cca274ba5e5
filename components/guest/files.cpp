#include "components/guest/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace ocelot::guest {

std::optional<std::string> readAll(int fd, std::size_t most) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > most) {
      errno = EFBIG;
      return std::nullopt;
    }
  }
}

std::optional<std::string> readSmallFile(const char* path, std::size_t most) {
  const Fd file(::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0) return std::nullopt;
  if (!S_ISREG(facts.st_mode)) {
    errno = EINVAL;
    return std::nullopt;
  }
  return readAll(file.get(), most);
}

std::optional<std::uint64_t> Counter::value() const {
  char digits[32];
  const ssize_t got = ::pread(file_.get(), digits, sizeof digits, 0);
  if (got <= 0 || digits[0] < '0' || digits[0] > '9') return std::nullopt;
  // 20 digits, zeros first, are usual; more than 18 that count is no count of ours.
  std::uint64_t number = 0;
  for (ssize_t i = 0; i < got && digits[i] >= '0' && digits[i] <= '9'; ++i) {
    if (number >= 100000000000000000u) return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(digits[i] - '0');
  }
  return number;
}

}  // namespace ocelot::guest
