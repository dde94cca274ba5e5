#include "tests/unit/oci/fixture.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "plugins/runtime/oci/file.hpp"
#include "plugins/runtime/oci/tool.hpp"
#include "tests/support/skip.hpp"

namespace ocelot::oci::test {

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "ocelot-oci-test.XXXXXX").string();
  if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
  path_ = name;
}

Folder::~Folder() { tryRemoveTree(path_); }

Host& noHost() {
  class None : public Host {
    Http& http() override { throw std::logic_error("the plugin asked for http"); }
    Crypto& crypto() override { throw std::logic_error("the plugin asked for crypto"); }
  };
  static None host;
  return host;
}

Settings settingsIn(const Folder& folder) {
  Settings settings("oci", noHost());
  settings.set("store", {folder / "store"});
  settings.set("state", {folder / "state"});
  settings.set("runtime", {"auto"});
  return settings;
}

void needContainers() {
  if (::geteuid() != 0) ocelot::test::skip("needs root");
  if (findProgram("crun").empty() && findProgram("runc").empty())
    ocelot::test::skip("neither crun nor runc is installed");
  if (findProgram("busybox").empty()) ocelot::test::skip("busybox is not installed");
}

std::string makeRootfs(const Folder& folder) {
  const std::string rootfs = folder / "rootfs";
  if (runShell("set -e; mkdir -p " + rootfs + "; cd " + rootfs +
               "; mkdir -p bin etc tmp root; chmod 1777 tmp; cp \"$(command -v busybox)\" bin/busybox; "
               "for name in sh true false sleep cat ls id mkdir rm dd ip wget ping mount ln chown touch head grep "
               "unshare chmod nc; "
               "do ln -sf busybox bin/$name; done; echo root:x:0:0::/root:/bin/sh > etc/passwd") != 0)
    throw std::runtime_error("making a root file system");
  return rootfs;
}

int runShell(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string outputOf(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string out;
  char buffer[4096];
  while (std::size_t got = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, got);
  ::pclose(pipe);
  return out;
}

}  // namespace ocelot::oci::test
