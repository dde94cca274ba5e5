#pragma once
// Logs beside the database: one file per claim, logs/<aa>/<build id>.<fence>.log. The stored size in the database is
// the truth: bytes beyond it belong to a write that was never confirmed, and go with the next append.

#include <cstdint>
#include <string>
#include <string_view>

namespace ocelot::store {

class LogSegments {
 public:
  explicit LogSegments(std::string folder) : folder_(std::move(folder)) {}

  // Puts `bytes` at `size` and cuts what was behind. Returns the size that the file has now; it is less than `size`
  // (and nothing was written) when the file is shorter than the database believes, as after a power loss.
  std::int64_t append(const std::string& build_id, std::int64_t fence, std::int64_t size, std::string_view bytes) const;
  // What was appended survives power loss. Nothing to do when there is no file.
  void sync(const std::string& build_id, std::int64_t fence) const;
  // At most max_bytes from `offset`, never beyond `size`.
  std::string read(const std::string& build_id, std::int64_t fence, std::int64_t offset, std::int64_t size,
                   std::size_t max_bytes) const;
  void remove(const std::string& build_id, std::int64_t fence) const;
  // Relative to the store's folder.
  static std::string name(const std::string& build_id, std::int64_t fence);

 private:
  std::string path(const std::string& build_id, std::int64_t fence) const;
  std::string folder_;
};

}  // namespace ocelot::store
