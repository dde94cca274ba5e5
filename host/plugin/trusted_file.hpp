#pragma once
// Opens a file that will be executed, and only when nobody but root and this program's user can have written it.

#include <string>

namespace ocelot::plugin {

// A descriptor that is closed with the object.
class OpenFile {
 public:
  explicit OpenFile(int fd) : fd_(fd) {}
  ~OpenFile();
  OpenFile(OpenFile&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  OpenFile& operator=(OpenFile&&) = delete;
  int fd() const { return fd_; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

// The path is absolute and without "." and ".."; every folder on it and the file itself belong to root or to this user,
// and neither group nor others may write them (a sticky folder, like /tmp, is fine); nothing on it is a symbolic link;
// the file is a regular one. Walked name by name from /, so that what was checked is what is opened. Throws
// Error(not_found) or Error(invalid) with the remedy.
OpenFile openTrusted(const std::string& path);

}  // namespace ocelot::plugin
