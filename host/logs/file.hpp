#pragma once
// A file descriptor that closes itself, and the few calls on it that a log needs, with errors that name the file.

#include <cstdint>
#include <string>
#include <string_view>

namespace ocelot::logs {

class File {
 public:
  // flags as for open(2); O_CLOEXEC is added. Throws std::runtime_error.
  File(std::string path, int flags);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const { return path_; }
  std::int64_t size() const;
  void append(std::string_view bytes);
  // Fewer than `size` only at the end of the file.
  std::size_t readAt(std::int64_t offset, char* to, std::size_t size) const;
  void truncate(std::int64_t size);
  void sync();

 private:
  [[noreturn]] void fail(const char* what) const;

  std::string path_;
  int fd_ = -1;
};

// At most `most` bytes of the file; "" when there is none.
std::string readFileIfPresent(const std::string& path, std::size_t most);

}  // namespace ocelot::logs
