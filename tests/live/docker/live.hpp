#pragma once
// A real engine for the tests that need one, and an image on it made of busybox alone. Where OCELOT_TEST_DOCKER names
// no socket, they are skipped.

#include <memory>
#include <string>
#include <vector>

#include "plugins/runtime/docker/docker.hpp"
#include "tests/unit/docker/fixture.hpp"

namespace ocelot::docker::test {

class LiveFixture : public CppUnit::TestFixture {
 public:
  void setUp() override;
  void tearDown() override;

 protected:
  // A container of the base image that runs a line of shell.
  ContainerSpec shell(const std::string& script);
  // Starts, waits and gives the exit.
  Exit run(const ContainerSpec& spec);
  // A root file system with busybox, as a folder.
  std::string rootfs(const std::string& name = "rootfs");
  bool listed(const std::string& name);

  std::string socket_;
  std::unique_ptr<Folder> folder_;
  std::unique_ptr<Docker> docker_;
  CancellableCall call_;
  std::string owner_, image_;
  int count_ = 0;
};

// Runs a program to its end; its output. Throws when it fails.
std::string execute(const std::string& command);

}  // namespace ocelot::docker::test
