#pragma once
// Writes an image as an OCI layout.

#include <string>
#include <vector>

#include "tests/unit/oci/tar.hpp"

namespace ocelot::oci::test {

class ImageLayout {
 public:
  explicit ImageLayout(std::string folder);
  void write(const std::vector<std::vector<TarEntry>>& layers);
  std::string blob(const std::string& digest) const;

  std::string architecture;   // this machine's unless set before write()
  std::string config_fields;  // inside "config": {…}
  std::string manifest_digest, config_digest;
  std::vector<std::string> layer_digests;

 private:
  std::string add(const std::string& content) const;
  const std::string folder_;
};

}  // namespace ocelot::oci::test
