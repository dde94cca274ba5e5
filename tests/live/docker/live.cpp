#include "tests/live/docker/live.hpp"

#include <sys/wait.h>

#include <cstdio>

#include "tests/support/skip.hpp"

namespace ocelot::docker::test {

std::string execute(const std::string& command) {
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw Error(Status::internal, command);
  std::string out;
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, n);
  const int status = ::pclose(pipe);
  if (status != 0) throw Error(Status::internal, command + ": status " + std::to_string(status));
  return out;
}

void LiveFixture::setUp() {
  const char* socket = std::getenv("OCELOT_TEST_DOCKER");
  if (socket == nullptr) ocelot::test::skip("OCELOT_TEST_DOCKER names no engine: scripts/engines start docker");
  if (!std::filesystem::exists("/bin/busybox")) ocelot::test::skip("/bin/busybox is missing: package busybox-static");
  socket_ = socket;
  folder_ = std::make_unique<Folder>();
  docker_ = std::make_unique<Docker>(settingsFor(socket_));
  owner_ = "test-" + std::filesystem::path(folder_->path()).filename().string();
  image_ = "ocelot.local/docker-test:base";
  docker_->importImage(call_, rootfs(), image_, {});
}

void LiveFixture::tearDown() {
  if (!docker_) return;
  for (const Container& container : docker_->list(call_, owner_)) docker_->remove(call_, container.name);
  try {
    docker_->removeImage(call_, image_);
  } catch (const Error&) {
    // A test took it away itself.
  }
  folder_.reset();
}

std::string LiveFixture::rootfs(const std::string& name) {
  const std::string root = folder_->path(name);
  execute("mkdir -p " + root + "/bin " + root + "/etc " + root + "/tmp && cp /bin/busybox " + root +
          "/bin/ && for tool in sh cat rm id touch mkdir head tail sleep ls dd chmod hostname env kill true; do ln -sf "
          "busybox " +
          root + "/bin/$tool; done && echo root:x:0:0:root:/:/bin/sh > " + root + "/etc/passwd");
  return root;
}

ContainerSpec LiveFixture::shell(const std::string& script) {
  ContainerSpec spec;
  spec.name = owner_ + "-" + std::to_string(++count_);
  spec.owner = owner_;
  spec.image = image_;
  spec.command = {"/bin/sh", "-c", script};
  spec.network = "none";
  return spec;
}

Exit LiveFixture::run(const ContainerSpec& spec) {
  docker_->start(call_, spec);
  return docker_->wait(call_, spec.name);
}

bool LiveFixture::listed(const std::string& name) {
  for (const Container& container : docker_->list(call_, owner_)) {
    if (container.name == name) return true;
  }
  return false;
}

}  // namespace ocelot::docker::test
