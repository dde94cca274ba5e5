#pragma once
// Machines as far as the network sees them: each a network namespace with an address of its own, all of them on one
// switch. The test stands on that switch too. Disks and processors they share.

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ocelot::test {

class Host {
 public:
  Host(std::string name, int number);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  const std::string& name() const { return name_; }
  const std::string& address() const { return address_; }
  // For a child between fork and exec: from there on it lives on this host.
  std::function<void()> moveIn() const;
  // Runs a command there to its end; throws when it fails.
  std::string run(const std::vector<std::string>& command) const;

  void cut();   // the cable is pulled: nothing comes, nothing goes, and nobody is told
  void join();  // and put back

 private:
  const std::string name_, address_, port_;  // port_: the switch's
  int network_ = -1;
};

// The network that the process is in becomes the switch. Once in a process.
class Network {
 public:
  Network();
  Host& add(const std::string& name);

 private:
  std::vector<std::unique_ptr<Host>> hosts_;
};

// Runs a command to its end; throws, with what it said, when it fails.
std::string runHere(const std::vector<std::string>& command, const std::function<void()>& in_child = nullptr);

}  // namespace ocelot::test
