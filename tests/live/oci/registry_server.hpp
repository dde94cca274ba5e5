#pragma once
// A registry on loopback that serves one OCI layout under any name, and fails as it is told to.

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "plugins/runtime/oci/file.hpp"
#include "tests/support/loopback.hpp"
#include "tests/unit/oci/layout.hpp"

namespace ocelot::oci::test {

class RegistryServer {
 public:
  explicit RegistryServer(const ImageLayout& layout);
  ~RegistryServer();
  RegistryServer(const RegistryServer&) = delete;
  RegistryServer& operator=(const RegistryServer&) = delete;

  std::string name() const { return listener_.address(); }
  std::vector<std::string> requests() const;  // "GET /v2/…", in order

  std::atomic<int> failures{0};  // so many answers are 500
  std::atomic<bool> missing{false};
  std::atomic<bool> damaged{false};  // blobs arrive with a byte changed
  std::string credential;            // "user:password" in base64; "": anonymous

 private:
  void serve();
  void answer(int peer);
  std::string respond(const std::string& request);

  const ImageLayout& layout_;
  const ocelot::test::Loopback listener_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;  // last: it uses all the others
};

}  // namespace ocelot::oci::test
