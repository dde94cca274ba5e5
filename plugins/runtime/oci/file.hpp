#pragma once
// Descriptors, small files and whole trees, with errors that name the path.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ocelot/call.hpp"

namespace ocelot::oci {

// Owns a descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~Fd() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// Throws Error "<doing>: <what the system said>"; the status follows from the error number.
[[noreturn]] void failSystem(const std::string& doing, int error);

std::string readFile(const std::string& path, std::size_t max_bytes);
std::optional<std::string> readFileIfPresent(const std::string& path, std::size_t max_bytes);
// All at once or not at all: written beside and renamed.
void replaceFile(const std::string& path, std::string_view content, unsigned mode = 0600);
void writeFile(const std::string& path, std::string_view content, unsigned mode = 0600);
void appendAll(int fd, std::string_view content, const std::string& path);

void makeFolder(const std::string& path, unsigned mode = 0700);   // its parent must be there; present is fine
void makeFolders(const std::string& path, unsigned mode = 0700);  // with all parents
bool present(const std::string& path);
std::vector<std::string> namesIn(const std::string& folder);  // sorted; none when the folder is missing
std::vector<std::string> foldersIn(const std::string& folder);

// Removes a file or a whole tree, of any depth and with any modes; follows no symbolic link; missing is fine.
void removeTree(const std::string& path);
// As removeTree, for what is being given up anyway: says whether nothing is left.
bool tryRemoveTree(const std::string& path) noexcept;

// A lock on a file; released with the object. Waits as long as the call allows.
enum class LockKind { shared, exclusive };
Fd lockFile(Call& call, const std::string& path, LockKind kind);
Fd tryLockFile(const std::string& path, LockKind kind);  // holds nothing when somebody else has it

std::string randomName();  // 16 hexadecimal digits

}  // namespace ocelot::oci
