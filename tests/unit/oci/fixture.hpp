#pragma once
// A folder of the test's own with an Oci in it, and the smallest root file system that runs something.

#include <memory>
#include <string>
#include <vector>

#include "ocelot/settings.hpp"
#include "plugins/runtime/oci/oci.hpp"

namespace ocelot::oci::test {

class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// What a plugin may ask of its host; this one asks nothing.
Host& noHost();

Settings settingsIn(const Folder& folder);
// Ends the test as skipped unless containers can run: root, crun or runc, busybox.
void needContainers();
// bin/busybox, its usual names, etc/passwd.
std::string makeRootfs(const Folder& folder);
int runShell(const std::string& command);
std::string outputOf(const std::string& command);

}  // namespace ocelot::oci::test
