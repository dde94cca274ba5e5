#pragma once
// A folder that the loader trusts, with copies of test plugins in it.

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/temp_folder.hpp"

namespace ocelot::test {

class PluginBox {
 public:
  PluginBox() { path_ = std::filesystem::canonical(folder_.path).string(); }

  // Puts a test plugin in, by its path below the build tree's tests/plugins; gives the copy's path.
  std::string put(const std::string& plugin, const std::string& as) {
    const std::string to = path(as);
    std::filesystem::copy_file(std::string(OCELOT_TEST_PLUGINS) + "/" + plugin, to,
                               std::filesystem::copy_options::overwrite_existing);
    ::chmod(to.c_str(), 0755);
    return to;
  }
  std::string write(const std::string& name, const std::string& bytes) {
    std::ofstream(path(name), std::ios::binary) << bytes;
    ::chmod(path(name).c_str(), 0644);
    return path(name);
  }
  static std::string bytesOf(const std::string& plugin) {
    std::ifstream file(std::string(OCELOT_TEST_PLUGINS) + "/" + plugin, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string path(const std::string& name = "") const { return name.empty() ? path_ : path_ + "/" + name; }

 private:
  TempFolder folder_;
  std::string path_;
};

}  // namespace ocelot::test
