#include "components/worker/build/journal_reader.hpp"

#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace ocelot::worker {
namespace {

constexpr std::size_t kReadBytes = 4u << 20;
constexpr std::uint64_t kPunchStep = 8u << 20;

}  // namespace

JournalReader::JournalReader(const std::string& path, std::uint64_t offset)
    // Writable for punch() alone.
    : fd_(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)), offset_(offset), punched_(offset / 4096 * 4096) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "open the journal " + path);
}

JournalReader::~JournalReader() { ::close(fd_); }

bool JournalReader::read(const std::function<void(const journal::Frame&)>& take) {
  struct stat now {};
  if (::fstat(fd_, &now) != 0) throw std::system_error(errno, std::generic_category(), "stat the journal");
  const auto size = static_cast<std::uint64_t>(now.st_size);
  if (size < offset_)
    throw journal::Tampered("the journal shrank from " + std::to_string(offset_) + " bytes to " + std::to_string(size));
  if (size == offset_) return false;
  buffer_.resize(std::min<std::uint64_t>(size - offset_, kReadBytes));
  const ssize_t got = ::pread(fd_, buffer_.data(), buffer_.size(), static_cast<off_t>(offset_));
  if (got < 0) throw std::system_error(errno, std::generic_category(), "read the journal");
  std::string_view rest(buffer_.data(), static_cast<std::size_t>(got));
  const std::uint64_t begin = offset_;
  while (const auto frame = journal::takeFrame(rest)) {
    offset_ = begin + static_cast<std::size_t>(got) - rest.size();
    take(*frame);
  }
  // A frame is smaller than a whole read, so a full read always moves on.
  return static_cast<std::size_t>(got) == kReadBytes;
}

void JournalReader::punch(std::uint64_t offset) {
  const std::uint64_t until = offset / 4096 * 4096;
  if (until < punched_ + kPunchStep) return;
  ::fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(punched_),
              static_cast<off_t>(until - punched_));
  punched_ = until;
}

}  // namespace ocelot::worker
