#pragma once
// Writes archives for tests, the well-formed and the hostile.

#include <string>
#include <utility>
#include <vector>

namespace ocelot::oci::test {

struct TarEntry {
  enum class Type { file, folder, symlink, hardlink, device, fifo };
  Type type = Type::file;
  std::string path;
  std::string content;  // of a file; the target of a link
  unsigned mode = 0644;
  int uid = 0, gid = 0;
  std::vector<std::pair<std::string, std::string>> attributes;
};

enum class Compression { none, gzip, zstd, xz };
void writeTar(const std::string& path, const std::vector<TarEntry>& entries,
              Compression compression = Compression::none);

}  // namespace ocelot::oci::test
