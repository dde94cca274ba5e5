#pragma once
// A file system of a given size, gone with the test and with what is in it. Needs root.

#include <sys/mount.h>

#include <string>

#include "tests/support/skip.hpp"
#include "tests/support/temp_folder.hpp"

namespace ocelot::test {

class SmallDisk {
 public:
  explicit SmallDisk(const std::string& size) {
    if (::mount("tmpfs", folder_.path.c_str(), "tmpfs", 0, ("size=" + size).c_str()) != 0)
      skip("mounting a tmpfs needs root");
  }
  ~SmallDisk() { ::umount2(folder_.path.c_str(), MNT_DETACH); }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  const std::string& path() const { return folder_.path; }

 private:
  TempFolder folder_;
};

}  // namespace ocelot::test
