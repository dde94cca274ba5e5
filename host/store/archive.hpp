#pragma once
// The tar of a backup: regular files with plain names, written and read in one go, and last of all a file `sha256`: the
// checksum of the names, sizes and bytes before it.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace ocelot::store {

class ArchiveWriter {
 public:
  // Made exclusively, 0600. Throws Unavailable; Conflict when the file is there.
  explicit ArchiveWriter(const std::string& file);
  ~ArchiveWriter();  // removes the file unless close() was reached
  ArchiveWriter(const ArchiveWriter&) = delete;
  ArchiveWriter& operator=(const ArchiveWriter&) = delete;
  void add(const std::string& name, std::string_view bytes);
  // The first `size` bytes of `path`, or all of it (-1). false: there is no such file, or it is shorter.
  bool addFile(const std::string& name, const std::string& path, std::int64_t size);
  void close();  // with its checksum, flushed to the disk

 private:
  void header(const std::string& name, std::int64_t size);
  void data(const char* bytes, std::size_t size);

  struct State;
  std::unique_ptr<State> state_;
};

// Calls `entry` with each name; it returns where that entry goes (made exclusively, 0600; folders above are made 0700).
// Throws std::runtime_error for what is no such tar: a truncated one, links, names with "..", another checksum. Before
// it returns, what was written is not to be trusted.
void readArchive(const std::string& file, const std::function<std::string(const std::string&)>& entry);

}  // namespace ocelot::store
