#pragma once
// sha256, as images write it.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace ocelot::oci {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(const void* data, std::size_t size);
  void update(std::string_view data) { update(data.data(), data.size()); }
  std::string digest();  // "sha256:<64 hexadecimal digits>"; once

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string digestOf(std::string_view data);
// Is this "sha256:" and 64 lower-case hexadecimal digits? Such a text is also a safe file name.
bool isDigest(std::string_view text);
std::string hexOf(std::string_view digest);  // the part after "sha256:"

}  // namespace ocelot::oci
