#pragma once
// Keeps a process from writing anywhere but in given folders: Landlock, by its system calls (Debian's libc has no
// wrappers). Made before fork, put on in the child.

#include <string>
#include <vector>

namespace ocelot::git {

class WriteFence {
 public:
  // Folders that are not there are passed over. Does nothing where the kernel has no Landlock.
  explicit WriteFence(const std::vector<std::string>& writable);
  ~WriteFence();
  WriteFence(const WriteFence&) = delete;
  WriteFence& operator=(const WriteFence&) = delete;

  static bool supported();
  // In the child, between fork and exec. false: the fence could not be put on, and the program must not run.
  bool putOn() const noexcept;

 private:
  int rules_ = -1;
};

}  // namespace ocelot::git
